// SPDX-License-Identifier: Apache-2.0
//
// Goal: nip and the kernel judge alike. What nip accepts the kernel starts; what nip refuses the
// kernel refuses for the same reason. Method: both judge the same bytes: a driver file and a boot
// archive as made, and with every single bit of headers, tables and documents flipped.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "image_fixture.h"
#include "kernel_judge.h"
#include "nip/elf.h"

static void drivers(void **state)
{
    (void)state;
    size_t accepted = 0, refused = 0;
    for (uint32_t arch = 1; arch <= RUMPK_ARCH_COUNT; arch++) {
        struct nip_buffer made = {.size = 0};
        fixture_driver(arch, &made);
        uint8_t *elf = aligned_alloc(RUMPK_PAGE_SIZE, (made.size + 4095) & ~(size_t)4095);
        memcpy(elf, made.data, made.size);
        assert_int_equal(kernel_judge_driver(elf, made.size, arch), RUMPK_REFUSE_NONE);
        for (size_t at = 0; at < FIXTURE_DRIVER_RELRO + 128; at++) {
            if (at == 0x600) // zeros from here to the next table
                at = FIXTURE_DRIVER_RELRO;
            for (int bit = 0; bit < 8; bit++) {
                enum rumpk_refusal ours;
                elf[at] ^= (uint8_t)(1 << bit);
                enum nip_code code = nip_elf_check_driver(elf, made.size, "driver", arch,
                                                          RUMPK_ABI_VERSION, NULL, &ours, NULL);
                enum rumpk_refusal theirs = kernel_judge_driver(elf, made.size, arch);
                elf[at] ^= (uint8_t)(1 << bit);
                accepted += code == NIP_OK;
                refused += code != NIP_OK;
                // Only here nip is stricter: an entry that no instruction can begin at.
                bool is_entry = at >= offsetof(Elf64_Ehdr, e_entry) &&
                                at < offsetof(Elf64_Ehdr, e_entry) + 8 &&
                                ours == RUMPK_REFUSE_ELF_ENTRY;
                if (ours != theirs && !is_entry)
                    fail_msg("arch %u byte %#zx bit %d: nip %d, kernel %d", arch, at, bit,
                             (int)ours, (int)theirs);
            }
        }
        free(elf);
        nip_buffer_free(&made);
    }
    assert_true(accepted > 1000 && refused > 1000);
}

// A change of the header or the table can be seen in several ways (a count that fits neither table
// nor manifest): there "malformed archive" is one reason.
static bool is_form(enum rumpk_refusal refusal)
{
    return refusal == RUMPK_REFUSE_ARCHIVE_HEADER || refusal == RUMPK_REFUSE_ARCHIVE_BOUNDS ||
           refusal == RUMPK_REFUSE_ARCHIVE_PADDING;
}

static void archives(void **state)
{
    (void)state;
    struct fixture_image fixture;
    struct nip_buffer image = {.size = 0};
    struct nip_image_report *report;
    struct nip_error err = {.code = NIP_OK};
    bool reasons[RUMPK_REFUSE_KERNEL_DIGEST + 1];
    fixture_image_make(&fixture, fixture_image_kdl);
    assert_int_equal(nip_image_build(&fixture.input, &image, &report, &err), NIP_OK);
    size_t size = (size_t)report->archive_size;
    size_t offset = image.size - 4 * sizeof(Elf64_Phdr) - size;
    uint8_t *archive = aligned_alloc(RUMPK_PAGE_SIZE, size);
    memcpy(archive, image.data + offset, size);
    assert_true(kernel_judge_archive(archive, size, RUMPK_ARCH_RISCV64, fixture.input.owner_key,
                                     reasons));
    size_t count = 0;
    for (size_t at = 0; at < size; at++) {
        // Every bit of what is not zero, and every 64th byte of padding.
        if (archive[at] == 0 && at % 64 != 0)
            continue;
        for (int bit = 0; bit < 8; bit += archive[at] ? 1 : 8, count++) {
            struct nip_image_report *verdict;
            archive[at] ^= (uint8_t)(1 << bit);
            image.data[offset + at] = archive[at];
            bool is_good = kernel_judge_archive(archive, size, RUMPK_ARCH_RISCV64,
                                                fixture.input.owner_key, reasons);
            enum nip_code code = nip_image_verify(image.data, image.size, "image",
                                                  fixture.input.owner_key, &verdict, &err);
            bool is_same = reasons[verdict->refusal];
            for (enum rumpk_refusal form = RUMPK_REFUSE_ARCHIVE_HEADER;
                 form <= RUMPK_REFUSE_ARCHIVE_PADDING && at < 2 * RUMPK_PAGE_SIZE; form++)
                is_same |= is_form(verdict->refusal) && reasons[form];
            if (is_good || code == NIP_OK || !is_same)
                fail_msg("byte %#zx bit %d: kernel %s, nip %d: %s", at, bit,
                         is_good ? "accepts" : "refuses", (int)verdict->refusal, err.message);
            nip_image_report_free(verdict);
            archive[at] ^= (uint8_t)(1 << bit);
            image.data[offset + at] = archive[at];
        }
    }
    print_message("%zu changes judged alike\n", count);
    free(archive);
    nip_image_report_free(report);
    nip_buffer_free(&image);
    fixture_image_free(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drivers),
        cmocka_unit_test(archives),
    };
    return cmocka_run_group_tests_name("agreement", tests, NULL, NULL);
}
