// SPDX-License-Identifier: Apache-2.0
//
// Opening packages: the fixed order of nip/package.h up to the signature, one step after the other.
// Nothing about a file is taken from the archive except bytes that are compared with what the
// signed list says; the files themselves are read in package_read.c.

#include <stdlib.h>
#include <string.h>

#include "checked.h"
#include "package_parts.h"
#include "tar.h"

bool package_is_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

// ---- the two texts at the front ----

static enum nip_code read_content(struct nip_zstd_reader *reader, const char *path, size_t size,
                                  struct nip_buffer *out, struct nip_error *err)
{
    uint8_t padding[NIP_TAR_BLOCK_SIZE];
    size_t padding_size = nip_tar_padding(size);
    uint8_t *room = nip_buffer_extend(out, size);
    if (room == NULL)
        return nip_buffer_check(out, path, err);
    enum nip_code code = nip_zstd_reader_read(reader, room, size, err);
    if (code == NIP_OK)
        code = nip_zstd_reader_read(reader, padding, padding_size, err);
    if (code == NIP_OK && !package_is_zero(padding, padding_size))
        code = nip_error_set(err, NIP_ERROR_FORMAT, "the padding behind '%s' is not zero", path);
    return code;
}

// An entry whose size is not known in advance: one of the two texts.
static enum nip_code read_text(struct nip_zstd_reader *reader, const char *path, size_t size_max,
                               struct nip_buffer *out, struct nip_error *err)
{
    uint8_t block[NIP_TAR_BLOCK_SIZE];
    uint64_t size;
    enum nip_code code = nip_zstd_reader_read(reader, block, sizeof block, err);
    if (code != NIP_OK)
        return code;
    if (!nip_tar_header_matches(block, path, size_max, &size))
        return nip_tar_header_explain(block, path, size_max, false, err);
    return read_content(reader, path, (size_t)size, out, err);
}

static enum nip_code read_front(struct nip_package *package, struct nip_error *err)
{
    enum nip_code code = read_text(package->reader, NIP_PACKAGE_SIGNATURE_PATH,
                                   NIP_SIGNATURE_FILE_SIZE_MAX, &package->signature_text, err);
    if (code == NIP_OK)
        code = nip_signature_parse(nip_buffer_text(&package->signature_text),
                                   package->signature_text.size, &package->signature, err);
    if (code == NIP_OK)
        code = read_text(package->reader, NIP_PACKAGE_DIGESTS_PATH, NIP_DIGESTS_SIZE_MAX,
                         &package->digests_text, err);
    if (code == NIP_OK)
        code = nip_digests_parse(nip_buffer_text(&package->digests_text),
                                 package->digests_text.size, &package->digests, err);
    if (code == NIP_OK)
        nip_digests_id(package->digests_text.data, package->digests_text.size, package->id);
    return code;
}

// ---- the signature ----

static enum nip_code fail_untrusted(const struct nip_package *package, bool has_same_id,
                                    size_t key_count, struct nip_error *err)
{
    const struct nip_digests *digests = &package->digests;
    if (has_same_id)
        return nip_error_set(err, NIP_ERROR_SIGNATURE,
                             "the signature of %s %s is not valid under the accepted key that it "
                             "names",
                             digests->name, digests->version);
    enum nip_code code =
        key_count == 0
            ? nip_error_set(err, NIP_ERROR_UNTRUSTED, "no key is accepted for %s", digests->name)
            : nip_error_set(err, NIP_ERROR_UNTRUSTED,
                            "%s %s is not signed by any of the %zu key(s) accepted for that name",
                            digests->name, digests->version, key_count);
    nip_error_hint(err, "check with the publisher; accept a key with: nip key trust %s KEY",
                   digests->name);
    return code;
}

static enum nip_code verify_signature(struct nip_package *package,
                                      const struct nip_package_trust *trust, struct nip_error *err)
{
    const struct nip_public_key *keys = NULL;
    size_t key_count = 0;
    bool has_same_id = false;
    enum nip_code code =
        trust->keys_for(trust->context, package->digests.name, &keys, &key_count, err);
    if (code != NIP_OK)
        return code;
    for (size_t i = 0; i < key_count; i++) {
        bool is_same_id = memcmp(keys[i].id, package->signature.key_id, NIP_KEY_ID_SIZE) == 0;
        has_same_id = has_same_id || is_same_id;
        code = nip_signature_verify(&package->signature, keys[i].key, package->digests_text.data,
                                    package->digests_text.size, package->digests.name,
                                    package->digests.version, err);
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
        code = NIP_OK; // only the fuzzers' own build of this library defines it
        is_same_id = true;
#endif
        if (code != NIP_OK)
            continue;
        // The id has selected nothing, but it is the one part of the tar that nobody signs: a
        // changed one is refused here, as minisign does too.
        if (!is_same_id)
            return nip_error_set(err, NIP_ERROR_SIGNATURE,
                                 "the signature of %s %s names another key id than its key has",
                                 package->digests.name, package->digests.version);
        package->key = keys[i];
        return NIP_OK;
    }
    return fail_untrusted(package, has_same_id, key_count, err);
}

