#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Interrupts that nobody asked for, sent to a sleeping kernel from outside.

    stray.py x86_64 --tool CASE_IMAGE --kernel KERNEL --work FOLDER [--on MACHINE]

A driver waits for the unmasked line of its registers and everything sleeps. Then every vector that can be an
interrupt arrives as a message, as a device gone wild would send it (a write to 0xFEE00000; the emulator's test protocol
makes it): vectors that were never given out, lines that nobody holds, message lines that do not exist, the timer that is
not armed, the spurious vector, and NMIs. Nothing may happen but sleep. After that the driver's own vector must
still wake it, until it ends itself.
"""
import argparse
import os
import select
import socket
import sys
import time

from build import build_driver
from guest import HANG_LIMIT, GuestError, ROOT
from sched import Image, statistics, uart_request

MESSAGE = 0xFEE00000
FIRST = 0x20          # below are the processor's own exceptions
LINES, MESSAGES, TIMER, SPURIOUS = 0x30, 0x90, 0xF0, 0xFF
SERIAL = LINES + 4    # the ISA line of the console's registers
ROUNDS = 4            # waits of the driver before it ends
PINS = {None: 48, "q35": 24}  # of all I/O APICs of the machine


class Bus:
    """The emulator's test protocol: one line there, one line back."""

    def __init__(self, path):
        end = time.monotonic() + 30
        while True:
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self.socket.connect(path)
                break
            except OSError:
                self.socket.close()
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def write(self, address, value):
        self._ask(b"writel %#x %#x\n" % (address, value))

    def read(self, address):
        return int(self._ask(b"readl %#x\n" % address).split()[1], 16)

    def _ask(self, line):
        self.socket.sendall(line)
        answer = b""
        while not answer.endswith(b"\n"):
            if not select.select([self.socket], [], [], HANG_LIMIT)[0]:
                raise GuestError("the emulator's bus does not answer")
            answer += self.socket.recv(256)
        if not answer.startswith(b"OK"):
            raise GuestError(f"the emulator's bus says {answer}")
        return answer


def until(guest, what, condition):
    end = time.monotonic() + HANG_LIMIT
    while not condition():
        if time.monotonic() > end:
            raise GuestError(f"never {what}: {statistics(guest)}")
        time.sleep(0.01)


def sleeps(guest):
    """Has the kernel waited, and not been woken for a moment?"""
    before = statistics(guest)
    time.sleep(0.05)
    return before["waits"] != 0 and statistics(guest) == before


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("arch", choices=["x86_64"])
    for name in ("tool", "kernel", "work"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--on", help="another machine than the usual one")
    args = parser.parse_args()
    args.machine = ""
    os.makedirs(args.work, exist_ok=True)
    args.probe = build_driver(args.arch, os.path.join(ROOT, "tests", "kernel", "probe"),
                              os.path.join(args.work, args.arch + "-probe"),
                              ["-Wno-frame-larger-than", "-fno-builtin", "-O1", "-I", os.path.join(ROOT, "abi", "include")])
    image = Image(args, "stray" + (f"-{args.on}" if args.on else ""))
    image.probe("irq", "irq hold", more=uart_request(args), grants=' grant "uart";')
    path = os.path.join(image.folder, "bus")
    with image.guest(extra=["-qtest", f"unix:{path},server=on,wait=off", "-qtest-log", "/dev/null"]) as guest:
        bus = Bus(path)
        until(guest, "asleep", lambda: sleeps(guest))
        first = statistics(guest)
        strays = [v for v in range(FIRST, SPURIOUS + 1) if v != SERIAL]
        for vector in strays:
            before = statistics(guest)["waits"]
            bus.write(MESSAGE, vector)
            until(guest, f"awake by vector {vector:#x}", lambda: statistics(guest)["waits"] > before)
        for _ in range(3):
            guest.command_qmp("inject-nmi")
        until(guest, "asleep after the strays", lambda: sleeps(guest))
        after = statistics(guest)
        # A pin that exists is closed when it fires for nobody: counted once. All other vectors are nobody's.
        wanted = dict(first, interrupts=first["interrupts"] + PINS[args.on] - 1)
        for name in ("interrupts", "timer_interrupts", "storms", "preemptions"):
            if after[name] != wanted[name]:
                raise GuestError(f"counted {name}: {after}, before: {first}")
        ends = [r for r in guest.ledger() if r.kind in ("EXIT", "FAULT", "STRIKE", "END")]
        if ends or guest.is_off():
            raise GuestError(f"something ended: {ends}")
        # Two of a kind: the second of a pin that is closed already must do nothing either.
        for vector in (LINES + 9, LINES + 20, MESSAGES, TIMER, SPURIOUS):
            bus.write(MESSAGE, vector)
        until(guest, "asleep again", lambda: sleeps(guest))
        if statistics(guest)["interrupts"] != after["interrupts"]:
            raise GuestError(f"counted twice: {statistics(guest)}")
        for _ in range(ROUNDS):
            if guest.is_off():
                break
            bus.write(MESSAGE, SERIAL)
            until(guest, "asleep or off", lambda: guest.is_off() or sleeps(guest))
        guest.wait_power_off()
        end = [(r.kind, r.detail) for r in guest.ledger() if r.name == "test/irq" and r.kind != "START"]
        if end != [("EXIT", 1)]:
            raise GuestError(f"the driver did not hear its own line: {end}")
    print(f"{args.arch}{' on ' + args.on if args.on else ''}: {len(strays)} vectors, 3 NMIs: nobody was disturbed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
