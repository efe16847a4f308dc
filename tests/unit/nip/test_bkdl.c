// SPDX-License-Identifier: Apache-2.0
//
// Goal: one value has one packed form; every other sequence of bytes is refused, and any difference
// between npl.kdl and npl.bkdl is named. Method: every single bit of both packed manifests is
// flipped: refused, or read as another value that packs to exactly those bytes and that comparison
// notices. Fields set to each forbidden value.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <rumpk/cap.h>
#include <rumpk/start.h>

#include "image_fixture.h"

static struct fixture_image fixture;
static struct nip_boot *boot;
static struct nip_manifest packed;

static int set_up(void **state)
{
    (void)state;
    struct nip_buffer image = {.size = 0};
    struct nip_image_report *report;
    struct nip_error err = {.code = NIP_OK};
    fixture_image_make(&fixture, fixture_image_kdl);
    assert_int_equal(nip_image_build(&fixture.input, &image, &report, &err), NIP_OK);
    boot = report->boot;
    report->boot = NULL;
    nip_image_report_free(report);
    nip_buffer_free(&image);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    nip_boot_free(boot);
    fixture_image_free(&fixture);
    return 0;
}

static void package_bits(void **state)
{
    (void)state;
    for (size_t p = 0; p < FIXTURE_PACKAGE_COUNT; p++) {
        struct nip_buffer *bytes = &fixture.packages[p].bkdl;
        struct nip_error err = {.code = NIP_OK};
        size_t accepted = 0;
        for (size_t bit = 0; bit < bytes->size * 8; bit++) {
            bytes->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            if (nip_bkdl_decode_package(bytes->data, bytes->size, "b", &packed, &err) == NIP_OK) {
                struct nip_buffer again = {.size = 0};
                accepted++;
                assert_int_equal(nip_bkdl_encode_package(&packed, &again, &err), NIP_OK);
                assert_true(nip_buffer_equals(&again, bytes->data, bytes->size));
                assert_int_equal(nip_bkdl_compare(&fixture.packages[p].manifest, &packed, &err),
                                 NIP_ERROR_MISMATCH);
                assert_non_null(strstr(err.message, "the kernel would do"));
                nip_buffer_free(&again);
            } else {
                assert_true(err.message[0] != '\0');
            }
            bytes->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        assert_true(accepted > 10); // other names, other numbers
        assert_int_equal(nip_bkdl_decode_package(bytes->data, bytes->size, "b", &packed, &err),
                         NIP_OK);
        assert_int_equal(nip_bkdl_compare(&fixture.packages[p].manifest, &packed, &err), NIP_OK);
        for (size_t size = 0; size < bytes->size; size++)
            assert_int_not_equal(nip_bkdl_decode_package(bytes->data, size, "b", &packed, &err),
                                 NIP_OK);
    }
}

static void boot_bits(void **state)
{
    (void)state;
    struct nip_buffer bytes = {.size = 0};
    struct nip_error err = {.code = NIP_OK};
    assert_int_equal(nip_bkdl_encode_boot(boot, &bytes, &err), NIP_OK);
    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        struct nip_boot *read;
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (nip_bkdl_decode_boot(bytes.data, bytes.size, "b", &read, &err) == NIP_OK) {
            struct nip_buffer again = {.size = 0};
            assert_int_equal(nip_bkdl_encode_boot(read, &again, &err), NIP_OK);
            assert_true(nip_buffer_equals(&again, bytes.data, bytes.size));
            nip_buffer_free(&again);
            nip_boot_free(read);
        } else {
            assert_null(read);
        }
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t size = 0; size < bytes.size; size++) {
        struct nip_boot *read;
        assert_int_not_equal(nip_bkdl_decode_boot(bytes.data, size, "b", &read, &err), NIP_OK);
    }
    nip_buffer_free(&bytes);
}

