// SPDX-License-Identifier: Apache-2.0
//
// Goal: what a debug file says about a driver's calls is read exactly, or refused with the place.
// Method: one file with every call; a table of single changes; every cut and every flipped bit.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <rumpk/call.h>
#include <rumpk/systable.h>

#include "calls_fixture.h"
#include "nip/elf.h"

static struct nip_error err;
static struct nip_elf_calls calls;

static enum nip_code read_calls(const struct nip_buffer *file)
{
    return nip_elf_calls(file->data, file->size, "driver.debug", &calls, &err);
}

static void every_call_is_known_by_name(void **state)
{
    (void)state;
    for (uint32_t call = 0; call <= RUMPK_CALL_META; call++) {
        struct nip_buffer file = {.size = 0};
        const struct rumpk_call_note note = {.call = call};
        fixture_calls(&note, 1, &file);
        assert_int_equal(read_calls(&file), NIP_OK);
        assert_int_equal(calls.calls, 1u << call);
        assert_string_not_equal(nip_call_name(call), "?");
        nip_buffer_free(&file);
    }
    assert_string_equal(nip_call_name(RUMPK_CALL_SEND), "SEND");
    assert_string_equal(nip_call_name(RUMPK_CALL_META), "META");
    assert_string_equal(nip_call_name(RUMPK_CALL_META + 1), "?");
    assert_string_equal(nip_call_name(UINT32_MAX), "?");
}

static void operations_are_those_of_mask(void **state)
{
    (void)state;
    static const struct rumpk_call_note notes[] = {
        {RUMPK_CALL_MASK, RUMPK_MASK_IRQ_UNMASK},
        {RUMPK_CALL_MASK, 31},
        {RUMPK_CALL_MASK, 32},
        {RUMPK_CALL_MASK, UINT32_MAX},
        {RUMPK_CALL_META, 5},
        {RUMPK_CALL_MASK, 31},
    };
    struct nip_buffer file = {.size = 0};
    fixture_calls(notes, sizeof notes / sizeof notes[0], &file);
    assert_int_equal(read_calls(&file), NIP_OK);
    assert_int_equal(calls.calls, 1u << RUMPK_CALL_MASK | 1u << RUMPK_CALL_META);
    assert_int_equal(calls.mask_operations, 1u << RUMPK_MASK_IRQ_UNMASK | 1u << 31);
    nip_buffer_free(&file);
}

static void a_file_without_records_has_no_calls(void **state)
{
    (void)state;
    struct nip_buffer file = {.size = 0};
    fixture_calls(NULL, 0, &file);
    assert_int_equal(read_calls(&file), NIP_OK);
    assert_int_equal(calls.calls, 0);
    file.data[CALLS_NAMES + 1] = '_'; // no section of that name
    assert_int_equal(read_calls(&file), NIP_OK);
    assert_int_equal(calls.calls, 0);
    const uint16_t none = SHN_UNDEF; // no names at all
    memcpy(file.data + offsetof(Elf64_Ehdr, e_shstrndx), &none, sizeof none);
    assert_int_equal(read_calls(&file), NIP_OK);
    assert_int_equal(calls.calls, 0);
    nip_buffer_free(&file);
}

#define SECTION(member)                                                 \
    CALLS_SECTIONS + sizeof(Elf64_Shdr) + offsetof(Elf64_Shdr, member), \
        sizeof(((Elf64_Shdr *)0)->member)
#define NAMES(member)                                                       \
    CALLS_SECTIONS + 2 * sizeof(Elf64_Shdr) + offsetof(Elf64_Shdr, member), \
        sizeof(((Elf64_Shdr *)0)->member)
#define SECOND(offset) CALLS_RECORDS + CALLS_RECORD_SIZE + (offset), 4

