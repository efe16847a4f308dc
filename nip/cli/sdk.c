// SPDX-License-Identifier: Apache-2.0
//
// Finding the SDK and its tools, and saying exactly which ones they are.

#include "sdk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "nip/fs.h"
#include "nip/kdl.h"
#include "process.h"
#include "version.h"

enum { SDK_FILE_SIZE_MAX = 64 << 20, SDK_DEPTH_MAX = 12 };
#define LLVM_MAJOR "19"

const uint32_t arch_all[RUMPK_ARCH_COUNT] = {RUMPK_ARCH_AARCH64, RUMPK_ARCH_RISCV64,
                                             RUMPK_ARCH_X86_64};

const char *sdk_triple(uint32_t arch)
{
    switch (arch) {
    case RUMPK_ARCH_RISCV64:
        return "riscv64-unknown-rumpk-elf";
    case RUMPK_ARCH_AARCH64:
        return "aarch64-unknown-rumpk-elf";
    default:
        return "x86_64-unknown-rumpk-elf";
    }
}

void sdk_path(const struct sdk *sdk, char *out, const char *format, ...)
{
    size_t used = (size_t)snprintf(out, CLI_PATH_SIZE, "%s/", sdk->share);
    if (used >= CLI_PATH_SIZE)
        return;
    va_list list;
    va_start(list, format);
    vsnprintf(out + used, CLI_PATH_SIZE - used, format, list);
    va_end(list);
}

static enum nip_code find_share(struct sdk *sdk, struct nip_error *err)
{
    const char *prefix = getenv("RUMPK_SDK");
    if (prefix != NULL && prefix[0] != '\0') {
        char *real = realpath(prefix, NULL);
        snprintf(sdk->share, sizeof sdk->share, "%s/share/rumpk", real != NULL ? real : prefix);
        free(real);
        if (nip_fs_kind(sdk->share) == NIP_FS_FOLDER)
            return NIP_OK;
        nip_error_set(err, NIP_ERROR_MISSING, "RUMPK_SDK says %s, and there is no SDK", prefix);
        nip_error_hint(err, "it must be the folder that holds bin/nip and share/rumpk");
        return NIP_ERROR_MISSING;
    }
    char self[CLI_PATH_SIZE];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (size <= 0)
        return nip_error_set_errno(err, errno, "cannot find the path of nip itself");
    self[size] = '\0';
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(self, '/');
        if (slash != NULL)
            *slash = '\0';
    }
    snprintf(sdk->share, sizeof sdk->share, "%.4000s/share/rumpk", self);
    if (nip_fs_kind(sdk->share) == NIP_FS_FOLDER)
        return NIP_OK;
    nip_error_set(err, NIP_ERROR_MISSING, "there is no SDK beside this nip (%s)", sdk->share);
    nip_error_hint(err, "run the nip of an installed SDK, or set RUMPK_SDK to the folder that "
                        "holds its bin and share");
    return NIP_ERROR_MISSING;
}

// Hashes path and content of everything below a folder, in the order of names.
static enum nip_code hash_tree(const char *folder, const char *shown, int depth,
                               struct nip_hash *hash, struct nip_error *err)
{
    if (depth > SDK_DEPTH_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "the SDK has folders that are too deep");
    struct nip_fs_names names = {0};
    enum nip_code code = nip_fs_list(folder, &names, err);
    for (size_t i = 0; code == NIP_OK && i < names.count; i++) {
        char path[CLI_PATH_SIZE], name[CLI_PATH_SIZE];
        if (snprintf(path, sizeof path, "%s/%s", folder, names.names[i]) >= (int)sizeof path ||
            snprintf(name, sizeof name, "%s/%s", shown, names.names[i]) >= (int)sizeof name) {
            code = nip_error_set(err, NIP_ERROR_LIMIT, "the SDK lies in a path that is too long");
            break;
        }
        if (nip_fs_kind(path) == NIP_FS_FOLDER) {
            code = hash_tree(path, name, depth + 1, hash, err);
            continue;
        }
        struct nip_buffer content = {0};
        uint8_t digest[NIP_DIGEST_SIZE];
        code = nip_fs_read(path, SDK_FILE_SIZE_MAX, &content, err);
        nip_hash_bytes(nip_buffer_text(&content), content.size, digest);
        nip_hash_update(hash, name, strlen(name) + 1);
        nip_hash_update(hash, digest, sizeof digest);
        nip_buffer_free(&content);
    }
    nip_fs_names_free(&names);
    return code;
}

