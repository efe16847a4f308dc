// SPDX-License-Identifier: Apache-2.0
//
// Opening files under the keys that are known here.

#include "vouched.h"

#include <stdlib.h>
#include <string.h>

#include "nip/fs.h"
#include "project.h"
#include "sdk.h"
#include "statements.h"

#define VOUCHED_HINT_WORDS "a key that nothing here vouches for, only its registry"

enum { IMAGE_SIZE_MAX = 256 << 20 };

struct vouched *vouched_new(void)
{
    return calloc(1, sizeof(struct vouched));
}

void vouched_free(struct vouched *vouched)
{
    if (vouched == NULL)
        return;
    votes_free(&vouched->votes);
    free(vouched);
}

static void vouch(struct vouched *vouched, const struct nip_public_key *key, const char *words,
                  const char *name)
{
    if (vouched->count == VOUCHED_KEYS_MAX)
        return;
    struct vouched_key *item = &vouched->items[vouched->count];
    item->key = *key;
    vouched->keys[vouched->count++] = *key;
    snprintf(item->whose, sizeof item->whose, "%.64s%.80s", words, name);
}

static const char *whose_key(const struct vouched *vouched, const uint8_t key[NIP_PUBLIC_KEY_BYTES])
{
    for (size_t i = 0; i < vouched->count; i++)
        if (memcmp(vouched->items[i].key.key, key, NIP_PUBLIC_KEY_BYTES) == 0)
            return vouched->items[i].whose;
    return NULL;
}

static enum nip_code vouch_own(struct vouched *vouched, struct nip_error *err)
{
    struct keystore_entry own[KEYSTORE_KEYS_MAX];
    size_t own_count = 0;
    enum nip_code code = keystore_list(own, &own_count, err);
    for (size_t i = 0; code == NIP_OK && i < own_count; i++)
        vouch(vouched, &own[i].key, "your own key ", own[i].name);
    struct nip_secret_key development;
    struct nip_error cause = {0};
    // Without a development key there is just nothing more to compare with.
    if (code == NIP_OK && keystore_development(&development, &cause) == NIP_OK) {
        struct nip_public_key key;
        nip_secret_key_public(&development, &key);
        nip_wipe(&development, sizeof development);
        vouch(vouched, &key, "your development key (not for release)", "");
    }
    return code;
}

// A key that is accepted for one name says nothing about another. What the project says about the
// name decides alone; only where it is silent do the user's own keys count.
static enum nip_code vouch_package(struct vouched *vouched, const struct nip_package_claim *claim,
                                   struct nip_error *err)
{
    struct nip_public_key accepted[NIP_TRUST_KEYS_MAX + NIP_TRUST_REVOKED_MAX];
    struct nip_error cause = {0};
    struct sdk sdk;
    enum nip_code code = project_read_trust(".", &vouched->trust, NULL, err);
    if (code != NIP_OK)
        return code;
    vouched->has_ballot = nip_trust_find(&vouched->trust, claim->name) != NULL;
    size_t count = nip_trust_keys(&vouched->trust, claim->name, claim->id, accepted,
                                  sizeof accepted / sizeof accepted[0]);
    for (size_t i = 0; i < count; i++)
        vouch(vouched, &accepted[i], "a key that nip.trust.kdl accepts for ", claim->name);
    if (vouched->has_ballot)
        return NIP_OK;
    code = vouch_own(vouched, err);
    if (code == NIP_OK && strncmp(claim->name, "rumpk/", 6) == 0 &&
        sdk_open(&sdk, &cause) == NIP_OK && sdk.has_key)
        vouch(vouched, &sdk.key, "the key of this SDK", "");
    return code;
}

static enum nip_code judge(struct vouched *vouched, const char *file,
                           const struct checked_package *package, struct nip_error *err)
{
    enum nip_code code = votes_add_inside(package, &vouched->votes, err);
    if (code == NIP_OK && !vouched->is_published)
        code = votes_read_beside(file, &vouched->votes, err);
    return code == NIP_OK
               ? votes_count(&vouched->trust, package, &vouched->votes, &vouched->ballot, err)
               : code;
}

