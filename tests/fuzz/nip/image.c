// SPDX-License-Identifier: Apache-2.0
//
// image: one input as an image, a boot archive, a driver file of each architecture. Nothing reads
// outside of it, a refusal has words, and an accepted archive is written again as exactly the same
// bytes.

#include "fuzz.h"
#include "must.h"
#include "nip/elf.h"
#include "nip/image.h"

static void check_image(const uint8_t *data, size_t size)
{
    struct nip_image_report *report;
    struct nip_error err = {.code = NIP_OK};
    struct nip_buffer text = {.size = 0};
    if (nip_image_verify(data, size, "image", NULL, &report, &err) == NIP_OK)
        FUZZ_ACCEPTED();
    else
        MUST(err.message[0] != '\0');
    nip_image_report_print(report, &text);
    nip_image_report_free(report);
    nip_buffer_free(&text);
}

static void check_archive(const uint8_t *data, size_t size)
{
    static struct nip_archive archive;
    struct nip_error err = {.code = NIP_OK};
    struct nip_buffer again = {.size = 0};
    enum rumpk_refusal refusal;
    if (nip_archive_read(data, size, "archive", &archive, &refusal, &err) == NIP_OK) {
        FUZZ_ACCEPTED();
        MUST(refusal == RUMPK_REFUSE_NONE);
        MUST(nip_archive_write(&archive, &again, &err) == NIP_OK);
        MUST(nip_buffer_equals(&again, data, size));
    } else {
        MUST(refusal != RUMPK_REFUSE_NONE);
    }
    nip_buffer_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t id[NIP_ELF_BUILD_ID_MAX];
    struct nip_elf_driver driver;
    struct nip_elf_kernel kernel;
    struct nip_error err = {.code = NIP_OK};
    enum rumpk_refusal refusal;
    uint64_t address;
    check_image(data, size);
    check_archive(data, size);
    for (uint32_t arch = 0; arch <= RUMPK_ARCH_COUNT + 1; arch++) {
        enum nip_code code =
            nip_elf_check_driver(data, size, "driver", arch, 0, &driver, &refusal, &err);
        MUST((code == NIP_OK) == (refusal == RUMPK_REFUSE_NONE));
        if (code == NIP_OK)
            FUZZ_ACCEPTED();
    }
    if (nip_elf_check_kernel(data, size, "kernel", &kernel, &err) == NIP_OK)
        MUST(kernel.header_offset < size);
    if (nip_elf_find_symbol(data, size, "kernel", "rumpk_ledger", &address, NULL, &err) != NIP_OK)
        MUST(err.message[0] != '\0');
    MUST(nip_elf_build_id(data, size, id) <= sizeof id);
    return 0;
}
