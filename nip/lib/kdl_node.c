// SPDX-License-Identifier: Apache-2.0
//
// KDL's grammar from nodes down to values.
//
//   nodes      (line-space* node)* line-space*
//   node       /-? (type)? name entries children? terminator
//   entry      /-? (key =)? (type)? value          white space before it, unless /- stands there
//   children   /-? { nodes }                       any number with /-, one without, after all
//   entries
//
// Slashdashed parts go through the same functions, so they must be well formed; they are just not
// linked into the tree.

#include "kdl_parser.h"

static bool at_byte(const struct kdl_parser *parser, char byte)
{
    return parser->at < parser->size && parser->text[parser->at] == byte;
}

static enum nip_code count_item(struct kdl_parser *parser)
{
    if (parser->item_count++ < parser->limits.item_count_max)
        return NIP_OK;
    enum nip_code code =
        kdl_fail(parser, parser->at, 0, "more than %u nodes, arguments and properties",
                 parser->limits.item_count_max);
    if (parser->err != NULL)
        parser->err->code = NIP_ERROR_LIMIT;
    return code == NIP_OK ? code : NIP_ERROR_LIMIT;
}

// At "(". Ends behind ")" and the white space after it.
static enum nip_code parse_type(struct kdl_parser *parser, struct nip_kdl_string *type,
                                struct nip_kdl_span *span)
{
    char found[24];
    bool any;
    parser->at++;
    enum nip_code code = kdl_skip_node_space(parser, &any);
    if (code != NIP_OK)
        return code;
    if (!kdl_at_string(parser))
        return kdl_fail(parser, parser->at, 0, "expected the name of a type after '(', found %s",
                        kdl_describe(parser, parser->at, found));
    *span = kdl_span_begin(parser);
    code = kdl_parse_string(parser, type);
    if (code != NIP_OK)
        return code;
    kdl_span_end(parser, span);
    code = kdl_skip_node_space(parser, &any);
    if (code != NIP_OK)
        return code;
    if (!at_byte(parser, ')'))
        return kdl_fail(parser, parser->at, 0, "expected ')' after the name of a type, found %s",
                        kdl_describe(parser, parser->at, found));
    parser->at++;
    return kdl_skip_node_space(parser, &any);
}

// A value without annotation.
static enum nip_code parse_bare_value(struct kdl_parser *parser, struct nip_kdl_value *value)
{
    enum nip_code code;
    value->span = kdl_span_begin(parser);
    if (kdl_at_string(parser)) {
        value->kind = NIP_KDL_STRING;
        code = kdl_parse_string(parser, &value->text);
    } else if (kdl_at_number(parser)) {
        code = kdl_parse_number(parser, value);
    } else if (at_byte(parser, '#')) {
        code = kdl_parse_keyword(parser, value);
    } else {
        char found[24];
        return kdl_fail(parser, parser->at, 0, "expected a value, found %s",
                        kdl_describe(parser, parser->at, found));
    }
    kdl_span_end(parser, &value->span);
    return code;
}

static enum nip_code parse_value(struct kdl_parser *parser, struct nip_kdl_value *value)
{
    if (at_byte(parser, '(')) {
        enum nip_code code = parse_type(parser, &value->type, &value->type_span);
        if (code != NIP_OK)
            return code;
    }
    return parse_bare_value(parser, value);
}

// If "=" follows (white space may stand before it), the string just read was the key of a property.
static enum nip_code parse_rest_of_property(struct kdl_parser *parser, struct nip_kdl_entry *entry)
{
    size_t after_key = parser->at;
    bool any;
    enum nip_code code = kdl_skip_node_space(parser, &any);
    if (code != NIP_OK)
        return code;
    if (!at_byte(parser, '=')) {
        parser->at = after_key;
        return NIP_OK;
    }
    parser->at++;
    entry->key = entry->value.text;
    entry->key_span = entry->value.span;
    entry->value = (struct nip_kdl_value){0};
    code = kdl_skip_node_space(parser, &any);
    return code != NIP_OK ? code : parse_value(parser, &entry->value);
}

static enum nip_code parse_entry(struct kdl_parser *parser, struct nip_kdl_entry **made)
{
    enum nip_code code = count_item(parser);
    if (code != NIP_OK)
        return code;
    struct nip_kdl_entry *entry = kdl_arena_allocate(parser, sizeof *entry);
    if (entry == NULL) {
        kdl_fail_memory(parser);
        return NIP_ERROR_MEMORY;
    }
    entry->span = kdl_span_begin(parser);
    bool has_type = at_byte(parser, '(');
    code = parse_value(parser, &entry->value);
    if (code == NIP_OK && !has_type && entry->value.kind == NIP_KDL_STRING)
        code = parse_rest_of_property(parser, entry);
    kdl_span_end(parser, &entry->span);
    *made = entry;
    return code;
}

// At "{".
static enum nip_code parse_children(struct kdl_parser *parser, struct nip_kdl_node *node,
                                    uint32_t depth, bool is_ignored)
{
    struct nip_kdl_span span = kdl_span_begin(parser);
    struct nip_kdl_node *first = NULL;
    if (depth >= parser->limits.depth_max) {
        kdl_fail(parser, parser->at, 1, "children are nested deeper than %u levels",
                 parser->limits.depth_max);
        if (parser->err != NULL)
            parser->err->code = NIP_ERROR_LIMIT;
        return NIP_ERROR_LIMIT;
    }
    parser->at++;
    enum nip_code code = kdl_parse_nodes(parser, node, depth + 1, &first);
    if (code != NIP_OK)
        return code;
    if (!at_byte(parser, '}')) {
        code = kdl_fail(parser, span.offset, 1, "this '{' is never closed");
        nip_error_hint(parser->err, "add the missing '}'");
        return code;
    }
    parser->at++;
    kdl_span_end(parser, &span);
    if (!is_ignored) {
        node->children = first;
        node->children_span = span;
    }
    return NIP_OK;
}

