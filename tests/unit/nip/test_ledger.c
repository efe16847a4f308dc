// SPDX-License-Identifier: Apache-2.0
//
// Goal: a ledger is believed only if its chain holds, and is told in words that a person can act
// on. Method: a ledger as the kernel writes it, made here; every bit of its records flipped; its
// summary compared with the expected lines.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rumpk/result.h>

#include "nip/crypto.h"
#include "nip/ledger.h"

static struct rumpk_ledger raw;
static struct nip_ledger ledger;
static struct nip_error err;

static void append(struct rumpk_ledger_record record, const char *name)
{
    struct nip_hash hash;
    record.sequence = raw.count;
    snprintf(record.name, sizeof record.name, "%s", name);
    if (raw.count)
        memcpy(record.previous, raw.records[raw.count - 1].hash, RUMPK_DIGEST_SIZE);
    nip_hash_begin(&hash);
    nip_hash_update(&hash, record.previous, RUMPK_DIGEST_SIZE);
    nip_hash_update(&hash, &record, RUMPK_LEDGER_HASHED);
    nip_hash_end(&hash, record.hash);
    raw.records[raw.count++] = record;
}

static int set_up(void **state)
{
    (void)state;
    memset(&raw, 0, sizeof raw);
    raw.magic = RUMPK_LEDGER_MAGIC;
    raw.capacity = RUMPK_LEDGER_CAPACITY;
    append((struct rumpk_ledger_record){.kind = RUMPK_LEDGER_BOOT,
                                        .package = RUMPK_LEDGER_NO_PACKAGE}, "");
    append((struct rumpk_ledger_record){.kind = RUMPK_LEDGER_START, .package = 0, .fiber = 1,
                                        .image_base = 0x81200000}, "rumpk/uart");
    append((struct rumpk_ledger_record){.kind = RUMPK_LEDGER_REFUSE,
                                        .code = RUMPK_REFUSE_ELF_DIGEST, .package = 1},
           "local/bad");
    append((struct rumpk_ledger_record){.kind = RUMPK_LEDGER_START, .package = 2, .fiber = 2,
                                        .image_base = 0x81300000}, "local/wild");
    append((struct rumpk_ledger_record){.kind = RUMPK_LEDGER_FAULT, .code = RUMPK_FAULT_WRITE,
                                        .package = 2, .pc = 0x81301234, .address = 0x80200000,
                                        .image_base = 0x81300000}, "local/wild");
    append((struct rumpk_ledger_record){.kind = RUMPK_LEDGER_EXIT, .package = 0,
                                        .detail = (uint64_t)-3}, "rumpk/uart");
    append((struct rumpk_ledger_record){.kind = RUMPK_LEDGER_END,
                                        .package = RUMPK_LEDGER_NO_PACKAGE}, "");
    return 0;
}

