// SPDX-License-Identifier: Apache-2.0
#include "sample.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(uint8_t *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static void program(uint8_t *elf, unsigned index, uint32_t type, uint32_t flags, uint64_t at,
                    uint64_t file, uint64_t memory)
{
    uint8_t *p = elf + 64 + 56 * index;

    put(p, type, 4);
    put(p + 4, flags, 4);
    put(p + 8, at, 8);
    put(p + 16, at, 8);
    put(p + 24, at, 8);
    put(p + 32, file, 8);
    put(p + 40, memory, 8);
    put(p + 48, type == 1 ? 4096 : 8, 8);
}

void sample_elf(uint8_t elf[SAMPLE_ELF_SIZE])
{
    const uint64_t note = 1024, rela = 2048, dynamic = SAMPLE_RELRO + 64;
    const struct rumpk_abi_note abi = {
        RUMPK_ABI_VERSION, SAMPLE_ARCH, RUMPK_PROFILE_HARD_FLOAT, RUMPK_SYSTABLE_SIZE, {0}};

    memset(elf, 0, SAMPLE_ELF_SIZE);
    memcpy(elf,
           "\x7f"
           "ELF\2\1\1",
           7);
    put(elf + 16, 3, 2);   // ET_DYN
    put(elf + 18, 243, 2); // EM_RISCV
    put(elf + 20, 1, 4);
    put(elf + 24, SAMPLE_TEXT + 16, 8);
    put(elf + 32, 64, 8);
    put(elf + 52, 64, 2);
    put(elf + 54, 56, 2);
    put(elf + 56, 8, 2);
    program(elf, 0, 1, 4, 0, 4096, 4096);
    program(elf, 1, 1, 5, SAMPLE_TEXT, 4096, 4096);
    program(elf, 2, 1, 6, SAMPLE_RELRO, 4096, 4096);
    program(elf, 3, 1, 6, SAMPLE_DATA, 100, 8192);
    program(elf, 4, 2, 6, dynamic, 80, 80);
    program(elf, 5, 4, 4, note, 68, 68);
    program(elf, 6, 0x6474E552, 4, SAMPLE_RELRO, 4096, 4096);
    program(elf, 7, 0x6474E551, 6, 0, 0, 0);
    put(elf + note, 6, 4);
    put(elf + note + 4, sizeof abi, 4);
    put(elf + note + 8, 1, 4);
    memcpy(elf + note + 12, "Rumpk\0\0", 8);
    memcpy(elf + note + 20, &abi, sizeof abi);
    // Two relative relocations: one constant, one variable.
    put(elf + rela, SAMPLE_RELRO + 8, 8);
    put(elf + rela + 8, 3, 8);
    put(elf + rela + 16, SAMPLE_TEXT, 8);
    put(elf + rela + 24, SAMPLE_DATA + 16, 8);
    put(elf + rela + 32, 3, 8);
    put(elf + rela + 40, SAMPLE_DATA, 8);
    const uint64_t entries[5][2] = {{7, rela}, {8, 48}, {9, 24}, {0x6FFFFFF9, 2}, {0, 0}};
    for (unsigned i = 0; i < 5; i++) {
        put(elf + dynamic + 16 * i, entries[i][0], 8);
        put(elf + dynamic + 16 * i + 8, entries[i][1], 8);
    }
    memset(elf + SAMPLE_TEXT, 0x13, 64);
    memcpy(elf + SAMPLE_DATA, "data of the sample", 18);
}

// ---- packed manifests ----

struct writer {
    uint8_t *at;
    uint32_t size, records;
};

static void record(struct writer *w, uint32_t tag, const void *payload, uint32_t size)
{
    put(w->at + w->size, tag, 4);
    put(w->at + w->size + 4, size, 4);
    memcpy(w->at + w->size + 8, payload, size);
    memset(w->at + w->size + 8 + size, 0, (8 - size % 8) % 8);
    w->size += 8 + (size + 7) / 8 * 8;
    w->records++;
}

static uint32_t finish(struct writer *w, const char *title)
{
    memset(w->at, 0, 32);
    memcpy(w->at, title, strlen(title));
    put(w->at + 16, w->size, 4);
    put(w->at + 20, w->records, 4);
    return w->size;
}

static const char *name_of(uint32_t number)
{
    return number == 0 ? "test/server" : "test/client";
}

