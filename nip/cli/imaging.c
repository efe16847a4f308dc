// SPDX-License-Identifier: Apache-2.0
//
// Resolving what an image holds, against the lock, and making images of it.

#include "imaging.h"

#include <stdlib.h>
#include <string.h>

#include "home.h"
#include "keystore.h"
#include "packing.h"
#include "progress.h"
#include "project.h"

void imaging_free(struct imaging *imaging)
{
    if (imaging == NULL)
        return;
    checked_package_free(&imaging->kernel);
    for (size_t i = 0; i < RUMPK_PACKAGES_MAX; i++)
        checked_package_free(&imaging->packages[i]);
    free(imaging);
}

void imaging_lock_entry(const struct checked_package *package, const char *alias,
                        struct nip_lock_package *entry)
{
    const struct rumpk_bkdl_identity *identity = &package->manifest.identity;
    memset(entry, 0, sizeof *entry);
    snprintf(entry->name, sizeof entry->name, "%.65s", identity->name);
    snprintf(entry->version, sizeof entry->version, "%.64s", identity->version);
    snprintf(entry->registry, sizeof entry->registry, "%s", alias);
    memcpy(entry->id, nip_package_id(package->package), sizeof entry->id);
    entry->size = package->npl.size;
    memcpy(entry->sha256, package->sha256, sizeof entry->sha256);
    entry->keys = package->signers;
    entry->security_floor = identity->security_version;
    nip_manifest_capability_digest(&package->manifest, entry->capabilities);
}

enum nip_code imaging_sdk_package(const struct cli *cli, struct decisions *decisions,
                                  const char *name, const char *version,
                                  struct checked_package *package, struct nip_error *err)
{
    struct registry *registry = NULL;
    char alias[NIP_TRUST_ALIAS_SIZE];
    enum nip_code code =
        resolve_registry(decisions, NIP_TRUST_SDK_ALIAS, name, false, &registry, NULL, alias, err);
    struct resolve_request request = {
        .name = name, .version = version, .alias = alias, .registry = registry};
    if (code == NIP_OK)
        code = resolve_package(cli, decisions, &request, package, err);
    registry_close(registry);
    return code;
}

enum nip_code imaging_local_package(const struct cli *cli, struct sdk *sdk, const char *path,
                                    struct checked_package *package, struct nip_error *err)
{
    struct nip_manifest manifest;
    struct nip_pack pack = {0};
    struct nip_buffer digests = {0};
    struct nip_secret_key key;
    memset(package, 0, sizeof *package);
    enum nip_code code = project_read_manifest(path, &manifest, err);
    if (code == NIP_OK)
        code = packing_collect(cli, sdk, path, &manifest, false, &pack, &digests, err);
    if (code == NIP_OK)
        code = keystore_development(&key, err);
    if (code == NIP_OK) {
        code = packing_sign(&pack, &digests, manifest.identity.name, manifest.identity.version,
                            &key, package, err);
        nip_wipe(&key, sizeof key);
    }
    nip_buffer_free(&digests);
    nip_pack_free(&pack);
    return code;
}

// Says what differs from the lock: "package id", "publisher key" ..., or NULL.
static const char *lock_difference(const struct nip_lock_package *locked,
                                   const struct nip_lock_package *found)
{
    if (memcmp(locked->id, found->id, sizeof locked->id) != 0)
        return "package id";
    if (!nip_lock_keys_include(&found->keys, &locked->keys))
        return "publisher key";
    if (locked->size != found->size || memcmp(locked->sha256, found->sha256, NIP_DIGEST_SIZE) != 0)
        return "file";
    if (strcmp(locked->registry, found->registry) != 0)
        return "registry";
    if (locked->security_floor > found->security_floor)
        return "security-version";
    if (memcmp(locked->capabilities, found->capabilities, NIP_DIGEST_SIZE) != 0)
        return "set of capabilities";
    return NULL;
}

