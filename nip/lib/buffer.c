// SPDX-License-Identifier: Apache-2.0
//
// The growing byte buffer. What always holds: size <= limit, size < capacity when data is not NULL,
// and data[size] is NUL.

#include "nip/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checked.h"

enum { CAPACITY_MIN = 64 };

static size_t buffer_limit(const struct nip_buffer *buffer)
{
    return buffer->size_max != 0 ? buffer->size_max : NIP_BUFFER_SIZE_MAX;
}

void nip_buffer_init(struct nip_buffer *buffer, size_t size_max)
{
    *buffer = (struct nip_buffer){.size_max = size_max};
}

void nip_buffer_free(struct nip_buffer *buffer)
{
    free(buffer->data);
    nip_buffer_init(buffer, buffer->size_max);
}

void nip_buffer_wipe(struct nip_buffer *buffer)
{
    if (buffer->data != NULL)
        explicit_bzero(buffer->data, buffer->capacity);
    nip_buffer_free(buffer);
}

void nip_buffer_clear(struct nip_buffer *buffer)
{
    buffer->size = 0;
    buffer->is_over_limit = false;
    buffer->is_out_of_memory = false;
    if (buffer->data != NULL)
        buffer->data[0] = '\0';
}

// Makes room for `size` more bytes and the NUL. Copies instead of realloc so that nothing of a
// secret stays behind in freed memory.
static bool buffer_reserve(struct nip_buffer *buffer, size_t size)
{
    if (nip_buffer_has_failed(buffer))
        return false;
    size_t needed;
    if (!nip_size_add(buffer->size, size, &needed) || needed > buffer_limit(buffer)) {
        buffer->is_over_limit = true;
        return false;
    }
    if (buffer->data != NULL && needed < buffer->capacity)
        return true;
    size_t capacity = buffer->capacity > CAPACITY_MIN ? buffer->capacity : CAPACITY_MIN;
    while (capacity <= needed) {
        if (!nip_size_multiply(capacity, 2, &capacity)) {
            buffer->is_over_limit = true;
            return false;
        }
    }
    uint8_t *data = malloc(capacity);
    if (data == NULL) {
        buffer->is_out_of_memory = true;
        return false;
    }
    if (buffer->data != NULL) {
        memcpy(data, buffer->data, buffer->size);
        explicit_bzero(buffer->data, buffer->size);
        free(buffer->data);
    }
    data[buffer->size] = '\0';
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void nip_buffer_append(struct nip_buffer *buffer, const void *data, size_t size)
{
    if (size == 0 || !buffer_reserve(buffer, size))
        return;
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
    buffer->data[buffer->size] = '\0';
}

void nip_buffer_append_byte(struct nip_buffer *buffer, uint8_t byte)
{
    nip_buffer_append(buffer, &byte, 1);
}

void nip_buffer_append_text(struct nip_buffer *buffer, const char *text)
{
    nip_buffer_append(buffer, text, strlen(text));
}

void nip_buffer_append_fill(struct nip_buffer *buffer, uint8_t byte, size_t count)
{
    uint8_t *start = nip_buffer_extend(buffer, count);
    if (start != NULL)
        memset(start, byte, count);
}

uint8_t *nip_buffer_extend(struct nip_buffer *buffer, size_t size)
{
    if (!buffer_reserve(buffer, size))
        return NULL;
    uint8_t *start = buffer->data + buffer->size;
    memset(start, 0, size);
    buffer->size += size;
    buffer->data[buffer->size] = '\0';
    return start;
}

void nip_buffer_append_list(struct nip_buffer *buffer, const char *format, va_list list)
{
    va_list again;
    va_copy(again, list);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0) {
        buffer->is_out_of_memory = true;
        return;
    }
    if (!buffer_reserve(buffer, (size_t)length))
        return;
    vsnprintf((char *)buffer->data + buffer->size, (size_t)length + 1, format, list);
    buffer->size += (size_t)length;
}

void nip_buffer_append_format(struct nip_buffer *buffer, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    nip_buffer_append_list(buffer, format, list);
    va_end(list);
}

bool nip_buffer_has_failed(const struct nip_buffer *buffer)
{
    return buffer->is_over_limit || buffer->is_out_of_memory;
}

enum nip_code nip_buffer_check(const struct nip_buffer *buffer, const char *what,
                               struct nip_error *err)
{
    if (buffer->is_out_of_memory)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for %s", what);
    if (buffer->is_over_limit)
        return nip_error_set(err, NIP_ERROR_LIMIT, "%s would be larger than %zu bytes", what,
                             buffer_limit(buffer));
    return NIP_OK;
}

const char *nip_buffer_text(const struct nip_buffer *buffer)
{
    return buffer->data != NULL ? (const char *)buffer->data : "";
}

uint8_t *nip_buffer_take(struct nip_buffer *buffer, size_t *size)
{
    uint8_t *data = NULL;
    size_t count = 0;
    if (buffer_reserve(buffer, 0)) {
        data = buffer->data;
        count = buffer->size;
        nip_buffer_init(buffer, buffer->size_max);
    }
    if (size != NULL)
        *size = count;
    return data;
}

bool nip_buffer_equals(const struct nip_buffer *buffer, const void *data, size_t size)
{
    return buffer->size == size && (size == 0 || memcmp(buffer->data, data, size) == 0);
}
