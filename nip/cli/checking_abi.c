// SPDX-License-Identifier: Apache-2.0
//
// Two versions of a library, compared by what their debug information says of types and functions.
// Each archive is linked into one relocatable object, for abidiff knows no archives, and its
// symbols become visible, for abidiff looks at no others and the SDK hides them from the outside of
// a driver.

#include <stdio.h>

#include "checking.h"
#include "cleanup.h"
#include "process.h"
#include "project.h"

static enum nip_code join(const struct sdk *sdk, const char *archive, const char *object,
                          struct nip_error *err)
{
    const char *const link[] = {sdk->lld, "-r", "--whole-archive", archive, "-o", object, NULL};
    const char *const show[] = {sdk->objcopy, "--wildcard", "--set-symbol-visibility=*=default",
                                object, NULL};
    struct nip_buffer output = {0};
    int status = 0;
    enum nip_code code = process_run(link, NULL, &output, true, &status, err);
    if (code == NIP_OK && status == 0)
        code = process_run(show, NULL, &output, true, &status, err);
    if (code == NIP_OK && status != 0)
        code = nip_error_set(err, NIP_ERROR_BUILD, "joining %s failed: %.600s", archive,
                             nip_buffer_text(&output));
    nip_buffer_free(&output);
    return code;
}

enum nip_code checking_abi(const struct sdk *sdk, const void *published, size_t published_size,
                           const char *archive, bool *is_same, struct nip_buffer *words,
                           struct nip_error *err)
{
    char folder[CLI_PATH_SIZE] = "", old_archive[CLI_PATH_SIZE], old_object[CLI_PATH_SIZE];
    char new_object[CLI_PATH_SIZE], tool[CLI_PATH_SIZE];
    int status = 0;
    enum nip_code code = process_find("abidiff", "abigail-tools", tool, sizeof tool, err);
    if (code == NIP_OK)
        code = cleanup_make_folder(folder, sizeof folder, err);
    project_path(old_archive, folder, "published.a");
    project_path(old_object, folder, "published.o");
    project_path(new_object, folder, "now.o");
    if (code == NIP_OK)
        code = project_write_file(old_archive, published, published_size, 0644, err);
    if (code == NIP_OK)
        code = join(sdk, old_archive, old_object, err);
    if (code == NIP_OK)
        code = join(sdk, archive, new_object, err);
    // What is new breaks nobody; everything else does.
    const char *const argv[] = {tool, "--no-added-syms", old_object, new_object, NULL};
    if (code == NIP_OK)
        code = process_run(argv, NULL, words, true, &status, err);
    *is_same = status == 0;
    if (folder[0] != '\0')
        cleanup_remove_path(folder);
    return code;
}
