// SPDX-License-Identifier: Apache-2.0
//
// See kernel_judge.h. This file sees the kernel's headers, the test sees nip's.

#include <kernel/load.h>

#include "kernel_judge.h"

enum rumpk_refusal kernel_judge_driver(const void *bytes, size_t size, uint32_t arch)
{
    static struct elf_image image;
    uint64_t detail;
    enum rumpk_refusal refusal = elf_validate(bytes, size, arch, &image, &detail);
    // What archive_package_validate asks of the note after that: the version that `digests` names.
    if (refusal == RUMPK_REFUSE_NONE && image.note.abi_version != RUMPK_ABI_VERSION)
        refusal = RUMPK_REFUSE_NOTE_ABI;
    return refusal;
}

bool kernel_judge_archive(const void *bytes, size_t size, uint32_t arch,
                          const uint8_t owner_key[RUMPK_KEY_SIZE],
                          bool reasons[RUMPK_REFUSE_KERNEL_DIGEST + 1])
{
    static struct archive archive;
    static struct package package;
    uint64_t detail;
    enum rumpk_refusal refusal = archive_validate(bytes, size, arch, owner_key, &archive, &detail);
    memset(reasons, 0, RUMPK_REFUSE_KERNEL_DIGEST + 1);
    if (refusal != RUMPK_REFUSE_NONE) {
        reasons[refusal] = true;
        return false;
    }
    bool is_good = true;
    for (uint32_t i = 0; i < archive.boot.image->package_count; i++) {
        archive_package_validate(&archive, i, &package);
        reasons[package.refusal] = true;
        is_good &= package.refusal == RUMPK_REFUSE_NONE;
    }
    return is_good;
}
