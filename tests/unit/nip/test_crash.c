// SPDX-License-Identifier: Apache-2.0
//
// Goal: faults are found in what nip run prints and in its JSON, and nothing is taken for what it
// is not. Method: a table of lines; reports as JSON; the limits; every beginning of a report, in
// memory that ends where it ends.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nip/buffer.h"
#include "nip/crash.h"

#define ID "2977b6403d027e211c58e5dc68f177e74f88a741"
#define LINE                                                                                     \
    "  faulted     acme/clock 1.2.0-rc.1: WRITE: a store; address 0x8; in f (a.c:1); driver.elf" \
    "+0x1a4 of riscv64, build-id " ID "\n"

static struct nip_crash crash;

static enum nip_code scan(const char *text, struct nip_error *err)
{
    memset(err, 0, sizeof *err);
    return nip_crash_scan(text, strlen(text), "it", &crash, err);
}

static void lines_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *line, *name, *version, *fault, *arch, *id;
        uint64_t offset;
    } table[] = {
        {LINE, "acme/clock", "1.2.0-rc.1", "WRITE", "riscv64", ID, 0x1a4},
        {"[12:00] | faulted local/x 1.0.0: BAD_CALL: y; driver.elf+0x0 of x86_64, build-id 0011\r\n",
         "local/x", "1.0.0", "BAD_CALL", "x86_64", "0011", 0},
        {"faulted local/x: WRITE: y; driver.elf+0xffffffffffffffff of aarch64", "local/x", "",
         "WRITE", "aarch64", "", UINT64_MAX},
        {"driver.elf+0x10", "", "", "", "", "", 0x10},
        {"driver.elf+0x10 of sparc, build-id 001", "", "", "", "", "", 0x10},
        {"driver.elf+0x10 build-id ../../x", "", "", "", "", "", 0x10},
        {"driver.elf+0x10 build-id ABCDEF", "", "", "", "", "", 0x10},
        {"faulted UPPER/x v1: write: driver.elf+0x10", "", "", "", "", "", 0x10},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct nip_error err;
        assert_int_equal(scan(table[i].line, &err), NIP_OK);
        assert_int_equal(crash.count, 1);
        const struct nip_crash_fault *fault = &crash.faults[0];
        assert_string_equal(fault->name, table[i].name);
        assert_string_equal(fault->version, table[i].version);
        assert_string_equal(fault->fault, table[i].fault);
        assert_string_equal(fault->arch, table[i].arch);
        assert_string_equal(fault->build_id, table[i].id);
        assert_true(fault->has_offset && fault->offset == table[i].offset);
    }
}

static void what_is_no_fault_is_not_found(void **state)
{
    (void)state;
    static const char *const table[] = {
        "",
        "\n",
        "faulted local/x 1.0.0: WRITE",
        "driver.elf+0x",
        "driver.elf+0xg",
        "driver.elf",
        "driver.elf+0x11112222333344445",
        "{}x",
        ("build-id " ID),
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct nip_error err;
        assert_int_not_equal(scan(table[i], &err), NIP_OK);
        assert_true(err.message[0] != '\0');
    }
}

static void json_is_read(void **state)
{
    (void)state;
    struct nip_error err;
    assert_int_equal(
        scan(" {\"schema\": \"nip-run-1\", \"runs\": [{\"arch\": \"aarch64\", \"packages\": ["
             "{\"name\": \"a/b\", \"version\": \"1.0.0\", \"outcome\": \"faulted\", \"code\": "
             "\"READ\", \"pc_offset\": 420, \"build_id\": \"" ID "\"},"
             "{\"name\": \"a/c\", \"version\": \"1.0.0\", \"outcome\": \"ended\"},"
             "{\"name\": 7, \"version\": [], \"outcome\": \"faulted\", \"code\": \"no\", "
             "\"build_id\": \"zz\"}]}]}",
             &err),
        NIP_OK);
    assert_int_equal(crash.count, 2);
    assert_string_equal(crash.faults[0].name, "a/b");
    assert_string_equal(crash.faults[0].arch, "aarch64");
    assert_string_equal(crash.faults[0].fault, "READ");
    assert_string_equal(crash.faults[0].build_id, ID);
    assert_true(crash.faults[0].has_offset && crash.faults[0].offset == 420);
    assert_string_equal(crash.faults[1].name, "");
    assert_string_equal(crash.faults[1].build_id, "");
    assert_false(crash.faults[1].has_offset);
    assert_int_equal(scan("{\"schema\": \"nip-run-2\"}", &err), NIP_ERROR_FORMAT);
    assert_int_equal(scan("{\"schema\": \"nip-run-1\", \"runs\": []}", &err), NIP_ERROR_MISSING);
    assert_int_not_equal(scan("{\"schema\": ", &err), NIP_OK);
}

static void limits_are_kept(void **state)
{
    (void)state;
    struct nip_error err = {.code = NIP_OK};
    struct nip_buffer text = {.size = 0};
    for (size_t i = 0; i < NIP_CRASH_FAULTS_MAX + 3; i++)
        nip_buffer_append_text(&text, LINE);
    assert_int_equal(nip_crash_scan(nip_buffer_text(&text), text.size, "it", &crash, &err), NIP_OK);
    assert_int_equal(crash.count, NIP_CRASH_FAULTS_MAX);
    assert_int_equal(crash.dropped, 3);
    assert_int_equal(nip_crash_scan("x", NIP_CRASH_TEXT_MAX + 1, "it", &crash, &err),
                     NIP_ERROR_LIMIT);
    nip_buffer_free(&text);
}

static void every_beginning_is_survived(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof LINE; size++) {
        struct nip_error err = {.code = NIP_OK};
        char *cut = malloc(size != 0 ? size : 1);
        memcpy(cut, LINE, size);
        enum nip_code code = nip_crash_scan(cut, size, "cut", &crash, &err);
        assert_true(code == NIP_OK || code == NIP_ERROR_MISSING);
        free(cut);
    }
}

static void build_ids_become_text(void **state)
{
    (void)state;
    uint8_t id[NIP_ELF_BUILD_ID_MAX + 1];
    char text[2 * NIP_ELF_BUILD_ID_MAX + 1];
    memset(id, 0xA5, sizeof id);
    nip_build_id_text(id, 0, text);
    assert_string_equal(text, "");
    nip_build_id_text(id, 2, text);
    assert_string_equal(text, "a5a5");
    nip_build_id_text(id, sizeof id, text);
    assert_int_equal(strlen(text), 2 * NIP_ELF_BUILD_ID_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_found),
        cmocka_unit_test(what_is_no_fault_is_not_found),
        cmocka_unit_test(json_is_read),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(every_beginning_is_survived),
        cmocka_unit_test(build_ids_become_text),
    };
    return cmocka_run_group_tests_name("crash", tests, NULL, NULL);
}
