// SPDX-License-Identifier: Apache-2.0
//
// Goal: the kernel's loader accepts a good boot archive and refuses every change of it, each for
// its own reason. Method: the loader's own sources, compiled for the host with sanitizers; an
// archive made by sample.c; every bit of it flipped once, padding included; and a list of changes
// that are signed and pinned again, so that only the check that is meant for each can refuse it.
#include <kernel/load.h>

// cmocka's own includes
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "sample.h"

_Noreturn void kernel_assert_failed(void)
{
    abort();
}

static struct archive archive;
static struct package package;

// The first refusal of header, manifest or any package: NONE when all start.
static enum rumpk_refusal judge(const struct sample *sample, const uint8_t *owner_key,
                                uint32_t *which)
{
    uint64_t detail;
    enum rumpk_refusal refusal =
        archive_validate(sample->bytes, sample->size, SAMPLE_ARCH, owner_key, &archive, &detail);

    *which = RUMPK_LEDGER_NO_PACKAGE;
    if (refusal != RUMPK_REFUSE_NONE)
        return refusal;
    for (uint32_t i = 0; i < archive.boot.image->package_count; i++) {
        archive_package_validate(&archive, i, &package);
        if (package.refusal != RUMPK_REFUSE_NONE) {
            *which = i;
            return package.refusal;
        }
    }
    return RUMPK_REFUSE_NONE;
}

static void good_archive(void **state)
{
    struct sample sample;
    uint32_t which;

    (void)state;
    sample_make(&sample, NULL);
    assert_int_equal(judge(&sample, sample.owner_key, &which), RUMPK_REFUSE_NONE);
    assert_int_equal(package.elf.segment_count, 4);
    assert_int_equal(package.elf.relocation_count, 2);
    assert_int_equal(package.elf.image_size, SAMPLE_DATA + 8192);
    assert_string_equal(package.digests.name, "test/client");
    assert_int_equal(archive.boot.wires.count, 1);
    assert_int_equal(archive.boot.packages[1].config_size, 5);
    sample_free(&sample);
}

// What loading makes of the file: segments at their offsets, relocated by the base, bss clear.
static void placed_image(void **state)
{
    struct sample sample;
    uint32_t which;
    uint8_t *image = calloc(1, SAMPLE_DATA + 8192);
    uint64_t value;

    (void)state;
    sample_make(&sample, NULL);
    assert_int_equal(judge(&sample, sample.owner_key, &which), RUMPK_REFUSE_NONE);
    elf_place(&package.elf, image, 0x81000000);
    memcpy(&value, image + SAMPLE_RELRO + 8, 8);
    assert_int_equal(value, 0x81000000 + SAMPLE_TEXT);
    memcpy(&value, image + SAMPLE_DATA + 16, 8);
    assert_int_equal(value, 0x81000000 + SAMPLE_DATA);
    assert_memory_equal(image + SAMPLE_DATA, "data of the samp", 16);
    assert_true(bytes_are_zero(image + SAMPLE_DATA + 4096, 4096));
    free(image);
    sample_free(&sample);
}

// Exhaustive: each of the bits, one at a time, padding included.
static void every_bit(void **state)
{
    struct sample sample;
    uint32_t which;
    uint64_t refused = 0;

    (void)state;
    sample_make(&sample, NULL);
    for (uint64_t at = 0; at < sample.size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            sample.bytes[at] ^= (uint8_t)(1u << bit);
            enum rumpk_refusal refusal = judge(&sample, sample.owner_key, &which);
            sample.bytes[at] ^= (uint8_t)(1u << bit);
            if (refusal == RUMPK_REFUSE_NONE)
                fail_msg("bit %u of byte %llu of %llu was accepted", bit, (unsigned long long)at,
                         (unsigned long long)sample.size);
            refused++;
        }
    }
    print_message("%llu single-bit changes, all refused\n", (unsigned long long)refused);
    assert_int_equal(judge(&sample, sample.owner_key, &which), RUMPK_REFUSE_NONE);
    sample_free(&sample);
}

