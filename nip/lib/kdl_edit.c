// SPDX-License-Identifier: Apache-2.0
//
// Editing KDL text by the places of its nodes.

#include "nip/kdl_edit.h"

#include <string.h>

static void append_child_line(struct nip_buffer *out, const char *child)
{
    nip_buffer_append_format(out, "    %s\n", child);
}

// Whether only blanks stand between the start of its line and `at`.
static bool is_first_of_line(const char *text, size_t at, size_t *line)
{
    *line = at;
    while (*line > 0 && (text[*line - 1] == ' ' || text[*line - 1] == '\t'))
        --*line;
    return *line == 0 || text[*line - 1] == '\n';
}

void nip_kdl_put_child(const struct nip_kdl_document *document, const char *parent,
                       const struct nip_kdl_node *old, const char *child, struct nip_buffer *out)
{
    size_t size = 0, line = 0;
    const char *text = nip_kdl_document_text(document, &size);
    const struct nip_kdl_node *node = nip_kdl_find(nip_kdl_document_nodes(document), parent);
    if (old != NULL) {
        size_t end = (size_t)old->span.offset + old->span.size;
        nip_buffer_append(out, text, old->span.offset);
        nip_buffer_append_text(out, child);
        nip_buffer_append(out, text + end, size - end);
    } else if (node != NULL && node->children_span.size != 0) {
        size_t brace = (size_t)node->children_span.offset + node->children_span.size - 1;
        bool is_own_line = is_first_of_line(text, brace, &line);
        nip_buffer_append(out, text, is_own_line ? line : brace);
        if (!is_own_line) // a newline ends whatever stands before the brace
            nip_buffer_append_byte(out, '\n');
        append_child_line(out, child);
        nip_buffer_append(out, text + (is_own_line ? line : brace),
                          size - (is_own_line ? line : brace));
    } else if (node != NULL) {
        size_t end = (size_t)node->span.offset + node->span.size;
        nip_buffer_append(out, text, end);
        nip_buffer_append_text(out, " {\n");
        append_child_line(out, child);
        nip_buffer_append_byte(out, '}');
        nip_buffer_append(out, text + end, size - end);
    } else {
        nip_buffer_append(out, text, size);
        if (size != 0 && text[size - 1] != '\n')
            nip_buffer_append_byte(out, '\n');
        nip_buffer_append_format(out, "\n%s {\n", parent);
        append_child_line(out, child);
        nip_buffer_append_text(out, "}\n");
    }
}

// Widens the bytes of a node to its terminator, and to the whole line if nothing else is on it.
static void widen(const char *text, size_t size, size_t *start, size_t *end)
{
    size_t line = 0;
    while (*end < size && (text[*end] == ' ' || text[*end] == '\t'))
        ++*end;
    if (*end < size && text[*end] == ';')
        ++*end;
    size_t after = *end;
    while (after < size && (text[after] == ' ' || text[after] == '\t'))
        after++;
    bool ends_line = after == size || text[after] == '\n';
    if (!ends_line || !is_first_of_line(text, *start, &line))
        return;
    *start = line;
    *end = after < size ? after + 1 : after;
    // An empty line before and after leaves one.
    if (*start > 1 && text[*start - 2] == '\n' && (*end == size || text[*end] == '\n'))
        --*start;
}

void nip_kdl_remove_nodes(const struct nip_kdl_document *document,
                          const struct nip_kdl_node *const *nodes, size_t count,
                          struct nip_buffer *out)
{
    size_t size = 0, at = 0;
    const char *text = nip_kdl_document_text(document, &size);
    for (size_t i = 0; i < count; i++) {
        size_t start = nodes[i]->span.offset, end = start + nodes[i]->span.size;
        widen(text, size, &start, &end);
        if (start > at)
            nip_buffer_append(out, text + at, start - at);
        at = end > at ? end : at;
    }
    nip_buffer_append(out, text + at, size - at);
}
