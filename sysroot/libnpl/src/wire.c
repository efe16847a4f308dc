// SPDX-License-Identifier: Apache-2.0
//
// wire.c: fields of 9P messages, little-endian, bounds checked.
#include "wire.h"
#include <string.h>

static bool take(struct wire *wire, size_t size)
{
    if (wire->is_bad || size > (size_t)(wire->end - wire->at))
        wire->is_bad = true;
    return !wire->is_bad;
}

uint64_t wire_get(struct wire *wire, uint32_t width)
{
    uint64_t value = 0;

    if (!take(wire, width))
        return 0;
    for (uint32_t at = 0; at < width; at++)
        value |= (uint64_t)wire->at[at] << (8 * at);
    wire->at += width;
    return value;
}

struct wire_text wire_get_text(struct wire *wire)
{
    struct wire_text text = {.size = (uint16_t)wire_get(wire, 2)};

    if (!take(wire, text.size))
        return (struct wire_text){.bytes = "", .size = 0};
    text.bytes = (const char *)wire->at;
    wire->at += text.size;
    return text;
}

struct wire_qid wire_get_qid(struct wire *wire)
{
    struct wire_qid qid;

    qid.type = (uint8_t)wire_get(wire, 1);
    qid.version = (uint32_t)wire_get(wire, 4);
    qid.path = wire_get(wire, 8);
    return qid;
}

void wire_skip(struct wire *wire, size_t size)
{
    if (take(wire, size))
        wire->at += size;
}

void wire_put(struct wire *wire, uint32_t width, uint64_t value)
{
    if (!take(wire, width))
        return;
    for (uint32_t at = 0; at < width; at++)
        wire->at[at] = (uint8_t)(value >> (8 * at));
    wire->at += width;
}

void wire_put_text(struct wire *wire, const char *text)
{
    size_t size = strlen(text);

    wire_put(wire, 2, size);
    if (size > UINT16_MAX || !take(wire, size)) {
        wire->is_bad = true;
        return;
    }
    memcpy(wire->at, text, size);
    wire->at += size;
}

void wire_put_qid(struct wire *wire, struct wire_qid qid)
{
    wire_put(wire, 1, qid.type);
    wire_put(wire, 4, qid.version);
    wire_put(wire, 8, qid.path);
}

bool wire_text_is(struct wire_text text, const char *other)
{
    size_t size = strlen(other);

    return text.size == size && memcmp(text.bytes, other, size) == 0;
}

struct wire wire_begin(void *bytes, size_t capacity, uint8_t type, uint16_t tag)
{
    struct wire wire = wire_over(bytes, capacity);

    wire_put(&wire, 4, 0);
    wire_put(&wire, 1, type);
    wire_put(&wire, 2, tag);
    return wire;
}

uint32_t wire_end(struct wire *wire, void *bytes)
{
    uint32_t size = (uint32_t)(wire->at - (uint8_t *)bytes);
    struct wire opening = wire_over(bytes, 4);

    if (wire->is_bad)
        return 0;
    wire_put(&opening, 4, size);
    return size;
}

// Fixed part after the size field: type[2] dev[4] qid[13] mode[4] atime[4] mtime[4] length[8].
#define STAT_FIXED 39u

uint32_t wire_stat_size(const struct wire_stat *stat)
{
    // Four strings: name, uid, gid, muid.
    return 2 + STAT_FIXED + 4 * 2 + (uint32_t)strlen(stat->name) + 3 * (uint32_t)strlen("rumpk");
}

void wire_put_stat(struct wire *wire, const struct wire_stat *stat)
{
    wire_put(wire, 2, wire_stat_size(stat) - 2);
    wire_put(wire, 2, 0);
    wire_put(wire, 4, 0);
    wire_put_qid(wire, stat->qid);
    wire_put(wire, 4, stat->mode);
    wire_put(wire, 4, 0);
    wire_put(wire, 4, 0);
    wire_put(wire, 8, stat->length);
    wire_put_text(wire, stat->name);
    wire_put_text(wire, "rumpk");
    wire_put_text(wire, "rumpk");
    wire_put_text(wire, "rumpk");
}
