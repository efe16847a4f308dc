// SPDX-License-Identifier: Apache-2.0
//
// Man pages, out of the table of commands: nip.1, and one page per command (nip-key-new.1).

#ifndef NIP_CLI_MAN_H
#define NIP_CLI_MAN_H

#include <stdio.h>

#include "cli.h"

void man_overview(FILE *out);
void man_page(FILE *out, const struct cli_command *command);
// All of them as files of a folder, which is made. USAGE when `folder` is NULL.
enum nip_code man_write_all(const char *folder, struct nip_error *err) NIP_MUST_CHECK;

#endif
