// SPDX-License-Identifier: Apache-2.0
//
// wire.h: reading and writing the fields of 9P messages. A cursor that runs past its end turns bad
// and stays bad; whoever used it looks once, at the end.
#ifndef NPL_WIRE_H
#define NPL_WIRE_H

#include <rumpk/ninep.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire {
    uint8_t *at;
    uint8_t *end;
    bool is_bad;
};

// A string as it lies in the message: not NUL-terminated.
struct wire_text {
    const char *bytes;
    uint16_t size;
};

struct wire_qid {
    uint8_t type;
    uint32_t version;
    uint64_t path;
};

static inline struct wire wire_over(void *bytes, size_t size)
{
    return (struct wire){.at = bytes, .end = (uint8_t *)bytes + size};
}

uint64_t wire_get(struct wire *wire, uint32_t width);
struct wire_text wire_get_text(struct wire *wire);
struct wire_qid wire_get_qid(struct wire *wire);
void wire_skip(struct wire *wire, size_t size);

void wire_put(struct wire *wire, uint32_t width, uint64_t value);
void wire_put_text(struct wire *wire, const char *text);
void wire_put_qid(struct wire *wire, struct wire_qid qid);

bool wire_text_is(struct wire_text text, const char *other);

// Begins a message: size is filled by wire_end.
struct wire wire_begin(void *bytes, size_t capacity, uint8_t type, uint16_t tag);

// Closes the message that began at `bytes`: its size, or 0 when it did not fit.
uint32_t wire_end(struct wire *wire, void *bytes);

// A directory entry: the body of Rstat and of directory reads, its own size field included.
struct wire_stat {
    const char *name;
    struct wire_qid qid;
    uint32_t mode;
    uint64_t length;
};
void wire_put_stat(struct wire *wire, const struct wire_stat *stat);
uint32_t wire_stat_size(const struct wire_stat *stat);

#define WIRE_MODE_DIRECTORY 0x80000000u

#endif
