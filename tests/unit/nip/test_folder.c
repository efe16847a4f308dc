// SPDX-License-Identifier: Apache-2.0
//
// Goal: a folder registry loses nothing, replaces nothing, can be read by other tools and rebuilt.
// Method: processes that publish at once; files removed and damaged on purpose; skopeo.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nip/folder.h"
#include "nip/json.h"
#include "nip/oci.h"
#include "scratch.h"

static char scratch_path[SCRATCH_PATH_SIZE];

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

static const uint8_t some_id[NIP_DIGEST_SIZE] = {1, 2, 3};

static enum nip_code publish(const char *name, const char *version, const char *content,
                             struct nip_error *err)
{
    struct nip_folder *folder;
    enum nip_code code = nip_folder_open("reg", true, &folder, NULL, err);
    if (code != NIP_OK)
        return code;
    code =
        nip_folder_publish(folder, name, version, some_id, content, strlen(content), NULL, 0, err);
    nip_folder_close(folder);
    return code;
}

// The versions as one text, or the name of the error.
static const char *list_text(const char *name)
{
    static char text[1024];
    struct nip_folder *folder;
    struct nip_folder_versions versions;
    assert_int_equal(nip_folder_open("reg", false, &folder, NULL, NULL), NIP_OK);
    enum nip_code code = nip_folder_list(folder, name, &versions, NULL);
    text[0] = '\0';
    size_t used = 0;
    for (size_t i = 0; i < versions.count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? " " : "",
                                 versions.items[i].text);
    nip_folder_versions_free(&versions);
    nip_folder_close(folder);
    return code == NIP_OK ? text : nip_error_name(code);
}

static enum nip_code fetch(const char *name, const char *version, struct nip_buffer *out,
                           struct nip_error *err)
{
    struct nip_folder *folder;
    assert_int_equal(nip_folder_open("reg", false, &folder, NULL, NULL), NIP_OK);
    enum nip_code code = nip_folder_fetch(folder, name, version, 1000, out, err);
    nip_folder_close(folder);
    return code;
}

static void publish_list_fetch(void **state)
{
    (void)state;
    struct nip_error err = {0};
    struct nip_buffer out = {0};
    assert_int_equal(publish("acme/virtio-blk", "1.0.0", "one", &err), NIP_OK);
    assert_int_equal(publish("acme/virtio-blk", "1.10.0", "ten", &err), NIP_OK);
    assert_int_equal(publish("acme/virtio-blk", "1.9.0", "nine", &err), NIP_OK);
    assert_int_equal(publish("acme/virtio-blk", "1.10.0-rc.1", "rc", &err), NIP_OK);
    assert_int_equal(publish("local/hello", "0.1.0", "hello", &err), NIP_OK);
    assert_string_equal(list_text("acme/virtio-blk"), "1.0.0 1.9.0 1.10.0-rc.1 1.10.0");
    assert_string_equal(list_text("acme/none"), "MISSING");
    assert_int_equal(publish("acme/virtio-blk", "1.9.0", "other", &err), NIP_ERROR_EXISTS);
    assert_non_null(strstr(err.hint, "raise the version"));
    assert_int_equal(publish("acme/virtio-blk", "1.9", "x", &err), NIP_ERROR_NAME);
    assert_int_equal(publish("acme", "1.9.1", "x", &err), NIP_ERROR_NAME);
    assert_int_equal(fetch("acme/virtio-blk", "1.9.0", &out, &err), NIP_OK);
    assert_true(nip_buffer_equals(&out, "nine", 4));
    nip_buffer_clear(&out);
    assert_int_equal(fetch("acme/virtio-blk", "9.9.9", &out, &err), NIP_ERROR_MISSING);
    assert_string_equal(err.hint, "the highest version there is 1.10.0");
    // Damage is noticed, and nothing of it is handed out.
    assert_true(shell("for f in reg/local/hello/blobs/sha256/*; do "
                      "sed -i s/hello/hallo/ $f; done"));
    assert_int_equal(fetch("local/hello", "0.1.0", &out, &err), NIP_ERROR_DIGEST);
    assert_int_equal(out.size, 0);
    nip_buffer_free(&out);
    struct nip_folder *folder;
    struct nip_folder_names names;
    assert_int_equal(nip_folder_open("reg", false, &folder, NULL, NULL), NIP_OK);
    assert_int_equal(nip_folder_names(folder, &names, NULL), NIP_OK);
    assert_int_equal(names.count, 2);
    assert_string_equal(names.items[0], "acme/virtio-blk");
    assert_string_equal(names.items[1], "local/hello");
    nip_folder_names_free(&names);
    nip_folder_close(folder);
}

