// SPDX-License-Identifier: Apache-2.0
//
// Goal: keys and signatures interoperate with minisign both ways; ours accepts one spelling only.
// Method: round trips; every changed line; the installed minisign (skipped, loudly, without it).

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "nip/minisign.h"
#include "scratch.h"

#define DIGESTS "rumpk-digests 1\nkind driver\n"
static const size_t memory_any = SIZE_MAX;

static struct nip_secret_key fixed_key(uint8_t first)
{
    struct nip_secret_key key = {.id = {1, 2, 3, 4, 5, 6, 7, 8}};
    uint8_t seed[NIP_SEED_BYTES] = {first}, public_key[NIP_PUBLIC_KEY_BYTES];
    nip_key_from_seed(seed, key.secret, public_key);
    return key;
}

static void secret_keys_round_trip(void **state)
{
    (void)state;
    struct nip_secret_key key = fixed_key(1), again;
    struct nip_secret_key_form form;
    struct nip_error err = {0};
    struct nip_buffer file = {0};
    assert_int_equal(nip_secret_key_print(&key, "c\nx", NULL, 0, 0, 0, &file, &err), NIP_OK);
    assert_memory_equal(nip_buffer_text(&file), "untrusted comment: c x\nRWQAAEIy", 31);
    assert_int_equal(nip_secret_key_inspect(nip_buffer_text(&file), file.size, "k", &form, &err),
                     NIP_OK);
    assert_false(form.is_encrypted);
    assert_int_equal(nip_secret_key_parse(nip_buffer_text(&file), file.size, "k", NULL, 0,
                                          memory_any, &again, &err),
                     NIP_OK);
    assert_memory_equal(&again, &key, sizeof key);

    // Encrypted, with the smallest limits that scrypt allows.
    const uint64_t operations = 32768, memory = 16777216;
    nip_buffer_clear(&file);
    assert_int_equal(nip_secret_key_print(&key, "c", "secret", 6, operations, memory, &file, &err),
                     NIP_OK);
    const char *text = nip_buffer_text(&file);
    assert_int_equal(nip_secret_key_inspect(text, file.size, "k", &form, &err), NIP_OK);
    assert_true(form.is_encrypted && form.operations == operations && form.memory_bytes == memory);
    assert_int_equal(nip_secret_key_parse(text, file.size, "k", "secret", 6, memory, &again, &err),
                     NIP_OK);
    assert_memory_equal(&again, &key, sizeof key);
    assert_int_equal(nip_secret_key_parse(text, file.size, "k", "Secret", 6, memory, &again, &err),
                     NIP_ERROR_PASSWORD);
    assert_int_equal(nip_secret_key_parse(text, file.size, "k", NULL, 0, memory, &again, &err),
                     NIP_ERROR_PASSWORD);
    assert_int_equal(
        nip_secret_key_parse(text, file.size, "k", "secret", 6, memory - 1, &again, &err),
        NIP_ERROR_LIMIT);
    assert_string_equal(err.hint, "run nip on a machine with more memory");
    nip_buffer_free(&file);
}

static void damaged_keys_are_refused(void **state)
{
    (void)state;
    struct nip_secret_key key = fixed_key(1), again;
    struct nip_buffer file = {0}, damaged = {0};
    assert_int_equal(nip_secret_key_print(&key, "c", NULL, 0, 0, 0, &file, NULL), NIP_OK);
    const size_t line = sizeof "untrusted comment: c\n" - 1;
    unsigned accepted = 0;
    for (size_t at = line; at + 1 < file.size; at++) {
        nip_buffer_clear(&damaged);
        nip_buffer_append(&damaged, file.data, file.size);
        damaged.data[at] = damaged.data[at] == 'A' ? 'B' : 'A';
        enum nip_code code = nip_secret_key_parse(nip_buffer_text(&damaged), damaged.size, "k",
                                                  NULL, 0, memory_any, &again, NULL);
        // What is not the key itself (salt, limits, key id) may change in an unencrypted file.
        accepted += code == NIP_OK;
        if (code == NIP_OK)
            assert_memory_equal(again.secret, key.secret, sizeof key.secret);
    }
    assert_true(accepted < 80);
    static const char *const bad[] = {"", "\n", "untrusted comment: x\n", "RWQ", "a\nb\nc\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(
            nip_secret_key_parse(bad[i], strlen(bad[i]), "k", NULL, 0, memory_any, &again, NULL),
            NIP_ERROR_KEY);
    nip_buffer_free(&file);
    nip_buffer_free(&damaged);
}