static enum nip_code read_key(struct sdk *sdk, struct nip_error *err)
{
    char path[CLI_PATH_SIZE];
    sdk_path(sdk, path, "sdk.pub");
    if (nip_fs_kind(path) == NIP_FS_NOTHING)
        return NIP_OK;
    struct nip_buffer text = {0};
    enum nip_code code = nip_fs_read(path, NIP_KEY_FILE_SIZE_MAX, &text, err);
    if (code == NIP_OK)
        code = nip_public_key_parse(nip_buffer_text(&text), text.size, path, &sdk->key, err);
    sdk->has_key = code == NIP_OK;
    nip_buffer_free(&text);
    return code;
}

enum nip_code sdk_open(struct sdk *sdk, struct nip_error *err)
{
    memset(sdk, 0, sizeof *sdk);
    enum nip_code code = find_share(sdk, err);
    if (code != NIP_OK)
        return code;
    snprintf(sdk->registry_url, sizeof sdk->registry_url, "file:%.4000s/registry", sdk->share);
    char path[CLI_PATH_SIZE];
    sdk_path(sdk, path, "development");
    sdk->is_development = nip_fs_kind(path) == NIP_FS_FILE;
    struct nip_hash hash;
    uint8_t digest[NIP_DIGEST_SIZE];
    char text[NIP_DIGEST_TEXT_SIZE];
    nip_hash_begin(&hash);
    static const char *const parts[] = {"toolchain", "sysroot"};
    for (size_t i = 0; code == NIP_OK && i < 2; i++) {
        sdk_path(sdk, path, "%s", parts[i]);
        if (nip_fs_kind(path) != NIP_FS_FOLDER) {
            nip_error_set(err, NIP_ERROR_MISSING, "the SDK is not complete: %s is missing", path);
            nip_error_hint(err, "install the SDK again (script/setup in the source tree)");
            return NIP_ERROR_MISSING;
        }
        code = hash_tree(path, parts[i], 0, &hash, err);
    }
    nip_hash_end(&hash, digest);
    nip_digest_text(digest, text);
    snprintf(sdk->id, sizeof sdk->id, "rumpk-%s-%.16s", NIP_VERSION, text);
    return code == NIP_OK ? read_key(sdk, err) : code;
}

static enum nip_code check_version(struct sdk *sdk, struct nip_error *err)
{
    const char *const argv[] = {sdk->clang, "--version", NULL};
    struct nip_buffer output = {0};
    int status = 0;
    enum nip_code code = process_run(argv, NULL, &output, true, &status, err);
    const char *text = nip_buffer_text(&output);
    const char *found = strstr(text, "clang version ");
    char version[32] = "unknown";
    if (found != NULL)
        sscanf(found, "clang version %31[0-9.]", version);
    if (code == NIP_OK && (status != 0 || strncmp(version, LLVM_MAJOR ".", 3) != 0)) {
        code = nip_error_set(err, NIP_ERROR_TOOL, "%s is version %s; this SDK needs %s", sdk->clang,
                             version, LLVM_MAJOR);
        nip_error_hint(err, "install it: apt-get install clang-" LLVM_MAJOR);
    }
    snprintf(sdk->toolchain, sizeof sdk->toolchain, "%s-clang-%s", sdk->id, version);
    nip_buffer_free(&output);
    return code;
}

