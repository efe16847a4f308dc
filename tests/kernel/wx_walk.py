#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Walks all page tables of a running guest from outside, after each step that changes them.

    wx_walk.py ARCH --tool CASE_IMAGE --kernel KERNEL --work FOLDER

The guest stops at the kernel's audit_step (a breakpoint through the emulator's debugger port). RAM is
read through the monitor, every live root is walked here, with this file's own idea of the page table
formats, and judged:

  1. no physical page is writable in one live root while executable in any (W^X);
  2. whatever a driver's root maps with user rights is on the kernel's list for that driver, with those
     rights or less, and no such page is the kernel's own (the gate page and the SysTable excepted);
  3. page 0 is mapped nowhere.

At the end the walker plants one violation of each kind in its copy of the memory and must find it.
"""
import argparse
import os
import struct
import sys

import cases as case_list
from build import build_driver
from guest import Gdb, Guest, GuestError, RAM_BASE, ROOT
from run_cases import CONSOLE, Boot, audit

PAGE = 4096
KERNEL, TEMPLATE = 0xFFFFFFFF, 0xFFFFFFFE
R, W, X, U = 1, 2, 4, 8
LEVELS = {"riscv64": 3, "aarch64": 3, "x86_64": 4}
WALKED = ("sink of honest rings", "forge nothing", "queue arguments", "read kernel-text", "forge length", "write own-heap",
          "take tree", "give tree", "take ring", "give ring")
STEP_REVOKE = 6


def decode_riscv64(pte, level):
    if not pte & 1:
        return None
    rights = (pte >> 1) & 7
    address = (pte >> 10 & (1 << 44) - 1) << 12
    if not rights:
        return "table", address, R | W | X | U
    return "leaf", address, (R if rights & 1 else 0) | (W if rights & 2 else 0) | (X if rights & 4 else 0) | (U if pte & 16 else 0)


def decode_aarch64(pte, level):
    if not pte & 1:
        return None
    address = pte & 0x0000FFFFFFFFF000
    if level > 0 and pte & 2:
        return "table", address, R | W | X | U
    # Executable by anybody counts as executable; execute-only for EL0 has no EL0 read.
    rights = R
    if not pte >> 7 & 1:
        rights |= W
    if not pte >> 54 & 1 or not pte >> 53 & 1:
        rights |= X
    if pte >> 6 & 1 or not pte >> 54 & 1:
        rights |= U
    return "leaf", address, rights


def decode_x86_64(pte, level):
    if not pte & 1:
        return None
    address = pte & 0x000FFFFFFFFFF000
    rights = R | (W if pte & 2 else 0) | (U if pte & 4 else 0) | (0 if pte >> 63 else X)
    if level > 0 and not pte & 0x80:
        return "table", address, rights
    return "leaf", address, rights


DECODE = {"riscv64": decode_riscv64, "aarch64": decode_aarch64, "x86_64": decode_x86_64}


class Memory:
    def __init__(self, arch, ram):
        self.arch, self.base, self.ram = arch, RAM_BASE[arch], bytearray(ram)

    def entry(self, address):
        at = address - self.base
        if not 0 <= at <= len(self.ram) - 8:
            raise GuestError(f"page table at {address:#x} is not in RAM")
        return struct.unpack_from("<Q", self.ram, at)[0]

    def leaves(self, root):
        """(va, pa, size, rights, address of the entry) of everything that a root maps."""
        found = []
        decode = DECODE[self.arch]

        def walk(table, level, va, rights):
            for index in range(512):
                at = table + index * 8
                entry = decode(self.entry(at), level)
                if entry is None:
                    continue
                kind, address, more = entry
                here = va | index << (12 + 9 * level)
                if kind == "table":
                    if level == 0:
                        raise GuestError(f"a table below the last level at {here:#x}")
                    walk(address, level - 1, here, rights & more)
                else:
                    size = PAGE << (9 * level)
                    found.append((here, address & ~(size - 1), size, rights & more, at))

        walk(root, LEVELS[self.arch] - 1, 0, R | W | X | U)
        return found


def judge(memory, roots, regions, kernel, exempt):
    """All violations, as text. `kernel` is the physical range of the kernel image, `exempt` pages that every driver sees."""
    bad, writable, executable = [], [], []
    mapped = {}
    for root, fiber in roots:
        leaves = memory.leaves(root)
        mapped[fiber] = leaves
        for va, pa, size, rights, _ in leaves:
            if va == 0:
                bad.append(f"root of {fiber:#x}: page 0 is mapped")
            if rights & W:
                writable.append((pa, pa + size, fiber, va))
            if rights & X:
                executable.append((pa, pa + size, fiber, va))
            if not rights & U or fiber in (KERNEL, TEMPLATE):
                if rights & U:
                    bad.append(f"root of {fiber:#x}: {va:#x} has user rights")
                continue
            for page in range(pa, pa + size, PAGE):
                at = va + page - pa
                if page in exempt and not rights & W:
                    continue
                if kernel[0] <= page < kernel[1]:
                    bad.append(f"fiber {fiber}: {at:#x} is a page of the kernel")
                fits = [r for r in regions if r["fiber"] == fiber and r["va"] <= at < r["va"] + r["size"]]
                if not any(r["pa"] + (at - r["va"]) == page and (not rights & W or r["prot"] & W) and
                           (not rights & X or r["prot"] & X) for r in fits):
                    bad.append(f"fiber {fiber}: {at:#x} -> {page:#x} with rights {rights:#x} is not on its list: {fits}")
    executable.sort()
    for low, high, fiber, va in writable:
        for xlow, xhigh, xfiber, xva in executable:
            if xlow >= high:
                break
            if low < xhigh:
                bad.append(f"W^X: {max(low, xlow):#x} is writable in the root of {fiber:#x} and executable in that of {xfiber:#x}")
    return bad, mapped


def plant(memory, mapped, roots, exempt):
    """Entries changed in a copy so that each rule has something to find: (what, address, new entry)."""
    arch = memory.arch
    fiber = next(f for _, f in roots if f not in (KERNEL, TEMPLATE))
    user = [leaf for leaf in mapped[fiber] if leaf[3] & U and leaf[1] not in exempt]
    text = next(leaf for leaf in user if leaf[3] & X and leaf[3] & R)
    data = next(leaf for leaf in user if leaf[3] & W)
    make_writable = {"riscv64": lambda e: e | 4, "aarch64": lambda e: e & ~(1 << 7), "x86_64": lambda e: e | 2}[arch]
    entry = memory.entry(text[4])
    yield "W^X", text[4], make_writable(entry)
    kernel_page = next(leaf for leaf in mapped[KERNEL] if leaf[3] & X)
    entry = memory.entry(data[4])
    if arch == "riscv64":
        moved = entry & ~(((1 << 44) - 1) << 10) | kernel_page[1] >> 12 << 10
    else:
        moved = entry & ~0x000FFFFFFFFFF000 | kernel_page[1]
    yield "is a page of the kernel", data[4], moved


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("arch")
    for name in ("tool", "kernel", "work"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--on", help="another machine than the usual one")
    args = parser.parse_args()
    arch = args.arch
    os.makedirs(args.work, exist_ok=True)
    probe = build_driver(arch, os.path.join(ROOT, "tests", "kernel", "probe"), os.path.join(args.work, arch + "-probe"),
                         ["-Wno-frame-larger-than", "-fno-builtin", "-O1"])
    console = build_driver(arch, os.path.join(ROOT, "drivers", CONSOLE[arch], "src"), os.path.join(args.work, arch + "-console"))
    chosen = [c for c in case_list.matrix() if c.name in WALKED]
    assert len(chosen) == len(WALKED), "a case of the walk was renamed"
    boot = Boot(arch, "walk", chosen, args.kernel, args, probe, console)
    boot.make({"kernel-text": {"riscv64": 0x80200000, "aarch64": 0x40100000, "x86_64": 0x100000}[arch]})
    stops = judged = revokes = 0
    with Guest(arch, boot.image, mib=8, rng=True, gdb=True, name=f"walk-{arch}", on=args.on) as guest:
        gdb = Gdb(guest)
        at = guest.symbol("audit_step")
        gdb.breakpoint(at)
        last = None
        while True:
            reply = gdb.resume(float(os.environ.get("RUMPK_HANG_LIMIT", "120")))
            if guest.is_off():
                break
            if reply is None:
                raise GuestError("no stop at audit_step, and no power-off")
            stops += 1
            begun = struct.unpack("<Q", guest.read(guest.symbol("rumpk_audit"), 8))[0]
            regions, roots = audit(guest) if begun else ([], [])  # before the kernel has tables of its own
            raw = guest.read(guest.symbol("rumpk_audit"), 32 + 16 * len(roots))
            live = [(root, fiber) for i, (root, fiber) in enumerate(roots) if struct.unpack_from("<I", raw, 32 + i * 16 + 12)[0]]
            if live:
                revokes += struct.unpack_from("<I", raw, 8)[0] == STEP_REVOKE
                memory = Memory(arch, guest.ram())
                record = guest.boot_record()
                gate = guest.symbol("__gate_start")
                exempt = {gate, record["systable_physical"]}
                kernel = (record["kernel_start"], record["kernel_end"])
                bad, mapped = judge(memory, live, regions, kernel, exempt)
                judged += 1
                if bad:
                    raise GuestError(f"stop {stops}: " + "; ".join(bad[:8]))
                if any(fiber not in (KERNEL, TEMPLATE) and any(leaf[3] & U and leaf[3] & X and leaf[3] & R for leaf in mapped[fiber]) for _, fiber in live):
                    last = (memory, live, regions, kernel, exempt, mapped)
            gdb.remove(at)
            gdb.ask("s")
            gdb.breakpoint(at)
    if last is None or judged < 5:
        raise GuestError(f"{stops} stops, {judged} with tables, none with a driver: the walk saw nothing")
    if revokes < 3:
        raise GuestError(f"{revokes} stops after a revoke: too few were seen")
    memory, live, regions, kernel, exempt, mapped = last
    # Only roots with mapped text can carry a planted violation.
    live = [item for item in live if item[1] in (KERNEL, TEMPLATE) or any(leaf[3] & X and leaf[3] & R and leaf[3] & U for leaf in mapped[item[1]])]
    for what, address, entry in list(plant(memory, mapped, live, exempt)):
        before = memory.entry(address)
        struct.pack_into("<Q", memory.ram, address - memory.base, entry)
        bad, _ = judge(memory, live, regions, kernel, exempt)
        struct.pack_into("<Q", memory.ram, address - memory.base, before)
        bad = [text for text in bad if what in text]
        if not bad:
            raise GuestError(f"a planted violation ({what}) was not found")
        print(f"{arch}: planted: {bad[0]}")
    print(f"{arch}: {stops} stops, {judged} walks, {revokes} of them after a revoke, {len(live)} roots at the last, no violation but the planted ones")


if __name__ == "__main__":
    sys.exit(main())
