// SPDX-License-Identifier: Apache-2.0
//
// nip key new, show, trust.

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "keystore.h"
#include "members.h"
#include "nip/fs.h"
#include "project.h"
#include "report.h"
#include "statements.h"

static void show_key(const struct cli *cli, const char *name, const struct nip_public_key *key)
{
    char text[NIP_KEY_TEXT_SIZE], fingerprint[NIP_DIGEST_TEXT_SIZE];
    nip_public_key_text(key, text);
    nip_public_key_fingerprint(key, fingerprint);
    if (cli->is_json)
        cli_say(cli, "%-12s %s\n             fingerprint %s", name, text, fingerprint);
    else
        cli_print(cli, "%-12s %s\n             fingerprint %s", name, text, fingerprint);
}

static struct nip_json *keys_json(const struct keystore_entry *entries, size_t count)
{
    struct nip_json *list = nip_json_make_array();
    for (size_t i = 0; i < count; i++) {
        char text[NIP_KEY_TEXT_SIZE], fingerprint[NIP_DIGEST_TEXT_SIZE];
        struct nip_json *item = nip_json_make_object();
        nip_public_key_text(&entries[i].key, text);
        nip_public_key_fingerprint(&entries[i].key, fingerprint);
        nip_json_put(item, "name", report_text(entries[i].name));
        nip_json_put_text(item, "key", text);
        nip_json_put_text(item, "fingerprint", fingerprint);
        nip_json_append(list, item);
    }
    return list;
}

enum nip_code command_key_new(struct cli *cli, struct nip_error *err)
{
    const char *name = cli_operand(cli, 0) != NULL ? cli_operand(cli, 0) : KEYSTORE_DEFAULT_NAME;
    bool has_password = !cli_flag(cli, "no-password");
    struct nip_public_key key;
    enum nip_code code = keystore_make(name, has_password, &key, err);
    if (code != NIP_OK)
        return code;
    if (!has_password)
        cli_warn(cli,
                 "THE SECRET KEY '%s' IS NOT ENCRYPTED: whoever can read its file can sign as "
                 "you. For demonstrations and CI only.",
                 name);
    if (cli->is_json) {
        struct keystore_entry entry = {.key = key};
        snprintf(entry.name, sizeof entry.name, "%s", project_short_name(name));
        return report_json("nip-keys-1", "keys", keys_json(&entry, 1), err);
    }
    cli_say(cli, "made the key pair '%s'; keep a copy of the secret half in a safe place", name);
    show_key(cli, name, &key);
    if (strcmp(name, KEYSTORE_DEFAULT_NAME) == 0)
        cli_next(cli, "nip publish --registry file:../reg");
    else
        cli_next(cli,
                 "nip publish --key %s --registry file:../reg   (or, for images: nip image "
                 "--key %s)",
                 name, name);
    return NIP_OK;
}

enum nip_code command_key_show(struct cli *cli, struct nip_error *err)
{
    const char *name = cli_operand(cli, 0);
    struct keystore_entry entries[KEYSTORE_KEYS_MAX] = {0};
    size_t count = 0;
    enum nip_code code = NIP_OK;
    if (name != NULL) {
        snprintf(entries[0].name, sizeof entries[0].name, "%s", name);
        code = keystore_public(name, &entries[0].key, err);
        count = 1;
    } else {
        code = keystore_list(entries, &count, err);
    }
    if (code == NIP_OK && cli->is_json)
        return report_json("nip-keys-1", "keys", keys_json(entries, count), err);
    for (size_t i = 0; code == NIP_OK && i < count; i++)
        show_key(cli, entries[i].name, &entries[i].key);
    if (code == NIP_OK && count == 0) {
        cli_say(cli, "you have no keys yet");
        cli_next(cli, "nip key new");
    } else if (code == NIP_OK) {
        cli_next(cli, "nip publish --registry file:../reg");
    }
    return code;
}

// ---- trust ----

// What `nip key trust` is about to change.
struct acceptance {
    struct cli *cli;
    struct nip_trust trust;
    struct nip_buffer text;
    struct nip_trust_publisher line;       // as it will be
    const struct nip_trust_publisher *old; // or NULL
};

