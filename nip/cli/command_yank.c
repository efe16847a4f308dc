// SPDX-License-Identifier: Apache-2.0
//
// nip yank: withdraw a version from new selection. Whoever has it in a lock keeps it, with a
// warning.

#include "commands.h"
#include "resolve.h"

enum nip_code command_yank(struct cli *cli, struct nip_error *err)
{
    char name[NIP_NAME_MAX + 1], version[NIP_VERSION_MAX + 1], alias[NIP_TRUST_ALIAS_SIZE];
    const char *reason = cli_option(cli, "reason");
    bool is_undone = cli_flag(cli, "undo"), changed = false;
    struct decisions decisions = {0};
    struct registry *registry = NULL;
    enum nip_code code = resolve_split(cli_operand(cli, 0), name, version, err);
    if (code == NIP_OK && version[0] == '\0') {
        code = nip_error_set(err, NIP_ERROR_USAGE, "which version of %s?", name);
        nip_error_hint(err, "a yank is of one version: nip yank %s@1.2.3", name);
    } else if (code == NIP_OK && is_undone && reason != NULL) {
        code = nip_error_set(err, NIP_ERROR_USAGE, "--undo takes back a yank; it has no --reason");
    }
    if (code == NIP_OK)
        code = decisions_load(&decisions, err);
    if (code == NIP_OK)
        code = resolve_registry(&decisions, cli_option(cli, "registry"), name, false, &registry,
                                NULL, alias, err);
    if (code == NIP_OK)
        code = registry_yank(registry, name, version, reason != NULL ? reason : "", is_undone,
                             &changed, err);
    if (code == NIP_OK) {
        cli_say(cli, "%s %s %s in %s", name, version,
                is_undone ? (changed ? "is no longer yanked" : "was not yanked")
                          : (changed ? "is yanked" : "was yanked already"),
                registry_url(registry));
        if (is_undone)
            cli_next(cli, "nip yank %s@%s --reason TEXT", name, version);
        else
            cli_next(cli, "nip publish   (a version without the fault)");
    }
    registry_close(registry);
    decisions_free(&decisions);
    return code;
}
