#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who starts when, and who does not: Sovereign Init on one architecture, read from the ledger and the boot record.

    init.py ARCH --tool CASE_IMAGE --kernel KERNEL --work FOLDER

  services     chains of services with every way to start and every way to fail, in one boot: each package starts after
               its servers announced themselves, is refused or waits as its wire says, and nobody else is touched
  timeline     the stages of the boot in their fixed order, up to the last service
  first driver below ten million instructions from entry to the first driver, verification included
"""
import argparse
import os
import sys

from build import build_driver
from guest import GuestError, ROOT, STAGES
from run_cases import CONSOLE as CONSOLE_DRIVER
from sched import Image, check

CONSOLE = {"riscv64": 0x10000000, "aarch64": 0x09000000, "x86_64": 0x3F8}
ORDER = ("ENTRY", "MEMORY", "MMU", "CONSOLE", "INTERRUPTS", "TIMER", "DEVICES", "SYSTABLE", "ARCHIVE", "PACKAGES",
         "RINGS", "RUNNING", "SERVICES", "ENDED")
E_PEER = -10
INSTRUCTIONS_MAX = 10000000
# Nanoseconds of one tick of each machine's counter under -icount, where one nanosecond is one instruction.
TICK_NS = {"riscv64": 100, "aarch64": 16, "x86_64": 1}
EXIT = ("EXIT", 42)
SERVE = "script recv ring 0 0 -1"
FAULTY = "read 0x10"

# name, what it does, what it provides, what it needs, how its wire starts it, further words of image.kdl,
# and what the ledger must say about it
PACKAGES = (
    ("root", SERVE, "one", None, "", "", "served"),
    ("middle", "script recv 1 0 0 -1", "two", "one", "", "", "served"),
    ("leaf", "exit 42", None, "two", "", "", [EXIT]),
    ("bad", FAULTY, "bad", None, "", "", [("FAULT", "READ")]),
    ("bad-refuse", "exit 42", "child", "bad", "", "", [("REFUSE", "SERVICE_FAILED")]),
    ("bad-child", "exit 42", None, "child", "", "", [("REFUSE", "SERVICE_FAILED")]),
    ("bad-wait", "exit 42", "late", "bad", "after-or-wait", "", [("WAIT", "bad")]),
    ("bad-late", "exit 42", None, "late", "", "", [("WAIT", "bad-wait")]),
    ("bad-optional", "exit 42", None, "bad?", "", "", [EXIT]),
    ("bad-beside", "script ~send ring", None, "bad", "at-once", "", "peer"),
    ("brief", "exit 42", "brief", None, "", "", [EXIT]),
    ("brief-client", "exit 42", None, "brief", "", "", [("REFUSE", "SERVICE_FAILED")]),
    ("mute", "script wait 0 0 -1", "mute", None, "", "", []),
    ("mute-client", "exit 42", None, "mute", "", "", [("WAIT", "mute")]),
    ("mute-refuse", "exit 42", None, "mute", "after-or-refuse", "", [("WAIT", "mute")]),
    ("mute-beside", "exit 42", None, "mute", "at-once", "", [EXIT]),
    ("boss", "script spawn package 0; wait 0 0 0", None, None, "", "", "spawned"),
    ("demand", SERVE, "demand", None, "", ' on-demand "test/boss";', "served"),
    ("demand-client", "exit 42", None, "demand", "", "", [EXIT]),
    ("never", SERVE, "never", None, "", ' on-demand "test/root";', []),
    ("never-client", "exit 42", None, "never", "", "", [("WAIT", "never")]),
)


def services(args):
    image = Image(args, "services")
    for name, act, provides, needs, start, words, _ in PACKAGES:
        more = ""
        if provides:
            more += f'provides {{ service "{provides}" 1 style="stream" clients=8; }}\n'
        if needs:
            optional = " optional=#true" if needs.endswith("?") else ""
            more += f'needs {{ service "{needs.rstrip("?")}" 1 style="stream"{optional}; }}\n'
            server = next(p[0] for p in PACKAGES if p[2] == needs.rstrip("?"))
            word = f' start="{start}"' if start else ""
            image.wires += f'wire "{needs.rstrip("?")}" from="test/{name}" to="test/{server}"{word}\n'
        image.probe(name, act, more=more, grants=words)
    image.run()
    at = {}  # (name, kind) -> place in the ledger
    for place, record in enumerate(image.ledger):
        at.setdefault((record.name.split("/")[-1], record.kind), place)
    for name, act, provides, needs, start, _, want in PACKAGES:
        got = [(r.kind, r.code or r.detail) for r in image.ledger
               if r.name == "test/" + name and r.kind not in ("START", "READY", "WAIT")]
        if want == "served":  # until its last client was gone
            check(name, [kind for kind, _ in got], ["EXIT"])
        elif want == "peer":
            check(name, [(kind, code - (1 << 64)) for kind, code in got], [("EXIT", E_PEER)])
        elif want == "spawned":
            check(name, got, [("EXIT", 0)])
        else:
            check(name, got, [w for w in want if w[0] != "WAIT"])
            waits = [w for w in want if w[0] == "WAIT"]
            check(name + " waits", (name, "WAIT") in at, bool(waits))
        if (name, "START") in at and needs and start != "at-once" and not needs.endswith("?"):
            server = next(p[0] for p in PACKAGES if p[2] == needs)
            if at.get((server, "READY"), len(image.ledger)) > at[name, "START"]:
                raise GuestError(f"{name} started before {server} announced itself: {image.ledger}")
        held = want in ([("REFUSE", "SERVICE_FAILED")],) or any(w[0] == "WAIT" for w in want) or name == "never"
        check(name + " started", (name, "START") in at, not held)


def timeline(args):
    image = Image(args, "timeline")
    console = image.demo()
    image.probe("client", "exit 42", more='needs { service "console" 1 style="stream"; }')
    image.wire("console", "test/client", console)
    with image.guest() as guest:
        guest.wait_power_off()
        record, ledger = guest.boot_record(), guest.ledger()
        symbol = guest.read(guest.symbol("rumpk_boot_record"), 240)
    numbers = {name: number for number, name in STAGES.items()}
    check("the stages of the header", tuple(STAGES[n] for n in sorted(STAGES)), ORDER)
    ticks = [record["ticks"][numbers[name]] for name in ORDER]
    if ticks != sorted(ticks) or 0 in ticks[1:]:
        raise GuestError(f"the stages are not in order: {dict(zip(ORDER, ticks))}")
    check("console", int.from_bytes(symbol[232:240], "little"), CONSOLE[args.arch])
    starts = [r for r in ledger if r.kind == "START"]
    check("packages started", sorted(r.name for r in starts)[-1], "test/client")
    if record["ticks"][numbers["RUNNING"]] > ticks[ORDER.index("SERVICES")]:
        raise GuestError("the services were there before the first driver")


def first_driver(args):
    """Instructions from the kernel's first one to the first driver, everything verified: the machine's console driver
    and a client of it, counted by the emulator."""
    image = Image(args, "first driver")
    console = os.path.basename(CONSOLE_DRIVER[args.arch])
    image.driver(console, 'grant "uart";')
    image.probe("client", "exit 42", more='needs { service "console" 1 style="stream"; }')
    image.wire("console", "test/client", f"rumpk/{console}")
    with image.guest(extra=("-icount", "shift=0,align=off,sleep=off", "-seed", "1")) as guest:
        guest.wait_power_off()
        ticks = guest.boot_record()["ticks"]
    number = next(number for number, name in STAGES.items() if name == "RUNNING")
    count = ticks[number] * TICK_NS[args.arch]
    print(f"{args.arch}: {count:,} instructions from entry to first driver")
    if not 1000000 < count < INSTRUCTIONS_MAX:
        raise GuestError(f"{count:,} instructions from entry to first driver, at most {INSTRUCTIONS_MAX:,} are allowed")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("arch")
    for name in ("tool", "kernel", "work"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--machine", default="", help="further words for the emulator")
    parser.add_argument("--on", default=None, help="machine variant")
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    args.probe = build_driver(args.arch, os.path.join(ROOT, "tests", "kernel", "probe"),
                              os.path.join(args.work, args.arch + "-probe"),
                              ["-Wno-frame-larger-than", "-fno-builtin", "-O1", "-I", os.path.join(ROOT, "abi", "include")])
    for scene in (services, timeline, first_driver):
        scene(args)
        print(f"{args.arch}: {scene.__name__}: good")
    return 0


if __name__ == "__main__":
    sys.exit(main())
