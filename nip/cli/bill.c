// SPDX-License-Identifier: Apache-2.0
//
// Collecting what the packages of one image bring along.

#include "bill.h"

#include <stdlib.h>
#include <string.h>

#include "nip/image_sbom.h"
#include "nip/pack.h"
#include "project.h"
#include "version.h"

enum { TEXTS_MAX = 1024 };

// The packages in the image of one architecture, the kernel first.
struct present {
    const struct checked_package *items[RUMPK_PACKAGES_MAX + 1];
    size_t count;
};

static void find_present(const struct imaging *imaging, uint32_t arch, struct present *present)
{
    present->count = 0;
    present->items[present->count++] = &imaging->kernel;
    for (uint32_t i = 0; i < imaging->imagedef->package_count; i++) {
        uint32_t mask = imaging->imagedef->packages[i].arch_mask;
        struct nip_archive_part part;
        if ((mask == 0 || (mask & RUMPK_ARCH_BIT(arch)) != 0) &&
            checked_package_part(&imaging->packages[i], arch, &part))
            present->items[present->count++] = &imaging->packages[i];
    }
}

// ---- bill of materials ----

static enum nip_code make_sbom(const struct imaging *imaging, const struct present *present,
                               const char *file, const struct nip_buffer *image,
                               struct nip_buffer *out, struct nip_error *err)
{
    struct nip_image_sbom_package packages[RUMPK_PACKAGES_MAX + 1];
    char date[32];
    const char *slash = strrchr(file, '/');
    enum nip_code code = project_date(date, err);
    for (size_t i = 0; code == NIP_OK && i < present->count; i++) {
        const struct checked_package *item = present->items[i];
        const uint8_t *data = NULL;
        size_t size = 0;
        if (!nip_package_file(item->package, NIP_PACK_SBOM_PATH, &data, &size)) {
            code = nip_error_set(err, NIP_ERROR_MISSING, "%s %s has no bill of materials (%s)",
                                 item->manifest.identity.name, item->manifest.identity.version,
                                 NIP_PACK_SBOM_PATH);
            nip_error_hint(err, "'nip pack' writes one; ask the publisher for a package with it");
        }
        packages[i] = (struct nip_image_sbom_package){item->manifest.identity.name,
                                                      item->manifest.identity.version,
                                                      nip_package_id(item->package), data, size};
    }
    struct nip_image_sbom_input input = {.name = imaging->imagedef->name,
                                         .version = imaging->imagedef->version,
                                         .file = slash != NULL ? slash + 1 : file,
                                         .image = image->data,
                                         .image_size = image->size,
                                         .tool = "nip-" NIP_VERSION,
                                         .date = date,
                                         .packages = packages,
                                         .package_count = present->count};
    return code == NIP_OK ? nip_image_sbom_write(&input, out, err) : code;
}

// ---- licences ----

struct text {
    const char *path; // in its package
    const uint8_t *data;
    size_t size;
};

static bool is_new(const struct text *texts, size_t count, const struct text *text)
{
    for (size_t i = 0; i < count; i++)
        if (texts[i].size == text->size && memcmp(texts[i].data, text->data, text->size) == 0)
            return false;
    return true;
}

static void append_texts(const struct present *present, struct nip_buffer *out)
{
    static const char line[] = "----------------------------------------------------------------";
    struct text *texts = calloc(TEXTS_MAX, sizeof *texts);
    size_t count = 0;
    for (size_t i = 0; texts != NULL && i < present->count; i++) {
        const struct nip_package *package = present->items[i]->package;
        const struct nip_digests *digests = nip_package_digests(package);
        for (size_t f = 0; f < digests->file_count && count < TEXTS_MAX; f++) {
            struct text text = {.path = digests->files[f].path};
            if (strncmp(text.path, "LICENSES/", 9) != 0 ||
                !nip_package_file(package, text.path, &text.data, &text.size) ||
                !is_new(texts, count, &text))
                continue;
            texts[count++] = text;
            nip_buffer_append_format(out, "\n%s\n%s\n%s\n\n", line, text.path + 9, line);
            nip_buffer_append(out, text.data, text.size);
            if (text.size != 0 && text.data[text.size - 1] != '\n')
                nip_buffer_append_byte(out, '\n');
        }
    }
    free(texts);
}

static void make_licenses(const struct imaging *imaging, const struct present *present,
                          struct nip_buffer *out)
{
    nip_buffer_append_format(out, "Licences of %s %s\n\n", imaging->imagedef->name,
                             imaging->imagedef->version);
    for (size_t i = 0; i < present->count; i++) {
        const struct nip_manifest *manifest = &present->items[i]->manifest;
        nip_buffer_append_format(out, "%s %s: %s\n", manifest->identity.name,
                                 manifest->identity.version, manifest->license);
    }
    nip_buffer_append_text(out, "\nWhat is linked into the packages stands in the bill of "
                                "materials.\n");
    append_texts(present, out);
}

// ---- both ----

// "build/box-riscv64" and the ending.
static void beside(const char *file, const char *ending, char *out)
{
    size_t size = strlen(file);
    if (size > 4 && strcmp(file + size - 4, ".elf") == 0)
        size -= 4;
    if (snprintf(out, CLI_PATH_SIZE, "%.*s%s", (int)size, file, ending) >= CLI_PATH_SIZE)
        out[0] = '\0';
}

enum nip_code bill_write(const struct imaging *imaging, uint32_t arch, const char *file,
                         const struct nip_buffer *image, char *sbom, char *licenses,
                         struct nip_error *err)
{
    struct present present;
    struct nip_buffer text = {0};
    find_present(imaging, arch, &present);
    beside(file, ".spdx.json", sbom);
    beside(file, ".licenses.txt", licenses);
    enum nip_code code = make_sbom(imaging, &present, file, image, &text, err);
    if (code == NIP_OK)
        code = nip_buffer_check(&text, "the bill of materials", err);
    if (code == NIP_OK)
        code = project_write_file(sbom, text.data, text.size, 0644, err);
    nip_buffer_clear(&text);
    if (code == NIP_OK) {
        make_licenses(imaging, &present, &text);
        code = nip_buffer_check(&text, "the licence texts", err);
    }
    if (code == NIP_OK)
        code = project_write_file(licenses, text.data, text.size, 0644, err);
    nip_buffer_free(&text);
    return code;
}