uint32_t sample_bkdl(uint8_t *out, uint32_t number)
{
    struct writer w = {out, 32, 0};
    struct rumpk_bkdl_identity identity = {.version = "0.1.0",
                                           .security_version = 1,
                                           .abi_version = RUMPK_ABI_VERSION,
                                           .kind = RUMPK_KIND_DRIVER,
                                           .arch_mask = 7};
    struct rumpk_bkdl_runtime runtime = {.spectrum = RUMPK_SPECTRUM_GRAVITY,
                                         .stack_size = 65536,
                                         .heap_size = 65536,
                                         .pledge = RUMPK_PLEDGE_CLASSES,
                                         .restart = RUMPK_RESTART_ON_FAULT,
                                         .restart_limit = 5,
                                         .restart_window_s = 60};
    struct rumpk_bkdl_match match = {.bus = RUMPK_BUS_VIRTIO, .device_id = 4};
    struct rumpk_bkdl_request memory = {.name = "scratch",
                                        .type = RUMPK_CAP_MEMORY,
                                        .rights = RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE,
                                        .size = 8192};
    struct rumpk_bkdl_service service = {
        .name = "echo", .version = 1, .style = RUMPK_STYLE_STREAM, .clients = number == 0 ? 2 : 0};

    snprintf(identity.name, sizeof identity.name, "%s", name_of(number));
    record(&w, RUMPK_BKDL_IDENTITY, &identity, sizeof identity);
    record(&w, RUMPK_BKDL_RUNTIME, &runtime, sizeof runtime);
    record(&w, RUMPK_BKDL_MATCH, &match, sizeof match);
    record(&w, RUMPK_BKDL_REQUEST, &memory, sizeof memory);
    record(&w, number == 0 ? RUMPK_BKDL_PROVIDES : RUMPK_BKDL_NEEDS, &service, sizeof service);
    return finish(&w, RUMPK_BKDL_TITLE_PACKAGE);
}

// One KEY record per letter: p the publisher's, o the owner's, any other letter a stranger's.
static void record_keys(struct writer *w, const struct sample *sample, const char *letters)
{
    for (; *letters != '\0'; letters++) {
        struct rumpk_bkdl_key key;

        memset(key.key, *letters, sizeof key.key);
        if (*letters == 'p' || *letters == 'o')
            memcpy(key.key, *letters == 'p' ? sample->publisher_key : sample->owner_key,
                   sizeof key.key);
        record(w, RUMPK_BKDL_KEY, &key, sizeof key);
    }
}

static uint32_t make_boot(uint8_t *out, uint8_t ids[][RUMPK_DIGEST_SIZE],
                          const struct sample *sample, const struct sample_options *options)
{
    struct writer w = {out, 32, 0};
    struct rumpk_bkdl_image image = {.name = "test/image",
                                     .version = "0.1.0",
                                     .arch = SAMPLE_ARCH,
                                     .flags = options->image_flags,
                                     .package_count = SAMPLE_PACKAGES,
                                     .wire_count = 1};
    struct rumpk_bkdl_grant grant = {.name = "scratch",
                                     .type = RUMPK_CAP_MEMORY,
                                     .rights = RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE,
                                     .size = 8192};
    struct rumpk_bkdl_wire wire = {.service = "echo",
                                   .channel = RUMPK_CHANNEL_FIRST_FREE,
                                   .style = RUMPK_STYLE_STREAM,
                                   .client = 1,
                                   .server = 0,
                                   .slots = 16};

    memset(image.kernel_digest, 0x4B, sizeof image.kernel_digest);
    record(&w, RUMPK_BKDL_IMAGE, &image, sizeof image);
    for (uint32_t i = 0; i < SAMPLE_PACKAGES; i++) {
        struct rumpk_bkdl_package package = {
            .security_floor = 1,
            .threshold = options->keys != NULL && i == 0 ? options->threshold : 1,
            .spectrum = RUMPK_SPECTRUM_GRAVITY,
            .stack_max = 65536,
            .heap_max = 65536,
            .pledge = RUMPK_PLEDGE_CLASSES,
            .restart = RUMPK_RESTART_ON_FAULT,
            .restart_limit = 5,
            .restart_window_s = 60};
        snprintf(package.name, sizeof package.name, "%s", name_of(i));
        memcpy(package.package_id, ids[i], RUMPK_DIGEST_SIZE);
        record(&w, RUMPK_BKDL_PACKAGE, &package, sizeof package);
        record_keys(&w, sample, options->keys != NULL && i == 0 ? options->keys : "p");
        record(&w, RUMPK_BKDL_GRANT, &grant, sizeof grant);
        if (i == 1)
            record(&w, RUMPK_BKDL_CONFIG, "hello", 5);
    }
    record(&w, RUMPK_BKDL_WIRE, &wire, sizeof wire);
    return finish(&w, RUMPK_BKDL_TITLE_BOOT);
}

// ---- the archive ----

