#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long one piece of kernel work can get, in instructions, at the largest that its limits allow, on one architecture.

    bounds.py ARCH --tool CASE_IMAGE --kernel KERNEL --work FOLDER [--on MACHINE] [--only TEXT]

  tree    sixty-four packages fill all their tables with what one of them granted: a star, chains, combs, everything;
          each is taken back at the stated price
  sleep   all wake at the same moment, each from a list of 64 slots that are eight grants deep
  lend    a client that lends its spectrum to eight servers with sixteen clients each falls asleep and wakes
  batch   32 requests for a device, each in memory that is eight grants deep; 32 completions across a page's end
  tell    eight sleep for a queue each of one device, the last of 64 sources, when it is negotiated anew and when it is let go

Counted in instructions (-icount). No scene may keep interrupts off for longer than docs/abi.md says.
"""
import argparse
import os
import sys

from build import build_driver
from guest import GuestError, ROOT
from latency import QUIET_MAX, TICK_NS
from sched import Image, SURVIVED, check, port

SHIFT = 4  # one instruction is 16 ns
COUNTED = ("-icount", f"shift={SHIFT},align=off,sleep=off", "-seed", "1")
PACKAGES = 64
PAGES = 32  # of the memory that is granted: one step of unmapping
SHAPES = ("star", "chains", "combs", "everything")
# Of 64 x 64 slots twelve of each package hold its rings and arenas.
FULLEST = PACKAGES * 52 - 1
# revoke: so many instructions for each capability taken back and each page of it that was mapped (docs/abi.md).
PER_NODE, PER_PAGE = 10000, 60


def quiet(args, image, what):
    longest = round(image.statistics["quiet_longest"] * TICK_NS[args.arch] / (1 << SHIFT))
    if longest > QUIET_MAX:
        raise GuestError(f"{what}: interrupts waited for {longest} instructions, more than {QUIET_MAX}")
    return f"longest with interrupts off {longest} instructions"


def at_once(image, service, client, server, more=' buffers=1 buffer-size="4KiB"'):
    image.wires += f'wire "{service}" from="test/{client}" to="test/{server}" start="at-once" slots=16{more}\n'


def tree(args):
    image = Image(args, "tree", mib=64)
    for number in range(PACKAGES):
        near, far = (number + 1) % PACKAGES, (number + 10) % PACKAGES
        name = f"node-{number}"
        more = (f'provides {{ service "link" 1 style="service" clients=2; }}\n'
                f'needs {{ service "link-{near}" 1 style="service"; service "link-{far}" 1 style="service"; }}\n')
        more = more.replace('"link"', f'"link-{number}"')
        grants = " delegate #true;"
        act = "node"
        if number == 0:
            more += f'request {{ memory "scratch" size="{4 * PAGES}KiB"; }}'
            grants += ' grant "scratch";'
            act = f"root {1 << SHIFT} {FULLEST}"
        image.probe(name, act, "void", more, grants)
        at_once(image, f"link-{near}", name, f"node-{near}")
        at_once(image, f"link-{far}", name, f"node-{far}")
    image.run(extra=COUNTED)
    for number in range(1, PACKAGES):
        check(f"node-{number}", image.of(f"node-{number}"), [("EXIT", SURVIVED)])
    kind, result = image.of("node-0")[-1]
    if kind != "EXIT" or result >> 63:
        raise GuestError(f"root: {image.of('node-0')}")
    prices = [4 * (result >> 12 * at & 0xFFF) for at in range(len(SHAPES))]
    bound = PER_NODE + PAGES * PER_PAGE
    if max(prices) > bound or min(prices) == 0:
        raise GuestError(f"instructions for each capability taken back: {prices}, bound {bound}")
    return (", ".join(f"{shape} {price}" for shape, price in zip(SHAPES, prices)) +
            f" instructions for each capability (bound {bound}), {result >> 48} of them; " + quiet(args, image, "tree"))


def sleep(args):
    image = Image(args, "sleep")
    for number in range(PACKAGES // 2):
        service = f"deep-{number}"
        image.probe(f"sleeper-{number}", "sleeper 4000 10", more=f'needs {{ service "{service}" 1 style="service"; }}',
                    grants=" delegate #true;")
        image.probe(f"passer-{number}", "passer ring", more=f'provides {{ service "{service}" 1 style="service" clients=1; }}',
                    grants=" delegate #true;")
        at_once(image, service, f"sleeper-{number}", f"passer-{number}")
    image.run(extra=COUNTED)
    for number in range(PACKAGES // 2):
        check("sleeper", [row for row in image.of(f"sleeper-{number}") if row[0] != "STRIKE"], [("EXIT", SURVIVED)])
    return quiet(args, image, "sleep")


def lend(args):
    image = Image(args, "lend")
    needs = "".join(f'service "serve-{number}" 1 style="service"; ' for number in range(8))
    for number in range(8):
        image.probe(f"server-{number}", "borrower 0", "void", f'provides {{ service "serve-{number}" 1 style="service" clients=16; }}')
    for number in range(16):
        image.probe(f"client-{number}", "borrower 100" if number == 0 else "borrower 0", "photon" if number == 0 else "matter",
                    f"needs {{ {needs} }}")
        for server in range(8):
            at_once(image, f"serve-{server}", f"client-{number}", f"server-{server}")
    image.run(extra=COUNTED)
    check("client-0", image.of("client-0"), [("EXIT", SURVIVED)])
    return quiet(args, image, "lend")


def batch(args):
    image = Image(args, "batch")
    image.batch("batch 20 32")
    image.run(extra=COUNTED + port(args))
    check("batch", image.of("batch"), [("EXIT", SURVIVED)])
    return quiet(args, image, "batch")


def tell(args):
    image = Image(args, "tell")
    queues = 8
    needs = "".join(f'service "part-{number}" 1 style="stream"; ' for number in range(queues))
    image.probe("teller", "teller", more=f'request {{ device "disk" virtio=2 queues={queues}; }}\nneeds {{ {needs} }}',
                grants=' grant "disk"; delegate #true;')
    for number in range(queues):
        image.probe(f"told-{number}", "told", more=f'provides {{ service "part-{number}" 1 style="stream" clients=1; }}')
        at_once(image, f"part-{number}", "teller", f"told-{number}", "")
    device = "virtio-blk-pci,disable-legacy=on" if args.on == "q35" else "virtio-blk-device"
    image.run(extra=COUNTED + ("-blockdev", "driver=null-co,node-name=many,size=1048576",
                               "-device", f"{device},drive=many,num-queues={queues}"))
    for name in ["teller"] + [f"told-{number}" for number in range(queues)]:
        check(name, image.of(name), [("EXIT", SURVIVED)])
    return quiet(args, image, "tell")


SCENES = {"tree": tree, "sleep": sleep, "lend": lend, "batch": batch, "tell": tell}


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
    for name, scene in SCENES.items():
        if args.only in name:
            print(f"{args.arch}: {name}: {scene(args)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
