// SPDX-License-Identifier: Apache-2.0
//
// What lies beside an image file: its bill of materials, and every licence text that it needs.
//
//   build/box-riscv64.elf
//   build/box-riscv64.spdx.json     SPDX 2.3, merged from the packages in the image
//   build/box-riscv64.licenses.txt  each package with its licence, then each text once

#ifndef NIP_CLI_BILL_H
#define NIP_CLI_BILL_H

#include "imaging.h"

// `file` is the path of the image, written already. The names of both files derive from it; *sbom
// and *licenses have CLI_PATH_SIZE bytes and get them.
enum nip_code bill_write(const struct imaging *imaging, uint32_t arch, const char *file,
                         const struct nip_buffer *image, char *sbom, char *licenses,
                         struct nip_error *err) NIP_MUST_CHECK;

#endif
