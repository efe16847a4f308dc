// SPDX-License-Identifier: Apache-2.0
//
// Goal: npl.kdl, image.kdl and machine files say what they say, and every mistake is shown at its
// place with the way out. Method: one complete manifest; then a table of single edits of it with
// code, position and words.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rumpk/call.h>
#include <rumpk/cap.h>
#include <rumpk/start.h>

#include "nip/bkdl.h"
#include "nip/imagedef.h"
#include "nip/machine.h"
#include "nip/manifest.h"

static const char complete[] =
    "package \"rumpk/virtio-blk\" version=\"0.1.0\" {\n"              // 1
    "    kind \"driver\"\n"                                           // 2
    "    security-version 3\n"                                        // 3
    "    abi 1\n"                                                     // 4
    "    license \"Apache-2.0\"\n"                                    // 5
    "    description \"a block device\"\n"                            // 6
    "    arch \"aarch64\" \"riscv64\"\n"                              // 7
    "}\n"                                                             // 8
    "build { sources \"src/*.c\" \"x.c\"; flags \"-O2\" }\n"          // 9
    "runtime { spectrum \"matter\"; stack 32768; heap \"1MiB\" }\n"   // 10
    "match { virtio 2; compatible \"ns16550a\" }\n"                   // 11
    "request {\n"                                                     // 12
    "    device \"disk\" virtio=2 queues=2\n"                         // 13
    "    registers \"uart\" compatible=\"ns16550a\" optional=#true\n" // 14
    "    dma \"buffers\" size=\"128KiB\"\n"                           // 15
    "    memory \"scratch\" size=4096\n"                              // 16
    "}\n"                                                             // 17
    "provides { service \"block\" 1 style=\"service\" clients=4 }\n"  // 18
    "needs { service \"console\" 1 style=\"stream\" }\n";             // 19

static struct nip_manifest manifest;

static void complete_manifest_is_read(void **state)
{
    (void)state;
    struct nip_error err = {.code = NIP_OK};
    if (nip_manifest_parse(complete, strlen(complete), "npl.kdl", &manifest, &err) != NIP_OK)
        fail_msg("%s", err.message);
    assert_string_equal(manifest.identity.name, "rumpk/virtio-blk");
    assert_int_equal(manifest.identity.security_version, 3);
    assert_int_equal(manifest.identity.kind, RUMPK_KIND_DRIVER);
    assert_int_equal(manifest.identity.arch_mask,
                     RUMPK_ARCH_BIT(RUMPK_ARCH_AARCH64) | RUMPK_ARCH_BIT(RUMPK_ARCH_RISCV64));
    assert_int_equal(manifest.runtime.spectrum, RUMPK_SPECTRUM_MATTER);
    assert_int_equal(manifest.runtime.stack_size, 32768);
    assert_int_equal(manifest.runtime.heap_size, 1048576);
    assert_int_equal(manifest.source_count, 2);
    assert_string_equal(manifest.sources[1], "x.c");
    assert_string_equal(manifest.flags[0], "-O2");
    assert_int_equal(manifest.match_count, 2);
    assert_int_equal(manifest.matches[1].bus, RUMPK_BUS_COMPATIBLE);
    assert_int_equal(manifest.request_count, 4);
    assert_int_equal(manifest.requests[0].type, RUMPK_CAP_DEVICE);
    assert_int_equal(manifest.requests[0].queues, 2);
    assert_int_equal(manifest.requests[1].optional, 1);
    assert_int_equal(manifest.requests[2].size, 131072);
    assert_int_equal(manifest.provides[0].clients, 4);
    assert_int_equal(manifest.needs[0].style, RUMPK_STYLE_STREAM);
    struct nip_buffer words = {.size = 0};
    nip_manifest_request_words(&manifest.requests[0], &words);
    assert_string_equal(nip_buffer_text(&words),
                        "use the virtio device 2 (block) as \"disk\", 2 queues");
    nip_buffer_free(&words);
}

