// SPDX-License-Identifier: Apache-2.0
//
// Goal: source archive and debug files come out of a folder registry exactly as the publisher's
// list names them, or not at all, whatever the registry holds. Method: registries with other
// content, other sizes, several claims to one path and damaged blobs; what is refused leaves
// nothing in the buffer.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nip/folder.h"
#include "nip/fs.h"
#include "nip/oci.h"
#include "scratch.h"

static char scratch_path[SCRATCH_PATH_SIZE];
static const uint8_t some_id[NIP_DIGEST_SIZE] = {1, 2, 3};
static const char blobs[] = "reg/acme/x/blobs/sha256/";

static int enter(void **state)
{
    (void)state;
    scratch_enter(scratch_path);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    scratch_leave(scratch_path);
    return 0;
}

static struct nip_folder *open_registry(void)
{
    struct nip_folder *folder = NULL;
    assert_int_equal(nip_folder_open("reg", true, &folder, NULL, NULL), NIP_OK);
    return folder;
}

// acme/x 1.0.0 with this as its source archive, and a debug file; NULL: with nothing beside it.
static void publish(const char *source)
{
    struct nip_folder *folder = open_registry();
    const struct nip_folder_file files[] = {
        {"source.tar", source, source != NULL ? strlen(source) : 0},
        {"riscv64/driver.debug", "symbols", 7},
    };
    assert_int_equal(nip_folder_publish(folder, "acme/x", "1.0.0", some_id, "package", 7, files,
                                        source != NULL ? 2 : 0, NULL),
                     NIP_OK);
    nip_folder_close(folder);
}

// Asks for `path` as a list that was made over `content` names it.
static enum nip_code fetch(const char *path, const char *content, struct nip_buffer *out,
                           struct nip_error *err)
{
    struct nip_folder *folder = open_registry();
    struct nip_digests_file wanted = {.size = strlen(content)};
    snprintf(wanted.path, sizeof wanted.path, "%s", path);
    nip_hash_bytes(content, strlen(content), wanted.digest);
    enum nip_code code = nip_folder_fetch_beside(folder, "acme/x", "1.0.0", &wanted, out, err);
    nip_folder_close(folder);
    return code;
}

static void refused(const char *path, const char *content, enum nip_code wanted)
{
    struct nip_error err = {0};
    struct nip_buffer out = {0};
    nip_buffer_append_text(&out, "before");
    assert_int_equal(fetch(path, content, &out, &err), wanted);
    assert_true(nip_buffer_equals(&out, "before", 6));
    assert_true(err.message[0] != '\0' && err.hint[0] != '\0');
    nip_buffer_free(&out);
}

static void what_was_signed_comes_out(void **state)
{
    (void)state;
    struct nip_buffer out = {0};
    publish("the source");
    assert_int_equal(fetch("source.tar", "the source", &out, NULL), NIP_OK);
    assert_int_equal(fetch("riscv64/driver.debug", "symbols", &out, NULL), NIP_OK);
    assert_true(nip_buffer_equals(&out, "the sourcesymbols", 17));
    nip_buffer_free(&out);
}

static void other_content_and_sizes_are_refused(void **state)
{
    (void)state;
    publish("the source");
    refused("source.tar", "the sourcE", NIP_ERROR_DIGEST);
    refused("source.tar", "the sourc", NIP_ERROR_DIGEST);
    refused("source.tar", "the source and more", NIP_ERROR_DIGEST);
    refused("source.tar", "", NIP_ERROR_DIGEST);
    refused("aarch64/driver.debug", "symbols", NIP_ERROR_MISSING);
    refused("Source.tar", "the source", NIP_ERROR_MISSING);
}

static void what_is_missing_is_said(void **state)
{
    (void)state;
    publish(NULL);
    refused("source.tar", "the source", NIP_ERROR_MISSING);
}

// The blob that has this content, as a path; static.
static const char *blob_of(const char *content)
{
    static char path[128];
    uint8_t digest[NIP_DIGEST_SIZE];
    nip_sha256_bytes(content, strlen(content), digest);
    snprintf(path, sizeof path, "%s", blobs);
    nip_digest_text(digest, path + strlen(path));
    return path;
}

