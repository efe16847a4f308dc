#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Boots images with wrong packages and compares the kernel's reason for each with the ledger's exact code.

    refusals.py ARCH --tool CASE_IMAGE --tamper NIP_TAMPER --kernel KERNEL --work FOLDER [--only TEXT]

Each image is booted unchanged first: every package of it starts and ends with its own code, so what is refused
afterwards is refused for its one change (package_faults.py). Beside the refused ones the control packages and the
console driver must finish their job. Images that are wrong as a whole (image_faults.py) start nothing and end.
At the end the codes that were seen must be all that there are. Results go to FOLDER/ARCH-refusals.json, which
matrix.py prints for all machines.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys

import image_faults
import package_faults
from build import build_driver
from guest import Guest, GuestError, REFUSALS, ROOT
from image_edit import Document, Image, digest, digests_update
from package_faults import Package

CONSOLE = {"riscv64": "uart-16550", "aarch64": "uart-pl011", "x86_64": "uart-16550"}
SURVIVED = 42  # the exit code of tests/kernel/refused
MIB = 16       # of the guest; package_faults.HEAP_MAX cannot fit into it

FIRMWARE_END = "Boot HART MEDELEG"  # begins the last line that the firmware of riscv64 prints

# Codes that no booted image can show, with the reason.
EXCUSED = {"NONE": "not a refusal"}

CONTROL = Package("test/control", 'needs { service "console" 1 style="stream"; }\n'
                  'request { memory "scratch" size="4KiB"; }', 'grant "scratch"; config "padded";')


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())


def node(name, folder, words):
    return f'package "{name}" version="0.1.0" path="{folder}" {{ {words} }}\n'


