// SPDX-License-Identifier: Apache-2.0
//
// nip add: a package into image.kdl, with what it may do there.
//
// image.kdl is edited as text: one node is appended, or exactly the bytes of one node are replaced,
// so whatever else the owner wrote stays as it is. An update shows only what it asks for beyond
// what the file grants already. Files change only after everything has been checked and accepted:
// nip.trust.kdl, nip.lock and image.kdl all at once (commit.h).

#include <stdlib.h>
#include <string.h>

#include <rumpk/cap.h>

#include "commands.h"
#include "commit.h"
#include "depend.h"
#include "home.h"
#include "imaging.h"
#include "members.h"
#include "nip/fs.h"
#include "nip/kdl_edit.h"
#include "nip/manifest_growth.h"
#include "project.h"

struct addition {
    struct cli *cli;
    struct decisions decisions;
    struct nip_imagedef *imagedef;
    struct nip_lock *lock;
    struct checked_package package;
    char alias[NIP_TRUST_ALIAS_SIZE]; // "" for local work
    const char *path;                 // or NULL
    struct nip_imagedef_package *old; // what image.kdl says now, or NULL
    const char *wanted;               // NAME or NAME@VERSION
    struct nip_manifest *before;      // of the version that is locked, or NULL if it is not at hand
};

static enum nip_code get_package(struct addition *add, struct nip_error *err)
{
    struct cli *cli = add->cli;
    if (add->path != NULL) {
        if (add->wanted != NULL || cli_option(cli, "registry") != NULL) {
            nip_error_set(err, NIP_ERROR_USAGE,
                          "--path takes the package from a folder: no name "
                          "and no --registry with it");
            nip_error_hint(err, "nip add --path %s", add->path);
            return NIP_ERROR_USAGE;
        }
        if (project_kind(add->path) != PROJECT_PACKAGE) {
            nip_error_set(err, NIP_ERROR_MISSING, "there is no driver project in %s", add->path);
            nip_error_hint(err, "--path takes a folder with an %s", NIP_MANIFEST_FILE);
            return NIP_ERROR_MISSING;
        }
        return imaging_local_package(cli, &add->decisions.sdk, add->path, &add->package, err);
    }
    char name[NIP_NAME_MAX + 1], version[NIP_VERSION_MAX + 1];
    struct registry *registry = NULL;
    if (add->wanted == NULL) {
        nip_error_set(err, NIP_ERROR_USAGE, "add what?");
        nip_error_hint(err, "nip add local/hello --registry file:../reg, or: nip add --path "
                            "../hello");
        return NIP_ERROR_USAGE;
    }
    enum nip_code code = resolve_split(add->wanted, name, version, err);
    const char *where = cli_option(cli, "registry");
    // An update comes from where the package came from.
    for (uint32_t i = 0; where == NULL && code == NIP_OK && i < add->imagedef->package_count; i++)
        if (strcmp(add->imagedef->packages[i].name, name) == 0 &&
            add->imagedef->packages[i].registry[0] != '\0')
            where = add->imagedef->packages[i].registry;
    if (code == NIP_OK)
        code =
            resolve_registry(&add->decisions, where, name, false, &registry, NULL, add->alias, err);
    struct resolve_request request = {
        .name = name,
        .version = version[0] != '\0' ? version : NULL,
        .alias = add->alias,
        .registry = registry,
        .fingerprint = cli_option(cli, "trust"),
        .may_decide = true,
    };
    if (code == NIP_OK)
        code = resolve_package(cli, &add->decisions, &request, &add->package, err);
    registry_close(registry);
    return code;
}

static bool is_granted(const struct nip_imagedef_package *old, const char *name)
{
    for (uint32_t i = 0; old != NULL && i < old->grant_count; i++)
        if (strcmp(old->grants[i].name, name) == 0)
            return true;
    return false;
}

// Shows what is asked for beyond what is granted; *count says how many that are.
static void show_requests(const struct addition *add, size_t *count)
{
    const struct nip_manifest *manifest = &add->package.manifest;
    *count = 0;
    for (uint32_t i = 0; i < manifest->request_count; i++) {
        const struct rumpk_bkdl_request *request = &manifest->requests[i];
        if (is_granted(add->old, request->name))
            continue;
        struct nip_buffer words = {0};
        nip_manifest_request_words(request, &words);
        cli_say(add->cli, "  asks to %s", nip_buffer_text(&words));
        if (request->type == RUMPK_CAP_DMA)
            cli_say(
                add->cli,
                "    (through queues whose every address the kernel checks, so to no other memory)");
        nip_buffer_free(&words);
        ++*count;
    }
}

