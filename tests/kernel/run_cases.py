#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Boots the refusal matrix (cases.py) on one architecture and compares every cell with the ledger.

    run_cases.py ARCH --tool CASE_IMAGE --kernel KERNEL --test-kernel KERNEL --work FOLDER [--only PATTERN] [--on MACHINE]

Each image is booted twice: the first boot tells where things lie (the audit list of the kernel, the
ledger), the second carries those addresses in the configurations of the probes. Both must lay out
memory alike, which is checked. Results go to FOLDER/ARCH.json, those of another machine than the usual one to
FOLDER/ARCH-MACHINE.json; matrix.py prints all machines.
"""
import argparse
import json
import os
import re
import shutil
import struct
import subprocess
import sys

import cases as case_list
from build import build_driver
from guest import Guest, GuestError, RAM_BASE, ROOT

PER_BOOT = 50  # packages of one image; the kernel's limit is 64
CONSOLE = {"riscv64": "uart-16550", "aarch64": "uart-pl011", "x86_64": "uart-16550"}
UART = {"riscv64": "ns16550a", "aarch64": "arm,pl011", "x86_64": "ns16550a"}
SYSTABLE = {"riscv64": 0x83000000, "aarch64": 0x50000000, "x86_64": 0x03000000}
PCI_CONFIGURATION = {"riscv64": 0x30000000, "aarch64": 0x4010000000, "x86_64": 0xB0000000}
CAP_RING, PROT_WRITE, PROT_EXECUTE = 2, 2, 4


def manifest(name, arch, case):
    text = f'package "test/{name}" version="0.1.0" {{ kind "driver"; security-version 1; abi 1; license "Apache-2.0"; arch "{arch}"; }}\n'
    text += 'runtime { stack "16KiB"; heap "4KiB"; }\n' + case.extra.replace("{uart}", UART[arch]) + "\n"
    if case.server_of:
        text += 'provides { service "sink" 1 style="stream" clients=8; }\n'
    if case.client_of:
        service = "console" if case.client_of == "console" else "sink"
        text += f'needs {{ service "{service}" 1 style="stream"; }}\n'
    return text


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


class Boot:
    """One image of many cases."""

    def __init__(self, arch, number, cases, kernel, args, probe, console):
        self.arch, self.cases, self.kernel, self.args = arch, cases, kernel, args
        self.folder = os.path.join(args.work, f"{arch}-{number}")
        self.image = os.path.join(self.folder, "image.elf")
        self.probe, self.console = probe, console
        self.names = {case: f"case-{i}" for i, case in enumerate(cases)}

    def make(self, places):
        shutil.rmtree(self.folder, ignore_errors=True)
        driver = CONSOLE[self.arch]
        image = 'image "test/cases" version="0.1.0" { on-idle "power-off"; }\n'
        if not self.cases[0].alone:
            os.makedirs(os.path.join(self.folder, driver))
            shutil.copy(os.path.join(ROOT, "drivers", driver, "npl.kdl"), os.path.join(self.folder, driver))
            shutil.copy(self.console, os.path.join(self.folder, driver, "driver.elf"))
            image += f'package "rumpk/{driver}" version="0.1.0" path="{driver}" {{ grant "uart"; }}\n'
        wires = ""
        servers = {case.server_of: self.names[case] for case in self.cases if case.server_of}
        for case in self.cases:
            name = self.names[case]
            folder = os.path.join(self.folder, name)
            write(os.path.join(folder, "npl.kdl"), manifest(name, self.arch, case))
            shutil.copy(self.probe, os.path.join(folder, "driver.elf"))
            config = case.config
            for place in case_list.FORBIDDEN:
                config = config.replace("{%s}" % place, f"{places.get(place, 0):#018x}")
            grants = ""
            for request in ("entropy", "buffers", "scratch", "uart"):
                if f'"{request}"' in case.extra:
                    grants += f' grant "{request}";'
            if "buffers" in case.extra:
                grants += " dma #true;"
            grants += "".join(f" {word} #true;" for word in case.owner.split())
            if case.spawner:
                boss = next(self.names[c] for c in self.cases if c.name == case.spawner)
                grants += f' on-demand "test/{boss}";'
            image += f'package "test/{name}" version="0.1.0" path="{name}" {{{grants} config "{config}"; }}\n'
            if case.client_of:
                service = "console" if case.client_of == "console" else "sink"
                server = f"rumpk/{driver}" if case.client_of == "console" else f"test/{servers[case.client_of]}"
                # What a server does that never waits for requests concerns those who are there beside it.
                start = ' start="at-once"' if case.at_once else ""
                wires += f'wire "{service}" from="test/{name}" to="{server}"{start}\n'
        write(os.path.join(self.folder, "image.kdl"), image + wires)
        subprocess.run([self.args.tool, self.arch, self.kernel, self.folder, self.image], check=True)

    def run(self):
        with Guest(self.arch, self.image, mib=32, rng=True, extra=self.args.machine.split(),
                   name=os.path.basename(self.folder), on=self.args.on) as guest:
            guest.wait_power_off()
            record = guest.boot_record()
            if record["cause"]:
                raise GuestError(f"boot ended by {record['cause_name']}")
            guest.pci_registers = pci_registers(guest) if self.args.on == "q35" else None
            return guest.ledger(), audit(guest), guest

    def places(self, ledger, regions, roots, guest):
        """Addresses by name, from the first boot."""
        symbols = guest.elf.symbols
        other = [r for r in regions if r["fiber"] == 0 and r["type"] == 0]
        start = next(r for r in ledger if r.kind == "START" and r.fiber == 0)
        text = next(r for r in other if r["prot"] & PROT_EXECUTE and r["va"] >= start.image_base)
        stack = min((r for r in other if r["prot"] & PROT_WRITE and r["va"] < start.image_base), key=lambda r: r["va"])
        data = next(r for r in other if r["prot"] & PROT_WRITE and r["va"] > start.image_base)
        readable = [r for r in other if r["prot"] & 7 == 1 and not start.image_base <= r["va"] < data["va"] and r["va"] not in (SYSTABLE[self.arch], symbols["__gate_start"])]
        rings = [r for r in regions if r["fiber"] == 0 and r["type"] == CAP_RING]
        top = RAM_BASE[self.arch] + (guest.mib << 20)
        found = {
            "kernel-text": symbols["kernel_main"] & ~7, "kernel-rodata": symbols["__rodata_start"],
            "kernel-data": symbols["rumpk_ledger"], "kernel-stack": symbols["__stack_top"] - 64,
            "kernel-root": next(r for r, fiber in roots if fiber == 0xFFFFFFFF),
            "driver-root": next(r for r, fiber in roots if fiber == 0),
            "archive": struct.unpack("<Q", guest.header[32:40])[0],
            "image-header": symbols["rumpk_image_header"],
            "other-text": text["va"], "other-data": data["va"], "other-stack": stack["va"] + stack["size"] - 64,
            "other-start": readable[0]["va"] if readable else 0,
            "foreign-ring": rings[0]["va"] if rings else 0,
            "registers": {"riscv64": 0x10000000, "aarch64": 0x09000000}.get(self.arch, 0),
            "virtio-registers": guest.pci_registers or {"riscv64": 0x10001000, "aarch64": 0x0A000000,
                                                        "x86_64": 0xFEB00000}[self.arch],
            "pci-configuration": PCI_CONFIGURATION[self.arch],
            "page-0": 0x10, "last-page": 0xFFFFFFFFFFFFF000, "hole": top + 0x10000000,
        }
        return found


def pci_registers(guest):
    """Where the first virtio function has its registers: its fifth base address register, out of configuration space,
    because the function is switched off again by now."""
    slot = next(d["slot"] for bus in guest.command_qmp("query-pci") for d in bus["devices"] if d["id"]["vendor"] == 0x1AF4)
    at = PCI_CONFIGURATION["x86_64"] + (slot << 15) + 0x20
    words = guest.command_qmp("human-monitor-command", **{"command-line": f"xp /2wx {at:#x}"}).split(":")[1].split()
    return (int(words[1], 16) << 32 | int(words[0], 16)) & ~0xF


def audit(guest):
    raw = guest.read(guest.symbol("rumpk_audit"), guest.elf.sizes["rumpk_audit"])
    magic, step, steps, root_count, region_count, dropped = struct.unpack_from("<QIIIII", raw, 0)
    if magic != 0x3054494455414D52 or dropped:
        raise GuestError(f"audit list: magic {magic:#x}, {dropped} dropped")
    roots = [struct.unpack_from("<QI", raw, 32 + i * 16) for i in range(root_count)]
    at = guest.elf.sizes["rumpk_audit"] - 1024 * 32
    regions = []
    for i in range(region_count):
        va, pa, size, fiber, prot, kind = struct.unpack_from("<QQQIHH", raw, at + i * 32)
        regions.append({"va": va, "pa": pa, "size": size, "fiber": fiber, "prot": prot, "type": kind})
    guest.header = guest.read(guest.symbol("rumpk_image_header"), 64)
    return regions, roots


def judge(case, arch, records, places):
    """(text of the cell, good?)"""
    ends = [r for r in records if r.kind in ("EXIT", "FAULT", "REFUSE")]
    if len(ends) != 1:
        return f"{len(ends)} ends", False
    end, want = ends[0], case.wanted(arch)
    if end.kind == "EXIT":
        code = end.detail if end.detail < 1 << 63 else end.detail - (1 << 64)
        return f"exit {code}", want[0] == "EXIT" and code == want[1]
    text = f"{end.kind} {end.code}"
    if end.kind != "FAULT" or want[0] != "FAULT" or end.code not in want[1]:
        return text, False
    at = want[2]
    if at is not None and places[at] not in (end.address, end.pc):
        return f"{text} at {end.address:#x}", False
    return end.code, True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("arch")
    for name in ("tool", "kernel", "test-kernel", "work"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--machine", default="", help="further words for the emulator: another processor, another entry level")
    parser.add_argument("--on", help="another machine than the usual one")
    parser.add_argument("--results", help="where the results go; the work folder unless told")
    args = parser.parse_args()
    arch = args.arch
    column = f"{arch}-{args.on}" if args.on else arch
    os.makedirs(args.work, exist_ok=True)
    probe = build_driver(arch, os.path.join(ROOT, "tests", "kernel", "probe"), os.path.join(args.work, arch + "-probe"),
                         ["-Wno-frame-larger-than", "-fno-builtin", "-O1"])
    console = build_driver(arch, os.path.join(ROOT, "drivers", CONSOLE[arch], "src"), os.path.join(args.work, arch + "-console"))
    every = [c for c in case_list.matrix() if re.search(args.only, c.name)]
    results, failed = {}, 0
    for case in every:
        if case_is_absent(case, arch, args.on):
            results[case.name] = {"text": "-", "good": True, "why": case.why}
    runnable = [c for c in every if not case_is_absent(c, arch, args.on)]
    groups = []
    for test_kernel in (False, True):
        # Cases that share a sink stay together.
        mine = [c for c in runnable if c.test_kernel == test_kernel]
        tied = [c for c in mine if c.client_of or c.server_of]
        free = [c for c in mine if not (c.client_of or c.server_of or c.alone)]
        for at in range(0, len(free) if free else 0, PER_BOOT):
            groups.append((test_kernel, free[at:at + PER_BOOT]))
        together = []
        for service in dict.fromkeys(c.client_of or c.server_of for c in tied):
            family = [c for c in tied if service in (c.client_of, c.server_of)]
            if family[0].alone:
                groups.append((test_kernel, family))
                continue
            if together and len(together) + len(family) > PER_BOOT:
                groups.append((test_kernel, together))
                together = []
            together = together + family
        if together:
            groups.append((test_kernel, together))
        groups += [(test_kernel, [c]) for c in mine if c.alone and c not in tied]
    for number, (test_kernel, group) in enumerate(groups):
        boot = Boot(arch, number, group, args.test_kernel if test_kernel else args.kernel, args, probe, console)
        boot.make({})
        ledger, (regions, roots), guest = boot.run()
        places = {}
        if not group[0].alone:
            places = boot.places(ledger, regions, roots, guest)
            boot.make(places)
            ledger, (regions, roots), guest = boot.run()
            again = boot.places(ledger, regions, roots, guest)
            if again != places:
                raise GuestError(f"two boots of one image differ in layout: {places} {again}")
        if not any(r.kind == "END" for r in ledger):
            raise GuestError("the guest ended without the ledger's END")
        # It ends by itself when no client is left.
        if any(r.kind in ("FAULT", "REFUSE") or r.kind == "EXIT" and r.detail for r in ledger if r.name.startswith("rumpk/")):
            print(f"{arch}: the console driver did not survive its neighbours")
            failed += 1
        for case in group:
            records = [r for r in ledger if r.name == "test/" + boot.names[case]]
            text, good = judge(case, arch, records, places)
            results[case.name] = {"text": text, "good": good}
            if not good:
                failed += 1
                print(f"{arch}: {case.name}: wanted {case.wanted(arch)}, the ledger says {text}: {records}")
    missing = [c.name for c in every if c.name not in results]
    if missing:
        print(f"{arch}: no result for {missing}")
    if not args.only and not args.machine:
        with open(os.path.join(args.results or args.work, column + ".json"), "w") as f:
            json.dump(results, f, indent=1)
    print(f"{arch}: {len(results)} cells, {sum(1 for r in results.values() if r['text'] == '-')} not applicable, {failed} failed")
    return 1 if failed or missing else 0


def case_is_absent(case, arch, on):
    return bool(case.only) and arch not in case.only and f"{arch}-{on or 'usual'}" not in case.only


if __name__ == "__main__":
    sys.exit(main())