static void owner_keys(void **state)
{
    struct sample sample;
    uint32_t which;
    uint8_t key[RUMPK_KEY_SIZE] = {0};

    (void)state;
    sample_make(&sample, NULL);
    assert_int_equal(judge(&sample, key, &which), RUMPK_REFUSE_OWNER_KEY);
    assert_int_equal(judge(&sample, sample.publisher_key, &which), RUMPK_REFUSE_MANIFEST_SIGNATURE);
    key[0] = 1; // the neutral element: a small-order point signs anything
    assert_int_equal(judge(&sample, key, &which), RUMPK_REFUSE_MANIFEST_SIGNATURE);
    sample_free(&sample);
}

static void sizes(void **state)
{
    struct sample sample;
    uint64_t detail;

    (void)state;
    sample_make(&sample, NULL);
    for (uint64_t size = 0; size < sample.size; size += 4096)
        assert_int_not_equal(
            archive_validate(sample.bytes, size, SAMPLE_ARCH, sample.owner_key, &archive, &detail),
            RUMPK_REFUSE_NONE);
    assert_int_equal(archive_validate(sample.bytes, sample.size, RUMPK_ARCH_AARCH64,
                                      sample.owner_key, &archive, &detail),
                     RUMPK_REFUSE_ARCHIVE_HEADER);
    sample_free(&sample);
}

// ---- changes that are signed again ----

#define PROGRAM(elf, index) ((elf) + 64 + 56 * (index))

static void elf_machine(uint8_t *e)
{
    e[18] = 62;
    e[19] = 0;
}
static void elf_class(uint8_t *e)
{
    e[4] = 1;
}
static void elf_type(uint8_t *e)
{
    e[16] = 2;
}
static void elf_wx(uint8_t *e)
{
    PROGRAM(e, 1)[4] = 7;
}
static void elf_interp(uint8_t *e)
{
    PROGRAM(e, 7)[0] = 3;
    memset(PROGRAM(e, 7) + 1, 0, 3);
}
static void elf_stack(uint8_t *e)
{
    PROGRAM(e, 7)[4] = 7;
}
static void elf_align(uint8_t *e)
{
    PROGRAM(e, 1)[16] = 8;
}
static void elf_bounds(uint8_t *e)
{
    PROGRAM(e, 3)[36] = 1;
}
static void elf_overlap(uint8_t *e)
{
    PROGRAM(e, 0)[33] = 0x20;
    PROGRAM(e, 0)[41] = 0x20;
}
static void elf_entry(uint8_t *e)
{
    e[25] = 0x30;
}
static void elf_needed(uint8_t *e)
{
    e[SAMPLE_RELRO + 64 + 48] = 1;
    memset(e + SAMPLE_RELRO + 64 + 49, 0, 7);
}
static void elf_rela_type(uint8_t *e)
{
    e[2048 + 8] = 2;
}
static void elf_rela_place(uint8_t *e)
{
    e[2048 + 1] = 0x10;
}
static void elf_rela_align(uint8_t *e)
{
    e[2048] = 9;
}
static void elf_huge(uint8_t *e)
{
    PROGRAM(e, 3)[43] = 2;
}
static void elf_rx_bss(uint8_t *e)
{
    PROGRAM(e, 1)[33] = 0x08;
}
static void note_owner(uint8_t *e)
{
    e[1036] = 'X';
}
static void note_abi(uint8_t *e)
{
    e[1044] = 9;
}
static void note_arch(uint8_t *e)
{
    e[1048] = 2;
}
static void note_profile(uint8_t *e)
{
    e[1052] = 9;
}
static void note_table(uint8_t *e)
{
    e[1056] = 0;
}

static void text_replace(char *text, uint32_t size_max, const char *from, const char *to)
{
    char *at = strstr(text, from), rest[2048];

    if (at == NULL)
        abort();
    snprintf(rest, sizeof rest, "%s", at + strlen(from));
    snprintf(at, size_max - (size_t)(at - text), "%s%s", to, rest);
}

