// SPDX-License-Identifier: Apache-2.0
//
// nip_tamper_boot.c: bytes of any content, validly signed. Whoever writes the parts decides what is
// wrong in them; here nothing is looked at, so what the kernel says about such an image is about
// the content alone.

#include "nip_tamper_boot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nip/crypto.h"
#include "nip/fs.h"

// Replaces *bytes if the folder has the file. *is_new tells.
static enum nip_code part_replace(const char *folder, const char *name, size_t size_max,
                                  const uint8_t **bytes, size_t *size, bool *is_new,
                                  struct nip_error *err)
{
    struct nip_buffer file = {.size = 0};
    char *path = nip_fs_join(folder, name);
    enum nip_code code = NIP_OK;

    *is_new = false;
    if (path == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "no memory for the path of %s", name);
    if (nip_fs_kind(path) == NIP_FS_FILE) {
        code = nip_fs_read(path, size_max, &file, err);
        if (code == NIP_OK) {
            *bytes = file.data;
            *size = file.size;
            *is_new = true;
        }
    }
    free(path);
    return code;
}

static enum nip_code package_replace(struct nip_archive_part *part, const char *folder,
                                     uint32_t number, const struct nip_secret_key *publisher,
                                     struct nip_error *err)
{
    struct {
        const char *suffix;
        size_t size_max;
        const uint8_t **bytes;
        size_t *size;
    } const files[] = {
        {"elf", RUMPK_ELF_SIZE_MAX, &part->elf, &part->elf_size},
        {"bkdl", RUMPK_BKDL_PACKAGE_SIZE_MAX, &part->bkdl, &part->bkdl_size},
        {"digests", RUMPK_DIGESTS_SIZE_MAX, &part->digests, &part->digests_size},
    };
    bool is_new = false;

    for (size_t index = 0; index < sizeof files / sizeof files[0]; index++) {
        char name[32];
        enum nip_code code;

        snprintf(name, sizeof name, "%u.%s", (unsigned)number, files[index].suffix);
        code = part_replace(folder, name, files[index].size_max, files[index].bytes,
                            files[index].size, &is_new, err);
        if (code != NIP_OK)
            return code;
    }
    if (is_new) { // the digests, which are the last of the files
        struct nip_public_key key;

        nip_secret_key_public(publisher, &key);
        memcpy(part->publisher_key, key.key, sizeof part->publisher_key);
        nip_sign_prehashed(publisher->secret, part->digests, part->digests_size, part->signature);
    }
    return NIP_OK;
}

enum nip_code tamper_parts(struct nip_archive *archive, const char *folder,
                           const struct nip_secret_key *publisher,
                           const struct nip_secret_key *owner, struct nip_error *err)
{
    bool is_new = false;
    enum nip_code code;

    if (nip_fs_kind(folder) != NIP_FS_FOLDER)
        return nip_error_set(err, NIP_ERROR_MISSING, "there is no folder %s", folder);
    for (uint32_t number = 0; number < archive->part_count; number++) {
        code = package_replace(&archive->parts[number], folder, number, publisher, err);
        if (code != NIP_OK)
            return code;
    }
    code = part_replace(folder, "boot.bkdl", RUMPK_BKDL_BOOT_SIZE_MAX, &archive->manifest,
                        &archive->manifest_size, &is_new, err);
    if (code == NIP_OK)
        nip_sign_prehashed(owner->secret, archive->manifest, archive->manifest_size,
                           archive->manifest_signature);
    return code;
}
