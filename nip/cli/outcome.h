// SPDX-License-Identifier: Apache-2.0
//
// What became of every package of a run, out of the kernel's ledger.

#ifndef NIP_CLI_OUTCOME_H
#define NIP_CLI_OUTCOME_H

#include "cli.h"
#include "emulator.h"
#include "nip/image.h"
#include "nip/imagedef.h"
#include "nip/json.h"

struct outcome_input {
    uint32_t arch;
    const char *machine; // its name
    const struct nip_image_report *report;
    const struct emulator_result *result;
    const struct nip_imagedef *imagedef; // says which packages are local work with debug files
};

// One line per package: started, ended, refused and why, faulted and where (function and line when
// debug information is at hand). Appends the same to `runs` when that is not NULL, and then prints
// nothing. *failed: something was refused, faulted, or did not end as it should.
void outcome_show(const struct cli *cli, const struct outcome_input *input, struct nip_json *runs,
                  bool *failed);

#endif
