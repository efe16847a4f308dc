// SPDX-License-Identifier: Apache-2.0
//
// Writes accepted inputs for the fuzzers of project files and of statements. Usage:
// nip_project_corpus FOLDER NAME

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "must.h"
#include "nip/config.h"
#include "nip/fs.h"
#include "nip/lock.h"
#include "nip/oci.h"
#include "nip/statement.h"
#include "nip/trust.h"

static void write_seed(const char *folder, const char *name, const struct nip_buffer *text)
{
    struct nip_error err = {.code = NIP_OK};
    char *path = nip_fs_join(folder, name);
    MUST(path != NULL);
    MUST(nip_fs_write(path, text->data, text->size, 0644, &err) == NIP_OK);
    free(path);
}

static struct nip_public_key key_of(uint8_t number)
{
    uint8_t seed[NIP_SEED_BYTES] = {number};
    struct nip_secret_key secret = {.id = {number}};
    struct nip_public_key key;
    nip_key_from_seed(seed, secret.secret, key.key);
    nip_secret_key_public(&secret, &key);
    return key;
}

static void write_statements(const char *folder)
{
    struct nip_error err = {.code = NIP_OK};
    struct nip_buffer text = {.size = 0};
    struct nip_statement statement = {.kind = NIP_STATEMENT_ROTATION,
                                      .pattern = "acme/*",
                                      .serial = 3,
                                      .threshold = 2,
                                      .old_count = 1,
                                      .new_count = 2,
                                      .old_keys = {key_of(1)},
                                      .new_keys = {key_of(2), key_of(3)}};
    MUST(nip_statement_print(&statement, &text, &err) == NIP_OK);
    write_seed(folder, "rotation", &text);
    nip_buffer_clear(&text);
    statement = (struct nip_statement){.kind = NIP_STATEMENT_REVOCATION,
                                       .pattern = "acme/clock",
                                       .key = key_of(1),
                                       .keep_count = 2,
                                       .keeps = {{1}, {2}}};
    MUST(nip_statement_print(&statement, &text, &err) == NIP_OK);
    write_seed(folder, "revocation", &text);
    nip_buffer_clear(&text);
    struct nip_oci_referrer manifests[2] = {{.manifest = {{1}, 500}}, {{{2}, 501}, true}};
    MUST(nip_oci_referrers_print(manifests, 2, &text, &err) == NIP_OK);
    write_seed(folder, "referrers", &text);
    nip_buffer_clear(&text);
    struct nip_oci_attachment attachment = {manifests[0].manifest, manifests[1].manifest};
    MUST(nip_oci_attachment_print(&attachment, &text, &err) == NIP_OK);
    write_seed(folder, "attachment", &text);
    nip_buffer_free(&text);
}

static void write_sbom(const char *folder)
{
    struct nip_buffer text = {.size = 0};
    nip_buffer_append_text(
        &text, "{\"spdxVersion\":\"SPDX-2.3\",\"packages\":[{\"SPDXID\":\"SPDXRef-Package\"},"
               "{\"SPDXID\":\"SPDXRef-libc\"}],\"files\":[{\"SPDXID\":\"SPDXRef-File-0\"}],"
               "\"relationships\":[{\"spdxElementId\":\"SPDXRef-DOCUMENT\",\"relationshipType\":"
               "\"DESCRIBES\",\"relatedSpdxElement\":\"SPDXRef-Package\"},{\"spdxElementId\":"
               "\"SPDXRef-Package\",\"relationshipType\":\"STATIC_LINK\",\"relatedSpdxElement\":"
               "\"SPDXRef-libc\"}]}");
    write_seed(folder, "sbom", &text);
    nip_buffer_free(&text);
}

