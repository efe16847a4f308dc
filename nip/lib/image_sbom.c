// SPDX-License-Identifier: Apache-2.0
//
// Merging bills of materials (SPDX 2.3, JSON):
//
//   SPDXRef-Image ──CONTAINS──> SPDXRef-P0-Package ──CONTAINS, STATIC_LINK──> SPDXRef-P0-...
//                 ──CONTAINS──> SPDXRef-P1-Package ...
//                 ──CONTAINS──> SPDXRef-ImageFile
//
// Every identifier of package number N gets the prefix "PN-", so that no two documents can meet;
// what a document says about itself (DESCRIBES) becomes CONTAINS of the image.

#include "nip/image_sbom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nip/json.h"
#include "sbom_parts.h"

enum { ID_SIZE = 256, ELEMENTS_MAX = 20000 };
static const char reference[] = "SPDXRef-", document_id[] = "SPDXRef-DOCUMENT";

struct merge {
    struct nip_json *packages, *files, *relations, *licenses;
    const struct nip_image_sbom_package *package;
    size_t number;
    char **ids; // of the document that is being merged, sorted
    size_t id_count;
};

static enum nip_code fail(const struct merge *merge, const char *what, struct nip_error *err)
{
    nip_error_set(err, NIP_ERROR_FORMAT, "the bill of materials of %s %s: %s", merge->package->name,
                  merge->package->version, what);
    nip_error_hint(err, "it has to be SPDX 2.3 as 'nip pack' writes it; ask the publisher");
    return NIP_ERROR_FORMAT;
}

static bool id_is_valid(const char *id)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    size_t prefix = sizeof reference - 1;
    return id != NULL && strncmp(id, reference, prefix) == 0 && id[prefix] != '\0' &&
           strlen(id) < ID_SIZE - 32 && strspn(id + prefix, letters) == strlen(id + prefix);
}

