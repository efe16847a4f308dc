// SPDX-License-Identifier: Apache-2.0
//
// machines/<arch>.kdl: which lines go into the emulator's command, and what is filled in.
//
// The file is the SDK's own, but it is read like any other: unknown nodes and placeholders are
// errors, so that a file of another release is noticed at once.

#include "nip/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rumpk/base.h>

#include "nip/buffer.h"
#include "nip/manifest.h"

enum { MEMORY_MIB_MAX = 65536 };

static enum nip_code copy_argument(const struct nip_kdl_document *document,
                                   const struct nip_kdl_node *node, char *out, size_t out_size,
                                   struct nip_error *err)
{
    const struct nip_kdl_value *value = nip_kdl_argument(node, 0);
    if (!value || value->kind != NIP_KDL_STRING || value->text.size >= out_size ||
        memchr(value->text.text, '\0', value->text.size))
        return nip_kdl_error_at(document, node->span, err, NIP_ERROR_SCHEMA,
                                "expected a text of at most %zu bytes", out_size - 1);
    memcpy(out, value->text.text, value->text.size + 1);
    return NIP_OK;
}

static bool is_line(const struct nip_kdl_node *node)
{
    static const char *const names[] = {"arg",    "console", "memory", "ram",
                                        "kernel", "disk",    "rng",    "gdb"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (nip_kdl_string_equals(node->name, names[i]))
            return true;
    return false;
}

static enum nip_code read_line(const struct nip_kdl_document *document,
                               const struct nip_kdl_node *node, struct nip_error *err)
{
    for (const struct nip_kdl_entry *entry = node->entries; entry; entry = entry->next)
        if (entry->key.text || entry->value.kind != NIP_KDL_STRING || entry->value.type.text ||
            memchr(entry->value.text.text, '\0', entry->value.text.size))
            return nip_kdl_error_at(document, entry->span, err, NIP_ERROR_SCHEMA,
                                    "expected a plain string");
    return NIP_OK;
}

static enum nip_code read_machine(struct nip_machine *machine, const struct nip_kdl_node *node,
                                  struct nip_error *err)
{
    const struct nip_kdl_document *document = machine->document;
    const struct nip_kdl_value *arch = nip_kdl_property(node, "arch");
    if (!nip_kdl_string_equals(node->name, "machine") || node->next || !arch ||
        arch->kind != NIP_KDL_STRING || !nip_arch_from_name(arch->text.text, &machine->arch))
        return nip_kdl_error_at(document, node->span, err, NIP_ERROR_SCHEMA,
                                "expected one node `machine NAME arch=...`");
    enum nip_code code =
        copy_argument(document, node, machine->name, sizeof machine->name, err);
    for (node = node->children; node && code == NIP_OK; node = node->next) {
        char number[24];
        char *rest = number;
        if (nip_kdl_string_equals(node->name, "qemu")) {
            code = copy_argument(document, node, machine->qemu, sizeof machine->qemu, err);
        } else if (nip_kdl_string_equals(node->name, "version")) {
            code = copy_argument(document, node, machine->version, sizeof machine->version, err);
        } else if (nip_kdl_string_equals(node->name, "console-driver")) {
            code = copy_argument(document, node, machine->console_driver,
                                 sizeof machine->console_driver, err);
        } else if (nip_kdl_string_equals(node->name, "memory-mib")) {
            code = copy_argument(document, node, number, sizeof number, err);
            if (code != NIP_OK)
                break;
            unsigned long mib = strtoul(number, &rest, 10);
            if (*rest != '\0' || mib == 0 || mib > MEMORY_MIB_MAX)
                code = nip_kdl_error_at(document, node->span, err, NIP_ERROR_SCHEMA,
                                        "expected a number of MiB up to %d", MEMORY_MIB_MAX);
            machine->memory_mib = (uint32_t)mib;
        } else if (nip_kdl_string_equals(node->name, "firmware-last")) {
            code = copy_argument(document, node, machine->firmware_last,
                                 sizeof machine->firmware_last, err);
        } else if (nip_kdl_string_equals(node->name, "ram-base")) {
            code = copy_argument(document, node, number, sizeof number, err);
            if (code != NIP_OK)
                break;
            machine->ram_base = strtoull(number, &rest, 16);
            if (*rest != '\0')
                code = nip_kdl_error_at(document, node->span, err, NIP_ERROR_SCHEMA,
                                        "expected an address like \"0x80000000\"");
        } else if (is_line(node)) {
            code = read_line(document, node, err);
        } else {
            code = nip_kdl_error_at(document, node->name_span, err, NIP_ERROR_SCHEMA,
                                    "a machine has nothing of this name");
        }
    }
    if (code == NIP_OK && (!machine->qemu[0] || !machine->version[0] || !machine->memory_mib ||
                           !machine->console_driver[0]))
        code = nip_error_set(err, NIP_ERROR_SCHEMA,
                             "%s lacks `qemu`, `version`, `memory-mib` or `console-driver`",
                             nip_kdl_document_file(document));
    return code;
}

enum nip_code nip_machine_parse(const char *text, size_t size, const char *file,
                                struct nip_machine *machine, struct nip_error *err)
{
    memset(machine, 0, sizeof *machine);
    enum nip_code code = nip_kdl_parse(text, size, file, NULL, &machine->document, err);
    if (code != NIP_OK)
        return code;
    const struct nip_kdl_node *node = nip_kdl_document_nodes(machine->document);
    code = node ? read_machine(machine, node, err)
                : nip_error_set(err, NIP_ERROR_SCHEMA, "%s is empty", file);
    if (code != NIP_OK) {
        nip_error_hint(err, "This file belongs to the SDK: install the SDK again.");
        nip_machine_free(machine);
    }
    return code;
}

void nip_machine_free(struct nip_machine *machine)
{
    nip_kdl_document_free(machine->document);
    memset(machine, 0, sizeof *machine);
}

enum nip_code nip_machine_arguments_add(struct nip_machine_arguments *arguments, const char *text,
                                        struct nip_error *err)
{
    if (arguments->count == NIP_MACHINE_ARGUMENT_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "more than %d arguments for the emulator",
                             NIP_MACHINE_ARGUMENT_MAX);
    char *copy = strdup(text);
    if (!copy)
        return nip_error_set(err, NIP_ERROR_MEMORY, "no memory for arguments");
    arguments->list[arguments->count++] = copy;
    arguments->list[arguments->count] = NULL;
    return NIP_OK;
}

void nip_machine_arguments_free(struct nip_machine_arguments *arguments)
{
    for (uint32_t i = 0; i < arguments->count; i++)
        free(arguments->list[i]);
    memset(arguments, 0, sizeof *arguments);
}

// One string of the file with its placeholders filled in. A file name that is only a part of the
// argument has its commas doubled: the emulator takes a single one as the end of an option.
static enum nip_code fill_in(const struct nip_machine_options *options, uint32_t memory_mib,
                             uint32_t disk, const char *pattern, struct nip_buffer *out,
                             struct nip_error *err)
{
    while (*pattern) {
        const char *end = *pattern == '{' ? strchr(pattern, '}') : NULL;
        if (!end) {
            nip_buffer_append_byte(out, (uint8_t)*pattern++);
            continue;
        }
        size_t size = (size_t)(end - pattern) + 1;
        const char *name = NULL;
        if (size == 8 && memcmp(pattern, "{kernel}", size) == 0)
            name = options->kernel;
        else if (size == 6 && memcmp(pattern, "{disk}", size) == 0)
            name = options->disks[disk];
        else if (size == 5 && memcmp(pattern, "{ram}", size) == 0)
            name = options->ram;
        else if (size == 5 && memcmp(pattern, "{mib}", size) == 0)
            nip_buffer_append_format(out, "%" PRIu32, memory_mib);
        else if (size == 7 && memcmp(pattern, "{index}", size) == 0)
            nip_buffer_append_format(out, "%" PRIu32, disk);
        else if (size == 6 && memcmp(pattern, "{port}", size) == 0)
            nip_buffer_append_format(out, "%u", options->gdb_port);
        else
            return nip_error_set(err, NIP_ERROR_SCHEMA, "unknown placeholder %.*s of a machine",
                                 (int)size, pattern);
        bool is_whole = out->size == 0 && end[1] == '\0';
        for (; name && *name; name++) {
            nip_buffer_append_byte(out, (uint8_t)*name);
            if (*name == ',' && !is_whole)
                nip_buffer_append_byte(out, ',');
        }
        pattern = end + 1;
    }
    return NIP_OK;
}

static enum nip_code add_line(const struct nip_machine *machine,
                              const struct nip_machine_options *options, uint32_t disk,
                              const struct nip_kdl_node *node,
                              struct nip_machine_arguments *arguments, struct nip_error *err)
{
    uint32_t memory_mib = options->memory_mib ? options->memory_mib : machine->memory_mib;
    enum nip_code code = NIP_OK;
    struct nip_buffer text;
    nip_buffer_init(&text, 8192);
    for (const struct nip_kdl_entry *entry = node->entries; entry && code == NIP_OK;
         entry = entry->next) {
        nip_buffer_clear(&text);
        code = fill_in(options, memory_mib, disk, entry->value.text.text, &text, err);
        if (code == NIP_OK)
            code = nip_buffer_check(&text, "an emulator argument", err);
        if (code == NIP_OK)
            code = nip_machine_arguments_add(arguments, nip_buffer_text(&text), err);
    }
    nip_buffer_free(&text);
    return code;
}

enum nip_code nip_machine_arguments_make(const struct nip_machine *machine,
                                         const struct nip_machine_options *options,
                                         struct nip_machine_arguments *arguments,
                                         struct nip_error *err)
{
    memset(arguments, 0, sizeof *arguments);
    if (options->disk_count > NIP_MACHINE_DISK_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "at most %d disks", NIP_MACHINE_DISK_MAX);
    enum nip_code code = nip_machine_arguments_add(arguments, machine->qemu, err);
    const struct nip_kdl_node *node = nip_kdl_document_nodes(machine->document)->children;
    for (; node && code == NIP_OK; node = node->next) {
        uint32_t repeat = 0;
        if (nip_kdl_string_equals(node->name, "disk"))
            repeat = options->disk_count;
        else if (nip_kdl_string_equals(node->name, "rng"))
            repeat = options->with_rng ? 1 : 0;
        else if (nip_kdl_string_equals(node->name, "ram"))
            repeat = options->ram ? 1 : 0;
        else if (nip_kdl_string_equals(node->name, "gdb"))
            repeat = options->gdb_port ? 1 : 0;
        else
            repeat = is_line(node) ? 1 : 0;
        for (uint32_t i = 0; i < repeat && code == NIP_OK; i++)
            code = add_line(machine, options, i, node, arguments, err);
    }
    if (code != NIP_OK)
        nip_machine_arguments_free(arguments);
    return code;
}
