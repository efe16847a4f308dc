// SPDX-License-Identifier: Apache-2.0
//
// After the link: what is loaded and what is for debuggers become two files, the first is judged as
// the kernel will judge it, and the second can be found by its build id:
//
//   build/.build-id/12/3456789abcdef0.debug -> ../../riscv64/driver.debug
//
// so that `debug-file-directory` of a debugger, or --debug-file-directory of llvm-symbolizer, is
// the folder `build`.

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "build_parts.h"
#include "build_unit.h"
#include "nip/crash.h"
#include "nip/elf.h"
#include "nip/fs.h"
#include "process.h"
#include "project.h"

enum { DEBUG_SIZE_MAX = 256 << 20 };
#define SPLIT_FOLDER    BUILD_WORK_FOLDER "/split"
#define BUILD_ID_FOLDER "build/.build-id"

// `modes`: two options at most, NULL for none.
static enum nip_code run_objcopy(const struct cli *cli, const struct sdk *sdk, const char *root,
                                 const char *const modes[2], const char *from, const char *to,
                                 struct nip_error *err)
{
    const char *argv[6] = {sdk->objcopy};
    size_t count = 1;
    for (size_t i = 0; i < 2; i++)
        if (modes[i] != NULL)
            argv[count++] = modes[i];
    argv[count++] = from;
    argv[count++] = to;
    struct nip_buffer line = {0}, output = {0};
    int status = 0;
    process_line(argv, &line);
    cli_detail(cli, "%s", nip_buffer_text(&line));
    enum nip_code code = process_run(argv, root, &output, true, &status, err);
    if (code == NIP_OK && status != 0)
        code = nip_error_set(err, NIP_ERROR_BUILD, "stripping the driver failed: %s",
                             nip_buffer_text(&output));
    nip_buffer_free(&line);
    nip_buffer_free(&output);
    return code;
}

enum nip_code build_split(const struct cli *cli, const struct sdk *sdk, const char *root,
                          uint32_t arch, const char *linked, struct nip_error *err)
{
    // Local labels go from the debug file too: a fault is in a function, not in ".Lpcrel_hi2".
    static const char *const strip[2] = {"--strip-all", NULL};
    static const char *const keep[2] = {"--only-keep-debug", "--discard-locals"};
    const char *name = nip_arch_name(arch);
    char folder[CLI_PATH_SIZE], stripped[64], debug[64], elf_final[64], debug_final[64];
    snprintf(stripped, sizeof stripped, SPLIT_FOLDER "/%s/driver.elf", name);
    snprintf(debug, sizeof debug, SPLIT_FOLDER "/%s/driver.debug", name);
    snprintf(elf_final, sizeof elf_final, "build/%s/driver.elf", name);
    snprintf(debug_final, sizeof debug_final, "build/%s/driver.debug", name);
    snprintf(folder, sizeof folder, "%s/" SPLIT_FOLDER "/%s", root, name);
    enum nip_code code = nip_fs_make_folders(folder, NULL, err);
    if (code == NIP_OK)
        code = run_objcopy(cli, sdk, root, strip, linked, stripped, err);
    if (code == NIP_OK)
        code = run_objcopy(cli, sdk, root, keep, linked, debug, err);
    if (code == NIP_OK)
        code = build_rename(root, debug, debug_final, err);
    return code == NIP_OK ? build_rename(root, stripped, elf_final, err) : code;
}

enum nip_code build_check_driver(const struct cli *cli, const char *folder,
                                 const struct nip_manifest *manifest, uint32_t arch, bool is_new,
                                 struct nip_error *err)
{
    char name[64], path[CLI_PATH_SIZE], size_text[32];
    struct nip_buffer content = {0};
    struct nip_elf_driver driver;
    snprintf(name, sizeof name, "build/%s/driver.elf", nip_arch_name(arch));
    project_path(path, folder, name);
    enum nip_code code = nip_fs_read(path, RUMPK_ELF_SIZE_MAX + (size_t)1, &content, err);
    if (code == NIP_OK)
        code = nip_elf_check_driver(content.data, content.size, path, arch,
                                    manifest->identity.abi_version, &driver, NULL, err);
    if (code == NIP_OK)
        cli_say(cli, "%s %-8s %s (%s)", is_new ? "built     " : "up to date", nip_arch_name(arch),
                path, cli_size_text(content.size, size_text));
    nip_buffer_free(&content);
    return code;
}

// One name for the debug file of `arch` in `made`. A file that says no build id gets none.
static enum nip_code link_one(const char *root, const char *made, uint32_t arch,
                              struct nip_error *err)
{
    char path[CLI_PATH_SIZE], link_path[CLI_PATH_SIZE], target[64];
    char hex[2 * NIP_ELF_BUILD_ID_MAX + 1] = "";
    uint8_t id[NIP_ELF_BUILD_ID_MAX];
    struct nip_buffer content = {0};
    snprintf(path, sizeof path, "%s/build/%s/driver.debug", root, nip_arch_name(arch));
    if (nip_fs_kind(path) != NIP_FS_FILE)
        return NIP_OK;
    enum nip_code code = nip_fs_read(path, DEBUG_SIZE_MAX, &content, err);
    size_t size = code == NIP_OK ? nip_elf_build_id(content.data, content.size, id) : 0;
    nip_buffer_free(&content);
    if (size < 2)
        return code;
    nip_build_id_text(id, size, hex);
    int length = snprintf(path, sizeof path, "%s/%.2s", made, hex);
    code = length < (int)sizeof path ? nip_fs_make_folders(path, NULL, err)
                                     : nip_error_set(err, NIP_ERROR_LIMIT, "a path is too long");
    snprintf(target, sizeof target, "../../%s/driver.debug", nip_arch_name(arch));
    length = snprintf(link_path, sizeof link_path, "%s/%.2s/%s.debug", made, hex, hex + 2);
    // Two architectures can have one build id only if they are one file.
    if (code == NIP_OK && length < (int)sizeof link_path && symlink(target, link_path) != 0 &&
        errno != EEXIST)
        code = nip_error_set_errno(err, errno, "cannot make %s", link_path);
    return code;
}

enum nip_code build_link_debug(const char *root, uint32_t arch_mask, struct nip_error *err)
{
    char made[CLI_PATH_SIZE], final[CLI_PATH_SIZE];
    project_path(made, root, BUILD_WORK_FOLDER "/build-id");
    project_path(final, root, BUILD_ID_FOLDER);
    enum nip_code code = nip_fs_make_folders(made, NULL, err);
    for (size_t a = 0; code == NIP_OK && a < RUMPK_ARCH_COUNT; a++)
        if ((arch_mask & RUMPK_ARCH_BIT(arch_all[a])) != 0)
            code = link_one(root, made, arch_all[a], err);
    return code == NIP_OK ? nip_fs_replace_folder(made, final, err) : code;
}