class Forge:
    """One image: made good by case_image, then changed."""

    def __init__(self, args, name, cases, helpers, driver, console):
        self.args, self.arch, self.cases = args, args.arch, cases
        self.folder = os.path.join(args.work, f"{args.arch}-{name}")
        self.good = os.path.join(self.folder, "good.elf")
        self.names = {case: case.package or f"test/case-{i}" for i, case in enumerate(cases)}
        self.helpers = [CONTROL] + helpers
        shutil.rmtree(self.folder, ignore_errors=True)
        self._make(driver, console)

    def _make(self, driver, console):
        image = 'image "test/refusals" version="0.1.0" { on-idle "power-off"; }\n'
        name, wires = CONSOLE[self.arch], 'wire "console" from="test/control" to="rumpk/%s"\n' % CONSOLE[self.arch]
        os.makedirs(os.path.join(self.folder, name))
        shutil.copy(os.path.join(ROOT, "drivers", name, "npl.kdl"), os.path.join(self.folder, name))
        shutil.copy(console, os.path.join(self.folder, name, "driver.elf"))
        image += node("rumpk/" + name, name, 'grant "uart";')
        packages = [(p.name, p) for p in self.helpers] + [(self.names[c], c) for c in self.cases]
        for name, package in packages:
            folder = name.split("/")[1]
            text = f'package "{name}" version="0.1.0" {{ kind "driver"; security-version 1; abi 1; '
            text += f'license "Apache-2.0"; arch "{self.arch}"; }}\nruntime {{ stack "16KiB"; heap "4KiB"; }}\n'
            write(os.path.join(self.folder, folder, "npl.kdl"), text + package.manifest + "\n")
            shutil.copy(driver, os.path.join(self.folder, folder, "driver.elf"))
            image += node(name, folder, package.image)
            for service, server in package.wires:
                # At once: these servers never wait for a request.
                wires += f'wire "{service}" from="{name}" to="{server}" start="at-once"\n'
        write(os.path.join(self.folder, "image.kdl"), image + wires)
        subprocess.run([self.args.tool, self.arch, self.args.kernel, self.folder, self.good], check=True)
        self.number = {name: Image(self.good).boot().number(name) for name, _ in packages}

    def _tamper(self, source, out, *words):
        subprocess.run([self.args.tamper, source, out, *words], check=True)

    def _key(self, name):
        return os.path.join(self.folder, name + ".key")

    def _package(self, image, boot, parts, case):
        """The changed parts of one package go to the folder `parts`, its new id into the boot manifest."""
        number, changes = self.number[self.names[case]], case.changes
        before = {name: image.bytes(*image.part(number, name)) for name in ("digests", "bkdl", "elf")}
        after = dict(before)
        if "elf" in changes:
            after["elf"] = changes["elf"](after["elf"])
        if "bkdl" in changes:
            document = Document(after["bkdl"])
            changes["bkdl"](document)
            after["bkdl"] = document.pack()
        after["digests"] = digests_update(after["digests"], "npl.bkdl", after["bkdl"])
        after["digests"] = digests_update(after["digests"], self.arch + "/driver.elf", after["elf"])
        if "digests" in changes:
            after["digests"] = changes["digests"](after["digests"])
        if "late_elf" in changes:
            after["elf"] = changes["late_elf"](after["elf"])
        if "late_bkdl" in changes:
            document = Document(after["bkdl"])
            changes["late_bkdl"](document)
            after["bkdl"] = document.pack()
        for name in before:
            if after[name] != before[name]:
                write(os.path.join(parts, f"{number}.{name}"), after[name])
        boot.package(number)["package_id"] = digest(after["digests"])
        if "boot" in changes:
            changes["boot"](boot, number)

    def forge(self):
        """All cases in one image; returns its path."""
        source, out = self.good, os.path.join(self.folder, "bad.elf")
        for case in self.cases:
            if case.resign:  # by a key that is right in itself, and the owner's
                self._tamper(source, out, "resign", self.names[case], self._key("owner"))
                source = out
        image = Image(source)
        boot, parts = image.boot(), os.path.join(self.folder, "parts")
        boot.owner_key = image.owner_key()
        package_faults.pinned_keys(2, [1, 0])(boot, self.number[CONTROL.name])  # which must still start
        os.makedirs(parts)
        for case in self.cases:
            self._package(image, boot, parts, case)
        write(os.path.join(parts, "boot.bkdl"), boot.pack())
        self._tamper(source, out, "parts", parts, self._key("publisher"), self._key("owner"))
        image = Image(out)
        for case in self.cases:
            if "file" in case.changes:
                case.changes["file"](image, self.number[self.names[case]])
        image.write(out)
        return out

    def forge_whole(self, number, fault):
        """The same image, wrong as a whole."""
        out = os.path.join(self.folder, f"whole-{number}.elf")
        parts = os.path.join(self.folder, f"parts-{number}")
        os.makedirs(parts)
        boot = Image(self.good).boot()
        if fault.boot:
            fault.boot(boot)
        packed = fault.packed(boot.pack()) if fault.packed else boot.pack()
        write(os.path.join(parts, "boot.bkdl"), packed)
        self._tamper(self.good, out, "parts", parts, self._key("publisher"), self._key("owner"))
        if fault.file:
            image = Image(out)
            fault.file(image)
            image.write(out)
        return out


class Outcome:
    """What a boot left behind."""

    def __init__(self, args, path, name):
        self.arch = args.arch
        with Guest(args.arch, path, mib=MIB, name=name, on=args.on) as guest:
            guest.wait_power_off()
            self.record, self.ledger, self.console = guest.boot_record(), guest.ledger(), guest.console()
            if self.record["cause"] or self.record["stage_name"] != "ENDED":
                raise GuestError(f"{name}: boot ended at {self.record['stage_name']}, {self.record['cause_name']}")

    def is_silent(self):
        """Nothing was printed, but for the firmware's own words."""
        at = self.console.rfind(FIRMWARE_END)
        return (self.console if at < 0 else self.console[at:].partition("\n")[2]) == ""

    def of(self, number):
        """What became of a package. That it announced itself is init.py's matter."""
        return [r for r in self.ledger if r.package == number and r.kind != "READY"]

    def survived(self, number):
        """It started, and ended itself with its own code."""
        records = self.of(number)
        return [r.kind for r in records] == ["START", "EXIT"] and records[1].detail == SURVIVED

    def refused(self, number):
        """The code, when refusing is all that happened to it."""
        records = self.of(number)
        if [r.kind for r in records] == ["REFUSE"]:
            return records[0].code
        return " ".join(f"{r.kind} {r.code}".strip() for r in records) or "nothing"

    def others_fine(self, forge):
        """Console driver and control packages: what is wrong with them, or None."""
        console = self.of(0)
        if [r.kind for r in console] != ["START", "EXIT"] or console[0].name != "rumpk/" + CONSOLE[self.arch] \
                or console[1].detail:
            return f"the console driver: {console}"
        for helper in forge.helpers:
            if not self.survived(forge.number[helper.name]):
                return f"{helper.name}: {self.of(forge.number[helper.name])}"
        if "test/control still runs\n" not in self.console:
            return f"the console shows {self.console!r}"
        return None