// The parts that only builds and people read.
static const char for_people[] =
    "package \"acme/a\" version=\"1.2.0\" {\n"                                           // 1
    "    kind \"driver\"; security-version 1; abi 1; description \"x\"\n"                // 2
    "    license \"MIT OR Apache-2.0\"\n"                                                // 3
    "    authors \"Ada Example <ada@example.org>\" \"Bob\"\n"                            // 4
    "    links homepage=\"https://example.org/a\" issues=\"http://example.org/i?n=1\"\n" // 5
    "    arch \"aarch64\" \"riscv64\"\n"                                                 // 6
    "}\n"                                                                                // 7
    "build {\n"                                                                          // 8
    "    sources \"src/*.c\"\n"                                                          // 9
    "    arch \"riscv64\" { sources \"src/riscv64/*.S\"; flags \"-DA\" \"-DB\" }\n"      // 10
    "    arch \"aarch64\" \"riscv64\" { flags \"-DC\" }\n"                               // 11
    "}\n"                                                                                // 12
    "dependencies {\n"                                                                   // 13
    "    library \"acme/crc\" \"1.2\"\n"                                                 // 14
    "    library \"acme/ring\" \"0.3.1\" registry=\"acme\" "
    "key=\"RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\"\n" // 15
    "}\n";

static void what_people_and_builds_need_is_read(void **state)
{
    (void)state;
    struct nip_error err = {.code = NIP_OK};
    if (nip_manifest_parse(for_people, strlen(for_people), "f", &manifest, &err) != NIP_OK)
        fail_msg("%s", err.message);
    assert_int_equal(manifest.author_count, 2);
    assert_string_equal(manifest.authors[0], "Ada Example <ada@example.org>");
    assert_string_equal(manifest.homepage, "https://example.org/a");
    assert_string_equal(manifest.repository, "");
    assert_int_equal(manifest.arch_build_count, 2);
    assert_int_equal(manifest.arch_builds[0].arch_mask, RUMPK_ARCH_BIT(RUMPK_ARCH_RISCV64));
    assert_int_equal(manifest.arch_builds[0].source_count, 1);
    assert_string_equal(manifest.arch_builds[0].sources[0], "src/riscv64/*.S");
    assert_int_equal(manifest.arch_builds[0].flag_count, 2);
    assert_string_equal(manifest.arch_builds[1].flags[0], "-DC");
    assert_int_equal(manifest.arch_builds[1].source_count, 0);
    assert_int_equal(manifest.dependency_count, 2);
    assert_string_equal(manifest.dependencies[0].name, "acme/crc");
    assert_string_equal(manifest.dependencies[0].requirement, "1.2");
    assert_int_equal(manifest.dependencies[0].key[0], 0);
    assert_string_equal(manifest.dependencies[1].registry, "acme");
    assert_int_equal(manifest.dependencies[1].key[31], 0xB7);
}

// Puts `with` in the place of the only `what`.
static char *edited(const char *text, const char *what, const char *with)
{
    const char *place = strstr(text, what);
    if (!place)
        fail_msg("\"%s\" is not in the text", what);
    size_t size = strlen(text) + strlen(with) + 1;
    char *out = malloc(size);
    snprintf(out, size, "%.*s%s%s", (int)(place - text), text, with, place + strlen(what));
    return out;
}

struct mistake {
    const char *what, *with;
    enum nip_code code;
    uint32_t line, column;
    const char *message, *hint;
};

static void expect_mistakes(const char *base, const struct mistake *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct nip_error err = {.code = NIP_OK};
        char *text = edited(base, table[i].what, table[i].with);
        enum nip_code code = nip_manifest_parse(text, strlen(text), "npl.kdl", &manifest, &err);
        if (code != table[i].code || err.line != table[i].line || err.column != table[i].column ||
            !strstr(err.message, table[i].message) || !strstr(err.hint, table[i].hint))
            fail_msg("\"%s\": %s %u:%u %s [%s]", table[i].with, nip_error_name(code), err.line,
                     err.column, err.message, err.hint);
        free(text);
    }
}

// A build system of the author's choice: for builds only, so nothing of it is packed.
static void build_systems_are_read_and_not_packed(void **state)
{
    (void)state;
    static const struct {
        const char *with;
        uint32_t system, options;
    } table[] = {
        {"build \"cmake\" { options \"-DX=1\" \"-DY=2\"; sources \"src/*.c\" }", NIP_BUILD_CMAKE,
         2},
        {"build \"meson\"", NIP_BUILD_MESON, 0},
        {"build \"make\" { flags \"-DTEST=1\" }", NIP_BUILD_MAKE, 0},
        {"build { sources \"src/*.c\" }", NIP_BUILD_OWN, 0},
    };
    static struct nip_manifest decoded;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct nip_error err = {.code = NIP_OK};
        struct nip_buffer packed = {.size = 0};
        char *text =
            edited(complete, "build { sources \"src/*.c\" \"x.c\"; flags \"-O2\" }", table[i].with);
        if (nip_manifest_parse(text, strlen(text), "f", &manifest, &err) != NIP_OK)
            fail_msg("%s", err.message);
        assert_int_equal(manifest.build_system, table[i].system);
        assert_int_equal(manifest.build_option_count, table[i].options);
        assert_string_equal(manifest.sources[0], "src/*.c");
        assert_int_equal(nip_bkdl_encode_package(&manifest, &packed, &err), NIP_OK);
        assert_int_equal(nip_bkdl_decode_package(packed.data, packed.size, "f", &decoded, &err),
                         NIP_OK);
        assert_int_equal(nip_bkdl_compare(&manifest, &decoded, &err), NIP_OK);
        assert_int_equal(decoded.build_system, NIP_BUILD_OWN);
        nip_buffer_free(&packed);
        free(text);
    }
    assert_string_equal(nip_build_system_name(NIP_BUILD_MESON), "meson");
    assert_string_equal(nip_build_system_name(NIP_BUILD_OWN), "nip");
    assert_string_equal(nip_build_system_name(9), "?");
}

