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
    MANIFEST_BUILD_FIELDS = 1,
    MANIFEST_BUILD_CHILDREN = 4,
    MANIFEST_DEPENDENCIES_CHILDREN = 2,
};
extern const struct schema_field manifest_package_fields[MANIFEST_PACKAGE_FIELDS];
extern const struct schema_node manifest_package_children[MANIFEST_PACKAGE_CHILDREN];
extern const struct schema_field manifest_build_fields[MANIFEST_BUILD_FIELDS];
extern const struct schema_node manifest_build_children[MANIFEST_BUILD_CHILDREN];
extern const struct schema_node manifest_dependencies_children[MANIFEST_DEPENDENCIES_CHILDREN];

extern const struct schema_node manifest_schema[MANIFEST_PART_COUNT];
extern const struct schema_choice manifest_archs[], manifest_spectrums[], manifest_kinds[],
    manifest_styles[], manifest_restarts[], manifest_pledges[], manifest_build_systems[];

// What spans the lines of `build`.
enum nip_code manifest_check_build(const struct schema_place *place, const void *parent,
                                   const void *element, uint32_t index,
                                   struct nip_error *err) NIP_MUST_CHECK;

// Whether the fields of a PCI function go together: vendor and device, or a class, or both.
bool manifest_pci_is_complete(uint32_t vendor_id, uint32_t device_id, uint32_t class_code);
// The same for a match or a request of any bus; others have none of these fields.
bool manifest_match_is_complete(const struct rumpk_bkdl_match *match);
bool manifest_request_is_complete(const struct rumpk_bkdl_request *request);

// What spans several fields and lists, the same for text and packed form: names of requests and of
// services are unique, a package that is no driver asks for nothing. `place_of` is not needed by
// the caller: the message names the field.
enum nip_code manifest_check_whole(const struct nip_manifest *manifest, struct nip_error *err)
    NIP_MUST_CHECK;

#endif