static void digests_first(char *t, uint32_t n)
{
    text_replace(t, n, "rumpk-digests 1", "rumpk-digests 2");
}
static void digests_name(char *t, uint32_t n)
{
    text_replace(t, n, "test/server", "test/served");
}
static void digests_version(char *t, uint32_t n)
{
    text_replace(t, n, "version 0.1.0", "version 0.1.1");
}
static void digests_abi(char *t, uint32_t n)
{
    text_replace(t, n, "abi 1", "abi 99");
}
static void digests_zero(char *t, uint32_t n)
{
    text_replace(t, n, "security-version 1", "security-version 01");
}
static void digests_low(char *t, uint32_t n)
{
    text_replace(t, n, "security-version 1", "security-version 2");
}
static void digests_arch(char *t, uint32_t n)
{
    text_replace(t, n, "arch aarch64 riscv64 x86_64", "arch aarch64 x86_64");
}
static void digests_order(char *t, uint32_t n)
{
    text_replace(t, n, "arch aarch64 riscv64", "arch riscv64 aarch64");
}
static void digests_twice(char *t, uint32_t n)
{
    text_replace(t, n, "source none\n", "source none\nsource none\n");
}
static void digests_space(char *t, uint32_t n)
{
    text_replace(t, n, "kind driver", "kind  driver");
}
static void digests_kind(char *t, uint32_t n)
{
    text_replace(t, n, "kind driver", "kind kernel");
}
static void digests_unknown(char *t, uint32_t n)
{
    text_replace(t, n, "toolchain test", "toolbox test");
}
static void digests_path(char *t, uint32_t n)
{
    text_replace(t, n, "npl.bkdl", "npl.bkdL");
}
static void digests_missing(char *t, uint32_t n)
{
    text_replace(t, n, "riscv64/driver.elf", "riscv64/driver.exe");
}

// Offsets in npl.bkdl: opening 32, then IDENTITY (8 + 160), RUNTIME (8 + 64), MATCH (8 + 80),
// REQUEST (8 + 144), service.
static void bkdl_title(uint8_t *b, uint32_t n)
{
    (void)n;
    b[14] = '7';
}
static void bkdl_tag(uint8_t *b, uint32_t n)
{
    (void)n;
    b[32] = 99;
}
static void bkdl_size(uint8_t *b, uint32_t n)
{
    (void)n;
    b[16]++;
}
static void bkdl_name(uint8_t *b, uint32_t n)
{
    (void)n;
    b[40 + 5] = 'S' + 32 - 1;
}
static void bkdl_text(uint8_t *b, uint32_t n)
{
    (void)n;
    b[40 + 70] = 'x';
}
static void bkdl_stack(uint8_t *b, uint32_t n)
{
    (void)n;
    b[40 + 160 + 8 + 8 + 2] = 2;
}
static void bkdl_stack_odd(uint8_t *b, uint32_t n)
{
    (void)n;
    b[40 + 160 + 8 + 8] = 1;
}
static void bkdl_reserved(uint8_t *b, uint32_t n)
{
    (void)n;
    b[40 + 160 + 8 + 48] = 1;
}
static void bkdl_pledge(uint8_t *b, uint32_t n)
{
    (void)n;
    b[40 + 160 + 8 + 31] = 0x40;
}
static void bkdl_budget(uint8_t *b, uint32_t n)
{
    (void)n;
    b[40 + 160 + 8 + 35] = 1;
}
static void bkdl_restart(uint8_t *b, uint32_t n)
{
    (void)n;
    b[40 + 160 + 8 + 36] = 3;
}
static void bkdl_limit(uint8_t *b, uint32_t n)
{
    (void)n;
    b[40 + 160 + 8 + 40] = 0;
}
static void bkdl_window(uint8_t *b, uint32_t n)
{
    (void)n;
    b[40 + 160 + 8 + 44] = 0;
}
static void bkdl_match_vendor(uint8_t *b, uint32_t n)
{
    (void)n;
    b[40 + 160 + 8 + 64 + 8 + 8] = 1;
}
static void bkdl_match_class(uint8_t *b, uint32_t n)
{
    (void)n;
    b[40 + 160 + 8 + 64 + 8 + 12] = 1;
}
static void bkdl_match_pci(uint8_t *b, uint32_t n)
{
    (void)n;
    b[40 + 160 + 8 + 64 + 8] = RUMPK_BUS_PCI;
}
static void bkdl_request_bar(uint8_t *b, uint32_t n)
{
    (void)n;
    b[40 + 160 + 8 + 64 + 8 + 80 + 8 + 136] = 1;
}
static void bkdl_request_reserved(uint8_t *b, uint32_t n)
{
    (void)n;
    b[40 + 160 + 8 + 64 + 8 + 80 + 8 + 140] = 1;
}
static void bkdl_spectrum(uint8_t *b, uint32_t n)
{
    (void)n;
    b[40 + 160 + 8] = 4;
}
static void bkdl_stricter(uint8_t *b, uint32_t n)
{
    (void)n;
    b[40 + 160 + 8] = 3;
}