static void chain_is_checked(void **state)
{
    (void)state;
    assert_int_equal(nip_ledger_decode(&raw, sizeof raw, &ledger, &err), NIP_OK);
    assert_int_equal(ledger.count, 7);
    for (size_t bit = 0; bit < 7 * sizeof raw.records[0] * 8; bit++) {
        ((uint8_t *)raw.records)[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (nip_ledger_decode(&raw, sizeof raw, &ledger, &err) == NIP_OK)
            fail_msg("bit %zu changed and nothing noticed", bit);
        ((uint8_t *)raw.records)[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    raw.count = RUMPK_LEDGER_CAPACITY + 1;
    assert_int_equal(nip_ledger_decode(&raw, sizeof raw, &ledger, &err), NIP_ERROR_FORMAT);
    raw.count = 8;
    assert_int_equal(nip_ledger_decode(&raw, sizeof raw, &ledger, &err), NIP_ERROR_MISMATCH);
    raw.magic = 0;
    assert_int_equal(nip_ledger_decode(&raw, sizeof raw, &ledger, &err), NIP_ERROR_MISSING);
    assert_int_equal(nip_ledger_decode(&raw, sizeof raw - 1, &ledger, &err), NIP_ERROR_FORMAT);
}

static void unknown_kinds_are_not_guessed(void **state)
{
    (void)state;
    append((struct rumpk_ledger_record){.kind = 99}, "");
    assert_int_equal(nip_ledger_decode(&raw, sizeof raw, &ledger, &err), NIP_ERROR_UNSUPPORTED);
    raw.count--;
    append((struct rumpk_ledger_record){.kind = RUMPK_LEDGER_REFUSE, .code = 999}, "");
    assert_int_equal(nip_ledger_decode(&raw, sizeof raw, &ledger, &err), NIP_ERROR_UNSUPPORTED);
}

static void foreign_names_are_escaped(void **state)
{
    (void)state;
    struct nip_buffer text = {.size = 0};
    append((struct rumpk_ledger_record){.kind = RUMPK_LEDGER_START}, "a\x1b[31m\n");
    assert_int_equal(nip_ledger_decode(&raw, sizeof raw, &ledger, &err), NIP_OK);
    nip_ledger_record_print(&ledger.records[ledger.count - 1], &text);
    nip_timeline_print(&(struct rumpk_boot_record){.timer_hz = 1000000}, &ledger, &text);
    assert_null(strchr(nip_buffer_text(&text), '\x1b'));
    assert_non_null(strstr(nip_buffer_text(&text), "START a\\x1b[31m"));
    assert_non_null(strstr(nip_buffer_text(&text), " us    a\\x1b[31m"));
    nip_buffer_free(&text);
}

static void outcomes_are_told(void **state)
{
    (void)state;
    struct nip_boot *boot = nip_boot_new();
    struct nip_buffer text = {.size = 0};
    boot->image.package_count = 4;
    static const char *const names[] = {"rumpk/uart", "local/bad", "local/wild", "local/late"};
    for (size_t i = 0; i < 4; i++)
        snprintf(boot->packages[i].package.name, RUMPK_NAME_SIZE, "%s", names[i]);
    assert_int_equal(nip_ledger_decode(&raw, sizeof raw, &ledger, &err), NIP_OK);
    nip_ledger_summary_print(&ledger, boot, &text);
    assert_string_equal(
        nip_buffer_text(&text),
        "rumpk/uart               started, ended with code -3\n"
        "local/bad                refused: the driver file is not the signed one (ELF_DIGEST)\n"
        "local/wild               faulted: write to an address that the driver may not write "
        "(WRITE) at driver.elf+0x1234, address 0x80200000\n"
        "local/late               not started: the kernel did not come to it\n");
    struct nip_package_outcome outcome;
    nip_ledger_outcome(&ledger, 2, &outcome);
    assert_true(outcome.was_started);
    assert_int_equal(outcome.pc_offset, 0x1234);
    nip_buffer_clear(&text);
    nip_ledger_record_print(&ledger.records[4], &text);
    assert_non_null(strstr(nip_buffer_text(&text), "0004 FAULT local/wild WRITE pc 0x81301234"));
    nip_buffer_free(&text);
    nip_boot_free(boot);
}

static void every_number_has_a_sentence(void **state)
{
    (void)state;
    for (uint32_t i = 0; i <= RUMPK_REFUSE_NEED_MISSING; i++)
        assert_string_not_equal(nip_refusal_name(i), "?");
    for (uint32_t i = 0; i <= RUMPK_FAULT_OTHER; i++)
        assert_string_not_equal(nip_fault_name(i), "?");
    for (uint32_t i = RUMPK_BOOT_ENTRY; i <= RUMPK_BOOT_ENDED; i++)
        assert_true(strlen(nip_boot_stage_sentence(i)) > 8);
    assert_string_equal(nip_refusal_name(1000), "?");
}

static void boot_records_are_told(void **state)
{
    (void)state;
    struct rumpk_boot_record record, raw_record = {
        .magic = RUMPK_BOOT_MAGIC, .stage = RUMPK_BOOT_ENDED,
        .package = RUMPK_LEDGER_NO_PACKAGE,
    };
    struct nip_buffer text = {.size = 0};
    assert_int_equal(nip_boot_record_decode(&raw_record, sizeof raw_record, &record, &err), NIP_OK);
    nip_boot_record_print(&record, NULL, &text);
    assert_int_equal(text.size, 0); // a normal end needs no words
    record.stage = RUMPK_BOOT_ENTRY;
    record.cause = RUMPK_BOOT_CAUSE_MEMORY_SHORT;
    nip_boot_record_print(&record, NULL, &text);
    assert_non_null(strstr(nip_buffer_text(&text), "not enough memory"));
    assert_non_null(strstr(nip_buffer_text(&text), "--memory"));
    raw_record.magic = 0;
    assert_int_equal(nip_boot_record_decode(&raw_record, sizeof raw_record, &record, &err),
                     NIP_ERROR_MISSING);
    raw_record.magic = 1;
    assert_int_equal(nip_boot_record_decode(&raw_record, sizeof raw_record, &record, &err),
                     NIP_ERROR_FORMAT);
    nip_buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(chain_is_checked, set_up),
        cmocka_unit_test_setup(unknown_kinds_are_not_guessed, set_up),
        cmocka_unit_test_setup(foreign_names_are_escaped, set_up),
        cmocka_unit_test_setup(outcomes_are_told, set_up),
        cmocka_unit_test(every_number_has_a_sentence),
        cmocka_unit_test(boot_records_are_told),
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
