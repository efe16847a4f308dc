// SPDX-License-Identifier: Apache-2.0
//
// The only file of libnip that includes jansson. A struct nip_json is the library's json_t under
// another name; nobody else can tell.

#include "nip/json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static json_t *unwrap(struct nip_json *json)
{
    return (json_t *)json;
}

static const json_t *unwrap_const(const struct nip_json *json)
{
    return (const json_t *)json;
}

static struct nip_json *wrap(json_t *json)
{
    return (struct nip_json *)json;
}

// ---- reading ----

enum nip_code nip_json_parse(const char *text, size_t size, const char *what,
                             struct nip_json **json, struct nip_error *err)
{
    json_error_t reason;
    *json = NULL;
    if (size > NIP_JSON_SIZE_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "%s has %zu bytes; at most %zu are read", what,
                             size, NIP_JSON_SIZE_MAX);
    // The library limits the depth itself (JSON_PARSER_MAX_DEPTH).
    json_t *made = json_loadb(text, size, JSON_REJECT_DUPLICATES, &reason);
    if (made == NULL) {
        nip_error_set(err, NIP_ERROR_SYNTAX, "this is not JSON: %s", reason.text);
        size_t offset = reason.position > 0 ? (size_t)reason.position - 1 : 0;
        nip_error_at_text(err, what, text, size, offset, 0);
        return NIP_ERROR_SYNTAX;
    }
    *json = wrap(made);
    return NIP_OK;
}

void nip_json_free(struct nip_json *json)
{
    json_decref(unwrap(json));
}

const struct nip_json *nip_json_get(const struct nip_json *object, const char *key)
{
    return (const struct nip_json *)json_object_get(unwrap_const(object), key);
}

const char *nip_json_text(const struct nip_json *json)
{
    return json_string_value(unwrap_const(json));
}

const char *nip_json_get_text(const struct nip_json *object, const char *key)
{
    return nip_json_text(nip_json_get(object, key));
}

bool nip_json_get_u64(const struct nip_json *object, const char *key, uint64_t *number)
{
    const json_t *value = unwrap_const(nip_json_get(object, key));
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *number = (uint64_t)json_integer_value(value);
    return true;
}

bool nip_json_is_array(const struct nip_json *json)
{
    return json_is_array(unwrap_const(json));
}

bool nip_json_is_object(const struct nip_json *json)
{
    return json_is_object(unwrap_const(json));
}

size_t nip_json_count(const struct nip_json *array)
{
    return json_array_size(unwrap_const(array));
}

const struct nip_json *nip_json_at(const struct nip_json *array, size_t index)
{
    return (const struct nip_json *)json_array_get(unwrap_const(array), index);
}

// ---- building ----

struct nip_json *nip_json_make_object(void)
{
    return wrap(json_object());
}

struct nip_json *nip_json_make_array(void)
{
    return wrap(json_array());
}

struct nip_json *nip_json_make_text(const char *text)
{
    return wrap(json_string(text));
}

struct nip_json *nip_json_make_u64(uint64_t number)
{
    return number > INT64_MAX ? NULL : wrap(json_integer((json_int_t)number));
}

struct nip_json *nip_json_make_bool(bool boolean)
{
    return wrap(json_boolean(boolean));
}

struct nip_json *nip_json_copy(const struct nip_json *json)
{
    return wrap(json_deep_copy(unwrap_const(json)));
}

// A child that could not be made spoils its parent: this key marks it, and no valid key contains
// it.
static const char spoiled_key[] = "\x01spoiled";

static void spoil(json_t *object)
{
    json_object_set_new(object, spoiled_key, json_null());
}

bool nip_json_put(struct nip_json *object, const char *key, struct nip_json *value)
{
    bool is_done = value != NULL && json_object_set_new(unwrap(object), key, unwrap(value)) == 0;
    if (!is_done)
        spoil(unwrap(object));
    return is_done;
}

bool nip_json_put_text(struct nip_json *object, const char *key, const char *text)
{
    return nip_json_put(object, key, nip_json_make_text(text));
}

bool nip_json_put_u64(struct nip_json *object, const char *key, uint64_t number)
{
    return nip_json_put(object, key, nip_json_make_u64(number));
}

bool nip_json_put_bool(struct nip_json *object, const char *key, bool boolean)
{
    return nip_json_put(object, key, nip_json_make_bool(boolean));
}

bool nip_json_append(struct nip_json *array, struct nip_json *value)
{
    if (value != NULL)
        return json_array_append_new(unwrap(array), unwrap(value)) == 0;
    // An array has no keys: an element that is spoiled itself does it.
    json_t *mark = json_object();
    if (mark != NULL) {
        spoil(mark);
        json_array_append_new(unwrap(array), mark);
    }
    return false;
}

static bool is_spoiled(json_t *json)
{
    const char *key;
    json_t *value;
    size_t index;
    if (json == NULL || json_object_get(json, spoiled_key) != NULL)
        return true;
    if (json_is_object(json)) {
        json_object_foreach(json, key, value)
        {
            if (is_spoiled(value))
                return true;
        }
    }
    json_array_foreach(json, index, value)
    {
        if (is_spoiled(value))
            return true;
    }
    return false;
}

static int append_output(const char *text, size_t size, void *context)
{
    nip_buffer_append(context, text, size);
    return nip_buffer_has_failed(context) ? -1 : 0;
}

enum nip_code nip_json_print(const struct nip_json *json, bool is_indented, struct nip_buffer *out,
                             struct nip_error *err)
{
    size_t flags = JSON_ENCODE_ANY | (is_indented ? JSON_INDENT(2) : JSON_COMPACT);
    if (json == NULL || is_spoiled((json_t *)(uintptr_t)json) ||
        (json_dump_callback(unwrap_const(json), append_output, out, flags) != 0 &&
         !nip_buffer_has_failed(out)))
        return nip_error_set(err, NIP_ERROR_INTERNAL,
                             "a JSON value could not be made (memory, or "
                             "text that is not UTF-8)");
    return nip_buffer_check(out, "a JSON text", err);
}
