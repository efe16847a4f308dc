#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ten million messages over one ring between two drivers, on one architecture.

    messages.py ARCH --tool CASE_IMAGE --kernel KERNEL --work FOLDER [--messages N] [--counted]

Goal: none is lost, doubled, reordered or changed, whether they are published one by one or when the ring is full.
Method: the bench driver (tests/bench/driver) sends slots of eight words that follow from the sequence number; the
receiver compares every word of every slot and counts. One in a hundred is published alone. Before that the same driver
with one fault put into its sender, a few messages long: the receiver must count it, else it proves nothing.
--counted runs with a clock that counts instructions and prints how many a message takes.
"""
import argparse
import os
import resource
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "bench"))
from guest import Guest, GuestError, ROOT  # noqa: E402
from guest_bench import COUNTED, HANG_LIMIT, TICK_NS, make_driver, make_image, read_results  # noqa: E402

MESSAGES = 10000000
ALONE = 100  # one in so many is published alone
FEW = 1000
DRIVER = os.path.join(ROOT, "tests", "bench", "driver")
SENT = "fill(words, sequence++);"

# What goes wrong with message 500, and how many wrong messages the receiver must have counted: behind a lost or a doubled
# one each is out of sequence.
FAULTS = {
    "lost": ("fill(words, sequence + (sequence >= 500)); sequence++;", FEW - 500),
    "doubled": ("fill(words, sequence - (sequence >= 500)); sequence++;", FEW - 500),
    "changed": ("fill(words, sequence); words[7] ^= sequence == 500; sequence++;", 1),
}


def build(args, name, change=None):
    """The bench driver, with another sender if one is given."""
    work = os.path.join(args.work, name)
    source = os.path.join(work, args.arch + "-source")
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(DRIVER, source)
    with open(os.path.join(source, "main.c")) as f:
        text = f.read()
    if text.count(SENT) != 1:
        raise GuestError(f"the bench driver does not have {SENT!r} once: bring SENT up to date")
    with open(os.path.join(source, "main.c"), "w") as f:
        f.write(text.replace(SENT, change) if change else text)
    return make_driver(args.arch, args.kernel, work, source)


def run(args, name, driver, script, extra=()):
    """{act: (rounds, ticks)}"""
    image = make_image(args.arch, driver, args.kernel, args.tool, os.path.join(args.work, name), script)
    with Guest(args.arch, image, mib=32, extra=extra, name="messages") as guest:
        guest.wait_power_off(HANG_LIMIT)
        cause, ram = guest.boot_record()["cause_name"], guest.ram()
    if cause != "NONE":
        raise GuestError(f"the boot ended by {cause}")
    return read_results(ram)[0]


def faults(args):
    for name, (change, wrong) in FAULTS.items():
        try:
            run(args, name, build(args, name, change), f"batched:{FEW}")
        except GuestError as error:
            if f"batched: {wrong} wrong answers in {FEW} rounds" not in str(error):
                raise
            print(f"{args.arch}: one message {name}: {wrong} of {FEW} found wrong", flush=True)
            continue
        raise GuestError(f"one message {name}: nobody noticed")


def stream(args):
    wanted = {"batched": args.messages - args.messages // ALONE, "single": args.messages // ALONE}
    driver = build(args, "stream")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    rows = run(args, "stream", driver, " ".join(f"{name}:{count}" for name, count in wanted.items()),
               COUNTED if args.counted else ())
    if {name: rounds for name, (rounds, _) in rows.items()} != wanted:
        raise GuestError(f"{wanted} asked for, {rows} done")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{args.arch}: {args.messages} messages, none lost, doubled or changed; "
          f"{after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime:.1f} s of a core")
    for name, (rounds, ticks) in rows.items() if args.counted else ():
        print(f"{args.arch}: {name}: {rounds} messages, {ticks * TICK_NS[args.arch] / rounds:.2f} instructions each")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("arch", choices=sorted(TICK_NS))
    for name in ("tool", "kernel", "work"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--counted", action="store_true", help="count instructions")
    args = parser.parse_args()
    if args.messages < ALONE:
        parser.error(f"--messages wants at least {ALONE}")
    faults(args)
    stream(args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
