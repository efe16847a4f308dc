// SPDX-License-Identifier: Apache-2.0
//
// See image_fixture.h. Everything is deterministic.

#include "image_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rumpk/note.h>
#include <rumpk/systable.h>

#include "nip/bkdl.h"
#include "nip/digests.h"
#include "nip/kdl.h"

static const uint16_t machines[] = {0, EM_RISCV, EM_AARCH64, EM_X86_64};
static const uint32_t relative[] = {0, 3, R_AARCH64_RELATIVE, R_X86_64_RELATIVE};

static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "fixture: %s\n", what);
        abort();
    }
}

static void put(struct nip_buffer *out, size_t offset, const void *data, size_t size)
{
    if (out->size < offset + size)
        nip_buffer_append_fill(out, 0, offset + size - out->size);
    must(!nip_buffer_has_failed(out), "memory");
    memcpy(out->data + offset, data, size);
}

static Elf64_Ehdr elf_header(uint16_t type, uint32_t arch, uint64_t entry, uint16_t segment_count)
{
    Elf64_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = type, .e_machine = machines[arch], .e_version = EV_CURRENT, .e_entry = entry,
        .e_phoff = sizeof header, .e_ehsize = sizeof header, .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = segment_count,
    };
    return header;
}

void fixture_driver(uint32_t arch, struct nip_buffer *out)
{
    Elf64_Ehdr header = elf_header(ET_DYN, arch, FIXTURE_DRIVER_TEXT, FIXTURE_DRIVER_SEGMENT_COUNT);
    const uint64_t note_size = sizeof(Elf64_Nhdr) + 8 + sizeof(struct rumpk_abi_note);
    const uint64_t rela_size = FIXTURE_DRIVER_RELOCATION_COUNT * sizeof(Elf64_Rela);
    const Elf64_Dyn dynamic[] = {
        {DT_RELA, {FIXTURE_DRIVER_RELOCATIONS}},
        {DT_RELASZ, {rela_size}},
        {DT_RELAENT, {sizeof(Elf64_Rela)}},
        {DT_FLAGS_1, {DF_1_PIE}},
        {DT_NULL, {0}},
    };
#define SEGMENT(type, flags, at, file, memory, align) \
    {type, flags, at, at, at, file, memory, align}
    const Elf64_Phdr segments[FIXTURE_DRIVER_SEGMENT_COUNT] = {
        SEGMENT(PT_LOAD, PF_R, 0, 0x800, 0x800, 0x1000),
        SEGMENT(PT_LOAD, PF_R | PF_X, FIXTURE_DRIVER_TEXT, 64, 64, 0x1000),
        SEGMENT(PT_LOAD, PF_R | PF_W, FIXTURE_DRIVER_RELRO, 0x1000, 0x1000, 0x1000),
        SEGMENT(PT_LOAD, PF_R | PF_W, FIXTURE_DRIVER_DATA, 16, 0x2000, 0x1000),
        SEGMENT(PT_DYNAMIC, PF_R | PF_W, FIXTURE_DRIVER_RELRO, sizeof dynamic, sizeof dynamic, 8),
        SEGMENT(PT_NOTE, PF_R, FIXTURE_DRIVER_NOTE, note_size, note_size, 4),
        SEGMENT(PT_GNU_RELRO, PF_R, FIXTURE_DRIVER_RELRO, 0x1000, 0x1000, 1),
        SEGMENT(PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 16),
    };
    const Elf64_Rela relocations[FIXTURE_DRIVER_RELOCATION_COUNT] = {
        {FIXTURE_DRIVER_RELRO + 0x200, relative[arch], FIXTURE_DRIVER_TEXT},
        {FIXTURE_DRIVER_DATA + 8, relative[arch], FIXTURE_DRIVER_DATA},
    };
    const Elf64_Nhdr note = {RUMPK_NOTE_OWNER_SIZE, sizeof(struct rumpk_abi_note),
                             RUMPK_NOTE_TYPE_ABI};
    const struct rumpk_abi_note content = {
        .abi_version = RUMPK_ABI_VERSION, .arch = arch, .profile = RUMPK_PROFILE_HARD_FLOAT,
        .systable_size = RUMPK_SYSTABLE_SIZE,
    };
    static const uint8_t code[64] = {0x13, 0, 0, 0};
    static const uint64_t data[2] = {1, 0};
    put(out, 0, &header, sizeof header);
    put(out, FIXTURE_DRIVER_SEGMENTS, segments, sizeof segments);
    put(out, FIXTURE_DRIVER_NOTE, &note, sizeof note);
    put(out, FIXTURE_DRIVER_NOTE + sizeof note, RUMPK_NOTE_OWNER "\0\0", 8);
    put(out, FIXTURE_DRIVER_NOTE + sizeof note + 8, &content, sizeof content);
    put(out, FIXTURE_DRIVER_RELOCATIONS, relocations, sizeof relocations);
    put(out, FIXTURE_DRIVER_TEXT, code, sizeof code);
    put(out, FIXTURE_DRIVER_RELRO, dynamic, sizeof dynamic);
    put(out, FIXTURE_DRIVER_DATA, data, sizeof data);
}

