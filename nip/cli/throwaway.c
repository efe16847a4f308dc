// SPDX-License-Identifier: Apache-2.0
//
// Choosing what stands beside a driver in a throw-away image.

#include "throwaway.h"

#include <stdlib.h>
#include <string.h>

#include "providers.h"

static enum nip_code take(struct throwaway *throwaway, struct checked_package *package,
                          const char *path, struct nip_error *err)
{
    uint32_t index = throwaway->imagedef->package_count;
    enum nip_code code = nip_imagedef_add(throwaway->imagedef, &package->manifest,
                                          path[0] != '\0' ? "" : NIP_TRUST_SDK_ALIAS, path, err);
    if (code != NIP_OK) {
        checked_package_free(package);
        return code;
    }
    throwaway->imaging->packages[index] = *package;
    throwaway->imaging->security_floors[index] = package->manifest.identity.security_version;
    memset(package, 0, sizeof *package);
    return NIP_OK;
}

static bool is_provided(const struct throwaway *throwaway, const struct rumpk_bkdl_service *need)
{
    for (uint32_t i = 0; i < throwaway->imagedef->package_count; i++)
        if (providers_fits(&throwaway->imaging->packages[i].manifest, need))
            return true;
    return false;
}

// The only driver of the SDK that offers what is needed.
static enum nip_code take_provider(struct throwaway *throwaway,
                                   const struct rumpk_bkdl_service *need, struct nip_error *err)
{
    struct checked_package chosen = {0};
    struct nip_buffer found = {0};
    size_t count = 0;
    enum nip_code code = providers_in_sdk(throwaway->cli, throwaway->decisions, throwaway->arch,
                                          need, &count, &found, &chosen, err);
    if (code == NIP_OK && count == 1) {
        code = take(throwaway, &chosen, "", err);
    } else if (code == NIP_OK && need->optional == 0) {
        nip_error_set(err, NIP_ERROR_CONFLICT, "the driver needs the service \"%s\" %u, and %s",
                      need->name, (unsigned)need->version,
                      count == 0 ? "nothing in the SDK offers it" : "several packages offer it");
        nip_error_hint(err,
                       "%s%smake an image that says which: nip new --image box, then in it: "
                       "nip add --path DIR",
                       count == 0 ? "" : nip_buffer_text(&found), count == 0 ? "" : "\n");
        code = NIP_ERROR_CONFLICT;
    }
    checked_package_free(&chosen);
    nip_buffer_free(&found);
    return code;
}

// Fills the image until nothing in it needs what nobody offers. Providers may need something too.
static enum nip_code add_providers(struct throwaway *throwaway, struct nip_error *err)
{
    // Also for a driver that does not ask for it: others that are pulled in may speak.
    static const struct rumpk_bkdl_service console = {
        .name = "console", .version = 1, .optional = 1};
    enum nip_code code = NIP_OK;
    if (!is_provided(throwaway, &console))
        code = take_provider(throwaway, &console, err);
    for (uint32_t i = 0; code == NIP_OK && i < throwaway->imagedef->package_count; i++) {
        const struct nip_manifest *manifest = &throwaway->imaging->packages[i].manifest;
        for (uint32_t n = 0; code == NIP_OK && n < manifest->needs_count; n++)
            if (!is_provided(throwaway, &manifest->needs[n]))
                code = take_provider(throwaway, &manifest->needs[n], err);
    }
    return code;
}

enum nip_code throwaway_open(struct throwaway *throwaway, const struct cli *cli,
                             struct decisions *decisions, uint32_t arch, struct nip_error *err)
{
    *throwaway = (struct throwaway){cli, decisions, arch, nip_imagedef_new(),
                                    calloc(1, sizeof(struct imaging))};
    if (throwaway->imagedef == NULL || throwaway->imaging == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the image");
    throwaway->imaging->imagedef = throwaway->imagedef;
    throwaway->imaging->has_local_work = true;
    snprintf(throwaway->imagedef->name, sizeof throwaway->imagedef->name, "local/run");
    snprintf(throwaway->imagedef->version, sizeof throwaway->imagedef->version, "0.1.0");
    return NIP_OK;
}

enum nip_code throwaway_add(struct throwaway *throwaway, const char *folder, struct nip_error *err)
{
    struct checked_package own = {0};
    enum nip_code code =
        imaging_local_package(throwaway->cli, &throwaway->decisions->sdk, folder, &own, err);
    return code == NIP_OK ? take(throwaway, &own, folder, err) : code;
}

enum nip_code throwaway_complete(struct throwaway *throwaway, struct nip_error *err)
{
    enum nip_code code = add_providers(throwaway, err);
    if (code == NIP_OK)
        code = imaging_sdk_package(throwaway->cli, throwaway->decisions, IMAGING_KERNEL_NAME, NULL,
                                   &throwaway->imaging->kernel, err);
    return code;
}

void throwaway_close(struct throwaway *throwaway)
{
    imaging_free(throwaway->imaging);
    nip_imagedef_free(throwaway->imagedef);
    memset(throwaway, 0, sizeof *throwaway);
}

bool throwaway_wants(const struct nip_image_report *report, uint32_t virtio_id)
{
    uint32_t count = report->boot != NULL ? report->boot->image.package_count : 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t g = 0; g < report->boot->packages[i].grant_count; g++) {
            const struct rumpk_bkdl_grant *grant = &report->boot->packages[i].grants[g];
            if (grant->bus == RUMPK_BUS_VIRTIO && grant->device_id == virtio_id)
                return true;
        }
    return false;
}
