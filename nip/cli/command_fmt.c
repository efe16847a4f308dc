// SPDX-License-Identifier: Apache-2.0
//
// nip fmt: the files that people write, laid out alike.

#include "commands.h"
#include "nip/fs.h"
#include "nip/imagedef.h"
#include "nip/kdl.h"
#include "nip/manifest.h"
#include "nip/trust.h"
#include "project.h"

static enum nip_code format_file(const struct cli *cli, const char *path, size_t *different,
                                 struct nip_error *err)
{
    struct nip_buffer before = {0}, after = {0};
    enum nip_code code = nip_fs_read(path, NIP_KDL_SIZE_MAX, &before, err);
    if (code == NIP_OK)
        code = nip_kdl_format(nip_buffer_text(&before), before.size, path, &after, err);
    if (code == NIP_OK && !nip_buffer_equals(&before, after.data, after.size)) {
        ++*different;
        if (cli_flag(cli, "check"))
            cli_print(cli, "%s is laid out differently", path);
        else
            code = project_write_file(path, after.data, after.size, 0644, err);
        if (code == NIP_OK && !cli_flag(cli, "check"))
            cli_say(cli, "laid out   %s", path);
    }
    nip_buffer_free(&before);
    nip_buffer_free(&after);
    return code;
}

enum nip_code command_fmt(struct cli *cli, struct nip_error *err)
{
    static const char *const usual[] = {NIP_MANIFEST_FILE, NIP_IMAGEDEF_FILE, NIP_TRUST_FILE,
                                        "nip.workspace.kdl"};
    size_t count = 0, different = 0;
    enum nip_code code = NIP_OK;
    for (; code == NIP_OK && cli_operand(cli, count) != NULL; count++)
        code = format_file(cli, cli_operand(cli, count), &different, err);
    if (count == 0) {
        for (size_t i = 0; code == NIP_OK && i < sizeof usual / sizeof usual[0]; i++)
            if (nip_fs_kind(usual[i]) == NIP_FS_FILE) {
                count++;
                code = format_file(cli, usual[i], &different, err);
            }
        if (code == NIP_OK && count == 0) {
            code = nip_error_set(err, NIP_ERROR_MISSING, "there is nothing to lay out here");
            nip_error_hint(err, "go to the folder of a project, or name a file: nip fmt FILE");
        }
    }
    if (code == NIP_OK && different != 0 && cli_flag(cli, "check")) {
        code = nip_error_set(err, NIP_ERROR_FAILED, "%zu of %zu files should be laid out",
                             different, count);
        nip_error_hint(err, "run 'nip fmt'");
    }
    return code;
}