static void mistakes_about_build_systems(void **state)
{
    (void)state;
    static const struct mistake table[] = {
        {"build {", "build \"cmkae\" {", NIP_ERROR_SCHEMA, 9, 7, "unknown `system`", "Did you mean `cmake`"},
        {"build {", "build 1 {", NIP_ERROR_SCHEMA, 9, 7, "", ""},
        {"build {", "build \"make\" \"cmake\" {", NIP_ERROR_SCHEMA, 9, 14, "", ""},
        {"build {", "build { options \"-DX\";", NIP_ERROR_SCHEMA, 9, 1,
         "`options` are for a build system, and none is named", "build \"cmake\" { ... }"},
        {"build {", "build \"make\" { arch \"riscv64\" { flags \"-DX\" };", NIP_ERROR_SCHEMA, 9, 1,
         "an `arch` block is for nip's own build", "look at the architecture"},
        {"build {", "build \"make\" { options;", NIP_ERROR_SCHEMA, 9, 16, "", ""},
    };
    expect_mistakes(complete, table, sizeof table / sizeof table[0]);
}

// What the kernel acts on and only some packages write.
static const char for_kernels[] =
    "package \"acme/nic\" version=\"1.0.0\" { kind \"driver\"; security-version 1; abi 1\n" // 1
    "    license \"MIT\"; arch \"x86_64\" }\n"                                              // 2
    "runtime {\n"                                                                           // 3
    "    pledge \"stdio\" \"map\"\n"                                                        // 4
    "    budget \"1500us\"\n"                                                               // 5
    "    restart \"always\" limit=3 window=\"2s\"\n"                                        // 6
    "}\n"                                                                                   // 7
    "match { pci vendor=0x8086 device=0x10d3; pci class=\"0200\" }\n"                       // 8
    "request {\n"                                                                           // 9
    "    bar \"regs\" 0 vendor=0x8086 device=0x10d3 interrupt=#true\n"                      // 10
    "    bar \"table\" 3 class=\"020000\" optional=#true\n"                                 // 11
    "}\n";

static void what_a_kernel_acts_on_is_read(void **state)
{
    (void)state;
    struct nip_error err = {.code = NIP_OK};
    if (nip_manifest_parse(for_kernels, strlen(for_kernels), "f", &manifest, &err) != NIP_OK)
        fail_msg("%s", err.message);
    assert_int_equal(manifest.runtime.pledge, RUMPK_PLEDGE_STDIO | RUMPK_PLEDGE_MAP);
    assert_int_equal(manifest.runtime.budget_us, 1500);
    assert_int_equal(manifest.runtime.restart, RUMPK_RESTART_ALWAYS);
    assert_int_equal(manifest.runtime.restart_limit, 3);
    assert_int_equal(manifest.runtime.restart_window_s, 2);
    assert_int_equal(manifest.matches[0].bus, RUMPK_BUS_PCI);
    assert_int_equal(manifest.matches[0].vendor_id, 0x8086);
    assert_int_equal(manifest.matches[0].device_id, 0x10d3);
    assert_int_equal(manifest.matches[1].class_code, RUMPK_PCI_CLASS(2, 0x020000));
    assert_int_equal(manifest.requests[0].type, RUMPK_CAP_WINDOW);
    assert_int_equal(manifest.requests[0].queues, 1);
    assert_int_equal(manifest.requests[1].bar, 3);
    assert_int_equal(manifest.requests[1].class_code, RUMPK_PCI_CLASS(3, 0x020000));
    struct nip_buffer words = {.size = 0};
    nip_manifest_request_words(&manifest.requests[0], &words);
    nip_buffer_append_text(&words, "; ");
    nip_manifest_request_words(&manifest.requests[1], &words);
    assert_string_equal(nip_buffer_text(&words),
                        "read and write register block 0 and take the interrupt of the PCI device "
                        "8086:10d3 as \"regs\"; read and write register block 3 of the PCI device "
                        "of class 020000 as \"table\" (can do without)");
    nip_buffer_free(&words);

    // Packed, read again and compared, they are the same.
    static struct nip_manifest decoded;
    struct nip_buffer packed = {.size = 0};
    assert_int_equal(nip_bkdl_encode_package(&manifest, &packed, &err), NIP_OK);
    if (nip_bkdl_decode_package(packed.data, packed.size, "f", &decoded, &err) != NIP_OK)
        fail_msg("%s", err.message);
    assert_int_equal(nip_bkdl_compare(&manifest, &decoded, &err), NIP_OK);
    decoded.runtime.pledge |= RUMPK_PLEDGE_EXEC;
    assert_int_equal(nip_bkdl_compare(&manifest, &decoded, &err), NIP_ERROR_MISMATCH);
    assert_non_null(strstr(err.message, "the manifest says \"stdio\" \"map\", the kernel would do "
                                        "\"stdio\" \"exec\" \"map\""));
    nip_buffer_free(&packed);
}

