// SPDX-License-Identifier: Apache-2.0
//
// Writes fully accepted inputs for one fuzzer of libnip: a package, its tar, its texts, keys, the
// texts of a registry. Deterministic. Usage: nip_corpus FOLDER NAME
//
// Each is read back by the parser that it is for before it is written: a seed that is not accepted
// fails the build.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nip/fs.h"
#include "nip/kdl.h"
#include "nip/oci.h"
#include "nip/package.h"
#include "nip/source.h"

static const char *corpus, *wanted;

static void require(enum nip_code code, const struct nip_error *err)
{
    if (code == NIP_OK)
        return;
    fprintf(stderr, "seeds: %s\n", err->message);
    exit(1);
}

static void write_seed(const char *target, const char *name, const void *data, size_t size)
{
    struct nip_error err = {0};
    if (strcmp(target, wanted) != 0)
        return;
    char *path = nip_fs_join(corpus, name);
    if (path == NULL)
        abort();
    require(nip_fs_write(path, data, size, 0644, &err), &err);
    free(path);
}

static void write_buffer(const char *target, const char *name, const struct nip_buffer *buffer)
{
    write_seed(target, name, buffer->data, buffer->size);
}

static enum nip_code one_key(void *context, const char *name, const struct nip_public_key **keys,
                             size_t *key_count, struct nip_error *err)
{
    (void)name;
    (void)err;
    *keys = context;
    *key_count = 1;
    return NIP_OK;
}

static void write_keys(const struct nip_secret_key *secret, const struct nip_public_key *key)
{
    struct nip_error err = {0};
    struct nip_buffer text = {0};
    nip_public_key_print(key, NULL, &text);
    write_buffer("signature", "public-key", &text);
    nip_buffer_clear(&text);
    require(nip_secret_key_print(secret, "seed", NULL, 0, 0, 0, &text, &err), &err);
    write_buffer("signature", "secret-key", &text);
    nip_buffer_wipe(&text);
}

static void write_package(const struct nip_secret_key *secret, struct nip_public_key *key)
{
    static const char manifest[] =
        "package \"acme/x\" version=\"1.0.0\" {\n    kind \"driver\"\n    abi 1\n"
        "    arch \"riscv64\" \"x86_64\"\n}\nrequest {\n    memory \"scratch\" size=\"64KiB\"\n}\n";
    static const struct nip_package_input files[] = {
        {"LICENSES/Apache-2.0.txt", "licence\n", 8},
        {"empty", "", 0},
        {"npl.kdl", manifest, sizeof manifest - 1},
    };
    enum { FILE_COUNT = sizeof files / sizeof files[0] };
    struct nip_digests digests = {.kind = NIP_KIND_DRIVER,
                                  .name = "acme/x",
                                  .version = "1.0.0",
                                  .security_version = 1,
                                  .archs = {[NIP_ARCH_RISCV64] = true, [NIP_ARCH_X86_64] = true},
                                  .toolchain = "t",
                                  .source = "none"};
    struct nip_error err = {0};
    struct nip_buffer digests_text = {0}, signature_text = {0}, tar = {0}, npl = {0};
    struct nip_signature signature;
    for (size_t i = 0; i < FILE_COUNT; i++)
        require(nip_digests_add(&digests, false, files[i].path, files[i].data, files[i].size, &err),
                &err);
    require(nip_digests_add(&digests, true, "x86_64/driver.debug", "debug", 5, &err), &err);
    require(nip_digests_print(&digests, &digests_text, &err), &err);
    require(nip_signature_make(secret, digests_text.data, digests_text.size, "acme/x", "1.0.0",
                               &signature, &err),
            &err);
    nip_signature_print(&signature, &signature_text);
    const char *signature_bytes = nip_buffer_text(&signature_text);
    const char *digests_bytes = nip_buffer_text(&digests_text);
    require(nip_package_write_tar(signature_bytes, signature_text.size, digests_bytes,
                                  digests_text.size, files, FILE_COUNT, &tar, &err),
            &err);
    require(nip_package_write(signature_bytes, signature_text.size, digests_bytes,
                              digests_text.size, files, FILE_COUNT, &npl, &err),
            &err);
    struct nip_package_source source = {.data = npl.data, .size = npl.size};
    struct nip_package_trust trust = {one_key, key};
    struct nip_package *package;
    require(nip_package_load(&source, &trust, 0, &package, &err), &err);
    nip_package_close(package);
    struct nip_kdl_document *document;
    require(nip_kdl_parse(manifest, sizeof manifest - 1, "npl.kdl", NULL, &document, &err), &err);
    nip_kdl_document_free(document);
    write_seed("kdl", "manifest", manifest, sizeof manifest - 1);
    write_buffer("digests", "driver", &digests_text);
    write_buffer("signature", "signature", &signature_text);
    write_buffer("archive", "driver", &tar);
    write_buffer("package", "driver", &npl);
    nip_digests_free(&digests);
    nip_buffer_free(&digests_text);
    nip_buffer_free(&signature_text);
    nip_buffer_free(&tar);
    nip_buffer_free(&npl);
}

