// SPDX-License-Identifier: Apache-2.0
//
// The functions behind the table of commands. Each reads its options from `cli`, works in the
// current folder, and says what it did.

#ifndef NIP_CLI_COMMANDS_H
#define NIP_CLI_COMMANDS_H

#include "cli.h"

enum nip_code command_new(struct cli *cli, struct nip_error *err);
enum nip_code command_build(struct cli *cli, struct nip_error *err);
enum nip_code command_fmt(struct cli *cli, struct nip_error *err);
enum nip_code command_test(struct cli *cli, struct nip_error *err);
enum nip_code command_size(struct cli *cli, struct nip_error *err);
enum nip_code command_check(struct cli *cli, struct nip_error *err);
enum nip_code command_run(struct cli *cli, struct nip_error *err);
enum nip_code command_crash(struct cli *cli, struct nip_error *err);
enum nip_code command_key_new(struct cli *cli, struct nip_error *err);
enum nip_code command_key_show(struct cli *cli, struct nip_error *err);
enum nip_code command_key_trust(struct cli *cli, struct nip_error *err);
enum nip_code command_key_rotate(struct cli *cli, struct nip_error *err);
enum nip_code command_key_revoke(struct cli *cli, struct nip_error *err);
enum nip_code command_pack(struct cli *cli, struct nip_error *err);
enum nip_code command_sign(struct cli *cli, struct nip_error *err);
enum nip_code command_verify(struct cli *cli, struct nip_error *err);
enum nip_code command_rebuild(struct cli *cli, struct nip_error *err);
enum nip_code command_diff(struct cli *cli, struct nip_error *err);
enum nip_code command_inspect(struct cli *cli, struct nip_error *err);
enum nip_code command_publish(struct cli *cli, struct nip_error *err);
enum nip_code command_info(struct cli *cli, struct nip_error *err);
enum nip_code command_owner(struct cli *cli, struct nip_error *err);
enum nip_code command_search(struct cli *cli, struct nip_error *err);
enum nip_code command_fetch(struct cli *cli, struct nip_error *err);
enum nip_code command_add(struct cli *cli, struct nip_error *err);
enum nip_code command_image(struct cli *cli, struct nip_error *err);
enum nip_code command_registry_repair(struct cli *cli, struct nip_error *err);
enum nip_code command_remove(struct cli *cli, struct nip_error *err);
enum nip_code command_update(struct cli *cli, struct nip_error *err);
enum nip_code command_tree(struct cli *cli, struct nip_error *err);
enum nip_code command_why(struct cli *cli, struct nip_error *err);
enum nip_code command_outdated(struct cli *cli, struct nip_error *err);
enum nip_code command_audit(struct cli *cli, struct nip_error *err);
enum nip_code command_yank(struct cli *cli, struct nip_error *err);
enum nip_code command_doctor(struct cli *cli, struct nip_error *err);
enum nip_code command_completion(struct cli *cli, struct nip_error *err);
enum nip_code command_cache_list(struct cli *cli, struct nip_error *err);
enum nip_code command_cache_size(struct cli *cli, struct nip_error *err);
enum nip_code command_cache_verify(struct cli *cli, struct nip_error *err);
enum nip_code command_cache_clean(struct cli *cli, struct nip_error *err);
enum nip_code command_version(struct cli *cli, struct nip_error *err);

#endif
