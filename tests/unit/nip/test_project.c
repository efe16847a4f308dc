// SPDX-License-Identifier: Apache-2.0
//
// Goal: nip.lock means one thing only, and equal packages are listed equally. Method: texts with
// one mistake each; random orders of the same entries.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nip/lock.h"
#include "nip/pack.h"

static struct nip_error err;
static struct nip_lock *lock;

static int set_up(void **state)
{
    (void)state;
    memset(&err, 0, sizeof err);
    lock = calloc(1, sizeof *lock);
    return lock == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    free(lock);
    return 0;
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

// ---- lock ----

static struct nip_lock_package entry_of(const char *name, const char *version, uint8_t number)
{
    struct nip_lock_package entry = {.size = 1000 + number, .security_floor = 1 + number};
    snprintf(entry.name, sizeof entry.name, "%s", name);
    snprintf(entry.version, sizeof entry.version, "%s", version);
    snprintf(entry.registry, sizeof entry.registry, "reg");
    memset(entry.id, number, sizeof entry.id);
    memset(entry.sha256, number + 1, sizeof entry.sha256);
    memset(entry.capabilities, number + 2, sizeof entry.capabilities);
    entry.keys = (struct nip_lock_keys){1, {key_of(number)}};
    return entry;
}

static void lock_is_the_same_in_every_order(void **state)
{
    (void)state;
    enum { ENTRIES = 5, ORDERS = 60 };
    struct nip_lock_package entries[ENTRIES];
    entries[0] = entry_of("acme/b", "1.0.0", 1);
    entries[1] = entry_of("acme/a", "1.0.0", 2);
    entries[2] = entry_of("acme/a", "0.9.0", 3);
    entries[3] = entry_of("zeta/z", "1.0.0", 4);
    memset(&entries[4], 0, sizeof entries[4]);
    snprintf(entries[4].name, sizeof entries[4].name, "local/work");
    snprintf(entries[4].version, sizeof entries[4].version, "0.1.0");
    snprintf(entries[4].path, sizeof entries[4].path, "../work");
    struct nip_buffer first = {0};
    srand(1);
    for (int order = 0; order < ORDERS; order++) {
        for (size_t i = ENTRIES; i-- > 1;) {
            size_t other = (size_t)rand() % (i + 1);
            struct nip_lock_package kept = entries[i];
            entries[i] = entries[other];
            entries[other] = kept;
        }
        memset(lock, 0, sizeof *lock);
        snprintf(lock->sdk, sizeof lock->sdk, "rumpk-test");
        for (size_t i = 0; i < ENTRIES; i++)
            assert_int_equal(nip_lock_put(lock, &entries[i], &err), NIP_OK);
        struct nip_buffer text = {0}, again = {0};
        nip_lock_print(lock, &text);
        if (order == 0)
            nip_buffer_append(&first, text.data, text.size);
        assert_string_equal(nip_buffer_text(&text), nip_buffer_text(&first));
        assert_int_equal(nip_lock_parse(nip_buffer_text(&text), text.size, "nip.lock", lock, &err),
                         NIP_OK);
        nip_lock_print(lock, &again);
        assert_string_equal(nip_buffer_text(&again), nip_buffer_text(&first));
        nip_buffer_free(&text);
        nip_buffer_free(&again);
    }
    assert_non_null(nip_lock_find(lock, "acme/a", "0.9.0"));
    nip_lock_remove(lock, "acme/a", "0.9.0");
    assert_null(nip_lock_find(lock, "acme/a", "0.9.0"));
    assert_int_equal(lock->package_count, ENTRIES - 1);
    nip_buffer_free(&first);
}

// Every line left out, doubled or spoilt is refused: nothing in a lock is optional.
static void lock_refuses_any_missing_or_changed_line(void **state)
{
    (void)state;
    struct nip_lock_package entry = entry_of("acme/a", "1.0.0", 1);
    struct nip_buffer text = {0};
    snprintf(lock->sdk, sizeof lock->sdk, "rumpk-test");
    assert_int_equal(nip_lock_put(lock, &entry, &err), NIP_OK);
    nip_lock_print(lock, &text);
    const char *source = nip_buffer_text(&text), *line = strstr(source, "    registry");
    size_t tried = 0;
    while (strncmp(line, "    ", 4) == 0) {
        size_t size = strcspn(line, "\n") + 1;
        for (int doubled = 0; doubled < 2; doubled++) {
            struct nip_buffer bad = {0};
            nip_buffer_append(&bad, source, (size_t)(line - source) + (doubled ? size : 0));
            nip_buffer_append_text(&bad, doubled ? line : line + size);
            assert_int_not_equal(
                nip_lock_parse(nip_buffer_text(&bad), bad.size, "nip.lock", lock, &err), NIP_OK);
            nip_buffer_free(&bad);
        }
        line += size;
        tried++;
    }
    assert_int_equal(tried, 7);
    static const char *const bad[] = {
        "",
        "lock 1\n",
        "lock \"0\"\n",
        "package \"a/b\" version=\"1.0.0\" {}\n",
        "lock 0\nsdk \"a\"\nsdk \"b\"\n",
        "lock 0\nwhat 1\n",
        "lock 0\npackage \"a/b\" version=\"1.0\" { path \"x\"; }\n",
        "lock 0\npackage \"a\" version=\"1.0.0\" { path \"x\"; }\n",
        "lock 0\npackage \"a/b\" version=\"1.0.0\" { path \"x\"; size 3; }\n",
        "lock 0\npackage \"a/b\" version=\"1.0.0\" { path \"\"; }\n",
        "lock 0\npackage \"a/b\" version=\"1.0.0\" \"c\" { path \"x\"; }\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (nip_lock_parse(bad[i], strlen(bad[i]), "nip.lock", lock, &err) == NIP_OK)
            fail_msg("accepted: %s", bad[i]);
    nip_buffer_free(&text);
}

// Goal: one set of keys, one text. Method: the keys in every rotation of their order; then each
// text that says the same in another way, or says too much.
static void keys_of_a_lock_stand_in_one_order_only(void **state)
{
    (void)state;
    struct nip_lock_package entry = entry_of("acme/a", "1.0.0", 1);
    struct nip_buffer first = {0};
    for (size_t start = 0; start < NIP_LOCK_KEYS_MAX; start++) {
        struct nip_buffer text = {0};
        entry.keys.count = 0;
        for (size_t i = 0; i < 2 * NIP_LOCK_KEYS_MAX; i++) {
            struct nip_public_key key = key_of((uint8_t)(1 + (start + i) % NIP_LOCK_KEYS_MAX));
            assert_true(nip_lock_keys_add(&entry.keys, &key));
            assert_true(nip_lock_keys_has(&entry.keys, &key));
        }
        assert_int_equal(entry.keys.count, NIP_LOCK_KEYS_MAX);
        memset(lock, 0, sizeof *lock);
        assert_int_equal(nip_lock_put(lock, &entry, &err), NIP_OK);
        nip_lock_print(lock, start == 0 ? &first : &text);
        if (start != 0)
            assert_string_equal(nip_buffer_text(&text), nip_buffer_text(&first));
        nip_buffer_free(&text);
    }
    struct nip_public_key more = key_of(100);
    struct nip_lock_keys few = {1, {entry.keys.items[3]}};
    assert_false(nip_lock_keys_add(&entry.keys, &more));
    assert_false(nip_lock_keys_has(&entry.keys, &more));
    assert_true(nip_lock_keys_include(&entry.keys, &few));
    assert_false(nip_lock_keys_include(&few, &entry.keys));
    assert_int_equal(nip_lock_parse(nip_buffer_text(&first), first.size, "nip.lock", lock, &err),
                     NIP_OK);
    assert_memory_equal(&lock->packages[0].keys, &entry.keys, sizeof entry.keys);
    const char *source = nip_buffer_text(&first), *keys = strstr(source, "    key ");
    size_t line = strcspn(keys, "\n") + 1, before = (size_t)(keys - source);
    for (int way = 0; way < 3; way++) {
        struct nip_buffer bad = {0};
        nip_buffer_append(&bad, source, before);
        if (way == 0) { // two have changed places
            nip_buffer_append(&bad, keys + line, line);
            nip_buffer_append(&bad, keys, line);
            nip_buffer_append_text(&bad, keys + 2 * line);
        } else if (way == 1) { // one stands twice
            nip_buffer_append(&bad, keys, line);
            nip_buffer_append_text(&bad, keys);
        } else { // one is no key
            nip_buffer_append_text(&bad, "    key \"RW\"\n");
            nip_buffer_append_text(&bad, keys + line);
        }
        assert_int_equal(nip_lock_parse(nip_buffer_text(&bad), bad.size, "nip.lock", lock, &err),
                         NIP_ERROR_SCHEMA);
        assert_non_null(strstr(err.message, "greater than the one before it"));
        nip_buffer_free(&bad);
    }
    nip_buffer_free(&first);
}

static void lock_has_a_limit(void **state)
{
    (void)state;
    for (int i = 0; i < NIP_LOCK_PACKAGES_MAX; i++) {
        char name[32];
        snprintf(name, sizeof name, "acme/p%d", i);
        struct nip_lock_package entry = entry_of(name, "1.0.0", 1);
        assert_int_equal(nip_lock_put(lock, &entry, &err), NIP_OK);
    }
    struct nip_lock_package more = entry_of("acme/zz", "1.0.0", 1);
    assert_int_equal(nip_lock_put(lock, &more, &err), NIP_ERROR_LIMIT);
}

// ---- pack ----

static void equal_contents_give_equal_digests(void **state)
{
    (void)state;
    static const char *const paths[] = {"npl.kdl", "LICENSES/MIT.txt", "riscv64/driver.elf"};
    static const char manifest_text[] =
        "package \"acme/a\" version=\"1.0.0\" { kind \"driver\"; security-version 1; abi 1\n"
        "license \"MIT\"; arch \"riscv64\"; }\n";
    struct nip_manifest *manifest = calloc(1, sizeof *manifest);
    assert_non_null(manifest);
    assert_int_equal(
        nip_manifest_parse(manifest_text, strlen(manifest_text), "npl.kdl", manifest, &err),
        NIP_OK);
    struct nip_buffer digests[2] = {{0}, {0}};
    for (int round = 0; round < 2; round++) {
        struct nip_pack pack = {0};
        for (int i = 0; i < 3; i++) {
            const char *path = paths[round == 0 ? i : 2 - i];
            assert_int_equal(nip_pack_add(&pack, path, false, path, strlen(path), &err), NIP_OK);
        }
        assert_int_equal(nip_pack_add(&pack, "NPL.kdl", false, "", 0, &err), NIP_ERROR_EXISTS);
        assert_int_equal(nip_pack_add(&pack, "../x", false, "", 0, &err), NIP_ERROR_NAME);
        assert_int_equal(nip_pack_finish(&pack, manifest, "tool-1", "nip-test",
                                         "1980-01-01T00:00:00Z", &digests[round], &err),
                         NIP_OK);
        nip_pack_free(&pack);
    }
    assert_string_equal(nip_buffer_text(&digests[0]), nip_buffer_text(&digests[1]));
    assert_non_null(strstr(nip_buffer_text(&digests[0]), "sbom.spdx.json"));
    nip_buffer_free(&digests[0]);
    nip_buffer_free(&digests[1]);
    free(manifest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lock_is_the_same_in_every_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lock_refuses_any_missing_or_changed_line, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(keys_of_a_lock_stand_in_one_order_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lock_has_a_limit, set_up, tear_down),
        cmocka_unit_test(equal_contents_give_equal_digests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
