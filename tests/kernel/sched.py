#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Interrupts, time and the scheduler on one architecture, each promise in an image of its own.

    sched.py ARCH --tool CASE_IMAGE --kernel KERNEL --work FOLDER [--only PATTERN] [--on MACHINE]

  endless loop      a driver that never waits gets three strikes and ends; the machine then ends by itself
  busy              a driver that computes a lot but waits gets none
  spinning          with a spinning driver in every looser spectrum a Photon driver wakes in time
  budget            the manifests' budget holds, never more than the spectrum's share; used up, it throttles
  share             two spinning drivers of one spectrum get the processor in turns
  idle              with all drivers loaded and asleep no interrupt is taken
  asleep            the same seen from outside: neither the kernel nor the emulator counts one
  interrupt         the line of the console's registers: every result, and masked is masked
  storm             a line that fires too often is held back
  device storm      so is that of a virtio device, by a message too (q35: MSI-X), and nothing is lost
  level             a driver that never quiets its device is struck out
  lent              whoever holds its line now is struck out instead, not its owner
  hold              a machine in which an unmasked line is waited for does not end, and sleeps
  disk              a disk is read by interrupts, to the last byte
"""
import argparse
import hashlib
import os
import re
import shutil
import struct
import subprocess
import sys
import time

import cases as case_list
from build import build_driver
from guest import HANG_LIMIT, Guest, GuestError, ROOT
from run_cases import CONSOLE, UART, write

SURVIVED = case_list.SURVIVED
STATISTICS = ("timer_interrupts", "interrupts", "preemptions", "slices", "storms", "waits", "quiet_longest", "points")
WAKE_BUCKETS = 80


def statistics(guest):
    return dict(zip(STATISTICS, struct.unpack("<8Q", guest.read(guest.symbol("core_statistics"), 64))))


def wakes(guest):
    """(longest, histogram) of each fiber, in ticks."""
    size = 16 + 4 * WAKE_BUCKETS
    raw = guest.read(guest.symbol("wake_statistics"), 64 * size)
    rows = [struct.unpack_from(f"<2Q{WAKE_BUCKETS}I", raw, number * size) for number in range(64)]
    return [(row[1], row[2:]) for row in rows]


class Image:
    def __init__(self, args, name, on_idle="power-off", mib=32):
        self.args, self.arch, self.mib = args, args.arch, mib
        self.folder = os.path.join(args.work, f"{args.arch}-{name.replace(' ', '-')}")
        self.text = f'image "test/sched" version="0.1.0" {{ on-idle "{on_idle}"; }}\n'
        self.wires = ""
        shutil.rmtree(self.folder, ignore_errors=True)

    def probe(self, name, act, spectrum="gravity", more="", grants="", elf=None, budget=""):
        manifest = (f'package "test/{name}" version="0.1.0" {{ kind "driver"; security-version 1; abi 1; '
                    f'license "Apache-2.0"; arch "{self.arch}"; }}\n'
                    f'runtime {{ spectrum "{spectrum}"; stack "16KiB"; heap "4KiB"; {budget} }}\n{more}\n')
        folder = os.path.join(self.folder, name)
        write(os.path.join(folder, "npl.kdl"), manifest)
        shutil.copy(elf or self.args.probe, os.path.join(folder, "driver.elf"))
        self.text += f'package "test/{name}" version="0.1.0" path="{name}" {{{grants} observe #true; config "{act}"; }}\n'

    def driver(self, name, grants):
        folder = os.path.join(self.folder, name)
        elf = build_driver(self.arch, os.path.join(ROOT, "drivers", name, "src"),
                           os.path.join(self.args.work, f"{self.arch}-driver-{name}"))
        os.makedirs(folder)
        shutil.copy(os.path.join(ROOT, "drivers", name, "npl.kdl"), folder)
        shutil.copy(elf, os.path.join(folder, "driver.elf"))
        self.text += f'package "rumpk/{name}" version="0.1.0" path="{name}" {{ {grants} }}\n'

    def batch(self, act):
        """A driver of a console's device (see port) that does `act` with its memory, eight grants deep."""
        self.probe("batch", act, more='request { device "port" virtio=3 queues=2; dma "buffers" size="8KiB"; }\n'
                   'needs { service "deep" 1 style="stream"; }',
                   grants=' grant "port"; grant "buffers"; dma #true; delegate #true;')
        self.probe("passer", "passer dma", more='provides { service "deep" 1 style="stream" clients=1; }',
                   grants=" delegate #true;")
        self.wires += 'wire "deep" from="test/batch" to="test/passer" start="at-once"\n'

    def wire(self, service, client, server):
        self.wires += f'wire "{service}" from="{client}" to="{server}"\n'

    def demo(self):
        """All drivers of the demo, asleep when nobody asks for anything."""
        console = CONSOLE[self.arch]
        self.driver(console, 'grant "uart";')
        self.driver("virtio-blk", 'grant "disk"; grant "buffers"; dma #true;')
        self.driver("virtio-rng", 'grant "rng"; grant "buffer"; dma #true;')
        return f"rumpk/{console}"

    def guest(self, disk=None, extra=(), rng=True):
        write(os.path.join(self.folder, "image.kdl"), self.text + self.wires)
        image = os.path.join(self.folder, "image.elf")
        subprocess.run([self.args.tool, self.arch, self.args.kernel, self.folder, image], check=True)
        return Guest(self.arch, image, mib=self.mib, rng=rng, disk=disk, extra=list(extra) + self.args.machine.split(),
                     name=os.path.basename(self.folder), on=self.args.on)

    def run(self, disk=None, extra=()):
        with self.guest(disk, extra) as guest:
            guest.wait_power_off()
            record = guest.boot_record()
            if record["cause"]:
                raise GuestError(f"boot ended by {record['cause_name']}")
            self.statistics = statistics(guest)
            self.record = record
            self.wakes = wakes(guest)
            self.ledger = guest.ledger()
            self.console = guest.console()
        if not any(r.kind == "END" for r in self.ledger):
            raise GuestError("the guest ended without the ledger's END")
        return self

    def of(self, name):
        """(kind, code or number) of all records of a package after its start."""
        return [(r.kind, r.code or r.code_number or r.detail) for r in self.ledger
                if r.name.split("/")[-1] == name and r.kind not in ("START", "READY")]


