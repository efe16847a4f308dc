// SPDX-License-Identifier: Apache-2.0
//
// nip-tamper: changes a finished image the way an attacker, a bad cable or another publisher would,
// so that tests can show that the kernel refuses it, and for which reason. Nobody installs it.
//
//   nip-tamper IN OUT copy                               nothing: the control
//   nip-tamper IN OUT flip PACKAGE PART OFFSET [MASK]    exclusive-or of one byte (MASK: 0x01)
//        PART: digests bkdl elf key signature entry padding (the bytes after the driver file)
//   nip-tamper IN OUT flip boot PART OFFSET [MASK]
//        PART: manifest signature header padding (after the manifest) owner-key kernel
//   nip-tamper IN OUT resign PACKAGE KEY                 a valid signature by another key
//   nip-tamper IN OUT swap PACKAGE PACKAGE               two packages change places
//   nip-tamper IN OUT replace-elf PACKAGE ELF PUBLISHER-KEY OWNER-KEY
//        another driver file, with everything around it made to fit and signed: digests,
//        publisher's signature, package id, boot manifest, owner's signature. What is refused then
//        is the file itself.
//   nip-tamper IN OUT parts FOLDER PUBLISHER-KEY OWNER-KEY
//        FOLDER/N.digests, N.bkdl, N.elf (of package number N) and FOLDER/boot.bkdl in place of
//        these parts, whatever they hold; every signature is made anew, nothing else
//
// Keys are secret key files without password.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image_parts.h"
#include "nip/crypto.h"
#include "nip/digests.h"
#include "nip/fs.h"
#include "nip/minisign.h"
#include "nip_tamper_boot.h"

enum { IMAGE_SIZE_MAX = 128 << 20, KEY_FILE_SIZE_MAX = 4096 };

static struct nip_error err;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "nip-tamper: %s%s%s\n", what, err.message[0] ? ": " : "", err.message);
    exit(1);
}

static void must(enum nip_code code, const char *what)
{
    if (code != NIP_OK)
        fail(what);
}

// The image taken apart. `archive` points into `image`.
struct parts {
    struct nip_buffer image, kernel;
    struct rumpk_image_header header;
    const uint8_t *archive_bytes;
    struct nip_archive archive;
    struct nip_boot *boot;
};

static void take_apart(struct parts *parts, const char *file)
{
    must(nip_fs_read(file, IMAGE_SIZE_MAX, &parts->image, &err), file);
    must(image_split(parts->image.data, parts->image.size, file, &parts->header,
                     &parts->archive_bytes, &parts->kernel, &err),
         file);
    must(nip_archive_read(parts->archive_bytes, (size_t)parts->header.archive_size, file,
                          &parts->archive, NULL, &err),
         file);
    must(nip_bkdl_decode_boot(parts->archive.manifest, parts->archive.manifest_size, "boot.bkdl",
                              &parts->boot, &err),
         file);
}

static uint32_t find_package(const struct parts *parts, const char *name)
{
    for (uint32_t i = 0; i < parts->boot->image.package_count; i++)
        if (strcmp(parts->boot->packages[i].package.name, name) == 0)
            return i;
    fprintf(stderr, "nip-tamper: no package %s in this image; it holds:", name);
    for (uint32_t i = 0; i < parts->boot->image.package_count; i++)
        fprintf(stderr, " %s", parts->boot->packages[i].package.name);
    fputc('\n', stderr);
    exit(1);
}

static void load_key(const char *file, struct nip_secret_key *key)
{
    struct nip_buffer text = {.size = 0};
    must(nip_fs_read(file, KEY_FILE_SIZE_MAX, &text, &err), file);
    must(nip_secret_key_parse(nip_buffer_text(&text), text.size, file, NULL, 0, 0, key, &err),
         file);
    nip_buffer_wipe(&text);
}

// Puts the changed archive together with the kernel again.
static void put_together(struct parts *parts, const uint8_t owner_key[RUMPK_KEY_SIZE],
                         struct nip_buffer *out)
{
    struct nip_buffer archive = {.size = 0};
    must(nip_archive_write(&parts->archive, &archive, &err), "the archive");
    must(image_join(parts->kernel.data, parts->kernel.size, owner_key, archive.data, archive.size,
                    out, &err),
         "the image");
    nip_buffer_free(&archive);
}

// ---- flip ----

struct range {
    const uint8_t *start;
    size_t size;
};

