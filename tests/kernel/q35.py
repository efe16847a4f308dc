#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is q35's own: where its PCI pins arrive, messages instead of them, clocks, and tables that are broken.

    q35.py x86_64 --tool CASE_IMAGE --kernel KERNEL --work FOLDER [--only PATTERN]

  messages     a disk is read by message-signalled interrupts: the device says that they are on, its pin is off
  pins         the same by the pin of every kind of slot, and behind a bridge: each must arrive at its line
  clocks       the counter's rate by HPET, by the PIT where there is no HPET, and where the tables' HPET is none
  tables       a broken table ends the boot with the cause TABLES, and the machine is off all the same
  memory       a driver runs on the usual 8 MiB; on too little the machine says so and is off
"""
import argparse
import hashlib
import os
import re
import sys

import cases as case_list
from build import build_driver
from guest import Guest, GuestError, ROOT
from sched import Image, check, statistics
from stray import Bus

ECAM = 0xB0000000
CAPABILITY_MSIX = 0x11
DATA = bytes((at * 11 + at // 241) % 256 for at in range(1 << 16))
# One slot of each way that the pins are routed, 31 is the LPC bridge.
SLOTS = (1, 2, 3, 4, 24, 25, 30)
VIRTIO_BLK = "virtio-blk-pci,disable-legacy=on,drive=disk"


def disk_image(args, name):
    image = Image(args, name)
    console = image.demo()
    image.driver("disk-sum", "")
    image.wire("console", "rumpk/disk-sum", console)
    image.wire("block", "rumpk/disk-sum", "rumpk/virtio-blk")
    image.disk = os.path.join(image.folder, "disk")
    with open(image.disk, "wb") as f:
        f.write(DATA)
    return image


def disk_was_read(what, guest):
    guest.wait_power_off()
    ends = {r.name: (r.kind, r.detail) for r in guest.ledger() if r.kind in ("EXIT", "FAULT", "REFUSE")}
    if ends.get("rumpk/disk-sum") != ("EXIT", 0) or ends.get("rumpk/virtio-blk") != ("EXIT", 0):
        raise GuestError(f"{what}: {ends}")
    if hashlib.blake2b(DATA, digest_size=32).hexdigest() not in guest.console():
        raise GuestError(f"{what}: the sum is wrong: {guest.console()}")
    # Others keep the processor awake, so the disk is read without a single interrupt too, only later.
    if statistics(guest)["interrupts"] == 0:
        raise GuestError(f"{what}: the disk did not interrupt: {statistics(guest)}")


class Config:
    """Configuration space of one function, as the emulator's bus sees it."""

    def __init__(self, bus, slot):
        self.bus, self.base = bus, ECAM + (slot << 15)

    def read(self, offset, size):
        word = self.bus.read(self.base + (offset & ~3))
        return word >> 8 * (offset & 3) & (1 << 8 * size) - 1

    def capability(self, wanted):
        at = self.read(0x34, 1)
        while at and self.read(at, 1) != wanted:
            at = self.read(at + 1, 1)
        return at


def messages(args):
    image = disk_image(args, "messages")
    path = os.path.join(image.folder, "bus")
    with image.guest(image.disk, ["-qtest", f"unix:{path},server=on,wait=off", "-qtest-log", "/dev/null"]) as guest:
        bus = Bus(path)
        disk_was_read("messages", guest)
        slot = next(d["slot"] for b in guest.command_qmp("query-pci") for d in b["devices"] if d["id"]["device"] == 0x1042)
        config = Config(bus, slot)
        msix = config.capability(CAPABILITY_MSIX)
        control, command = config.read(msix + 2, 2), config.read(4, 2)
        if not msix or not control & 0x8000 or control & 0x4000 or not command & 0x400:
            raise GuestError(f"messages: MSI-X control {control:#x}, command {command:#x}")
        if command & 4:
            raise GuestError(f"nobody uses the function any more, and it reaches memory: {command:#x}")


def pins(args):
    image = disk_image(args, "pins")
    drive = ["-drive", f"if=none,id=disk,format=raw,file={image.disk}", "-device", "virtio-rng-pci,disable-legacy=on,addr=0x10"]
    places = [(f"slot {slot}", ["-device", f"{VIRTIO_BLK},vectors=0,addr={slot:#x}"]) for slot in SLOTS]
    places += [(f"slot {slot} behind a bridge in slot 5",
                ["-device", "pcie-pci-bridge,id=bridge,addr=0x5", "-device", f"{VIRTIO_BLK},vectors=0,bus=bridge,addr={slot}"])
               for slot in (1, 2)]
    places += [("a root port", ["-device", "pcie-root-port,id=root,addr=0x6", "-device", f"{VIRTIO_BLK},vectors=0,bus=root"])]
    for what, words in places:
        with image.guest(extra=drive + words, rng=False) as guest:
            disk_was_read(what, guest)
        print(f"q35: pin of {what}: good")


