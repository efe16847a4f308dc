// SPDX-License-Identifier: Apache-2.0
//
// The only door to the JSON library: bounded parsing, reading, building, printing.
//
// Values are owned by whoever holds them: a parsed or built root is freed with nip_json_free();
// what the get functions return belongs to its parent; what is put into a parent belongs to it
// afterwards, also when putting fails. Building is sticky: a NULL child or parent makes the whole
// thing unprintable, and nip_json_print() reports it once.

#ifndef NIP_JSON_H
#define NIP_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/buffer.h"
#include "nip/error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct nip_json;

#define NIP_JSON_SIZE_MAX ((size_t)16 << 20)

// Strict: UTF-8, no duplicate keys, nothing after the value. `what` names the text in errors.
enum nip_code nip_json_parse(const char *text, size_t size, const char *what,
                             struct nip_json **json, struct nip_error *err) NIP_MUST_CHECK;
void nip_json_free(struct nip_json *json); // NULL is fine

// Reading. All of them accept NULL and values of another kind, and then find nothing.
const struct nip_json *nip_json_get(const struct nip_json *object, const char *key);
const char *nip_json_text(const struct nip_json *json); // NULL if it is no string
const char *nip_json_get_text(const struct nip_json *object, const char *key);
bool nip_json_get_u64(const struct nip_json *object, const char *key, uint64_t *number);
bool nip_json_is_array(const struct nip_json *json);
bool nip_json_is_object(const struct nip_json *json);
size_t nip_json_count(const struct nip_json *array);
const struct nip_json *nip_json_at(const struct nip_json *array, size_t index);

// Building. Keys are printed in the order in which they were put.
struct nip_json *nip_json_make_object(void);
struct nip_json *nip_json_make_array(void);
struct nip_json *nip_json_make_text(const char *text); // must be UTF-8: escape foreign text first
struct nip_json *nip_json_make_u64(uint64_t number);   // at most INT64_MAX
struct nip_json *nip_json_make_bool(bool boolean);
struct nip_json *nip_json_copy(const struct nip_json *json);
bool nip_json_put(struct nip_json *object, const char *key, struct nip_json *value);
bool nip_json_put_text(struct nip_json *object, const char *key, const char *text);
bool nip_json_put_u64(struct nip_json *object, const char *key, uint64_t number);
bool nip_json_put_bool(struct nip_json *object, const char *key, bool boolean);
bool nip_json_append(struct nip_json *array, struct nip_json *value);

// One line without spaces, or indented by two; no newline at the end. INTERNAL if building failed.
enum nip_code nip_json_print(const struct nip_json *json, bool is_indented, struct nip_buffer *out,
                             struct nip_error *err) NIP_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
