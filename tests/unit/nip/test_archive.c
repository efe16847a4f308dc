// SPDX-License-Identifier: Apache-2.0
//
// Goal: an archive is laid out as rumpk/archive.h says, in one way only. Method: written, read
// back, compared with hand-computed offsets; then every bit that no part covers is flipped, and
// every size and offset field is changed: always refused, with the kernel's reason.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "nip/archive.h"

static uint8_t content[20000];
static struct nip_archive input, output;
static struct nip_buffer bytes;
static struct nip_error err;

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)(i * 7 + 1) | 1;
    input = (struct nip_archive){
        .arch = RUMPK_ARCH_X86_64, .part_count = 2, .manifest = content, .manifest_size = 300,
        .parts = {
            {.digests = content, .digests_size = 100, .bkdl = content + 100, .bkdl_size = 200,
             .elf = content + 300, .elf_size = 4097, .publisher_key = {1}, .signature = {2}},
            {.digests = content, .digests_size = 4080, .bkdl = content + 100, .bkdl_size = 8,
             .elf = content + 300, .elf_size = 4096, .publisher_key = {3}, .signature = {4}},
        },
    };
    return nip_archive_write(&input, &bytes, &err) == NIP_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    nip_buffer_free(&bytes);
    return 0;
}

static void layout_is_as_described(void **state)
{
    (void)state;
    // header, table | 100 -> 112 + 200, page | ELF two pages | 4080 + 8, page | ELF one page |
    // manifest
    assert_int_equal(bytes.size, 0x2000 + 0x1000 + 0x2000 + 0x1000 + 0x1000 + 0x1000);
    assert_int_equal(nip_archive_read(bytes.data, bytes.size, "a", &output, NULL, &err), NIP_OK);
    assert_int_equal(output.part_count, 2);
    assert_int_equal(output.parts[0].digests - bytes.data, 0x2000);
    assert_int_equal(output.parts[0].bkdl - bytes.data, 0x2000 + 112);
    assert_int_equal(output.parts[0].elf - bytes.data, 0x3000);
    assert_int_equal(output.parts[1].digests - bytes.data, 0x5000);
    assert_int_equal(output.parts[1].bkdl - bytes.data, 0x5000 + 4080);
    assert_int_equal(output.parts[1].elf - bytes.data, 0x6000);
    assert_int_equal(output.manifest - bytes.data, 0x7000);
    assert_memory_equal(output.parts[0].elf, content + 300, 4097);
    assert_memory_equal(output.parts[1].publisher_key, input.parts[1].publisher_key, 32);
    struct nip_buffer again = {.size = 0};
    assert_int_equal(nip_archive_write(&output, &again, &err), NIP_OK);
    assert_true(nip_buffer_equals(&again, bytes.data, bytes.size));
    nip_buffer_free(&again);
}