def probe_image(args, name):
    image = Image(args, name)
    image.probe("time", "time")
    return image


def clocks(args):
    image = probe_image(args, "clocks")
    table = os.path.join(image.folder, "hpet")

    def rate(what, words, is_hpet=False):
        with image.guest(extra=["-icount", "shift=0,sleep=off"] + words) as guest:  # one instruction, one nanosecond
            guest.wait_power_off()
            record = guest.boot_record()
            ends = [(r.kind, r.detail) for r in guest.ledger() if r.kind in ("EXIT", "FAULT", "REFUSE")]
            runs = guest.command_qmp("human-monitor-command", **{"command-line": "xp /1wx 0xfed00010"}).split()[-1]
        if is_hpet and runs != "0x00000001":
            raise GuestError(f"{what}: nobody has switched it on: {runs}")
        if ends != [("EXIT", case_list.SURVIVED)] or abs(record["timer_hz"] - 10**9) > 10**9 // 500:
            raise GuestError(f"{what}: {record['timer_hz']} Hz, {ends}")
        print(f"q35: {what}: {record['timer_hz']} Hz")

    def hpet_at(address):
        with open(table, "wb") as f:
            f.write(bytes(4) + bytes((0, 64, 0, 0)) + address.to_bytes(8, "little") + bytes(4))
        return ["-machine", "hpet=off", "-acpitable", f"sig=HPET,data={table}"]

    rate("by HPET", [], is_hpet=True)
    rate("by the PIT", ["-machine", "hpet=off"])
    rate("an HPET where nothing is", hpet_at(0xFED10000))
    rate("an HPET in RAM", hpet_at(0x400000))


def tables(args):
    image = probe_image(args, "tables")
    table = os.path.join(image.folder, "table")
    for what, words, content in (
            ("an HPET at address 0", ["-machine", "hpet=off", "-acpitable", f"sig=HPET,data={table}"], bytes(20)),
            ("an HPET that is cut off", ["-machine", "hpet=off", "-acpitable", f"sig=HPET,data={table}"], bytes(8))):
        with open(table, "wb") as f:
            f.write(content)
        with image.guest(extra=words) as guest:
            guest.wait_power_off()
            record = guest.boot_record()
        if record["cause_name"] != "TABLES" or record["stage_name"] != "ENTRY":
            raise GuestError(f"{what}: {record}")
        print(f"q35: {what}: TABLES, and off")


def memory(args):
    image = probe_image(args, "memory")
    image.guest().close()  # makes the image file
    # On 2 MiB the kernel itself ends where the firmware keeps its tables, or does not fit at all.
    for mib, causes in ((2, ("MEMORY_SHORT", "MEMORY_MAP", "TABLES")), (8, ("NONE",))):
        with Guest(args.arch, os.path.join(image.folder, "image.elf"), mib=mib, on="q35", name=f"{mib} MiB") as guest:
            guest.wait_power_off()
            record = guest.boot_record()
            if record["cause_name"] not in causes:
                raise GuestError(f"{mib} MiB: {record}")
            if record["cause"] == 0:
                check(f"{mib} MiB", [(r.kind, r.detail) for r in guest.ledger() if r.name == "test/time" and r.kind != "START"],
                      [("EXIT", case_list.SURVIVED)])
        print(f"q35: {mib} MiB: {record['cause_name']}")


SCENES = {"messages": messages, "pins": pins, "clocks": clocks, "tables": tables, "memory": memory}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("arch", choices=["x86_64"])
    for name in ("tool", "kernel", "work"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    args.machine, args.on = "", "q35"
    os.makedirs(args.work, exist_ok=True)
    args.probe = build_driver(args.arch, os.path.join(ROOT, "tests", "kernel", "probe"),
                              os.path.join(args.work, args.arch + "-probe"),
                              ["-Wno-frame-larger-than", "-fno-builtin", "-O1", "-I", os.path.join(ROOT, "abi", "include")])
    for name, scene in SCENES.items():
        if re.search(args.only, name):
            scene(args)
            print(f"q35: {name}: good")
    return 0


if __name__ == "__main__":
    sys.exit(main())
