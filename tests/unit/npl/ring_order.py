#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The order of memory accesses in the linked ring: ring_order.py ARCH

Goal: the acquire loads, the release store and the two full fences of libnpl's ring are in the code that runs on each
architecture; the emulator on an x86 host would not notice if one were missing.
Method: a driver that uses a ring is linked with the installed SDK and disassembled. Then ring.c is built again with
one of them taken out and linked in its place, and the same look must find what is missing. On x86-64 every plain load
acquires and every plain store releases, so there only the fences can be seen.
"""
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
SDK = os.environ.get("RUMPK_SDK", os.path.join(ROOT, "build", "sdk"))
RING = os.path.join(ROOT, "sysroot", "libnpl", "src", "ring.c")

# Instructions, one line each with single spaces: what acquires, releases, fences fully, loads, stores.
FORMS = {
    "riscv64": {"acquire": r"^lw [^\n]*\nfence r, ?rw$", "release": r"^fence rw, ?w\nsw ", "fence": r"^fence rw, ?rw$",
                "load": r"^lw ", "store": r"^sw "},
    "aarch64": {"acquire": r"^(ldar|ldapr) ", "release": r"^stlr ", "fence": r"^dmb ish$", "load": r"^ldr ",
                "store": r"^str "},
    "x86_64": {"acquire": None, "release": None, "fence": r"^(mfence|lock .*)$", "load": r"^(mov|cmp)l .*\(%",
               "store": r"^movl .*, \(%"},
}

# What is taken out of ring.c, and whether an x86-64 shows it.
CHANGES = {
    "the release of the own index": (r"(ring->own_index, ring->own, )__ATOMIC_RELEASE", r"\1__ATOMIC_RELAXED", False),
    "the acquire of the peer's index": (r"(ring->peer_index, )__ATOMIC_ACQUIRE", r"\1__ATOMIC_RELAXED", False),
    "the fence of publish": (r"(ring->published = ring->own;\n) *__atomic_thread_fence[^\n]*\n", r"\1", True),
    "the fence of announce": (r"(store\(ring->own_waiting, 1\);\n) *__atomic_thread_fence[^\n]*\n", r"\1", True),
}

DRIVER = """#include <npl/npl.h>
int npl_main(void)
{
    struct npl_ring ring;
    if (npl_ring_open(&ring, 0, true) < 0)
        return 1;
    while (npl_ring_slot(&ring) || npl_ring_peek(&ring))
        npl_ring_commit(&ring);
    npl_ring_announce(&ring);
    return (int)npl_ring_publish(&ring) + (int)npl_ring_ready(&ring);
}
"""


class Linker:
    def __init__(self, arch, folder):
        self.triple, self.folder = f"{arch}-unknown-rumpk-elf", folder
        self.toolchain = os.path.join(SDK, "share", "rumpk", "toolchain")

    def compile(self, name, text):
        source, out = os.path.join(self.folder, name + ".c"), os.path.join(self.folder, name + ".o")
        with open(source, "w") as f:
            f.write(text)
        subprocess.run(["clang-19", "--no-default-config", f"--config={self.toolchain}/{self.triple}.cfg", "-std=c23", "-O2",
                        "-c", source, "-o", out], check=True)
        return out

    def functions(self, objects):
        """{function: its instructions, one per line}, of a driver linked from these objects."""
        elf = os.path.join(self.folder, "driver.elf")
        subprocess.run(["ld.lld-19", f"@{self.toolchain}/{self.triple}.ldflags", "-T", f"{self.toolchain}/{self.triple}.ld",
                        "-L", os.path.join(SDK, "share", "rumpk", "sysroot", self.triple, "lib"), *objects, "-o", elf],
                       check=True)
        text = subprocess.run(["llvm-objdump-19", "-d", "--no-show-raw-insn", "--no-leading-addr", elf], check=True,
                              text=True, stdout=subprocess.PIPE).stdout
        found = {}
        for name, body in re.findall(r"^<(\w+)>:\n(.*?)(?=^\s*$|\Z)", text, re.S | re.M):
            lines = (re.sub(r"\s+", " ", re.sub(r"\s(//|#).*", "", line)).strip() for line in body.split("\n"))
            found[name] = "\n".join(line for line in lines if line)
        return found


def look(functions, forms):
    """What is missing: a list of sentences."""
    missing = []

    def count(name, form):
        return len(re.findall(forms[form], functions[name], re.M)) if forms[form] else None

    def after(name, first, second):
        """Is there an instruction of the second form somewhere behind one of the first?"""
        at = re.search(forms[first], functions[name], re.M)
        return at and re.search(forms[second], functions[name][at.end():], re.M)

    for name, least in (("npl_ring_slot", 1), ("npl_ring_peek", 1), ("npl_ring_ready", 3)):
        if forms["acquire"] and count(name, "acquire") < least:
            missing.append(f"{name}: {count(name, 'acquire')} acquire loads, expected {least}")
    if forms["release"] and count("npl_ring_publish", "release") != 1:
        missing.append("npl_ring_publish: no release store of the own index")
    if not after("npl_ring_publish", "release" if forms["release"] else "store", "fence"):
        missing.append("npl_ring_publish: no full fence behind the store of the own index")
    if not after("npl_ring_publish", "fence", "load"):
        missing.append("npl_ring_publish: the peer's `waiting` is not read behind the fence")
    if not after("npl_ring_announce", "store", "fence"):
        missing.append("npl_ring_announce: no full fence behind the store of `waiting`")
    for name in ("npl_ring_publish", "npl_ring_announce"):
        if count(name, "fence") > 1:
            missing.append(f"{name}: more than the one full fence")
    return missing


def run(arch, folder):
    linker, forms, failed = Linker(arch, folder), FORMS[arch], False
    driver = linker.compile("main", DRIVER)
    missing = look(linker.functions([driver]), forms)
    failed |= bool(missing)
    print(f"{'FAILED' if missing else 'ok'}: {arch}: as it is: {'; '.join(missing) or 'all there'}")
    with open(RING) as f:
        ring = f.read()
    for what, (pattern, replacement, is_seen_on_x86) in CHANGES.items():
        changed, times = re.subn(pattern, replacement, ring)
        if times != 1:
            sys.exit(f"ring_order: {what} was not found once in ring.c: bring CHANGES up to date")
        if arch == "x86_64" and not is_seen_on_x86:
            continue
        # First, so that the library's own ring is never asked for.
        missing = look(linker.functions([linker.compile("ring", changed), driver]), forms)
        failed |= not missing
        print(f"{'ok' if missing else 'FAILED'}: {arch}: without {what}: {'; '.join(missing) or 'nobody noticed'}")
    return failed


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in FORMS:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="rumpk-ring-") as folder:
        sys.exit(run(sys.argv[1], folder))


if __name__ == "__main__":
    main()