static void foreign_folders_are_refused(void **state)
{
    (void)state;
    struct nip_folder *folder;
    struct nip_error err = {0};
    bool is_new = false;
    assert_int_equal(nip_folder_open("gone", false, &folder, &is_new, &err), NIP_ERROR_MISSING);
    assert_true(shell("mkdir full && echo precious > full/file && ls -lR full > before"));
    assert_int_equal(nip_folder_open("full", true, &folder, &is_new, &err), NIP_ERROR_CONFLICT);
    assert_int_equal(nip_folder_open("full", false, &folder, &is_new, &err), NIP_ERROR_MISSING);
    assert_true(shell("ls -lR full | cmp - before"));
    assert_int_equal(nip_folder_open("full/file", true, &folder, &is_new, &err), NIP_ERROR_EXISTS);
    assert_false(is_new);
    assert_int_equal(nip_folder_open("a/b/new", true, &folder, &is_new, &err), NIP_OK);
    assert_true(is_new);
    nip_folder_close(folder);
    assert_true(shell("grep -q 'freshness none' a/b/new/rumpk-registry"));
    assert_int_equal(nip_folder_open("a/b/new", true, &folder, &is_new, &err), NIP_OK);
    assert_false(is_new);
    nip_folder_close(folder);
    if (geteuid() != 0) {
        assert_true(shell("mkdir locked && chmod 500 locked"));
        assert_int_equal(nip_folder_open("locked", true, &folder, &is_new, &err),
                         NIP_ERROR_PERMISSION);
    }
}

// Runs 16 publishers at once; returns how many succeeded and how many said EXISTS.
static void publish_at_once(bool is_same_version, unsigned *succeeded, unsigned *existed)
{
    enum { COUNT = 16 };
    pid_t children[COUNT];
    *succeeded = *existed = 0;
    for (unsigned i = 0; i < COUNT; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] != 0)
            continue;
        char version[32], content[32];
        snprintf(version, sizeof version, "1.0.%u", is_same_version ? 99 : i);
        snprintf(content, sizeof content, "package %u", i);
        enum nip_code code = publish("acme/x", version, content, NULL);
        _exit(code == NIP_OK ? 0 : code == NIP_ERROR_EXISTS ? 1 : 2);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        *succeeded += WEXITSTATUS(status) == 0;
        *existed += WEXITSTATUS(status) == 1;
    }
}

static void sixteen_publishers_lose_nothing(void **state)
{
    (void)state;
    unsigned succeeded, existed;
    publish_at_once(false, &succeeded, &existed); // makes the registry too
    assert_int_equal(succeeded, 16);
    assert_string_equal(list_text("acme/x"),
                        "1.0.0 1.0.1 1.0.2 1.0.3 1.0.4 1.0.5 1.0.6 1.0.7 1.0.8 1.0.9 1.0.10 "
                        "1.0.11 1.0.12 1.0.13 1.0.14 1.0.15");
    for (unsigned i = 0; i < 16; i++) {
        struct nip_buffer out = {0};
        char version[32], content[32];
        snprintf(version, sizeof version, "1.0.%u", i);
        snprintf(content, sizeof content, "package %u", i);
        assert_int_equal(fetch("acme/x", version, &out, NULL), NIP_OK);
        assert_string_equal(nip_buffer_text(&out), content);
        nip_buffer_free(&out);
    }
    publish_at_once(true, &succeeded, &existed);
    assert_int_equal(succeeded, 1);
    assert_int_equal(existed, 15);
    // No temporary files are left.
    assert_true(shell("test -z \"$(find reg -name '.*' -type f)\""));
}