static void public_keys_round_trip(void **state)
{
    (void)state;
    struct nip_secret_key secret = fixed_key(1);
    struct nip_public_key key, again;
    struct nip_buffer file = {0};
    char text[NIP_KEY_TEXT_SIZE], fingerprint[NIP_DIGEST_TEXT_SIZE];
    nip_secret_key_public(&secret, &key);
    nip_public_key_print(&key, NULL, &file);
    assert_memory_equal(nip_buffer_text(&file),
                        "untrusted comment: minisign public key 0807060504030201\nRWQ", 59);
    assert_int_equal(nip_public_key_parse(nip_buffer_text(&file), file.size, "k", &again, NULL),
                     NIP_OK);
    assert_memory_equal(&again, &key, sizeof key);
    nip_public_key_text(&key, text);
    assert_int_equal(strlen(text), NIP_KEY_TEXT_SIZE - 1);
    assert_int_equal(nip_public_key_parse(text, strlen(text), "k", &again, NULL), NIP_OK);
    again.id[0] ^= 1;
    assert_true(nip_public_key_equals(&again, &key));
    nip_public_key_fingerprint(&key, fingerprint);
    assert_int_equal(strlen(fingerprint), 64);
    // A key whose point has a torsion part.
    assert_true(nip_hex_decode("992de2a337c4035c5d6aec1d8b0d75efbcd2ab37bdd794be3b3222ebe4aff751",
                               64, key.key, 32));
    nip_public_key_text(&key, text);
    assert_int_equal(nip_public_key_parse(text, strlen(text), "k", &again, NULL), NIP_ERROR_KEY);
    nip_buffer_free(&file);
}

static void make_signature(struct nip_buffer *text)
{
    struct nip_secret_key key = fixed_key(1);
    struct nip_signature signature;
    assert_int_equal(
        nip_signature_make(&key, DIGESTS, strlen(DIGESTS), "acme/x", "1.0.0", &signature, NULL),
        NIP_OK);
    nip_signature_print(&signature, text);
}

static enum nip_code verify_text(const void *text, size_t size, const char *digests,
                                 const char *name, const char *version, uint8_t key_seed)
{
    struct nip_secret_key secret = fixed_key(key_seed);
    struct nip_public_key key;
    struct nip_signature signature;
    nip_secret_key_public(&secret, &key);
    enum nip_code code = nip_signature_parse(text, size, &signature, NULL);
    if (code != NIP_OK)
        return code;
    struct nip_buffer again = {0}; // one spelling only
    nip_signature_print(&signature, &again);
    assert_true(nip_buffer_equals(&again, text, size));
    nip_buffer_free(&again);
    return nip_signature_verify(&signature, key.key, digests, strlen(digests), name, version, NULL);
}

