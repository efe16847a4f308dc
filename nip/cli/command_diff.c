// SPDX-License-Identifier: Apache-2.0
//
// nip diff A B: two packages, locks, trust files or images, told apart by their content. Packages
// and images are verified first; a lock or trust file is text that its owner reviews, and is only
// read.

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "nip/diff.h"
#include "nip/fs.h"
#include "nip/pack.h"
#include "report.h"
#include "vouched.h"

enum diff_kind { DIFF_PACKAGE, DIFF_IMAGE, DIFF_LOCK, DIFF_TRUST };

struct side {
    const char *file;
    enum diff_kind kind;
    struct nip_buffer content;
    struct vouched *vouched;
    struct checked_package package;
    struct nip_image_report *report;
    struct nip_lock *lock;
    struct nip_trust *trust;
};

static const char *const kind_names[] = {"package", "image", "lock", "trust"};

static void free_side(struct side *side)
{
    checked_package_free(&side->package);
    nip_image_report_free(side->report);
    nip_buffer_free(&side->content);
    vouched_free(side->vouched);
    free(side->lock);
    free(side->trust);
}

static bool has_node(const struct nip_kdl_document *document, const char *name)
{
    return nip_kdl_find(nip_kdl_document_nodes(document), name) != NULL;
}

// A lock opens with the node of that name; anything else that is KDL is read as a trust file. An
// empty text is an empty trust file.
static enum nip_code tell_text(struct side *side, struct nip_error *err)
{
    struct nip_kdl_document *document = NULL;
    enum nip_code code = nip_kdl_parse(nip_buffer_text(&side->content), side->content.size,
                                       side->file, NULL, &document, err);
    if (code != NIP_OK) {
        nip_error_hint(err, "nip diff takes packages (.npl), images (.elf), %s and %s",
                       NIP_LOCK_FILE, NIP_TRUST_FILE);
        return code;
    }
    side->kind = has_node(document, "lock") ? DIFF_LOCK : DIFF_TRUST;
    nip_kdl_document_free(document);
    return NIP_OK;
}

static enum nip_code read_side(struct side *side, struct nip_error *err)
{
    static const uint8_t frame_magic[4] = {0x28, 0xb5, 0x2f, 0xfd};
    static const uint8_t elf_magic[4] = {0x7f, 'E', 'L', 'F'};
    enum nip_code code = nip_fs_read(side->file, 256u << 20, &side->content, err);
    if (code != NIP_OK)
        return code;
    bool has_magic = side->content.size >= 4;
    if (has_magic && memcmp(side->content.data, frame_magic, 4) == 0)
        side->kind = DIFF_PACKAGE;
    else if (has_magic && memcmp(side->content.data, elf_magic, 4) == 0)
        side->kind = DIFF_IMAGE;
    else
        code = tell_text(side, err);
    return code;
}

static enum nip_code open_side(const struct cli *cli, struct side *side, struct nip_error *err)
{
    const char *key = cli_option(cli, "key"), *whose = NULL;
    const char *text = nip_buffer_text(&side->content);
    size_t size = side->content.size;
    switch (side->kind) {
    case DIFF_PACKAGE:
        side->vouched = vouched_new();
        if (side->vouched == NULL)
            break;
        return vouched_open_package(side->vouched, side->file, key, &side->content, &side->package,
                                    &whose, err);
    case DIFF_IMAGE:
        return vouched_open_image(side->file, key, &side->content, &side->report, err);
    case DIFF_LOCK:
        side->lock = calloc(1, sizeof *side->lock);
        if (side->lock == NULL)
            break;
        return nip_lock_parse(text, size, side->file, side->lock, err);
    case DIFF_TRUST:
        side->trust = calloc(1, sizeof *side->trust);
        if (side->trust == NULL)
            break;
        return nip_trust_parse(text, size, side->file, side->trust, err);
    }
    return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
}