static bool is_covered(size_t at)
{
    static const struct {
        size_t from, to;
    } parts[] = {
        {0x2000, 0x2000 + 100},   {0x2000 + 112, 0x2000 + 312}, {0x3000, 0x3000 + 4097},
        {0x5000, 0x5000 + 4080},  {0x5000 + 4080, 0x5000 + 4088}, {0x6000, 0x7000},
        {0x7000, 0x7000 + 300},   {40, 104}, // the owner's signature
        {0x1000 + 48, 0x1000 + 144}, {0x1000 + 192 + 48, 0x1000 + 192 + 144}, // keys, signatures
        {20, 24}, // the architecture, when it stays a known one
        // Sizes: a zero byte more or less is a matter of digests and signatures, not of form.
        {32, 40}, {0x1000 + 8, 0x1000 + 16}, {0x1000 + 24, 0x1000 + 32}, {0x1000 + 40, 0x1000 + 48},
        {0x10c0 + 8, 0x10c0 + 16}, {0x10c0 + 24, 0x10c0 + 32}, {0x10c0 + 40, 0x10c0 + 48},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (at >= parts[i].from && at < parts[i].to)
            return true;
    return false;
}

static void every_other_bit_is_fixed(void **state)
{
    (void)state;
    size_t count = 0;
    for (size_t at = 0; at < bytes.size; at++) {
        for (int bit = 0; bit < 8 && !is_covered(at); bit++, count++) {
            enum rumpk_refusal refusal;
            bytes.data[at] ^= (uint8_t)(1 << bit);
            enum nip_code code =
                nip_archive_read(bytes.data, bytes.size, "a", &output, &refusal, &err);
            bytes.data[at] ^= (uint8_t)(1 << bit);
            if (code != NIP_ERROR_FORMAT ||
                (refusal != RUMPK_REFUSE_ARCHIVE_HEADER && refusal != RUMPK_REFUSE_ARCHIVE_BOUNDS &&
                 refusal != RUMPK_REFUSE_ARCHIVE_PADDING))
                fail_msg("byte %zu bit %d: refusal %d", at, bit, (int)refusal);
        }
    }
    assert_true(count > 50000);
    for (size_t size = 0; size < bytes.size; size += 512)
        assert_int_equal(nip_archive_read(bytes.data, size, "a", &output, NULL, &err),
                         NIP_ERROR_FORMAT);
}

static void reasons_are_the_kernels(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        enum rumpk_refusal refusal;
    } table[] = {
        {0, RUMPK_REFUSE_ARCHIVE_HEADER},           {16, RUMPK_REFUSE_ARCHIVE_BOUNDS},
        {104, RUMPK_REFUSE_ARCHIVE_HEADER},         {128, RUMPK_REFUSE_ARCHIVE_PADDING},
        {0x1000, RUMPK_REFUSE_ARCHIVE_BOUNDS},      {0x1000 + 150, RUMPK_REFUSE_ARCHIVE_HEADER},
        {0x1000 + 384, RUMPK_REFUSE_ARCHIVE_PADDING}, {0x2000 + 100, RUMPK_REFUSE_ARCHIVE_PADDING},
        {0x2000 + 312, RUMPK_REFUSE_ARCHIVE_PADDING}, {0x4001, RUMPK_REFUSE_ARCHIVE_PADDING},
        {0x7fff, RUMPK_REFUSE_ARCHIVE_PADDING},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        enum rumpk_refusal refusal;
        bytes.data[table[i].at] ^= 1;
        assert_int_equal(nip_archive_read(bytes.data, bytes.size, "a", &output, &refusal, &err),
                         NIP_ERROR_FORMAT);
        bytes.data[table[i].at] ^= 1;
        if (refusal != table[i].refusal)
            fail_msg("byte %zu: refusal %d: %s", table[i].at, (int)refusal, err.message);
    }
}

static void impossible_parts_are_not_written(void **state)
{
    (void)state;
    struct nip_archive copy = input;
    struct nip_buffer out = {.size = 0};
    copy.parts[0].elf_size = 0;
    assert_int_equal(nip_archive_write(&copy, &out, &err), NIP_ERROR_LIMIT);
    copy = input;
    copy.parts[0].digests_size = RUMPK_DIGESTS_SIZE_MAX + 1;
    assert_int_equal(nip_archive_write(&copy, &out, &err), NIP_ERROR_LIMIT);
    copy = input;
    copy.part_count = RUMPK_PACKAGES_MAX + 1;
    assert_int_equal(nip_archive_write(&copy, &out, &err), NIP_ERROR_LIMIT);
    assert_int_equal(out.size, 0);
    // Without packages it is still an archive.
    copy = input;
    copy.part_count = 0;
    assert_int_equal(nip_archive_write(&copy, &out, &err), NIP_OK);
    assert_int_equal(out.size, 0x2000);
    assert_int_equal(nip_archive_read(out.data, out.size, "a", &output, NULL, &err), NIP_OK);
    nip_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout_is_as_described),
        cmocka_unit_test(every_other_bit_is_fixed),
        cmocka_unit_test(reasons_are_the_kernels),
        cmocka_unit_test(impossible_parts_are_not_written),
    };
    return cmocka_run_group_tests_name("archive", tests, set_up, tear_down);
}