static struct range range_of_package(const struct parts *parts, uint32_t number, const char *part)
{
    const struct nip_archive_part *package = &parts->archive.parts[number];
    const uint8_t *entry = parts->archive_bytes + RUMPK_PAGE_SIZE +
                           number * sizeof(struct rumpk_archive_entry);
    if (strcmp(part, "digests") == 0)
        return (struct range){package->digests, package->digests_size};
    if (strcmp(part, "bkdl") == 0)
        return (struct range){package->bkdl, package->bkdl_size};
    if (strcmp(part, "elf") == 0)
        return (struct range){package->elf, package->elf_size};
    if (strcmp(part, "padding") == 0)
        return (struct range){package->elf + package->elf_size,
                              -package->elf_size % RUMPK_PAGE_SIZE};
    if (strcmp(part, "entry") == 0)
        return (struct range){entry, sizeof(struct rumpk_archive_entry)};
    if (strcmp(part, "key") == 0)
        return (struct range){entry + offsetof(struct rumpk_archive_entry, publisher_key),
                              RUMPK_KEY_SIZE};
    if (strcmp(part, "signature") == 0)
        return (struct range){entry + offsetof(struct rumpk_archive_entry, signature),
                              RUMPK_SIGNATURE_SIZE};
    fail("unknown part of a package: digests, bkdl, elf, padding, entry, key or signature");
}

static struct range range_of_boot(const struct parts *parts, const char *part)
{
    struct nip_elf_kernel kernel;
    const uint8_t *manifest = parts->archive.manifest;
    size_t manifest_size = parts->archive.manifest_size;
    must(nip_elf_check_kernel(parts->image.data, parts->image.size, "the image", &kernel, &err),
         "the image");
    if (strcmp(part, "manifest") == 0)
        return (struct range){manifest, manifest_size};
    if (strcmp(part, "padding") == 0)
        return (struct range){manifest + manifest_size, -manifest_size % RUMPK_PAGE_SIZE};
    if (strcmp(part, "header") == 0)
        return (struct range){parts->archive_bytes, sizeof(struct rumpk_archive_header)};
    if (strcmp(part, "signature") == 0)
        return (struct range){parts->archive_bytes +
                                  offsetof(struct rumpk_archive_header, manifest_signature),
                              RUMPK_SIGNATURE_SIZE};
    if (strcmp(part, "owner-key") == 0)
        return (struct range){parts->image.data + kernel.header_offset, RUMPK_KEY_SIZE};
    if (strcmp(part, "kernel") == 0)
        return (struct range){parts->image.data, parts->kernel.size};
    fail("unknown part of the boot manifest: manifest, signature, header, padding, owner-key or "
         "kernel");
}

static uint64_t number(const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 0);
    if (*text == '\0' || *end != '\0')
        fail("expected a number");
    return value;
}

static void flip(struct parts *parts, char **arguments, int count)
{
    struct range range =
        strcmp(arguments[0], "boot") == 0
            ? range_of_boot(parts, arguments[1])
            : range_of_package(parts, find_package(parts, arguments[0]), arguments[1]);
    uint64_t offset = number(arguments[2]);
    uint64_t mask = count > 3 ? number(arguments[3]) : 1;
    if (offset >= range.size || mask == 0 || mask > 0xFF) {
        fprintf(stderr, "nip-tamper: %s of %s has %zu bytes; the mask is 1 to 0xff\n", arguments[1],
                arguments[0], range.size);
        exit(1);
    }
    parts->image.data[(size_t)(range.start - parts->image.data) + (size_t)offset] ^= (uint8_t)mask;
}

// ---- changes that need a new layout ----

static void resign(struct parts *parts, const char *name, const char *key_file,
                   struct nip_buffer *out)
{
    struct nip_secret_key secret;
    struct nip_public_key key;
    struct nip_archive_part *part = &parts->archive.parts[find_package(parts, name)];
    load_key(key_file, &secret);
    nip_secret_key_public(&secret, &key);
    if (memcmp(key.key, part->publisher_key, sizeof key.key) == 0)
        fail("this is the key that the package is signed with already");
    memcpy(part->publisher_key, key.key, sizeof key.key);
    nip_sign_prehashed(secret.secret, part->digests, part->digests_size, part->signature);
    nip_wipe(&secret, sizeof secret);
    put_together(parts, parts->header.owner_key, out);
}

static void swap(struct parts *parts, const char *one, const char *other, struct nip_buffer *out)
{
    uint32_t a = find_package(parts, one), b = find_package(parts, other);
    struct nip_archive_part part = parts->archive.parts[a];
    parts->archive.parts[a] = parts->archive.parts[b];
    parts->archive.parts[b] = part;
    put_together(parts, parts->header.owner_key, out);
}

// The digests of the package with the new driver file in them.
static void replace_in_digests(const struct nip_archive_part *part, uint32_t arch,
                               const struct nip_buffer *elf, struct nip_buffer *text)
{
    struct nip_digests digests;
    char path[NIP_PATH_MAX + 1];
    bool is_found = false;
    snprintf(path, sizeof path, "%s/driver.elf", nip_arch_name(arch));
    must(nip_digests_parse((const char *)part->digests, part->digests_size, &digests, &err),
         "the digests");
    for (size_t i = 0; i < digests.file_count; i++)
        if (strcmp(digests.files[i].path, path) == 0) {
            nip_hash_bytes(elf->data, elf->size, digests.files[i].digest);
            digests.files[i].size = elf->size;
            is_found = true;
        }
    if (!is_found)
        fail("the package has no driver for this image's architecture");
    must(nip_digests_print(&digests, text, &err), "the new digests");
    nip_digests_free(&digests);
}

