// SPDX-License-Identifier: Apache-2.0
//
// nip key new, show, trust.

#include <string.h>

#include "commands.h"
#include "keystore.h"
#include "nip/fs.h"
#include "project.h"
#include "report.h"

static void show_key(const struct cli *cli, const char *name, const struct nip_public_key *key)
{
    char text[NIP_KEY_TEXT_SIZE], fingerprint[NIP_DIGEST_TEXT_SIZE];
    nip_public_key_text(key, text);
    nip_public_key_fingerprint(key, fingerprint);
    cli_print(cli, "%-12s %s\n             fingerprint %s", name, text, fingerprint);
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
        return report_json("nip-keys-0", "keys", keys_json(entries, count), err);
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

enum nip_code command_key_trust(struct cli *cli, struct nip_error *err)
{
    const char *pattern = cli_operand(cli, 0);
    if (!nip_trust_pattern_is_valid(pattern)) {
        nip_error_set(err, NIP_ERROR_NAME, "'%s' is no package name", pattern);
        nip_error_hint(err, "write namespace/name, or namespace/* for all of a namespace");
        return NIP_ERROR_NAME;
    }
    if (project_kind(".") == PROJECT_NONE)
        return project_require(PROJECT_IMAGE, err);
    struct nip_public_key key;
    struct nip_trust trust;
    struct nip_buffer text = {0};
    enum nip_code code = keystore_public(cli_operand(cli, 1), &key, err);
    if (code == NIP_OK)
        code = project_read_trust(".", &trust, &text, err);
    bool known = false;
    for (size_t i = 0; code == NIP_OK && i < trust.publisher_count; i++)
        known = known || (strcmp(trust.publishers[i].pattern, pattern) == 0 &&
                          nip_public_key_equals(&trust.publishers[i].key, &key));
    if (code == NIP_OK && !known) {
        nip_trust_append_publisher(&text, pattern, &key);
        code = nip_buffer_check(&text, NIP_TRUST_FILE, err);
        if (code == NIP_OK)
            code = project_write_file(NIP_TRUST_FILE, text.data, text.size, 0644, err);
    }
    if (code == NIP_OK) {
        cli_say(cli,
                known ? "%s is accepted from this key already:" : "%s is accepted from:", pattern);
        show_key(cli, "key", &key);
        cli_next(cli, "nip add NAME --registry WHERE");
    }
    nip_buffer_free(&text);
    return code;
}