void fixture_kernel(uint32_t arch, struct nip_buffer *out)
{
    static const uint64_t bases[] = {0, 0x80200000, 0x40100000, 0x100000};
    static const char names[] = "\0.rumpk.image\0.symtab\0.strtab\0.shstrtab";
    static const char strings[] = "\0rumpk_ledger\0rumpk_boot_record\0__kernel_end";
    enum { TEXT = 0x1000, IMAGE = 0x2000, DATA = 0x3000, SYMBOLS = 0x3100, STRINGS = 0x3200,
           NAMES = 0x3280, SECTIONS = 0x3300, SECTION_COUNT = 5 };
    uint64_t base = bases[arch];
    Elf64_Ehdr header = elf_header(ET_EXEC, arch, base, 3);
    header.e_shoff = SECTIONS;
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = SECTION_COUNT;
    header.e_shstrndx = SECTION_COUNT - 1;
#define LOADED(flags, at, file, memory) \
    {PT_LOAD, flags, at, base + (at) - TEXT, base + (at) - TEXT, file, memory, 0x1000}
    const Elf64_Phdr segments[3] = {
        LOADED(PF_R | PF_X, TEXT, 32, 32),
        LOADED(PF_R, IMAGE, sizeof(struct rumpk_image_header), sizeof(struct rumpk_image_header)),
        LOADED(PF_R | PF_W, DATA, 16, 0x2800),
    };
    const Elf64_Sym symbols[] = {
        {0},
        {1, 0, 0, 3, base + 0x2100, 0x10000},
        {14, 0, 0, 3, base + 0x2200, 296},
        {32, 0, 0, 3, base + 0x5000, 0},
    };
    const Elf64_Shdr sections[SECTION_COUNT] = {
        {0},
        {1, SHT_PROGBITS, SHF_ALLOC, base + IMAGE - TEXT, IMAGE,
         sizeof(struct rumpk_image_header), 0, 0, 8, 0},
        {14, SHT_SYMTAB, 0, 0, SYMBOLS, sizeof symbols, 3, 1, 8, sizeof(Elf64_Sym)},
        {22, SHT_STRTAB, 0, 0, STRINGS, sizeof strings, 0, 0, 1, 0},
        {30, SHT_STRTAB, 0, 0, NAMES, sizeof names, 0, 0, 1, 0},
    };
    static const uint8_t code[32] = {0x13, 0, 0, 0};
    static const uint8_t data[16] = {1};
    put(out, 0, &header, sizeof header);
    put(out, sizeof header, segments, sizeof segments);
    put(out, TEXT, code, sizeof code);
    put(out, DATA, data, sizeof data);
    put(out, SYMBOLS, symbols, sizeof symbols);
    put(out, STRINGS, strings, sizeof strings);
    put(out, NAMES, names, sizeof names);
    put(out, SECTIONS, sections, sizeof sections);
}

void fixture_key(uint8_t seed, uint8_t secret[NIP_SECRET_KEY_BYTES],
                 uint8_t key[NIP_PUBLIC_KEY_BYTES])
{
    uint8_t bytes[NIP_SEED_BYTES];
    memset(bytes, seed, sizeof bytes);
    nip_key_from_seed(bytes, secret, key);
}

static void add_file(struct nip_digests *digests, const char *path, const struct nip_buffer *bytes)
{
    must(nip_digests_add(digests, false, path, bytes->data, bytes->size, NULL) == NIP_OK, path);
}

