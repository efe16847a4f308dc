// SPDX-License-Identifier: Apache-2.0
//
// npl.kdl, the tables for people and builds: `package`, `build`, `dependencies`. Of these only what
// `package` says about identity reaches a kernel.

#include <string.h>

#include "manifest_schema.h"
#include "nip/spdx.h"

#define M(member) SCHEMA_AT(struct nip_manifest, member)
#define NODE(name_, fields_) \
    .name = (name_), .fields = (fields_), .field_count = SCHEMA_COUNT(fields_)
#define CHILDREN(children_) .children = (children_), .child_count = SCHEMA_COUNT(children_)
#define ARRAY(type_, member, counter, max)                                          \
    .offset = offsetof(struct nip_manifest, member), .element_size = sizeof(type_), \
    .count_offset = offsetof(struct nip_manifest, counter), .count_max = (max)
#define ONE_VALUE .is_argument = true, .is_required = true
#define TEXTS(type_, member, counter, max)                            \
    .type = SCHEMA_TEXTS, SCHEMA_AT(type_, member), .maximum = (max), \
    .item_size = NIP_MANIFEST_TEXT_SIZE, .count_offset = offsetof(type_, counter)

// ---- package ----

const struct schema_field manifest_package_fields[MANIFEST_PACKAGE_FIELDS] = {
    {.name = "name",
     ONE_VALUE,
     .type = SCHEMA_NAME,
     M(identity.name),
     .help =
         "What the package is called everywhere. A name in `local/` can be published to folders "
         "only."},
    {.name = "version",
     .is_required = true,
     .type = SCHEMA_VERSION,
     M(identity.version),
     .help = "Every published version is different; a published one never changes."},
};
static const struct schema_field kind_fields[] = {
    {.name = "kind",
     ONE_VALUE,
     .type = SCHEMA_CHOICE,
     M(identity.kind),
     .choices = manifest_kinds,
     .help = "`driver`: runs in a domain of its own. `library`: headers and code that drivers are "
             "linked with. `kernel`: the kernel itself."},
};
static const struct schema_field security_fields[] = {
    {.name = "security-version",
     ONE_VALUE,
     .type = SCHEMA_NUMBER,
     M(identity.security_version),
     .minimum = 1,
     .maximum = 65535,
     .help = "Raised by one with a version that closes a hole: owners of images can refuse what is "
             "below it."},
};
static const struct schema_field abi_fields[] = {
    {.name = "abi",
     ONE_VALUE,
     .type = SCHEMA_NUMBER,
     M(identity.abi_version),
     .minimum = 0,
     .maximum = 65535,
     .help = "The lowest version of the kernel's ABI that will do."},
};
static const struct schema_field license_fields[] = {
    {.name = "license",
     ONE_VALUE,
     .is_positive = true,
     .type = SCHEMA_TEXT,
     M(license),
     .help = "An SPDX expression such as `Apache-2.0` or `MIT OR GPL-2.0-only WITH "
             "Linux-syscall-note`. For each identifier in it, `LICENSES/IDENTIFIER.txt` holds the "
             "text."},
};
static const struct schema_field description_fields[] = {
    {.name = "description",
     ONE_VALUE,
     .type = SCHEMA_TEXT,
     M(description),
     .help = "What it is good for, in one line."},
};
static const struct schema_field authors_fields[] = {
    {.name = "authors",
     ONE_VALUE,
     TEXTS(struct nip_manifest, authors, author_count, NIP_MANIFEST_AUTHORS_MAX),
     .help = "Who made it, for example `\"Ada Example <ada@example.org>\"`."},
};
static const struct schema_field links_fields[] = {
    {.name = "homepage", .type = SCHEMA_LINK, M(homepage), .help = "Where people read about it."},
    {.name = "repository", .type = SCHEMA_LINK, M(repository), .help = "Where its source is kept."},
    {.name = "documentation", .type = SCHEMA_LINK, M(documentation), .help = "Its manual."},
    {.name = "issues", .type = SCHEMA_LINK, M(issues), .help = "Where faults are reported."},
};
static const struct schema_field arch_fields[] = {
    {.name = "arch",
     ONE_VALUE,
     .type = SCHEMA_CHOICES,
     M(identity.arch_mask),
     .choices = manifest_archs,
     .help = "Every architecture that it is built for."},
};

