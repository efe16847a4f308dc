// SPDX-License-Identifier: Apache-2.0
//
// Changing what a project of a package asks for: nip add, remove, update and fetch in a driver or
// library project. (In an image project the same commands work on image.kdl.)

#ifndef NIP_CLI_DEPEND_H
#define NIP_CLI_DEPEND_H

#include "cli.h"

enum nip_code depend_add(struct cli *cli, struct nip_error *err) NIP_MUST_CHECK;
enum nip_code depend_remove(struct cli *cli, struct nip_error *err) NIP_MUST_CHECK;
enum nip_code depend_update(struct cli *cli, struct nip_error *err) NIP_MUST_CHECK;
// Everything that the lock names into the cache.
enum nip_code depend_fetch(struct cli *cli, struct nip_error *err) NIP_MUST_CHECK;

#endif
