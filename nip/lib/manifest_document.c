// SPDX-License-Identifier: Apache-2.0
//
// docs/manifest.md, from the tables that judge manifests.

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
        schema_document(&manifest_schema[i], out);
    nip_buffer_append_text(
        out,
        "\nA package of kind `library` or `kernel` runs nothing of its own: it has no `match`, "
        "`request`, `provides` and `needs`.\n");
}