static void signatures_are_exact(void **state)
{
    (void)state;
    struct nip_buffer text = {0}, again = {0};
    make_signature(&text);
    make_signature(&again);
    assert_true(nip_buffer_equals(&again, text.data, text.size)); // deterministic
    assert_int_equal(verify_text(text.data, text.size, DIGESTS, "acme/x", "1.0.0", 1), NIP_OK);
    assert_int_equal(verify_text(text.data, text.size, DIGESTS "x", "acme/x", "1.0.0", 1),
                     NIP_ERROR_SIGNATURE);
    assert_int_equal(verify_text(text.data, text.size, DIGESTS, "acme/y", "1.0.0", 1),
                     NIP_ERROR_SIGNATURE);
    assert_int_equal(verify_text(text.data, text.size, DIGESTS, "acme/x", "1.0.1", 1),
                     NIP_ERROR_SIGNATURE);
    assert_int_equal(verify_text(text.data, text.size, DIGESTS, "acme/x", "1.0.0", 2),
                     NIP_ERROR_SIGNATURE);
    // Every changed bit is refused, except in the key id, which selects nothing.
    unsigned accepted = 0;
    for (size_t bit = 0; bit < text.size * 8; bit++) {
        text.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum nip_code code = verify_text(text.data, text.size, DIGESTS, "acme/x", "1.0.0", 1);
        size_t line_2 = sizeof "untrusted comment: npl signature";
        bool is_key_id = bit / 8 >= line_2 + 2 && bit / 8 <= line_2 + 13;
        if (code == NIP_OK)
            assert_true(is_key_id);
        accepted += code == NIP_OK;
        text.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(accepted > 0);
    // Every prefix, and anything after the end.
    for (size_t size = 0; size < text.size; size++)
        assert_int_equal(verify_text(text.data, size, DIGESTS, "acme/x", "1.0.0", 1),
                         NIP_ERROR_SIGNATURE);
    nip_buffer_append(&text, again.data, again.size);
    assert_int_equal(verify_text(text.data, text.size, DIGESTS, "acme/x", "1.0.0", 1),
                     NIP_ERROR_SIGNATURE);
    nip_buffer_free(&text);
    nip_buffer_free(&again);
}

static void minisign_accepts_ours(void **state)
{
    (void)state;
    if (!has_program("minisign"))
        skip();
    char folder[SCRATCH_PATH_SIZE];
    scratch_enter(folder);
    struct nip_buffer text = {0};
    struct nip_secret_key secret = fixed_key(1);
    struct nip_public_key key;
    write_text("digests", DIGESTS);
    make_signature(&text);
    write_text("digests.minisig", nip_buffer_text(&text));
    nip_secret_key_public(&secret, &key);
    nip_buffer_clear(&text);
    nip_public_key_print(&key, NULL, &text);
    write_text("key.pub", nip_buffer_text(&text));
    assert_true(shell("minisign -Vm digests -x digests.minisig -p key.pub"));
    write_text("digests", DIGESTS " ");
    assert_false(shell("minisign -Vm digests -x digests.minisig -p key.pub"));
    // Our secret key files sign there: without password, and with one.
    nip_buffer_clear(&text);
    assert_int_equal(nip_secret_key_print(&secret, "c", NULL, 0, 0, 0, &text, NULL), NIP_OK);
    write_text("plain.key", nip_buffer_text(&text));
    assert_true(shell("minisign -S -s plain.key -m digests && minisign -Vm digests -p key.pub"));
    nip_buffer_clear(&text);
    assert_int_equal(nip_secret_key_print(&secret, "c", "pass", 4, 32768, 16777216, &text, NULL),
                     NIP_OK);
    write_text("locked.key", nip_buffer_text(&text));
    assert_true(shell("rm digests.minisig; echo pass | minisign -S -s locked.key -m digests "
                      "&& minisign -Vm digests -p key.pub"));
    assert_false(shell("echo word | minisign -S -s locked.key -m digests"));
    nip_buffer_free(&text);
    scratch_leave(folder);
}

static void we_accept_minisigns(void **state)
{
    (void)state;
    if (!has_program("minisign"))
        skip();
    char folder[SCRATCH_PATH_SIZE];
    scratch_enter(folder);
    struct nip_buffer public_text = {0}, secret_text = {0}, signature_text = {0};
    struct nip_public_key key, own;
    struct nip_secret_key secret;
    struct nip_signature signature;
    write_text("digests", DIGESTS);
    assert_true(shell("minisign -G -W -p k.pub -s k.key && minisign -S -s k.key -m digests "
                      "-t 'npl 1 acme/x 1.0.0'"));
    assert_int_equal(nip_fs_read("k.pub", 4096, &public_text, NULL), NIP_OK);
    assert_int_equal(nip_fs_read("k.key", 4096, &secret_text, NULL), NIP_OK);
    assert_int_equal(nip_fs_read("digests.minisig", 4096, &signature_text, NULL), NIP_OK);
    assert_int_equal(
        nip_public_key_parse(nip_buffer_text(&public_text), public_text.size, "k", &key, NULL),
        NIP_OK);
    assert_int_equal(nip_secret_key_parse(nip_buffer_text(&secret_text), secret_text.size, "k",
                                          NULL, 0, memory_any, &secret, NULL),
                     NIP_OK);
    nip_secret_key_public(&secret, &own);
    assert_memory_equal(&own, &key, sizeof key);
    // As it is, its first line is not ours; imported it is exactly what we would have made.
    const char *text = nip_buffer_text(&signature_text);
    assert_int_equal(nip_signature_parse(text, signature_text.size, &signature, NULL),
                     NIP_ERROR_SIGNATURE);
    assert_int_equal(nip_signature_parse_foreign(text, signature_text.size, &signature, NULL),
                     NIP_OK);
    assert_int_equal(nip_signature_verify(&signature, key.key, DIGESTS, strlen(DIGESTS), "acme/x",
                                          "1.0.0", NULL),
                     NIP_OK);
    struct nip_signature ours;
    assert_int_equal(
        nip_signature_make(&secret, DIGESTS, strlen(DIGESTS), "acme/x", "1.0.0", &ours, NULL),
        NIP_OK);
    assert_memory_equal(&ours, &signature, sizeof ours);
    // Legacy signatures are refused by name.
    struct nip_error err = {0};
    assert_true(shell("minisign -S -l -s k.key -m digests -t 'npl 1 acme/x 1.0.0'"));
    nip_buffer_clear(&signature_text);
    assert_int_equal(nip_fs_read("digests.minisig", 4096, &signature_text, NULL), NIP_OK);
    assert_int_equal(nip_signature_parse_foreign(nip_buffer_text(&signature_text),
                                                 signature_text.size, &signature, &err),
                     NIP_ERROR_SIGNATURE);
    assert_non_null(strstr(err.message, "legacy"));
    nip_buffer_free(&public_text);
    nip_buffer_free(&secret_text);
    nip_buffer_free(&signature_text);
    scratch_leave(folder);
}

// A key that minisign encrypted itself, with its real limits: about 4 s and 1 GiB.
static void we_unlock_minisigns_key(void **state)
{
    (void)state;
    static const char file[] =
        "untrusted comment: minisign encrypted secret key\n"
        "RWRTY0IyF4qB30sNz2WQ7GJAusEnc5y+VJGkCYbRuIoz0iVen/0AAAACAAAAAAAAAEAAAAAATYiZHQye5BujvQAo"
        "D0mnTRq51/OTaTcrCHKqpWJISpMVNId5awTVRvblUx58Hpnr+r6aJDgm/s9HcWvjdlS3b3TMP2lDnkGZrN7RVK/B"
        "AaXYWaXL6uGQYvmO8zFUGbC60LtQa23Y/4M=\n";
    struct nip_secret_key secret;
    struct nip_public_key key;
    struct nip_error err = {0};
    char text[NIP_KEY_TEXT_SIZE];
    assert_int_equal(
        nip_secret_key_parse(file, strlen(file), "k", "pw", 2, UINT64_C(1) << 29, &secret, &err),
        NIP_ERROR_LIMIT);
    enum nip_code code = nip_secret_key_parse(file, strlen(file), "k", "pw", 2,
                                              NIP_SCRYPT_MEMORY_BYTES, &secret, &err);
    if (code == NIP_ERROR_MEMORY) {
        printf("SKIPPED: less than 1 GiB of memory\n");
        skip();
    }
    assert_int_equal(code, NIP_OK);
    nip_secret_key_public(&secret, &key);
    nip_public_key_text(&key, text);
    assert_string_equal(text, "RWSb7+dB3FFLQUU+QF5UuPODKRporXn3hvr9DcPAioWlrTQ3bK0Zk0kO");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secret_keys_round_trip),  cmocka_unit_test(damaged_keys_are_refused),
        cmocka_unit_test(public_keys_round_trip),  cmocka_unit_test(signatures_are_exact),
        cmocka_unit_test(minisign_accepts_ours),   cmocka_unit_test(we_accept_minisigns),
        cmocka_unit_test(we_unlock_minisigns_key),
    };
    return cmocka_run_group_tests_name("minisign", tests, NULL, NULL);
}