void fixture_package_make(struct fixture_package *package, const char *name, const char *kdl,
                          uint32_t arch, uint8_t seed)
{
    memset(package, 0, sizeof *package);
    struct nip_buffer text = {.size = 0};
    struct nip_error err = {.code = NIP_OK};
    nip_buffer_append_format(&text,
                             "package \"%s\" version=\"0.1.0\" { kind \"driver\"; "
                             "security-version 1; abi 1; license \"Apache-2.0\"; "
                             "arch \"aarch64\" \"riscv64\" \"x86_64\" }\n%s",
                             name, kdl);
    if (nip_manifest_parse((const char *)text.data, text.size, "npl.kdl", &package->manifest,
                           &err) != NIP_OK)
        must(false, err.message);
    must(nip_bkdl_encode_package(&package->manifest, &package->bkdl, &err) == NIP_OK, err.message);
    struct nip_digests digests = {
        .kind = NIP_KIND_DRIVER, .security_version = 1, .abi = RUMPK_ABI_VERSION,
        .archs = {true, true, true}, .version = "0.1.0", .toolchain = "test", .source = "none",
    };
    snprintf(digests.name, sizeof digests.name, "%s", name);
    add_file(&digests, "npl.kdl", &text);
    add_file(&digests, NIP_BKDL_FILE, &package->bkdl);
    for (uint32_t i = 1; i <= RUMPK_ARCH_COUNT; i++) {
        char path[32];
        snprintf(path, sizeof path, "%s/driver.elf", nip_arch_name(i));
        fixture_driver(i, &package->elf[i - 1]);
        add_file(&digests, path, &package->elf[i - 1]);
    }
    if (nip_digests_print(&digests, &package->digests, &err) != NIP_OK)
        must(false, err.message);
    nip_digests_free(&digests);
    nip_buffer_free(&text);

    uint8_t secret[NIP_SECRET_KEY_BYTES];
    fixture_key(seed, secret, package->part.publisher_key);
    nip_sign_prehashed(secret, package->digests.data, package->digests.size,
                       package->part.signature);
    package->part.digests = package->digests.data;
    package->part.digests_size = package->digests.size;
    package->part.bkdl = package->bkdl.data;
    package->part.bkdl_size = package->bkdl.size;
    package->part.elf = package->elf[arch - 1].data;
    package->part.elf_size = package->elf[arch - 1].size;
}

void fixture_package_free(struct fixture_package *package)
{
    nip_buffer_free(&package->digests);
    nip_buffer_free(&package->bkdl);
    for (size_t i = 0; i < RUMPK_ARCH_COUNT; i++)
        nip_buffer_free(&package->elf[i]);
}

enum nip_code fixture_sign(void *context, const void *data, size_t size,
                           uint8_t signature[RUMPK_SIGNATURE_SIZE], struct nip_error *err)
{
    (void)err;
    uint8_t secret[NIP_SECRET_KEY_BYTES], key[NIP_PUBLIC_KEY_BYTES];
    fixture_key(*(const uint8_t *)context, secret, key);
    nip_sign_prehashed(secret, data, size, signature);
    return NIP_OK;
}

const char fixture_image_kdl[] =
    "image \"local/box\" version=\"0.1.0\" { on-idle \"power-off\" }\n"
    "package \"local/reader\" version=\"0.1.0\" registry=\"reg\" { config \"blocks=8\" }\n"
    "package \"rumpk/uart\" version=\"0.1.0\" registry=\"sdk\" { grant \"uart\" }\n"
    "package \"rumpk/blk\" version=\"0.1.0\" registry=\"sdk\" {\n"
    "    grant \"disk\"\n"
    "    grant \"buffers\"\n"
    "    dma #true\n"
    "}\n";

void fixture_image_make(struct fixture_image *image, const char *image_kdl)
{
    memset(image, 0, sizeof *image);
    struct nip_error err = {.code = NIP_OK};
    uint8_t secret[NIP_SECRET_KEY_BYTES];
    image->owner_seed = 9;
    fixture_package_make(&image->packages[0], "local/reader",
                         "needs { service \"block\" 1 style=\"service\"; "
                         "service \"console\" 1 style=\"stream\" }",
                         RUMPK_ARCH_RISCV64, 1);
    fixture_package_make(&image->packages[1], "rumpk/uart",
                         "request { registers \"uart\" compatible=\"ns16550a\" }\n"
                         "provides { service \"console\" 1 style=\"stream\" clients=2 }",
                         RUMPK_ARCH_RISCV64, 2);
    fixture_package_make(&image->packages[2], "rumpk/blk",
                         "request { device \"disk\" virtio=2; dma \"buffers\" size=\"64KiB\" }\n"
                         "provides { service \"block\" 1 style=\"service\" }",
                         RUMPK_ARCH_RISCV64, 2);
    for (size_t i = 0; i < FIXTURE_PACKAGE_COUNT; i++)
        image->resolved[i] =
            (struct nip_image_package){.is_present = true, .part = image->packages[i].part};
    fixture_kernel(RUMPK_ARCH_RISCV64, &image->kernel);
    if (nip_imagedef_parse(image_kdl, strlen(image_kdl), "image.kdl", &image->imagedef, &err) !=
        NIP_OK)
        must(false, err.message);
    image->input = (struct nip_image_input){
        .arch = RUMPK_ARCH_RISCV64, .kernel = image->kernel.data,
        .kernel_size = image->kernel.size, .imagedef = image->imagedef,
        .packages = image->resolved, .sign = fixture_sign, .sign_context = &image->owner_seed,
    };
    fixture_key(image->owner_seed, secret, image->input.owner_key);
}

void fixture_image_free(struct fixture_image *image)
{
    for (size_t i = 0; i < FIXTURE_PACKAGE_COUNT; i++)
        fixture_package_free(&image->packages[i]);
    nip_buffer_free(&image->kernel);
    nip_imagedef_free(image->imagedef);
}
