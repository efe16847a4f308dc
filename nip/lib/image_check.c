// SPDX-License-Identifier: Apache-2.0
//
// The kernel's checks of packages and boot manifest, in the kernel's order and with its reasons.

#include "image_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rumpk/cap.h>
#include <rumpk/start.h>

#include "nip/crypto.h"
#include "nip/digests.h"
#include "nip/elf.h"

enum nip_code image_refuse(struct image_verdict *verdict, enum nip_code code,
                           enum rumpk_refusal refusal, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    nip_error_set_list(verdict->err, code, format, list);
    va_end(list);
    verdict->refusal = refusal;
    return code;
}

// The file that the signed list names, against the bytes at hand.
static bool file_is_signed(const struct nip_digests *digests, const char *path,
                           const uint8_t *bytes, size_t size)
{
    const struct nip_digests_file *file = nip_digests_file(digests, path);
    uint8_t digest[NIP_DIGEST_SIZE];
    if (!file || file->size != size)
        return false;
    nip_hash_bytes(bytes, size, digest);
    return memcmp(digest, file->digest, sizeof digest) == 0;
}

static bool archs_agree(const struct nip_digests *digests, uint32_t mask)
{
    for (int arch = 0; arch < NIP_ARCH_COUNT; arch++)
        if (digests->archs[arch] !=
            ((mask & RUMPK_ARCH_BIT(nip_arch_number((enum nip_arch)arch))) != 0))
            return false;
    return true;
}

static bool kinds_agree(enum nip_kind kind, uint32_t number)
{
    return strcmp(nip_kind_text(kind), nip_kind_name(number)) == 0;
}

// Header of `digests` against the manifest that the kernel would act on.
static enum nip_code check_identity(const struct nip_digests *digests,
                                    const struct rumpk_bkdl_identity *identity,
                                    struct image_verdict *verdict)
{
    if (strcmp(identity->name, digests->name) != 0 ||
        strcmp(identity->version, digests->version) != 0)
        return image_refuse(verdict, NIP_ERROR_MISMATCH, RUMPK_REFUSE_PACKAGE_NAME,
                            "digests name %s %s, npl.bkdl names %s %s", digests->name,
                            digests->version, identity->name, identity->version);
    if (!kinds_agree(digests->kind, identity->kind) || digests->abi != identity->abi_version ||
        digests->security_version != identity->security_version ||
        !archs_agree(digests, identity->arch_mask))
        return image_refuse(verdict, NIP_ERROR_MISMATCH, RUMPK_REFUSE_PACKAGE_FORM,
                            "%s: digests and npl.bkdl differ in kind, abi, security-version or "
                            "arch",
                            digests->name);
    if (digests->kind != NIP_KIND_DRIVER)
        return image_refuse(verdict, NIP_ERROR_MISMATCH, RUMPK_REFUSE_PACKAGE_FORM,
                            "%s is a %s: only drivers run in an image", digests->name,
                            nip_kind_text(digests->kind));
    return NIP_OK;
}

static enum nip_code check_content(const struct nip_archive_part *part, uint32_t arch,
                                   const struct nip_digests *digests,
                                   struct nip_image_report_package *package,
                                   struct image_verdict *verdict)
{
    const char *name = digests->name;
    enum nip_arch arch_index;
    if (digests->abi > RUMPK_ABI_VERSION)
        return image_refuse(verdict, NIP_ERROR_UNSUPPORTED, RUMPK_REFUSE_ABI_VERSION,
                            "%s needs ABI version %" PRIu32 ", this kernel has %u", name,
                            digests->abi, RUMPK_ABI_VERSION);
    if (!nip_arch_from_number(arch, &arch_index) || !digests->archs[arch_index])
        return image_refuse(verdict, NIP_ERROR_MISSING, RUMPK_REFUSE_ARCH, "%s has nothing for %s",
                            name, nip_arch_name(arch));
    if (!file_is_signed(digests, NIP_BKDL_FILE, part->bkdl, part->bkdl_size))
        return image_refuse(verdict, NIP_ERROR_DIGEST, RUMPK_REFUSE_MANIFEST_DIGEST,
                            "%s: npl.bkdl is not the signed one", name);
    char path[NIP_PATH_MAX + 1];
    snprintf(path, sizeof path, "%s/driver.elf", nip_arch_name(arch));
    if (!file_is_signed(digests, path, part->elf, part->elf_size))
        return image_refuse(verdict, NIP_ERROR_DIGEST, RUMPK_REFUSE_ELF_DIGEST,
                            "%s: %s is not the signed one", name, path);
    verdict->refusal = RUMPK_REFUSE_PACKAGE_FORM;
    enum nip_code code = nip_bkdl_decode_package(part->bkdl, part->bkdl_size, NIP_BKDL_FILE,
                                                 &package->manifest, verdict->err);
    if (code != NIP_OK) {
        nip_error_prefix(verdict->err, "%s: ", name);
        return code;
    }
    verdict->refusal = RUMPK_REFUSE_NONE;
    code = check_identity(digests, &package->manifest.identity, verdict);
    if (code != NIP_OK)
        return code;
    struct nip_elf_driver driver;
    code = nip_elf_check_driver(part->elf, part->elf_size, path, arch, digests->abi, &driver,
                                &verdict->refusal, verdict->err);
    if (code != NIP_OK)
        nip_error_prefix(verdict->err, "%s: ", name);
    package->elf_size = part->elf_size;
    package->build_id_size = nip_elf_build_id(part->elf, part->elf_size, package->build_id);
    package->memory_size = driver.memory_size;
    return code;
}

