// SPDX-License-Identifier: Apache-2.0
//
// Requirements as text, and why versions were chosen or contradict each other, in words.

#include <stdio.h>
#include <string.h>

#include "mvs_parts.h"

// ---- text of versions and requirements ----

void nip_version_text(const struct nip_version *version, char out[NIP_VERSION_MAX + 1])
{
    char text[2 * (NIP_VERSION_MAX + 1)]; // what was parsed is shorter; this shows the compiler
    snprintf(text, sizeof text, "%llu.%llu.%llu%s%s", (unsigned long long)version->major,
             (unsigned long long)version->minor, (unsigned long long)version->patch,
             version->prerelease[0] != '\0' ? "-" : "", version->prerelease);
    snprintf(out, NIP_VERSION_MAX + 1, "%.*s", NIP_VERSION_MAX, text);
}

void nip_version_class_text(const struct nip_version *version, char out[NIP_VERSION_MAX + 1])
{
    if (version->major != 0)
        snprintf(out, NIP_VERSION_MAX + 1, "%llu", (unsigned long long)version->major);
    else if (version->minor != 0)
        snprintf(out, NIP_VERSION_MAX + 1, "0.%llu", (unsigned long long)version->minor);
    else
        nip_version_text(version, out);
}

enum nip_code nip_requirement_check(const char *text, struct nip_version *at_least,
                                    struct nip_error *err)
{
    if (nip_requirement_parse(text, strlen(text), at_least))
        return NIP_OK;
    enum nip_code code =
        nip_error_set(err, NIP_ERROR_NAME, "'%s' is no lower bound of a version", text);
    nip_error_hint(err, "write the lowest version that will do, like 1, 1.2 or 1.2.3; below 1.0 "
                        "with its minor number, like 0.4, and below 0.1 in full, like 0.0.7");
    return code;
}

// ---- chains ----

static void append_version(struct nip_buffer *out, const char *name,
                           const struct nip_version *version)
{
    char text[NIP_VERSION_MAX + 1];
    nip_version_text(version, text);
    nip_buffer_append_format(out, "%s %s", name, text);
}

enum { CHAIN_SHOWN_MAX = 8 };

static const char *root_words(const struct nip_mvs *mvs)
{
    return mvs->source->root != NULL ? mvs->source->root : "this project";
}

void nip_mvs_chain(const struct nip_mvs *mvs, size_t choice, struct nip_buffer *out)
{
    // From the choice to the project, then said the other way round.
    size_t links[CHAIN_SHOWN_MAX], count = 0, left_out = 0;
    for (size_t at = choice; at != NIP_MVS_PROJECT; at = mvs->choices[at].asker) {
        if (count < CHAIN_SHOWN_MAX)
            links[count++] = at;
        else
            left_out++;
    }
    nip_buffer_append_text(out, root_words(mvs));
    if (left_out != 0)
        nip_buffer_append_format(out, " (through %zu others)", left_out);
    for (size_t i = count; i-- > 0;) {
        const struct nip_mvs_choice *link = &mvs->choices[links[i]];
        nip_buffer_append_text(out, i + 1 == count ? " asks for " : ", which asks for ");
        append_version(out, link->name, link->at_least);
    }
}

// The chain of a version that was reached, for errors before anything is chosen.
static void append_visit_chain(const struct nip_mvs *mvs, uint32_t visit, struct nip_buffer *out)
{
    uint32_t links[CHAIN_SHOWN_MAX];
    size_t count = 0, left_out = 0;
    for (uint32_t at = visit; at != MVS_NONE; at = mvs->visits[at].asker) {
        if (count < CHAIN_SHOWN_MAX)
            links[count++] = at;
        else
            left_out++;
    }
    nip_buffer_append_text(out, root_words(mvs));
    if (left_out != 0)
        nip_buffer_append_format(out, " (through %zu others)", left_out);
    for (size_t i = count; i-- > 0;) {
        const struct mvs_visit *link = &mvs->visits[links[i]];
        const struct mvs_name *name = &mvs->names[link->name];
        nip_buffer_append_text(out, " -> ");
        append_version(out, name->name, &name->versions[link->version].version);
    }
}

// The highest versions of a name, yanked ones marked.
static void append_known(const struct mvs_name *name, struct nip_buffer *out)
{
    enum { SHOWN_MAX = 8 };
    size_t first = name->version_count > SHOWN_MAX ? name->version_count - SHOWN_MAX : 0;
    if (first != 0)
        nip_buffer_append_text(out, "..., ");
    for (size_t i = first; i < name->version_count; i++) {
        char text[NIP_VERSION_MAX + 1];
        nip_version_text(&name->versions[i].version, text);
        nip_buffer_append_format(out, "%s%s%s", i != first ? ", " : "", text,
                                 name->versions[i].is_yanked ? " (yanked)" : "");
    }
}