static enum nip_code read_threshold(const struct cli *cli, uint32_t *threshold,
                                    struct nip_error *err)
{
    const char *text = cli_option(cli, "threshold");
    char *end = NULL;
    if (text == NULL)
        return NIP_OK;
    unsigned long value = strtoul(text, &end, 10);
    if (*end != '\0' || text[0] < '1' || text[0] > '9' || value > NIP_TRUST_KEYS_MAX) {
        nip_error_set(err, NIP_ERROR_USAGE, "--threshold does not take '%s'", text);
        nip_error_hint(err, "a number from 1 to the number of keys, at most %d",
                       NIP_TRUST_KEYS_MAX);
        return NIP_ERROR_USAGE;
    }
    *threshold = (uint32_t)value;
    return NIP_OK;
}

static bool is_listed(const struct nip_trust_publisher *line, const struct nip_public_key *key)
{
    for (size_t i = 0; i < line->key_count; i++)
        if (nip_public_key_equals(&line->keys[i], key))
            return true;
    return false;
}

static enum nip_code add_operands(struct acceptance *accept, struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    for (size_t i = 1; code == NIP_OK && cli_operand(accept->cli, i) != NULL; i++) {
        struct nip_public_key key;
        code = keystore_public(cli_operand(accept->cli, i), &key, err);
        if (code != NIP_OK || is_listed(&accept->line, &key))
            continue;
        if (accept->line.key_count == NIP_TRUST_KEYS_MAX)
            code = nip_error_set(err, NIP_ERROR_LIMIT, "one name accepts at most %d keys",
                                 NIP_TRUST_KEYS_MAX);
        else
            accept->line.keys[accept->line.key_count++] = key;
    }
    return code;
}

static bool is_unchanged(const struct acceptance *accept)
{
    const struct nip_trust_publisher *old = accept->old, *line = &accept->line;
    bool same =
        old != NULL && old->key_count == line->key_count && old->threshold == line->threshold;
    for (size_t i = 0; same && i < line->key_count; i++)
        same = is_listed(old, &line->keys[i]);
    return same;
}

// A line that is there is never widened by accident.
static enum nip_code check_intent(const struct acceptance *accept, struct nip_error *err)
{
    const char *pattern = accept->line.pattern;
    bool replaces = cli_flag(accept->cli, "replace");
    if (replaces && cli_option(accept->cli, "reason") == NULL) {
        nip_error_set(err, NIP_ERROR_USAGE, "--replace needs --reason TEXT");
        nip_error_hint(err, "say why the old key is not asked, for whoever reads %s later",
                       NIP_TRUST_FILE);
        return NIP_ERROR_USAGE;
    }
    if (accept->old != NULL && !replaces && !cli_flag(accept->cli, "add")) {
        nip_error_set(err, NIP_ERROR_EXISTS, "%s accepts other keys for %s already", NIP_TRUST_FILE,
                      pattern);
        nip_error_hint(err, "the publisher has rotated the key: nip key trust --statement FILE\n"
                            "one more key may sign: --add (with --threshold N: so many must)\n"
                            "the old key is lost: --replace --reason TEXT");
        return NIP_ERROR_EXISTS;
    }
    if (accept->line.key_count > 1 && accept->old == NULL &&
        cli_option(accept->cli, "threshold") == NULL) {
        nip_error_set(err, NIP_ERROR_USAGE, "%zu keys, and how many of them must sign?",
                      accept->line.key_count);
        nip_error_hint(err, "--threshold 1 for any of them, --threshold %zu for all",
                       accept->line.key_count);
        return NIP_ERROR_USAGE;
    }
    if (accept->line.threshold > accept->line.key_count) {
        nip_error_set(err, NIP_ERROR_USAGE, "%u of %zu keys cannot sign",
                      (unsigned)accept->line.threshold, accept->line.key_count);
        nip_error_hint(err, "name more keys, or a lower --threshold");
        return NIP_ERROR_USAGE;
    }
    return NIP_OK;
}

