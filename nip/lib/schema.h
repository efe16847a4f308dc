// SPDX-License-Identifier: Apache-2.0
//
// Tables that say what a manifest may contain: one per node, used three times.
//
//   KDL text ──schema_read()──> structure ──schema_check_packed()── packed record ──> kernel
//                                    └──────schema_compare()───────────┘
//
// Reading takes nodes, arguments and properties by the table and refuses all others; checking
// applies the same types and limits to a structure that arrived packed, and wants every byte that
// no field covers to be zero; comparing names the first field in which two structures differ. So a
// limit stands in one place, and a field cannot exist in only one of the two forms.

#ifndef NIP_LIB_SCHEMA_H
#define NIP_LIB_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/error.h"
#include "nip/kdl.h"

enum schema_type {
    SCHEMA_TEXT,       // UTF-8 without control characters
    SCHEMA_NAME,       // namespace/name
    SCHEMA_VERSION,    // SemVer 2 without build metadata
    SCHEMA_REQUIREMENT, // a lower bound: "1", "1.2", "1.2.3" or a full version
    SCHEMA_LINK, // an address that begins with https:// or http://
    SCHEMA_LABEL,      // [a-z][a-z0-9]*(-[a-z0-9]+)*
    SCHEMA_COMPATIBLE, // a device tree "compatible" string
    SCHEMA_NUMBER,     // minimum..maximum
    SCHEMA_SIZE,       // bytes, or "64KiB", "1MiB"; a multiple of `unit`
    SCHEMA_DURATION,  // "500us", "20ms", "60s"; stored as a count of `unit` microseconds
    SCHEMA_PCI_CLASS, // 2, 4 or 6 hexadecimal digits as a text; stored as RUMPK_PCI_CLASS
    SCHEMA_BOOLEAN,
    SCHEMA_CHOICE,    // one of the names of `choices`
    SCHEMA_CHOICES,   // several arguments, each one of `choices`; the values are or-ed
    SCHEMA_TEXTS,     // several arguments: char[list_max][list_item_size], count at count_offset
    SCHEMA_KEY,       // base64 of a public key; 32 bytes in the structure
    SCHEMA_CONSTANT,  // not written in KDL: always `minimum` in the structure
    SCHEMA_BYTES,     // not written in KDL: any bytes
    SCHEMA_PLACE,     // not written in KDL: struct nip_kdl_span of the node
};

struct schema_choice {
    const char *name; // NULL ends the list
    uint32_t value;
};

struct schema_field {
    const char *name;  // property; also what errors call it
    bool is_argument;  // positional, in the order of the table
    bool is_required;
    bool is_positive;  // TEXT: must not be empty. (NUMBER, SIZE: use minimum)
    bool is_hex;       // NUMBER: documented and shown in base 16
    bool allows_lines; // TEXT: may contain newlines and tabs
    enum schema_type type;
    size_t offset, size; // in the structure; numbers and choices: 4 or 8 bytes
    uint64_t minimum, maximum, unit;
    uint64_t fallback; // of a number that is not written
    const struct schema_choice *choices;
    size_t count_offset, item_size; // TEXTS
    const char *help; // for docs/manifest.md; may be NULL
};

struct schema_node;
struct schema_place { // where a check stands
    const struct nip_kdl_document *document;
    const struct nip_kdl_node *node;
};

// Whatever spans several fields. `element` is the structure just read, number `index` of the
// array in `parent`.
typedef enum nip_code (*schema_check_fn)(const struct schema_place *place, const void *parent,
                                         const void *element, uint32_t index,
                                         struct nip_error *err);

struct schema_node {
    const char *name;
    const struct schema_field *fields;
    size_t field_count;
    const struct schema_node *children;
    size_t child_count;
    bool is_required;
    size_t offset;       // of the structure, or of the array of them, in the parent's structure
    size_t element_size; // 0: a single structure, at most one such node
    size_t count_offset; // arrays: uint32_t in the parent's structure
    uint32_t count_max;
    schema_check_fn check; // may be NULL
    const char *help;      // for docs/manifest.md; may be NULL
};

#define SCHEMA_COUNT(array) (sizeof(array) / sizeof((array)[0]))
// offset and size of a member, for the tables
#define SCHEMA_AT(type, member) \
    .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

// Reads the top level of `document` into `target`, which the caller has zeroed.
enum nip_code schema_read(const struct nip_kdl_document *document, const struct schema_node *nodes,
                          size_t node_count, void *target, struct nip_error *err) NIP_MUST_CHECK;

// Whether the constants of `node` are those of the structure: which of several nodes it came from.
bool schema_is_of(const struct schema_node *node, const void *element);

// Applies types, limits and constants of `node` to the bytes [from, to) of `element`; those that no
// field covers must be zero. FORMAT with "`what`: ..." in the message.
enum nip_code schema_check_packed(const struct schema_node *node, const void *element, size_t from,
                                  size_t to, const char *what, struct nip_error *err)
    NIP_MUST_CHECK;

// MISMATCH naming the first field within [from, to) that differs, with both values.
enum nip_code schema_compare(const struct schema_node *node, const void *text, const void *packed,
                             size_t from, size_t to, const char *what, struct nip_error *err)
    NIP_MUST_CHECK;

// A label by the rule above, at most size_max bytes with its NUL.
bool schema_is_label(const char *text, size_t size, size_t size_max);

#endif