enum nip_code mvs_fail_missing(const struct nip_mvs *mvs, const struct mvs_name *name,
                               const struct nip_mvs_requirement *requirement, uint32_t asker,
                               struct nip_error *err)
{
    struct nip_buffer chain = {0}, known = {0};
    char bound[NIP_VERSION_MAX + 1], class[NIP_VERSION_MAX + 1];
    nip_version_text(&requirement->at_least, bound);
    nip_version_class_text(&requirement->at_least, class);
    append_visit_chain(mvs, asker, &chain);
    append_known(name, &known);
    nip_error_set(err, NIP_ERROR_MISSING, "no version of %s fits %s or later in class %s",
                  requirement->name, bound, class);
    if (name->version_count == 0)
        nip_error_hint(err, "asked for by: %s\nthere is no version of it at all",
                       nip_buffer_text(&chain));
    else
        nip_error_hint(err, "asked for by: %s\nthere is: %s", nip_buffer_text(&chain),
                       nip_buffer_text(&known));
    nip_buffer_free(&chain);
    nip_buffer_free(&known);
    return NIP_ERROR_MISSING;
}

// ---- two classes in one link ----

// Looks for versions of the asker of `choice` that ask for the other class instead.
static void append_remedy(const struct nip_mvs *mvs, const struct nip_mvs_choice *choice,
                          const struct nip_mvs_choice *other, struct nip_buffer *out)
{
    char class[NIP_VERSION_MAX + 1];
    nip_version_class_text(other->version, class);
    if (choice->asker == NIP_MVS_PROJECT) {
        nip_buffer_append_format(out, "\nthis would fit: this project asking for %s %s",
                                 choice->name, class);
        return;
    }
    const struct nip_mvs_choice *asker = &mvs->choices[choice->asker];
    const struct nip_mvs_source *source = mvs->source;
    const struct nip_mvs_version *versions = NULL;
    size_t count = 0;
    if (source->versions(source->context, asker->name, &versions, &count, NULL) != NIP_OK)
        count = 0;
    enum { LOOKED_AT_MAX = 32 }; // the highest ones
    size_t lowest = count > LOOKED_AT_MAX ? count - LOOKED_AT_MAX : 0;
    for (size_t i = count; i-- > lowest;) {
        const struct nip_mvs_requirement *asks = NULL;
        size_t ask_count = 0;
        if (versions[i].is_yanked ||
            source->requirements(source->context, asker->name, &versions[i].version, &asks,
                                 &ask_count, NULL) != NIP_OK)
            continue;
        for (size_t k = 0; k < ask_count; k++)
            if (strcmp(asks[k].name, choice->name) == 0 &&
                nip_version_is_same_class(&asks[k].at_least, other->version)) {
                nip_buffer_append_text(out, "\nthis would fit: ");
                append_version(out, asker->name, &versions[i].version);
                nip_buffer_append_format(out, ", which asks for %s %s", choice->name, class);
                return;
            }
    }
    nip_buffer_append_format(out, "\nno version of %s asks for %s %s", asker->name, choice->name,
                             class);
}

enum nip_code nip_mvs_check_link(const struct nip_mvs *mvs, struct nip_error *err)
{
    for (size_t i = 1; i < mvs->choice_count; i++) {
        const struct nip_mvs_choice *a = &mvs->choices[i - 1], *b = &mvs->choices[i];
        if (strcmp(a->name, b->name) != 0)
            continue;
        char low[NIP_VERSION_MAX + 1], high[NIP_VERSION_MAX + 1];
        nip_version_text(a->version, low);
        nip_version_text(b->version, high);
        struct nip_buffer hint = {0};
        nip_mvs_chain(mvs, i - 1, &hint);
        nip_buffer_append_byte(&hint, '\n');
        nip_mvs_chain(mvs, i, &hint);
        append_remedy(mvs, a, b, &hint);
        append_remedy(mvs, b, a, &hint);
        nip_error_set(err, NIP_ERROR_CONFLICT,
                      "%s would be linked in two versions that do not fit each other, %s and %s",
                      a->name, low, high);
        nip_error_hint(err, "%s", nip_buffer_text(&hint));
        nip_buffer_free(&hint);
        return NIP_ERROR_CONFLICT;
    }
    return NIP_OK;
}
