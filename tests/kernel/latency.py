#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long anybody has to wait for the processor, in instructions, on one architecture.

    latency.py ARCH --tool CASE_IMAGE --kernel KERNEL --work FOLDER [--machine WORDS]

With -icount the emulator's clock advances by a fixed time for each guest instruction, so readings of the guest's
own counter are numbers of instructions and every run counts the same. The kernel measures (meta WAKE and CORE);
this test reads its memory, prints the table and compares with the bounds that docs/abi.md promises.
"""
import argparse
import os
import sys

from build import build_driver
from guest import GuestError, ROOT
from sched import Image, STRUCK_OUT, SURVIVED, check

SHIFT = 4  # one instruction is 16 ns: a machine of 62.5 million instructions a second
TICK_NS = {"riscv64": 100, "aarch64": 16, "x86_64": 1}
COUNTED = ("-icount", f"shift={SHIFT},align=off,sleep=off", "-seed", "1")
BEATS = 300
BALLAST = 1 << 20
SINK = 'provides { service "sink" 1 style="stream" clients=1; }'
SOURCE = 'needs { service "sink" 1 style="stream"; }'

# Instructions. No stretch with interrupts off is longer, so none delays a wake-up by more.
QUIET_MAX = 20000
# Loaded against idle: p50, p99, longest. A percentile is the end of its bucket, so at most a quarter too high; the
# longest is an idle wake-up and one piece of kernel work.
FACTORS = {"p50": 2, "p99": 5, "max": 8}
COLUMNS = ("wake_ups", "p50", "p99", "max")


def instructions(arch, ticks):
    return round(ticks * TICK_NS[arch] / (1 << SHIFT))


def bucket_end(bucket):
    """The highest number of ticks that a bucket counts (rumpk/call.h)."""
    if bucket < 4:
        return bucket
    return ((4 + bucket % 4 + 1) << (bucket // 4 - 1)) - 1


def percentile(histogram, part):
    wanted, seen = part * sum(histogram), 0
    for bucket, count in enumerate(histogram):
        seen += count
        if seen >= wanted:
            return bucket_end(bucket)
    raise GuestError("an empty histogram")


def figures(args, image, name):
    """count, p50, p99, longest in instructions of the fiber with this package name."""
    number = next(r.fiber for r in image.ledger if r.kind == "START" and r.name == f"test/{name}")
    longest, histogram = image.wakes[number]
    values = [min(percentile(histogram, part), longest) for part in (0.5, 0.99)] + [longest]
    return [sum(histogram)] + [instructions(args.arch, value) for value in values]


def quiet(args, image):
    return instructions(args.arch, image.statistics["quiet_longest"])


def idle(args):
    image = Image(args, "latency idle")
    image.probe("beat", f"beat {BEATS}", "photon")
    image.run(extra=COUNTED)
    check("beat", image.of("beat"), [("EXIT", SURVIVED)])
    return figures(args, image, "beat"), quiet(args, image)


def loaded(args):
    image = Image(args, "latency loaded")
    image.probe("beat", f"beat {BEATS}", "photon")
    for spectrum in ("matter", "gravity"):
        image.probe(f"spin-{spectrum}", "spin ever", spectrum)
    image.probe("spin-void", "spin 400", "void")
    image.probe("flood", "flood 400", "matter", SOURCE)
    image.probe("sink", "sink", "gravity", SINK)
    image.probe("boss", "boss 2", "matter")
    image.probe("large", "exit 7", "gravity", elf=args.large, grants=' on-demand "test/boss";')
    image.wire("sink", "test/flood", "test/sink")
    image.run(extra=COUNTED)
    for name in ("beat", "boss", "spin-void", "sink"):
        check(name, [row for row in image.of(name) if row[0] != "STRIKE"], [("EXIT", SURVIVED)])
    check("large", image.of("large"), [("EXIT", 7)])
    for spectrum in ("matter", "gravity"):
        check(spectrum, image.of(f"spin-{spectrum}")[-1], STRUCK_OUT[-1])
    if image.statistics["points"] < 10 or image.statistics["preemptions"] < BEATS / 2:
        raise GuestError(f"the beat interrupted nothing: {image.statistics}")
    return figures(args, image, "beat"), quiet(args, image)


def measure(args):
    """{scene: figures in instructions}; args: arch, tool, kernel, work, machine, on."""
    os.makedirs(args.work, exist_ok=True)
    flags = ["-Wno-frame-larger-than", "-fno-builtin", "-O1", "-I", os.path.join(ROOT, "abi", "include")]
    source = os.path.join(ROOT, "tests", "kernel", "probe")
    args.probe = build_driver(args.arch, source, os.path.join(args.work, args.arch + "-probe"), flags)
    args.large = build_driver(args.arch, source, os.path.join(args.work, args.arch + "-large"),
                              [*flags, f"-DPROBE_BALLAST={BALLAST}"])
    if os.path.getsize(args.large) < BALLAST:
        raise GuestError("the large driver is small")
    rows = {}
    for name, scene in (("idle", idle), ("loaded", loaded)):
        values, longest = scene(args)
        rows[name] = dict(zip(COLUMNS, values)) | {"interrupts_off": longest}
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("arch")
    for name in ("tool", "kernel", "work"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--machine", default="", help="further words for the emulator")
    parser.add_argument("--on", default=None, help="machine to run on")
    args = parser.parse_args()
    rows, bad = measure(args), []
    print(f"{args.arch}: wake-up of a Photon fiber, instructions (1 instruction = {1 << SHIFT} ns of its clock)")
    print("  machine       wake-ups     p50     p99     max   longest with interrupts off")
    for name, row in rows.items():
        print(f"  {name:12} {row['wake_ups']:9} {row['p50']:7} {row['p99']:7} {row['max']:7} {row['interrupts_off']:9}")
        if row["interrupts_off"] > QUIET_MAX:
            bad.append(f"{name}: interrupts waited for {row['interrupts_off']} instructions, more than {QUIET_MAX}")
    for name, factor in FACTORS.items():
        if rows["loaded"][name] > factor * rows["idle"][name]:
            bad.append(f"loaded: {name} is more than {factor} times that of the idle machine")
    for line in bad:
        print("FAILED:", line)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