static void defaults_are_filled_in(void **state)
{
    (void)state;
    struct nip_error err = {.code = NIP_OK};
    static const char text[] = "package \"local/a\" version=\"1.0.0\" {\n kind \"driver\"\n "
                               "security-version 1\n abi 1\n license \"MIT\"\n "
                               "arch \"x86_64\"\n}\n";
    assert_int_equal(nip_manifest_parse(text, strlen(text), "npl.kdl", &manifest, &err), NIP_OK);
    assert_int_equal(manifest.runtime.spectrum, RUMPK_SPECTRUM_GRAVITY);
    assert_int_equal(manifest.runtime.stack_size, NIP_MANIFEST_STACK_DEFAULT);
    assert_int_equal(manifest.runtime.heap_size, NIP_MANIFEST_HEAP_DEFAULT);
    assert_int_equal(manifest.runtime.pledge, RUMPK_PLEDGE_CLASSES);
    assert_int_equal(manifest.runtime.budget_us, 0);
    assert_int_equal(manifest.runtime.restart, RUMPK_RESTART_ON_FAULT);
    assert_int_equal(manifest.runtime.restart_limit, NIP_MANIFEST_RESTART_LIMIT_DEFAULT);
    assert_int_equal(manifest.runtime.restart_window_s, NIP_MANIFEST_RESTART_WINDOW_DEFAULT);
    assert_int_equal(manifest.source_count, 1);
    assert_string_equal(manifest.sources[0], "src/*.c");
}

