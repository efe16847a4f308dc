// SPDX-License-Identifier: Apache-2.0
//
// nip cache list, size, verify and clean: looking after the user's cache of packages (store.h).
// Nothing here is needed for anything to work: what is not there is fetched again.

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "nip/json.h"
#include "nip/package.h"
#include "progress.h"
#include "project.h"
#include "report.h"
#include "store.h"

enum { DAYS_MAX = 36500, DAY_S = 86400 };

struct cache {
    struct store_list list;
    char folder[CLI_PATH_SIZE];
};

static enum nip_code open_cache(struct cache *cache, struct nip_error *err)
{
    memset(cache, 0, sizeof *cache);
    enum nip_code code = store_read_list(&cache->list, err);
    if (code == NIP_OK && !store_folder(cache->folder))
        code = nip_error_set(err, NIP_ERROR_LIMIT, "the path of the cache is too long");
    return code;
}

static uint64_t entry_size(const struct store_entry *entry)
{
    return entry->size + entry->signatures_size;
}

static uint64_t total_size(const struct store_list *list)
{
    uint64_t total = 0;
    for (size_t i = 0; i < list->count; i++)
        total += entry_size(&list->items[i]);
    return total;
}

static void day_text(int64_t seconds, char out[16])
{
    time_t when = (time_t)seconds;
    struct tm day;
    if (gmtime_r(&when, &day) == NULL || strftime(out, 16, "%Y-%m-%d", &day) == 0)
        memcpy(out, "?", 2);
}

// What the file says that it is; nothing of it is verified.
static bool peek(const struct store_entry *entry, struct nip_package_claim *claim)
{
    char path[CLI_PATH_SIZE];
    struct nip_error cause = {0};
    int file = entry->size != 0 && store_path(entry, path)
                   ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
                   : -1;
    if (file < 0)
        return false;
    struct nip_package_source source = {.descriptor = file};
    bool is_known = nip_package_peek(&source, claim, &cause) == NIP_OK;
    close(file);
    return is_known;
}

static struct nip_json *entry_json(const struct store_entry *entry,
                                   const struct nip_package_claim *claim)
{
    char digest[NIP_DIGEST_TEXT_SIZE], day[16];
    struct nip_json *item = nip_json_make_object();
    nip_digest_text(entry->sha256, digest);
    day_text(entry->used, day);
    nip_json_put_text(item, "sha256", digest);
    if (claim != NULL) {
        nip_json_put(item, "name", report_text(claim->name));
        nip_json_put(item, "version", report_text(claim->version));
    }
    nip_json_put_u64(item, "size", entry_size(entry));
    nip_json_put_text(item, "used", day);
    return item;
}

static enum nip_code print_json(const struct cache *cache, struct nip_json *entries,
                                struct nip_error *err)
{
    struct nip_json *json = nip_json_make_object();
    nip_json_put(json, "folder", report_text(cache->folder));
    nip_json_put_u64(json, "count", cache->list.count);
    nip_json_put_u64(json, "size", total_size(&cache->list));
    nip_json_put_u64(json, "foreign", cache->list.foreign);
    if (entries != NULL)
        nip_json_put(json, "entries", entries);
    return report_json("nip-cache-1", "cache", json, err);
}

static void print_sum(const struct cli *cli, const struct cache *cache)
{
    char size[32];
    cli_print(cli, "%zu package%s, %s, in %s", cache->list.count, cache->list.count == 1 ? "" : "s",
              cli_size_text(total_size(&cache->list), size), cache->folder);
    if (cache->list.foreign != 0)
        cli_print(cli, "%zu name%s there %s not nip's and %s left alone", cache->list.foreign,
                  cache->list.foreign == 1 ? "" : "s", cache->list.foreign == 1 ? "is" : "are",
                  cache->list.foreign == 1 ? "is" : "are");
}