enum nip_code image_check_package(const struct nip_archive_part *part, uint32_t arch,
                                  struct nip_image_report_package *package,
                                  struct image_verdict *verdict)
{
    memset(package, 0, sizeof *package);
    nip_digests_id(part->digests, part->digests_size, package->package_id);
    memcpy(package->publisher_key, part->publisher_key, RUMPK_KEY_SIZE);
    if (!nip_verify_prehashed(part->publisher_key, part->digests, part->digests_size,
                              part->signature))
        return image_refuse(verdict, NIP_ERROR_SIGNATURE, RUMPK_REFUSE_SIGNATURE,
                            "the publisher's signature does not fit the digests");
    struct nip_digests digests;
    verdict->refusal = RUMPK_REFUSE_DIGESTS_FORM;
    enum nip_code code =
        nip_digests_parse((const char *)part->digests, part->digests_size, &digests, verdict->err);
    if (code != NIP_OK)
        return code;
    verdict->refusal = RUMPK_REFUSE_NONE;
    memcpy(package->manifest.identity.name, digests.name, sizeof digests.name);
    memcpy(package->manifest.identity.version, digests.version, sizeof digests.version);
    package->manifest.identity.security_version = digests.security_version;
    code = check_content(part, arch, &digests, package, verdict);
    nip_digests_free(&digests);
    return code;
}

// ---- boot manifest against package ----

static enum nip_code check_grant(const struct nip_boot_package *granted,
                                 const struct rumpk_bkdl_grant *grant,
                                 const struct rumpk_bkdl_request *request,
                                 struct image_verdict *verdict)
{
    const char *name = granted->package.name;
    if (!request || request->type != grant->type || request->bus != grant->bus ||
        request->device_id != grant->device_id || (grant->rights & ~request->rights) != 0 ||
        request->vendor_id != grant->vendor_id || request->class_code != grant->class_code ||
        request->bar != grant->bar || grant->size > request->size ||
        memcmp(request->compatible, grant->compatible, sizeof grant->compatible) != 0)
        return image_refuse(verdict, NIP_ERROR_MISMATCH, RUMPK_REFUSE_GRANT_UNASKED,
                            "%s: grant \"%s\" is not what the package requests, or more of it",
                            name, grant->name);
    if (grant->type == RUMPK_CAP_DMA && !(granted->package.flags & RUMPK_PACKAGE_DMA))
        return image_refuse(verdict, NIP_ERROR_CONSENT, RUMPK_REFUSE_GRANT_DMA,
                            "%s: grant \"%s\" is DMA memory, which the owner does not permit it",
                            name, grant->name);
    return NIP_OK;
}

enum nip_code image_check_grants(const struct nip_boot *boot, uint32_t number,
                                 const struct nip_image_report_package *package,
                                 struct image_verdict *verdict)
{
    const struct nip_boot_package *granted = &boot->packages[number];
    const struct nip_manifest *manifest = &package->manifest;
    if (manifest->runtime.stack_size > granted->package.stack_max ||
        manifest->runtime.heap_size > granted->package.heap_max ||
        granted->package.spectrum < manifest->runtime.spectrum)
        return image_refuse(verdict, NIP_ERROR_LIMIT, RUMPK_REFUSE_LIMIT,
                            "%s: it asks for more stack or heap, or for a lower spectrum, than "
                            "the image allows",
                            granted->package.name);
    for (uint32_t i = 0; i < granted->grant_count; i++) {
        const struct rumpk_bkdl_grant *grant = &granted->grants[i];
        enum nip_code code =
            check_grant(granted, grant, nip_manifest_request(manifest, grant->name), verdict);
        if (code != NIP_OK)
            return code;
    }
    for (uint32_t i = 0; i < manifest->request_count; i++) {
        const struct rumpk_bkdl_request *request = &manifest->requests[i];
        bool is_granted = request->optional != 0;
        for (uint32_t k = 0; k < granted->grant_count; k++)
            is_granted |= strcmp(granted->grants[k].name, request->name) == 0;
        if (!is_granted)
            return image_refuse(verdict, NIP_ERROR_CONSENT, RUMPK_REFUSE_REQUEST_MISSING,
                                "%s: request \"%s\" is not granted", granted->package.name,
                                request->name);
    }
    return NIP_OK;
}

static const struct rumpk_bkdl_service *find_service(const struct rumpk_bkdl_service *services,
                                                     uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(services[i].name, name) == 0)
            return &services[i];
    return NULL;
}

