// SPDX-License-Identifier: Apache-2.0
//
// docs/manifest.md, from the tables that judge manifests: what a field is called, what it may hold
// and what it is when nobody writes it cannot differ from what the reader does.

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "manifest_schema.h"
#include "schema_text.h"

const char nip_manifest_example[] =
    "package \"acme/virtio-blk\" version=\"1.4.0\" {\n"
    "    kind \"driver\"\n"
    "    security-version 3\n"
    "    abi 1\n"
    "    license \"Apache-2.0\"\n"
    "    description \"virtio block device as a service\"\n"
    "    authors \"Ada Example <ada@example.org>\"\n"
    "    links repository=\"https://example.org/virtio-blk\"\n"
    "    arch \"aarch64\" \"riscv64\" \"x86_64\"\n"
    "}\n"
    "build {\n"
    "    sources \"src/*.c\"\n"
    "    arch \"riscv64\" { sources \"src/riscv64/*.S\"; flags \"-DFAST_COPY=1\" }\n"
    "}\n"
    "dependencies {\n"
    "    library \"acme/crc\" \"1.2\"\n"
    "}\n"
    "runtime {\n"
    "    spectrum \"matter\"\n"
    "    stack \"16KiB\"; heap \"64KiB\"\n"
    "    pledge \"stdio\" \"map\" \"control\"\n"
    "    budget \"2ms\"\n"
    "    restart \"on-fault\" limit=5 window=\"60s\"\n"
    "}\n"
    "match { virtio 2; pci vendor=0x1af4 device=0x1042 }\n"
    "request {\n"
    "    device \"disk\" virtio=2 queues=1\n"
    "    dma \"buffers\" size=\"128KiB\"\n"
    "}\n"
    "provides { service \"block\" 1 style=\"service\" clients=4 }\n"
    "needs { service \"console\" 1 style=\"stream\" optional=#true }\n";

static bool is_written(const struct schema_field *field)
{
    return field->type != SCHEMA_CONSTANT && field->type != SCHEMA_BYTES &&
           field->type != SCHEMA_PLACE;
}

static void print_fallback(const struct schema_field *field, struct nip_buffer *out)
{
    if (field->fallback == 0 || field->type == SCHEMA_CHOICES)
        return;
    nip_buffer_append_text(out, " When it is not written: ");
    if (field->type == SCHEMA_SIZE) {
        nip_buffer_append_byte(out, '"');
        schema_print_size(field->fallback, out);
        nip_buffer_append_byte(out, '"');
    } else if (field->type == SCHEMA_DURATION) {
        nip_buffer_append_byte(out, '"');
        schema_print_duration(field->fallback, field->unit, out);
        nip_buffer_append_byte(out, '"');
    } else if (field->type == SCHEMA_CHOICE) {
        for (const struct schema_choice *choice = field->choices; choice->name; choice++)
            if (choice->value == field->fallback)
                nip_buffer_append_format(out, "\"%s\"", choice->name);
    } else {
        nip_buffer_append_format(out, "%" PRIu64, field->fallback);
    }
    nip_buffer_append_byte(out, '.');
}

static void print_field(const struct schema_node *node, const struct schema_field *field,
                        struct nip_buffer *out)
{
    // The value of `kind "driver"` is called as its node is: no need to say it twice.
    if (!field->is_argument)
        nip_buffer_append_format(out, "- `%s=`", field->name);
    else if (strcmp(field->name, node->name) == 0)
        nip_buffer_append_text(out, "- its value");
    else
        nip_buffer_append_format(out, "- its %s", field->name);
    nip_buffer_append_text(out, field->is_required ? ": " : " (may be left out): ");
    schema_print_expected(field, out);
    nip_buffer_append_byte(out, '.');
    if (field->help)
        nip_buffer_append_format(out, " %s", field->help);
    print_fallback(field, out);
    nip_buffer_append_byte(out, '\n');
}

static void print_node(const struct schema_node *node, const char *path, unsigned depth,
                       struct nip_buffer *out)
{
    char full[96];
    snprintf(full, sizeof full, "%s%s%s", path, path[0] ? " / " : "", node->name);
    nip_buffer_append_format(out, "\n%.*s `%s`\n\n", (int)depth, "######", full);
    if (node->help)
        nip_buffer_append_format(out, "%s\n", node->help);
    if (node->element_size)
        nip_buffer_append_format(out, "At most %" PRIu32 " of these.\n", node->count_max);
    else
        nip_buffer_append_text(out, node->is_required ? "Must be there, once.\n"
                                                      : "May be left out; stands there once.\n");
    size_t fields = 0;
    for (size_t i = 0; i < node->field_count; i++) {
        if (!is_written(&node->fields[i]))
            continue;
        if (fields++ == 0)
            nip_buffer_append_byte(out, '\n');
        print_field(node, &node->fields[i], out);
    }
    for (size_t i = 0; i < node->child_count; i++)
        print_node(&node->children[i], full, depth + 1, out);
}

void nip_manifest_document(struct nip_buffer *out)
{
    nip_buffer_append_text(
        out,
        "<!-- Made by: nip help manifest. Change the tables in nip/lib/manifest_*.c instead. -->\n"
        "# The manifest, npl.kdl\n"
        "\n"
        "What the author of a package says about it, in [KDL 2](https://kdl.dev). `nip fmt` lays "
        "it out, `nip build` and all others read it; what a kernel acts on is packed into "
        "`npl.bkdl`, and whoever reads one compares it with the other.\n"
        "\n"
        "Nothing beyond what stands here is allowed: an unknown name, a wrong type, a value outside "
        "its limits, a node that stands there twice is an error that shows the line and says what "
        "was expected. Type annotations have no meaning. At most 65,536 bytes.\n"
        "\n"
        "```kdl\n");
    nip_buffer_append_text(out, nip_manifest_example);
    nip_buffer_append_text(out, "```\n");
    for (size_t i = 0; i < MANIFEST_PART_COUNT; i++)
        print_node(&manifest_schema[i], "", 2, out);
    nip_buffer_append_text(
        out,
        "\nA package of kind `library` or `kernel` runs nothing of its own: it has no `match`, "
        "`request`, `provides` and `needs`.\n");
}