static enum nip_code check_license(const struct schema_place *place, const void *parent,
                                   const void *element, uint32_t index, struct nip_error *err)
{
    (void)element;
    (void)index;
    const struct nip_manifest *manifest = parent;
    struct nip_error cause = {0};
    if (nip_spdx_check(manifest->license, &cause) == NIP_OK)
        return NIP_OK;
    nip_kdl_error_at(place->document, place->node->entries->value.span, err, NIP_ERROR_SCHEMA, "%s",
                     cause.message);
    nip_error_hint(err, "%s", cause.hint);
    return NIP_ERROR_SCHEMA;
}

const struct schema_node manifest_package_children[MANIFEST_PACKAGE_CHILDREN] = {
    {NODE("kind", kind_fields), .is_required = true},
    {NODE("security-version", security_fields), .is_required = true},
    {NODE("abi", abi_fields), .is_required = true},
    {NODE("license", license_fields), .is_required = true, .check = check_license},
    {NODE("description", description_fields)},
    {NODE("authors", authors_fields)},
    {NODE("links", links_fields), .help = "Addresses for people: nothing follows them by itself."},
    {NODE("arch", arch_fields), .is_required = true},
};

// ---- build ----

const struct schema_choice manifest_build_systems[] = {
    {"cmake", NIP_BUILD_CMAKE}, {"meson", NIP_BUILD_MESON}, {"make", NIP_BUILD_MAKE}, {NULL, 0}};

const struct schema_field manifest_build_fields[MANIFEST_BUILD_FIELDS] = {
    {.name = "system",
     .is_argument = true,
     .type = SCHEMA_CHOICE,
     M(build_system),
     .choices = manifest_build_systems,
     .help = "The program that builds it, with the compiler and the sysroot of the SDK, once for "
             "each architecture. It leaves `driver.elf` (a library: `libNAME.a`) at the top of its "
             "build folder. Without it, nip compiles and links by itself."},
};

#define SOURCES_HELP                                                                             \
    "Files, or patterns with `*`, `?` and `[...]`, relative to the project. `*` does not cross " \
    "a `/`. `.c` is compiled as C23, `.S` is assembled after the preprocessor."
static const struct schema_field sources_fields[] = {
    {.name = "sources",
     ONE_VALUE,
     TEXTS(struct nip_manifest, sources, source_count, NIP_MANIFEST_LIST_MAX),
     .help = SOURCES_HELP},
};
static const struct schema_field flags_fields[] = {
    {.name = "flags",
     ONE_VALUE,
     TEXTS(struct nip_manifest, flags, flag_count, NIP_MANIFEST_LIST_MAX),
     .help = "Options for the compiler, one text each, after those of the SDK."},
};
static const struct schema_field options_fields[] = {
    {.name = "options",
     ONE_VALUE,
     TEXTS(struct nip_manifest, build_options, build_option_count, NIP_MANIFEST_LIST_MAX),
     .help = "For `cmake`, `meson setup` or `make`, one text each, after those of nip: "
             "`\"-DWITH_STATS=ON\"`, `\"-Dstats=true\"`, `\"STATS=1\"`."},
};