class Results:
    def __init__(self, arch):
        self.arch, self.cells, self.seen, self.failed = arch, {}, set(), 0

    def add(self, name, text, good, explain=""):
        if name in self.cells:
            raise ValueError(f"two cases are called {name!r}")
        self.cells[name] = {"text": text, "good": bool(good)}
        if not good:
            self.failed += 1
            print(f"{self.arch}: {name}: {text}; {explain}")

    def code(self, name, want, text, explain):
        self.add(name, text, text == want, f"wanted {want}; {explain}")
        if text == want:
            self.seen.add(want)


def run_packages(forge, name, results):
    good = Outcome(forge.args, forge.good, name + ", unchanged")
    for case in forge.cases:
        number = forge.number[forge.names[case]]
        if not good.survived(number):
            results.add(case.name, "no good base", False, good.of(number))
    wrong = good.others_fine(forge)
    results.add(f"{name}: every package, unchanged", "started", wrong is None, wrong)
    bad = Outcome(forge.args, forge.forge(), name)
    for case in forge.cases:
        number = forge.number[forge.names[case]]
        if case.name not in results.cells:
            results.code(case.name, case.want, bad.refused(number), bad.of(number))
    wrong = bad.others_fine(forge)
    results.add(f"{name}: control and console beside them", "finished", wrong is None, wrong)


def run_image(forge, number, fault, results):
    outcome = Outcome(forge.args, forge.forge_whole(number, fault), fault.name)
    kinds, text = [r.kind for r in outcome.ledger], " ".join(f"{r.kind} {r.code}".strip() for r in outcome.ledger)
    if kinds == ["BOOT", "REFUSE", "END"] and outcome.ledger[1].package == 0xFFFFFFFF and outcome.is_silent():
        text = outcome.ledger[1].code
    results.code(fault.name, fault.want, text, outcome.ledger)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("arch")
    for name in ("tool", "tamper", "kernel", "work"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--only", default="", help="images and whole-image cases whose name contains this")
    parser.add_argument("--on", help="another machine than the usual one")
    parser.add_argument("--results", help="where the results go; the work folder unless told")
    args = parser.parse_args()
    os.makedirs(args.work, exist_ok=True)
    results = Results(args.arch)
    driver = build_driver(args.arch, os.path.join(ROOT, "tests", "kernel", "refused"),
                          os.path.join(args.work, args.arch + "-refused"))
    console = build_driver(args.arch, os.path.join(ROOT, "drivers", CONSOLE[args.arch], "src"),
                           os.path.join(args.work, args.arch + "-refused-console"))
    for name, cases, helpers in package_faults.groups(args.arch):
        if args.only in name:
            run_packages(Forge(args, name, cases, helpers, driver, console), name, results)
    forge = Forge(args, "whole", [], [], driver, console)
    for number, fault in enumerate(image_faults.faults(args.arch)):
        if args.only in fault.name:
            run_image(forge, number, fault, results)
    if not args.only:
        missing = sorted(set(REFUSALS.values()) - results.seen - set(EXCUSED))
        results.add("every refusal code was seen", f"{len(results.seen)} codes", not missing, f"never seen: {missing}")
        column = f"{args.arch}-{args.on}" if args.on else args.arch
        with open(os.path.join(args.results or args.work, column + "-refusals.json"), "w") as f:
            json.dump(results.cells, f, indent=1)
    print(f"{args.arch}: {len(results.cells)} cells, {len(results.seen)} refusal codes, {results.failed} failed")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