def check(what, got, wanted):
    if got != wanted:
        raise GuestError(f"{what}: wanted {wanted}, got {got}")


def port(args):
    """Words for the emulator: a virtio console whose other end swallows everything at once."""
    device = "virtio-serial-pci,disable-legacy=on" if args.on == "q35" else "virtio-serial-device"
    return ("-chardev", "null,id=port", "-device", f"{device},max_ports=1", "-device", "virtconsole,chardev=port")


STRUCK_OUT = [("STRIKE", 1), ("STRIKE", 2), ("FAULT", "BUDGET")]


def endless_loop(args):
    image = Image(args, "endless loop")
    for spectrum in ("photon", "matter", "gravity"):
        image.probe(f"loop-{spectrum}", "spin ever", spectrum)
    image.probe("calling", "spin 20000")  # calls tick, which is no wait
    image.probe("behind", "exit 42", "void")
    image.run()
    for name in ("loop-photon", "loop-matter", "loop-gravity", "calling"):
        check(name, image.of(name), STRUCK_OUT)
    check("behind", image.of("behind"), [("EXIT", SURVIVED)])


def busy(args):
    image = Image(args, "busy")
    image.probe("busy", "busy 1500")
    image.run()
    check("busy", image.of("busy"), [("EXIT", SURVIVED)])


def spinning(args):
    image = Image(args, "spinning")
    image.probe("pulse", "pulse 5", "photon")
    image.probe("matter", "spin ever", "matter")
    image.probe("gravity", "spin ever", "gravity")
    image.probe("void", "spin 1500", "void")
    image.run()
    check("pulse", image.of("pulse"), [("EXIT", SURVIVED)])
    check("matter", image.of("matter"), STRUCK_OUT)
    check("gravity", image.of("gravity"), STRUCK_OUT)
    check("void", image.of("void"), [("EXIT", SURVIVED)])
    if image.statistics["preemptions"] < 10:
        raise GuestError(f"the pulse took the processor from nobody: {image.statistics}")


