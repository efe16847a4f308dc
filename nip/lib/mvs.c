// SPDX-License-Identifier: Apache-2.0
//
// Minimal version selection, in two passes over one queue each:
//
//   1. reach:  project ──> requirement ──> lowest fitting version ──> its requirements ──> ...
//   2. keep:   project ──> requirement ──> chosen version of that class ──> its requirements ──>
//   ...
//
// Both go by breadth, and the requirements of one version by name, so that the chain remembered for
// a version is a shortest one and the same whatever the order of the input was. Each version is
// visited once: the work is linear in versions and requirements, apart from sorting.

#include "nip/mvs.h"

#include <stdlib.h>
#include <string.h>

#include "mvs_parts.h"

static enum nip_code fail_memory(struct nip_error *err)
{
    return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory to choose versions");
}

// ---- names ----

static size_t hash_name(const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037); // FNV-1a
    for (; *name != '\0'; name++)
        hash = (hash ^ (uint8_t)*name) * UINT64_C(1099511628211);
    return (size_t)(hash ^ (hash >> 32));
}

static uint32_t *find_slot(const struct nip_mvs *mvs, const char *name)
{
    size_t slot = hash_name(name) & (mvs->table_size - 1);
    while (mvs->table[slot] != MVS_NONE && strcmp(mvs->names[mvs->table[slot]].name, name) != 0)
        slot = (slot + 1) & (mvs->table_size - 1);
    return &mvs->table[slot];
}

static enum nip_code grow_names(struct nip_mvs *mvs, struct nip_error *err)
{
    size_t capacity = mvs->name_capacity != 0 ? mvs->name_capacity * 2 : 64;
    if (mvs->name_count >= NIP_MVS_NAMES_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "more than %d names in one resolution",
                             NIP_MVS_NAMES_MAX);
    void *names = reallocarray(mvs->names, capacity, sizeof *mvs->names);
    if (names == NULL)
        return fail_memory(err);
    mvs->names = names;
    mvs->name_capacity = capacity;
    uint32_t *table = malloc(capacity * 2 * sizeof *table);
    if (table == NULL)
        return fail_memory(err);
    free(mvs->table);
    mvs->table = table;
    mvs->table_size = capacity * 2;
    memset(table, 0xff, mvs->table_size * sizeof *table);
    for (size_t i = 0; i < mvs->name_count; i++)
        *find_slot(mvs, mvs->names[i].name) = (uint32_t)i;
    return NIP_OK;
}

static enum nip_code load_versions(const struct nip_mvs *mvs, struct mvs_name *name,
                                   struct nip_error *err)
{
    const struct nip_mvs_source *source = mvs->source;
    enum nip_code code =
        source->versions(source->context, name->name, &name->versions, &name->version_count, err);
    for (size_t i = 1; code == NIP_OK && i < name->version_count; i++)
        if (nip_version_compare(&name->versions[i - 1].version, &name->versions[i].version) >= 0)
            code = nip_error_set(err, NIP_ERROR_INTERNAL, "the versions of %s are not in order",
                                 name->name);
    if (code == NIP_OK && name->version_count > NIP_MVS_VISITS_MAX)
        code = nip_error_set(err, NIP_ERROR_LIMIT, "%s has more than %d versions", name->name,
                             NIP_MVS_VISITS_MAX);
    if (code != NIP_OK)
        return code;
    name->visit_of = malloc((name->version_count + 1) * sizeof *name->visit_of);
    if (name->visit_of == NULL)
        return fail_memory(err);
    memset(name->visit_of, 0xff, (name->version_count + 1) * sizeof *name->visit_of);
    return NIP_OK;
}

static enum nip_code find_name(struct nip_mvs *mvs, const char *text, uint32_t *index,
                               struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    if (mvs->name_count == mvs->name_capacity)
        code = grow_names(mvs, err);
    if (code != NIP_OK)
        return code;
    uint32_t *slot = find_slot(mvs, text);
    if (*slot != MVS_NONE) {
        *index = *slot;
        return NIP_OK;
    }
    struct mvs_name *name = &mvs->names[mvs->name_count];
    *name = (struct mvs_name){.name = text};
    code = load_versions(mvs, name, err);
    if (code != NIP_OK)
        return code;
    *slot = *index = (uint32_t)mvs->name_count++;
    return NIP_OK;
}

// ---- pass 1: reach ----