static void digest_line(char *text, size_t size_max, const void *bytes, size_t size,
                        const char *path)
{
    uint8_t digest[32];
    size_t at = strlen(text);

    crypto_generichash(digest, 32, bytes, size, NULL, 0);
    at += (size_t)snprintf(text + at, size_max - at, "file ");
    for (unsigned i = 0; i < 32; i++)
        at += (size_t)snprintf(text + at, size_max - at, "%02x", digest[i]);
    snprintf(text + at, size_max - at, " %zu %s\n", size, path);
}

static void sign(const uint8_t *secret, const void *bytes, size_t size, uint8_t *signature)
{
    uint8_t prehash[64];

    crypto_generichash(prehash, 64, bytes, size, NULL, 0);
    crypto_sign_detached(signature, NULL, prehash, 64, secret);
}

static uint64_t page_up(uint64_t value)
{
    return (value + 4095) & ~UINT64_C(4095);
}

void sample_make(struct sample *sample, const struct sample_options *options)
{
    static const struct sample_options none;
    uint8_t seed[32], owner[64], publisher[64], ids[SAMPLE_PACKAGES][RUMPK_DIGEST_SIZE];
    struct rumpk_archive_header header = {.entry_count = SAMPLE_PACKAGES, .arch = SAMPLE_ARCH};
    struct rumpk_archive_entry entries[SAMPLE_PACKAGES];
    uint64_t at = 8192;

    if (options == NULL)
        options = &none;
    memset(seed, 1, sizeof seed);
    crypto_sign_seed_keypair(sample->owner_key, owner, seed);
    memset(seed, 2, sizeof seed);
    crypto_sign_seed_keypair(sample->publisher_key, publisher, seed);
    sample->bytes = aligned_alloc(4096, SAMPLE_SIZE_MAX);
    if (sample->bytes == NULL)
        abort();
    memset(sample->bytes, 0, SAMPLE_SIZE_MAX);
    memset(entries, 0, sizeof entries);
    for (uint32_t i = 0; i < SAMPLE_PACKAGES; i++) {
        static uint8_t elf[SAMPLE_ELF_SIZE];
        uint8_t bkdl[2048];
        char text[2048];
        uint32_t bkdl_size = sample_bkdl(bkdl, i);

        sample_elf(elf);
        if (i == 0 && options->change_elf != NULL)
            options->change_elf(elf);
        if (i == 0 && options->change_bkdl != NULL)
            options->change_bkdl(bkdl, bkdl_size);
        snprintf(
            text, sizeof text,
            "rumpk-digests 1\nkind driver\nname %s\nversion 0.1.0\nsecurity-version 1\nabi %u\n"
            "arch aarch64 riscv64 x86_64\ntoolchain test\nsource none\n",
            name_of(i), RUMPK_ABI_VERSION);
        digest_line(text, sizeof text, bkdl, bkdl_size, "npl.bkdl");
        digest_line(text, sizeof text, elf, SAMPLE_ELF_SIZE, "riscv64/driver.elf");
        if (i == 0 && options->change_digests != NULL)
            options->change_digests(text, sizeof text);
        struct rumpk_archive_entry *e = &entries[i];
        e->digests_offset = at;
        e->digests_size = strlen(text);
        e->bkdl_offset = (at + e->digests_size + 15) & ~UINT64_C(15);
        e->bkdl_size = bkdl_size;
        e->elf_offset = page_up(e->bkdl_offset + bkdl_size);
        e->elf_size = SAMPLE_ELF_SIZE;
        memcpy(e->publisher_key, sample->publisher_key, RUMPK_KEY_SIZE);
        sign(publisher, text, strlen(text), e->signature);
        crypto_generichash(ids[i], 32, (const uint8_t *)text, strlen(text), NULL, 0);
        memcpy(sample->bytes + e->digests_offset, text, strlen(text));
        memcpy(sample->bytes + e->bkdl_offset, bkdl, bkdl_size);
        memcpy(sample->bytes + e->elf_offset, elf, SAMPLE_ELF_SIZE);
        at = page_up(e->elf_offset + SAMPLE_ELF_SIZE);
    }
    uint32_t boot_size = make_boot(sample->bytes + at, ids, sample, options);
    if (options->change_boot != NULL)
        options->change_boot(sample->bytes + at, boot_size);
    memcpy(header.magic, RUMPK_ARCHIVE_MAGIC, sizeof header.magic);
    header.manifest_offset = at;
    header.manifest_size = boot_size;
    header.size = page_up(at + boot_size);
    sign(owner, sample->bytes + at, boot_size, header.manifest_signature);
    memcpy(sample->bytes, &header, sizeof header);
    memcpy(sample->bytes + 4096, entries, sizeof entries);
    sample->size = header.size;
}

void sample_free(struct sample *sample)
{
    free(sample->bytes);
}
