// SPDX-License-Identifier: Apache-2.0
//
// The checks of nip check.

#include "checking.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <rumpk/archive.h>
#include <rumpk/call.h>
#include <rumpk/cap.h>
#include <rumpk/systable.h>

#include "nip/crypto.h"
#include "nip/elf.h"
#include "nip/fs.h"
#include "nip/spdx.h"
#include "project.h"

enum { FILE_SIZE_MAX = 256 << 20, ABI_TEXT_SIZE_MAX = 1 << 20 };

struct checking {
    const struct sdk *sdk;
    const char *folder;
    const struct nip_manifest *manifest;
    struct check_report *report;
    uint8_t abi_text[NIP_DIGEST_SIZE];
};

static struct check_result *say(const struct checking *checking, const char *check,
                                const char *arch, bool passed, const char *format, ...)
    NIP_PRINTF(5, 6);

static struct check_result *say(const struct checking *checking, const char *check,
                                const char *arch, bool passed, const char *format, ...)
{
    static struct check_result beyond;
    struct check_report *report = checking->report;
    struct check_result *result =
        report->count < CHECK_RESULTS_MAX ? &report->results[report->count++] : &beyond;
    *result = (struct check_result){.check = check, .arch = arch, .passed = passed};
    va_list list;
    va_start(list, format);
    vsnprintf(result->words, sizeof result->words, format, list);
    va_end(list);
    report->failed_count += !passed;
    return result;
}

// ---- calls ----

// As the kernel has it (kernel/core/call.c), and what single operations of mask want beyond that.
static uint64_t class_of(uint32_t call)
{
    switch (call) {
    case RUMPK_CALL_SEND:
    case RUMPK_CALL_RECV:
        return RUMPK_PLEDGE_STDIO;
    case RUMPK_CALL_SPAWN:
        return RUMPK_PLEDGE_EXEC;
    case RUMPK_CALL_MAP:
        return RUMPK_PLEDGE_MAP;
    case RUMPK_CALL_GRANT:
        return RUMPK_PLEDGE_GRANT;
    case RUMPK_CALL_CHECKPOINT:
        return RUMPK_PLEDGE_STATE;
    default:
        return 0;
    }
}