// The lowest version that fits, and the first yanked one that was passed over for it.
static uint32_t lowest_fit(const struct mvs_name *name, const struct nip_version *at_least,
                           uint32_t *skipped)
{
    size_t low = 0, high = name->version_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (nip_version_compare(&name->versions[middle].version, at_least) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *skipped = MVS_NONE;
    for (; low < name->version_count; low++) {
        const struct nip_mvs_version *version = &name->versions[low];
        if (!nip_version_is_same_class(&version->version, at_least))
            break;
        // Is it a pre-release that nobody asked for?
        if (version->version.prerelease[0] != '\0' && at_least->prerelease[0] == '\0')
            continue;
        if (!version->is_yanked || version->is_locked)
            return (uint32_t)low;
        if (*skipped == MVS_NONE)
            *skipped = (uint32_t)low;
    }
    return MVS_NONE;
}

static enum nip_code add_visit(struct nip_mvs *mvs, const struct mvs_visit *visit,
                               struct nip_error *err)
{
    if (mvs->visit_count == NIP_MVS_VISITS_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "more than %d versions in one resolution",
                             NIP_MVS_VISITS_MAX);
    if (mvs->visit_count == mvs->visit_capacity) {
        size_t capacity = mvs->visit_capacity != 0 ? mvs->visit_capacity * 2 : 64;
        void *grown = reallocarray(mvs->visits, capacity, sizeof *mvs->visits);
        if (grown == NULL)
            return fail_memory(err);
        mvs->visits = grown;
        mvs->visit_capacity = capacity;
    }
    mvs->names[visit->name].visit_of[visit->version] = (uint32_t)mvs->visit_count;
    mvs->visits[mvs->visit_count++] = *visit;
    return NIP_OK;
}

static int compare_requirements(const void *a, const void *b)
{
    const struct nip_mvs_requirement *x = *(const struct nip_mvs_requirement *const *)a;
    const struct nip_mvs_requirement *y = *(const struct nip_mvs_requirement *const *)b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : nip_version_compare(&x->at_least, &y->at_least);
}

typedef enum nip_code (*follow_fn)(struct nip_mvs *mvs,
                                   const struct nip_mvs_requirement *requirement, size_t asker,
                                   struct nip_error *err);

// Follows each requirement, in an order that does not depend on that of the list.
static enum nip_code follow_all(struct nip_mvs *mvs, const struct nip_mvs_requirement *requirements,
                                size_t count, size_t asker, follow_fn follow, struct nip_error *err)
{
    const struct nip_mvs_requirement *few[32], **sorted = few;
    if (count > sizeof few / sizeof few[0])
        sorted = (const struct nip_mvs_requirement **)malloc(count * sizeof *sorted);
    if (sorted == NULL)
        return fail_memory(err);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &requirements[i];
    qsort((void *)sorted, count, sizeof *sorted, compare_requirements);
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < count; i++)
        code = follow(mvs, sorted[i], asker, err);
    if (sorted != few)
        free((void *)sorted);
    return code;
}

static enum nip_code requirements_of(const struct nip_mvs *mvs, const char *name,
                                     const struct nip_version *version,
                                     const struct nip_mvs_requirement **requirements, size_t *count,
                                     struct nip_error *err)
{
    *requirements = NULL;
    *count = 0;
    return mvs->source->requirements(mvs->source->context, name, version, requirements, count, err);
}

static enum nip_code reach(struct nip_mvs *mvs, const struct nip_mvs_requirement *requirement,
                           size_t asker, struct nip_error *err)
{
    struct mvs_visit visit = {
        .asker = (uint32_t)asker, .choice = MVS_NONE, .requirement = requirement};
    enum nip_code code = find_name(mvs, requirement->name, &visit.name, err);
    if (code != NIP_OK)
        return code;
    const struct mvs_name *name = &mvs->names[visit.name];
    visit.version = lowest_fit(name, &requirement->at_least, &visit.skipped);
    if (visit.version == MVS_NONE)
        return mvs_fail_missing(mvs, name, requirement, visit.asker, err);
    uint32_t known = name->visit_of[visit.version];
    if (known == MVS_NONE)
        return add_visit(mvs, &visit, err);
    if (mvs->visits[known].skipped == MVS_NONE)
        mvs->visits[known].skipped = visit.skipped;
    return NIP_OK;
}

static enum nip_code reach_all(struct nip_mvs *mvs, const struct nip_mvs_requirement *requirements,
                               size_t count, struct nip_error *err)
{
    enum nip_code code = follow_all(mvs, requirements, count, MVS_NONE, reach, err);
    for (size_t i = 0; code == NIP_OK && i < mvs->visit_count; i++) {
        const struct mvs_name *name = &mvs->names[mvs->visits[i].name];
        code = requirements_of(mvs, name->name, &name->versions[mvs->visits[i].version].version,
                               &requirements, &count, err);
        if (code == NIP_OK)
            code = follow_all(mvs, requirements, count, i, reach, err);
    }
    return code;
}

// ---- pass 2: keep ----

