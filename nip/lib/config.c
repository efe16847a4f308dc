// SPDX-License-Identifier: Apache-2.0
//
// config.kdl: the tables, reading by them, and the document out of them.

#include "nip/config.h"

#include <string.h>

#include "nip/name.h"
#include "nip/trust.h"
#include "schema.h"
#include "schema_text.h"

#define FIELDS(fields_)    .fields = (fields_), .field_count = SCHEMA_COUNT(fields_)
#define CONFIG_AT(member_) SCHEMA_AT(struct nip_config, member_)

static const struct schema_choice when_choices[] = {
    {"auto", NIP_CONFIG_AUTO},
    {"always", NIP_CONFIG_ALWAYS},
    {"never", NIP_CONFIG_NEVER},
    {NULL, 0},
};
static const struct schema_choice progress_choices[] = {
    {"auto", NIP_CONFIG_AUTO},
    {"never", NIP_CONFIG_NEVER},
    {NULL, 0},
};

static const struct schema_field registry_fields[] = {
    {.name = "alias",
     .is_argument = true,
     .is_required = true,
     .is_positive = true,
     .type = SCHEMA_TEXT,
     SCHEMA_AT(struct nip_config_registry, alias),
     .help = "Lower-case letters, digits and single hyphens. `sdk` is taken."},
    {.name = "url",
     .is_required = true,
     .is_positive = true,
     .type = SCHEMA_TEXT,
     SCHEMA_AT(struct nip_config_registry, url),
     .help = "A path of its own counts from no folder: write it whole, like `file:/srv/packages`."},
};
static const struct schema_field key_fields[] = {
    {.name = "key",
     .is_argument = true,
     .is_required = true,
     .is_positive = true,
     .type = SCHEMA_TEXT,
     CONFIG_AT(key)},
};
static const struct schema_field color_fields[] = {
    {.name = "color",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_CHOICE,
     CONFIG_AT(color),
     .choices = when_choices},
};
static const struct schema_field progress_fields[] = {
    {.name = "progress",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_CHOICE,
     CONFIG_AT(progress),
     .choices = progress_choices},
};
static const struct schema_field jobs_fields[] = {
    {.name = "jobs",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_NUMBER,
     CONFIG_AT(jobs),
     .minimum = 1,
     .maximum = NIP_CONFIG_JOBS_MAX},
};
static const struct schema_field cache_fields[] = {
    {.name = "cache",
     .is_argument = true,
     .is_required = true,
     .is_positive = true,
     .type = SCHEMA_TEXT,
     CONFIG_AT(cache)},
};

static enum nip_code check_registry(const struct schema_place *place, const void *parent,
                                    const void *element, uint32_t index, struct nip_error *err)
{
    const struct nip_config *config = parent;
    const struct nip_config_registry *registry = element;
    const char *url = registry->url;
    if (!nip_trust_alias_is_valid(registry->alias))
        return nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_NAME,
                                "an alias is lower-case letters, digits and single hyphens");
    if (strcmp(registry->alias, NIP_TRUST_SDK_ALIAS) == 0)
        return nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_SCHEMA,
                                "the alias 'sdk' always means the SDK's own registry");
    for (uint32_t i = 0; i < index; i++)
        if (strcmp(config->registries[i].alias, registry->alias) == 0)
            return nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_SCHEMA,
                                    "the alias '%s' stands here twice", registry->alias);
    bool has_scheme = strchr(url, ':') != NULL && url[0] != '/' && url[0] != '.';
    bool is_relative = strncmp(url, "file:", 5) == 0 && url[5] != '/';
    if (has_scheme && !is_relative)
        return NIP_OK;
    nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_SCHEMA,
                     has_scheme ? "this path counts from no folder" : "this is no address");
    nip_error_hint(err, "Expected a scheme and a whole path, like url=\"file:/srv/packages\".");
    return NIP_ERROR_SCHEMA;
}

static enum nip_code check_key(const struct schema_place *place, const void *parent,
                               const void *element, uint32_t index, struct nip_error *err)
{
    const struct nip_config *config = element;
    (void)parent;
    (void)index;
    if (config->key[0] == '/' || nip_name_part_is_valid(config->key, strlen(config->key)))
        return NIP_OK;
    nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_NAME,
                     "'%s' is no name of a key", config->key);
    nip_error_hint(err, "Expected a name that 'nip key show' lists, or the whole path of a .key "
                        "file.");
    return NIP_ERROR_NAME;
}

