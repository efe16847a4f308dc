#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Boots on every memory size that matters and checks where the SysTable went.

    placement.py ARCH --tool CASE_IMAGE --kernel KERNEL --work FOLDER

Where RAM is free at the SysTable's address the page there is it; otherwise (too little RAM, or the firmware
put its device tree exactly there) the address is a virtual alias. A driver checks the table at the address in
both cases, and says so with its exit code.
"""
import argparse
import os
import sys

import cases as case_list
from build import build_driver
from guest import Guest, GuestError, ROOT
from run_cases import CONSOLE, SYSTABLE as ADDRESS, Boot

# (MiB, is the page at the address free RAM?)
SIZES = {
    "riscv64": ((8, False), (50, False), (128, True)),  # 50: the firmware's device tree lies exactly there
    "aarch64": ((8, False), (320, True)),
    "x86_64": ((8, False), (64, True)),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("arch")
    for name in ("tool", "kernel", "work"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--on", help="another machine than the usual one")
    args = parser.parse_args()
    arch = args.arch
    os.makedirs(args.work, exist_ok=True)
    probe = build_driver(arch, os.path.join(ROOT, "tests", "kernel", "probe"), os.path.join(args.work, arch + "-probe"),
                         ["-Wno-frame-larger-than", "-fno-builtin", "-O1"])
    console = build_driver(arch, os.path.join(ROOT, "drivers", CONSOLE[arch], "src"), os.path.join(args.work, arch + "-console"))
    chosen = [c for c in case_list.matrix() if c.name == "systable"]
    boot = Boot(arch, "placement", chosen, args.kernel, args, probe, console)
    boot.make({})
    for mib, free in SIZES[arch]:
        with Guest(arch, boot.image, mib=mib, name=f"{mib} MiB", on=args.on) as guest:
            guest.wait_power_off()
            record = guest.boot_record()
            ends = [r for r in guest.ledger() if r.kind == "EXIT" and r.name.startswith("test/")]
            at = record["systable_physical"]
            if (at == ADDRESS[arch]) != free:
                raise GuestError(f"{mib} MiB: the SysTable lies at {at:#x}, wanted {'that address' if free else 'another page'}")
            if len(ends) != 1 or ends[0].detail != case_list.SURVIVED:
                raise GuestError(f"{mib} MiB: the driver found a broken promise: {ends}")
            raw = guest.read(at, 240)
            if raw[:4] != b"SUXN" or raw[176:240] != bytes(64):
                raise GuestError(f"{mib} MiB: no SysTable at {at:#x}")
            print(f"{arch}: {mib} MiB: SysTable at {ADDRESS[arch]:#x} -> {at:#x} ({'RAM' if free else 'alias'}), "
                  f"{record['memory_size'] >> 10} KiB usable, {record['pages_free']} pages free at the end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
