// SPDX-License-Identifier: Apache-2.0
//
// The schema of npl.kdl, shared by the reader of the text and the reader of the packed form.
// Offsets are those of struct nip_manifest, or of the record for nodes that fill arrays.

#ifndef NIP_LIB_MANIFEST_SCHEMA_H
#define NIP_LIB_MANIFEST_SCHEMA_H

#include "nip/manifest.h"
#include "schema.h"

enum manifest_part {
    MANIFEST_PACKAGE,
    MANIFEST_BUILD,
    MANIFEST_DEPENDENCIES,
    MANIFEST_RUNTIME,
    MANIFEST_MATCH,
    MANIFEST_REQUEST,
    MANIFEST_PROVIDES,
    MANIFEST_NEEDS,
    MANIFEST_PART_COUNT
};

enum {
    MANIFEST_PACKAGE_FIELDS = 2,
    MANIFEST_PACKAGE_CHILDREN = 8,
    MANIFEST_BUILD_CHILDREN = 3,
    MANIFEST_DEPENDENCIES_CHILDREN = 1,
};
extern const struct schema_field manifest_package_fields[MANIFEST_PACKAGE_FIELDS];
extern const struct schema_node manifest_package_children[MANIFEST_PACKAGE_CHILDREN];
extern const struct schema_node manifest_build_children[MANIFEST_BUILD_CHILDREN];
extern const struct schema_node manifest_dependencies_children[MANIFEST_DEPENDENCIES_CHILDREN];

extern const struct schema_node manifest_schema[MANIFEST_PART_COUNT];
extern const struct schema_choice manifest_archs[], manifest_spectrums[], manifest_kinds[],
    manifest_styles[];

// What spans several fields and lists, the same for text and packed form: names of requests and of
// services are unique, a package that is no driver asks for nothing. `place_of` is not needed by
// the caller: the message names the field.
enum nip_code manifest_check_whole(const struct nip_manifest *manifest, struct nip_error *err)
    NIP_MUST_CHECK;

#endif