def share(args):
    image = Image(args, "share")
    for name in ("one", "two"):
        image.probe(name, "share 600", "void")
    image.run()
    for name in ("one", "two"):
        check(name, image.of(name), [("EXIT", SURVIVED)])


def budget(args):
    # Name, spectrum, budget of package and of owner, microseconds that must come out (0: no limit). Of Photon's 50 ms
    # three have a third each; Matter's 25 ms and Gravity's 15 ms are one's own.
    rows = (("asked", "photon", "500us", "", 500), ("narrowed", "photon", "500us", "300us", 300),
            ("silent", "photon", "", "", 16666), ("greedy", "matter", "90ms", "", 25000),
            ("given", "gravity", "", "1ms", 1000), ("void", "void", "1ms", "", 0))
    image = Image(args, "budget")
    for name, spectrum, asked, given, wanted in rows:
        image.probe(name, f"budget {wanted}", spectrum, budget=f'budget "{asked}";' if asked else "",
                    grants=f' budget "{given}";' if given else "")
    image.run()
    for name, *_ in rows:
        check(name, image.of(name), [("EXIT", SURVIVED)])


def idle(args):
    image = Image(args, "idle")
    console = image.demo()
    image.probe("idle", f"idle {args.idle_ms}", more='needs { service "console" 1 style="stream"; }')
    image.wire("console", "test/idle", console)
    disk = os.path.join(image.folder, "disk")
    with open(disk, "wb") as f:
        f.write(bytes(1 << 16))
    image.run(disk)
    check("idle", image.of("idle"), [("EXIT", SURVIVED)])


def quiet_for(guest, seconds, log):
    """Neither the kernel's counters nor the emulator's log of interrupts move for so long."""
    def state():
        return statistics(guest), os.path.getsize(log)

    end = time.monotonic() + HANG_LIMIT
    before = None
    while before is None or before != state():  # until it sleeps
        if time.monotonic() > end:
            raise GuestError(f"never asleep: {statistics(guest)}")
        before = state()
        time.sleep(0.5)
    time.sleep(seconds)
    if state() != before:
        raise GuestError(f"something happened while all slept: {before} {state()}")
    if guest.is_off():
        raise GuestError("the machine has ended")
    if before[0]["waits"] == 0 or before[1] == 0:
        raise GuestError(f"this counts nothing: {before}")


def asleep(args):
    """The promise itself: all demo drivers asleep, and for ten seconds neither count moves."""
    image = Image(args, "asleep", on_idle="stay")
    console = image.demo()
    image.probe("sleep", "sleep", more='needs { service "console" 1 style="stream"; }')
    image.wire("console", "test/sleep", console)
    disk = os.path.join(image.folder, "disk")
    with open(disk, "wb") as f:
        f.write(bytes(1 << 16))
    log = os.path.join(image.folder, "interrupts")
    with image.guest(disk, ["-d", "int", "-D", log]) as guest:
        quiet_for(guest, args.asleep_ms / 1000, log)


def uart_request(args):
    return f'request {{ registers "uart" compatible="{UART[args.arch]}" interrupt=#true; }}'


def interrupt(args):
    image = Image(args, "interrupt")
    image.probe("irq", "irq take", more=uart_request(args), grants=' grant "uart";')
    image.run()
    check("irq", image.of("irq"), [("EXIT", SURVIVED)])


def storm(args):
    image = Image(args, "storm")
    image.probe("irq", "irq storm", more=uart_request(args), grants=' grant "uart";')
    # Counted in instructions: how often it fires within a window does not depend on this machine.
    image.run(extra=["-icount", "shift=2,sleep=off"])
    check("irq", image.of("irq"), [("EXIT", SURVIVED)])


