// SPDX-License-Identifier: Apache-2.0
//
// Goal: whoever reviews a change sees every key, capability, match, size and service that changed,
// and which way. Method: pairs of manifests, trust files and locks with one difference each, both
// ways round: what grew the one way has shrunk the other.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "nip/diff.h"
#include "trust_fixture.h"

static struct nip_error err;

// The words of all changes, one per line, "+", "-" or "~" in front.
static struct nip_buffer said;

static void say(struct nip_changes *changes)
{
    nip_buffer_clear(&said);
    assert_int_equal(nip_changes_check(changes, &err), NIP_OK);
    for (size_t i = 0; i < changes->count; i++)
        nip_buffer_append_format(&said, "%c %s: %s\n",
                                 changes->items[i].kind == NIP_CHANGE_GREW     ? '+'
                                 : changes->items[i].kind == NIP_CHANGE_SHRANK ? '-'
                                                                               : '~',
                                 nip_change_area_name(changes->items[i].area),
                                 changes->items[i].words);
    nip_changes_free(changes);
}

static void expect(const char *words)
{
    if (strcmp(nip_buffer_text(&said), words) != 0)
        fail_msg("expected:\n%ssaid:\n%s", words, nip_buffer_text(&said));
}

static int tear_down(void **state)
{
    (void)state;
    nip_buffer_free(&said);
    return 0;
}

// ---- manifests ----

static const char base_manifest[] =
    "package \"acme/clock\" version=\"1.0.0\" {\n"
    "    kind \"driver\"; security-version 2; abi 1; license \"Apache-2.0\"; description \"x\"\n"
    "    arch \"aarch64\" \"riscv64\"\n}\n"
    "runtime { spectrum \"gravity\"; stack \"64KiB\"; heap \"64KiB\" }\n"
    "match { virtio 2 }\n"
    "request {\n    device \"disk\" virtio=2 queues=1\n    memory \"scratch\" size=\"64KiB\"\n}\n"
    "provides { service \"block\" 1 style=\"service\" clients=4 }\n"
    "needs { service \"console\" 1 style=\"stream\" }\n";

// The base with `from` replaced by `to`.
static void read_manifest(const char *from, const char *to, struct nip_manifest *manifest)
{
    struct nip_buffer text = {0};
    const char *at = strstr(base_manifest, from);
    assert_non_null(at);
    nip_buffer_append(&text, base_manifest, (size_t)(at - base_manifest));
    nip_buffer_append_text(&text, to);
    nip_buffer_append_text(&text, at + strlen(from));
    if (nip_manifest_parse(nip_buffer_text(&text), text.size, "npl.kdl", manifest, &err) != NIP_OK)
        fail_msg("%s\n%s", err.message, nip_buffer_text(&text));
    nip_buffer_free(&text);
}

