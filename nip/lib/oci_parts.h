// SPDX-License-Identifier: Apache-2.0
//
// What the files of OCI texts share. Private to oci*.c.

#ifndef NIP_LIB_OCI_PARTS_H
#define NIP_LIB_OCI_PARTS_H

#include "nip/json.h"
#include "nip/oci.h"

struct nip_json *oci_make_descriptor(const char *media_type, const struct nip_oci_blob *blob);
// Whether it is a descriptor of that media type; then reads digest and size.
bool oci_read_descriptor(const struct nip_json *json, const char *media_type,
                         struct nip_oci_blob *blob);

#endif
