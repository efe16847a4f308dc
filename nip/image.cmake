# SPDX-License-Identifier: Apache-2.0
#
# The part of libnip that knows manifests, images and what a kernel reports: sources named here,
# built as part of libnip.

set(NIP_IMAGE_SOURCES
    lib/archive.c
    lib/bkdl.c
    lib/bkdl_boot.c
    lib/bkdl_records.c
    lib/elf_calls.c
    lib/elf_driver.c
    lib/elf_file.c
    lib/image.c
    lib/image_bind.c
    lib/image_check.c
    lib/image_file.c
    lib/imagedef.c
    lib/ledger.c
    lib/ledger_words.c
    lib/machine.c
    lib/manifest.c
    lib/manifest_build.c
    lib/manifest_document.c
    lib/manifest_kernel.c
    lib/manifest_growth.c
    lib/manifest_words.c
    lib/schema.c
    lib/schema_document.c
    lib/schema_packed.c
    lib/schema_text.c
    lib/spdx.c
)
