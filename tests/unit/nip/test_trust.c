// SPDX-License-Identifier: Apache-2.0
//
// Goal: nip.trust.kdl means one thing only, and a threshold of two means two keys. Method: texts
// with one mistake each; ballots with one key written, listed or counted twice in every way there
// is.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "trust_fixture.h"

static struct nip_error err;
static struct nip_trust trust;

static enum nip_code parse(const char *text)
{
    memset(&err, 0, sizeof err);
    return nip_trust_parse(text, strlen(text), "nip.trust.kdl", &trust, &err);
}

static void parse_ok(const struct nip_buffer *text)
{
    if (parse(nip_buffer_text(text)) != NIP_OK)
        fail_msg("%s\n%s", err.message, nip_buffer_text(text));
}

// ---- the file ----

static void lines_are_read_back(void **state)
{
    (void)state;
    struct nip_buffer text = {0};
    struct nip_public_key one = key_of(1), two = key_of(2), three = key_of(3), found[8];
    nip_buffer_append_text(&text, "// a comment without a line end");
    nip_trust_append_registry(&text, "reg", "file:../a \"quoted\" folder");
    nip_trust_append_publisher(&text, "acme/*", &one);
    nip_buffer_append_format(&text,
                             "publisher \"acme/clock\" { key \"%s\"; key \"%s\"; rotation 7 }\n"
                             "registry \"other\" url=\"file:x\" root=\"%064d\"\n",
                             text_of(2), text_of(3), 0);
    parse_ok(&text);
    assert_string_equal(nip_trust_url(&trust, "reg"), "file:../a \"quoted\" folder");
    assert_string_equal(nip_trust_alias(&trust, "file:../a \"quoted\" folder"), "reg");
    assert_false(trust.registries[0].has_root);
    assert_true(trust.registries[1].has_root);
    assert_null(nip_trust_url(&trust, "none"));
    // The namespace counts where the name has no line of its own, and only there.
    assert_int_equal(nip_trust_keys(&trust, "acme/probe", NULL, found, 8), 1);
    assert_true(nip_public_key_equals(&found[0], &one));
    assert_int_equal(nip_trust_keys(&trust, "acme/clock", NULL, found, 8), 2);
    assert_true(nip_public_key_equals(&found[0], &two));
    assert_true(nip_public_key_equals(&found[1], &three));
    assert_int_equal(nip_trust_keys(&trust, "acme/clock", NULL, found, 1), 1);
    assert_int_equal(nip_trust_keys(&trust, "acmeprobe/x", NULL, found, 8), 0);
    assert_int_equal(nip_trust_keys(&trust, "acm/probe", NULL, found, 8), 0);
    assert_int_equal(nip_trust_find(&trust, "acme/clock")->rotation, 7);
    assert_int_equal(nip_trust_find(&trust, "acme/clock")->threshold, 1);
    nip_buffer_free(&text);
}