static void mistakes_are_shown_at_their_place(void **state)
{
    (void)state;
    static const struct mistake table[] = {
        {"stack 32768", "stakc 32768", NIP_ERROR_SCHEMA, 10, 30, "nothing of this name",
         "Did you mean `stack`?"},
        {"stack 32768", "stack 32768; stack 32768", NIP_ERROR_SCHEMA, 10, 43, "twice", "line 10"},
        {"stack 32768", "stack 32769", NIP_ERROR_SCHEMA, 10, 36, "no valid `stack`", "multiple"},
        {"stack 32768", "stack 4096", NIP_ERROR_SCHEMA, 10, 36, "no valid", "from 16KiB to 1MiB"},
        {"stack 32768", "stack \"32kb\"", NIP_ERROR_SCHEMA, 10, 36, "no valid", "64KiB"},
        {"stack 32768", "stack -4096", NIP_ERROR_SCHEMA, 10, 36, "no valid", ""},
        {"stack 32768", "stack 32768.0", NIP_ERROR_SCHEMA, 10, 36, "no valid", ""},
        {"stack 32768", "stack (u8)32768", NIP_ERROR_SCHEMA, 10, 37, "annotations", ""},
        {"stack 32768", "stack", NIP_ERROR_SCHEMA, 10, 30, "needs a value", "Expected a size"},
        {"stack 32768", "stack 32768 { x }", NIP_ERROR_SCHEMA, 10, 42, "takes no block", ""},
        {"\"matter\"", "\"mattr\"", NIP_ERROR_SCHEMA, 10, 20, "unknown `spectrum`", "`matter`"},
        {"\"matter\"", "1", NIP_ERROR_SCHEMA, 10, 20, "no valid `spectrum`", "\"void\""},
        {"    license \"Apache-2.0\"\n", "", NIP_ERROR_SCHEMA, 1, 1, "`license` is missing", ""},
        {"license \"Apache-2.0\"", "license \"\"", NIP_ERROR_SCHEMA, 5, 13, "no valid", ""},
        {"a block device", "a \\u{202e} device", NIP_ERROR_SCHEMA, 6, 17, "no valid", "one line"},
        {"a block device", "a \\n device", NIP_ERROR_SCHEMA, 6, 17, "no valid", "one line"},
        {"rumpk/virtio-blk", "rumpk/Virtio", NIP_ERROR_NAME, 1, 9, "no valid `name`", "hyphens"},
        {"0.1.0", "0.1", NIP_ERROR_NAME, 1, 36, "no valid `version`", "SemVer"},
        {"0.1.0", "0.1.0+build", NIP_ERROR_NAME, 1, 36, "no valid `version`", "SemVer"},
        {" version=\"0.1.0\"", "", NIP_ERROR_SCHEMA, 1, 1, "needs `version=`", "SemVer"},
        {"version=\"0.1.0\"", "version=\"0.1.0\" version=\"0.1.0\"", NIP_ERROR_SCHEMA, 1, 44,
         "given twice", ""},
        {"\"riscv64\"", "\"aarch64\"", NIP_ERROR_SCHEMA, 7, 20, "twice", ""},
        {"\"riscv64\"", "\"risc\"", NIP_ERROR_SCHEMA, 7, 20, "unknown `arch`", "riscv64"},
        {"security-version 3", "security-version 0", NIP_ERROR_SCHEMA, 3, 22, "no valid",
         "from 1 to 65535"},
        {"abi 1", "abi 1 0", NIP_ERROR_SCHEMA, 4, 11, "takes no further value", ""},
        {"\"driver\"", "\"kernel\"", NIP_ERROR_SCHEMA, 0, 0, "runs nothing of its own", "driver"},
        {"virtio=2", "virito=2", NIP_ERROR_SCHEMA, 13, 19, "no property", "Did you mean `virtio`?"},
        {"queues=2", "queues=9", NIP_ERROR_SCHEMA, 13, 35, "no valid `queues`", "from 1 to 8"},
        {"\"scratch\"", "\"disk\"", NIP_ERROR_SCHEMA, 16, 5, "requests are called \"disk\"", ""},
        {"\"scratch\"", "\"Scratch\"", NIP_ERROR_SCHEMA, 16, 12, "no valid `name`", "small"},
        {"compatible \"ns16550a\"", "virtio 2", NIP_ERROR_SCHEMA, 11, 19, "twice", ""},
        {"compatible=\"ns16550a\"", "compatible=\"ns 16550a\"", NIP_ERROR_SCHEMA, 14, 33,
         "no valid `compatible`", ""},
        {"optional=#true", "optional=\"yes\"", NIP_ERROR_SCHEMA, 14, 53, "no valid `optional`",
         "#true or #false"},
        {"clients=4", "clients=65", NIP_ERROR_SCHEMA, 18, 54, "no valid `clients`", ""},
        {"needs {", "nedes {", NIP_ERROR_SCHEMA, 19, 1, "this file has nothing", "`needs`"},
        {"needs {", "(x)needs {", NIP_ERROR_SCHEMA, 19, 2, "annotations", ""},
        {"needs {", "provides {", NIP_ERROR_SCHEMA, 19, 1, "twice", "line 18"},
        {"needs {", "needs {{", NIP_ERROR_SYNTAX, 19, 8, "", ""},
    };
    expect_mistakes(complete, table, sizeof table / sizeof table[0]);
}