static enum nip_code check_wire(const struct nip_boot *boot, uint32_t number,
                                const struct nip_image_report_package *packages,
                                struct image_verdict *verdict)
{
    const struct rumpk_bkdl_wire *wire = &boot->wires[number];
    const struct nip_manifest *client = &packages[wire->client].manifest;
    const struct nip_manifest *server = &packages[wire->server].manifest;
    const struct rumpk_bkdl_service *need =
        find_service(client->needs, client->needs_count, wire->service);
    const struct rumpk_bkdl_service *offer =
        find_service(server->provides, server->provides_count, wire->service);
    if (!need || !offer || need->version != offer->version || need->style != offer->style ||
        wire->style != need->style)
        return image_refuse(verdict, NIP_ERROR_MISMATCH, RUMPK_REFUSE_WIRE,
                            "the wire of service \"%s\" from %s to %s does not fit what they need "
                            "and provide",
                            wire->service, client->identity.name, server->identity.name);
    uint32_t clients = 0;
    for (uint32_t i = 0; i < boot->image.wire_count; i++) {
        const struct rumpk_bkdl_wire *other = &boot->wires[i];
        if (strcmp(other->service, wire->service) != 0)
            continue;
        clients += other->server == wire->server;
        if (i < number && other->client == wire->client)
            return image_refuse(verdict, NIP_ERROR_MISMATCH, RUMPK_REFUSE_WIRE,
                                "%s has two wires for its need \"%s\"", client->identity.name,
                                wire->service);
    }
    if (clients > offer->clients)
        return image_refuse(verdict, NIP_ERROR_LIMIT, RUMPK_REFUSE_WIRE,
                            "%s serves at most %" PRIu32 " clients of \"%s\", the image has "
                            "%" PRIu32,
                            server->identity.name, offer->clients, wire->service, clients);
    return NIP_OK;
}

// Takes out of `is_in` whoever needs nobody there (`at_client` false: is needed by nobody there).
// Returns whether anybody was.
static bool remove_ends(const struct nip_boot *boot, bool is_in[RUMPK_PACKAGES_MAX], bool at_client)
{
    bool is_tied[RUMPK_PACKAGES_MAX] = {false}, has_changed = false;
    for (uint32_t i = 0; i < boot->image.wire_count; i++) {
        const struct rumpk_bkdl_wire *wire = &boot->wires[i];
        if (wire->start != RUMPK_START_AT_ONCE && is_in[wire->client] && is_in[wire->server])
            is_tied[at_client ? wire->client : wire->server] = true;
    }
    for (uint32_t p = 0; p < boot->image.package_count; p++) {
        has_changed |= is_in[p] && !is_tied[p];
        is_in[p] = is_in[p] && is_tied[p];
    }
    return has_changed;
}

// Packages that wait for each other: none of them would ever start.
static enum nip_code check_circles(const struct nip_boot *boot,
                                   const struct nip_image_report_package *packages,
                                   uint32_t *number, struct image_verdict *verdict)
{
    bool is_in[RUMPK_PACKAGES_MAX];
    for (uint32_t p = 0; p < RUMPK_PACKAGES_MAX; p++)
        is_in[p] = p < boot->image.package_count;
    bool has_changed = true;
    while (has_changed) {
        has_changed = remove_ends(boot, is_in, true);
        has_changed |= remove_ends(boot, is_in, false);
    }
    for (uint32_t p = 0; p < boot->image.package_count; p++) {
        *number = p;
        if (is_in[p])
            return image_refuse(verdict, NIP_ERROR_CONFLICT, RUMPK_REFUSE_CIRCLE,
                                "%s and others need each other's services in a circle",
                                packages[p].manifest.identity.name);
    }
    return NIP_OK;
}

enum nip_code image_check_wires(const struct nip_boot *boot,
                                const struct nip_image_report_package *packages, uint32_t *number,
                                struct image_verdict *verdict)
{
    for (uint32_t i = 0; i < boot->image.wire_count; i++) {
        *number = boot->wires[i].client;
        enum nip_code code = check_wire(boot, i, packages, verdict);
        if (code != NIP_OK)
            return code;
    }
    enum nip_code code = check_circles(boot, packages, number, verdict);
    if (code != NIP_OK)
        return code;
    for (uint32_t p = 0; p < boot->image.package_count; p++) {
        const struct nip_manifest *manifest = &packages[p].manifest;
        for (uint32_t i = 0; i < manifest->needs_count; i++) {
            bool is_wired = manifest->needs[i].optional != 0;
            for (uint32_t w = 0; w < boot->image.wire_count; w++)
                is_wired |= boot->wires[w].client == p &&
                            strcmp(boot->wires[w].service, manifest->needs[i].name) == 0;
            *number = p;
            if (!is_wired)
                return image_refuse(verdict, NIP_ERROR_CONFLICT, RUMPK_REFUSE_NEED_MISSING,
                                    "%s needs service \"%s\", which is not wired",
                                    manifest->identity.name, manifest->needs[i].name);
        }
    }
    return NIP_OK;
}
