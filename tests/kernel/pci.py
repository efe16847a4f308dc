#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""PCI functions behind real (emulated) hosts, where no firmware has given them addresses.

    pci.py ARCH --tool CASE_IMAGE --kernel KERNEL --work FOLDER [--machine ARGS] [--only PATTERN]

  disk      block and entropy device on one shared pin, or with messages where the machine has them: a disk is read;
            every function's addresses are aligned, inside the host's window and nobody else's; a function is a bus
            master only while its driver lives, and one that nobody was given is switched off
  bridges   the same behind root ports and bridges in bridges, transitional devices among them
  window    a driver gets the registers of one function and its pin; its device reaches no memory, whatever it is
            told; registers with a message table, of a virtio device, and of two packages are refused
What the functions are set to is read from outside, by the emulator's monitor and its test protocol.
"""
import argparse
import hashlib
import os
import re
import sys

from build import build_driver
from guest import HANG_LIMIT, GuestError, ROOT
from sched import Image, check, statistics
from stray import Bus, until

MACHINE = {"riscv64": "virt-pci", "aarch64": "virt-pci", "x86_64": "microvm-pci"}
ECAM = {"riscv64": 0x30000000, "aarch64": 0x4010000000, "x86_64": 0xE0000000}
WINDOW = {"riscv64": (0x40000000, 0x80000000), "aarch64": (0x10000000, 0x3EFF0000), "x86_64": (0xC0000000, 0xE0000000)}
HAS_PINS = {"riscv64": True, "aarch64": True, "x86_64": False}  # microvm's tree routes none
MEMORY, MASTER, PIN_OFF = 2, 4, 0x400
MSIX = 0x11
DATA = bytes((at * 13 + at // 239) % 256 for at in range(1 << 16))
LEGACY = "disable-legacy=on"


class Config:
    """Configuration space as the emulator's bus sees it."""

    def __init__(self, arch, path):
        self.bus, self.base = Bus(path), ECAM[arch]

    def read(self, place, offset, size):
        bus, slot, function = place
        word = self.bus.read(self.base + (bus << 20 | slot << 15 | function << 12) + (offset & ~3))
        return word >> 8 * (offset & 3) & (1 << 8 * size) - 1

    def address(self, place, region):
        at = 0x10 + 4 * region["bar"]
        high = self.read(place, at + 4, 4) if region["mem_type_64"] else 0
        return high << 32 | self.read(place, at, 4) & ~0xF

    def command(self, place):
        return self.read(place, 4, 2)

    def has_messages(self, place):
        at = self.read(place, 0x34, 1)
        while at and self.read(place, at, 1) != MSIX:
            at = self.read(place, at + 1, 1)
        return bool(at) and self.read(place, at + 2, 2) & 0xC000 == 0x8000


def functions(buses):
    """All functions of query-pci, with what is behind bridges."""
    for bus in buses:
        for device in bus["devices"]:
            yield device
            if "pci_bridge" in device:
                yield from functions([{"devices": device["pci_bridge"].get("devices", [])}])


def place_of(device):
    return device["bus"], device["slot"], device["function"]


def ident(device):
    return f"{device['id']['vendor']:04x}:{device['id']['device']:04x}"


def judge_level(config, devices, low, high):
    """Addresses on one bus: each aligned, in [low, high), in pages of its own; then those behind its bridges."""
    used = []
    for device in devices:
        where = f"{ident(device)} at {place_of(device)}"
        ranges = [(config.address(place_of(device), r), r["size"]) for r in device["regions"] if r["type"] == "memory"]
        bridge = device.get("pci_bridge")
        if bridge:
            window = bridge["bus"]["memory_range"]
            if window["limit"] > window["base"]:
                judge_level(config, bridge.get("devices", []), window["base"], window["limit"] + 1)
                ranges.append((window["base"], window["limit"] + 1 - window["base"]))
            elif bridge.get("devices"):
                raise GuestError(f"{where} hands nothing on")
        for base, size in ranges:
            first, last = base & ~0xFFF, (base + size - 1) | 0xFFF
            if base == 0 or base % min(size, 1 << 20) or base < low or last >= high:
                raise GuestError(f"{where}: {size:#x} bytes at {base:#x}, not in {low:#x}..{high:#x}")
            if any(first <= b and a <= last for a, b in used):
                raise GuestError(f"{where}: {base:#x} is somebody else's")
            used.append((first, last))
    return used


def judge_places(arch, guest, config):
    devices = [d for bus in guest.command_qmp("query-pci") for d in bus["devices"]]
    used = judge_level(config, [d for d in devices if d["class_info"]["class"] != 0x0600], *WINDOW[arch])
    if len(used) < 2:
        raise GuestError(f"no addresses: {devices}")


def disk_image(args, name):
    image = Image(args, name, on_idle="stay")
    console = image.demo()
    image.driver("disk-sum", "")
    image.wire("console", "rumpk/disk-sum", console)
    image.wire("block", "rumpk/disk-sum", "rumpk/virtio-blk")
    image.refused = {}
    image.names = [console] + [f"rumpk/{driver}" for driver in ("disk-sum", "virtio-blk", "virtio-rng")]
    image.disk = os.path.join(image.folder, "disk")
    with open(image.disk, "wb") as f:
        f.write(DATA)
    return image


def ended(guest, names):
    """Have they all? A kernel that has only just begun has no ledger yet."""
    try:
        return set(names) <= {r.name for r in guest.ledger() if r.kind in ("EXIT", "FAULT", "REFUSE")}
    except GuestError:
        return False