static void each_change_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        size_t offset, size;
        uint64_t value;
        const char *message;
    } table[] = {
        {SECTION(sh_size), 2 * CALLS_RECORD_SIZE - 1,
         "the last record of .note.rumpk.calls is cut"},
        {SECTION(sh_size), CALLS_RECORD_SIZE + 1, "the last record of .note.rumpk.calls is cut"},
        {SECTION(sh_size), 1, "the last record of .note.rumpk.calls is cut"},
        {SECTION(sh_size), 2 * CALLS_RECORD_SIZE + 1, "section .note.rumpk.calls lies outside"},
        {SECTION(sh_size), UINT64_MAX, "section .note.rumpk.calls lies outside"},
        {SECTION(sh_offset), UINT64_MAX, "section .note.rumpk.calls lies outside"},
        {SECTION(sh_offset), CALLS_RECORDS - 1, "byte 0 of .note.rumpk.calls begins no record"},
        {SECOND(0), 5, "byte 28 of .note.rumpk.calls begins no record"},
        {SECOND(0), UINT32_MAX, "byte 28 of .note.rumpk.calls begins no record"},
        {SECOND(4), 12, "byte 28 of .note.rumpk.calls begins no record"},
        {SECOND(8), RUMPK_NOTE_TYPE_ABI, "byte 28 of .note.rumpk.calls begins no record"},
        {SECOND(12), 0x706d7572, "byte 28 of .note.rumpk.calls begins no record"}, // "rump"
        {SECOND(16), 0x0100006b, "byte 28 of .note.rumpk.calls begins no record"}, // padding
        {SECOND(20), RUMPK_CALL_META + 1, "byte 28 of .note.rumpk.calls begins no record"},
        {SECOND(20), UINT32_MAX, "byte 28 of .note.rumpk.calls begins no record"},
        {NAMES(sh_offset), UINT64_MAX, "the names of the sections are not in the file"},
        {NAMES(sh_size), 4096, "the names of the sections are not in the file"},
        {NAMES(sh_type), SHT_PROGBITS, "the names of the sections are not in the file"},
        {offsetof(Elf64_Ehdr, e_shstrndx), 2, 3, "the names of the sections are not in the file"},
        {0, 4, 0, "is no ELF file"},
    };
    static const struct rumpk_call_note notes[] = {{RUMPK_CALL_SEND, 0}, {RUMPK_CALL_RECV, 0}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct nip_buffer file = {.size = 0};
        fixture_calls(notes, 2, &file);
        memcpy(file.data + table[i].offset, &table[i].value, table[i].size);
        err = (struct nip_error){.code = NIP_OK};
        if (read_calls(&file) != NIP_ERROR_FORMAT || !strstr(err.message, table[i].message) ||
            !strstr(err.message, "driver.debug"))
            fail_msg("change %zu: %s instead of %s", i, err.message, table[i].message);
        nip_buffer_free(&file);
    }
}

static void hostile_files_are_survived(void **state)
{
    (void)state;
    static const struct rumpk_call_note notes[] = {{RUMPK_CALL_SEND, 0}, {RUMPK_CALL_MASK, 1}};
    struct nip_buffer file = {.size = 0};
    fixture_calls(notes, 2, &file);
    // An allocation of exactly the size, so that reading one byte too far is seen.
    for (size_t size = 0; size < file.size; size++) {
        uint8_t *cut = malloc(size ? size : 1);
        memcpy(cut, file.data, size);
        assert_int_equal(nip_elf_calls(cut, size, "cut", &calls, &err), NIP_ERROR_FORMAT);
        free(cut);
    }
    for (size_t bit = 0; bit < file.size * 8; bit++) {
        file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        enum nip_code code = read_calls(&file);
        assert_true(code == NIP_OK || code == NIP_ERROR_FORMAT);
        assert_int_equal(calls.calls >> (RUMPK_CALL_META + 1), 0);
        // A changed record is refused, or says another call or operation: nothing else varies.
        if (bit >= (CALLS_RECORDS) * 8 &&
            (bit - CALLS_RECORDS * 8) % (CALLS_RECORD_SIZE * 8) < (CALLS_RECORD_SIZE - 8) * 8)
            assert_int_equal(code, NIP_ERROR_FORMAT);
        file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    nip_buffer_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_is_known_by_name),
        cmocka_unit_test(operations_are_those_of_mask),
        cmocka_unit_test(a_file_without_records_has_no_calls),
        cmocka_unit_test(each_change_is_refused_with_its_place),
        cmocka_unit_test(hostile_files_are_survived),
    };
    return cmocka_run_group_tests_name("elf calls", tests, NULL, NULL);
}