static void show_line(void *context, const char *line)
{
    cli_say(context, "  %s", line);
}

// What the version that is granted now asked for, out of the cache or the registry. Without it the
// names of the grants are all there is to compare with.
static void find_before(struct addition *add)
{
    struct nip_error cause = {0};
    const struct nip_lock_package *locked =
        add->old != NULL ? nip_lock_find(add->lock, add->old->name, add->old->version) : NULL;
    if (locked == NULL || locked->registry[0] == '\0')
        return;
    struct checked_package *package = calloc(1, sizeof *package);
    struct resolve_request request = {.name = locked->name,
                                      .version = locked->version,
                                      .alias = locked->registry,
                                      .locked = locked};
    if (package != NULL &&
        resolve_package(add->cli, &add->decisions, &request, package, &cause) == NIP_OK) {
        add->before = malloc(sizeof *add->before);
        if (add->before != NULL)
            *add->before = package->manifest;
        checked_package_free(package);
    }
    free(package);
}

// Everything that goes beyond what is granted: against the locked version, or by name.
static void show_growth(struct addition *add, size_t *count)
{
    find_before(add);
    if (add->before == NULL)
        show_requests(add, count);
    else
        *count = nip_manifest_growth(add->before, &add->package.manifest, show_line, add->cli);
}

static enum nip_code ask_consent(struct addition *add, struct nip_error *err)
{
    const struct rumpk_bkdl_identity *identity = &add->package.manifest.identity;
    size_t count = 0;
    cli_say(add->cli, "%s %s", identity->name, identity->version);
    show_growth(add, &count);
    if (count == 0) {
        cli_say(add->cli, add->old != NULL ? "  asks for nothing that is not granted already"
                                           : "  asks for no device and no memory beyond its own");
        return NIP_OK;
    }
    if (cli_flag(add->cli, "yes"))
        return NIP_OK;
    bool yes = false;
    enum nip_code code = cli_ask_yes(
        add->cli, add->old != NULL ? "Grant this in addition?" : "Grant this?", &yes, err);
    if (code == NIP_ERROR_CONSENT) {
        nip_error_set(err, code, "%s asks for capabilities, and there is no terminal to ask on",
                      identity->name);
        nip_error_hint(err, "read the lines above; to grant them: --yes");
    } else if (code == NIP_OK && !yes) {
        code = nip_error_set(err, NIP_ERROR_CONSENT, "not granted; nothing was changed");
    }
    return code;
}

// What the new node says: grants as proposed for what is new, the owner's own words for the rest.
static bool keep_choices(const struct nip_imagedef_package *old, struct nip_imagedef_package *node)
{
    if (old == NULL)
        return true;
    struct nip_imagedef_package *kept = malloc(sizeof *kept);
    if (kept == NULL)
        return false;
    *kept = *old;
    memcpy(kept->version, node->version, sizeof kept->version);
    memcpy(kept->registry, node->registry, sizeof kept->registry);
    memcpy(kept->path, node->path, sizeof kept->path);
    kept->allows_dma = node->allows_dma || old->allows_dma;
    for (uint32_t i = 0; i < node->grant_count; i++)
        for (uint32_t o = 0; o < old->grant_count; o++)
            if (strcmp(node->grants[i].name, old->grants[o].name) == 0)
                node->grants[i] = old->grants[o];
    kept->grant_count = node->grant_count;
    memcpy(kept->grants, node->grants, sizeof kept->grants);
    *node = *kept;
    free(kept);
    return true;
}

// A console driver is for some machines only, also when it is added by hand.
static enum nip_code limit_to_machines(const struct addition *add,
                                       struct nip_imagedef_package *node, struct nip_error *err)
{
    if (add->old != NULL || strncmp(node->name, "rumpk/", 6) != 0)
        return NIP_OK;
    uint32_t mask = 0;
    enum nip_code code = NIP_OK;
    bool provides_console = false;
    for (uint32_t i = 0; i < add->package.manifest.provides_count; i++)
        provides_console =
            provides_console || strcmp(add->package.manifest.provides[i].name, "console") == 0;
    for (size_t a = 0; provides_console && code == NIP_OK && a < RUMPK_ARCH_COUNT; a++) {
        struct nip_machine machine = {0};
        code = sdk_machine(&add->decisions.sdk, arch_all[a], NULL, &machine, err);
        if (code == NIP_OK && strcmp(machine.console_driver, node->name + 6) == 0)
            mask |= RUMPK_ARCH_BIT(arch_all[a]);
        nip_machine_free(&machine);
    }
    if (mask != (uint32_t)ARCH_MASK_ALL)
        node->arch_mask = mask;
    return code;
}

