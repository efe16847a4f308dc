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
#include "report.h"

static enum nip_code format_file(const struct cli *cli, const char *path, struct nip_json *list,
                                 size_t *different, struct nip_error *err)
{
    struct nip_buffer before = {0}, after = {0};
    enum nip_code code = nip_fs_read(path, NIP_KDL_SIZE_MAX, &before, err);
    if (code != NIP_OK)
        nip_error_hint(err, "nip fmt takes KDL files (npl.kdl, image.kdl ...); without one, those "
                            "of this folder");
    if (code == NIP_OK)
        code = nip_kdl_format(nip_buffer_text(&before), before.size, path, &after, err);
    bool is_different = code == NIP_OK && !nip_buffer_equals(&before, after.data, after.size);
    if (code == NIP_OK && list != NULL) {
        struct nip_json *item = nip_json_make_object();
        nip_json_put(item, "file", report_text(path));
        nip_json_put_bool(item, "different", is_different);
        nip_json_append(list, item);
    }
    if (is_different) {
        ++*different;
        if (cli_flag(cli, "check") && list != NULL)
            cli_detail(cli, "%s is laid out differently", path);
        else if (cli_flag(cli, "check"))
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
    struct nip_json *list = cli->is_json ? nip_json_make_array() : NULL;
    size_t count = 0, different = 0;
    enum nip_code code = NIP_OK;
    for (; code == NIP_OK && cli_operand(cli, count) != NULL; count++)
        code = format_file(cli, cli_operand(cli, count), list, &different, err);
    if (count == 0) {
        for (size_t i = 0; code == NIP_OK && i < sizeof usual / sizeof usual[0]; i++)
            if (nip_fs_kind(usual[i]) == NIP_FS_FILE) {
                count++;
                code = format_file(cli, usual[i], list, &different, err);
            }
        if (code == NIP_OK && count == 0) {
            code = nip_error_set(err, NIP_ERROR_MISSING, "there is nothing to lay out here");
            nip_error_hint(err, "go to the folder of a project, or name a file: nip fmt FILE");
        }
    }
    if (code == NIP_OK && list != NULL)
        code = report_json("nip-fmt-1", "files", list, err);
    else
        nip_json_free(list);
    if (code == NIP_OK && different != 0 && cli_flag(cli, "check")) {
        code = nip_error_set(err, NIP_ERROR_FAILED, "%zu of %zu files should be laid out",
                             different, count);
        nip_error_hint(err, "run 'nip fmt'");
    }
    return code;
}