static void damaged_blobs_are_refused(void **state)
{
    (void)state;
    publish("the source");
    const char *path = blob_of("the source");
    struct nip_error err = {0};
    struct nip_buffer out = {0};
    write_text(path, "the sourcE");
    refused("source.tar", "the source", NIP_ERROR_DIGEST);
    // Longer than anybody says: not read to its end.
    write_text(path, "the source, and then so much more that nobody would want to read all of it");
    assert_int_not_equal(fetch("source.tar", "the source", &out, &err), NIP_OK);
    assert_int_equal(out.size, 0);
    assert_int_equal(remove(path), 0);
    assert_int_not_equal(fetch("source.tar", "the source", &out, &err), NIP_OK);
    assert_int_equal(out.size, 0);
    // The other file is not touched by that.
    assert_int_equal(fetch("riscv64/driver.debug", "symbols", &out, &err), NIP_OK);
    nip_buffer_free(&out);
}

static void repair_keeps_them(void **state)
{
    (void)state;
    bool repaired = false;
    struct nip_buffer out = {0};
    publish("the source");
    struct nip_folder *folder = open_registry();
    assert_true(shell("mv reg/acme/x/index.json good"));
    assert_int_equal(nip_folder_repair(folder, "acme/x", &repaired, NULL), NIP_OK);
    assert_true(repaired && shell("cmp good reg/acme/x/index.json"));
    assert_int_equal(nip_folder_repair(folder, "acme/x", &repaired, NULL), NIP_OK);
    assert_false(repaired);
    assert_int_equal(fetch("source.tar", "the source", &out, NULL), NIP_OK);
    // A signature beside the files, and the files beside a signature.
    assert_int_equal(nip_folder_attach(folder, "acme/x", "1.0.0", "signature", 9, NULL), NIP_OK);
    assert_int_equal(fetch("riscv64/driver.debug", "symbols", &out, NULL), NIP_OK);
    nip_folder_close(folder);
    nip_buffer_free(&out);
}

// Of several claims to one path the one that fits counts, whichever comes first.
static void several_claims(void **state)
{
    (void)state;
    struct nip_buffer text = {0}, out = {0};
    struct nip_oci_index index = {0};
    bool repaired = false;
    publish("the source");
    assert_int_equal(nip_fs_read("reg/acme/x/index.json", 65536, &text, NULL), NIP_OK);
    assert_int_equal(nip_oci_index_parse(nip_buffer_text(&text), text.size, "x", &index, NULL),
                     NIP_OK);
    static struct nip_oci_beside beside;
    beside.subject = index.entries[0].manifest;
    for (int i = 0; i < 6; i++) {
        char content[32];
        nip_buffer_clear(&text);
        snprintf(content, sizeof content, "the sourc%d", i);
        beside.count = 1;
        snprintf(beside.files[0].path, sizeof beside.files[0].path, "source.tar");
        beside.files[0].layer.size = strlen(content);
        nip_sha256_bytes(content, strlen(content), beside.files[0].layer.sha256);
        write_text(blob_of(content), content);
        assert_int_equal(nip_oci_beside_print(&beside, &text, NULL), NIP_OK);
        write_text(blob_of(nip_buffer_text(&text)), nip_buffer_text(&text));
    }
    struct nip_folder *folder = open_registry();
    assert_int_equal(nip_folder_repair(folder, "acme/x", &repaired, NULL), NIP_OK);
    assert_true(repaired);
    nip_folder_close(folder);
    assert_int_equal(fetch("source.tar", "the source", &out, NULL), NIP_OK);
    assert_true(nip_buffer_equals(&out, "the source", 10));
    nip_buffer_clear(&out);
    for (int i = 0; i < 6; i++) {
        char content[32];
        snprintf(content, sizeof content, "the sourc%d", i);
        assert_int_equal(fetch("source.tar", content, &out, NULL), NIP_OK);
    }
    refused("source.tar", "the sourc9", NIP_ERROR_DIGEST);
    nip_oci_index_free(&index);
    nip_buffer_free(&text);
    nip_buffer_free(&out);
}

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define BLOB(type, title) \
    "{\"mediaType\":\"" type "\",\"digest\":\"sha256:" ZEROS "\",\"size\":1" title "}"