static enum nip_code write_line(struct acceptance *accept, struct nip_error *err)
{
    struct nip_buffer out = {0};
    const char *reason = cli_option(accept->cli, "reason");
    enum nip_code code = NIP_OK;
    if (reason != NULL && strlen(reason) >= sizeof accept->line.reason)
        return nip_error_set(err, NIP_ERROR_LIMIT, "a reason has at most %d bytes",
                             NIP_TRUST_REASON_SIZE - 1);
    snprintf(accept->line.reason, sizeof accept->line.reason, "%s", reason != NULL ? reason : "");
    nip_trust_put_publisher(&accept->trust, nip_buffer_text(&accept->text), accept->text.size,
                            &accept->line, &out);
    if (accept->old != NULL)
        code = statement_retire(&accept->trust, accept->old, &accept->line, reason, &out, err);
    if (code == NIP_OK)
        code = statement_write_trust(&out, err);
    nip_buffer_free(&out);
    return code;
}

static enum nip_code run_trust(struct acceptance *accept, struct nip_error *err)
{
    struct nip_trust_publisher *line = &accept->line;
    enum nip_code code = project_read_trust(".", &accept->trust, &accept->text, err);
    for (size_t i = 0; code == NIP_OK && i < accept->trust.publisher_count; i++)
        if (strcmp(accept->trust.publishers[i].pattern, cli_operand(accept->cli, 0)) == 0)
            accept->old = &accept->trust.publishers[i];
    if (code == NIP_OK && accept->old != NULL && cli_flag(accept->cli, "add"))
        *line = *accept->old;
    if (accept->old != NULL)
        line->rotation = accept->old->rotation;
    if (line->threshold == 0)
        line->threshold = 1;
    snprintf(line->pattern, sizeof line->pattern, "%s", cli_operand(accept->cli, 0));
    if (code == NIP_OK)
        code = read_threshold(accept->cli, &line->threshold, err);
    if (code == NIP_OK)
        code = add_operands(accept, err);
    if (code != NIP_OK)
        return code;
    bool known = is_unchanged(accept);
    if (!known)
        code = check_intent(accept, err);
    if (code == NIP_OK && !known)
        code = write_line(accept, err);
    if (code != NIP_OK)
        return code;
    cli_say(accept->cli,
            known ? "%s is accepted like this already:" : "%s is accepted from:", line->pattern);
    for (size_t i = 0; i < line->key_count; i++)
        show_key(accept->cli, "key", &line->keys[i]);
    if (line->key_count > 1)
        cli_say(accept->cli, "%u of these %zu must sign", (unsigned)line->threshold,
                line->key_count);
    cli_next(accept->cli, "nip add NAME --registry WHERE");
    return NIP_OK;
}

static enum nip_code check_trust_operands(const struct cli *cli, struct nip_error *err)
{
    const char *pattern = cli_operand(cli, 0);
    if (cli_operand(cli, 1) == NULL) {
        nip_error_set(err, NIP_ERROR_USAGE, "'nip key trust' needs PACKAGE KEY");
        nip_error_hint(err, "usage: nip key trust [options] PACKAGE KEY...\n"
                            "or follow what a publisher says: nip key trust --statement FILE");
        return NIP_ERROR_USAGE;
    }
    if (!nip_trust_pattern_is_valid(pattern)) {
        nip_error_set(err, NIP_ERROR_NAME, "'%s' is no package name", pattern);
        nip_error_hint(err, "write namespace/name, or namespace/* for all of a namespace");
        return NIP_ERROR_NAME;
    }
    if (cli_flag(cli, "add") && cli_flag(cli, "replace")) {
        nip_error_set(err, NIP_ERROR_USAGE, "--add and --replace are two different things");
        nip_error_hint(err, "--add keeps the old keys, --replace does not");
        return NIP_ERROR_USAGE;
    }
    return NIP_OK;
}

enum nip_code command_key_trust(struct cli *cli, struct nip_error *err)
{
    const char *statement = cli_option(cli, "statement");
    enum nip_code code = statement == NULL ? check_trust_operands(cli, err) : NIP_OK;
    if (code != NIP_OK)
        return code;
    if (project_kind(".") == PROJECT_NONE && !members_is_root())
        return project_require(PROJECT_NONE, err);
    struct acceptance *accept = calloc(1, sizeof *accept);
    struct project_lock lock = PROJECT_LOCK_NONE;
    if (accept == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    accept->cli = cli;
    code = project_lock(&lock, err);
    if (code == NIP_OK)
        code = statement != NULL ? statement_follow(cli, statement, err) : run_trust(accept, err);
    project_unlock(&lock);
    nip_buffer_free(&accept->text);
    free(accept);
    return code;
}