static const char *class_name(uint64_t class)
{
    static const char *const names[] = {"stdio", "rpath", "wpath", "inet",   "exec",
                                        "map",   "grant", "state", "control"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (class == UINT64_C(1) << i)
            return names[i];
    return "?";
}

static void refuse_class(const struct checking *checking, const char *arch, const char *what,
                         uint64_t class)
{
    struct check_result *result =
        say(checking, "calls", arch, false,
            "the code can make the call %s, and `pledge` leaves out its class \"%s\"", what,
            class_name(class));
    snprintf(result->hint, sizeof result->hint,
             "add \"%s\" to `pledge` in %s, or take the call out of the code", class_name(class),
             NIP_MANIFEST_FILE);
}

static const uint32_t mask_irq = 1u << RUMPK_MASK_IRQ_UNMASK | 1u << RUMPK_MASK_IRQ_MASK,
                      mask_features = 1u << RUMPK_MASK_FEATURES;

static void check_calls(const struct checking *checking, const char *arch,
                        const struct nip_elf_calls *calls)
{
    uint64_t pledge = checking->manifest->runtime.pledge;
    size_t failed_before = checking->report->failed_count;
    char list[200] = "";
    for (uint32_t call = 0; call <= RUMPK_CALL_META; call++) {
        if ((calls->calls & 1u << call) == 0)
            continue;
        size_t size = strlen(list);
        snprintf(list + size, sizeof list - size, "%s%s", size != 0 ? " " : "",
                 nip_call_name(call));
        if ((class_of(call) & ~pledge) != 0)
            refuse_class(checking, arch, nip_call_name(call), class_of(call));
    }
    if ((calls->mask_operations & (mask_irq | mask_features)) != 0 &&
        (pledge & RUMPK_PLEDGE_CONTROL) == 0)
        refuse_class(checking, arch, "MASK of a device or an interrupt", RUMPK_PLEDGE_CONTROL);
    if (checking->report->failed_count == failed_before)
        say(checking, "calls", arch, true, "%s", list[0] != '\0' ? list : "none");
}

static void check_capabilities(const struct checking *checking, const char *arch,
                               const struct nip_elf_calls *calls)
{
    bool has_device = false, has_interrupt = false;
    size_t failed_before = checking->report->failed_count;
    for (uint32_t i = 0; i < checking->manifest->request_count; i++) {
        const struct rumpk_bkdl_request *request = &checking->manifest->requests[i];
        has_device = has_device || request->type == RUMPK_CAP_DEVICE;
        has_interrupt =
            has_interrupt || (request->type == RUMPK_CAP_WINDOW && request->queues != 0);
    }
    if ((calls->mask_operations & mask_features) != 0 && !has_device)
        snprintf(say(checking, "capabilities", arch, false,
                     "the code starts a virtio device, and `request` asks for none")
                     ->hint,
                 300, "add `device \"NAME\" virtio=NUMBER` to `request` in %s", NIP_MANIFEST_FILE);
    if ((calls->mask_operations & mask_irq) != 0 && !has_interrupt)
        snprintf(say(checking, "capabilities", arch, false,
                     "the code opens an interrupt, and nothing in `request` brings one")
                     ->hint,
                 300, "add `interrupt=#true` to the registers in `request`");
    if (checking->report->failed_count == failed_before)
        say(checking, "capabilities", arch, true, "%u requested",
            (unsigned)checking->manifest->request_count);
}

// ---- files ----

static enum nip_code check_driver(const struct checking *checking, size_t index,
                                  struct nip_error *err)
{
    const struct nip_manifest *manifest = checking->manifest;
    const char *arch = nip_arch_name(arch_all[index]);
    char name[64], path[CLI_PATH_SIZE];
    struct nip_buffer elf = {0}, debug = {0};
    struct nip_elf_driver driver;
    struct nip_elf_calls calls;
    struct nip_error cause = {0};
    snprintf(name, sizeof name, "build/%s/driver.elf", arch);
    project_path(path, checking->folder, name);
    enum nip_code code = nip_fs_read(path, RUMPK_ELF_SIZE_MAX + (size_t)1, &elf, err);
    snprintf(name, sizeof name, "build/%s/driver.debug", arch);
    project_path(path, checking->folder, name);
    if (code == NIP_OK)
        code = nip_fs_read(path, FILE_SIZE_MAX, &debug, err);
    if (code == NIP_OK &&
        nip_elf_check_driver(elf.data, elf.size, "driver.elf", arch_all[index],
                             manifest->identity.abi_version, &driver, NULL, &cause) != NIP_OK) {
        struct check_result *result = say(checking, "form", arch, false, "%.390s", cause.message);
        snprintf(result->hint, sizeof result->hint, "%.290s", cause.hint);
    } else if (code == NIP_OK) {
        say(checking, "form", arch, true, "nothing writable and executable, %u relocations",
            (unsigned)driver.relocation_count);
        checking->report->sizes[index] = (struct check_size){elf.size, driver.memory_size};
        bool is_same =
            memcmp(driver.note.abi_text, checking->abi_text, sizeof checking->abi_text) == 0;
        struct check_result *result =
            say(checking, "abi", arch, is_same, "%s",
                is_same ? "the ABI of this SDK"
                        : "it was built against another abi/abi.txt than that of this SDK");
        if (!is_same)
            snprintf(result->hint, sizeof result->hint,
                     "build it with this SDK's libnpl: remove build/ and run 'nip build'");
        code = nip_elf_calls(debug.data, debug.size, path, &calls, err);
        if (code == NIP_OK) {
            check_calls(checking, arch, &calls);
            check_capabilities(checking, arch, &calls);
        }
    }
    nip_buffer_free(&elf);
    nip_buffer_free(&debug);
    return code;
}

static enum nip_code measure_library(const struct checking *checking, size_t index,
                                     struct nip_error *err)
{
    char name[96], path[CLI_PATH_SIZE];
    struct nip_buffer content = {0};
    snprintf(name, sizeof name, "build/%s/lib%s.a", nip_arch_name(arch_all[index]),
             project_short_name(checking->manifest->identity.name));
    project_path(path, checking->folder, name);
    enum nip_code code = nip_fs_read(path, FILE_SIZE_MAX, &content, err);
    checking->report->sizes[index].file = content.size;
    nip_buffer_free(&content);
    return code;
}

static enum nip_code check_license(void *context, const char *identifier, struct nip_error *err)
{
    const struct checking *checking = context;
    char name[NIP_SPDX_IDENTIFIER_MAX + 16], path[CLI_PATH_SIZE];
    (void)err;
    snprintf(name, sizeof name, "LICENSES/%s.txt", identifier);
    project_path(path, checking->folder, name);
    bool is_there = nip_fs_kind(path) == NIP_FS_FILE;
    struct check_result *result =
        say(checking, "licence", "", is_there, "%s%s", name, is_there ? "" : " is missing");
    if (!is_there)
        snprintf(result->hint, sizeof result->hint,
                 "put the full text of the licence there, or correct `license` in %s",
                 NIP_MANIFEST_FILE);
    return NIP_OK;
}

enum nip_code checking_run(const struct sdk *sdk, const char *folder,
                           const struct nip_manifest *manifest, struct check_report *report,
                           struct nip_error *err)
{
    struct checking checking = {sdk, folder, manifest, report, {0}};
    char path[CLI_PATH_SIZE];
    struct nip_buffer abi = {0};
    memset(report, 0, sizeof *report);
    sdk_path(sdk, path, "abi.txt");
    enum nip_code code = nip_fs_read(path, ABI_TEXT_SIZE_MAX, &abi, err);
    if (code == NIP_OK)
        nip_hash_bytes(nip_buffer_text(&abi), abi.size, checking.abi_text);
    else
        nip_error_hint(err, "the SDK is not complete: install it again");
    nip_buffer_free(&abi);
    for (size_t a = 0; code == NIP_OK && a < RUMPK_ARCH_COUNT; a++) {
        if ((manifest->identity.arch_mask & RUMPK_ARCH_BIT(arch_all[a])) == 0)
            continue;
        if (manifest->identity.kind == RUMPK_KIND_DRIVER)
            code = check_driver(&checking, a, err);
        else if (manifest->identity.kind == RUMPK_KIND_LIBRARY)
            code = measure_library(&checking, a, err);
    }
    return code == NIP_OK ? nip_spdx_each(manifest->license, check_license, &checking, err) : code;
}

enum nip_code checking_require(const struct sdk *sdk, const char *folder,
                               const struct nip_manifest *manifest, struct nip_error *err)
{
    struct check_report *report = calloc(1, sizeof *report);
    enum nip_code code = report != NULL ? checking_run(sdk, folder, manifest, report, err)
                                        : nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    for (size_t i = 0; code == NIP_OK && i < report->count; i++) {
        const struct check_result *result = &report->results[i];
        if (result->passed)
            continue;
        code = nip_error_set(err, NIP_ERROR_MISMATCH, "%s%s%s: %s", result->check,
                             result->arch[0] != '\0' ? ", " : "", result->arch, result->words);
        nip_error_hint(err, "%s", result->hint);
    }
    free(report);
    return code;
}