#define A(member) SCHEMA_AT(struct nip_manifest_arch_build, member)
static const struct schema_field arch_build_fields[] = {
    {.name = "arch",
     ONE_VALUE,
     .type = SCHEMA_CHOICES,
     A(arch_mask),
     .choices = manifest_archs,
     .help = "The architectures that this block is for."},
};
static const struct schema_field arch_sources_fields[] = {
    {.name = "sources",
     ONE_VALUE,
     TEXTS(struct nip_manifest_arch_build, sources, source_count, NIP_MANIFEST_ARCH_LIST_MAX),
     .help = "Sources that only these architectures have."},
};
static const struct schema_field arch_flags_fields[] = {
    {.name = "flags",
     ONE_VALUE,
     TEXTS(struct nip_manifest_arch_build, flags, flag_count, NIP_MANIFEST_ARCH_LIST_MAX),
     .help = "Options that only these architectures have, after the others."},
};
static const struct schema_node arch_build_children[] = {
    {NODE("sources", arch_sources_fields)},
    {NODE("flags", arch_flags_fields)},
};

static enum nip_code check_arch_build(const struct schema_place *place, const void *parent,
                                      const void *element, uint32_t index, struct nip_error *err)
{
    (void)index;
    const struct nip_manifest *manifest = parent;
    const struct nip_manifest_arch_build *build = element;
    // `package` may stand further down: then the whole is judged again at the end.
    if (manifest->identity.arch_mask == 0 ||
        (build->arch_mask & ~manifest->identity.arch_mask) == 0)
        return NIP_OK;
    nip_kdl_error_at(place->document, place->node->entries->span, err, NIP_ERROR_SCHEMA,
                     "the package is not made for this architecture");
    nip_error_hint(err, "Add it to `arch` of `package`, or remove the block.");
    return NIP_ERROR_SCHEMA;
}

const struct schema_node manifest_build_children[MANIFEST_BUILD_CHILDREN] = {
    {NODE("sources", sources_fields),
     .help = "`sources \"src/*.c\"` when nothing is written here."},
    {NODE("flags", flags_fields)},
    {NODE("options", options_fields),
     .help = "Only with a build system. `sources` and `flags` then say how the tests on this "
             "computer are compiled; the driver itself is made by the build system alone."},
    {NODE("arch", arch_build_fields), CHILDREN(arch_build_children),
     ARRAY(struct nip_manifest_arch_build, arch_builds, arch_build_count, NIP_MANIFEST_ARCHS_MAX),
     .check = check_arch_build, .help = "What is built in addition for some architectures."},
};

enum nip_code manifest_check_build(const struct schema_place *place, const void *parent,
                                   const void *element, uint32_t index, struct nip_error *err)
{
    (void)element;
    (void)index;
    const struct nip_manifest *manifest = parent;
    const char *what = NULL;
    if (manifest->build_system == NIP_BUILD_OWN && manifest->build_option_count != 0)
        what = "`options` are for a build system, and none is named";
    if (manifest->build_system != NIP_BUILD_OWN && manifest->arch_build_count != 0)
        what = "an `arch` block is for nip's own build, and a build system is named";
    if (what == NULL)
        return NIP_OK;
    nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_SCHEMA, "%s", what);
    if (manifest->build_system == NIP_BUILD_OWN)
        nip_error_hint(err, "Name it: `build \"cmake\" { ... }`, or remove the line.");
    else
        nip_error_hint(err, "Let the build system look at the architecture, and remove the block.");
    return NIP_ERROR_SCHEMA;
}

// ---- dependencies ----

#define D(member) SCHEMA_AT(struct nip_manifest_dependency, member)
static const struct schema_field library_fields[] = {
    {.name = "name",
     ONE_VALUE,
     .type = SCHEMA_NAME,
     D(name),
     .help = "A package of kind `library`."},
    {.name = "version",
     ONE_VALUE,
     .type = SCHEMA_REQUIREMENT,
     D(requirement),
     .help = "The lowest version that will do; later ones of the same class (the same major "
             "version, below 1.0 the same `0.minor`) count as compatible."},
    {.name = "key",
     .type = SCHEMA_KEY,
     D(key),
     .help = "The publisher's key as you know it: another one is refused at first use."},
    {.name = "registry",
     .type = SCHEMA_LABEL,
     D(registry),
     .help = "The registry, by its alias in `nip.trust.kdl`."},
};

