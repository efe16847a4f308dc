// SPDX-License-Identifier: Apache-2.0
//
// case_image: makes an image of many small packages for the kernel tests, without a registry, lock
// or key store.
//
//   case_image ARCH KERNEL FOLDER OUT
//
// FOLDER/image.kdl names the packages as path="NAME"; FOLDER/NAME/npl.kdl is the manifest and
// FOLDER/NAME/driver.elf the driver. Everything is really signed, with two keys that this tool
// makes from fixed seeds (secrets that are public: test data), so an image is the same bytes every
// time. FOLDER/owner.key and FOLDER/publisher.key are written, for nip-tamper.
#include <nip/bkdl.h>
#include <nip/crypto.h>
#include <nip/digests.h>
#include <nip/elf.h>
#include <nip/fs.h>
#include <nip/image.h>
#include <nip/imagedef.h>
#include <nip/manifest.h>
#include <nip/minisign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct nip_secret_key owner, publisher;

static void die(const struct nip_error *err, const char *what)
{
    fprintf(stderr, "case_image: %s: %s\n", what, err != NULL ? err->message : "");
    if (err != NULL && err->hint[0] != '\0')
        fprintf(stderr, "  %s\n", err->hint);
    exit(1);
}

static void make_key(struct nip_secret_key *key, const char *label)
{
    uint8_t seed[NIP_SEED_BYTES], public_half[NIP_PUBLIC_KEY_BYTES];
    nip_hash_bytes(label, strlen(label), seed);
    nip_key_from_seed(seed, key->secret, public_half);
    memcpy(key->id, public_half, NIP_KEY_ID_SIZE);
}

static void write_key(const char *folder, const char *name, const struct nip_secret_key *key)
{
    struct nip_error err = {0};
    struct nip_buffer text = {0};
    char *path = nip_fs_join(folder, name);
    if (path == NULL ||
        nip_secret_key_print(key, "kernel tests", NULL, 0, 0, 0, &text, &err) != NIP_OK ||
        nip_fs_write(path, text.data, text.size, 0600, &err) != NIP_OK)
        die(&err, name);
    nip_buffer_free(&text);
    free(path);
}

static enum nip_code sign(void *context, const void *data, size_t size,
                          uint8_t signature[RUMPK_SIGNATURE_SIZE], struct nip_error *err)
{
    (void)context;
    (void)err;
    nip_sign_prehashed(owner.secret, data, size, signature);
    return NIP_OK;
}

static void read_file(const char *folder, const char *name, struct nip_buffer *out)
{
    struct nip_error err = {0};
    char *path = nip_fs_join(folder, name);
    if (path == NULL || nip_fs_read(path, (size_t)64 << 20, out, &err) != NIP_OK)
        die(&err, name);
    free(path);
}

