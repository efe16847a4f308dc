// SPDX-License-Identifier: Apache-2.0
//
// What choosing (mvs.c) and explaining (mvs_words.c) share. Private to mvs*.c.

#ifndef NIP_LIB_MVS_PARTS_H
#define NIP_LIB_MVS_PARTS_H

#include "nip/mvs.h"

#define MVS_NONE UINT32_MAX

// A name that somebody asked for.
struct mvs_name {
    const char *name;
    const struct nip_mvs_version *versions;
    size_t version_count;
    uint32_t *visit_of; // per version: its visit, or MVS_NONE
};

// A version that was reached, and by what.
struct mvs_visit {
    uint32_t name, version; // index of the name, and of the version among its versions
    uint32_t asker;         // visit; MVS_NONE: the project
    uint32_t skipped;       // yanked version passed over, or MVS_NONE
    uint32_t choice;        // while unused versions are left out: its choice, or MVS_NONE
    const struct nip_mvs_requirement *requirement;
};

struct nip_mvs {
    const struct nip_mvs_source *source;
    struct mvs_name *names;
    size_t name_count, name_capacity;
    uint32_t *table; // open addressing over names, a power of two of slots
    size_t table_size;
    struct mvs_visit *visits;
    size_t visit_count, visit_capacity;
    struct nip_mvs_choice *choices;
    size_t choice_count;
};

// "acme/ring 1.2.0 has no version ...": nothing fits a requirement.
enum nip_code mvs_fail_missing(const struct nip_mvs *mvs, const struct mvs_name *name,
                               const struct nip_mvs_requirement *requirement, uint32_t asker,
                               struct nip_error *err);

#endif