enum nip_code command_cache_list(struct cli *cli, struct nip_error *err)
{
    struct cache cache;
    struct nip_json *entries = cli->is_json ? nip_json_make_array() : NULL;
    enum nip_code code = open_cache(&cache, err);
    for (size_t i = 0; code == NIP_OK && i < cache.list.count; i++) {
        const struct store_entry *entry = &cache.list.items[i];
        struct nip_package_claim claim;
        bool is_known = peek(entry, &claim);
        char digest[NIP_DIGEST_TEXT_SIZE], day[16], size[32];
        nip_digest_text(entry->sha256, digest);
        day_text(entry->used, day);
        if (entries != NULL)
            nip_json_append(entries, entry_json(entry, is_known ? &claim : NULL));
        else
            cli_print(cli, "%.12s  %10s  %s  %s%s%s", digest,
                      cli_size_text(entry_size(entry), size), day,
                      is_known ? claim.name : "no package", is_known ? " " : "",
                      is_known ? claim.version : "");
    }
    if (code == NIP_OK && entries != NULL) {
        code = print_json(&cache, entries, err);
        entries = NULL;
    } else if (code == NIP_OK) {
        print_sum(cli, &cache);
        cli_next(cli, "nip cache verify   (names are what the files say; nothing was checked)");
    }
    nip_json_free(entries);
    store_list_free(&cache.list);
    return code;
}

enum nip_code command_cache_size(struct cli *cli, struct nip_error *err)
{
    struct cache cache;
    enum nip_code code = open_cache(&cache, err);
    if (code == NIP_OK && cli->is_json)
        code = print_json(&cache, NULL, err);
    else if (code == NIP_OK)
        print_sum(cli, &cache);
    store_list_free(&cache.list);
    return code;
}

enum nip_code command_cache_verify(struct cli *cli, struct nip_error *err)
{
    struct cache cache;
    struct nip_json *entries = cli->is_json ? nip_json_make_array() : NULL;
    size_t damaged = 0;
    struct progress progress;
    enum nip_code code = open_cache(&cache, err);
    progress_begin(&progress, cli, "verifying", cache.list.count);
    for (size_t i = 0; code == NIP_OK && i < cache.list.count; i++) {
        const struct store_entry *entry = &cache.list.items[i];
        enum store_state found;
        char path[CLI_PATH_SIZE];
        progress_step(&progress, "");
        code = store_verify(entry, &found, err);
        if (code != NIP_OK || found == STORE_GONE)
            continue;
        damaged += found == STORE_DAMAGED;
        if (entries != NULL) {
            struct nip_json *item = entry_json(entry, NULL);
            nip_json_put_bool(item, "damaged", found == STORE_DAMAGED);
            nip_json_append(entries, item);
        } else if (found == STORE_DAMAGED && store_path(entry, path)) {
            cli_print_verdict(cli, false, "damaged  ", "%s", path);
        }
    }
    progress_end(&progress);
    if (code == NIP_OK && entries != NULL) {
        code = print_json(&cache, entries, err);
        entries = NULL;
    } else if (code == NIP_OK && damaged == 0) {
        print_sum(cli, &cache);
        cli_print(cli, "every one has the digest that is its name");
    }
    nip_json_free(entries);
    if (code == NIP_OK && damaged != 0) {
        code = nip_error_set(err, NIP_ERROR_DIGEST, "%zu of %zu packages in the cache are damaged",
                             damaged, cache.list.count);
        nip_error_hint(err, "remove them: nip cache clean --damaged   (they are fetched again when "
                            "they are needed, and look at the disk)");
    }
    store_list_free(&cache.list);
    return code;
}

// ---- clean ----

struct limits {
    bool all, damaged, has_days, has_size;
    uint64_t days, size;
    struct nip_lock *lock; // what it names stays; may be NULL
};

// "1500000", "64KiB", "500MiB", "2GiB".
static bool parse_size(const char *text, uint64_t *size)
{
    static const struct {
        const char *unit;
        unsigned shift;
    } units[] = {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 9)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(text + digits, units[i].unit) == 0) {
            *size = strtoull(text, NULL, 10) << units[i].shift;
            return true;
        }
    return false;
}