static void mistakes_for_people_and_builds(void **state)
{
    (void)state;
    static const struct mistake table[] = {
        {"MIT OR Apache-2.0", "MIT OR Apache2.0", NIP_ERROR_SCHEMA, 3, 13, "\"Apache2.0\" is no",
         "`Apache-2.0`"},
        {"MIT OR Apache-2.0", "MIT OR", NIP_ERROR_SCHEMA, 3, 13, "ends too early", "identifier"},
        {"\"Bob\"", "7", NIP_ERROR_SCHEMA, 4, 45, "no valid `authors`", "texts of 1 to"},
        {"authors", "author", NIP_ERROR_SCHEMA, 4, 5, "nothing of this name", "`authors`"},
        {"https://example.org/a", "gopher://example.org", NIP_ERROR_SCHEMA, 5, 20,
         "no valid `homepage`", "https://"},
        {"https://example.org/a", "https://example.org/ a", NIP_ERROR_SCHEMA, 5, 20,
         "no valid `homepage`", "without spaces"},
        {"homepage=", "hompage=", NIP_ERROR_SCHEMA, 5, 11, "no property", "`homepage`"},
        {"arch \"riscv64\" {", "arch \"x86_64\" {", NIP_ERROR_SCHEMA, 10, 10, "not made for",
         "Add it to `arch`"},
        {"arch \"riscv64\" {", "arch {", NIP_ERROR_SCHEMA, 10, 5, "needs a value", "riscv64"},
        {"flags \"-DC\"", "falgs \"-DC\"", NIP_ERROR_SCHEMA, 11, 32, "nothing of this name",
         "`flags`"},
        {"library \"acme/crc\" \"1.2\"", "library \"acme/crc\"", NIP_ERROR_SCHEMA, 14, 5,
         "needs a value (version)", "\"1.2.3\""},
        {"\"1.2\"", "\"1.2.x\"", NIP_ERROR_NAME, 14, 24, "no valid `version`", "lowest"},
        {"\"1.2\"", "1.2", NIP_ERROR_NAME, 14, 24, "no valid `version`", "lowest"},
        {"\"acme/crc\"", "\"acme/ring\"", NIP_ERROR_SCHEMA, 15, 5, "twice", ""},
        {"registry=\"acme\"", "registry=\"file:x\"", NIP_ERROR_SCHEMA, 15, 42,
         "no valid `registry`", "small letters"},
        {"7GFO3", "7GFO", NIP_ERROR_SCHEMA, 15, 53, "no valid `key`", "56 characters"},
    };
    expect_mistakes(for_people, table, sizeof table / sizeof table[0]);
}

static void mistakes_for_kernels(void **state)
{
    (void)state;
    static const struct mistake table[] = {
        {"\"stdio\" \"map\"", "\"stdoi\"", NIP_ERROR_SCHEMA, 4, 12, "unknown `pledge`", "`stdio`"},
        {"\"stdio\" \"map\"", "\"map\" \"map\"", NIP_ERROR_SCHEMA, 4, 18, "twice", ""},
        {"\"1500us\"", "1500", NIP_ERROR_SCHEMA, 5, 12, "no valid `budget`", "from 1us to 1s"},
        {"\"1500us\"", "\"2s\"", NIP_ERROR_SCHEMA, 5, 12, "no valid `budget`", "from 1us to 1s"},
        {"\"1500us\"", "\"0us\"", NIP_ERROR_SCHEMA, 5, 12, "no valid `budget`", "from 1us to 1s"},
        {"\"1500us\"", "\"1500\"", NIP_ERROR_SCHEMA, 5, 12, "no valid `budget`", "\"20ms\""},
        {"\"always\"", "\"sometimes\"", NIP_ERROR_SCHEMA, 6, 13, "unknown `restart`", "on-fault"},
        {"limit=3", "limit=0", NIP_ERROR_SCHEMA, 6, 28, "no valid `limit`", "from 1 to 255"},
        {"\"2s\"", "\"2500ms\"", NIP_ERROR_SCHEMA, 6, 37, "no valid `window`", "from 1s to 3600s"},
        {"vendor=0x8086 device=0x10d3;", "device=0x10d3;", NIP_ERROR_SCHEMA, 8, 9,
         "names no device", "`vendor=` and `device=`"},
        {"vendor=0x8086 device=0x10d3;", "vendor=0xffff device=1;", NIP_ERROR_SCHEMA, 8, 20,
         "no valid `vendor`", "from 0 to 0xfffe"},
        {"\"0200\"", "\"020\"", NIP_ERROR_SCHEMA, 8, 52, "no valid `class`", "hexadecimal"},
        {"\"0200\"", "\"02zz\"", NIP_ERROR_SCHEMA, 8, 52, "no valid `class`", "hexadecimal"},
        {"bar \"regs\" 0", "bar \"regs\" 6", NIP_ERROR_SCHEMA, 10, 16, "no valid `number`",
         "from 0 to 5"},
        {" class=\"020000\"", "", NIP_ERROR_SCHEMA, 11, 5, "names no device", "`class=`"},
    };
    expect_mistakes(for_kernels, table, sizeof table / sizeof table[0]);
}

static void the_documented_example_is_a_manifest(void **state)
{
    (void)state;
    struct nip_error err = {.code = NIP_OK};
    if (nip_manifest_parse(nip_manifest_example, strlen(nip_manifest_example), "f", &manifest,
                           &err) != NIP_OK)
        fail_msg("%u:%u %s", err.line, err.column, err.message);
    struct nip_buffer text = {.size = 0};
    nip_manifest_document(&text);
    assert_non_null(strstr(nip_buffer_text(&text), nip_manifest_example));
    nip_buffer_free(&text);
}