#define TITLE(path) ",\"annotations\":{\"org.opencontainers.image.title\":\"" path "\"}"
#define LAYER(path) BLOB(NIP_OCI_FILE_TYPE, TITLE(path))
#define WITH(layers)                                                    \
    "{\"artifactType\":\"" NIP_OCI_BESIDE_TYPE "\",\"layers\":[" layers \
    "],\"subject\":" BLOB(NIP_OCI_MANIFEST_TYPE, "") "}"

#define FOUR(path) LAYER(path "1") "," LAYER(path "2") "," LAYER(path "3") "," LAYER(path "4")

static void lists_that_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {
        WITH(""),
        WITH(LAYER("../source.tar")),
        WITH(LAYER("/source.tar")),
        WITH(LAYER("")),
        WITH(LAYER(".hidden")),
        WITH(LAYER("a\\u0000b")),
        WITH(LAYER("b") "," LAYER("a")),
        WITH(LAYER("a") "," LAYER("a")),
        WITH(BLOB(NIP_OCI_FILE_TYPE, "")),
        WITH(BLOB(NIP_OCI_SIGNATURE_TYPE, TITLE("a"))),
        WITH(FOUR("a") "," FOUR("b") "," FOUR("c") "," FOUR("d") "," LAYER("e")),
        "{\"artifactType\":\"" NIP_OCI_BESIDE_TYPE "\",\"layers\":[" LAYER("a") "]}",
        "{}",
        "[]",
    };
    static struct nip_oci_beside beside;
    const char *good = WITH(LAYER("a") "," LAYER("b"));
    assert_int_equal(nip_oci_beside_parse(good, strlen(good), "x", &beside, NULL), NIP_OK);
    assert_int_equal(beside.count, 2);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct nip_error err = {0};
        if (nip_oci_beside_parse(bad[i], strlen(bad[i]), "x", &beside, &err) == NIP_OK)
            fail_msg("accepted: %s", bad[i]);
    }
}

static void too_many_and_bad_names_are_not_published(void **state)
{
    (void)state;
    struct nip_folder *folder = open_registry();
    struct nip_folder_file files[NIP_OCI_BESIDE_MAX + 1];
    for (size_t i = 0; i < NIP_OCI_BESIDE_MAX + 1; i++)
        files[i] = (struct nip_folder_file){"a", "x", 1};
    assert_int_equal(nip_folder_publish(folder, "acme/x", "1.0.0", some_id, "package", 7, files,
                                        NIP_OCI_BESIDE_MAX + 1, NULL),
                     NIP_ERROR_LIMIT);
    files[0].path = "../a";
    assert_int_equal(
        nip_folder_publish(folder, "acme/x", "1.0.0", some_id, "package", 7, files, 1, NULL),
        NIP_ERROR_NAME);
    // The version is not there without what belongs to it, and can still be published with it.
    assert_true(shell("test ! -e reg/acme/x/index.json"));
    files[0].path = "a";
    assert_int_equal(
        nip_folder_publish(folder, "acme/x", "1.0.0", some_id, "package", 7, files, 1, NULL),
        NIP_OK);
    nip_folder_close(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_signed_comes_out, enter, leave),
        cmocka_unit_test_setup_teardown(other_content_and_sizes_are_refused, enter, leave),
        cmocka_unit_test_setup_teardown(what_is_missing_is_said, enter, leave),
        cmocka_unit_test_setup_teardown(damaged_blobs_are_refused, enter, leave),
        cmocka_unit_test_setup_teardown(repair_keeps_them, enter, leave),
        cmocka_unit_test_setup_teardown(several_claims, enter, leave),
        cmocka_unit_test(lists_that_are_none),
        cmocka_unit_test_setup_teardown(too_many_and_bad_names_are_not_published, enter, leave),
    };
    return cmocka_run_group_tests_name("beside", tests, NULL, NULL);
}