def level(args):
    """A driver that never quiets its device is struck out; who has nothing to do with it goes on."""
    image = Image(args, "level")
    image.probe("irq", "irq level", more=uart_request(args), grants=' grant "uart";')
    image.probe("beside", "share 300", "void")
    image.run(extra=["-icount", "shift=2,sleep=off"])
    check("irq", image.of("irq"), STRUCK_OUT)
    check("beside", image.of("beside"), [("EXIT", SURVIVED)])
    if image.statistics["storms"] < 3 * 16:
        raise GuestError(f"struck before the line had been held back often enough: {image.statistics}")


def lent(args):
    """The same with a line that was lent: whoever holds it now is struck out; its owner gets it back, and it works."""
    image = Image(args, "lent")
    things = uart_request(args)[:-1] + 'memory "scratch" size="4KiB"; }'
    image.probe("owner", "lend storm", more=things + '\nneeds { service "sink" 1 style="stream"; }',
                grants=' grant "uart"; grant "scratch"; delegate #true;')
    image.probe("user", "use storm", more='provides { service "sink" 1 style="stream"; }')
    image.wire("sink", "test/owner", "test/user")
    image.run(extra=["-icount", "shift=2,sleep=off"])
    check("user", image.of("user"), STRUCK_OUT)
    check("owner", image.of("owner"), [("EXIT", SURVIVED)])


def device_storm(args):
    """A driver that makes its virtio device speak too often; what it asked for comes all the same, only later."""
    image = Image(args, "device storm")
    image.batch("batch 3000 1")
    image.run(extra=["-icount", "shift=0,sleep=off", *port(args)])
    check("batch", image.of("batch"), [("EXIT", SURVIVED)])
    if image.statistics["storms"] == 0 or image.statistics["interrupts"] >= 3000:
        raise GuestError(f"the device was not held back: {image.statistics}")


def hold(args):
    image = Image(args, "hold")
    image.probe("irq", "irq hold", more=uart_request(args), grants=' grant "uart";')
    log = os.path.join(image.folder, "interrupts")
    with image.guest(extra=["-d", "int", "-D", log]) as guest:
        quiet_for(guest, args.idle_ms / 1000, log)
        check("irq", [r.kind for r in guest.ledger() if r.name == "test/irq"], ["START"])


def disk(args):
    image = Image(args, "disk")
    console = image.demo()
    image.driver("disk-sum", "")
    image.wire("console", "rumpk/disk-sum", console)
    image.wire("block", "rumpk/disk-sum", "rumpk/virtio-blk")
    path = os.path.join(image.folder, "disk")
    data = bytes((at * 7 + at // 251) % 256 for at in range(1 << 20))
    with open(path, "wb") as f:
        f.write(data)
    image.run(path)
    for package in ("disk-sum", "virtio-blk"):
        check(package, image.of(package), [("EXIT", 0)])
    wanted = hashlib.blake2b(data, digest_size=32).hexdigest()
    if wanted not in image.console and hashlib.sha256(data).hexdigest() not in image.console:
        raise GuestError(f"the sum is wrong: {image.console}")
    if image.statistics["interrupts"] < 8:
        raise GuestError(f"the disk did not interrupt: {image.statistics}")


SCENES = {"endless loop": endless_loop, "busy": busy, "spinning": spinning, "budget": budget, "share": share, "idle": idle, "asleep": asleep,
          "interrupt": interrupt, "storm": storm, "device storm": device_storm, "level": level, "lent": lent, "hold": hold, "disk": disk}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("arch")
    for name in ("tool", "kernel", "work"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--idle-ms", type=int, default=2000, help="how long the scene idle asks for nothing")
    parser.add_argument("--asleep-ms", type=int, default=10000, help="how long the scene asleep watches both counts")
    parser.add_argument("--machine", default="", help="further words for the emulator")
    parser.add_argument("--on", help="another machine than the usual one")
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    args.probe = build_driver(args.arch, os.path.join(ROOT, "tests", "kernel", "probe"),
                              os.path.join(args.work, args.arch + "-probe"),
                              ["-Wno-frame-larger-than", "-fno-builtin", "-O1", "-I", os.path.join(ROOT, "abi", "include")])
    for name, scene in SCENES.items():
        if re.search(args.only, name):
            scene(args)
            print(f"{args.arch}: {name}: good")
    return 0


if __name__ == "__main__":
    sys.exit(main())