enum nip_code sdk_find_tools(struct sdk *sdk, struct nip_error *err)
{
    enum nip_code code =
        process_find("clang-" LLVM_MAJOR, "clang-" LLVM_MAJOR, sdk->clang, sizeof sdk->clang, err);
    if (code == NIP_OK)
        code =
            process_find("ld.lld-" LLVM_MAJOR, "lld-" LLVM_MAJOR, sdk->lld, sizeof sdk->lld, err);
    if (code == NIP_OK)
        code = process_find("llvm-objcopy-" LLVM_MAJOR, "llvm-" LLVM_MAJOR, sdk->objcopy,
                            sizeof sdk->objcopy, err);
    if (code == NIP_OK)
        code =
            process_find("llvm-ar-" LLVM_MAJOR, "llvm-" LLVM_MAJOR, sdk->ar, sizeof sdk->ar, err);
    return code == NIP_OK ? check_version(sdk, err) : code;
}

static enum nip_code read_machine(const char *path, struct nip_machine *machine,
                                  struct nip_error *err)
{
    struct nip_buffer text = {0};
    enum nip_code code = nip_fs_read(path, NIP_KDL_SIZE_MAX, &text, err);
    if (code == NIP_OK)
        code = nip_machine_parse(nip_buffer_text(&text), text.size, path, machine, err);
    nip_buffer_free(&text);
    return code;
}

// "virt, q35": the usual one, then those of the files <arch>-<name>.kdl.
static void list_machines(const struct sdk *sdk, uint32_t arch, const char *usual,
                          struct nip_buffer *out)
{
    char path[CLI_PATH_SIZE];
    struct nip_fs_names files = {0};
    struct nip_error cause = {0};
    const char *prefix = nip_arch_name(arch);
    size_t prefix_size = strlen(prefix);
    sdk_path(sdk, path, "machines");
    nip_buffer_append_text(out, usual);
    if (nip_fs_list(path, &files, &cause) != NIP_OK)
        return;
    for (size_t i = 0; i < files.count; i++) {
        const char *file = files.names[i];
        const char *end = strstr(file, ".kdl");
        if (strncmp(file, prefix, prefix_size) == 0 && file[prefix_size] == '-' && end != NULL)
            nip_buffer_append_format(out, ", %.*s", (int)(end - file - (ptrdiff_t)prefix_size - 1),
                                     file + prefix_size + 1);
    }
    nip_fs_names_free(&files);
}

// A name of the command line becomes part of a path.
static bool is_machine_name(const char *name)
{
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return size > 0 && size < NIP_MACHINE_NAME_SIZE && name[size] == '\0';
}

enum nip_code sdk_machine(const struct sdk *sdk, uint32_t arch, const char *name,
                          struct nip_machine *machine, struct nip_error *err)
{
    char path[CLI_PATH_SIZE];
    if (name != NULL && is_machine_name(name)) {
        sdk_path(sdk, path, "machines/%s-%s.kdl", nip_arch_name(arch), name);
        if (nip_fs_kind(path) == NIP_FS_FILE)
            return read_machine(path, machine, err);
    }
    sdk_path(sdk, path, "machines/%s.kdl", nip_arch_name(arch));
    enum nip_code code = read_machine(path, machine, err);
    if (code != NIP_OK || name == NULL || strcmp(machine->name, name) == 0)
        return code;
    struct nip_buffer names = {0};
    list_machines(sdk, arch, machine->name, &names);
    nip_machine_free(machine);
    nip_error_set(err, NIP_ERROR_USAGE, "%s has no machine '%s'", nip_arch_name(arch), name);
    nip_error_hint(err, "one of: %s", nip_buffer_text(&names));
    nip_buffer_free(&names);
    return NIP_ERROR_USAGE;
}

uint32_t sdk_machine_arches(const struct sdk *sdk, const char *name)
{
    uint32_t mask = 0;
    for (size_t a = 0; a < RUMPK_ARCH_COUNT; a++) {
        struct nip_machine machine = {0};
        struct nip_error cause = {0};
        if (sdk_machine(sdk, arch_all[a], name, &machine, &cause) == NIP_OK)
            mask |= RUMPK_ARCH_BIT(arch_all[a]);
        nip_machine_free(&machine);
    }
    return mask;
}