// Steps over "/-" and the white space after it, if it stands here.
static enum nip_code skip_slashdash(struct kdl_parser *parser, bool *found)
{
    *found = kdl_starts_with(parser, "/-");
    if (!*found)
        return NIP_OK;
    parser->at += 2;
    return kdl_skip_line_space(parser);
}

// At the end of a node's content: steps over the terminator. A closing brace stays.
static bool take_terminator(struct kdl_parser *parser)
{
    size_t newline = kdl_newline_size(parser, parser->at);
    if (newline != 0)
        parser->at += newline;
    else if (at_byte(parser, ';'))
        parser->at++;
    else if (kdl_starts_with(parser, "//"))
        kdl_skip_line_comment(parser);
    else
        return parser->at >= parser->size || at_byte(parser, '}');
    return true;
}

// Everything after a node's name: entries, children, terminator.
static enum nip_code parse_content(struct kdl_parser *parser, struct nip_kdl_node *node,
                                   uint32_t depth)
{
    struct nip_kdl_entry **entry_link = &node->entries, *entry = NULL;
    bool is_after_children = false, has_children = false;
    char found[24];
    for (;;) {
        bool has_space, is_ignored;
        kdl_span_end(parser, &node->span);
        enum nip_code code = kdl_skip_node_space(parser, &has_space);
        if (code != NIP_OK)
            return code;
        if (take_terminator(parser))
            return NIP_OK;
        size_t start = parser->at;
        code = skip_slashdash(parser, &is_ignored);
        if (code != NIP_OK)
            return code;
        if (is_ignored && (parser->at >= parser->size || at_byte(parser, '}')))
            return kdl_fail(parser, start, 2, "nothing follows that \"/-\" could comment out");
        if (at_byte(parser, '{')) {
            if (has_children && !is_ignored)
                return kdl_fail(parser, parser->at, 1,
                                "a node can have only one block of children");
            code = parse_children(parser, node, depth, is_ignored);
            is_after_children = true;
            has_children = has_children || !is_ignored;
        } else if (is_after_children) {
            code = kdl_fail(parser, parser->at, 0,
                            "after a block of children the node must end, found %s",
                            kdl_describe(parser, parser->at, found));
            nip_error_hint(parser->err, "start the next node on a new line or after ';'");
        } else if (!has_space && !is_ignored) {
            code = kdl_fail(parser, parser->at, 0, "expected white space here, found %s",
                            kdl_describe(parser, parser->at, found));
        } else {
            code = parse_entry(parser, &entry);
            if (code == NIP_OK && !is_ignored) {
                *entry_link = entry;
                entry_link = &entry->next;
            }
        }
        if (code != NIP_OK)
            return code;
    }
}

static enum nip_code parse_node(struct kdl_parser *parser, struct nip_kdl_node *parent,
                                uint32_t depth, struct nip_kdl_node **made)
{
    char found[24];
    enum nip_code code = count_item(parser);
    if (code != NIP_OK)
        return code;
    struct nip_kdl_node *node = kdl_arena_allocate(parser, sizeof *node);
    if (node == NULL) {
        kdl_fail_memory(parser);
        return NIP_ERROR_MEMORY;
    }
    node->parent = parent;
    node->span = kdl_span_begin(parser);
    if (at_byte(parser, '(')) {
        code = parse_type(parser, &node->type, &node->type_span);
        if (code != NIP_OK)
            return code;
    }
    if (!kdl_at_string(parser)) {
        code = kdl_fail(parser, parser->at, 0, "expected the name of a node, found %s",
                        kdl_describe(parser, parser->at, found));
        if (kdl_at_number(parser) || at_byte(parser, '#'))
            nip_error_hint(parser->err,
                           "a name that starts like a number or keyword must be quoted");
        return code;
    }
    node->name_span = kdl_span_begin(parser);
    code = kdl_parse_string(parser, &node->name);
    if (code != NIP_OK)
        return code;
    kdl_span_end(parser, &node->name_span);
    *made = node;
    return parse_content(parser, node, depth);
}

enum nip_code kdl_parse_nodes(struct kdl_parser *parser, struct nip_kdl_node *parent,
                              uint32_t depth, struct nip_kdl_node **first)
{
    for (;;) {
        bool is_ignored;
        enum nip_code code = kdl_skip_line_space(parser);
        if (code != NIP_OK)
            return code;
        size_t start = parser->at;
        code = skip_slashdash(parser, &is_ignored);
        if (code != NIP_OK)
            return code;
        if (parser->at >= parser->size || at_byte(parser, '}')) {
            if (is_ignored)
                return kdl_fail(parser, start, 2, "nothing follows that \"/-\" could comment out");
            if (depth == 0 && parser->at < parser->size)
                return kdl_fail(parser, parser->at, 1, "there is no '{' that this '}' closes");
            return NIP_OK;
        }
        struct nip_kdl_node *node = NULL;
        code = parse_node(parser, parent, depth, &node);
        if (code != NIP_OK)
            return code;
        if (!is_ignored) {
            *first = node;
            first = &node->next;
        }
    }
}
