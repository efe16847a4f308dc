// SPDX-License-Identifier: Apache-2.0
//
// KDL 2.0: the complete document language (https://kdl.dev/spec), parsed into a tree and printed.
//
//   document ── node ── node ── node                     siblings by `next`
//                 ├─ entry ── entry ── entry             arguments and properties, as written
//                 └─ children: node ── node              by `children`
//
// A document owns everything below it in one arena and keeps a copy of the source text. Every node,
// entry, value and annotation knows the bytes it came from, so a schema check can point at exactly
// the wrong word: nip_kdl_error_at(). Slashdashed parts are parsed, checked and left out.
//
// Strings are UTF-8 and may contain NUL (written \u{0}); each is followed by a NUL of its own that
// is not part of it. Duplicate properties are all kept; by the language the last one counts
// (nip_kdl_property), and a schema that refuses duplicates can see them.
//
// Nothing in the input makes the parser use unbounded stack or memory: see nip_kdl_limits.

#ifndef NIP_KDL_H
#define NIP_KDL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/buffer.h"
#include "nip/error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct nip_kdl_limits {
    size_t size_max;         // bytes of text; 0 means NIP_KDL_SIZE_MAX
    uint32_t depth_max;      // nesting of children blocks; 0 means NIP_KDL_DEPTH_MAX
    uint32_t item_count_max; // nodes and entries, ignored ones included; 0: NIP_KDL_ITEM_COUNT_MAX
};

#define NIP_KDL_SIZE_MAX       ((size_t)1 << 20)
#define NIP_KDL_DEPTH_MAX      64u
#define NIP_KDL_ITEM_COUNT_MAX 100000u
// Digits of one number, a limit of its own because conversion to decimal is quadratic.
#define NIP_KDL_NUMBER_SIZE_MAX ((size_t)1024)

// Bytes [offset, offset + size) of the source, with the place of the first one.
struct nip_kdl_span {
    uint32_t offset, size;
    uint32_t line, column; // 1-based; the column counts code points
};

struct nip_kdl_string {
    const char *text; // NULL: there is no such string (no annotation, no key)
    size_t size;
};

enum nip_kdl_kind {
    NIP_KDL_NULL,
    NIP_KDL_BOOLEAN,
    NIP_KDL_STRING,
    NIP_KDL_INTEGER,  // written without fraction and exponent, of any size
    NIP_KDL_DECIMAL,  // written with fraction or exponent
    NIP_KDL_INFINITY, // #inf or #-inf
    NIP_KDL_NAN,
};

struct nip_kdl_value {
    enum nip_kdl_kind kind;
    bool boolean;                  // BOOLEAN
    struct nip_kdl_string text;    // STRING: its content. Otherwise the canonical spelling: decimal
                                   // digits without plus sign, separators or leading zeros
    struct nip_kdl_string type;    // annotation
    struct nip_kdl_span span;      // without the annotation
    struct nip_kdl_span type_span; // the name inside the parentheses
};

struct nip_kdl_entry {
    struct nip_kdl_entry *next;
    struct nip_kdl_string key; // text is NULL for an argument
    struct nip_kdl_span key_span;
    struct nip_kdl_value value;
    struct nip_kdl_span span; // all of it
};

struct nip_kdl_node {
    struct nip_kdl_node *next, *parent; // parent is NULL at the top
    struct nip_kdl_string name, type;
    struct nip_kdl_entry *entries;
    struct nip_kdl_node *children;
    struct nip_kdl_span name_span, type_span;
    struct nip_kdl_span span; // from annotation or name to the last byte before the terminator
    struct nip_kdl_span children_span; // the block with both braces; size 0 if there is none
};

struct nip_kdl_document;

// Parses `text`, which is copied. `file` is what errors call it. `limits` may be NULL. On success
// the caller frees *document with nip_kdl_document_free(); on failure *document is NULL and `err`
// says SYNTAX or LIMIT with the place.
enum nip_code nip_kdl_parse(const char *text, size_t size, const char *file,
                            const struct nip_kdl_limits *limits, struct nip_kdl_document **document,
                            struct nip_error *err) NIP_MUST_CHECK;
void nip_kdl_document_free(struct nip_kdl_document *document); // NULL is fine

// The first top-level node, or NULL.
const struct nip_kdl_node *nip_kdl_document_nodes(const struct nip_kdl_document *document);
const char *nip_kdl_document_file(const struct nip_kdl_document *document);
// The source text as parsed, NUL-terminated.
const char *nip_kdl_document_text(const struct nip_kdl_document *document, size_t *size);

// Sets code and message and points at `span` in the document's source (line, excerpt, caret).
enum nip_code nip_kdl_error_at(const struct nip_kdl_document *document, struct nip_kdl_span span,
                               struct nip_error *err, enum nip_code code, const char *format, ...)
    NIP_PRINTF(5, 6);
#ifdef __clang_analyzer__ // never NIP_OK: see nip_error_set()
#define nip_kdl_error_at(...) nip_error_is_set((nip_kdl_error_at)(__VA_ARGS__))
#endif

bool nip_kdl_string_equals(struct nip_kdl_string string, const char *text);

// The first node named `name` among `first` and its later siblings, or NULL. To find the next one,
// search from found->next.
const struct nip_kdl_node *nip_kdl_find(const struct nip_kdl_node *first, const char *name);
const struct nip_kdl_node *nip_kdl_child(const struct nip_kdl_node *node, const char *name);
// Argument number `index` (from 0, not counting properties), or NULL.
const struct nip_kdl_value *nip_kdl_argument(const struct nip_kdl_node *node, size_t index);
size_t nip_kdl_argument_count(const struct nip_kdl_node *node);
// The property that counts (the last one of that key), or NULL.
const struct nip_kdl_value *nip_kdl_property(const struct nip_kdl_node *node, const char *key);

// Whether `value` is an integer within the range of the type; then stores it.
bool nip_kdl_value_u64(const struct nip_kdl_value *value, uint64_t *number);
bool nip_kdl_value_i64(const struct nip_kdl_value *value, int64_t *number);

// The canonical printing: four spaces per level, properties sorted after the arguments, the last of
// equal properties only, strings bare where possible. Parsing it gives the same tree, and printing
// that gives the same bytes.
void nip_kdl_print(const struct nip_kdl_document *document, struct nip_buffer *out);
void nip_kdl_print_node(const struct nip_kdl_node *node, unsigned depth, struct nip_buffer *out);
// The text with four spaces per level, single spaces and LF; comments, spelling and order as they
// are. SYNTAX when it does not parse. The result means what the text means: checked.
enum nip_code nip_kdl_format(const char *text, size_t size, const char *file,
                             struct nip_buffer *out, struct nip_error *err) NIP_MUST_CHECK;
// One string as a KDL value: bare where that is allowed, else quoted. For whoever writes KDL text.
void nip_kdl_print_string(const char *text, size_t size, struct nip_buffer *out);
// Always quoted.
void nip_kdl_print_quoted(const char *text, size_t size, struct nip_buffer *out);

#ifdef __cplusplus
}
#endif

#endif
