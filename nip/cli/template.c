// SPDX-License-Identifier: Apache-2.0
//
// What nip new writes into an image project. Drivers and libraries come from the templates of the
// SDK (sysroot/templates), the console drivers and the licence text from the SDK too.

#include "template.h"

#include <stddef.h>

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