// The bytes of one package: manifest compiled, digests written and signed. The buffers live to the
// end.
static void make_part(const char *folder, const char *arch, struct nip_archive_part *part)
{
    struct nip_error err = {0};
    struct nip_manifest *manifest = calloc(1, sizeof *manifest);
    struct nip_buffer text = {0}, bkdl = {0}, elf = {0}, digests_text = {0};
    struct nip_digests digests = {0};
    struct nip_signature signature;
    struct nip_public_key key;
    char elf_path[64];
    if (manifest == NULL)
        die(NULL, "memory");
    read_file(folder, NIP_MANIFEST_FILE, &text);
    read_file(folder, "driver.elf", &elf);
    if (nip_manifest_parse((const char *)text.data, text.size, folder, manifest, &err) != NIP_OK)
        die(&err, folder);
    if (nip_bkdl_encode_package(manifest, &bkdl, &err) != NIP_OK)
        die(&err, folder);
    digests.kind = NIP_KIND_DRIVER;
    // Checked by the parser: shorter than either field, NUL behind.
    memcpy(digests.name, manifest->identity.name, sizeof digests.name);
    memcpy(digests.version, manifest->identity.version, sizeof digests.version);
    digests.security_version = manifest->identity.security_version;
    digests.abi = manifest->identity.abi_version;
    for (enum nip_arch a = 0; a < NIP_ARCH_COUNT; a++)
        digests.archs[a] = (manifest->identity.arch_mask & RUMPK_ARCH_BIT(nip_arch_number(a))) != 0;
    snprintf(digests.toolchain, sizeof digests.toolchain, "test");
    snprintf(digests.source, sizeof digests.source, "none");
    snprintf(elf_path, sizeof elf_path, "%s/driver.elf", arch);
    if (nip_digests_add(&digests, false, NIP_BKDL_FILE, bkdl.data, bkdl.size, &err) != NIP_OK ||
        nip_digests_add(&digests, false, NIP_MANIFEST_FILE, text.data, text.size, &err) != NIP_OK ||
        nip_digests_add(&digests, false, elf_path, elf.data, elf.size, &err) != NIP_OK ||
        nip_digests_print(&digests, &digests_text, &err) != NIP_OK ||
        nip_signature_make(&publisher, digests_text.data, digests_text.size, digests.name,
                           digests.version, &signature, &err) != NIP_OK)
        die(&err, folder);
    nip_secret_key_public(&publisher, &key);
    *part = (struct nip_archive_part){.digests = digests_text.data,
                                      .bkdl = bkdl.data,
                                      .elf = elf.data,
                                      .digests_size = digests_text.size,
                                      .bkdl_size = bkdl.size,
                                      .elf_size = elf.size};
    memcpy(part->publisher_key, key.key, sizeof part->publisher_key);
    memcpy(part->signature, signature.signature, sizeof part->signature);
    nip_digests_free(&digests);
    nip_buffer_free(&text);
    free(manifest);
}

int main(int argc, char **argv)
{
    struct nip_error err = {0};
    // What these hold lives to the end of the process.
    static struct nip_buffer kernel, text, image;
    static struct nip_image_input input;
    static struct nip_imagedef *imagedef;
    static struct nip_image_package *packages;
    if (argc != 5 || !nip_arch_from_name(argv[1], &input.arch)) {
        fprintf(stderr, "usage: case_image ARCH KERNEL FOLDER OUT\n");
        return 2;
    }
    make_key(&owner, "rumpk kernel tests: owner");
    make_key(&publisher, "rumpk kernel tests: publisher");
    write_key(argv[3], "owner.key", &owner);
    write_key(argv[3], "publisher.key", &publisher);
    if (nip_fs_read(argv[2], (size_t)64 << 20, &kernel, &err) != NIP_OK)
        die(&err, argv[2]);
    read_file(argv[3], NIP_IMAGEDEF_FILE, &text);
    if (nip_imagedef_parse((const char *)text.data, text.size, NIP_IMAGEDEF_FILE, &imagedef,
                           &err) != NIP_OK)
        die(&err, NIP_IMAGEDEF_FILE);
    packages = calloc(imagedef->package_count + 1, sizeof *packages);
    if (packages == NULL)
        die(NULL, "memory");
    for (uint32_t i = 0; i < imagedef->package_count; i++) {
        char *folder = nip_fs_join(argv[3], imagedef->packages[i].path);
        if (folder == NULL)
            die(NULL, "memory");
        packages[i].is_present = true;
        make_part(folder, argv[1], &packages[i].part);
        free(folder);
    }
    struct nip_public_key key;
    nip_secret_key_public(&owner, &key);
    input.kernel = kernel.data;
    input.kernel_size = kernel.size;
    input.imagedef = imagedef;
    input.packages = packages;
    memcpy(input.owner_key, key.key, sizeof input.owner_key);
    input.sign = sign;
    if (nip_image_build(&input, &image, NULL, &err) != NIP_OK)
        die(&err, "image");
    if (nip_fs_write(argv[4], image.data, image.size, 0644, &err) != NIP_OK)
        die(&err, argv[4]);
    return 0;
}