static void repair_rebuilds_the_index(void **state)
{
    (void)state;
    struct nip_folder *folder;
    struct nip_error err = {0};
    bool repaired = true;
    assert_int_equal(publish("acme/x", "1.0.0", "one", NULL), NIP_OK);
    assert_int_equal(publish("acme/x", "1.1.0", "two", NULL), NIP_OK);
    assert_true(shell("cp reg/acme/x/index.json good"));
    assert_int_equal(nip_folder_open("reg", false, &folder, NULL, NULL), NIP_OK);
    assert_int_equal(nip_folder_repair(folder, "acme/x", &repaired, &err), NIP_OK);
    assert_false(repaired);
    static const char *const damages[] = {
        "rm reg/acme/x/index.json",
        "echo junk > reg/acme/x/index.json",
        "rm reg/acme/x/index.json reg/acme/x/oci-layout",
        "echo '{\"schemaVersion\":2,\"manifests\":[]}' > reg/acme/x/index.json",
    };
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        assert_true(shell(damages[i]));
        assert_int_equal(nip_folder_repair(folder, "acme/x", &repaired, &err), NIP_OK);
        assert_true(repaired);
        assert_true(shell("cmp good reg/acme/x/index.json && test -s reg/acme/x/oci-layout"));
    }
    // A lost index does not make a version free again.
    assert_true(shell("rm reg/acme/x/index.json"));
    assert_int_equal(publish("acme/x", "1.0.0", "other", NULL), NIP_ERROR_EXISTS);
    assert_int_equal(publish("acme/x", "1.2.0", "three", NULL), NIP_OK);
    assert_string_equal(list_text("acme/x"), "1.0.0 1.1.0 1.2.0");
    // Two manifests of one version: the index decides, and without one a person must.
    struct nip_oci_manifest other = {.name = "acme/x", .version = "1.1.0"};
    struct nip_buffer text = {0};
    uint8_t digest[NIP_DIGEST_SIZE];
    char path[128] = "reg/acme/x/blobs/sha256/";
    nip_sha256_bytes("one", 3, other.layer.sha256);
    other.layer.size = 3;
    assert_int_equal(nip_oci_manifest_print(&other, &text, NULL), NIP_OK);
    nip_sha256_bytes(text.data, text.size, digest);
    nip_digest_text(digest, path + strlen(path));
    write_text(path, nip_buffer_text(&text));
    nip_buffer_free(&text);
    assert_int_equal(nip_folder_repair(folder, "acme/x", &repaired, &err), NIP_OK);
    assert_false(repaired);
    assert_true(shell("rm reg/acme/x/index.json"));
    assert_int_equal(nip_folder_repair(folder, "acme/x", &repaired, &err), NIP_ERROR_CONFLICT);
    nip_folder_close(folder);
}

static void skopeo_reads_the_layout(void **state)
{
    (void)state;
    assert_int_equal(publish("acme/virtio-blk", "1.0.0", "one", NULL), NIP_OK);
    assert_int_equal(publish("acme/virtio-blk", "1.0.1", "two", NULL), NIP_OK);
    if (!has_program("skopeo"))
        skip();
    assert_true(shell("skopeo inspect --raw oci:reg/acme/virtio-blk:1.0.0 > raw"));
    assert_true(shell("skopeo inspect --raw oci:reg/acme/virtio-blk:1.0.1"));
    assert_false(shell("skopeo inspect --raw oci:reg/acme/virtio-blk:1.0.2"));
    struct nip_buffer raw = {0};
    struct nip_oci_manifest manifest;
    assert_int_equal(nip_fs_read("raw", 1 << 16, &raw, NULL), NIP_OK);
    assert_int_equal(
        nip_oci_manifest_parse(nip_buffer_text(&raw), raw.size, "raw", &manifest, NULL), NIP_OK);
    assert_string_equal(manifest.version, "1.0.0");
    assert_int_equal(manifest.layer.size, 3);
    nip_buffer_free(&raw);
}