static void limits_are_kept(void **state)
{
    (void)state;
    struct nip_error err = {.code = NIP_OK};
    struct nip_buffer text = {.size = 0};
    nip_buffer_append_text(&text, "package \"local/a\" version=\"1.0.0\" { kind \"driver\"; "
                                  "security-version 1; abi 1; license \"MIT\"; arch \"x86_64\" }\n"
                                  "request {\n");
    for (unsigned i = 0; i <= RUMPK_REQUESTS_MAX; i++) {
        size_t before = text.size;
        nip_buffer_append_format(&text, "memory \"m%u\" size=4096\n", i);
        size_t after = text.size;
        nip_buffer_append_text(&text, "}\n");
        enum nip_code code =
            nip_manifest_parse(nip_buffer_text(&text), text.size, "npl.kdl", &manifest, &err);
        assert_int_equal(code, i < RUMPK_REQUESTS_MAX ? NIP_OK : NIP_ERROR_LIMIT);
        assert_true(before < after);
        text.size = after;
    }
    nip_buffer_free(&text);
}

static void capability_digest_notices_growth(void **state)
{
    (void)state;
    struct nip_error err = {.code = NIP_OK};
    uint8_t before[RUMPK_DIGEST_SIZE], after[RUMPK_DIGEST_SIZE];
    assert_int_equal(nip_manifest_parse(complete, strlen(complete), "f", &manifest, &err), NIP_OK);
    nip_manifest_capability_digest(&manifest, before);
    static const struct {
        const char *what, *with;
        bool is_equal;
    } table[] = {
        {"a block device", "another text", true},
        {"0.1.0", "0.2.0", true},
        {"\"-O2\"", "\"-O1\"", true},
        {"virtio 2;", "", true},
        {"size=\"128KiB\"", "size=\"132KiB\"", false},
        {"queues=2", "queues=1", false},
        {"heap \"1MiB\"", "heap \"2MiB\"", false},
        {"optional=#true", "", false},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char *text = edited(complete, table[i].what, table[i].with);
        assert_int_equal(nip_manifest_parse(text, strlen(text), "f", &manifest, &err), NIP_OK);
        nip_manifest_capability_digest(&manifest, after);
        assert_int_equal(memcmp(before, after, sizeof before) == 0, table[i].is_equal);
        free(text);
    }
}

