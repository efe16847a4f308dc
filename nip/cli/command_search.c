// SPDX-License-Identifier: Apache-2.0
//
// nip search: packages of the known registries whose name or description has every word.

#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "commands.h"
#include "progress.h"
#include "report.h"

static bool has_words(const struct cli *cli, const struct catalog_card *card)
{
    for (size_t i = 0; i < cli->operand_count; i++)
        if (strcasestr(card->name, cli->operands[i]) == NULL &&
            strcasestr(card->description, cli->operands[i]) == NULL)
            return false;
    return true;
}

static void print_card(const struct cli *cli, const struct catalog_card *card)
{
    char fingerprint[NIP_DIGEST_TEXT_SIZE];
    cli_print(cli, "%s %s  (%s)", card->name, card->version, card->from->alias);
    if (card->standing == CATALOG_UNVERIFIED) {
        cli_print_verdict(cli, false, "  not verified: ", "%s", card->trouble);
        return;
    }
    if (card->description[0] != '\0')
        cli_print(cli, "  %s", card->description);
    nip_public_key_fingerprint(&card->key, fingerprint);
    cli_print(cli, "  %s, %s, %zu version%s%s", card->kind, card->license, card->versions.count,
              card->versions.count == 1 ? "" : "s",
              card->yanked_count == 0                      ? ""
              : card->yanked_count == card->versions.count ? ", all yanked"
                                                           : ", some yanked");
    if (card->standing == CATALOG_KNOWN)
        cli_print_verdict(cli, true, "  signed by ", "%s", card->whose);
    else
        cli_print_verdict(cli, false, "  signed by ", "a key %s, fingerprint %s",
                          card->standing == CATALOG_REVOKED ? "that is revoked here"
                                                            : "that nobody here vouches for",
                          fingerprint);
}

static struct nip_json *card_json(const struct catalog_card *card)
{
    static const char *const standings[] = {"unverified", "known", "unknown", "revoked"};
    struct nip_json *item = nip_json_make_object();
    nip_json_put_text(item, "name", card->name);
    nip_json_put_text(item, "registry", card->from->alias);
    nip_json_put(item, "url", report_text(registry_url(card->from->registry)));
    nip_json_put_text(item, "version", card->version);
    nip_json_put_u64(item, "versions", card->versions.count);
    nip_json_put_u64(item, "yanked", card->yanked_count);
    nip_json_put_text(item, "standing", standings[card->standing]);
    if (card->standing == CATALOG_UNVERIFIED) {
        nip_json_put(item, "trouble", report_text(card->trouble));
        return item;
    }
    char fingerprint[NIP_DIGEST_TEXT_SIZE];
    nip_public_key_fingerprint(&card->key, fingerprint);
    nip_json_put(item, "kind", report_text(card->kind));
    nip_json_put(item, "description", report_text(card->description));
    nip_json_put(item, "license", report_text(card->license));
    nip_json_put_text(item, "key_fingerprint", fingerprint);
    if (card->standing == CATALOG_KNOWN)
        nip_json_put(item, "signed_by", report_text(card->whose));
    return item;
}

static enum nip_code search_registry(const struct cli *cli, struct catalog *catalog,
                                     const struct catalog_registry *from, struct nip_json *list,
                                     size_t *found, struct nip_error *err)
{
    struct nip_folder_names names = {0};
    struct progress progress;
    enum nip_code code = registry_names(from->registry, &names, err);
    progress_begin(&progress, cli, "searching", names.count);
    for (size_t i = 0; code == NIP_OK && i < names.count; i++) {
        struct catalog_card card;
        progress_step(&progress, names.items[i]);
        code = catalog_read(catalog, from, names.items[i], &card, err);
        if (code == NIP_OK && has_words(cli, &card)) {
            ++*found;
            if (list != NULL)
                nip_json_append(list, card_json(&card));
            else
                print_card(cli, &card);
        }
        if (code == NIP_OK)
            catalog_card_free(&card);
    }
    progress_end(&progress);
    nip_folder_names_free(&names);
    return code;
}

enum nip_code command_search(struct cli *cli, struct nip_error *err)
{
    struct nip_json *list = cli->is_json ? nip_json_make_array() : NULL;
    struct catalog *catalog = malloc(sizeof *catalog);
    size_t found = 0;
    if (catalog == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    enum nip_code code = catalog_open(cli, cli_option(cli, "registry"), catalog, err);
    for (size_t i = 0; code == NIP_OK && i < catalog->count; i++)
        code = search_registry(cli, catalog, &catalog->items[i], list, &found, err);
    if (code == NIP_OK && list != NULL) {
        code = report_json("nip-search-1", "packages", list, err);
        list = NULL;
    } else if (code == NIP_OK && found == 0) {
        cli_print(cli, "nothing fits in the %zu registr%s that %s known here", catalog->count,
                  catalog->count == 1 ? "y" : "ies", catalog->count == 1 ? "is" : "are");
        cli_next(cli, "nip search WORDS --registry file:FOLDER   (another registry)");
    } else if (code == NIP_OK) {
        cli_say(cli, "versions and yanks are the registries' word; the rest is signed by the key "
                     "that is named");
        cli_next(cli, "nip info NAME");
    }
    nip_json_free(list);
    catalog_close(catalog);
    free(catalog);
    return code;
}