// The visit of the highest version that was reached in the class.
static struct mvs_visit *highest_reached(const struct nip_mvs *mvs, const struct mvs_name *name,
                                         const struct nip_version *in_class)
{
    struct mvs_visit *found = NULL;
    for (size_t i = 0; i < name->version_count; i++)
        if (name->visit_of[i] != MVS_NONE &&
            nip_version_is_same_class(&name->versions[i].version, in_class))
            found = &mvs->visits[name->visit_of[i]];
    return found;
}

static enum nip_code keep(struct nip_mvs *mvs, const struct nip_mvs_requirement *requirement,
                          size_t asker, struct nip_error *err)
{
    const struct mvs_name *name = &mvs->names[*find_slot(mvs, requirement->name)];
    struct mvs_visit *visit = highest_reached(mvs, name, &requirement->at_least);
    if (visit == NULL)
        return nip_error_set(err, NIP_ERROR_INTERNAL, "%s was asked for and not reached",
                             name->name);
    if (visit->choice != MVS_NONE)
        return NIP_OK;
    const struct nip_mvs_version *version = &name->versions[visit->version];
    visit->choice = (uint32_t)mvs->choice_count;
    mvs->choices[mvs->choice_count++] = (struct nip_mvs_choice){
        .name = name->name,
        .version = &version->version,
        .at_least = &requirement->at_least,
        .asker = asker,
        .skipped = visit->skipped != MVS_NONE ? &name->versions[visit->skipped].version : NULL,
        .is_yanked = version->is_yanked,
    };
    return NIP_OK;
}

static enum nip_code keep_all(struct nip_mvs *mvs, const struct nip_mvs_requirement *requirements,
                              size_t count, struct nip_error *err)
{
    mvs->choices = calloc(mvs->visit_count + 1, sizeof *mvs->choices);
    if (mvs->choices == NULL)
        return fail_memory(err);
    enum nip_code code = follow_all(mvs, requirements, count, NIP_MVS_PROJECT, keep, err);
    for (size_t i = 0; code == NIP_OK && i < mvs->choice_count; i++) {
        code = requirements_of(mvs, mvs->choices[i].name, mvs->choices[i].version, &requirements,
                               &count, err);
        if (code == NIP_OK)
            code = follow_all(mvs, requirements, count, i, keep, err);
    }
    return code;
}

// ---- the order of the answer ----

struct ordered {
    struct nip_mvs_choice choice;
    size_t before; // where it stood
};

static int compare_ordered(const void *a, const void *b)
{
    const struct nip_mvs_choice *x = &((const struct ordered *)a)->choice;
    const struct nip_mvs_choice *y = &((const struct ordered *)b)->choice;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : nip_version_compare(x->version, y->version);
}

// Sorts by name; askers are numbers of choices and move with them.
static enum nip_code sort_choices(struct nip_mvs *mvs, struct nip_error *err)
{
    size_t count = mvs->choice_count;
    struct ordered *ordered = calloc(count + 1, sizeof *ordered);
    size_t *now = calloc(count + 1, sizeof *now);
    if (ordered != NULL && now != NULL) {
        for (size_t i = 0; i < count; i++)
            ordered[i] = (struct ordered){mvs->choices[i], i};
        qsort(ordered, count, sizeof *ordered, compare_ordered);
        for (size_t i = 0; i < count; i++)
            now[ordered[i].before] = i;
        for (size_t i = 0; i < count; i++) {
            mvs->choices[i] = ordered[i].choice;
            if (mvs->choices[i].asker != NIP_MVS_PROJECT)
                mvs->choices[i].asker = now[mvs->choices[i].asker];
        }
    }
    bool fine = ordered != NULL && now != NULL;
    free(ordered);
    free(now);
    return fine ? NIP_OK : fail_memory(err);
}

enum nip_code nip_mvs_solve(const struct nip_mvs_source *source,
                            const struct nip_mvs_requirement *requirements, size_t count,
                            struct nip_mvs **mvs, struct nip_error *err)
{
    *mvs = NULL;
    struct nip_mvs *made = calloc(1, sizeof *made);
    if (made == NULL)
        return fail_memory(err);
    made->source = source;
    enum nip_code code = reach_all(made, requirements, count, err);
    if (code == NIP_OK)
        code = keep_all(made, requirements, count, err);
    if (code == NIP_OK)
        code = sort_choices(made, err);
    if (code != NIP_OK) {
        nip_mvs_free(made);
        return code;
    }
    *mvs = made;
    return NIP_OK;
}

void nip_mvs_free(struct nip_mvs *mvs)
{
    if (mvs == NULL)
        return;
    for (size_t i = 0; i < mvs->name_count; i++)
        free(mvs->names[i].visit_of);
    free(mvs->names);
    free(mvs->table);
    free(mvs->visits);
    free(mvs->choices);
    free(mvs);
}

const struct nip_mvs_choice *nip_mvs_choices(const struct nip_mvs *mvs, size_t *count)
{
    *count = mvs->choice_count;
    return mvs->choices;
}
