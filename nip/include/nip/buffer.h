// SPDX-License-Identifier: Apache-2.0
//
// A byte buffer that grows up to a limit.
//
// Failure is sticky: once an append did not fit or memory ran out, every later append does nothing
// and nip_buffer_check() reports it once at the end. So a writer may append without looking at each
// result, but must call nip_buffer_check() before it uses the content. One NUL byte always stands
// behind the content (not counted), so that text may be read as a C string.

#ifndef NIP_BUFFER_H
#define NIP_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct nip_buffer {
    uint8_t *data; // NULL until the first append
    size_t size;
    size_t capacity;
    size_t size_max; // 0 in a zeroed buffer means NIP_BUFFER_SIZE_MAX
    bool is_over_limit;
    bool is_out_of_memory;
};

// What a buffer without an own limit may hold: 1 GiB, far above any file nip handles in memory.
#define NIP_BUFFER_SIZE_MAX ((size_t)1 << 30)

// `struct nip_buffer b = {0};` is an empty buffer too.
void nip_buffer_init(struct nip_buffer *buffer, size_t size_max);
// Frees the content and makes it an empty buffer again (the limit stays).
void nip_buffer_free(struct nip_buffer *buffer);
// As nip_buffer_free(), after overwriting the content. For secrets.
void nip_buffer_wipe(struct nip_buffer *buffer);
// Empties it, keeps the memory, forgets a failure.
void nip_buffer_clear(struct nip_buffer *buffer);

void nip_buffer_append(struct nip_buffer *buffer, const void *data, size_t size);
void nip_buffer_append_byte(struct nip_buffer *buffer, uint8_t byte);
void nip_buffer_append_text(struct nip_buffer *buffer, const char *text);
void nip_buffer_append_fill(struct nip_buffer *buffer, uint8_t byte, size_t count);
void nip_buffer_append_format(struct nip_buffer *buffer, const char *format, ...) NIP_PRINTF(2, 3);
void nip_buffer_append_list(struct nip_buffer *buffer, const char *format, va_list list)
    NIP_PRINTF(2, 0);
// Grows by `size` bytes of zero and returns where they start, or NULL (sticky failure).
uint8_t *nip_buffer_extend(struct nip_buffer *buffer, size_t size);

bool nip_buffer_has_failed(const struct nip_buffer *buffer);
// NIP_OK, or LIMIT or MEMORY naming `what` ("the manifest").
enum nip_code nip_buffer_check(const struct nip_buffer *buffer, const char *what,
                               struct nip_error *err) NIP_MUST_CHECK;
// The content as a C string ("" when empty). Valid until the next change.
const char *nip_buffer_text(const struct nip_buffer *buffer);
// Hands the memory over (free() it); *size may be NULL. Never NULL unless the buffer has failed.
uint8_t *nip_buffer_take(struct nip_buffer *buffer, size_t *size) NIP_MUST_CHECK;
bool nip_buffer_equals(const struct nip_buffer *buffer, const void *data, size_t size);

#ifdef __cplusplus
}
#endif

#endif