enum nip_code sdk_components(const struct sdk *sdk, uint32_t arch_mask, struct nip_pack *pack,
                             struct nip_error *err)
{
    static const struct {
        const char *name, *file, *version, *license, *origin;
    } table[] = {
        {"libnpl", "libnpl.a", NIP_VERSION, "Apache-2.0", "part of the Rumpk SDK"},
        {"libsodium", "libsodium.a", "1.0.18", "ISC",
         "the part that verifies, with CVE-2025-69277.patch, built with the Rumpk SDK"},
        {"llvm-libc", "libc.a", "19.1.7", "Apache-2.0 WITH LLVM-exception",
         "libc of the LLVM project, built with the Rumpk SDK"},
        {"compiler-rt-builtins", "libclang_rt.builtins.a", "19.1.7",
         "Apache-2.0 WITH LLVM-exception",
         "compiler-rt of the LLVM project, built with the Rumpk SDK"},
    };
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < sizeof table / sizeof table[0]; i++) {
        struct nip_pack_component component = {0};
        struct nip_hash hash;
        nip_hash_begin(&hash);
        for (size_t a = 0; code == NIP_OK && a < RUMPK_ARCH_COUNT; a++) {
            if ((arch_mask & RUMPK_ARCH_BIT(arch_all[a])) == 0)
                continue;
            char path[CLI_PATH_SIZE];
            struct nip_buffer content = {0};
            sdk_path(sdk, path, "sysroot/%s/lib/%s", sdk_triple(arch_all[a]), table[i].file);
            code = nip_fs_read(path, SDK_FILE_SIZE_MAX, &content, err);
            nip_hash_update(&hash, nip_buffer_text(&content), content.size);
            nip_buffer_free(&content);
        }
        nip_hash_end(&hash, component.digest);
        snprintf(component.name, sizeof component.name, "%s", table[i].name);
        snprintf(component.version, sizeof component.version, "%s", table[i].version);
        snprintf(component.license, sizeof component.license, "%s", table[i].license);
        snprintf(component.origin, sizeof component.origin, "%s", table[i].origin);
        if (code == NIP_OK)
            code = nip_pack_add_component(pack, &component, err);
    }
    return code;
}

static enum nip_code add_arch(const char *word, size_t size, uint32_t *mask, struct nip_error *err)
{
    char name[32];
    uint32_t arch = 0;
    snprintf(name, sizeof name, "%.*s", (int)(size < 31 ? size : 31), word);
    if (strcmp(name, "all") == 0) {
        *mask |= ARCH_MASK_ALL;
        return NIP_OK;
    }
    if (nip_arch_from_name(name, &arch)) {
        *mask |= RUMPK_ARCH_BIT(arch);
        return NIP_OK;
    }
    // What others call them.
    static const char *const known[][2] = {
        {"arm", "aarch64"},   {"arm64", "aarch64"}, {"armv8", "aarch64"}, {"x86", "x86_64"},
        {"x86-64", "x86_64"}, {"x64", "x86_64"},    {"amd64", "x86_64"},  {"rv64", "riscv64"}};
    static const char *const names[] = {"riscv64", "aarch64", "x86_64", NULL};
    const char *near = cli_nearest(name, names);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(name, known[i][0]) == 0)
            near = known[i][1];
    nip_error_set(err, NIP_ERROR_USAGE, "unknown architecture '%s'", name);
    if (near != NULL)
        nip_error_hint(err, "did you mean '%s'?", near);
    else
        nip_error_hint(err, "one of: riscv64, aarch64, x86_64, all");
    return NIP_ERROR_USAGE;
}

enum nip_code arch_mask_parse(const struct cli *cli, uint32_t *mask, struct nip_error *err)
{
    *mask = 0;
    const char *text = NULL;
    for (size_t i = 0; (text = cli_option_at(cli, "arch", i)) != NULL; i++) {
        for (;;) {
            size_t size = strcspn(text, ",");
            enum nip_code code = add_arch(text, size, mask, err);
            if (code != NIP_OK)
                return code;
            if (text[size] == '\0')
                break;
            text += size + 1;
        }
    }
    return NIP_OK;
}

uint32_t arch_default(void)
{
    struct utsname host;
    uint32_t arch = 0;
    if (uname(&host) == 0 && nip_arch_from_name(host.machine, &arch))
        return arch;
    return RUMPK_ARCH_RISCV64;
}