static void whatever_is_not_known_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum nip_code code;
    } cases[] = {
        {"registry \"reg\"", NIP_ERROR_SCHEMA},
        {"registry \"reg\" url=\"file:x\" \"more\"", NIP_ERROR_SCHEMA},
        {"registry \"reg\" url=\"file:x\" mirror=\"y\"", NIP_ERROR_SCHEMA},
        {"registry \"reg\" url=\"file:x\" url=\"file:y\"", NIP_ERROR_SCHEMA},
        {"registry \"reg\" url=1", NIP_ERROR_SCHEMA},
        {"registry \"reg\" url=\"file:x\" { a }", NIP_ERROR_SCHEMA},
        {"registry \"reg\" url=\"file:x\" root=\"00\"", NIP_ERROR_SCHEMA},
        {"(t)registry \"reg\" url=\"file:x\"", NIP_ERROR_SCHEMA},
        {"registry \"Reg\" url=\"file:x\"", NIP_ERROR_NAME},
        {"registry \"sdk\" url=\"file:x\"", NIP_ERROR_SCHEMA},
        {"registry \"reg\" url=\"\"", NIP_ERROR_SCHEMA},
        {"registry \"r\" url=\"a:\"\nregistry \"r\" url=\"b:\"", NIP_ERROR_SCHEMA},
        {"publisher \"*\" key=\"RWQ\"", NIP_ERROR_NAME},
        {"publisher \"*/*\" key=\"RWQ\"", NIP_ERROR_NAME},
        {"publisher \"acme/*\" key=\"RWQ\"", NIP_ERROR_KEY},
        {"publisher \"acme/*\" threshold=2", NIP_ERROR_SCHEMA},
        {"publisher \"acme/*\"", NIP_ERROR_SCHEMA},
        {"publisher \"acme/*\" {}", NIP_ERROR_SCHEMA},
        {"publisher \"acme/*\" key=\"RWQ\" { threshold 1 }", NIP_ERROR_SCHEMA},
        {"Publisher \"acme/*\" key=\"RWQ\"", NIP_ERROR_SCHEMA},
        {"revoked \"acme/*\"", NIP_ERROR_SCHEMA},
        {"revoked \"acme\" key=\"RWQ\"", NIP_ERROR_NAME},
        {"revoked \"acme/*\" key=\"RWQ\"", NIP_ERROR_KEY},
        {"everything", NIP_ERROR_SCHEMA},
        {"registry \"reg\" url=\"a\\u{0}b\"", NIP_ERROR_SCHEMA},
        {"registry {", NIP_ERROR_SYNTAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (parse(cases[i].text) != cases[i].code)
            fail_msg("%s: %s", cases[i].text, err.message);
        assert_int_not_equal(err.line, 0);
    }
    assert_int_equal(parse(""), NIP_OK);
    assert_int_equal(trust.publisher_count, 0);
}

// One block with `inside`, in which %s are the keys 1 and 2.
static enum nip_code parse_block(const char *inside)
{
    struct nip_buffer text = {0};
    nip_buffer_append_text(&text, "publisher \"acme/clock\" {\n");
    for (const char *c = inside; *c != '\0'; c++) {
        if (*c == '1' && c[1] == 'K')
            nip_buffer_append_format(&text, "key \"%s\"", text_of(1)), c++;
        else if (*c == '2' && c[1] == 'K')
            nip_buffer_append_format(&text, "key \"%s\"", text_of(2)), c++;
        else
            nip_buffer_append_byte(&text, (uint8_t)*c);
    }
    nip_buffer_append_text(&text, "\n}\n");
    enum nip_code code = parse(nip_buffer_text(&text));
    nip_buffer_free(&text);
    return code;
}