// Offsets in boot.bkdl: opening 32, IMAGE (8 + 224), PACKAGE (8 + 168), KEY (8 + 32), GRANT (8 +
// 144) ...
static void boot_title(uint8_t *b, uint32_t n)
{
    (void)n;
    b[11] = '7';
}
static void boot_arch(uint8_t *b, uint32_t n)
{
    (void)n;
    b[40 + 208] = 2;
}
static void boot_count(uint8_t *b, uint32_t n)
{
    (void)n;
    b[40 + 216] = 1;
}
static void boot_flag(uint8_t *b, uint32_t n)
{
    (void)n;
    b[40 + 212] = 0x80;
}
static void boot_floor(uint8_t *b, uint32_t n)
{
    (void)n;
    b[272 + 104] = 2;
}
static void boot_id(uint8_t *b, uint32_t n)
{
    (void)n;
    b[272 + 72] ^= 1;
}
static void boot_name(uint8_t *b, uint32_t n)
{
    (void)n;
    b[272 + 5] = 't';
}
static void boot_key(uint8_t *b, uint32_t n)
{
    (void)n;
    b[272 + 168 + 8] ^= 1;
}
static void boot_stack(uint8_t *b, uint32_t n)
{
    (void)n;
    b[272 + 122] = 0;
    b[272 + 121] = 0x80;
}
static void boot_threshold(uint8_t *b, uint32_t n)
{
    (void)n;
    b[272 + 108] = 0;
}
static void boot_pledge(uint8_t *b, uint32_t n)
{
    (void)n;
    b[272 + 144 + 7] = 0x40;
}
static void boot_restart(uint8_t *b, uint32_t n)
{
    (void)n;
    b[272 + 140] = 3;
}
static void boot_limit(uint8_t *b, uint32_t n)
{
    (void)n;
    b[272 + 156] = 0;
}
static void boot_window(uint8_t *b, uint32_t n)
{
    (void)n;
    b[272 + 160] = 0;
}
static void boot_budget(uint8_t *b, uint32_t n)
{
    (void)n;
    b[272 + 155] = 1;
}
static void boot_reserved(uint8_t *b, uint32_t n)
{
    (void)n;
    b[272 + 164] = 1;
}
static void boot_grant_vendor(uint8_t *b, uint32_t n)
{
    (void)n;
    b[272 + 168 + 8 + 32 + 8 + 128] = 1;
}
static void boot_grant_reserved(uint8_t *b, uint32_t n)
{
    (void)n;
    b[272 + 168 + 8 + 32 + 8 + 140] = 1;
}
static void boot_wire_self(uint8_t *b, uint32_t n)
{
    b[n - 64 + 40] = 77;
}
static void boot_wire_slots(uint8_t *b, uint32_t n)
{
    b[n - 64 + 48] = 15;
}
static void boot_trailing(uint8_t *b, uint32_t n)
{
    (void)n;
    b[20]--;
}