static enum nip_code follow_lock(const struct cli *cli, struct nip_lock *lock, bool may_relock,
                                 const struct nip_lock_package *found, struct nip_error *err)
{
    struct nip_lock_package *locked = nip_lock_find(lock, found->name, found->version);
    const char *difference = locked != NULL ? lock_difference(locked, found) : NULL;
    // Where the project asks for more signatures than before, more of them are noted.
    if (locked != NULL && difference == NULL && nip_lock_keys_include(&locked->keys, &found->keys))
        return NIP_OK;
    bool is_sdk = strcmp(found->registry, NIP_TRUST_SDK_ALIAS) == 0;
    if (difference != NULL && !(is_sdk && may_relock)) {
        nip_error_set(err, NIP_ERROR_MISMATCH,
                      "%s %s: the registry '%s' has another %s than %s names", found->name,
                      found->version, found->registry, difference, NIP_LOCK_FILE);
        if (is_sdk)
            nip_error_hint(err, "if you have installed another SDK on purpose, accept it with "
                                "--relock");
        else
            nip_error_hint(err,
                           "one version must always be the same bytes: treat this as an "
                           "attack, and ask the publisher\nif it is meant, remove the "
                           "package's lines from %s and run 'nip add %s' again",
                           NIP_LOCK_FILE, found->name);
        return NIP_ERROR_MISMATCH;
    }
    cli_say(cli, "locked     %s %s", found->name, found->version);
    return nip_lock_put(lock, found, err);
}

static enum nip_code resolve_from_registry(const struct cli *cli, struct decisions *decisions,
                                           const struct nip_imagedef_package *wanted,
                                           struct nip_lock *lock, bool may_relock,
                                           struct checked_package *package, struct nip_error *err)
{
    const struct nip_lock_package *locked =
        lock != NULL ? nip_lock_find(lock, wanted->name, wanted->version) : NULL;
    // What another registry had under this name and version does not count.
    if (locked != NULL && strcmp(locked->registry, wanted->registry) != 0)
        locked = NULL;
    struct resolve_request request = {.name = wanted->name,
                                      .version = wanted->version,
                                      .alias = wanted->registry,
                                      .locked = locked};
    enum nip_code code = resolve_package(cli, decisions, &request, package, err);
    if (code == NIP_OK && lock != NULL) {
        struct nip_lock_package found;
        imaging_lock_entry(package, wanted->registry, &found);
        code = follow_lock(cli, lock, may_relock, &found, err);
    }
    return code;
}

static enum nip_code resolve_from_path(const struct cli *cli, struct decisions *decisions,
                                       const struct nip_imagedef_package *wanted,
                                       struct nip_lock *lock, struct checked_package *package,
                                       struct nip_error *err)
{
    enum nip_code code = imaging_local_package(cli, &decisions->sdk, wanted->path, package, err);
    const struct rumpk_bkdl_identity *identity = &package->manifest.identity;
    if (code == NIP_OK && (strcmp(identity->name, wanted->name) != 0 ||
                           strcmp(identity->version, wanted->version) != 0)) {
        nip_error_set(err, NIP_ERROR_MISMATCH, "%s is %s %s; %s names it %s %s", wanted->path,
                      identity->name, identity->version, NIP_IMAGEDEF_FILE, wanted->name,
                      wanted->version);
        nip_error_hint(err, "take the new one: nip add --path %s", wanted->path);
        return NIP_ERROR_MISMATCH;
    }
    if (code == NIP_OK && lock != NULL) {
        struct nip_lock_package entry = {0};
        snprintf(entry.name, sizeof entry.name, "%.65s", wanted->name);
        snprintf(entry.version, sizeof entry.version, "%.64s", wanted->version);
        code = home_lock_path(".", wanted->path, entry.path, sizeof entry.path, err);
        if (code == NIP_OK)
            code = nip_lock_put(lock, &entry, err);
    }
    return code;
}

