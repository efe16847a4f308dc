// SPDX-License-Identifier: Apache-2.0
//
// tree.c: the tree that the outside sees: names, attributes, directories.
//
//   /            place.service == BRIDGE_ROOT
//   /block       services[0], path ""
//   /block/data  services[0], path "data"
//
// Nothing is remembered about the files of a service: each answer asks it anew.
#include "bridge.h"
#include <string.h>

#define NUMBER_BITS  56u
#define NAME_MAX     63u // struct npl_stat
#define LIST_MAX     8u
#define ENTRY_HEADER 24u // qid, offset, type and length of the name in Rreaddir
#define BLOCK_SIZE   512u

static uint64_t qid_path(const struct bridge_place *place)
{
    if (place->service == BRIDGE_ROOT)
        return 0;
    return (uint64_t)(place->service + 1) << NUMBER_BITS |
           (place->number & ((UINT64_C(1) << NUMBER_BITS) - 1));
}

void bridge_put_qid(struct field *out, const struct bridge_place *place)
{
    field_put(out, 1, place->is_directory ? L_QT_DIRECTORY : 0);
    field_put(out, 4, 0);
    field_put(out, 8, qid_path(place));
}

// A name that can stand between two slashes.
static bool is_name(struct field_text name)
{
    return name.size > 0 && name.size <= NAME_MAX && !memchr(name.bytes, '/', name.size) &&
           !memchr(name.bytes, '\0', name.size);
}

uint32_t bridge_stat(struct bridge *bridge, const struct bridge_place *place, struct npl_stat *stat)
{
    if (place->service == BRIDGE_ROOT) {
        *stat = (struct npl_stat){.is_directory = true, .mode = 0555};
        return 0;
    }
    if (!bridge_reserve(bridge, place->service))
        return L_EIO;
    int64_t result =
        npl_client_stat_path(&bridge->services[place->service].client, place->path, stat);
    return result < 0 ? bridge_error(bridge, place->service, result) : 0;
}

// Completes a place whose service and path are set.
static uint32_t arrive(struct bridge *bridge, struct bridge_place *place)
{
    struct npl_stat stat;
    uint32_t error = bridge_stat(bridge, place, &stat);

    if (error)
        return error;
    place->is_directory = stat.is_directory;
    place->number = stat.number;
    return 0;
}

static uint32_t step_up(struct bridge *bridge, struct bridge_place *place)
{
    char *slash = strrchr(place->path, '/');

    if (place->service == BRIDGE_ROOT || place->path[0] == '\0') {
        *place = (struct bridge_place){.service = BRIDGE_ROOT, .is_directory = true};
        return 0;
    }
    *(slash ? slash : place->path) = '\0';
    return arrive(bridge, place);
}

uint32_t bridge_step(struct bridge *bridge, struct bridge_place *place, struct field_text name)
{
    struct bridge_place next = *place;
    uint32_t error = L_ENOENT;

    if (!place->is_directory)
        return L_ENOTDIR;
    if (field_text_is(name, "."))
        return 0;
    if (!is_name(name))
        return name.size > NAME_MAX ? L_ENAMETOOLONG : L_ENOENT;
    if (field_text_is(name, "..")) {
        error = step_up(bridge, &next);
    } else if (place->service == BRIDGE_ROOT) {
        for (uint32_t index = 0; error && index < bridge->service_count; index++) {
            next.service = index;
            if (field_text_is(name, bridge->services[index].name))
                error = arrive(bridge, &next);
        }
    } else {
        size_t size = strlen(next.path);

        if (size + 1 + name.size >= sizeof(next.path))
            return L_ENAMETOOLONG;
        if (size > 0)
            next.path[size++] = '/';
        memcpy(next.path + size, name.bytes, name.size);
        next.path[size + name.size] = '\0';
        error = arrive(bridge, &next);
    }
    if (!error)
        *place = next;
    return error;
}

uint32_t bridge_getattr(struct bridge *bridge, const struct bridge_place *place, struct field *out)
{
    struct npl_stat stat;
    uint32_t error = bridge_stat(bridge, place, &stat);

    if (error)
        return error;
    field_put(out, 8, L_GETATTR_BASIC);
    bridge_put_qid(out, place);
    field_put(out, 4, stat.mode | (place->is_directory ? L_S_DIRECTORY : L_S_REGULAR));
    field_put(out, 4, 0); // uid
    field_put(out, 4, 0); // gid
    field_put(out, 8, 1); // links
    field_put(out, 8, 0); // rdev
    field_put(out, 8, stat.length);
    field_put(out, 8, BLOCK_SIZE);
    field_put(out, 8, stat.length / BLOCK_SIZE + (stat.length % BLOCK_SIZE > 0));
    for (uint32_t number = 0; number < 10; number++)
        field_put(out, 8, 0); // four times of seconds and nanoseconds; generation; data version
    return 0;
}

// One entry, if it fits. False when it does not.
static bool put_entry(struct field *out, const struct bridge_place *place, uint64_t next,
                      const char *name)
{
    if (ENTRY_HEADER + strlen(name) > (size_t)(out->end - out->at))
        return false;
    bridge_put_qid(out, place);
    field_put(out, 8, next);
    field_put(out, 1, place->is_directory ? L_DT_DIRECTORY : L_DT_REGULAR);
    field_put_text(out, name);
    return true;
}

// Entries of a service's directory from `offset` on.
static uint32_t put_files(struct bridge *bridge, const struct bridge_place *place, uint32_t offset,
                          struct field *out)
{
    struct npl_stat stats[LIST_MAX];
    struct npl_client *client = &bridge->services[place->service].client;

    for (;;) {
        if (!bridge_reserve(bridge, place->service))
            return L_EIO;
        int64_t count = npl_client_list(client, place->path, offset, stats, LIST_MAX);
        if (count < 0)
            return bridge_error(bridge, place->service, count);
        for (uint32_t index = 0; index < count; index++) {
            struct bridge_place entry = {
                .service = place->service,
                .is_directory = stats[index].is_directory,
                .number = stats[index].number,
            };
            struct field_text name = {stats[index].name, (uint32_t)strlen(stats[index].name)};

            offset++;
            if (is_name(name) && !put_entry(out, &entry, offset, stats[index].name))
                return 0;
        }
        if (count < LIST_MAX)
            return 0;
    }
}

uint32_t bridge_readdir(struct bridge *bridge, const struct bridge_place *place, uint64_t offset,
                        uint32_t count, struct field *out)
{
    struct field count_field = *out;
    uint32_t error = 0;

    field_put(out, 4, 0);
    if (out->is_bad || offset > UINT32_MAX)
        return L_EINVAL;
    struct field list = *out;
    if (count < (size_t)(list.end - list.at))
        list.end = list.at + count;

    if (place->service != BRIDGE_ROOT)
        error = put_files(bridge, place, (uint32_t)offset, &list);
    else
        for (uint64_t index = offset; index < bridge->service_count; index++) {
            struct bridge_place entry = {.service = (uint32_t)index, .is_directory = true};

            if (!put_entry(&list, &entry, index + 1, bridge->services[index].name))
                break;
        }
    field_put(&count_field, 4, (uint64_t)(list.at - out->at));
    out->at = list.at;
    return error;
}