enum nip_code vouched_open_package(struct vouched *vouched, const char *file, const char *key_name,
                                   struct nip_buffer *content, struct checked_package *package,
                                   const char **whose, struct nip_error *err)
{
    struct nip_package_source source = {content->data, content->size, -1};
    struct nip_package_claim claim;
    struct nip_public_key key;
    enum nip_code code = NIP_OK;
    if (key_name != NULL) {
        code = keystore_public(key_name, &key, err);
        if (code == NIP_OK)
            vouch(vouched, &key, "the key that was asked for", "");
    } else {
        code = nip_package_peek(&source, &claim, err);
        if (code == NIP_OK)
            code = vouch_package(vouched, &claim, err);
        else
            nip_error_prefix(err, "%s: ", file);
    }
    if (code != NIP_OK)
        return code;
    size_t known_count = vouched->count;
    for (size_t i = 0; key_name == NULL && i < vouched->hint_count; i++)
        vouch(vouched, &vouched->hints[i], VOUCHED_HINT_WORDS, "");
    struct key_list list = {vouched->keys, vouched->count};
    package->npl = *content;
    memset(content, 0, sizeof *content);
    code = checked_package_open(package, &list, file, err);
    if ((code == NIP_ERROR_UNTRUSTED || code == NIP_ERROR_SIGNATURE) && key_name == NULL)
        nip_error_hint(err,
                       "nothing here vouches for the key that signed %s; name the key that must "
                       "have signed: nip verify %s --key FILE.pub",
                       file, file);
    if (code == NIP_OK) {
        *whose = whose_key(vouched, nip_package_key(package->package)->key);
        vouched->is_hint = true;
        for (size_t i = 0; i < known_count; i++)
            if (nip_public_key_equals(&vouched->keys[i], nip_package_key(package->package)))
                vouched->is_hint = false;
        code = judge(vouched, file, package, err);
    }
    return code;
}

enum nip_code vouched_open_image(const char *file, const char *key_name,
                                 const struct nip_buffer *content, struct nip_image_report **report,
                                 struct nip_error *err)
{
    struct nip_public_key key;
    enum nip_code code = NIP_OK;
    if (key_name != NULL)
        code = keystore_public(key_name, &key, err);
    if (code == NIP_OK)
        code = nip_image_verify(content->data, content->size, file,
                                key_name != NULL ? key.key : NULL, report, err);
    if (code == NIP_ERROR_FORMAT && err->hint[0] == '\0')
        nip_error_hint(err, "it is an ELF file and no image; 'nip image' writes images: "
                            "build/NAME-ARCH.elf");
    return code;
}

const char *vouched_owner(struct vouched *vouched, const uint8_t key[NIP_PUBLIC_KEY_BYTES])
{
    struct nip_error cause = {0};
    vouched->count = 0;
    return vouch_own(vouched, &cause) == NIP_OK ? whose_key(vouched, key) : NULL;
}

// By its first bytes or, so that the reader of packages can say what is wrong with it, by its name.
static bool looks_like_package(const char *file, const struct nip_buffer *content)
{
    static const uint8_t frame_magic[4] = {0x28, 0xb5, 0x2f, 0xfd}; // RFC 8878, section 3.1.1
    size_t length = strlen(file);
    return memcmp(content->data, frame_magic, sizeof frame_magic) == 0 ||
           (length > 4 && strcmp(file + length - 4, ".npl") == 0);
}

enum nip_code vouched_read_file(const char *file, struct nip_buffer *content, bool *is_image,
                                struct nip_error *err)
{
    static const uint8_t elf_magic[4] = {0x7f, 'E', 'L', 'F'};
    enum nip_code code = nip_fs_read(file, IMAGE_SIZE_MAX, content, err);
    if (code != NIP_OK) {
        nip_error_hint(err, project_kind(file) != PROJECT_NONE
                                ? "it is a project: name what 'nip pack', 'nip sign' or 'nip "
                                  "image' have written in its folder build"
                                : "name a package (.npl) or an image (.elf)");
    } else if (content->size < 4 ||
               (memcmp(content->data, elf_magic, sizeof elf_magic) != 0 &&
                !looks_like_package(file, content) && !statement_is_one(content))) {
        code = nip_error_set(err, NIP_ERROR_FORMAT, "%s is neither a package nor an image", file);
        nip_error_hint(err, "packages end in .npl and begin with a zstd frame, images in .elf; "
                            "both are made in the folder build of a project");
    }
    *is_image = code == NIP_OK && memcmp(content->data, elf_magic, sizeof elf_magic) == 0;
    return code;
}
