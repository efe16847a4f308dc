// SPDX-License-Identifier: Apache-2.0
//
// Further signatures as OCI artifacts that refer to a package's manifest (image specification 1.1,
// "subject"), and the index that lists them. Texts are printed in one fixed order.

#include <stdlib.h>
#include <string.h>

#include "oci_parts.h"

enum nip_code nip_oci_attachment_print(const struct nip_oci_attachment *attachment,
                                       struct nip_buffer *out, struct nip_error *err)
{
    struct nip_oci_blob config = {.size = sizeof NIP_OCI_EMPTY_CONFIG - 1};
    nip_sha256_bytes(NIP_OCI_EMPTY_CONFIG, (size_t)config.size, config.sha256);
    struct nip_json *layers = nip_json_make_array();
    nip_json_append(layers, oci_make_descriptor(NIP_OCI_SIGNATURE_TYPE, &attachment->layer));
    struct nip_json *json = nip_json_make_object();
    nip_json_put_u64(json, "schemaVersion", 2);
    nip_json_put_text(json, "mediaType", NIP_OCI_MANIFEST_TYPE);
    nip_json_put_text(json, "artifactType", NIP_OCI_SIGNATURE_TYPE);
    nip_json_put(json, "config", oci_make_descriptor(NIP_OCI_EMPTY_TYPE, &config));
    nip_json_put(json, "layers", layers);
    nip_json_put(json, "subject", oci_make_descriptor(NIP_OCI_MANIFEST_TYPE, &attachment->subject));
    enum nip_code code = nip_json_print(json, false, out, err);
    nip_json_free(json);
    return code;
}

enum nip_code nip_oci_attachment_parse(const char *text, size_t size, const char *what,
                                       struct nip_oci_attachment *attachment, struct nip_error *err)
{
    struct nip_json *json;
    *attachment = (struct nip_oci_attachment){0};
    enum nip_code code = nip_json_parse(text, size, what, &json, err);
    if (code != NIP_OK)
        return code;
    const char *type = nip_json_get_text(json, "artifactType");
    const struct nip_json *layers = nip_json_get(json, "layers");
    if (type == NULL || strcmp(type, NIP_OCI_SIGNATURE_TYPE) != 0 || nip_json_count(layers) != 1 ||
        !oci_read_descriptor(nip_json_at(layers, 0), NIP_OCI_SIGNATURE_TYPE, &attachment->layer) ||
        !oci_read_descriptor(nip_json_get(json, "subject"), NIP_OCI_MANIFEST_TYPE,
                             &attachment->subject))
        code = nip_error_set(err, NIP_ERROR_FORMAT, "%s is not the manifest of a signature", what);
    nip_json_free(json);
    return code;
}

static int compare_referrers(const void *a, const void *b)
{
    return memcmp(((const struct nip_oci_referrer *)a)->manifest.sha256,
                  ((const struct nip_oci_referrer *)b)->manifest.sha256, NIP_DIGEST_SIZE);
}

enum nip_code nip_oci_referrers_print(const struct nip_oci_referrer *referrers, size_t count,
                                      struct nip_buffer *out, struct nip_error *err)
{
    struct nip_oci_referrer sorted[NIP_OCI_REFERRERS_MAX];
    if (count > NIP_OCI_REFERRERS_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "more than %d things attached to one package",
                             NIP_OCI_REFERRERS_MAX);
    memcpy(sorted, referrers, count * sizeof sorted[0]);
    qsort(sorted, count, sizeof sorted[0], compare_referrers);
    struct nip_json *list = nip_json_make_array();
    for (size_t i = 0; i < count; i++) {
        struct nip_json *item = oci_make_descriptor(NIP_OCI_MANIFEST_TYPE, &sorted[i].manifest);
        nip_json_put_text(item, "artifactType",
                          sorted[i].is_beside ? NIP_OCI_BESIDE_TYPE : NIP_OCI_SIGNATURE_TYPE);
        nip_json_append(list, item);
    }
    struct nip_json *json = nip_json_make_object();
    nip_json_put_u64(json, "schemaVersion", 2);
    nip_json_put_text(json, "mediaType", NIP_OCI_INDEX_TYPE);
    nip_json_put(json, "manifests", list);
    enum nip_code code = nip_json_print(json, false, out, err);
    nip_json_free(json);
    return code;
}

enum nip_code nip_oci_referrers_parse(const char *text, size_t size, const char *what,
                                      struct nip_oci_referrer referrers[NIP_OCI_REFERRERS_MAX],
                                      size_t *count, struct nip_error *err)
{
    struct nip_json *json;
    *count = 0;
    enum nip_code code = nip_json_parse(text, size, what, &json, err);
    if (code != NIP_OK)
        return code;
    const struct nip_json *list = nip_json_get(json, "manifests");
    if (!nip_json_is_array(list))
        code = nip_error_set(err, NIP_ERROR_FORMAT, "%s is not an index", what);
    else if (nip_json_count(list) > NIP_OCI_REFERRERS_MAX)
        code = nip_error_set(err, NIP_ERROR_LIMIT, "%s lists more than %d things", what,
                             NIP_OCI_REFERRERS_MAX);
    for (size_t i = 0; code == NIP_OK && i < nip_json_count(list); i++) {
        const struct nip_json *item = nip_json_at(list, i);
        const char *type = nip_json_get_text(item, "artifactType");
        struct nip_oci_referrer *referrer = &referrers[*count];
        referrer->is_beside = type != NULL && strcmp(type, NIP_OCI_BESIDE_TYPE) == 0;
        if (oci_read_descriptor(item, NIP_OCI_MANIFEST_TYPE, &referrer->manifest))
            ++*count;
        else
            code =
                nip_error_set(err, NIP_ERROR_FORMAT, "entry %zu of %s is no manifest", i + 1, what);
    }
    nip_json_free(json);
    return code;
}
