// SPDX-License-Identifier: Apache-2.0
//
// field.c: reading and writing with the bound checked each time.
#include "field.h"
#include <string.h>

static bool take(struct field *field, size_t size)
{
    if (field->is_bad || size > (size_t)(field->end - field->at))
        field->is_bad = true;
    return !field->is_bad;
}

uint64_t field_get(struct field *field, uint32_t width)
{
    uint64_t value = 0;

    if (!take(field, width))
        return 0;
    for (uint32_t at = 0; at < width; at++)
        value |= (uint64_t)field->at[at] << (8 * at);
    field->at += width;
    return value;
}

struct field_text field_get_text(struct field *field)
{
    struct field_text text = {.size = (uint32_t)field_get(field, 2)};

    if (!take(field, text.size))
        return (struct field_text){.bytes = "", .size = 0};
    text.bytes = (const char *)field->at;
    field->at += text.size;
    return text;
}

void field_skip(struct field *field, size_t size)
{
    if (take(field, size))
        field->at += size;
}

void field_put(struct field *field, uint32_t width, uint64_t value)
{
    if (!take(field, width))
        return;
    for (uint32_t at = 0; at < width; at++)
        field->at[at] = (uint8_t)(value >> (8 * at));
    field->at += width;
}

void field_put_text(struct field *field, const char *text)
{
    size_t size = strlen(text);

    if (size > UINT16_MAX)
        field->is_bad = true;
    field_put(field, 2, size);
    if (!take(field, size))
        return;
    memcpy(field->at, text, size);
    field->at += size;
}

bool field_text_is(struct field_text text, const char *other)
{
    return text.size == strlen(other) && memcmp(text.bytes, other, text.size) == 0;
}
