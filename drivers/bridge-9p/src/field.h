// SPDX-License-Identifier: Apache-2.0
//
// field.h: the fields of 9P messages, little-endian. A cursor that is asked for more than there is
// turns bad and stays bad; whoever used it looks once, at the end.
#ifndef FIELD_H
#define FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct field {
    uint8_t *at;
    uint8_t *end;
    bool is_bad;
};

// A string as it lies in the message: not NUL-terminated.
struct field_text {
    const char *bytes;
    uint32_t size;
};

static inline struct field field_over(void *bytes, size_t size)
{
    return (struct field){.at = bytes, .end = (uint8_t *)bytes + size};
}

uint64_t field_get(struct field *field, uint32_t width);
struct field_text field_get_text(struct field *field);
void field_skip(struct field *field, size_t size);

void field_put(struct field *field, uint32_t width, uint64_t value);
void field_put_text(struct field *field, const char *text);

bool field_text_is(struct field_text text, const char *other);

#endif