def disk_judge(args, image, devices):
    """Boots with `devices`, judges the result, and leaves functions, configuration space and the guest to the caller."""
    bus = os.path.join(image.folder, "bus")
    drive = ["-drive", f"if=none,id=disk,format=raw,file={image.disk}"]
    extra = drive + devices + ["-qtest", f"unix:{bus},server=on,wait=off", "-qtest-log", "/dev/null"]
    with image.guest(extra=extra, rng=False) as guest:
        config = Config(args.arch, bus)
        until(guest, "at the end of its work", lambda: ended(guest, image.names))
        ends = {r.name: (r.kind, r.code or r.detail) for r in guest.ledger() if r.kind in ("EXIT", "FAULT", "REFUSE")}
        check("ends", {name: end for name, end in ends.items() if end != ("EXIT", 0)}, image.refused)
        if hashlib.blake2b(DATA, digest_size=32).hexdigest() not in guest.console():
            raise GuestError(f"the sum is wrong: {guest.console()}")
        if statistics(guest)["interrupts"] == 0:
            raise GuestError(f"nothing interrupted: {statistics(guest)}")
        judge_places(args.arch, guest, config)
        for device in functions(guest.command_qmp("query-pci")):
            place, kind = place_of(device), device["class_info"]["class"]
            command = config.command(place)
            if command & MASTER:
                raise GuestError(f"{ident(device)} is a master for nobody: {command:#x}")
            if kind in (0x0600, 0x0604):
                continue
            if device["id"]["vendor"] != 0x1AF4:
                check(f"nobody's {ident(device)}", command & (MEMORY | PIN_OFF), PIN_OFF)
                continue
            check(f"decoding of {ident(device)}", command & MEMORY, MEMORY)
            check(f"messages of {ident(device)}", config.has_messages(place), not HAS_PINS[args.arch])
            check(f"pin of {ident(device)}", command & PIN_OFF == 0, HAS_PINS[args.arch])


EDU, NET = "0 vendor=0x1234 device=0x11e8", "vendor=0x8086 device=0x10d3"
EDU_DEVICE, NET_DEVICE = ["-device", "edu,dma_mask=0xffffffffff"], ["-device", "e1000e,romfile="]


# Slots 1, 5 and 9 have the same line for the same pin.
def disk(args):
    image = disk_image(args, "disk")
    if HAS_PINS[args.arch]:  # the disk's line, which a driver must not hold: refused, and switched off again
        image.probe("pin", "edu", more=f'request {{ bar "edu" {EDU} interrupt=#true }}', grants=' grant "edu";', elf=args.pci_probe)
        image.refused = {"test/pin": ("REFUSE", "GRANT_DEVICE")}
    disk_judge(args, image, ["-device", f"virtio-blk-pci,{LEGACY},drive=disk,addr=1",
                             "-device", f"virtio-rng-pci,{LEGACY},addr=5", "-device", "edu,addr=9"])


def bridges(args):
    image = disk_image(args, "bridges")
    disk_judge(args, image, [
        "-device", "pcie-root-port,id=empty,chassis=1,addr=2", "-device", "pcie-root-port,id=root,chassis=2,addr=3",
        "-device", f"virtio-blk-pci,{LEGACY},drive=disk,bus=root", "-device", "pcie-pci-bridge,id=outer,addr=4",
        "-device", "pci-bridge,id=inner,chassis_nr=3,bus=outer,addr=5", "-device", "virtio-rng-pci,bus=inner,addr=7",
        "-device", "edu,bus=inner,addr=1"])


def window(args):
    def case(what, scene, names, devices, wanted):
        image = Image(args, f"window {what}")
        for index, name in enumerate(names):
            image.probe(f"window{index}", scene, more=f'request {{ bar "edu" {name} }}', grants=' grant "edu";', elf=args.pci_probe)
        with image.guest(extra=devices, rng=False) as guest:
            guest.wait_power_off()
            ends = [(r.kind, r.code or r.detail) for r in guest.ledger() if r.kind in ("EXIT", "FAULT", "REFUSE")]
        check(what, sorted(map(str, ends)), sorted(map(str, wanted)))

    good = ("EXIT", 0)
    if HAS_PINS[args.arch]:
        case("registers and pin", "edu", [EDU + " interrupt=#true"], EDU_DEVICE, [good])
    case("no memory for its device", "reach", [EDU], EDU_DEVICE, [good])
    # By different names, or nip would see it.
    case("one function for two packages", "net", [f"0 {NET}", '1 class="020000"'], NET_DEVICE, [good, ("REFUSE", "GRANT_BUSY")])
    case("a message table", "shared", [f"3 {NET}"], NET_DEVICE, [good])
    case("a virtio device", "edu", ["4 vendor=0x1af4 device=0x1044"], ["-device", f"virtio-rng-pci,{LEGACY}"],
         [("REFUSE", "GRANT_DEVICE")])


SCENES = {"disk": disk, "bridges": bridges, "window": window}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("arch", choices=sorted(MACHINE))
    for name in ("tool", "kernel", "work"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--machine", default="", help="more arguments for the emulator")
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    args.on = MACHINE[args.arch]
    os.makedirs(args.work, exist_ok=True)
    args.pci_probe = build_driver(args.arch, os.path.join(ROOT, "tests", "kernel", "pci_probe"),
                                  os.path.join(args.work, args.arch + "-pci-probe"))
    for name, scene in SCENES.items():
        if re.search(args.only, name):
            scene(args)
            print(f"{args.arch} {args.machine}: {name}: good")
    return 0


if __name__ == "__main__":
    sys.exit(main())