// Does the archive have the size that the signed list gives it?
static enum nip_code check_size(const struct nip_package *package, struct nip_error *err)
{
    uint64_t total = NIP_TAR_END_SIZE;
    uint64_t front[] = {package->signature_text.size, package->digests_text.size};
    bool is_counted = true;
    for (size_t i = 0; i < 2 + package->digests.file_count; i++) {
        uint64_t size = i < 2 ? front[i] : package->digests.files[i - 2].size;
        is_counted = is_counted && nip_u64_add(total, NIP_TAR_BLOCK_SIZE, &total) &&
                     nip_u64_add(total, size, &total) &&
                     nip_u64_add(total, nip_tar_padding(size), &total);
    }
    uint64_t actual = nip_zstd_reader_content_size(package->reader);
    if (is_counted && total == actual)
        return NIP_OK;
    return nip_error_set(err, NIP_ERROR_MISMATCH,
                         "the archive has %llu bytes, but its signed list makes %llu: %s",
                         (unsigned long long)actual, (unsigned long long)total,
                         actual > total ? "there is more in it than is listed"
                                        : "a listed file is missing or too short");
}

// ---- opening ----

static enum nip_code begin(const struct nip_package_source *source, uint64_t size_max,
                           struct nip_package **package, struct nip_error *err)
{
    *package = NULL;
    struct nip_package *made = calloc(1, sizeof *made);
    if (made == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory to read a package");
    enum nip_code code = nip_zstd_reader_open(
        source, size_max != 0 ? size_max : NIP_PACKAGE_SIZE_MAX, &made->reader, err);
    if (code == NIP_OK)
        code = read_front(made, err);
    if (code != NIP_OK)
        nip_package_close(made);
    else
        *package = made;
    return code;
}

enum nip_code nip_package_peek(const struct nip_package_source *source,
                               struct nip_package_claim *claim, struct nip_error *err)
{
    struct nip_package *package;
    enum nip_code code = begin(source, 0, &package, err);
    if (code != NIP_OK)
        return code;
    *claim = (struct nip_package_claim){0};
    memcpy(claim->name, package->digests.name, sizeof claim->name);
    memcpy(claim->version, package->digests.version, sizeof claim->version);
    memcpy(claim->id, package->id, sizeof claim->id);
    memcpy(claim->key_id, package->signature.key_id, sizeof claim->key_id);
    nip_package_close(package);
    return NIP_OK;
}

enum nip_code nip_package_open(const struct nip_package_source *source,
                               const struct nip_package_trust *trust, uint64_t size_max,
                               struct nip_package **package, struct nip_error *err)
{
    enum nip_code code = begin(source, size_max, package, err);
    if (code == NIP_OK)
        code = verify_signature(*package, trust, err);
    if (code == NIP_OK)
        code = check_size(*package, err);
    if (code != NIP_OK) {
        nip_package_close(*package);
        *package = NULL;
    }
    return code;
}

void nip_package_close(struct nip_package *package)
{
    if (package == NULL)
        return;
    for (size_t i = 0; package->contents != NULL && i < package->digests.file_count; i++)
        free(package->contents[i]);
    free((void *)package->contents);
    nip_zstd_reader_close(package->reader);
    nip_digests_free(&package->digests);
    nip_buffer_free(&package->signature_text);
    nip_buffer_free(&package->digests_text);
    free(package);
}

bool nip_package_file(const struct nip_package *package, const char *path, const uint8_t **data,
                      size_t *size)
{
    const struct nip_digests_file *file = nip_digests_file(&package->digests, path);
    if (package->contents == NULL || file == NULL)
        return false;
    *data = package->contents[file - package->digests.files];
    *size = (size_t)file->size;
    return true;
}

// ---- what is known after opening ----

const struct nip_digests *nip_package_digests(const struct nip_package *package)
{
    return &package->digests;
}

const char *nip_package_digests_text(const struct nip_package *package, size_t *size)
{
    *size = package->digests_text.size;
    return nip_buffer_text(&package->digests_text);
}

const char *nip_package_signature_text(const struct nip_package *package, size_t *size)
{
    *size = package->signature_text.size;
    return nip_buffer_text(&package->signature_text);
}

const struct nip_signature *nip_package_signature(const struct nip_package *package)
{
    return &package->signature;
}

const struct nip_public_key *nip_package_key(const struct nip_package *package)
{
    return &package->key;
}

const uint8_t *nip_package_id(const struct nip_package *package)
{
    return package->id;
}