static enum nip_code resolve_kernel(const struct cli *cli, struct decisions *decisions,
                                    struct nip_lock *lock, bool may_relock,
                                    struct checked_package *kernel, struct nip_error *err)
{
    const struct nip_lock_package *locked =
        lock != NULL && !may_relock ? nip_lock_find(lock, IMAGING_KERNEL_NAME, NULL) : NULL;
    enum nip_code code = imaging_sdk_package(cli, decisions, IMAGING_KERNEL_NAME,
                                             locked != NULL ? locked->version : NULL, kernel, err);
    if (code == NIP_OK && lock != NULL) {
        struct nip_lock_package found;
        imaging_lock_entry(kernel, NIP_TRUST_SDK_ALIAS, &found);
        if (may_relock)
            while (nip_lock_find(lock, IMAGING_KERNEL_NAME, NULL) != NULL &&
                   nip_lock_find(lock, IMAGING_KERNEL_NAME, found.version) == NULL)
                nip_lock_remove(lock, IMAGING_KERNEL_NAME, NULL);
        code = follow_lock(cli, lock, may_relock, &found, err);
    }
    return code;
}

static enum nip_code follow_sdk(struct nip_lock *lock, const struct sdk *sdk, bool may_relock,
                                struct nip_error *err)
{
    if (lock->sdk[0] != '\0' && strcmp(lock->sdk, sdk->id) != 0 && !may_relock) {
        nip_error_set(err, NIP_ERROR_MISMATCH, "%s was made with the SDK %s, and this is %s",
                      NIP_LOCK_FILE, lock->sdk, sdk->id);
        nip_error_hint(err, "use that SDK (RUMPK_SDK), or accept this one with --relock");
        return NIP_ERROR_MISMATCH;
    }
    snprintf(lock->sdk, sizeof lock->sdk, "%s", sdk->id);
    return NIP_OK;
}

// (What a workspace does not use any more goes when libraries are chosen for it, and with nip
// remove.)
static void drop_unused(struct nip_lock *lock, const struct nip_imagedef *imagedef)
{
    for (size_t i = lock->package_count; i-- > 0;) {
        const struct nip_lock_package *entry = &lock->packages[i];
        bool used = strcmp(entry->name, IMAGING_KERNEL_NAME) == 0;
        for (uint32_t p = 0; !used && p < imagedef->package_count; p++)
            used = strcmp(imagedef->packages[p].name, entry->name) == 0 &&
                   strcmp(imagedef->packages[p].version, entry->version) == 0;
        if (!used)
            nip_lock_remove(lock, entry->name, entry->version);
    }
}

enum nip_code imaging_resolve(const struct cli *cli, struct decisions *decisions,
                              const struct nip_imagedef *imagedef, struct nip_lock *lock,
                              bool may_relock, struct imaging *imaging, struct nip_error *err)
{
    imaging->imagedef = imagedef;
    uint32_t mask = 0;
    struct progress progress = {0};
    enum nip_code code = NIP_OK;
    if (lock != NULL)
        code = follow_sdk(lock, &decisions->sdk, may_relock, err);
    if (code == NIP_OK)
        code = resolve_kernel(cli, decisions, lock, may_relock, &imaging->kernel, err);
    progress_begin(&progress, cli, "packages", imagedef->package_count);
    for (uint32_t i = 0; code == NIP_OK && i < imagedef->package_count; i++) {
        const struct nip_imagedef_package *wanted = &imagedef->packages[i];
        struct checked_package *package = &imaging->packages[i];
        progress_step(&progress, wanted->name);
        if (wanted->path[0] != '\0') {
            imaging->has_local_work = true;
            code = resolve_from_path(cli, decisions, wanted, lock, package, err);
        } else {
            code = resolve_from_registry(cli, decisions, wanted, lock, may_relock, package, err);
        }
        if (code != NIP_OK)
            break;
        imaging->security_floors[i] = package->manifest.identity.security_version;
        mask |= package->manifest.identity.arch_mask &
                (wanted->arch_mask != 0 ? wanted->arch_mask : (uint32_t)ARCH_MASK_ALL);
    }
    progress_end(&progress);
    if (code != NIP_OK)
        return code;
    imaging->arch_mask = imagedef->package_count != 0 ? mask : (uint32_t)ARCH_MASK_ALL;
    imaging->arch_mask &= imaging->kernel.manifest.identity.arch_mask;
    bool is_shared = false;
    if (lock != NULL)
        code = home_is_shared(".", &is_shared, err);
    if (code == NIP_OK && lock != NULL && !is_shared)
        drop_unused(lock, imagedef);
    return code;
}