static enum nip_code read_limits(const struct cli *cli, struct limits *limits,
                                 struct nip_error *err)
{
    const char *days = cli_option(cli, "older"), *size = cli_option(cli, "max-size");
    limits->all = cli_flag(cli, "all");
    limits->damaged = cli_flag(cli, "damaged");
    limits->has_days = days != NULL;
    limits->has_size = size != NULL;
    if (!limits->all && !limits->damaged && days == NULL && size == NULL) {
        nip_error_set(err, NIP_ERROR_USAGE, "what may go from the cache?");
        nip_error_hint(err, "say it: --older DAYS, --max-size SIZE, --damaged or --all");
        return NIP_ERROR_USAGE;
    }
    if (size != NULL && !parse_size(size, &limits->size)) {
        nip_error_set(err, NIP_ERROR_USAGE, "--max-size does not take '%s'", size);
        nip_error_hint(err, "a number of bytes, or like 500MiB or 2GiB");
        return NIP_ERROR_USAGE;
    }
    if (days != NULL) {
        size_t digits = strspn(days, "0123456789");
        limits->days = digits > 0 && digits < 6 ? strtoull(days, NULL, 10) : DAYS_MAX + 1;
        if (days[digits] != '\0' || limits->days > DAYS_MAX) {
            nip_error_set(err, NIP_ERROR_USAGE, "--older does not take '%s'", days);
            nip_error_hint(err, "a number of days from 0 to %d", DAYS_MAX);
            return NIP_ERROR_USAGE;
        }
    }
    if (!cli_flag(cli, "keep-locked"))
        return NIP_OK;
    bool found = false;
    enum nip_code code = project_read_lock(".", &limits->lock, &found, err);
    if (code == NIP_OK && !found) {
        code =
            nip_error_set(err, NIP_ERROR_MISSING, "there is no %s in this folder", NIP_LOCK_FILE);
        nip_error_hint(err, "--keep-locked keeps what it names: go to the folder of a project");
    }
    return code;
}

static bool is_locked(const struct limits *limits, const struct store_entry *entry)
{
    for (size_t i = 0; limits->lock != NULL && i < limits->lock->package_count; i++)
        if (memcmp(limits->lock->packages[i].sha256, entry->sha256, NIP_DIGEST_SIZE) == 0)
            return true;
    return false;
}

static int compare_age(const void *a, const void *b)
{
    const struct store_entry *first = a, *second = b;
    if (first->used != second->used)
        return first->used < second->used ? -1 : 1;
    return memcmp(first->sha256, second->sha256, NIP_DIGEST_SIZE);
}

// Whether an entry goes; `total` is the size of what is still there, the oldest asked first.
static enum nip_code judge(const struct limits *limits, const struct store_entry *entry,
                           uint64_t total, bool *goes, struct nip_error *err)
{
    int64_t now = (int64_t)time(NULL);
    *goes = false;
    if (is_locked(limits, entry))
        return NIP_OK;
    *goes = limits->all || (limits->has_size && total > limits->size) ||
            (limits->has_days && now - entry->used >= (int64_t)limits->days * DAY_S);
    if (*goes || !limits->damaged)
        return NIP_OK;
    enum store_state found;
    enum nip_code code = store_verify(entry, &found, err);
    *goes = code == NIP_OK && found == STORE_DAMAGED;
    return code;
}

enum nip_code command_cache_clean(struct cli *cli, struct nip_error *err)
{
    struct cache cache = {0};
    struct limits limits = {0};
    bool is_dry = cli_flag(cli, "dry-run");
    size_t removed = 0;
    uint64_t freed = 0, total = 0;
    enum nip_code code = read_limits(cli, &limits, err);
    if (code == NIP_OK)
        code = open_cache(&cache, err);
    if (code == NIP_OK && cache.list.count != 0)
        qsort(cache.list.items, cache.list.count, sizeof *cache.list.items, compare_age);
    total = total_size(&cache.list);
    for (size_t i = 0; code == NIP_OK && i < cache.list.count; i++) {
        const struct store_entry *entry = &cache.list.items[i];
        bool goes = false;
        code = judge(&limits, entry, total, &goes, err);
        if (code == NIP_OK && goes && !is_dry)
            code = store_remove(entry, err);
        if (code != NIP_OK || !goes)
            continue;
        removed++;
        freed += entry_size(entry);
        total -= entry_size(entry);
    }
    if (code == NIP_OK && cli->is_json) {
        struct nip_json *json = nip_json_make_object();
        nip_json_put_bool(json, "dry_run", is_dry);
        nip_json_put_u64(json, "removed", removed);
        nip_json_put_u64(json, "freed", freed);
        nip_json_put_u64(json, "left", cache.list.count - removed);
        nip_json_put_u64(json, "size", total);
        code = report_json("nip-clean-1", "clean", json, err);
    } else if (code == NIP_OK) {
        char freed_text[32], left_text[32];
        cli_print(cli, "%s %zu package%s, %s; %zu left, %s", is_dry ? "would remove" : "removed",
                  removed, removed == 1 ? "" : "s", cli_size_text(freed, freed_text),
                  cache.list.count - removed, cli_size_text(total, left_text));
    }
    free(limits.lock);
    store_list_free(&cache.list);
    return code;
}
