// SPDX-License-Identifier: Apache-2.0
//
// The one function through which foreign text passes before a person sees it.
//
// Package descriptions, file names, server answers and signatures' comments are written by
// strangers. A terminal obeys some of their bytes: escape sequences move the cursor and rewrite
// lines, bidirectional controls make `evil` read as something else, invalid UTF-8 breaks tools
// downstream. nip_escape() shows each of them instead. It leaves a backslash alone: the result is
// for reading, never for parsing, and escaping twice gives the same text.
//
//   \n \r \t          the usual three
//   \x1b              another control character below 0x20, 0x7f, or a byte that is not UTF-8
//   \u{202e}          C1 controls, direction and other invisible format controls, line separators,
//                     surrogates, noncharacters, private use

#ifndef NIP_ESCAPE_H
#define NIP_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct nip_buffer;

// Writes the escaped form of `text` to `out`, cut between characters where it does not fit, always
// ended by NUL when out_size > 0. Returns the number of bytes written without the NUL. `out` must
// not overlap `text`.
size_t nip_escape(char *out, size_t out_size, const void *text, size_t text_size);

// As nip_escape(), but a newline stays a newline. For text that is nip's own, or was asked for with
// its lines (hints, licence texts).
size_t nip_escape_lines(char *out, size_t out_size, const void *text, size_t text_size);

// Appends the whole escaped form to `buffer`.
void nip_escape_append(struct nip_buffer *buffer, const void *text, size_t text_size);

// Decodes one UTF-8 code point at `text` strictly (no overlong forms, no surrogates). Returns its
// size in bytes, or 0 when the bytes there are not UTF-8 or text_size is 0.
size_t nip_utf8_decode(const void *text, size_t text_size, uint32_t *code_point);

// Writes `code_point` to `out` (at most 4 bytes), returns the size; 0 if it is not a scalar value.
size_t nip_utf8_encode(uint32_t code_point, uint8_t out[4]);

// Whether nip_escape() would leave this code point as it is.
bool nip_escape_is_plain(uint32_t code_point);

#ifdef __cplusplus
}
#endif

#endif
