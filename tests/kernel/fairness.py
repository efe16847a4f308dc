#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who gets the processor when all want it, and how long the kernel itself may keep it, on one architecture.

    fairness.py ARCH --tool CASE_IMAGE --kernel KERNEL --work FOLDER [--on MACHINE] [--only TEXT]

  flood      a Photon pair that floods and keeps calling recv leaves a Gravity worker the share of its window
  inversion  a Photon client of a Gravity server does not wait for a Matter fiber that spins between them
  long       every call that is done in steps, at its largest: no stretch with interrupts off above the bound
  grant      12 MiB are granted within the stated time, one page table after the other
  revoke     eight grants of 4 MiB, mapped, are taken back within the stated time
  reset      memory in which a full queue of a device has requests is taken back within the stated time
  damaged    a package whose bytes change between boot and spawn is refused, and its boss learns it

Counted in instructions (-icount), so every run is the same.
"""
import argparse
import os
import struct
import sys
import time

from build import build_driver
from guest import HANG_LIMIT, RAM_BASE, GuestError, ROOT
from latency import QUIET_MAX, SINK, SOURCE, TICK_NS
from sched import Image, SURVIVED, check

# One instruction is 64 ns: windows and slices are long, guests are fast.
SHIFT = 6
COUNTED = ("-icount", f"shift={SHIFT},align=off,sleep=off", "-seed", "1")
MEMORY = 4 << 20
MARK = bytes(range(1, 33))
E_STATE = -17
GRANTS = 8
# revoke: so many instructions for each capability taken back and each page of it that was mapped.
PER_NODE, PER_PAGE = 10000, 60
PER_QUEUE = 5000  # that has requests at the device, the device's reset included
# grant: so many for each 2 MiB that it touches, which need a table at the receiver.
LARGE, UNIT, PER_UNIT = 12 << 20, 2 << 20, 5000


def instructions(args, ticks):
    return round(ticks * TICK_NS[args.arch] / (1 << SHIFT))


def end_of(image, name):
    """The exit code of a probe that ends with a figure."""
    kind, value = image.of(name)[-1]
    if kind != "EXIT" or value >> 31:
        raise GuestError(f"{name}: {image.of(name)}")
    return value


def flood(args):
    image = Image(args, "flood")
    image.probe("flood", "flood 1300", "photon", SOURCE)
    image.probe("sink", "sink", "photon", SINK)
    # 300 thousand rounds are 130 to 200 ms of an idle machine; Gravity has 15 % of each window for sure, and a turn of
    # Void for the rest.
    image.probe("worker", "work 300 1000")
    image.probe("void", "spin 1200", "void")
    image.run(extra=COUNTED)
    for name in ("worker", "void", "sink"):
        check(name, [row for row in image.of(name) if row[0] != "STRIKE"], [("EXIT", SURVIVED)])
    # It may be told that it is too busy, and no more: it waits.
    if image.of("flood") not in ([("EXIT", SURVIVED)], [("STRIKE", 1), ("EXIT", SURVIVED)]):
        raise GuestError(f"flood: {image.of('flood')}")
    begin = next(r.ticks for r in image.ledger if r.kind == "START" and r.name == "test/worker")
    end = next(r.ticks for r in image.ledger if r.kind == "EXIT" and r.name == "test/worker")
    # From its start, not from its first instruction: it may not be kept from that either.
    if (end - begin) * TICK_NS[args.arch] > 1000e6:
        raise GuestError(f"the worker needed {(end - begin) * TICK_NS[args.arch] / 1e6:.0f} ms")
    return f"worker done after {(end - begin) * TICK_NS[args.arch] / 1e6:.0f} ms"


def inversion(args):
    image = Image(args, "inversion")
    need = '%s { service "ask" 1 style="service"%s; }'
    image.probe("ask", "ask 60", "photon", need % ("needs", ""))
    image.probe("answer", "answer 2", "gravity", need % ("provides", " clients=1"))
    image.probe("between", "busy 400", "matter")
    image.wire("ask", "test/ask", "test/answer")
    image.run(extra=COUNTED)
    check("answer", image.of("answer"), [("EXIT", SURVIVED)])
    check("between", [row for row in image.of("between") if row[0] != "STRIKE"], [("EXIT", SURVIVED)])
    longest = instructions(args, end_of(image, "ask"))
    # Two thousand rounds of the server, at most 12 instructions each, and the kernel's path there and back.
    if longest > 2 * 12000 + QUIET_MAX + 20000:
        raise GuestError(f"the client waited {longest} instructions")
    return f"longest wait for an answer {longest} instructions"


def long(args):
    image = Image(args, "long")
    grant = ' grant "scratch"; delegate #true;'
    image.probe("long", "long", more=f'request {{ memory "scratch" size="{MEMORY >> 20}MiB"; }}', grants=grant)
    image.run(extra=COUNTED)
    check("long", image.of("long"), [("EXIT", SURVIVED)])
    longest = instructions(args, image.statistics["quiet_longest"])
    if longest > QUIET_MAX:
        raise GuestError(f"interrupts waited for {longest} instructions, more than {QUIET_MAX}")
    return f"longest with interrupts off {longest} instructions"


def given_and_taken(args, what, size):
    """(instructions of `what`, the longest stretch with interrupts off) when all that one ring may carry is."""
    image = Image(args, what)
    image.probe("bound", f"bound {what}", more=f'request {{ memory "scratch" size="{size >> 20}MiB"; }}\n' + SOURCE,
                grants=' grant "scratch"; delegate #true;')
    image.probe("holder", "holder", more=SINK)
    image.wire("sink", "test/bound", "test/holder")
    image.run(extra=COUNTED)
    check("holder", image.of("holder"), [("EXIT", SURVIVED)])
    return instructions(args, end_of(image, "bound")), instructions(args, image.statistics["quiet_longest"])


def grant(args):
    took, longest = given_and_taken(args, "grant", LARGE)
    units = LARGE // UNIT + 1
    if took > units * PER_UNIT or longest > QUIET_MAX:
        raise GuestError(f"{took} instructions, bound {units * PER_UNIT}; {longest} in one piece")
    return f"{LARGE >> 20} MiB: {took} instructions (bound {units * PER_UNIT}); longest piece {longest}"


def revoke(args):
    took, longest = given_and_taken(args, "revoke", MEMORY)
    pages = GRANTS * MEMORY // 4096
    bound = GRANTS * PER_NODE + pages * PER_PAGE
    if took > bound or longest > QUIET_MAX:
        raise GuestError(f"{took} instructions, bound {bound}; {longest} in one piece")
    return f"{GRANTS} capabilities, {pages} pages: {took} instructions (bound {bound}); longest piece {longest}"


def reset(args):
    image = Image(args, "reset")
    image.probe("owner", "lend full", grants=' grant "entropy"; grant "buffers"; dma #true; delegate #true;',
                more='request { device "entropy" virtio=4 queues=1; dma "buffers" size="8KiB"; }\n' + SOURCE)
    image.probe("user", "use full", more=SINK)
    image.wire("sink", "test/owner", "test/user")
    image.run(extra=COUNTED)
    check("user", image.of("user"), [("EXIT", SURVIVED)])
    took, longest = instructions(args, end_of(image, "owner")), instructions(args, image.statistics["quiet_longest"])
    bound = PER_NODE + 2 * PER_PAGE + PER_QUEUE
    if took > bound or longest > QUIET_MAX:
        raise GuestError(f"{took} instructions, bound {bound}; {longest} in one piece")
    return f"a full queue, its device reset: {took} instructions (bound {bound}); longest piece {longest}"


def flip(guest, address):
    with open(guest.ram_path, "r+b") as f:
        f.seek(address - RAM_BASE[guest.arch])
        byte = f.read(1)[0]
        f.seek(address - RAM_BASE[guest.arch])
        f.write(bytes([byte ^ 1]))


def mark_find(guest, in_archive):
    """Where the mark of the child stands: in the archive, or in the image that was made of it."""
    archive, size = struct.unpack("<2Q", guest.read(guest.symbol("rumpk_image_header") + 32, 16))
    ram, base, at = guest.ram(), RAM_BASE[guest.arch], -1
    while True:
        at = ram.index(MARK, at + 1)
        if (archive <= base + at < archive + size) == in_archive:
            return base + at


def damaged(args):
    """While the boss sleeps one bit of the child turns over, once in the archive and once in its image."""
    for in_archive in (True, False):
        image = Image(args, f"damaged {in_archive}")
        image.probe("boss", f"boss 1500 {E_STATE}")
        image.probe("child", "exit 7", grants=' on-demand "test/boss";', elf=args.marked)
        with image.guest() as guest:
            end = time.monotonic() + HANG_LIMIT
            while guest.boot_record()["stage_name"] not in ("RUNNING", "SERVICES"):
                if time.monotonic() > end:
                    raise GuestError("it does not run")
                time.sleep(0.05)
            flip(guest, mark_find(guest, in_archive))
            guest.wait_power_off()
            image.ledger = guest.ledger()
        check("boss", image.of("boss"), [("EXIT", SURVIVED)])
        check("child", image.of("child"), [("REFUSE", "ELF_DIGEST")])
    return "refused both times"


SCENES = {"flood": flood, "inversion": inversion, "long": long, "grant": grant, "revoke": revoke, "reset": reset, "damaged": damaged}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("arch")
    for name in ("tool", "kernel", "work"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--on", help="another machine than the usual one")
    parser.add_argument("--machine", default="", help="further words for the emulator")
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    args.probe = build_driver(args.arch, os.path.join(ROOT, "tests", "kernel", "probe"),
                              os.path.join(args.work, args.arch + "-probe"),
                              ["-Wno-frame-larger-than", "-fno-builtin", "-O1", "-I", os.path.join(ROOT, "abi", "include")])
    args.marked = build_driver(args.arch, os.path.join(ROOT, "tests", "kernel", "probe"),
                               os.path.join(args.work, args.arch + "-marked"),
                               ["-Wno-frame-larger-than", "-fno-builtin", "-O1", "-DPROBE_BALLAST=4096",
                                "-I", os.path.join(ROOT, "abi", "include")])
    for name, scene in SCENES.items():
        if args.only in name:
            print(f"{args.arch}: {name}: {scene(args)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