static void image_definitions_are_read_and_printed(void **state)
{
    (void)state;
    static const char text[] =
        "image \"local/box\" version=\"0.1.0\" { on-idle \"stay\" }\n"
        "package \"local/a\" version=\"1.0.0\" path=\"../a b\" {\n"
        "    arch \"riscv64\"\n    grant \"d\" index=3\n    grant \"m\" size=\"8KiB\"\n"
        "    dma #true\n    spectrum \"void\"\n    stack-max \"64KiB\"\n    heap-max \"0KiB\"\n"
        "    config \"x=1\\ny=2\"\n}\n";
    struct nip_imagedef *imagedef;
    struct nip_error err = {.code = NIP_OK};
    if (nip_imagedef_parse(text, strlen(text), "image.kdl", &imagedef, &err) != NIP_OK)
        fail_msg("%u: %s", err.line, err.message);
    const struct nip_imagedef_package *package = &imagedef->packages[0];
    assert_true(imagedef->stays_on_idle);
    assert_string_equal(package->path, "../a b");
    assert_int_equal(package->grants[0].index, 3);
    assert_int_equal(package->grants[1].index, NIP_IMAGEDEF_INDEX_ANY);
    assert_int_equal(package->grants[1].size, 8192);
    assert_int_equal(package->heap_max, 0);
    assert_int_equal(package->config_size, 7);
    // The printed node is what the file says, and stands where `span` says.
    struct nip_buffer out = {.size = 0};
    nip_imagedef_print_package(package, &out);
    assert_memory_equal(text + package->span.offset, out.data, package->span.size);
    nip_buffer_free(&out);
    nip_imagedef_free(imagedef);

    static const struct {
        const char *text;
        uint32_t line;
        const char *message;
    } wrong[] = {
        {"package \"a/b\" version=\"1.0.0\" registry=\"r\"", 1, "`image` is missing"},
        {"image \"a/b\" version=\"1.0.0\"\npackage \"a/b\" version=\"1.0.0\"", 2, "either"},
        {"image \"a/b\" version=\"1.0.0\"\npackage \"a/b\" version=\"1.0.0\" registry=\"r\"\n"
         "package \"a/b\" version=\"1.0.0\" registry=\"r\"",
         3, "twice for one architecture"},
        {"image \"a/b\" version=\"1.0.0\"\npackage \"a/b\" version=\"1.0.0\" registry=\"r\"\n"
         "wire \"x\" from=\"a/b\" to=\"a/c\"",
         3, "no package \"a/c\""},
        {"image \"a/b\" version=\"1.0.0\"\npackage \"a/b\" version=\"1.0.0\" registry=\"r\" {\n"
         "grant \"x\"\ngrant \"x\"\n}",
         4, "granted twice"},
        {"image \"a/b\" version=\"1.0.0\"\npackage \"a/b\" version=\"1.0.0\" registry=\"r\" {\n"
         "key \"RWQ\"\n}",
         3, "no valid `key`"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        memset(&err, 0, sizeof err);
        assert_int_not_equal(
            nip_imagedef_parse(wrong[i].text, strlen(wrong[i].text), "image.kdl", &imagedef, &err),
            NIP_OK);
        if (err.line != wrong[i].line || !strstr(err.message, wrong[i].message))
            fail_msg("case %zu: %u %s", i, err.line, err.message);
    }
}

static void machines_become_argument_vectors(void **state)
{
    (void)state;
    static const char text[] =
        "machine \"virt\" arch=\"riscv64\" {\n"
        "    qemu \"qemu-system-riscv64\"\n    version \"7.2\"\n    memory-mib \"8\"\n"
        "    console-driver \"uart-16550\"\n    ram-base \"0x80000000\"\n"
        "    arg \"-M\" \"virt\"\n    memory \"-m\" \"{mib}\"\n"
        "    kernel \"-kernel\" \"{kernel}\"\n"
        "    disk \"-drive\" \"id=disk{index},file={disk}\"\n    gdb \"-gdb\" \"tcp::{port}\"\n}\n";
    struct nip_machine machine;
    struct nip_machine_arguments arguments;
    struct nip_error err = {.code = NIP_OK};
    if (nip_machine_parse(text, strlen(text), "m.kdl", &machine, &err) != NIP_OK)
        fail_msg("%s", err.message);
    assert_int_equal(machine.ram_base, 0x80000000);
    struct nip_machine_options options = {
        .kernel = "a,b c",
        .memory_mib = 16,
        .disks = {"d,0", "d1"},
        .disk_count = 2,
    };
    assert_int_equal(nip_machine_arguments_make(&machine, &options, &arguments, &err), NIP_OK);
    static const char *const expected[] = {
        "qemu-system-riscv64",
        "-M",
        "virt",
        "-m",
        "16",
        "-kernel",
        "a,b c",
        "-drive",
        "id=disk0,file=d,,0",
        "-drive",
        "id=disk1,file=d1",
        NULL,
    };
    for (size_t i = 0; expected[i]; i++)
        assert_string_equal(arguments.list[i], expected[i]);
    assert_int_equal(arguments.count, 11);
    nip_machine_arguments_free(&arguments);
    nip_machine_free(&machine);

    static const char *const wrong[] = {"",
                                        "machine \"x\" arch=\"mips\"",
                                        "machine \"x\"",
                                        "machine \"x\" arch=\"riscv64\" { arg 5 }",
                                        "machine \"x\" arch=\"riscv64\" { argg \"5\" }",
                                        "machine \"x\" arch=\"riscv64\" { memory-mib \"0\" }"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(nip_machine_parse(wrong[i], strlen(wrong[i]), "m", &machine, &err),
                         NIP_ERROR_SCHEMA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete_manifest_is_read),
        cmocka_unit_test(defaults_are_filled_in),
        cmocka_unit_test(what_people_and_builds_need_is_read),
        cmocka_unit_test(mistakes_are_shown_at_their_place),
        cmocka_unit_test(mistakes_for_people_and_builds),
        cmocka_unit_test(build_systems_are_read_and_not_packed),
        cmocka_unit_test(mistakes_about_build_systems),
        cmocka_unit_test(what_a_kernel_acts_on_is_read),
        cmocka_unit_test(mistakes_for_kernels),
        cmocka_unit_test(the_documented_example_is_a_manifest),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(capability_digest_notices_growth),
        cmocka_unit_test(image_definitions_are_read_and_printed),
        cmocka_unit_test(machines_become_argument_vectors),
    };
    return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
