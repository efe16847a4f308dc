// SPDX-License-Identifier: Apache-2.0
//
// Comparing images: what the owner lets each package do. Packages are matched by name; what they
// request is compared too, for a grant means what the request of its name says.

#include <stdio.h>
#include <string.h>

#include "diff_parts.h"
#include "nip/bkdl.h"

static const struct nip_boot_package *boot_of(const struct nip_image_report *report, uint32_t index)
{
    return &report->boot->packages[index];
}

static const char *name_of(const struct nip_image_report *report, uint32_t index)
{
    return index < report->package_count ? report->packages[index].manifest.identity.name : "?";
}

// The number of the package of that name, or package_count.
static uint32_t find_package(const struct nip_image_report *report, const char *name)
{
    uint32_t i = 0;
    while (i < report->package_count && strcmp(name_of(report, i), name) != 0)
        i++;
    return i;
}

// ---- what a package may do ----

static void diff_flags(const char *name, uint32_t a, uint32_t b, struct nip_changes *changes)
{
    static const struct {
        uint32_t flag;
        const char *words;
    } flags[] = {
        {RUMPK_PACKAGE_DMA, "hold DMA memory"},
        {RUMPK_PACKAGE_DELEGATE, "grant what it holds to others"},
        {RUMPK_PACKAGE_OBSERVE, "see statistics and faults of the others"},
    };
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        bool had = (a & flags[i].flag) != 0, has = (b & flags[i].flag) != 0;
        if (had != has)
            nip_changes_add(changes, has ? NIP_CHANGE_GREW : NIP_CHANGE_SHRANK,
                            NIP_CHANGE_CAPABILITIES, name, "%s %s",
                            has ? "may now" : "may no longer", flags[i].words);
    }
}

static const struct rumpk_bkdl_grant *find_grant(const struct nip_boot_package *package,
                                                 const struct rumpk_bkdl_grant *wanted)
{
    for (uint32_t i = 0; i < package->grant_count; i++)
        if (strcmp(package->grants[i].name, wanted->name) == 0 &&
            package->grants[i].type == wanted->type)
            return &package->grants[i];
    return NULL;
}

static void diff_grant(const char *name, const struct rumpk_bkdl_grant *a,
                       const struct rumpk_bkdl_grant *b, struct nip_changes *changes)
{
    char what[RUMPK_LABEL_SIZE + 32];
    snprintf(what, sizeof what, "granted size of \"%s\"", b->name);
    diff_size(changes, NIP_CHANGE_CAPABILITIES, name, what, a->size, b->size);
    if (a->rights != b->rights)
        nip_changes_add(changes,
                        (b->rights & ~a->rights) != 0 ? NIP_CHANGE_GREW : NIP_CHANGE_SHRANK,
                        NIP_CHANGE_CAPABILITIES, name, "granted rights of \"%s\": 0x%x -> 0x%x",
                        b->name, (unsigned)a->rights, (unsigned)b->rights);
    bool is_same_device = a->bus == b->bus && a->device_id == b->device_id &&
                          a->vendor_id == b->vendor_id && a->class_code == b->class_code &&
                          a->bar == b->bar && a->index == b->index &&
                          strcmp(a->compatible, b->compatible) == 0;
    if (!is_same_device)
        nip_changes_add(changes, NIP_CHANGE_GREW, NIP_CHANGE_CAPABILITIES, name,
                        "is given another device as \"%s\"", b->name);
}

// Says in the words of the request what a grant gives.
static void say_grant(const struct nip_manifest *manifest, const struct rumpk_bkdl_grant *grant,
                      bool is_new, struct nip_changes *changes)
{
    struct nip_buffer words = {0};
    const struct rumpk_bkdl_request *request = nip_manifest_request(manifest, grant->name);
    if (request != NULL)
        nip_manifest_request_words(request, &words);
    else
        nip_buffer_append_format(&words, "use what is called \"%s\"", grant->name);
    nip_changes_add(changes, is_new ? NIP_CHANGE_GREW : NIP_CHANGE_SHRANK, NIP_CHANGE_CAPABILITIES,
                    manifest->identity.name, "%s %s", is_new ? "may now" : "may no longer",
                    nip_buffer_text(&words));
    nip_buffer_free(&words);
}

static void diff_grants(const struct nip_manifest *from_manifest, const struct nip_boot_package *a,
                        const struct nip_manifest *to_manifest, const struct nip_boot_package *b,
                        struct nip_changes *changes)
{
    for (uint32_t i = 0; i < a->grant_count; i++)
        if (find_grant(b, &a->grants[i]) == NULL)
            say_grant(from_manifest, &a->grants[i], false, changes);
    for (uint32_t i = 0; i < b->grant_count; i++) {
        const struct rumpk_bkdl_grant *old = find_grant(a, &b->grants[i]);
        if (old == NULL)
            say_grant(to_manifest, &b->grants[i], true, changes);
        else
            diff_grant(to_manifest->identity.name, old, &b->grants[i], changes);
    }
}