static void locks_and_files_keep_their_promises(void **state)
{
    (void)state;
    struct nip_fs_lock first, second;
    struct nip_error err = {0};
    struct nip_buffer out = {0};
    assert_int_equal(nip_fs_lock("lock", 0, &first, &err), NIP_OK);
    assert_int_equal(nip_fs_lock("lock", 20, &second, &err), NIP_ERROR_BUSY);
    nip_fs_unlock(&first);
    assert_int_equal(nip_fs_lock("lock", 0, &second, &err), NIP_OK);
    nip_fs_unlock(&second);
    assert_int_equal(nip_fs_create("f", "1", 1, 0600, &err), NIP_OK);
    assert_int_equal(nip_fs_create("f", "2", 1, 0600, &err), NIP_ERROR_EXISTS);
    assert_true(shell("test \"$(stat -c %a f)\" = 600"));
    assert_int_equal(nip_fs_write("f", "22", 2, 0644, &err), NIP_OK);
    assert_int_equal(nip_fs_read("f", 1, &out, &err), NIP_ERROR_LIMIT);
    nip_buffer_clear(&out);
    assert_int_equal(nip_fs_read("f", 2, &out, &err), NIP_OK);
    assert_true(nip_buffer_equals(&out, "22", 2));
    nip_buffer_free(&out);
    assert_true(shell("mkfifo fifo && ln -s f link && mkdir -p t/u && ln -s ../f t/u/link"));
    assert_int_equal(nip_fs_read("fifo", 10, &out, &err), NIP_ERROR_IO);
    assert_int_equal(nip_fs_read("none", 10, &out, &err), NIP_ERROR_MISSING);
    assert_int_equal(nip_fs_write("none/f", "", 0, 0644, &err), NIP_ERROR_MISSING);
    assert_int_equal(nip_fs_make_folders("f/x", NULL, &err), NIP_ERROR_EXISTS);
    assert_int_equal(nip_fs_remove_tree("t", &err), NIP_OK);
    assert_int_equal(nip_fs_kind("f"), NIP_FS_FILE);
    assert_int_equal(nip_fs_kind("t"), NIP_FS_NOTHING);
    assert_int_equal(nip_fs_kind("f/x"), NIP_FS_NOTHING);
    nip_buffer_free(&out);
}

// The versions that are yanked and why, as one text.
static const char *yanked_text(const char *name)
{
    static char text[1024];
    struct nip_folder *folder;
    struct nip_folder_versions versions;
    assert_int_equal(nip_folder_open("reg", false, &folder, NULL, NULL), NIP_OK);
    enum nip_code code = nip_folder_list(folder, name, &versions, NULL);
    text[0] = '\0';
    size_t used = 0;
    for (size_t i = 0; i < versions.count; i++)
        if (versions.items[i].is_yanked)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s(%s)",
                                     versions.items[i].text, versions.items[i].reason);
    nip_folder_versions_free(&versions);
    nip_folder_close(folder);
    return code == NIP_OK ? text : nip_error_name(code);
}

static enum nip_code yank(const char *version, const char *reason, bool is_undone, bool *changed)
{
    struct nip_folder *folder;
    struct nip_error err = {0};
    assert_int_equal(nip_folder_open("reg", false, &folder, NULL, NULL), NIP_OK);
    enum nip_code code =
        nip_folder_yank(folder, "acme/a", version, reason, is_undone, changed, &err);
    nip_folder_close(folder);
    return code;
}

static void yanked_versions_are_marked(void **state)
{
    (void)state;
    struct nip_error err = {0};
    bool changed = false;
    char *long_reason = calloc(1, NIP_YANKED_REASON_SIZE + 1);
    assert_int_equal(publish("acme/a", "1.0.0", "one", &err), NIP_OK);
    assert_int_equal(publish("acme/a", "1.10.0", "ten", &err), NIP_OK);
    assert_int_equal(publish("acme/a", "1.9.0", "nine", &err), NIP_OK);
    assert_int_equal(yank("1.10.0", "loses \xc3\xa4", false, &changed), NIP_OK);
    assert_true(changed);
    assert_int_equal(yank("1.9.0", "", false, &changed), NIP_OK);
    assert_string_equal(yanked_text("acme/a"), "1.9.0()1.10.0(loses \xc3\xa4)");
    assert_int_equal(yank("1.9.0", "", false, &changed), NIP_OK);
    assert_false(changed);
    assert_int_equal(yank("1.9.0", "", true, &changed), NIP_OK);
    assert_true(changed);
    assert_int_equal(yank("1.0.0", "", true, &changed), NIP_OK);
    assert_false(changed);
    assert_string_equal(yanked_text("acme/a"), "1.10.0(loses \xc3\xa4)");
    assert_int_equal(yank("2.0.0", "", false, &changed), NIP_ERROR_MISSING);
    assert_int_equal(yank("1.0", "", false, &changed), NIP_ERROR_NAME);
    assert_int_equal(yank("1.0.0", "two\nlines", false, &changed), NIP_ERROR_SCHEMA);
    assert_int_equal(yank("1.0.0", "\x1b[31m", false, &changed), NIP_ERROR_SCHEMA);
    assert_int_equal(yank("1.0.0", " x", false, &changed), NIP_ERROR_SCHEMA);
    memset(long_reason, 'x', NIP_YANKED_REASON_SIZE);
    assert_int_equal(yank("1.0.0", long_reason, false, &changed), NIP_ERROR_SCHEMA);
    long_reason[NIP_YANKED_REASON_SIZE - 1] = '\0';
    assert_int_equal(yank("1.0.0", long_reason, false, &changed), NIP_OK);
    free(long_reason);
    // A yank changes nothing about what is there, and a repair nothing about yanks.
    struct nip_buffer out = {0};
    assert_int_equal(fetch("acme/a", "1.10.0", &out, &err), NIP_OK);
    nip_buffer_free(&out);
    assert_string_equal(list_text("acme/a"), "1.0.0 1.9.0 1.10.0");
}

