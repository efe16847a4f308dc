// SPDX-License-Identifier: Apache-2.0
//
// Writes accepted inputs for the fuzzer of project files. Usage: nip_project_corpus FOLDER NAME

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "must.h"
#include "nip/fs.h"
#include "nip/lock.h"
#include "nip/trust.h"

static void write_seed(const char *folder, const char *name, const struct nip_buffer *text)
{
    struct nip_error err = {.code = NIP_OK};
    char *path = nip_fs_join(folder, name);
    MUST(path != NULL);
    MUST(nip_fs_write(path, text->data, text->size, 0644, &err) == NIP_OK);
    free(path);
}

int main(int argc, char **argv)
{
    MUST(argc == 3);
    static struct nip_lock lock = {.sdk = "rumpk-0.1.0-0123456789abcdef"};
    struct nip_error err = {.code = NIP_OK};
    struct nip_buffer text = {.size = 0};
    uint8_t seed[NIP_SEED_BYTES] = {1};
    struct nip_secret_key secret = {.id = {1}};
    struct nip_lock_package package = {.name = "acme/clock",
                                       .version = "1.2.3-rc.1",
                                       .registry = "reg",
                                       .size = 12345,
                                       .security_floor = 2};
    nip_key_from_seed(seed, secret.secret, package.key.key);
    nip_secret_key_public(&secret, &package.key);
    MUST(nip_lock_put(&lock, &package, &err) == NIP_OK);
    package =
        (struct nip_lock_package){.name = "local/work", .version = "0.1.0", .path = "../work"};
    struct nip_public_key key = lock.packages[0].key;
    MUST(nip_lock_put(&lock, &package, &err) == NIP_OK);
    nip_lock_print(&lock, &text);
    write_seed(argv[1], "lock", &text);
    nip_buffer_clear(&text);
    nip_buffer_append_text(&text, "// whose signatures count\n");
    nip_trust_append_registry(&text, "reg", "file:../reg");
    nip_trust_append_publisher(&text, "acme/*", &key);
    nip_trust_append_publisher(&text, "acme/clock", &key);
    write_seed(argv[1], "trust", &text);
    nip_buffer_clear(&text);
    nip_buffer_append_text(&text, "rumpk-yanked 1\n1.2.0 loses requests\n1.2.1\n2.0.0-rc.1 x\n");
    write_seed(argv[1], "yanked", &text);
    nip_buffer_free(&text);
    return 0;
}
