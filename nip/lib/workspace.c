// SPDX-License-Identifier: Apache-2.0
//
// nip.workspace.kdl: the tables, and reading by them.

#include "nip/workspace.h"

#include <string.h>

#include "schema.h"

#define ARRAY(type_, member, counter, max)                                           \
    .offset = offsetof(struct nip_workspace, member), .element_size = sizeof(type_), \
    .count_offset = offsetof(struct nip_workspace, counter), .count_max = (max)
#define FIELDS(fields_) .fields = (fields_), .field_count = SCHEMA_COUNT(fields_)

static const struct schema_field member_fields[] = {
    {.name = "path",
     .is_argument = true,
     .is_required = true,
     .is_positive = true,
     .type = SCHEMA_TEXT,
     SCHEMA_AT(struct nip_workspace_member, path)},
};
static const struct schema_field override_fields[] = {
    {.name = "name",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_NAME,
     SCHEMA_AT(struct nip_workspace_override, name)},
    {.name = "path",
     .is_required = true,
     .is_positive = true,
     .type = SCHEMA_TEXT,
     SCHEMA_AT(struct nip_workspace_override, path)},
    {.name = "place", .type = SCHEMA_PLACE, SCHEMA_AT(struct nip_workspace_override, span)},
};

// The same folder is one member, and the members are found by going down.
static enum nip_code check_member(const struct schema_place *place, const void *parent,
                                  const void *element, uint32_t index, struct nip_error *err)
{
    const struct nip_workspace *workspace = parent;
    const struct nip_workspace_member *member = element;
    const char *path = member->path;
    bool leads_out = path[0] == '/' || strcmp(path, "..") == 0 || strncmp(path, "../", 3) == 0 ||
                     strstr(path, "/../") != NULL || strpbrk(path, "?[\\") != NULL;
    if (leads_out) {
        nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_SCHEMA,
                         "a member is a folder below the one of this file");
        nip_error_hint(err, "like \"ring\" or \"drivers/*\"; a library elsewhere can be named by "
                            "`override`");
        return NIP_ERROR_SCHEMA;
    }
    for (uint32_t i = 0; i < index; i++)
        if (strcmp(workspace->members[i].path, path) == 0)
            return nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_SCHEMA,
                                    "member \"%s\" stands here twice", path);
    return NIP_OK;
}

static enum nip_code check_override(const struct schema_place *place, const void *parent,
                                    const void *element, uint32_t index, struct nip_error *err)
{
    const struct nip_workspace *workspace = parent;
    const struct nip_workspace_override *override = element;
    for (uint32_t i = 0; i < index; i++)
        if (strcmp(workspace->overrides[i].name, override->name) == 0)
            return nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_SCHEMA,
                                    "\"%s\" is overridden twice", override->name);
    return NIP_OK;
}

static const struct schema_node workspace_children[] = {
    {.name = "member",
     FIELDS(member_fields),
     ARRAY(struct nip_workspace_member, members, member_count, NIP_WORKSPACE_MEMBERS_MAX),
     .check = check_member},
};
static const struct schema_node schema[] = {
    {.name = "workspace",
     .children = workspace_children,
     .child_count = SCHEMA_COUNT(workspace_children)},
    {.name = "override",
     FIELDS(override_fields),
     ARRAY(struct nip_workspace_override, overrides, override_count, NIP_WORKSPACE_OVERRIDES_MAX),
     .check = check_override},
};

enum nip_code nip_workspace_parse(const char *text, size_t size, const char *file,
                                  struct nip_workspace *workspace, struct nip_error *err)
{
    static const struct nip_kdl_limits limits = {
        .size_max = NIP_WORKSPACE_SIZE_MAX, .depth_max = 4, .item_count_max = 2000};
    struct nip_kdl_document *document = NULL;
    memset(workspace, 0, sizeof *workspace);
    enum nip_code code = nip_kdl_parse(text, size, file, &limits, &document, err);
    if (code == NIP_OK)
        code = schema_read(document, schema, SCHEMA_COUNT(schema), workspace, err);
    nip_kdl_document_free(document);
    return code;
}

const struct nip_workspace_override *nip_workspace_override(const struct nip_workspace *workspace,
                                                            const char *name)
{
    for (uint32_t i = 0; i < workspace->override_count; i++)
        if (strcmp(workspace->overrides[i].name, name) == 0)
            return &workspace->overrides[i];
    return NULL;
}