static enum nip_code diff_packages(const struct side *a, const struct side *b,
                                   struct nip_changes *changes, struct nip_error *err)
{
    const uint8_t *from = NULL, *to = NULL;
    size_t from_size = 0, to_size = 0;
    const char *name = b->package.manifest.identity.name;
    nip_diff_manifests(&a->package.manifest, &b->package.manifest, changes);
    nip_diff_keys(name, nip_package_key(a->package.package), nip_package_key(b->package.package),
                  changes);
    nip_diff_digests(nip_package_digests(a->package.package),
                     nip_package_digests(b->package.package), changes);
    if (!nip_package_file(a->package.package, NIP_PACK_SBOM_PATH, &from, &from_size) ||
        !nip_package_file(b->package.package, NIP_PACK_SBOM_PATH, &to, &to_size))
        return NIP_OK;
    return nip_diff_sources(name, from, from_size, to, to_size, changes, err);
}

static enum nip_code compare(const struct side *a, const struct side *b,
                             struct nip_changes *changes, struct nip_error *err)
{
    switch (a->kind) {
    case DIFF_PACKAGE:
        return diff_packages(a, b, changes, err);
    case DIFF_IMAGE:
        nip_diff_images(a->report, b->report, changes);
        break;
    case DIFF_LOCK:
        nip_diff_locks(a->lock, b->lock, changes);
        break;
    case DIFF_TRUST:
        nip_diff_trust(a->trust, b->trust, changes);
        break;
    }
    return NIP_OK;
}

static struct nip_json *changes_json(const struct side *a, const struct nip_changes *changes)
{
    struct nip_json *root = nip_json_make_object(), *list = nip_json_make_array();
    nip_json_put_text(root, "of", kind_names[a->kind]);
    nip_json_put_u64(root, "grown", changes->grown);
    for (size_t i = 0; i < changes->count; i++) {
        const struct nip_change *change = &changes->items[i];
        struct nip_json *item = nip_json_make_object();
        nip_json_put_text(item, "kind", nip_change_kind_name(change->kind));
        nip_json_put_text(item, "area", nip_change_area_name(change->area));
        nip_json_put(item, "subject", report_text(change->subject));
        nip_json_put(item, "words", report_text(change->words));
        nip_json_append(list, item);
    }
    nip_json_put(root, "changes", list);
    return root;
}

static void print_changes(const struct cli *cli, const struct nip_changes *changes)
{
    const char *subject = NULL;
    for (size_t i = 0; i < changes->count; i++) {
        const struct nip_change *change = &changes->items[i];
        if (subject == NULL || strcmp(subject, change->subject) != 0)
            cli_print(cli, "%s:", change->subject[0] != '\0' ? change->subject : "as a whole");
        subject = change->subject;
        if (change->kind == NIP_CHANGE_OTHER)
            cli_print(cli, "  ~ %s: %s", nip_change_area_name(change->area), change->words);
        else
            cli_print_verdict_whole(cli, change->kind == NIP_CHANGE_SHRANK, "  %c %s: %s",
                                    change->kind == NIP_CHANGE_GREW ? '+' : '-',
                                    nip_change_area_name(change->area), change->words);
    }
    if (changes->count == 0)
        cli_print(cli, "no difference");
    else
        cli_print(cli, "%zu difference(s), of which %zu let somebody do more (+)", changes->count,
                  changes->grown);
}

enum nip_code command_diff(struct cli *cli, struct nip_error *err)
{
    struct side a = {.file = cli_operand(cli, 0)}, b = {.file = cli_operand(cli, 1)};
    struct nip_changes changes = {0};
    enum nip_code code = read_side(&a, err);
    if (code == NIP_OK)
        code = read_side(&b, err);
    if (code == NIP_OK && a.kind != b.kind) {
        code = nip_error_set(err, NIP_ERROR_USAGE, "%s and %s are of different kinds (%s, %s)",
                             a.file, b.file, kind_names[a.kind], kind_names[b.kind]);
        nip_error_hint(err, "compare a package with a package, a lock with a lock");
    }
    if (code == NIP_OK)
        code = open_side(cli, &a, err);
    if (code == NIP_OK)
        code = open_side(cli, &b, err);
    if (code == NIP_OK)
        code = compare(&a, &b, &changes, err);
    if (code == NIP_OK)
        code = nip_changes_check(&changes, err);
    if (code == NIP_OK && cli->is_json)
        code = report_json("nip-diff-1", "diff", changes_json(&a, &changes), err);
    else if (code == NIP_OK)
        print_changes(cli, &changes);
    if (code == NIP_OK)
        cli_next(cli, "nip inspect FILE   (for all that is in a package or an image)");
    nip_changes_free(&changes);
    free_side(&a);
    free_side(&b);
    return code;
}