static void write_registry_texts(void)
{
    struct nip_error err = {0};
    struct nip_oci_manifest manifest = {
        .name = "acme/x", .version = "1.0.0", .layer = {.size = 700}};
    struct nip_oci_index index = {0}, index_again;
    struct nip_buffer text = {0};
    require(nip_oci_manifest_print(&manifest, &text, &err), &err);
    require(nip_oci_manifest_parse(nip_buffer_text(&text), text.size, "seed", &manifest, &err),
            &err);
    write_buffer("oci", "manifest", &text);
    struct nip_oci_entry entry = {.version = "1.0.0", .manifest = {.size = text.size}};
    require(nip_oci_index_add(&index, &entry, &err), &err);
    memcpy(entry.version, "2.0.0", 6);
    require(nip_oci_index_add(&index, &entry, &err), &err);
    nip_buffer_clear(&text);
    require(nip_oci_index_print(&index, &text, &err), &err);
    require(nip_oci_index_parse(nip_buffer_text(&text), text.size, "seed", &index_again, &err),
            &err);
    write_buffer("oci", "index", &text);
    struct nip_oci_beside beside = {
        .subject = {.size = 700},
        .files = {{"riscv64/driver.debug", {.size = 5000}}, {"source.tar", {.size = 10240}}},
        .count = 2};
    nip_buffer_clear(&text);
    require(nip_oci_beside_print(&beside, &text, &err), &err);
    require(nip_oci_beside_parse(nip_buffer_text(&text), text.size, "seed", &beside, &err), &err);
    write_buffer("oci", "beside", &text);
    nip_oci_index_free(&index);
    nip_oci_index_free(&index_again);
    nip_buffer_free(&text);
}

// Every construct of the language once.
static void write_kdl(void)
{
    static const char text[] =
        "// comment\n/- kdl-version 2\n"
        "(type)node arg \"quoted \\n \\u{1F600} \\\n   end\" #\"raw\"# ##\"more \"# here\"## key=1 "
        "k2=(u8)#true {\n"
        "    child 1 -2 +3 0xff 0o17 0b1_0 1.5e-3 1_000.0E+2 #inf #-inf #nan #null #false; inline\n"
        "    multi \"\"\"\n      indented\n        more \\s\n      \"\"\" #\"\"\"\n    raw\n"
        "    \"\"\"#\n"
        "    /- hidden { a }\n    n /-1 2 /-k=3 /-{ x } { y } /-{ z }\n}\n"
        "/* block /* nested */ */ last \\ // continued\n    here\n";
    struct nip_error err = {0};
    struct nip_kdl_document *document;
    require(nip_kdl_parse(text, sizeof text - 1, "seed", NULL, &document, &err), &err);
    nip_kdl_document_free(document);
    write_seed("kdl", "everything", text, sizeof text - 1);
}

static void write_source(void)
{
    struct nip_error err = {0};
    struct nip_buffer tar = {0};
    struct nip_source source;
    struct nip_source_file sources[] = {
        {.path = "src/main.c", .data = (const uint8_t *)"int main;\n", .size = 10},
        {.path = "npl.kdl", .data = (const uint8_t *)"package", .size = 7},
        {.path = "empty", .data = (const uint8_t *)"", .size = 0},
    };
    require(nip_source_write(sources, 3, &tar, &err), &err);
    require(nip_source_read(tar.data, tar.size, &source, &err), &err);
    nip_source_free(&source);
    write_buffer("source", "three", &tar);
    nip_buffer_free(&tar);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    corpus = argv[1];
    wanted = argv[2];
    uint8_t seed[NIP_SEED_BYTES] = {1}, public_key[NIP_PUBLIC_KEY_BYTES];
    struct nip_secret_key secret = {.id = {1, 2, 3}};
    struct nip_public_key key;
    nip_key_from_seed(seed, secret.secret, public_key);
    nip_secret_key_public(&secret, &key);
    write_keys(&secret, &key);
    write_package(&secret, &key);
    write_source();
    write_registry_texts();
    write_kdl();
    return 0;
}