// What nip run prints about faults, and its JSON.
static void write_crashes(const char *folder)
{
    struct nip_buffer text = {.size = 0};
    nip_buffer_append_text(
        &text, "riscv64: powered off after 0.2 s\n"
               "  ended       rumpk/uart-16550 0.1.0: exit code 0\n"
               "  faulted     local/hello 0.1.0: WRITE: a store; address 0x8; in f (src/main.c:8); "
               "driver.elf+0x1a4 of riscv64, build-id 2977b6403d027e211c58e5dc68f177e74f88a741\n");
    write_seed(folder, "log", &text);
    nip_buffer_clear(&text);
    nip_buffer_append_text(
        &text, "{\"schema\": \"nip-run-1\", \"runs\": [{\"arch\": \"x86_64\", \"packages\": "
               "[{\"name\": \"local/hello\", \"version\": \"0.1.0\", \"outcome\": \"faulted\", "
               "\"code\": \"WRITE\", \"pc_offset\": 420, \"build_id\": \"00112233\"}]}]}");
    write_seed(folder, "json", &text);
    nip_buffer_free(&text);
}

int main(int argc, char **argv)
{
    MUST(argc == 3);
    if (strcmp(argv[2], "sbom") == 0) {
        write_sbom(argv[1]);
        return 0;
    }
    if (strcmp(argv[2], "crash") == 0) {
        write_crashes(argv[1]);
        return 0;
    }
    if (strcmp(argv[2], "statement") == 0) {
        write_statements(argv[1]);
        return 0;
    }
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
    struct nip_public_key key;
    nip_key_from_seed(seed, secret.secret, key.key);
    nip_secret_key_public(&secret, &key);
    struct nip_public_key other = key_of(2);
    MUST(nip_lock_keys_add(&package.keys, &key) && nip_lock_keys_add(&package.keys, &other));
    MUST(nip_lock_put(&lock, &package, &err) == NIP_OK);
    package =
        (struct nip_lock_package){.name = "local/work", .version = "0.1.0", .path = "../work"};
    MUST(nip_lock_put(&lock, &package, &err) == NIP_OK);
    nip_lock_print(&lock, &text);
    write_seed(argv[1], "lock", &text);
    nip_buffer_clear(&text);
    nip_buffer_append_text(&text, "// whose signatures count\n");
    nip_trust_append_registry(&text, "reg", "file:../reg");
    nip_trust_append_publisher(&text, "acme/*", &key);
    nip_trust_append_publisher(&text, "acme/clock", &key);
    static struct nip_trust trust;
    struct nip_buffer out = {.size = 0};
    struct nip_trust_publisher two = {.pattern = "acme/two",
                                      .threshold = 2,
                                      .rotation = 1,
                                      .key_count = 2,
                                      .keys = {key_of(2), key_of(3)},
                                      .reason = "two"};
    struct nip_trust_revoked revoked = {.pattern = "acme/*", .key = key_of(4), .keep_count = 1};
    uint8_t keep[NIP_DIGEST_SIZE] = {9};
    nip_trust_put_publisher(&trust, nip_buffer_text(&text), text.size, &two, &out);
    nip_buffer_clear(&text);
    nip_trust_put_revoked(&trust, nip_buffer_text(&out), out.size, &revoked, keep, &text);
    nip_buffer_free(&out);
    write_seed(argv[1], "trust", &text);
    nip_buffer_clear(&text);
    nip_buffer_append_text(&text, "rumpk-yanked 1\n1.2.0 loses requests\n1.2.1\n2.0.0-rc.1 x\n");
    write_seed(argv[1], "yanked", &text);
    nip_buffer_clear(&text);
    nip_buffer_append_text(&text, "workspace {\n    member \"drivers/*\"\n}\n"
                                  "override \"acme/ring\" path=\"../ring\"\n");
    write_seed(argv[1], "workspace", &text);
    nip_buffer_clear(&text);
    nip_buffer_append_text(&text, nip_config_example);
    write_seed(argv[1], "config", &text);
    nip_buffer_free(&text);
    return 0;
}
