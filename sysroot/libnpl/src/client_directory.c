// SPDX-License-Identifier: Apache-2.0
//
// client_directory.c: directory entries as a server sends them: Rstat, and the data of a directory.
//
// A server sends whole entries only, and each says how long it is. Both are checked: what is cut
// off or leaves room in an entry makes the peer one that is not understood.
#include "client_stat.h"
#include <npl/client.h>
#include <rumpk/result.h>
#include <string.h>

// Bytes of one directory read: several entries of the longest name that struct npl_stat takes.
#define PART_MAX 512u

bool client_stat_get(struct wire *wire, struct npl_stat *out)
{
    uint32_t size = (uint32_t)wire_get(wire, 2);

    if (wire->is_bad || size > (size_t)(wire->end - wire->at))
        return false;
    struct wire entry = wire_over(wire->at, size);
    wire_skip(wire, size);

    wire_skip(&entry, 2 + 4); // type, dev
    struct wire_qid qid = wire_get_qid(&entry);
    *out = (struct npl_stat){.is_directory = qid.type & RUMPK_NINEP_QTDIR, .number = qid.path};
    out->mode = (uint32_t)wire_get(&entry, 4) & 0777u;
    wire_skip(&entry, 4 + 4); // atime, mtime
    out->length = wire_get(&entry, 8);
    struct wire_text name = wire_get_text(&entry);
    for (uint32_t owner = 0; owner < 3; owner++)
        (void)wire_get_text(&entry); // uid, gid, muid
    if (entry.is_bad || entry.at != entry.end || name.size >= sizeof(out->name))
        return false;
    memcpy(out->name, name.bytes, name.size);
    return true;
}

int64_t npl_client_list(struct npl_client *client, const char *path, uint32_t first,
                        struct npl_stat *out, uint32_t count)
{
    uint8_t bytes[PART_MAX];
    struct npl_stat stat;
    uint32_t part = client->io_max < PART_MAX ? client->io_max : PART_MAX;
    uint64_t offset = 0;
    uint32_t index = 0;
    uint32_t stored = 0;
    int64_t result;
    int64_t fid = npl_client_open(client, path, RUMPK_NINEP_OREAD);

    if (fid < 0)
        return fid;
    do {
        result = npl_client_read(client, fid, offset, bytes, part);
        struct wire wire = wire_over(bytes, result > 0 ? (size_t)result : 0);

        while (stored < count && wire.at < wire.end) {
            if (!client_stat_get(&wire, &stat)) {
                result = RUMPK_E_PEER;
                break;
            }
            if (index++ >= first)
                out[stored++] = stat;
        }
        offset += result > 0 ? (uint64_t)result : 0;
    } while (result > 0 && stored < count);
    int64_t closed = npl_client_close(client, fid);
    if (result < 0 || closed < 0)
        return result < 0 ? result : closed;
    return stored;
}
