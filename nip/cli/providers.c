// SPDX-License-Identifier: Apache-2.0
//
// Searching the SDK's registry for what a package needs.

#include "providers.h"

#include <string.h>

bool providers_fits(const struct nip_manifest *manifest, const struct rumpk_bkdl_service *need)
{
    for (uint32_t i = 0; i < manifest->provides_count; i++)
        if (strcmp(manifest->provides[i].name, need->name) == 0 &&
            manifest->provides[i].version == need->version)
            return true;
    return false;
}

static enum nip_code console_name(const struct sdk *sdk, uint32_t arch, char name[NIP_NAME_MAX + 1],
                                  struct nip_error *err)
{
    struct nip_machine machine = {0};
    enum nip_code code = sdk_machine(sdk, arch, NULL, &machine, err);
    if (code == NIP_OK)
        snprintf(name, NIP_NAME_MAX + 1, "rumpk/%.32s", machine.console_driver);
    nip_machine_free(&machine);
    return code;
}

enum nip_code providers_in_sdk(const struct cli *cli, struct decisions *decisions, uint32_t arch,
                               const struct rumpk_bkdl_service *need, size_t *count,
                               struct nip_buffer *names, struct checked_package *last,
                               struct nip_error *err)
{
    struct registry *registry = NULL;
    char alias[NIP_TRUST_ALIAS_SIZE], console[NIP_NAME_MAX + 1] = "";
    struct nip_folder_names list = {0};
    *count = 0;
    memset(last, 0, sizeof *last);
    enum nip_code code =
        resolve_registry(decisions, NIP_TRUST_SDK_ALIAS, NULL, false, &registry, NULL, alias, err);
    if (code == NIP_OK && strcmp(need->name, "console") == 0)
        code = console_name(&decisions->sdk, arch, console, err);
    if (code == NIP_OK)
        code = registry_names(registry, &list, err);
    for (size_t i = 0; code == NIP_OK && i < list.count; i++) {
        struct checked_package package = {0};
        if (console[0] != '\0' && strcmp(console, list.items[i]) != 0)
            continue;
        code = imaging_sdk_package(cli, decisions, list.items[i], NULL, &package, err);
        if (code == NIP_OK && providers_fits(&package.manifest, need) &&
            (package.manifest.identity.arch_mask & RUMPK_ARCH_BIT(arch)) != 0) {
            nip_buffer_append_format(names, "%s%s", *count != 0 ? ", " : "", list.items[i]);
            ++*count;
            checked_package_free(last);
            *last = package;
        } else {
            checked_package_free(&package);
        }
    }
    nip_folder_names_free(&list);
    registry_close(registry);
    return code;
}

static bool is_present(const struct imaging *imaging, uint32_t index, uint32_t arch)
{
    uint32_t wanted = imaging->imagedef->packages[index].arch_mask;
    return (wanted == 0 || (wanted & RUMPK_ARCH_BIT(arch)) != 0) &&
           (imaging->packages[index].manifest.identity.arch_mask & RUMPK_ARCH_BIT(arch)) != 0;
}

static bool is_provided(const struct imaging *imaging, uint32_t arch,
                        const struct rumpk_bkdl_service *need)
{
    for (uint32_t i = 0; i < imaging->imagedef->package_count; i++)
        if (is_present(imaging, i, arch) && providers_fits(&imaging->packages[i].manifest, need))
            return true;
    return false;
}

void providers_suggest(const struct cli *cli, struct decisions *decisions,
                       const struct imaging *imaging, uint32_t arch, struct nip_error *err)
{
    for (uint32_t i = 0; i < imaging->imagedef->package_count; i++) {
        const struct nip_manifest *manifest = &imaging->packages[i].manifest;
        for (uint32_t n = 0; is_present(imaging, i, arch) && n < manifest->needs_count; n++) {
            const struct rumpk_bkdl_service *need = &manifest->needs[n];
            if (need->optional != 0 || is_provided(imaging, arch, need))
                continue;
            struct nip_error cause = {0};
            struct nip_buffer names = {0};
            struct checked_package last = {0};
            size_t count = 0;
            if (providers_in_sdk(cli, decisions, arch, need, &count, &names, &last, &cause) ==
                    NIP_OK &&
                count == 1)
                nip_error_hint(err, "the SDK has one: nip add %s", nip_buffer_text(&names));
            else if (count > 1)
                nip_error_hint(err, "the SDK has several: nip add one of %s",
                               nip_buffer_text(&names));
            checked_package_free(&last);
            nip_buffer_free(&names);
            return;
        }
    }
}