static void a_malformed_list_of_yanks_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum nip_code code;
    } bad[] = {
        {"", NIP_ERROR_UNSUPPORTED},
        {"rumpk-yanked 2\n", NIP_ERROR_UNSUPPORTED},
        {"rumpk-yanked 1\n1.0.0", NIP_ERROR_TRUNCATED},
        {"rumpk-yanked 1\n\n", NIP_ERROR_NAME},
        {"rumpk-yanked 1\n1.0\n", NIP_ERROR_NAME},
        {"rumpk-yanked 1\n1.0.0 \n", NIP_ERROR_SYNTAX},
        {"rumpk-yanked 1\n1.0.0  x\n", NIP_ERROR_SCHEMA},
        {"rumpk-yanked 1\n1.0.0 a\tb\n", NIP_ERROR_SCHEMA},
        {"rumpk-yanked 1\n1.0.0 \xff\n", NIP_ERROR_SCHEMA},
        {"rumpk-yanked 1\n1.0.0\r\n", NIP_ERROR_NAME},
        {"rumpk-yanked 1\n1.1.0\n1.0.0\n", NIP_ERROR_SYNTAX},
        {"rumpk-yanked 1\n1.0.0\n1.0.0\n", NIP_ERROR_SYNTAX},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct nip_yanked yanked;
        struct nip_error err = {0};
        assert_int_equal(
            nip_yanked_parse(bad[i].text, strlen(bad[i].text), "yanked", &yanked, &err),
            bad[i].code);
        assert_string_equal(err.file, "yanked");
        assert_null(yanked.entries);
    }
}

static void json_is_bounded_and_sticky(void **state)
{
    (void)state;
    struct nip_json *json;
    struct nip_error err = {0};
    static const char *const bad[] = {
        "", "{", "{\"a\":1,\"a\":2}", "[1]x", "{\"a\":\"\xff\"}", "[\"\\u0000\"]", "nope"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(nip_json_parse(bad[i], strlen(bad[i]), "t", &json, &err),
                         NIP_ERROR_SYNTAX);
    size_t size = 100000;
    char *deep = malloc(size);
    memset(deep, '[', size);
    assert_int_equal(nip_json_parse(deep, size, "t", &json, &err), NIP_ERROR_SYNTAX);
    free(deep);
    struct nip_buffer out = {0};
    json = nip_json_make_object();
    nip_json_put_text(json, "b", "x\n");
    nip_json_put_u64(json, "a", 7);
    assert_int_equal(nip_json_print(json, false, &out, &err), NIP_OK);
    assert_string_equal(nip_buffer_text(&out), "{\"b\":\"x\\n\",\"a\":7}");
    nip_json_put_text(json, "c", "\xff"); // not UTF-8
    assert_int_equal(nip_json_print(json, false, &out, &err), NIP_ERROR_INTERNAL);
    nip_json_free(json);
    nip_buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(publish_list_fetch, enter, leave),
        cmocka_unit_test_setup_teardown(foreign_folders_are_refused, enter, leave),
        cmocka_unit_test_setup_teardown(sixteen_publishers_lose_nothing, enter, leave),
        cmocka_unit_test_setup_teardown(repair_rebuilds_the_index, enter, leave),
        cmocka_unit_test_setup_teardown(skopeo_reads_the_layout, enter, leave),
        cmocka_unit_test_setup_teardown(locks_and_files_keep_their_promises, enter, leave),
        cmocka_unit_test_setup_teardown(yanked_versions_are_marked, enter, leave),
        cmocka_unit_test(a_malformed_list_of_yanks_is_refused),
        cmocka_unit_test(json_is_bounded_and_sticky),
    };
    return cmocka_run_group_tests_name("folder", tests, NULL, NULL);
}