static void rename_id(const struct merge *merge, const char *id, char out[ID_SIZE])
{
    snprintf(out, ID_SIZE, "SPDXRef-P%zu-%s", merge->number, id + sizeof reference - 1);
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_known(const struct merge *merge, const char *id)
{
    return bsearch((const void *)&id, (const void *)merge->ids, merge->id_count, sizeof *merge->ids,
                   compare_ids) != NULL;
}

// Puts "PN-" behind each "LicenseRef-": two publishers may call two licences of their own the same.
static void rename_licenses(const struct merge *merge, const char *field, struct nip_json *made)
{
    static const char prefix[] = SBOM_LICENSE_REF;
    const char *text = nip_json_get_text(made, field);
    const char *at = text != NULL ? strstr(text, prefix) : NULL;
    struct nip_buffer renamed = {0};
    if (at == NULL)
        return;
    for (; at != NULL; at = strstr(text, prefix)) {
        size_t size = (size_t)(at - text) + sizeof prefix - 1;
        nip_buffer_append(&renamed, text, size);
        nip_buffer_append_format(&renamed, "P%zu-", merge->number);
        text += size;
    }
    nip_buffer_append_text(&renamed, text);
    nip_json_put_text(made, field, nip_buffer_text(&renamed));
    nip_buffer_free(&renamed);
}

static enum nip_code add_licenses(struct merge *merge, const struct nip_json *list,
                                  struct nip_error *err)
{
    for (size_t i = 0; i < nip_json_count(list); i++) {
        struct nip_json *made = nip_json_copy(nip_json_at(list, i));
        const char *id = nip_json_get_text(made, "licenseId");
        if (id == NULL || strncmp(id, SBOM_LICENSE_REF, sizeof SBOM_LICENSE_REF - 1) != 0 ||
            nip_json_get_text(made, "extractedText") == NULL) {
            nip_json_free(made);
            return fail(merge, "a licence of its own has no well-formed name or no text", err);
        }
        rename_licenses(merge, "licenseId", made);
        nip_json_append(merge->licenses, made);
    }
    return NIP_OK;
}

// Copies packages or files, renamed, and notes their identifiers.
static enum nip_code add_elements(struct merge *merge, const struct nip_json *list,
                                  struct nip_json *to, struct nip_error *err)
{
    for (size_t i = 0; i < nip_json_count(list); i++) {
        const struct nip_json *element = nip_json_at(list, i);
        const char *id = nip_json_get_text(element, "SPDXID");
        char renamed[ID_SIZE];
        if (!id_is_valid(id) || strcmp(id, document_id) == 0)
            return fail(merge, "an element has no well-formed SPDXID", err);
        if (merge->id_count == ELEMENTS_MAX)
            return fail(merge, "it has too many elements", err);
        char *copy = strdup(id);
        struct nip_json *made = nip_json_copy(element);
        if (copy == NULL || made == NULL) {
            free(copy);
            nip_json_free(made);
            return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
        }
        merge->ids[merge->id_count++] = copy;
        rename_id(merge, id, renamed);
        nip_json_put_text(made, "SPDXID", renamed);
        rename_licenses(merge, "licenseDeclared", made);
        rename_licenses(merge, "licenseConcluded", made);
        nip_json_append(to, made);
    }
    return NIP_OK;
}

static void add_relation(struct merge *merge, const char *from, const char *kind, const char *to)
{
    nip_json_append(merge->relations, sbom_relation(from, kind, to));
}

static enum nip_code add_relations(struct merge *merge, const struct nip_json *list,
                                   struct nip_error *err)
{
    size_t described = 0;
    for (size_t i = 0; i < nip_json_count(list); i++) {
        const struct nip_json *element = nip_json_at(list, i);
        const char *from = nip_json_get_text(element, "spdxElementId");
        const char *kind = nip_json_get_text(element, "relationshipType");
        const char *to = nip_json_get_text(element, "relatedSpdxElement");
        char renamed_from[ID_SIZE], renamed_to[ID_SIZE];
        if (from == NULL || kind == NULL || to == NULL || !is_known(merge, to))
            return fail(merge, "a relationship names an element that is not there", err);
        rename_id(merge, to, renamed_to);
        if (strcmp(from, document_id) == 0) {
            if (strcmp(kind, "DESCRIBES") == 0) {
                add_relation(merge, "SPDXRef-Image", "CONTAINS", renamed_to);
                described++;
            }
            continue;
        }
        if (!is_known(merge, from))
            return fail(merge, "a relationship names an element that is not there", err);
        rename_id(merge, from, renamed_from);
        add_relation(merge, renamed_from, kind, renamed_to);
    }
    return described != 0 ? NIP_OK : fail(merge, "it describes no package", err);
}

static enum nip_code check_unique(const struct merge *merge, struct nip_error *err)
{
    for (size_t i = 1; i < merge->id_count; i++)
        if (strcmp(merge->ids[i - 1], merge->ids[i]) == 0)
            return fail(merge, "an SPDXID stands there twice", err);
    return NIP_OK;
}

static enum nip_code merge_one(struct merge *merge, struct nip_error *err)
{
    struct nip_json *root = NULL;
    const struct nip_image_sbom_package *package = merge->package;
    enum nip_code code =
        nip_json_parse(package->sbom, package->sbom_size, "sbom.spdx.json", &root, err);
    const char *version = nip_json_get_text(root, "spdxVersion");
    if (code != NIP_OK)
        nip_error_prefix(err, "%s %s: ", package->name, package->version);
    else if (version == NULL || strcmp(version, "SPDX-2.3") != 0)
        code = fail(merge, "it does not say SPDX-2.3", err);
    if (code == NIP_OK)
        code = add_elements(merge, nip_json_get(root, "packages"), merge->packages, err);
    if (code == NIP_OK)
        code = add_elements(merge, nip_json_get(root, "files"), merge->files, err);
    if (code == NIP_OK)
        code = add_licenses(merge, nip_json_get(root, SBOM_EXTRACTED), err);
    qsort((void *)merge->ids, merge->id_count, sizeof *merge->ids, compare_ids);
    if (code == NIP_OK)
        code = check_unique(merge, err);
    if (code == NIP_OK)
        code = add_relations(merge, nip_json_get(root, "relationships"), err);
    nip_json_free(root);
    for (size_t i = 0; i < merge->id_count; i++)
        free(merge->ids[i]);
    merge->id_count = 0;
    return code;
}

// The image as a package, and its file.
static void add_image(struct merge *merge, const struct nip_image_sbom_input *input)
{
    char name[ID_SIZE], items[1][NIP_SHA1_TEXT_SIZE];
    struct sbom_code code = {.items = items, .max = 1};
    snprintf(name, sizeof name, "./%.200s", input->file);
    nip_json_append(merge->files,
                    sbom_file("SPDXRef-ImageFile", name, input->image, input->image_size, &code));
    nip_json_append(merge->packages, sbom_package("SPDXRef-Image", input->name, input->version,
                                                  "NOASSERTION", &code, NULL));
    add_relation(merge, document_id, "DESCRIBES", "SPDXRef-Image");
    add_relation(merge, "SPDXRef-Image", "CONTAINS", "SPDXRef-ImageFile");
}

static struct nip_json *make_root(const struct nip_image_sbom_input *input)
{
    uint8_t digest[NIP_DIGEST_SIZE];
    char text[NIP_DIGEST_TEXT_SIZE], title[192], space[320];
    nip_hash_bytes(input->image, input->image_size, digest);
    nip_digest_text(digest, text);
    snprintf(title, sizeof title, "%.65s %.64s", input->name, input->version);
    snprintf(space, sizeof space, "urn:rumpk:image-sbom:%.65s:%.64s:%s", input->name,
             input->version, text);
    return sbom_document(title, space, input->tool, input->date);
}

enum nip_code nip_image_sbom_write(const struct nip_image_sbom_input *input, struct nip_buffer *out,
                                   struct nip_error *err)
{
    char **ids = (char **)calloc(ELEMENTS_MAX, sizeof *ids);
    if (ids == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    struct merge merge = {.packages = nip_json_make_array(),
                          .files = nip_json_make_array(),
                          .relations = nip_json_make_array(),
                          .licenses = nip_json_make_array(),
                          .ids = ids};
    enum nip_code code = NIP_OK;
    struct nip_json *root = make_root(input);
    add_image(&merge, input);
    for (; code == NIP_OK && merge.number < input->package_count; merge.number++) {
        merge.package = &input->packages[merge.number];
        code = merge_one(&merge, err);
    }
    nip_json_put(root, "packages", merge.packages);
    nip_json_put(root, "files", merge.files);
    nip_json_put(root, "relationships", merge.relations);
    if (nip_json_count(merge.licenses) != 0)
        nip_json_put(root, SBOM_EXTRACTED, merge.licenses);
    else
        nip_json_free(merge.licenses);
    if (code == NIP_OK)
        code = nip_json_print(root, true, out, err);
    if (code == NIP_OK)
        nip_buffer_append_byte(out, '\n');
    nip_json_free(root);
    free((void *)ids);
    return code;
}
