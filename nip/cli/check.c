// SPDX-License-Identifier: Apache-2.0
//
// Checking a whole package: nothing that states something about it may contradict anything else.

#include "check.h"

#include <stdio.h>
#include <string.h>

#include "nip/bkdl.h"
#include "nip/elf.h"
#include "nip/source.h"

enum nip_code key_list_keys_for(void *context, const char *name, const struct nip_public_key **keys,
                                size_t *key_count, struct nip_error *err)
{
    (void)name;
    (void)err;
    const struct key_list *list = context;
    *keys = list->keys;
    *key_count = list->count;
    return NIP_OK;
}

static enum nip_code find_file(const struct nip_package *package, const char *path,
                               const uint8_t **data, size_t *size, struct nip_error *err)
{
    if (nip_package_file(package, path, data, size))
        return NIP_OK;
    return nip_error_set(err, NIP_ERROR_SCHEMA, "the package has no file %s", path);
}

static enum nip_code check_header(const struct nip_digests *digests,
                                  const struct nip_manifest *manifest, struct nip_error *err)
{
    const struct rumpk_bkdl_identity *identity = &manifest->identity;
    uint32_t mask = 0;
    for (unsigned arch = 0; arch < NIP_ARCH_COUNT; arch++)
        if (digests->archs[arch])
            mask |= RUMPK_ARCH_BIT(nip_arch_number((enum nip_arch)arch));
    const char *field = NULL;
    if (strcmp(digests->name, identity->name) != 0)
        field = "name";
    else if (strcmp(digests->version, identity->version) != 0)
        field = "version";
    else if (strcmp(nip_kind_text(digests->kind), nip_kind_name(identity->kind)) != 0)
        field = "kind";
    else if (digests->security_version != identity->security_version)
        field = "security-version";
    else if (digests->abi != identity->abi_version)
        field = "abi";
    else if (mask != identity->arch_mask)
        field = "arch";
    if (field == NULL)
        return NIP_OK;
    return nip_error_set(err, NIP_ERROR_MISMATCH,
                         "'%s' in the digests differs from the manifest of the package", field);
}

static enum nip_code check_binaries(const struct checked_package *package, struct nip_error *err)
{
    const struct rumpk_bkdl_identity *identity = &package->manifest.identity;
    enum nip_code code = NIP_OK;
    for (unsigned i = 0; code == NIP_OK && i < NIP_ARCH_COUNT; i++) {
        enum nip_arch arch = (enum nip_arch)i;
        if ((identity->arch_mask & RUMPK_ARCH_BIT(nip_arch_number(arch))) == 0)
            continue;
        bool is_kernel = identity->kind == RUMPK_KIND_KERNEL;
        if (!is_kernel && identity->kind != RUMPK_KIND_DRIVER)
            continue;
        char path[64];
        const uint8_t *data = NULL;
        size_t size = 0;
        struct nip_elf_kernel kernel;
        snprintf(path, sizeof path, "%s/%s.elf", nip_arch_text(arch),
                 is_kernel ? "kernel" : "driver");
        code = find_file(package->package, path, &data, &size, err);
        if (code == NIP_OK && is_kernel) {
            code = nip_elf_check_kernel(data, size, path, &kernel, err);
            if (code == NIP_OK && kernel.arch != nip_arch_number(arch))
                code = nip_error_set(err, NIP_ERROR_MISMATCH, "%s is for another processor", path);
        } else if (code == NIP_OK) {
            code = nip_elf_check_driver(data, size, path, nip_arch_number(arch),
                                        identity->abi_version, NULL, NULL, err);
        }
    }
    return code;
}

static enum nip_code check_content(struct checked_package *package, struct nip_error *err)
{
    const uint8_t *text = NULL, *packed = NULL;
    size_t text_size = 0, packed_size = 0;
    struct nip_manifest decoded;
    enum nip_code code = find_file(package->package, NIP_MANIFEST_FILE, &text, &text_size, err);
    if (code == NIP_OK)
        code = find_file(package->package, NIP_BKDL_FILE, &packed, &packed_size, err);
    if (code == NIP_OK)
        code = nip_manifest_parse((const char *)text, text_size, NIP_MANIFEST_FILE,
                                  &package->manifest, err);
    if (code == NIP_OK)
        code = nip_bkdl_decode_package(packed, packed_size, NIP_BKDL_FILE, &decoded, err);
    if (code == NIP_OK)
        code = nip_bkdl_compare(&package->manifest, &decoded, err);
    if (code == NIP_OK)
        code = check_header(nip_package_digests(package->package), &package->manifest, err);
    const struct nip_digests_file *source;
    if (code == NIP_OK)
        code = nip_source_listed(nip_package_digests(package->package), &source, err);
    return code == NIP_OK ? check_binaries(package, err) : code;
}

enum nip_code checked_package_open(struct checked_package *package, const struct key_list *keys,
                                   const char *what, struct nip_error *err)
{
    struct key_list list = *keys;
    struct nip_package_trust trust = {key_list_keys_for, &list};
    struct nip_package_source source = {package->npl.data, package->npl.size, -1};
    if (package->npl.data == NULL)
        return nip_error_set(err, NIP_ERROR_TRUNCATED, "%s is empty", what);
    enum nip_code code = nip_package_load(&source, &trust, 0, &package->package, err);
    if (code == NIP_OK)
        code = check_content(package, err);
    if (code != NIP_OK) {
        nip_error_prefix(err, "%s: ", what);
        checked_package_free(package);
        return code;
    }
    nip_sha256_bytes(package->npl.data, package->npl.size, package->sha256);
    package->signers =
        (struct nip_lock_keys){.count = 1, .items = {*nip_package_key(package->package)}};
    package->threshold = 1;
    return NIP_OK;
}

void checked_package_free(struct checked_package *package)
{
    nip_package_close(package->package);
    package->package = NULL;
    nip_buffer_free(&package->npl);
}

bool checked_package_part(const struct checked_package *package, uint32_t arch,
                          struct nip_archive_part *part)
{
    char path[64];
    memset(part, 0, sizeof *part);
    snprintf(path, sizeof path, "%s/driver.elf", nip_arch_name(arch));
    part->digests =
        (const uint8_t *)nip_package_digests_text(package->package, &part->digests_size);
    memcpy(part->publisher_key, nip_package_key(package->package)->key, RUMPK_KEY_SIZE);
    memcpy(part->signature, nip_package_signature(package->package)->signature,
           RUMPK_SIGNATURE_SIZE);
    return nip_package_file(package->package, NIP_BKDL_FILE, &part->bkdl, &part->bkdl_size) &&
           nip_package_file(package->package, path, &part->elf, &part->elf_size);
}

const char *checked_package_name(const struct checked_package *package, char *out, size_t out_size)
{
    snprintf(out, out_size, "%s %s", package->manifest.identity.name,
             package->manifest.identity.version);
    return out;
}