static enum nip_code sign_boot_manifest(void *context, const void *data, size_t size,
                                        uint8_t signature[RUMPK_SIGNATURE_SIZE],
                                        struct nip_error *err)
{
    (void)err;
    const struct nip_secret_key *key = context;
    nip_sign_prehashed(key->secret, data, size, signature);
    return NIP_OK;
}

static bool has_signed(const struct nip_lock_keys *signers, const struct nip_public_key *key)
{
    for (size_t i = 0; i < signers->count; i++)
        if (nip_public_key_equals(&signers->items[i], key))
            return true;
    return false;
}

static enum nip_code refuse_release(const struct imaging *imaging,
                                    const struct nip_public_key *owner, struct nip_error *err)
{
    if (imaging->has_local_work) {
        nip_error_set(err, NIP_ERROR_UNTRUSTED,
                      "a package from a path cannot be part of an image for release");
        nip_error_hint(err, "publish it and 'nip add' it, or leave out --key for a development "
                            "image");
        return NIP_ERROR_UNTRUSTED;
    }
    for (uint32_t i = 0; i < imaging->imagedef->package_count; i++) {
        const struct nip_public_key *key = nip_package_key(imaging->packages[i].package);
        const char *name = imaging->imagedef->packages[i].name;
        if (keystore_is_development(key->key)) {
            nip_error_set(err, NIP_ERROR_UNTRUSTED,
                          "%s is signed with a development key: not for release", name);
            nip_error_hint(err, "publish it again with a key of your own");
            return NIP_ERROR_UNTRUSTED;
        }
        if (has_signed(&imaging->packages[i].signers, owner)) {
            nip_error_set(err, NIP_ERROR_KEY,
                          "the owner's key of the image is also the publisher's key of %s", name);
            nip_error_hint(err, "make a key for images: nip key new owner, then: nip image --key "
                                "owner");
            return NIP_ERROR_KEY;
        }
    }
    return NIP_OK;
}

static void set_signers(const struct checked_package *package, struct nip_image_package *to)
{
    _Static_assert(RUMPK_KEYS_MAX >= NIP_LOCK_KEYS_MAX, "a boot manifest has room for all signers");
    to->threshold = package->threshold;
    for (size_t i = 0; i < package->signers.count; i++)
        memcpy(to->signers[to->signer_count++].key, package->signers.items[i].key, RUMPK_KEY_SIZE);
}

enum nip_code imaging_build(const struct imaging *imaging, const struct sdk *sdk,
                            const struct nip_secret_key *owner, uint32_t arch,
                            struct nip_buffer *image, struct nip_image_report **report,
                            struct nip_error *err)
{
    *report = NULL;
    struct nip_secret_key key = {0};
    struct nip_public_key public;
    enum nip_code code = NIP_OK;
    if (owner != NULL)
        key = *owner;
    else
        code = keystore_development(&key, err);
    nip_secret_key_public(&key, &public);
    if (code == NIP_OK && owner != NULL)
        code = refuse_release(imaging, &public, err);
    char path[64];
    struct nip_image_input input = {.arch = arch,
                                    .imagedef = imaging->imagedef,
                                    .is_development = owner == NULL || sdk->is_development,
                                    .sign = sign_boot_manifest,
                                    .sign_context = &key};
    snprintf(path, sizeof path, "%s/kernel.elf", nip_arch_name(arch));
    memcpy(input.owner_key, public.key, sizeof input.owner_key);
    if (code == NIP_OK &&
        !nip_package_file(imaging->kernel.package, path, &input.kernel, &input.kernel_size)) {
        code = nip_error_set(err, NIP_ERROR_MISSING, "the SDK has no kernel for %s",
                             nip_arch_name(arch));
        nip_error_hint(err, "install the whole SDK, or choose with --arch");
    }
    struct nip_image_package *packages = calloc(RUMPK_PACKAGES_MAX, sizeof *packages);
    if (packages == NULL) {
        nip_wipe(&key, sizeof key);
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the image");
    }
    for (uint32_t i = 0; code == NIP_OK && i < imaging->imagedef->package_count; i++) {
        uint32_t mask = imaging->imagedef->packages[i].arch_mask;
        packages[i].security_floor = imaging->security_floors[i];
        set_signers(&imaging->packages[i], &packages[i]);
        packages[i].is_present =
            (mask == 0 || (mask & RUMPK_ARCH_BIT(arch)) != 0) &&
            checked_package_part(&imaging->packages[i], arch, &packages[i].part);
    }
    input.packages = packages;
    if (code == NIP_OK)
        code = nip_image_build(&input, image, report, err);
    nip_wipe(&key, sizeof key);
    free(packages);
    return code;
}

