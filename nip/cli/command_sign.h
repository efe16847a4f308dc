// SPDX-License-Identifier: Apache-2.0
//
// nip sign with an operand: a signature beside a file, or attached to a published package.

#ifndef NIP_CLI_COMMAND_SIGN_H
#define NIP_CLI_COMMAND_SIGN_H

#include "cli.h"

enum nip_code sign_file(struct cli *cli, struct nip_error *err);

#endif