static const struct change {
    const char *name;
    struct sample_options options;
    enum rumpk_refusal refusal;
} changes[] = {
#define ELF(function, reason) {#function, {.change_elf = function}, RUMPK_REFUSE_##reason}
    ELF(elf_machine, ELF_MACHINE),
    ELF(elf_class, ELF_HEADER),
    ELF(elf_type, ELF_HEADER),
    ELF(elf_wx, ELF_WX),
    ELF(elf_interp, ELF_SEGMENT),
    ELF(elf_stack, ELF_WX),
    ELF(elf_align, ELF_ALIGNMENT),
    ELF(elf_bounds, ELF_BOUNDS),
    ELF(elf_overlap, ELF_OVERLAP),
    ELF(elf_entry, ELF_ENTRY),
    ELF(elf_needed, ELF_DYNAMIC),
    ELF(elf_rela_type, ELF_RELOCATION),
    ELF(elf_rela_place, ELF_RELOCATION),
    ELF(elf_rela_align, ELF_RELOCATION),
    ELF(elf_huge, ELF_SIZE),
    ELF(elf_rx_bss, ELF_BOUNDS),
    ELF(note_owner, NOTE_MISSING),
    ELF(note_abi, NOTE_ABI),
    ELF(note_arch, NOTE_ARCH),
    ELF(note_profile, NOTE_PROFILE),
    ELF(note_table, NOTE_ABI),
#define TEXT(function, reason) {#function, {.change_digests = function}, RUMPK_REFUSE_##reason}
    TEXT(digests_first, DIGESTS_FORM),
    TEXT(digests_name, PACKAGE_NAME),
    TEXT(digests_version, PACKAGE_NAME),
    TEXT(digests_abi, ABI_VERSION),
    TEXT(digests_zero, DIGESTS_FORM),
    TEXT(digests_low, PACKAGE_FORM),
    TEXT(digests_arch, ARCH),
    TEXT(digests_order, DIGESTS_FORM),
    TEXT(digests_twice, DIGESTS_FORM),
    TEXT(digests_space, DIGESTS_FORM),
    TEXT(digests_kind, PACKAGE_FORM),
    TEXT(digests_unknown, DIGESTS_FORM),
    TEXT(digests_path, MANIFEST_DIGEST),
    TEXT(digests_missing, ELF_DIGEST),
#define BKDL(function, reason) {#function, {.change_bkdl = function}, RUMPK_REFUSE_##reason}
    BKDL(bkdl_title, PACKAGE_FORM),
    BKDL(bkdl_tag, PACKAGE_FORM),
    BKDL(bkdl_size, PACKAGE_FORM),
    BKDL(bkdl_name, PACKAGE_NAME),
    BKDL(bkdl_text, PACKAGE_FORM),
    BKDL(bkdl_stack, LIMIT),
    BKDL(bkdl_stack_odd, PACKAGE_FORM),
    BKDL(bkdl_reserved, PACKAGE_FORM),
    BKDL(bkdl_spectrum, PACKAGE_FORM),
    BKDL(bkdl_pledge, PACKAGE_FORM),
    BKDL(bkdl_budget, PACKAGE_FORM),
    BKDL(bkdl_restart, PACKAGE_FORM),
    BKDL(bkdl_limit, PACKAGE_FORM),
    BKDL(bkdl_window, PACKAGE_FORM),
    BKDL(bkdl_match_vendor, PACKAGE_FORM),
    BKDL(bkdl_match_class, PACKAGE_FORM),
    BKDL(bkdl_match_pci, PACKAGE_FORM),
    BKDL(bkdl_request_bar, PACKAGE_FORM),
    BKDL(bkdl_request_reserved, PACKAGE_FORM),
    BKDL(bkdl_stricter, LIMIT),
#define BOOT(function, reason) {#function, {.change_boot = function}, RUMPK_REFUSE_##reason}
    BOOT(boot_title, MANIFEST_FORM),
    BOOT(boot_arch, MANIFEST_ARCH),
    BOOT(boot_pledge, MANIFEST_FORM),
    BOOT(boot_restart, MANIFEST_FORM),
    BOOT(boot_limit, MANIFEST_FORM),
    BOOT(boot_window, MANIFEST_FORM),
    BOOT(boot_budget, MANIFEST_FORM),
    BOOT(boot_reserved, MANIFEST_FORM),
    BOOT(boot_grant_vendor, MANIFEST_FORM),
    BOOT(boot_grant_reserved, MANIFEST_FORM),
    BOOT(boot_count, MANIFEST_FORM),
    BOOT(boot_flag, MANIFEST_FORM),
    BOOT(boot_floor, SECURITY_FLOOR),
    BOOT(boot_id, PACKAGE_ID),
    BOOT(boot_name, PACKAGE_NAME),
    BOOT(boot_key, PACKAGE_KEY),
    BOOT(boot_stack, LIMIT),
    BOOT(boot_threshold, MANIFEST_FORM),
    BOOT(boot_wire_self, MANIFEST_FORM),
    BOOT(boot_wire_slots, MANIFEST_FORM),
    BOOT(boot_trailing, MANIFEST_FORM),
};