// The console drivers of the machines, each once, with the architectures that use it.
static enum nip_code add_console(const struct cli *cli, struct decisions *decisions, uint32_t arch,
                                 struct nip_imagedef *imagedef, struct nip_lock *lock,
                                 struct nip_error *err)
{
    struct nip_machine machine = {0};
    char name[NIP_NAME_MAX + 1];
    enum nip_code code = sdk_machine(&decisions->sdk, arch, NULL, &machine, err);
    if (code != NIP_OK)
        return code;
    snprintf(name, sizeof name, "rumpk/%.32s", machine.console_driver);
    nip_machine_free(&machine);
    for (uint32_t i = 0; i < imagedef->package_count; i++)
        if (strcmp(imagedef->packages[i].name, name) == 0) {
            imagedef->packages[i].arch_mask |= RUMPK_ARCH_BIT(arch);
            return NIP_OK;
        }
    struct checked_package package = {0};
    code = imaging_sdk_package(cli, decisions, name, NULL, &package, err);
    if (code == NIP_OK)
        code = nip_imagedef_add(imagedef, &package.manifest, NIP_TRUST_SDK_ALIAS, "", err);
    if (code == NIP_OK) {
        struct nip_lock_package entry;
        imagedef->packages[imagedef->package_count - 1].arch_mask = RUMPK_ARCH_BIT(arch);
        imaging_lock_entry(&package, NIP_TRUST_SDK_ALIAS, &entry);
        code = nip_lock_put(lock, &entry, err);
    }
    checked_package_free(&package);
    return code;
}

enum nip_code imaging_new(const struct cli *cli, struct decisions *decisions,
                          struct nip_buffer *text, struct nip_lock **lock, struct nip_error *err)
{
    struct nip_imagedef *imagedef = nip_imagedef_new();
    struct checked_package kernel = {0};
    *lock = calloc(1, sizeof **lock);
    if (imagedef == NULL || *lock == NULL) {
        nip_imagedef_free(imagedef);
        free(*lock);
        *lock = NULL;
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the image");
    }
    enum nip_code code = follow_sdk(*lock, &decisions->sdk, false, err);
    if (code == NIP_OK)
        code = imaging_sdk_package(cli, decisions, IMAGING_KERNEL_NAME, NULL, &kernel, err);
    if (code == NIP_OK) {
        struct nip_lock_package entry;
        imaging_lock_entry(&kernel, NIP_TRUST_SDK_ALIAS, &entry);
        code = nip_lock_put(*lock, &entry, err);
    }
    for (size_t a = 0; code == NIP_OK && a < RUMPK_ARCH_COUNT; a++)
        if ((kernel.manifest.identity.arch_mask & RUMPK_ARCH_BIT(arch_all[a])) != 0)
            code = add_console(cli, decisions, arch_all[a], imagedef, *lock, err);
    for (uint32_t i = 0; code == NIP_OK && i < imagedef->package_count; i++) {
        nip_buffer_append_byte(text, '\n');
        nip_imagedef_print_package(&imagedef->packages[i], text);
    }
    checked_package_free(&kernel);
    nip_imagedef_free(imagedef);
    if (code != NIP_OK) {
        free(*lock);
        *lock = NULL;
    }
    return code;
}