static void diff_pinned_keys(const char *name, const struct nip_boot_package *a,
                             const struct nip_boot_package *b, bool is_new,
                             struct nip_changes *changes)
{
    for (uint32_t i = 0; i < b->key_count; i++) {
        char text[20];
        bool is_there = false;
        for (uint32_t k = 0; k < a->key_count; k++)
            is_there = is_there || memcmp(a->keys[k].key, b->keys[i].key, RUMPK_KEY_SIZE) == 0;
        if (is_there)
            continue;
        diff_key_text(b->keys[i].key, text);
        nip_changes_add(changes, is_new ? NIP_CHANGE_GREW : NIP_CHANGE_SHRANK, NIP_CHANGE_KEYS,
                        name, "%s the publisher's key %s",
                        is_new ? "now accepts" : "no longer accepts", text);
    }
}

static void diff_limits(const char *name, const struct rumpk_bkdl_package *a,
                        const struct rumpk_bkdl_package *b, struct nip_changes *changes)
{
    if (a->spectrum != b->spectrum)
        nip_changes_add(changes, diff_kind_of(b->spectrum, a->spectrum), NIP_CHANGE_CAPABILITIES,
                        name, "runs in the spectrum: %s -> %s", nip_spectrum_name(a->spectrum),
                        nip_spectrum_name(b->spectrum));
    diff_size(changes, NIP_CHANGE_CAPABILITIES, name, "stack limit", a->stack_max, b->stack_max);
    diff_size(changes, NIP_CHANGE_CAPABILITIES, name, "heap limit", a->heap_max, b->heap_max);
    diff_number(changes, NIP_CHANGE_CAPABILITIES, name, "allowed processor time per window (us)",
                a->budget_us, b->budget_us);
    if (a->pledge != b->pledge)
        nip_changes_add(changes,
                        (b->pledge & ~a->pledge) != 0 ? NIP_CHANGE_GREW : NIP_CHANGE_SHRANK,
                        NIP_CHANGE_CAPABILITIES, name, "classes of calls left: 0x%llx -> 0x%llx",
                        (unsigned long long)a->pledge, (unsigned long long)b->pledge);
    if (a->security_floor != b->security_floor)
        nip_changes_add(changes, diff_kind_of(b->security_floor, a->security_floor),
                        NIP_CHANGE_IDENTITY, name, "security floor: %u -> %u",
                        (unsigned)a->security_floor, (unsigned)b->security_floor);
    if (a->threshold != b->threshold)
        nip_changes_add(changes, diff_kind_of(b->threshold, a->threshold), NIP_CHANGE_KEYS, name,
                        "keys that must have signed: %u -> %u", (unsigned)a->threshold,
                        (unsigned)b->threshold);
    if (a->restart != b->restart || a->restart_limit != b->restart_limit ||
        a->restart_window_s != b->restart_window_s)
        nip_changes_add(changes, NIP_CHANGE_OTHER, NIP_CHANGE_CAPABILITIES, name,
                        "another restart policy");
}

static void diff_package(const struct nip_image_report *a, uint32_t from,
                         const struct nip_image_report *b, uint32_t to, struct nip_changes *changes)
{
    const struct nip_image_report_package *before = &a->packages[from], *after = &b->packages[to];
    const struct nip_boot_package *old = boot_of(a, from), *new = boot_of(b, to);
    const char *name = name_of(b, to);
    char from_id[20], to_id[20];
    nip_diff_manifests(&before->manifest, &after->manifest, changes);
    diff_flags(name, old->package.flags, new->package.flags, changes);
    diff_grants(&before->manifest, old, &after->manifest, new, changes);
    diff_limits(name, &old->package, &new->package, changes);
    diff_pinned_keys(name, new, old, false, changes);
    diff_pinned_keys(name, old, new, true, changes);
    diff_id_text(before->package_id, from_id);
    diff_id_text(after->package_id, to_id);
    if (memcmp(before->package_id, after->package_id, RUMPK_DIGEST_SIZE) != 0)
        nip_changes_add(changes, NIP_CHANGE_OTHER, NIP_CHANGE_PACKAGES, name,
                        "package id: %s -> %s", from_id, to_id);
    diff_size(changes, NIP_CHANGE_SIZES, name, "driver file", before->elf_size, after->elf_size);
    diff_size(changes, NIP_CHANGE_SIZES, name, "memory", before->memory_size, after->memory_size);
    if (old->config_size != new->config_size ||
        memcmp(old->config, new->config, new->config_size) != 0)
        nip_changes_add(changes, NIP_CHANGE_OTHER, NIP_CHANGE_PACKAGES, name,
                        "another configuration text");
    if ((old->package.spawner == 0) != (new->package.spawner == 0))
        nip_changes_add(changes, NIP_CHANGE_OTHER, NIP_CHANGE_PACKAGES, name,
                        new->package.spawner == 0 ? "now starts at boot"
                                                  : "is now started by another package only");
}

// ---- the whole ----

