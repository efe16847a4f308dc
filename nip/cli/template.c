// SPDX-License-Identifier: Apache-2.0
//
// What nip new writes. The licence text and the console drivers come from the SDK.

#include "template.h"

#include <stddef.h>

const struct template_file template_driver[] = {
    {"npl.kdl", "// What this package is, what it asks for, and what it offers.\n"
                "package \"{name}\" version=\"0.1.0\" {\n"
                "    kind \"driver\"\n"
                "    security-version 1\n"
                "    abi 0\n"
                "    license \"Apache-2.0\"\n"
                "    description \"{short}: a service that greets\"\n"
                "    arch \"aarch64\" \"riscv64\" \"x86_64\"\n"
                "}\n"
                "\n"
                "needs {\n"
                "    service \"console\" 1 style=\"stream\"\n"
                "}\n"},
    {"src/main.c", "// SPDX-License-Identifier: Apache-2.0\n"
                   "//\n"
                   "// {name}: starts, greets on the console, and ends.\n"
                   "#include <npl/npl.h>\n"
                   "\n"
                   "int npl_main(void)\n"
                   "{\n"
                   "    npl_print(\"hello from {name}\\n\");\n"
                   "    return 0;\n"
                   "}\n"},
    {"README.md",
     "# {name}\n"
     "\n"
     "A driver package for Rumpk.\n"
     "\n"
     "    nip run                              build it, boot it, see what it says\n"
     "    nip run --arch all                   on every architecture\n"
     "    nip publish --registry file:../reg   sign it and share it\n"
     "\n"
     "`npl.kdl` says what the package asks for; `src/` holds its source; `LICENSES/` the text of\n"
     "every licence that `npl.kdl` names. Nothing below `build/` is kept.\n"},
    {".gitignore", "/build/\n"},
    {NULL, NULL},
};

const struct template_file template_image[] = {
    {"README.md",
     "# {name}\n"
     "\n"
     "An image for Rumpk: a kernel and signed drivers in one bootable file.\n"
     "\n"
     "    nip add local/hello --registry file:../reg   put a package into it\n"
     "    nip run --arch all                           boot it in the emulator\n"
     "    nip image --report                           make the files, and say what is in them\n"
     "\n"
     "`image.kdl` says which packages, and what each may do. `nip.trust.kdl` says whose signatures\n"
     "count. `nip.lock` says which bytes exactly. Commit all three.\n"},
    {"nip.trust.kdl",
     "// Where packages come from, and whose signatures count for which names. One decision per line.\n"
     "// The SDK's own packages (alias \"sdk\") are known without a line here.\n"},
    {".gitignore", "/build/\n"},
    {NULL, NULL},
};