// Each edit makes one value that must not be accepted, whoever signed it.
static void boot_values(void **state)
{
    (void)state;
    struct nip_boot *copy = nip_boot_new();
    struct nip_error err = {.code = NIP_OK};
    for (int edit = 0; edit < 25; edit++) {
        struct nip_boot *read;
        struct nip_buffer bytes = {.size = 0};
        memcpy(copy, boot, sizeof *copy);
        switch (edit) {
        case 0: copy->image.arch = 4; break;
        case 1: copy->image.flags = 4; break;
        case 2: copy->image.name[70] = 'x'; break;
        case 3: copy->packages[0].package.threshold = 2; break;
        case 4: copy->packages[0].package.security_floor = 0; break;
        case 5: copy->packages[0].package.spectrum = 4; break;
        case 6: copy->packages[0].package.stack_max = 4096; break;
        case 7: copy->packages[0].package.reserved = 1; break;
        case 8: copy->packages[0].key_count = 0; break;
        case 9: copy->packages[0].grants[0].rights = 0; break;
        case 10: copy->packages[0].grants[0].type = RUMPK_CAP_SPAWN; break;
        case 11: copy->packages[0].grants[0].size = 4096; break;
        case 12: copy->packages[1].grants[1].compatible[0] = 'x'; break;
        case 13: copy->packages[1].grants[1].size = 0; break;
        case 14: memcpy(copy->packages[1].package.name, copy->packages[0].package.name, 72); break;
        case 15: copy->wires[0].client = 3; break;
        case 16: copy->wires[0].server = copy->wires[0].client; break;
        case 17: copy->wires[0].slots = 24; break;
        case 18: copy->wires[0].arena_count = 0; break;
        case 19: copy->wires[1].arena_size = 256; break;
        case 20: copy->wires[0].style = 3; break;
        case 21:
            copy->packages[1].grants[1] = copy->packages[1].grants[0];
            break;
        case 22: copy->packages[0].package.threshold = 0; break;
        case 23: // one key twice, and two must have signed
            copy->packages[0].package.threshold = copy->packages[0].key_count = 2;
            copy->packages[0].keys[1] = copy->packages[0].keys[0];
            break;
        case 24: copy->packages[0].package.threshold = RUMPK_KEYS_MAX + 1; break;
        }
        assert_int_equal(nip_bkdl_encode_boot(copy, &bytes, &err), NIP_OK);
        if (nip_bkdl_decode_boot(bytes.data, bytes.size, "b", &read, &err) == NIP_OK)
            fail_msg("edit %d was accepted", edit);
        nip_buffer_free(&bytes);
    }
    nip_boot_free(copy);
}

static void package_values(void **state)
{
    (void)state;
    struct nip_error err = {.code = NIP_OK};
    const struct nip_manifest *blk = &fixture.packages[2].manifest;
    for (int edit = 0; edit < 12; edit++) {
        struct nip_manifest copy = *blk;
        struct nip_buffer bytes = {.size = 0};
        switch (edit) {
        case 0: copy.identity.kind = 4; break;
        case 1: copy.identity.kind = RUMPK_KIND_KERNEL; break; // which requests nothing
        case 2: copy.identity.arch_mask = 0; break;
        case 3: copy.identity.arch_mask = 8; break;
        case 4: copy.runtime.flags = 1; break;
        case 5: copy.requests[0].rights = RUMPK_RIGHT_GRANT; break;
        case 6: copy.requests[0].queues = 0; break;
        case 7: copy.requests[1].size = 4097; break;
        case 8: memcpy(copy.requests[1].name, copy.requests[0].name, 32); break;
        case 9: copy.requests[0].type = RUMPK_CAP_INTERRUPT; break;
        case 10: copy.provides[0].optional = 1; break;
        case 11: copy.identity.name[0] = 'R'; break;
        }
        assert_int_equal(nip_bkdl_encode_package(&copy, &bytes, &err), NIP_OK);
        if (nip_bkdl_decode_package(bytes.data, bytes.size, "b", &packed, &err) == NIP_OK)
            fail_msg("edit %d was accepted", edit);
        nip_buffer_free(&bytes);
    }
}

static void missing_and_extra_are_named(void **state)
{
    (void)state;
    struct nip_error err = {.code = NIP_OK};
    const struct nip_manifest *blk = &fixture.packages[2].manifest;
    packed = *blk;
    packed.request_count--;
    assert_int_equal(nip_bkdl_compare(blk, &packed, &err), NIP_ERROR_MISMATCH);
    assert_non_null(strstr(err.message, "`request`: the manifest says 2 of them, the kernel"));
    packed = *blk;
    packed.requests[1].size *= 2;
    assert_int_equal(nip_bkdl_compare(blk, &packed, &err), NIP_ERROR_MISMATCH);
    assert_string_equal(err.message, "request 1, `size`: the manifest says 64KiB, the kernel would "
                                     "do 128KiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(package_bits),    cmocka_unit_test(boot_bits),
        cmocka_unit_test(boot_values),     cmocka_unit_test(package_values),
        cmocka_unit_test(missing_and_extra_are_named),
    };
    return cmocka_run_group_tests_name("bkdl", tests, set_up, tear_down);
}