static enum nip_code check_library(const struct schema_place *place, const void *parent,
                                   const void *element, uint32_t index, struct nip_error *err)
{
    const struct nip_manifest *manifest = parent;
    const struct nip_manifest_dependency *library = element;
    for (uint32_t i = 0; i < index; i++)
        if (strcmp(manifest->dependencies[i].name, library->name) == 0)
            return nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_SCHEMA,
                                    "library \"%s\" stands here twice", library->name);
    return NIP_OK;
}

#define C(member) SCHEMA_AT(struct nip_manifest_component, member)
static const struct schema_field component_fields[] = {
    {.name = "name", ONE_VALUE, .type = SCHEMA_LABEL, C(name), .help = "What it is called."},
    {.name = "version",
     .is_required = true,
     .is_positive = true,
     .type = SCHEMA_TEXT,
     C(version),
     .help = "As its makers write it: letters, digits, `.`, `-` and `_`."},
    {.name = "license",
     .is_required = true,
     .is_positive = true,
     .type = SCHEMA_TEXT,
     C(license),
     .help = "An SPDX expression. For each identifier in it, `LICENSES/IDENTIFIER.txt` holds the "
             "text."},
    {.name = "sha256",
     .is_required = true,
     .is_positive = true,
     .type = SCHEMA_TEXT,
     C(sha256),
     .help = "The SHA-256 of the archive that its source came in: 64 hexadecimal digits in small "
             "letters."},
    {.name = "origin",
     .type = SCHEMA_TEXT,
     C(origin),
     .help = "Where the source came from and what was changed in it, for people."},
};

static enum nip_code refuse_component(const struct schema_place *place, const char *field,
                                      const char *message, const char *hint, struct nip_error *err)
{
    struct nip_kdl_span span = place->node->span;
    for (const struct nip_kdl_entry *entry = place->node->entries; entry; entry = entry->next)
        if (entry->key.text && nip_kdl_string_equals(entry->key, field))
            span = entry->value.span;
    nip_kdl_error_at(place->document, span, err, NIP_ERROR_SCHEMA, "%s", message);
    nip_error_hint(err, "%s", hint);
    return NIP_ERROR_SCHEMA;
}

static enum nip_code check_component(const struct schema_place *place, const void *parent,
                                     const void *element, uint32_t index, struct nip_error *err)
{
    static const char digits[] = "0123456789abcdef";
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const struct nip_manifest *manifest = parent;
    const struct nip_manifest_component *component = element;
    struct nip_error cause = {0};
    for (uint32_t i = 0; i < index; i++)
        if (strcmp(manifest->components[i].name, component->name) == 0)
            return nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_SCHEMA,
                                    "component \"%s\" stands here twice", component->name);
    if (strspn(component->version, letters) != strlen(component->version))
        return refuse_component(place, "version", "this is no version of a component",
                                "Expected letters, digits, `.`, `-` and `_`, such as \"1.0.18\".",
                                err);
    if (strlen(component->sha256) != 64 || strspn(component->sha256, digits) != 64)
        return refuse_component(place, "sha256", "this is no SHA-256",
                                "Expected what `sha256sum ARCHIVE` prints: 64 hexadecimal digits.",
                                err);
    if (nip_spdx_check(component->license, &cause) != NIP_OK)
        return refuse_component(place, "license", cause.message, cause.hint, err);
    return NIP_OK;
}

const struct schema_node manifest_dependencies_children[MANIFEST_DEPENDENCIES_CHILDREN] = {
    {NODE("library", library_fields),
     ARRAY(struct nip_manifest_dependency, dependencies, dependency_count,
           NIP_MANIFEST_DEPENDENCIES_MAX),
     .check = check_library,
     .help = "A package of kind `library` that is linked into this one when it is built."},
    {NODE("component", component_fields),
     ARRAY(struct nip_manifest_component, components, component_count, NIP_MANIFEST_COMPONENTS_MAX),
     .check = check_component,
     .help = "Foreign code among the sources that is compiled in: the bill of materials names it."},
};
