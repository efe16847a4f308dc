# SPDX-License-Identifier: Apache-2.0
#
# The part of libnip that knows manifests, images and what a kernel reports: sources named here,
# built as part of libnip.

set(NIP_IMAGE_SOURCES
    lib/bkdl.c
    lib/bkdl_boot.c
    lib/bkdl_records.c
    lib/manifest.c
    lib/manifest_words.c
    lib/schema.c
    lib/schema_packed.c
    lib/schema_text.c
)