static void signed_changes(void **state)
{
    unsigned failed = 0;

    (void)state;
    for (unsigned i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct sample sample;
        uint32_t which;

        sample_make(&sample, &changes[i].options);
        enum rumpk_refusal refusal = judge(&sample, sample.owner_key, &which);
        if (refusal != changes[i].refusal || (which != 0 && which != RUMPK_LEDGER_NO_PACKAGE)) {
            print_error("%s: refusal %d of package %d, wanted %d\n", changes[i].name, (int)refusal,
                        (int)which, (int)changes[i].refusal);
            failed++;
        }
        sample_free(&sample);
    }
    assert_int_equal(failed, 0);
}

// Who is pinned, how many of them had to sign, and what the kernel can say about it: that enough
// different keys are listed, that the one that signed inside is among them, and that none of them
// is the owner's. What the others signed is not in the image: the owner's tool has judged that.
static void keys_and_thresholds(void **state)
{
    static const struct {
        const char *keys;
        uint32_t threshold, flags;
        enum rumpk_refusal refusal;
    } cases[] = {
        {"p", 1, 0, RUMPK_REFUSE_NONE},
        {"pa", 2, 0, RUMPK_REFUSE_NONE},
        {"ap", 2, 0, RUMPK_REFUSE_NONE},
        {"pa", 1, 0, RUMPK_REFUSE_NONE},
        {"pabcdefg", 8, 0, RUMPK_REFUSE_NONE},
        {"pp", 1, 0, RUMPK_REFUSE_NONE}, // as version 1 has always taken it
        {"p", 2, 0, RUMPK_REFUSE_MANIFEST_FORM},
        {"pp", 2, 0, RUMPK_REFUSE_MANIFEST_FORM},
        {"pap", 3, 0, RUMPK_REFUSE_MANIFEST_FORM},
        {"paa", 3, 0, RUMPK_REFUSE_MANIFEST_FORM},
        {"pabcdefg", 9, 0, RUMPK_REFUSE_MANIFEST_FORM},
        {"pabcdefgh", 1, 0, RUMPK_REFUSE_MANIFEST_FORM},
        {"p", 0, 0, RUMPK_REFUSE_MANIFEST_FORM},
        {"p", UINT32_MAX, 0, RUMPK_REFUSE_MANIFEST_FORM},
        {"", 1, 0, RUMPK_REFUSE_MANIFEST_FORM},
        {"ab", 2, 0, RUMPK_REFUSE_PACKAGE_KEY},
        {"po", 2, 0, RUMPK_REFUSE_PACKAGE_KEY},
        {"op", 1, 0, RUMPK_REFUSE_PACKAGE_KEY},
        {"po", 2, RUMPK_IMAGE_DEVELOPMENT, RUMPK_REFUSE_NONE},
        {"o", 1, RUMPK_IMAGE_DEVELOPMENT, RUMPK_REFUSE_PACKAGE_KEY},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct sample_options options = {
            .keys = cases[i].keys, .threshold = cases[i].threshold, .image_flags = cases[i].flags};
        struct sample sample;
        uint32_t which;

        sample_make(&sample, &options);
        enum rumpk_refusal refusal = judge(&sample, sample.owner_key, &which);
        if (refusal != cases[i].refusal)
            fail_msg("keys %s, threshold %u: refusal %d, wanted %d", cases[i].keys,
                     cases[i].threshold, (int)refusal, (int)cases[i].refusal);
        sample_free(&sample);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_archive),        cmocka_unit_test(placed_image),
        cmocka_unit_test(owner_keys),          cmocka_unit_test(sizes),
        cmocka_unit_test(signed_changes),      cmocka_unit_test(every_bit),
        cmocka_unit_test(keys_and_thresholds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