static void replace_elf(struct parts *parts, char **arguments, struct nip_buffer *out)
{
    uint32_t package = find_package(parts, arguments[0]);
    struct nip_archive_part *part = &parts->archive.parts[package];
    struct nip_boot_package *pinned = &parts->boot->packages[package];
    struct nip_secret_key publisher, owner;
    struct nip_public_key publisher_key, owner_key;
    struct nip_buffer elf = {.size = 0}, digests = {.size = 0}, manifest = {.size = 0};
    load_key(arguments[2], &publisher);
    load_key(arguments[3], &owner);
    nip_secret_key_public(&publisher, &publisher_key);
    nip_secret_key_public(&owner, &owner_key);
    must(nip_fs_read(arguments[1], RUMPK_ELF_SIZE_MAX, &elf, &err), arguments[1]);
    replace_in_digests(part, parts->archive.arch, &elf, &digests);
    part->elf = elf.data;
    part->elf_size = elf.size;
    part->digests = digests.data;
    part->digests_size = digests.size;
    memcpy(part->publisher_key, publisher_key.key, RUMPK_KEY_SIZE);
    nip_sign_prehashed(publisher.secret, digests.data, digests.size, part->signature);
    nip_digests_id(digests.data, digests.size, pinned->package.package_id);
    memcpy(pinned->keys[0].key, publisher_key.key, RUMPK_KEY_SIZE);
    must(nip_bkdl_encode_boot(parts->boot, &manifest, &err), "the boot manifest");
    parts->archive.manifest = manifest.data;
    parts->archive.manifest_size = manifest.size;
    nip_sign_prehashed(owner.secret, manifest.data, manifest.size,
                       parts->archive.manifest_signature);
    nip_wipe(&publisher, sizeof publisher);
    nip_wipe(&owner, sizeof owner);
    put_together(parts, owner_key.key, out);
    nip_buffer_free(&manifest);
    nip_buffer_free(&digests);
    nip_buffer_free(&elf);
}

static void replace_parts(struct parts *parts, char **arguments, struct nip_buffer *out)
{
    struct nip_secret_key publisher, owner;
    struct nip_public_key owner_key;
    load_key(arguments[1], &publisher);
    load_key(arguments[2], &owner);
    nip_secret_key_public(&owner, &owner_key);
    must(tamper_parts(&parts->archive, arguments[0], &publisher, &owner, &err), arguments[0]);
    nip_wipe(&publisher, sizeof publisher);
    nip_wipe(&owner, sizeof owner);
    put_together(parts, owner_key.key, out);
}

int main(int argc, char **argv)
{
    static struct parts parts;
    struct nip_buffer out = {.size = 0};
    const char *verb = argc > 3 ? argv[3] : "";
    int count = argc - 4;
    bool is_known = (strcmp(verb, "copy") == 0 && count == 0) ||
                    (strcmp(verb, "flip") == 0 && (count == 3 || count == 4)) ||
                    (strcmp(verb, "resign") == 0 && count == 2) ||
                    (strcmp(verb, "swap") == 0 && count == 2) ||
                    (strcmp(verb, "replace-elf") == 0 && count == 4) ||
                    (strcmp(verb, "parts") == 0 && count == 3);
    if (!is_known) {
        fputs("usage: nip-tamper IN OUT copy | flip PACKAGE PART OFFSET [MASK] |\n"
              "       resign PACKAGE KEY | swap PACKAGE PACKAGE |\n"
              "       replace-elf PACKAGE ELF PUBLISHER-KEY OWNER-KEY |\n"
              "       parts FOLDER PUBLISHER-KEY OWNER-KEY\n",
              stderr);
        return 2;
    }
    take_apart(&parts, argv[1]);
    if (strcmp(verb, "flip") == 0)
        flip(&parts, argv + 4, count);
    else if (strcmp(verb, "resign") == 0)
        resign(&parts, argv[4], argv[5], &out);
    else if (strcmp(verb, "swap") == 0)
        swap(&parts, argv[4], argv[5], &out);
    else if (strcmp(verb, "replace-elf") == 0)
        replace_elf(&parts, argv + 4, &out);
    else if (strcmp(verb, "parts") == 0)
        replace_parts(&parts, argv + 4, &out);
    const struct nip_buffer *result = out.size ? &out : &parts.image;
    must(nip_fs_write(argv[2], result->data, result->size, 0644, &err), argv[2]);
    nip_buffer_free(&out);
    nip_buffer_free(&parts.image);
    nip_buffer_free(&parts.kernel);
    nip_boot_free(parts.boot);
    return 0;
}