static void every_part_of_a_manifest_is_compared(void **state)
{
    (void)state;
    static struct nip_manifest a, b;
    static const struct {
        const char *from, *to, *forth, *back;
    } cases[] = {
        {"x", "y", "", ""}, // a description is for people
        {"1.0.0", "1.1.0", "~ identity: version: \"1.0.0\" -> \"1.1.0\"\n",
         "~ identity: version: \"1.1.0\" -> \"1.0.0\"\n"},
        {"security-version 2", "security-version 1", "+ identity: security-version: 2 -> 1\n",
         "~ identity: security-version: 1 -> 2\n"},
        {"\"Apache-2.0\"", "\"MIT\"", "~ identity: licence: \"Apache-2.0\" -> \"MIT\"\n",
         "~ identity: licence: \"MIT\" -> \"Apache-2.0\"\n"},
        {"\"aarch64\" \"riscv64\"", "\"aarch64\"", "~ identity: architecture riscv64: gone\n",
         "~ identity: architecture riscv64: new\n"},
        {"stack \"64KiB\"", "stack \"80KiB\"",
         "+ capabilities: stack: 64 KiB -> 80 KiB (+16384 bytes)\n",
         "- capabilities: stack: 80 KiB -> 64 KiB (-16384 bytes)\n"},
        {"\"gravity\"", "\"photon\"", "+ capabilities: spectrum: gravity -> photon\n",
         "- capabilities: spectrum: photon -> gravity\n"},
        {"match { virtio 2 }", "match { virtio 2; compatible \"ns16550a\" }",
         "+ matches: now matches the device \"ns16550a\"\n",
         "- matches: no longer matches the device \"ns16550a\"\n"},
        {"queues=1", "queues=2", "+ capabilities: queues of \"disk\": 1 -> 2\n",
         "- capabilities: queues of \"disk\": 2 -> 1\n"},
        {"size=\"64KiB\"", "size=\"68KiB\"",
         "+ capabilities: size of \"scratch\": 64 KiB -> 68 KiB (+4096 bytes)\n",
         "- capabilities: size of \"scratch\": 68 KiB -> 64 KiB (-4096 bytes)\n"},
        {"    memory \"scratch\" size=\"64KiB\"\n", "",
         "- capabilities: no longer asks to hold 64KiB of memory as \"scratch\"\n",
         "+ capabilities: asks to hold 64KiB of memory as \"scratch\"\n"},
        {"queues=1", "queues=1 optional=#true", "- capabilities: can now do without \"disk\"\n",
         "+ capabilities: can no longer do without \"disk\"\n"},
        {"memory \"scratch\"", "dma \"scratch\"",
         "- capabilities: no longer asks to hold 64KiB of memory as \"scratch\"\n"
         "+ capabilities: asks to hold 64KiB of memory that devices may read and write (DMA) as "
         "\"scratch\"\n",
         "- capabilities: no longer asks to hold 64KiB of memory that devices may read and write "
         "(DMA) as \"scratch\"\n"
         "+ capabilities: asks to hold 64KiB of memory as \"scratch\"\n"},
        {"\"block\" 1", "\"block\" 2",
         "- services: no longer offers service \"block\" 1 (service)\n"
         "+ services: now offers service \"block\" 2 (service)\n",
         "- services: no longer offers service \"block\" 2 (service)\n"
         "+ services: now offers service \"block\" 1 (service)\n"},
        {"needs { service \"console\" 1 style=\"stream\" }\n", "",
         "- services: no longer needs service \"console\" 1 (stream)\n",
         "+ services: now needs service \"console\" 1 (stream)\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct nip_changes changes = {0};
        read_manifest("x", "x", &a);
        read_manifest(cases[i].from, cases[i].to, &b);
        nip_diff_manifests(&a, &b, &changes);
        say(&changes);
        expect(cases[i].forth);
        nip_diff_manifests(&b, &a, &changes);
        say(&changes);
        expect(cases[i].back);
    }
}

// ---- trust ----

static struct nip_trust *parse_trust(const char *text)
{
    struct nip_trust *trust = calloc(1, sizeof *trust);
    assert_non_null(trust);
    if (nip_trust_parse(text, strlen(text), "nip.trust.kdl", trust, &err) != NIP_OK)
        fail_msg("%s\n%s", err.message, text);
    return trust;
}

static void diff_trust_texts(const char *a, const char *b)
{
    struct nip_changes changes = {0};
    struct nip_trust *from = parse_trust(a), *to = parse_trust(b);
    nip_diff_trust(from, to, &changes);
    say(&changes);
    free(from);
    free(to);
}

static void key_name(uint8_t number, char out[20])
{
    char fingerprint[NIP_DIGEST_TEXT_SIZE];
    struct nip_public_key key = key_of(number);
    nip_public_key_fingerprint(&key, fingerprint);
    snprintf(out, 20, "%.16s", fingerprint);
}

static void every_decision_of_a_trust_file_is_compared(void **state)
{
    (void)state;
    char one[20], two[20], a[1024], b[1024], words[1024];
    key_name(1, one);
    key_name(2, two);
    snprintf(a, sizeof a,
             "publisher \"acme/x\" { key \"%s\"; key \"%s\"; threshold 2; rotation 3 }", text_of(1),
             text_of(2));
    snprintf(b, sizeof b, "publisher \"acme/x\" { key \"%s\"; threshold 1; rotation 2 }",
             text_of(1));
    diff_trust_texts(a, a);
    expect("");
    diff_trust_texts(a, b);
    snprintf(words, sizeof words,
             "- keys: no longer accepts the key %s\n+ keys: keys that must sign: 2 -> 1\n"
             "+ keys: last rotation: 3 -> 2\n",
             two);
    expect(words);
    diff_trust_texts(b, a);
    snprintf(words, sizeof words,
             "+ keys: now accepts the key %s\n- keys: keys that must sign: 1 -> 2\n"
             "~ keys: last rotation: 2 -> 3\n",
             two);
    expect(words);
    diff_trust_texts("", b);
    snprintf(words, sizeof words, "+ keys: now accepts the key %s\n", one);
    expect(words);
    diff_trust_texts(b, "");
    assert_non_null(strstr(nip_buffer_text(&said), "its line is gone: 1 key(s) less"));
    diff_trust_texts("registry \"r\" url=\"file:a\"", "registry \"r\" url=\"file:b\"\n"
                                                      "registry \"s\" url=\"file:c\"");
    expect("+ registries: registry 'r': file:a -> file:b\n"
           "+ registries: new registry 's' at file:c\n");
    snprintf(a, sizeof a, "revoked \"acme/*\" key=\"%s\" reason=\"stolen\" { keep \"%064d\" }",
             text_of(1), 1);
    snprintf(b, sizeof b, "revoked \"acme/*\" key=\"%s\" reason=\"stolen\" { keep \"%064d\" }",
             text_of(1), 2);
    diff_trust_texts("", a);
    snprintf(words, sizeof words,
             "- keys: the key %s is revoked: stolen; 1 package(s) stay valid\n", one);
    expect(words);
    diff_trust_texts(a, "");
    snprintf(words, sizeof words, "+ keys: the key %s is no longer revoked\n", one);
    expect(words);
    diff_trust_texts(a, b);
    expect("- keys: under a revoked key, the package 0000000000000000 no longer stays valid\n"
           "+ keys: under a revoked key, the package 0000000000000000 now stays valid\n");
}

// ---- locks ----

static struct nip_lock_package entry_of(const char *version, uint8_t key)
{
    struct nip_lock_package entry = {.name = "acme/x",
                                     .registry = "reg",
                                     .id = {1},
                                     .size = 1000,
                                     .sha256 = {2},
                                     .security_floor = 2,
                                     .capabilities = {3}};
    snprintf(entry.version, sizeof entry.version, "%s", version);
    entry.keys = (struct nip_lock_keys){1, {key_of(key)}};
    return entry;
}

static void diff_entries(const struct nip_lock_package *a, const struct nip_lock_package *b)
{
    struct nip_changes changes = {0};
    struct nip_lock *from = calloc(1, sizeof *from), *to = calloc(1, sizeof *to);
    assert_true(from != NULL && to != NULL);
    if (a != NULL)
        assert_int_equal(nip_lock_put(from, a, &err), NIP_OK);
    if (b != NULL)
        assert_int_equal(nip_lock_put(to, b, &err), NIP_OK);
    nip_diff_locks(from, to, &changes);
    say(&changes);
    free(from);
    free(to);
}

static void every_line_of_a_lock_is_compared(void **state)
{
    (void)state;
    char one[20], two[20], three[20], words[512];
    struct nip_lock_package a = entry_of("1.0.0", 1), b = a;
    key_name(1, one);
    key_name(2, two);
    key_name(3, three);
    diff_entries(&a, &b);
    expect("");
    b.keys.items[0] = key_of(2);
    diff_entries(&a, &b);
    snprintf(words, sizeof words, "+ keys: signed with another key: %s -> %s\n", one, two);
    expect(words);
    // Two instead of one, and two of which one is another: each key is named.
    struct nip_public_key key = key_of(2);
    b = a;
    assert_true(nip_lock_keys_add(&b.keys, &key));
    diff_entries(&a, &b);
    snprintf(words, sizeof words, "~ keys: now signed with the key %s\n", two);
    expect(words);
    diff_entries(&b, &a);
    snprintf(words, sizeof words, "+ keys: no longer signed with the key %s\n", two);
    expect(words);
    struct nip_lock_package c = entry_of("1.0.0", 1);
    key = key_of(3);
    assert_true(nip_lock_keys_add(&c.keys, &key));
    diff_entries(&b, &c);
    snprintf(words, sizeof words,
             "+ keys: no longer signed with the key %s\n+ keys: now signed with the key %s\n", two,
             three);
    expect(words);
    diff_entries(NULL, &b);
    bool in_order = memcmp(b.keys.items[0].key, key_of(1).key, NIP_PUBLIC_KEY_BYTES) == 0;
    snprintf(words, sizeof words,
             "+ packages: new: 1.0.0 from 'reg', signed with the keys %s, %s\n",
             in_order ? one : two, in_order ? two : one);
    expect(words);
    b = a;
    b.id[0] = 9;
    diff_entries(&a, &b);
    expect("+ packages: package id: 0100000000000000 -> 0900000000000000, of one and the same "
           "version\n");
    b = a;
    b.security_floor = 1;
    b.capabilities[0] = 9;
    b.size = 3000;
    diff_entries(&a, &b);
    expect("+ capabilities: asks for other capabilities than were accepted (nip diff of the two "
           "packages names them)\n+ identity: security floor: 2 -> 1\n"
           "+ sizes: package file: 1000 B -> 2.9 KiB (+2000 bytes)\n");
    b = entry_of("1.1.0", 1);
    snprintf(b.registry, sizeof b.registry, "other");
    diff_entries(&a, &b);
    expect("~ packages: version: 1.0.0 -> 1.1.0\n"
           "+ registries: comes from the registry 'other', before from 'reg'\n");
    diff_entries(NULL, &a);
    snprintf(words, sizeof words, "+ packages: new: 1.0.0 from 'reg', signed with the key %s\n",
             one);
    expect(words);
    diff_entries(&a, NULL);
    expect("- packages: gone: 1.0.0\n");
    struct nip_lock_package local = {.name = "acme/x", .version = "1.0.0", .path = "../x"};
    diff_entries(&a, &local);
    expect("+ packages: local work: \"\" -> \"../x\"\n");
}

// ---- source files ----

static void source_files_are_compared(void **state)
{
    (void)state;
    static const char format[] =
        "{\"files\":[{\"fileName\":\"./npl.kdl\",\"checksums\":[{\"algorithm\":\"BLAKE2b-256\","
        "\"checksumValue\":\"00\"}]},{\"fileName\":\"./source.tar/%s\",\"checksums\":[{"
        "\"algorithm\":\"BLAKE2b-256\",\"checksumValue\":\"%s\"}]}]}";
    char a[512], b[512];
    struct nip_changes changes = {0};
    snprintf(a, sizeof a, format, "src/a.c", "11");
    snprintf(b, sizeof b, format, "src/a.c", "22");
    assert_int_equal(nip_diff_sources("x/y", a, strlen(a), b, strlen(b), &changes, &err), NIP_OK);
    say(&changes);
    expect("~ sources: changed source file src/a.c\n");
    snprintf(b, sizeof b, format, "src/b.c", "11");
    assert_int_equal(nip_diff_sources("x/y", a, strlen(a), b, strlen(b), &changes, &err), NIP_OK);
    say(&changes);
    expect("~ sources: no longer has source file src/a.c\n~ sources: new source file src/b.c\n");
    assert_int_equal(nip_diff_sources("x/y", a, strlen(a), "{", 1, &changes, &err),
                     NIP_ERROR_SYNTAX);
    nip_changes_free(&changes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_part_of_a_manifest_is_compared, tear_down),
        cmocka_unit_test_teardown(every_decision_of_a_trust_file_is_compared, tear_down),
        cmocka_unit_test_teardown(every_line_of_a_lock_is_compared, tear_down),
        cmocka_unit_test_teardown(source_files_are_compared, tear_down),
    };
    return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