static void blocks_are_strict(void **state)
{
    (void)state;
    static const struct {
        const char *inside;
        enum nip_code code;
    } cases[] = {
        {"1K; 2K; threshold 2", NIP_OK},
        {"1K; threshold 1; rotation 3; reason \"told by phone\"", NIP_OK},
        {"threshold 1", NIP_ERROR_SCHEMA},         // no key
        {"1K; threshold 2", NIP_ERROR_SCHEMA},     // out of reach
        {"1K; 1K; threshold 2", NIP_ERROR_SCHEMA}, // one key twice
        {"1K; threshold 0", NIP_ERROR_SCHEMA},
        {"1K; threshold 1; threshold 1", NIP_ERROR_SCHEMA},
        {"1K; threshold 1.0", NIP_ERROR_SCHEMA},
        {"1K; threshold \"1\"", NIP_ERROR_SCHEMA},
        {"1K; threshold 4294967297", NIP_ERROR_SCHEMA},
        {"1K; rotation 0", NIP_ERROR_SCHEMA},
        {"1K; rotation 1; rotation 2", NIP_ERROR_SCHEMA},
        {"1K; reason \"a\"; reason \"b\"", NIP_ERROR_SCHEMA},
        {"1K; reason 1", NIP_ERROR_SCHEMA},
        {"1K; until \"2030-01-01\"", NIP_ERROR_SCHEMA}, // no date decides anything
        {"1K; key", NIP_ERROR_SCHEMA},
        {"1K; key \"RWQ\"", NIP_ERROR_KEY},
        {"1K; threshold 1 { x }", NIP_ERROR_SCHEMA},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (parse_block(cases[i].inside) != cases[i].code)
            fail_msg("%s: %s", cases[i].inside, err.message);
}

// The key `text` (32 bytes in hexadecimal) under the id `id`, as trust files write it.
static const char *foreign_key(const char *text, uint8_t id)
{
    static char out[2][NIP_KEY_TEXT_SIZE];
    static unsigned next;
    struct nip_public_key key = {.id = {id}};
    assert_true(nip_hex_decode(text, 64, key.key, 32));
    nip_public_key_text(&key, out[next % 2]);
    return out[next++ % 2];
}

static void two_keys_are_two_keys(void **state)
{
    (void)state;
    static const char good[] = "cecc1507dc1ddd7295951c290888f095adb9044d1b73d696e6df065d683bd4fc";
    // The same plus a point of order 8: it verifies what the first one signs in a lenient verifier.
    static const char torsion[] =
        "992de2a337c4035c5d6aec1d8b0d75efbcd2ab37bdd794be3b3222ebe4aff751";
    static const struct {
        const char *key;
        uint8_t id;
        enum nip_code code;
        const char *words;
    } cases[] = {
        {good, 1, NIP_ERROR_SCHEMA, "stands here twice"},
        {good, 2, NIP_ERROR_SCHEMA, "under two key ids"},
        {torsion, 2, NIP_ERROR_KEY, "prime-order group"},
        // Small order, and the neutral element in a spelling that is not canonical.
        {"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", 2, NIP_ERROR_KEY,
         "prime-order group"},
        {"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", 2, NIP_ERROR_KEY,
         "prime-order group"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct nip_buffer text = {0};
        nip_buffer_append_format(&text,
                                 "publisher \"acme/clock\" { key \"%s\"; key \"%s\"; threshold 2 }",
                                 foreign_key(good, 1), foreign_key(cases[i].key, cases[i].id));
        assert_int_equal(parse(nip_buffer_text(&text)), cases[i].code);
        if (strstr(err.message, cases[i].words) == NULL)
            fail_msg("%s", err.message);
        nip_buffer_free(&text);
    }
    struct nip_buffer text = {0};
    nip_trust_append_publisher(&text, "acme/clock", &(struct nip_public_key){0});
    assert_int_equal(parse(nip_buffer_text(&text)), NIP_ERROR_KEY);
    nip_buffer_clear(&text);
    struct nip_public_key one = key_of(1), two = key_of(2);
    nip_trust_append_publisher(&text, "acme/clock", &one);
    nip_trust_append_publisher(&text, "acme/clock", &two);
    assert_int_equal(parse(nip_buffer_text(&text)), NIP_ERROR_SCHEMA); // two lines, no threshold
    nip_buffer_free(&text);
}

static void limits_hold(void **state)
{
    (void)state;
    struct nip_buffer text = {0};
    nip_buffer_append_text(&text, "publisher \"acme/clock\" {\n");
    for (uint8_t i = 1; i <= NIP_TRUST_KEYS_MAX; i++)
        nip_buffer_append_format(&text, "key \"%s\"\n", text_of(i));
    size_t size = text.size;
    nip_buffer_append_text(&text, "threshold 8\n}");
    parse_ok(&text);
    text.size = size;
    nip_buffer_append_format(&text, "key \"%s\"\n}", text_of(99));
    assert_int_equal(parse(nip_buffer_text(&text)), NIP_ERROR_LIMIT);
    nip_buffer_clear(&text);
    for (unsigned i = 0; i <= NIP_TRUST_REVOKED_MAX; i++) {
        nip_buffer_append_format(&text, "revoked \"acme/k%u\" key=\"%s\"\n", i, text_of(1));
        assert_int_equal(parse(nip_buffer_text(&text)),
                         i < NIP_TRUST_REVOKED_MAX ? NIP_OK : NIP_ERROR_LIMIT);
    }
    nip_buffer_clear(&text);
    nip_buffer_append_format(&text, "revoked \"acme/k\" key=\"%s\" {\n", text_of(1));
    for (unsigned i = 0; i < NIP_TRUST_KEEPS_MAX + 1; i++)
        nip_buffer_append_format(&text, "keep \"%064u\"\n", i);
    nip_buffer_append_text(&text, "}");
    assert_int_equal(parse(nip_buffer_text(&text)), NIP_ERROR_LIMIT);
    nip_buffer_free(&text);
}

static void changing_a_line_keeps_the_rest(void **state)
{
    (void)state;
    struct nip_buffer text = {0}, out = {0};
    nip_buffer_append_format(&text,
                             "// first\npublisher \"acme/clock\" key=\"%s\" // mine\n"
                             "publisher \"acme/*\" key=\"%s\"",
                             text_of(1), text_of(2));
    parse_ok(&text);
    struct nip_trust_publisher changed = trust.publishers[0];
    changed.keys[changed.key_count++] = key_of(3);
    changed.threshold = 2;
    changed.rotation = 5;
    snprintf(changed.reason, sizeof changed.reason, "two of us \"now\"");
    nip_trust_put_publisher(&trust, nip_buffer_text(&text), text.size, &changed, &out);
    assert_ptr_equal(strstr(nip_buffer_text(&out), "// first\n"), nip_buffer_text(&out));
    assert_non_null(strstr(nip_buffer_text(&out), "} // mine\npublisher \"acme/*\""));
    parse_ok(&out);
    assert_int_equal(trust.publisher_count, 2);
    assert_int_equal(trust.publishers[0].threshold, 2);
    assert_int_equal(trust.publishers[0].rotation, 5);
    assert_string_equal(trust.publishers[0].reason, "two of us \"now\"");
    // A new line and a revocation are appended; the revocation is replaced by the next one.
    struct nip_trust_revoked revoked = {.pattern = "acme/*", .key = key_of(2), .keep_count = 1};
    uint8_t keeps[1][NIP_DIGEST_SIZE] = {{7}};
    for (unsigned round = 0; round < 2; round++) {
        nip_buffer_clear(&text);
        nip_buffer_append(&text, out.data, out.size);
        nip_buffer_clear(&out);
        nip_trust_put_revoked(&trust, nip_buffer_text(&text), text.size, &revoked, keeps[0], &out);
        parse_ok(&out);
        assert_int_equal(trust.revoked_count, 1);
        assert_int_equal(trust.keep_count, 1 - round);
        revoked.keep_count = 0;
    }
    nip_buffer_free(&text);
    nip_buffer_free(&out);
}

// ---- counting ----

static const char digests[] = "any text stands for digests here\n";
static const struct nip_ballot_subject subject = {"acme/clock", "1.2.3", digests,
                                                  sizeof digests - 1};
static struct nip_buffer signatures[NIP_BALLOT_VOTES_MAX + 1];
static size_t signature_count;

static void add_signature(uint8_t number, const char *name, const char *version, const char *text)
{
    struct nip_secret_key secret = secret_of(number);
    struct nip_signature signature;
    assert_int_equal(
        nip_signature_make(&secret, text, strlen(text), name, version, &signature, &err), NIP_OK);
    nip_buffer_clear(&signatures[signature_count]);
    nip_signature_print(&signature, &signatures[signature_count++]);
}

static void sign_as(uint8_t number)
{
    add_signature(number, "acme/clock", "1.2.3", digests);
}

static enum nip_code count(struct nip_ballot *ballot)
{
    struct nip_signature_text texts[NIP_BALLOT_VOTES_MAX + 1];
    for (size_t i = 0; i < signature_count; i++)
        texts[i] = (struct nip_signature_text){nip_buffer_text(&signatures[i]), signatures[i].size};
    return nip_trust_count(&trust, &subject, texts, signature_count, ballot, &err);
}

static int begin_count(void **state)
{
    (void)state;
    struct nip_buffer text = {0};
    nip_buffer_append_format(
        &text, "publisher \"acme/clock\" { key \"%s\"; key \"%s\"; key \"%s\"; threshold 2 }",
        text_of(1), text_of(2), text_of(3));
    parse_ok(&text);
    nip_buffer_free(&text);
    signature_count = 0;
    return 0;
}

static int end_count(void **state)
{
    (void)state;
    for (size_t i = 0; i <= NIP_BALLOT_VOTES_MAX; i++)
        nip_buffer_free(&signatures[i]);
    return 0;
}

static void different_keys_are_counted(void **state)
{
    (void)state;
    struct nip_ballot ballot;
    sign_as(1);
    assert_int_equal(count(&ballot), NIP_OK);
    assert_false(ballot.is_met);
    assert_int_equal(ballot.counted, 1);
    sign_as(1); // the same detached signature again, as often as one likes
    sign_as(1);
    assert_int_equal(count(&ballot), NIP_OK);
    assert_false(ballot.is_met);
    assert_int_equal(ballot.votes[1].verdict, NIP_VOTE_REPEATED);
    sign_as(9); // nobody's key
    add_signature(2, "acme/clock", "1.2.4", digests);
    add_signature(2, "acme/other", "1.2.3", digests);
    add_signature(2, "acme/clock", "1.2.3", "other digests");
    assert_int_equal(count(&ballot), NIP_OK);
    assert_false(ballot.is_met);
    assert_int_equal(ballot.votes[3].verdict, NIP_VOTE_UNKNOWN);
    assert_int_equal(ballot.votes[4].verdict, NIP_VOTE_MALFORMED);
    assert_int_equal(ballot.votes[5].verdict, NIP_VOTE_MALFORMED);
    assert_int_equal(ballot.votes[6].verdict, NIP_VOTE_UNKNOWN);
    sign_as(3);
    assert_int_equal(count(&ballot), NIP_OK);
    assert_true(ballot.is_met);
    assert_int_equal(ballot.counted, 2);
    assert_int_equal(ballot.threshold, 2);
}

// A signature whose two halves are fine but which names another id or is written differently.
static void altered_signatures_do_not_count(void **state)
{
    (void)state;
    struct nip_ballot ballot;
    struct nip_secret_key secret = secret_of(2);
    struct nip_signature signature;
    sign_as(1);
    secret.id[0] = 77;
    assert_int_equal(nip_signature_make(&secret, digests, sizeof digests - 1, "acme/clock", "1.2.3",
                                        &signature, &err),
                     NIP_OK);
    nip_buffer_clear(&signatures[1]);
    nip_signature_print(&signature, &signatures[1]);
    signature_count = 2;
    assert_int_equal(count(&ballot), NIP_OK);
    assert_false(ballot.is_met);
    for (size_t at = 0; at < signatures[0].size; at++) {
        signature_count = 1;
        sign_as(2);
        signatures[1].data[at] ^= 1;
        assert_int_equal(count(&ballot), NIP_OK);
        assert_false(ballot.is_met);
    }
}

static void too_many_signatures_are_refused(void **state)
{
    (void)state;
    struct nip_ballot ballot;
    while (signature_count < NIP_BALLOT_VOTES_MAX)
        sign_as(1);
    assert_int_equal(count(&ballot), NIP_OK);
    sign_as(2);
    assert_int_equal(count(&ballot), NIP_ERROR_LIMIT);
    assert_false(ballot.is_met);
}

static void revoked_keys_do_not_count(void **state)
{
    (void)state;
    struct nip_ballot ballot;
    struct nip_public_key found[8];
    uint8_t id[NIP_DIGEST_SIZE];
    char id_text[NIP_DIGEST_TEXT_SIZE];
    nip_hash_bytes(digests, sizeof digests - 1, id);
    nip_digest_text(id, id_text);
    struct nip_buffer text = {0};
    nip_buffer_append_format(&text,
                             "publisher \"acme/clock\" { key \"%s\"; key \"%s\"; threshold 2 }\n"
                             "revoked \"acme/*\" key=\"%s\" reason=\"stolen\"\n",
                             text_of(1), text_of(2), text_of(2));
    parse_ok(&text);
    sign_as(1);
    sign_as(2);
    assert_int_equal(count(&ballot), NIP_OK);
    assert_false(ballot.is_met); // revoked for the namespace is revoked for the name's own line too
    assert_int_equal(ballot.votes[1].verdict, NIP_VOTE_REVOKED);
    assert_int_equal(nip_trust_keys(&trust, "acme/clock", id, found, 8), 1);
    // A package that stays valid was accepted before: its signature is enough.
    nip_buffer_append_format(&text, "revoked \"acme/clock\" key=\"%s\" { keep \"%s\" }\n",
                             text_of(3), id_text);
    parse_ok(&text);
    sign_as(3);
    assert_int_equal(count(&ballot), NIP_OK);
    assert_int_equal(ballot.votes[2].verdict, NIP_VOTE_KEPT);
    assert_true(ballot.is_met);
    assert_int_equal(nip_trust_keys(&trust, "acme/clock", id, found, 8), 2);
    assert_int_equal(nip_trust_keys(&trust, "acme/clock", NULL, found, 8), 1);
    // Of two revocations both must keep it.
    nip_buffer_append_format(&text, "revoked \"acme/*\" key=\"%s\"\n", text_of(3));
    parse_ok(&text);
    assert_int_equal(count(&ballot), NIP_OK);
    assert_int_equal(ballot.votes[2].verdict, NIP_VOTE_REVOKED);
    assert_false(ballot.is_met);
    // Another name of the namespace is not concerned by what was said of acme/clock.
    assert_int_equal(nip_trust_standing(&trust, "bob/clock", found[0].key, id), NIP_TRUST_UNKNOWN);
    nip_buffer_append_format(&text, "revoked \"acme/*\" key=\"%s\"\n", text_of(3));
    assert_int_equal(parse(nip_buffer_text(&text)), NIP_ERROR_SCHEMA);
    nip_buffer_free(&text);
}

static void nobody_accepted_means_not_met(void **state)
{
    (void)state;
    struct nip_ballot ballot;
    assert_int_equal(parse(""), NIP_OK);
    sign_as(1);
    assert_int_equal(count(&ballot), NIP_OK);
    assert_false(ballot.is_met);
    assert_int_equal(ballot.threshold, 0);
    signature_count = 0;
    assert_int_equal(count(&ballot), NIP_OK);
    assert_false(ballot.is_met);
    for (int verdict = 0; verdict <= NIP_VOTE_MALFORMED; verdict++)
        assert_true(strlen(nip_vote_words((enum nip_vote_verdict)verdict)) > 3);
}

#define COUNTING(test) cmocka_unit_test_setup_teardown(test, begin_count, end_count)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read_back),
        cmocka_unit_test(whatever_is_not_known_is_refused),
        cmocka_unit_test(blocks_are_strict),
        cmocka_unit_test(two_keys_are_two_keys),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(changing_a_line_keeps_the_rest),
        COUNTING(different_keys_are_counted),
        COUNTING(altered_signatures_do_not_count),
        COUNTING(too_many_signatures_are_refused),
        COUNTING(revoked_keys_do_not_count),
        COUNTING(nobody_accepted_means_not_met),
    };
    return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