static enum nip_code edit_text(const struct addition *add, struct nip_buffer *text,
                               struct nip_error *err)
{
    struct nip_imagedef *one = nip_imagedef_new();
    if (one == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the image");
    size_t size = 0;
    const char *source = nip_kdl_document_text(add->imagedef->document, &size);
    enum nip_code code = nip_imagedef_add(one, &add->package.manifest, add->alias,
                                          add->path != NULL ? add->path : "", err);
    if (code == NIP_OK) {
        code = keep_choices(add->old, &one->packages[0])
                   ? limit_to_machines(add, &one->packages[0], err)
                   : nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the image");
    }
    struct nip_buffer node = {0};
    if (code == NIP_OK)
        nip_imagedef_print_package(&one->packages[0], &node);
    if (code == NIP_OK && add->old != NULL) {
        size_t end = (size_t)add->old->span.offset + add->old->span.size;
        // The node's own line end stays where it is.
        if (node.size != 0 && node.data[node.size - 1] == '\n')
            node.size--;
        nip_buffer_append(text, source, add->old->span.offset);
        nip_buffer_append(text, nip_buffer_text(&node), node.size);
        nip_buffer_append(text, source + end, size - end);
    } else if (code == NIP_OK) {
        nip_buffer_append(text, source, size);
        if (size != 0 && source[size - 1] != '\n')
            nip_buffer_append_byte(text, '\n');
        nip_buffer_append_byte(text, '\n');
        nip_buffer_append(text, nip_buffer_text(&node), node.size);
    }
    nip_buffer_free(&node);
    nip_imagedef_free(one);
    if (code == NIP_OK)
        code = nip_buffer_check(text, NIP_IMAGEDEF_FILE, err);
    // What is written can be read again, or is not written.
    struct nip_imagedef *again = NULL;
    if (code == NIP_OK)
        code =
            nip_imagedef_parse(nip_buffer_text(text), text->size, NIP_IMAGEDEF_FILE, &again, err);
    nip_imagedef_free(again);
    return code;
}

// Takes a package out of the lock (`version` NULL: every version), but for what another image of
// the same workspace holds.
static enum nip_code drop_from_lock(struct nip_lock *lock, const char *name, const char *version,
                                    struct nip_error *err)
{
    struct members *members = NULL;
    struct nip_lock *kept = calloc(1, sizeof *kept);
    char *own = realpath(".", NULL);
    enum nip_code code = kept != NULL && own != NULL
                             ? members_find(".", &members, err)
                             : nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    if (code == NIP_OK)
        code = members_locked_by_images(members, own, lock, kept, err);
    for (size_t i = lock->package_count; code == NIP_OK && i-- > 0;) {
        const struct nip_lock_package *entry = &lock->packages[i];
        if (strcmp(entry->name, name) == 0 &&
            (version == NULL || strcmp(entry->version, version) == 0) &&
            nip_lock_find(kept, entry->name, entry->version) == NULL)
            nip_lock_remove(lock, entry->name, entry->version);
    }
    members_free(members);
    free(own);
    free(kept);
    return code;
}

static enum nip_code update_lock(struct addition *add, struct nip_error *err)
{
    const struct rumpk_bkdl_identity *identity = &add->package.manifest.identity;
    struct nip_lock_package entry = {0};
    if (add->path != NULL) {
        snprintf(entry.name, sizeof entry.name, "%.65s", identity->name);
        snprintf(entry.version, sizeof entry.version, "%.64s", identity->version);
        enum nip_code code = home_lock_path(".", add->path, entry.path, sizeof entry.path, err);
        if (code != NIP_OK)
            return code;
    } else {
        imaging_lock_entry(&add->package, add->alias, &entry);
        const struct nip_lock_package *locked =
            nip_lock_find(add->lock, identity->name, identity->version);
        bool is_sdk = strcmp(add->alias, NIP_TRUST_SDK_ALIAS) == 0;
        if (locked != NULL && locked->path[0] == '\0' && !is_sdk &&
            memcmp(locked->id, entry.id, sizeof entry.id) != 0) {
            nip_error_set(err, NIP_ERROR_MISMATCH,
                          "%s %s from '%s' is not the package of that name and version that %s "
                          "names",
                          identity->name, identity->version, add->alias, NIP_LOCK_FILE);
            nip_error_hint(err, "one version must always be the same bytes: treat this as an "
                                "attack, and ask the publisher");
            return NIP_ERROR_MISMATCH;
        }
        const struct nip_lock_package *any = nip_lock_find(add->lock, identity->name, NULL);
        if (any != NULL && any->security_floor > identity->security_version) {
            nip_error_set(err, NIP_ERROR_UNTRUSTED,
                          "%s %s has security-version %u; this project has accepted %u already",
                          identity->name, identity->version, (unsigned)identity->security_version,
                          (unsigned)any->security_floor);
            nip_error_hint(err, "an older version with a known hole is not taken back; add a newer "
                                "one");
            return NIP_ERROR_UNTRUSTED;
        }
    }
    if (add->lock->sdk[0] == '\0')
        snprintf(add->lock->sdk, sizeof add->lock->sdk, "%s", add->decisions.sdk.id);
    // Another version of the same package makes way.
    enum nip_code code = NIP_OK;
    if (add->old != NULL)
        code = drop_from_lock(add->lock, add->old->name, add->old->version, err);
    return code == NIP_OK ? nip_lock_put(add->lock, &entry, err) : code;
}

// Three files that belong together.
static enum nip_code save_all(struct addition *add, const struct nip_buffer *imagedef,
                              struct nip_error *err)
{
    struct commit_change changes[3] = {{.file = NIP_LOCK_FILE}, {.file = NIP_IMAGEDEF_FILE}};
    size_t count = 2;
    nip_lock_print(add->lock, &changes[0].content);
    nip_buffer_append(&changes[1].content, imagedef->data, imagedef->size);
    if (add->decisions.is_trust_changed) {
        changes[count].file = NIP_TRUST_FILE;
        nip_buffer_append(&changes[count++].content, add->decisions.trust_text.data,
                          add->decisions.trust_text.size);
    }
    enum nip_code code = commit_files(changes, count, err);
    for (size_t i = 0; i < count; i++)
        nip_buffer_free(&changes[i].content);
    return code;
}

static enum nip_code run_add(struct addition *add, struct nip_error *err)
{
    enum nip_code code = project_read_image(".", &add->imagedef, err);
    if (code == NIP_OK)
        code = project_read_lock(".", &add->lock, NULL, err);
    if (code == NIP_OK)
        code = decisions_load(&add->decisions, err);
    if (code == NIP_OK)
        code = get_package(add, err);
    if (code != NIP_OK)
        return code;
    const struct rumpk_bkdl_identity *identity = &add->package.manifest.identity;
    if (identity->kind != RUMPK_KIND_DRIVER) {
        nip_error_set(err, NIP_ERROR_SCHEMA, "%s is a %s; an image holds drivers", identity->name,
                      nip_kind_name(identity->kind));
        nip_error_hint(err, "the kernel comes with the SDK by itself");
        return NIP_ERROR_SCHEMA;
    }
    for (uint32_t i = 0; i < add->imagedef->package_count; i++)
        if (strcmp(add->imagedef->packages[i].name, identity->name) == 0)
            add->old = &add->imagedef->packages[i];
    struct nip_buffer text = {0};
    code = ask_consent(add, err);
    if (code == NIP_OK)
        code = edit_text(add, &text, err);
    if (code == NIP_OK)
        code = update_lock(add, err);
    if (code == NIP_OK)
        code = project_check_lock(".", add->lock, err);
    if (code == NIP_OK)
        code = save_all(add, &text, err);
    if (code == NIP_OK) {
        cli_say(add->cli, "%s %s %s in %s", add->old != NULL ? "updated" : "added", identity->name,
                identity->version, NIP_IMAGEDEF_FILE);
    }
    nip_buffer_free(&text);
    return code;
}

static enum nip_code refuse_root(const char *command, struct nip_error *err)
{
    nip_error_set(err, NIP_ERROR_USAGE, "this is the folder of a workspace: in which member?");
    nip_error_hint(err, "go to its folder, or name it: nip -C MEMBER %s NAME", command);
    return NIP_ERROR_USAGE;
}

// One package into image.kdl. The caller holds the project's lock.
static enum nip_code add_one(struct cli *cli, const char *wanted, const char *path,
                             struct nip_error *err)
{
    struct addition *add = calloc(1, sizeof *add);
    if (add == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    add->cli = cli;
    add->wanted = wanted;
    add->path = path;
    enum nip_code code = run_add(add, err);
    checked_package_free(&add->package);
    decisions_free(&add->decisions);
    nip_imagedef_free(add->imagedef);
    free(add->before);
    free(add->lock);
    free(add);
    return code;
}

enum nip_code command_add(struct cli *cli, struct nip_error *err)
{
    if (members_is_root())
        return refuse_root("add", err);
    if (project_kind(".") == PROJECT_PACKAGE)
        return depend_add(cli, err);
    struct project_lock held = PROJECT_LOCK_NONE;
    enum nip_code code = project_require(PROJECT_NONE, err);
    if (code == NIP_OK)
        code = project_lock(&held, err);
    if (code == NIP_OK)
        code = add_one(cli, cli_operand(cli, 0), cli_option(cli, "path"), err);
    if (code == NIP_OK)
        cli_next(cli, "nip run --arch all");
    project_unlock(&held);
    return code;
}

// ---- update ----

// The highest version of the same class above the one in image.kdl; "" when there is none.
static enum nip_code find_newer(struct decisions *decisions,
                                const struct nip_imagedef_package *package,
                                char newer[NIP_VERSION_MAX + 1], struct nip_error *err)
{
    struct registry *registry = NULL;
    struct nip_folder_versions list = {0};
    struct nip_version own, found;
    char alias[NIP_TRUST_ALIAS_SIZE];
    newer[0] = '\0';
    enum nip_code code = nip_version_check(package->version, &own, err);
    if (code == NIP_OK)
        code = resolve_registry(decisions, package->registry, package->name, false, &registry, NULL,
                                alias, err);
    if (code == NIP_OK)
        code = registry_versions(registry, package->name, &list, err);
    for (size_t i = 0; code == NIP_OK && i < list.count; i++)
        if (!list.items[i].is_yanked &&
            nip_version_parse(list.items[i].text, strlen(list.items[i].text), &found) &&
            found.prerelease[0] == '\0' && nip_version_is_same_class(&found, &own) &&
            nip_version_compare(&found, &own) > 0)
            memcpy(newer, list.items[i].text, NIP_VERSION_MAX + 1);
    nip_folder_versions_free(&list);
    registry_close(registry);
    return code;
}

// What is to be updated, as NAME@VERSION.
struct updates {
    char texts[RUMPK_PACKAGES_MAX][NIP_NAME_MAX + NIP_VERSION_MAX + 2];
    size_t count;
};

static enum nip_code find_updates(struct cli *cli, struct updates *updates, struct nip_error *err)
{
    struct nip_imagedef *imagedef = NULL;
    struct decisions decisions = {0};
    const char *name = cli_operand(cli, 0);
    bool found = name == NULL;
    enum nip_code code = project_read_image(".", &imagedef, err);
    if (code == NIP_OK)
        code = decisions_load(&decisions, err);
    for (uint32_t i = 0; code == NIP_OK && i < imagedef->package_count; i++) {
        const struct nip_imagedef_package *package = &imagedef->packages[i];
        char newer[NIP_VERSION_MAX + 1];
        if (name != NULL && strcmp(package->name, name) != 0)
            continue;
        found = true;
        if (package->registry[0] == '\0')
            continue;
        code = find_newer(&decisions, package, newer, err);
        if (code == NIP_OK && newer[0] != '\0')
            snprintf(updates->texts[updates->count++], sizeof updates->texts[0], "%.65s@%.64s",
                     package->name, newer);
    }
    if (code == NIP_OK && !found) {
        code =
            nip_error_set(err, NIP_ERROR_MISSING, "%s has no package %s", NIP_IMAGEDEF_FILE, name);
        nip_error_hint(err, "'nip add %s' puts it there", name);
    }
    decisions_free(&decisions);
    nip_imagedef_free(imagedef);
    return code;
}

enum nip_code command_update(struct cli *cli, struct nip_error *err)
{
    if (members_is_root())
        return members_each(cli, cli_operand(cli, 0), command_update, err);
    if (project_kind(".") == PROJECT_PACKAGE)
        return depend_update(cli, err);
    struct project_lock held = PROJECT_LOCK_NONE;
    struct updates *updates = calloc(1, sizeof *updates);
    enum nip_code code = updates != NULL ? project_require(PROJECT_NONE, err)
                                         : nip_error_set(err, NIP_ERROR_MEMORY, "no memory");
    if (code == NIP_OK)
        code = project_lock(&held, err);
    if (code == NIP_OK)
        code = find_updates(cli, updates, err);
    for (size_t i = 0; code == NIP_OK && i < updates->count; i++)
        code = add_one(cli, updates->texts[i], NULL, err);
    if (code == NIP_OK) {
        if (updates->count == 0)
            cli_say(cli, "nothing newer of the same class");
        cli_next(cli, "nip run --arch all");
    }
    project_unlock(&held);
    free(updates);
    return code;
}

// ---- remove ----

static bool names_package(const struct nip_kdl_node *node, const char *name)
{
    const struct nip_kdl_value *first = nip_kdl_argument(node, 0);
    const struct nip_kdl_value *from = nip_kdl_property(node, "from");
    const struct nip_kdl_value *to = nip_kdl_property(node, "to");
    if (nip_kdl_string_equals(node->name, "package"))
        return first != NULL && first->kind == NIP_KDL_STRING &&
               nip_kdl_string_equals(first->text, name);
    return nip_kdl_string_equals(node->name, "wire") &&
           ((from != NULL && nip_kdl_string_equals(from->text, name)) ||
            (to != NULL && nip_kdl_string_equals(to->text, name)));
}

// The package and its wires out of the text of image.kdl, and out of the lock.
static enum nip_code remove_package(struct cli *cli, const char *name, struct nip_error *err)
{
    enum { NODES_MAX = RUMPK_PACKAGES_MAX + RUMPK_WIRES_MAX };
    const struct nip_kdl_node *nodes[NODES_MAX];
    struct nip_imagedef *imagedef = NULL, *again = NULL;
    struct nip_lock *lock = NULL;
    struct commit_change changes[2] = {{.file = NIP_LOCK_FILE}, {.file = NIP_IMAGEDEF_FILE}};
    struct nip_buffer *text = &changes[1].content;
    size_t count = 0, package_count = 0;
    enum nip_code code = project_read_image(".", &imagedef, err);
    if (code == NIP_OK)
        code = project_read_lock(".", &lock, NULL, err);
    const struct nip_kdl_node *node =
        code == NIP_OK ? nip_kdl_document_nodes(imagedef->document) : NULL;
    for (; node != NULL && count < NODES_MAX; node = node->next)
        if (names_package(node, name)) {
            nodes[count++] = node;
            package_count += nip_kdl_string_equals(node->name, "package");
        }
    if (code == NIP_OK && package_count == 0) {
        code =
            nip_error_set(err, NIP_ERROR_MISSING, "%s has no package %s", NIP_IMAGEDEF_FILE, name);
        nip_error_hint(err, "'nip tree' shows what is in it");
    }
    if (code == NIP_OK) {
        nip_kdl_remove_nodes(imagedef->document, nodes, count, text);
        code =
            nip_imagedef_parse(nip_buffer_text(text), text->size, NIP_IMAGEDEF_FILE, &again, err);
    }
    if (code == NIP_OK) {
        code = drop_from_lock(lock, name, NULL, err);
    }
    if (code == NIP_OK) {
        nip_lock_print(lock, &changes[0].content);
        code = project_check_lock(".", lock, err);
    }
    if (code == NIP_OK)
        code = commit_files(changes, 2, err);
    if (code == NIP_OK) {
        cli_say(cli, "removed %s from %s%s", name, NIP_IMAGEDEF_FILE,
                count > package_count ? ", and its wires" : "");
        cli_next(cli, "nip image");
    }
    nip_buffer_free(&changes[0].content);
    nip_buffer_free(text);
    nip_imagedef_free(again);
    nip_imagedef_free(imagedef);
    free(lock);
    return code;
}

enum nip_code command_remove(struct cli *cli, struct nip_error *err)
{
    if (members_is_root())
        return refuse_root("remove", err);
    if (project_kind(".") == PROJECT_PACKAGE)
        return depend_remove(cli, err);
    struct project_lock held = PROJECT_LOCK_NONE;
    enum nip_code code = project_require(PROJECT_NONE, err);
    if (code == NIP_OK)
        code = project_lock(&held, err);
    if (code == NIP_OK)
        code = remove_package(cli, cli_operand(cli, 0), err);
    project_unlock(&held);
    return code;
}