static enum nip_code check_cache(const struct schema_place *place, const void *parent,
                                 const void *element, uint32_t index, struct nip_error *err)
{
    const struct nip_config *config = element;
    (void)parent;
    (void)index;
    if (config->cache[0] == '/' && config->cache[1] != '\0')
        return NIP_OK;
    nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_SCHEMA,
                     "the folder of the cache must be a whole path");
    nip_error_hint(err, "Expected a path that begins with /, like \"/var/cache/nip\".");
    return NIP_ERROR_SCHEMA;
}

static const struct schema_node schema[] = {
    {.name = "registry",
     FIELDS(registry_fields),
     .offset = offsetof(struct nip_config, registries),
     .element_size = sizeof(struct nip_config_registry),
     .count_offset = offsetof(struct nip_config, registry_count),
     .count_max = NIP_CONFIG_REGISTRIES_MAX,
     .check = check_registry,
     .help = "A short name for the address of a registry, in every project that gives this alias "
             "no other meaning. A project that uses it writes alias and address into its "
             "`nip.trust.kdl`, so that others get the same packages. When a project knows no "
             "registry and there is one line like this, that one is taken."},
    {.name = "key",
     FIELDS(key_fields),
     .check = check_key,
     .help = "The key that `nip sign` and `nip publish` sign with, instead of the key `default`. A "
             "name that `nip key show` lists, or the whole path of a .key file. Images are never "
             "signed by it unasked."},
    {.name = "color", FIELDS(color_fields), .help = "Whether output is coloured."},
    {.name = "progress",
     FIELDS(progress_fields),
     .help = "Whether long work shows a bar, on a terminal."},
    {.name = "jobs",
     FIELDS(jobs_fields),
     .help = "How many programs (compilers) run at once. Otherwise: one for each processor."},
    {.name = "cache",
     FIELDS(cache_fields),
     .check = check_cache,
     .help = "The folder of the cache, instead of `$XDG_CACHE_HOME/nip`."},
};

enum nip_code nip_config_parse(const char *text, size_t size, const char *file,
                               struct nip_config *config, struct nip_error *err)
{
    static const struct nip_kdl_limits limits = {
        .size_max = NIP_CONFIG_SIZE_MAX, .depth_max = 4, .item_count_max = 2000};
    struct nip_kdl_document *document = NULL;
    memset(config, 0, sizeof *config);
    enum nip_code code = nip_kdl_parse(text, size, file, &limits, &document, err);
    if (code == NIP_OK)
        code = schema_read(document, schema, SCHEMA_COUNT(schema), config, err);
    nip_kdl_document_free(document);
    return code;
}

const char *nip_config_url(const struct nip_config *config, const char *alias)
{
    for (uint32_t i = 0; i < config->registry_count; i++)
        if (strcmp(config->registries[i].alias, alias) == 0)
            return config->registries[i].url;
    return NULL;
}

const char nip_config_example[] = "registry \"work\" url=\"file:/srv/packages\"\n"
                                  "key \"release\"\n"
                                  "color \"auto\"\n"
                                  "progress \"auto\"\n"
                                  "jobs 4\n"
                                  "cache \"/var/cache/nip\"\n";

void nip_config_document(struct nip_buffer *out)
{
    nip_buffer_append_text(
        out,
        "<!-- Made by: nip help config. Change the tables in nip/lib/config.c instead. -->\n"
        "# The user's settings, config.kdl\n"
        "\n"
        "What one person wants on one computer, in `$XDG_CONFIG_HOME/nip/config.kdl` "
        "(`~/.config/nip/config.kdl` when XDG_CONFIG_HOME is not set; NIP_CONFIG names another "
        "file, and an empty NIP_CONFIG none), in [KDL 2](https://kdl.dev). The file need not be "
        "there. `nip doctor` shows which one is read and what it says.\n"
        "\n"
        "What is nearer to the command wins:\n"
        "\n"
        "1. the option on the command line (`--registry`, `--key`, `--color`, `--jobs`);\n"
        "2. the environment (`NO_COLOR`, `NIP_CACHE`);\n"
        "3. the project's files (`nip.trust.kdl` for registries);\n"
        "4. these settings;\n"
        "5. what nip does by itself (`XDG_CACHE_HOME` belongs here: it only says where the "
        "cache is when nobody names a folder).\n"
        "\n"
        "Nothing here decides whose signature counts or what is built: two users with different "
        "settings get the same bytes. An unknown name, a wrong type, a value outside its limits "
        "or a second line of the same kind is an error that shows the line. At most 65,536 "
        "bytes.\n"
        "\n"
        "```kdl\n");
    nip_buffer_append_text(out, nip_config_example);
    nip_buffer_append_text(out, "```\n");
    for (size_t i = 0; i < SCHEMA_COUNT(schema); i++)
        schema_document(&schema[i], out);
}