static void say_new(const struct nip_image_report *report, uint32_t index,
                    struct nip_changes *changes)
{
    const struct nip_image_report_package *package = &report->packages[index];
    const struct nip_boot_package *boot = boot_of(report, index);
    char key[20];
    diff_key_text(package->publisher_key, key);
    nip_changes_add(changes, NIP_CHANGE_GREW, NIP_CHANGE_PACKAGES, name_of(report, index),
                    "new: %s, signed with the key %s%s", package->manifest.identity.version, key,
                    boot->package.threshold > 1 ? " and others" : "");
    for (uint32_t i = 0; i < boot->grant_count; i++)
        say_grant(&package->manifest, &boot->grants[i], true, changes);
    diff_flags(name_of(report, index), 0, boot->package.flags, changes);
}

static bool has_wire(const struct nip_image_report *report, const char *service, const char *client,
                     const char *server)
{
    for (uint32_t i = 0; i < report->boot->image.wire_count; i++) {
        const struct rumpk_bkdl_wire *wire = &report->boot->wires[i];
        if (strcmp(wire->service, service) == 0 &&
            strcmp(name_of(report, wire->client), client) == 0 &&
            strcmp(name_of(report, wire->server), server) == 0)
            return true;
    }
    return false;
}

// The wires of `b` that `a` lacks.
static void diff_wires(const struct nip_image_report *a, const struct nip_image_report *b,
                       bool is_new, struct nip_changes *changes)
{
    for (uint32_t i = 0; i < b->boot->image.wire_count; i++) {
        const struct rumpk_bkdl_wire *wire = &b->boot->wires[i];
        const char *client = name_of(b, wire->client), *server = name_of(b, wire->server);
        if (!has_wire(a, wire->service, client, server))
            nip_changes_add(changes, is_new ? NIP_CHANGE_GREW : NIP_CHANGE_SHRANK, NIP_CHANGE_WIRES,
                            client, "%s \"%s\" of %s", is_new ? "now uses" : "no longer uses",
                            wire->service, server);
    }
}

static void diff_whole(const struct nip_image_report *a, const struct nip_image_report *b,
                       struct nip_changes *changes)
{
    const struct rumpk_bkdl_image *from = &a->boot->image, *to = &b->boot->image;
    char before[20], after[20];
    bool was_development = (from->flags & RUMPK_IMAGE_DEVELOPMENT) != 0;
    bool is_development = (to->flags & RUMPK_IMAGE_DEVELOPMENT) != 0;
    if (strcmp(from->name, to->name) != 0 || strcmp(from->version, to->version) != 0)
        nip_changes_add(changes, NIP_CHANGE_OTHER, NIP_CHANGE_IDENTITY, "", "image: %s %s -> %s %s",
                        from->name, from->version, to->name, to->version);
    if (a->arch != b->arch)
        nip_changes_add(changes, NIP_CHANGE_OTHER, NIP_CHANGE_IDENTITY, "",
                        "architecture: %s -> %s", nip_arch_name(a->arch), nip_arch_name(b->arch));
    if (was_development != is_development)
        nip_changes_add(changes, is_development ? NIP_CHANGE_GREW : NIP_CHANGE_SHRANK,
                        NIP_CHANGE_KEYS, "", "%s",
                        is_development ? "is now a development image"
                                       : "is no longer a development image");
    diff_key_text(a->owner_key, before);
    diff_key_text(b->owner_key, after);
    if (memcmp(a->owner_key, b->owner_key, RUMPK_KEY_SIZE) != 0)
        nip_changes_add(changes, NIP_CHANGE_GREW, NIP_CHANGE_KEYS, "",
                        "signed by another owner: %s -> %s", before, after);
    diff_id_text(a->kernel_digest, before);
    diff_id_text(b->kernel_digest, after);
    if (memcmp(a->kernel_digest, b->kernel_digest, RUMPK_DIGEST_SIZE) != 0)
        nip_changes_add(changes, NIP_CHANGE_OTHER, NIP_CHANGE_IDENTITY, "",
                        "another kernel: %s -> %s", before, after);
    diff_size(changes, NIP_CHANGE_SIZES, "", "kernel in memory", a->kernel_loaded,
              b->kernel_loaded);
    diff_size(changes, NIP_CHANGE_SIZES, "", "image file", a->image_size, b->image_size);
}

void nip_diff_images(const struct nip_image_report *a, const struct nip_image_report *b,
                     struct nip_changes *changes)
{
    diff_whole(a, b, changes);
    for (uint32_t i = 0; i < a->package_count; i++)
        if (find_package(b, name_of(a, i)) == b->package_count)
            nip_changes_add(changes, NIP_CHANGE_SHRANK, NIP_CHANGE_PACKAGES, name_of(a, i),
                            "gone: %s", a->packages[i].manifest.identity.version);
    for (uint32_t i = 0; i < b->package_count; i++) {
        uint32_t before = find_package(a, name_of(b, i));
        if (before == a->package_count)
            say_new(b, i, changes);
        else
            diff_package(a, before, b, i, changes);
    }
    diff_wires(b, a, false, changes);
    diff_wires(a, b, true, changes);
}
