# SPDX-License-Identifier: Apache-2.0
"""Sizes: kernels, syscall core, SysTable, drivers, packages. Read out of the built files, never measured."""
import glob
import json
import os
import re
import subprocess

from guest import ROOT, Elf

LOADABLE_LIMIT, LOADABLE_AIM, SYSCALL_LIMIT = 280 * 1024, 128 * 1024, 2048


def kernel(path):
    """The first two limits are asserted by kernel/kernel.ld.in too: a kernel above them does not link."""
    elf = Elf(path)
    size = {name: section[5] for name, section in elf.section.items()}
    symbols = elf.symbols
    return {
        "text": size[".text"], "rodata": size[".rodata"], "gate_page": size[".gate"], "data": size[".data"],
        "bss": size[".bss"], "loadable": symbols["__data_end"] - symbols["__kernel_start"],
        "loadable_limit": LOADABLE_LIMIT, "loadable_aim": LOADABLE_AIM,
        "syscall_core": symbols["__syscall_end"] - symbols["__syscall_start"], "syscall_core_limit": SYSCALL_LIMIT,
    }


def systable():
    with open(os.path.join(ROOT, "abi", "include", "rumpk", "systable.h")) as f:
        return int(re.search(r"#define RUMPK_SYSTABLE_SIZE (\d+)", f.read()).group(1))


def packages(sdk):
    """{name: {"package": bytes, "drivers": {arch: bytes}}} of the SDK's own registry."""
    found = {}
    for index in sorted(glob.glob(os.path.join(sdk, "share", "rumpk", "registry", "rumpk", "*", "index.json"))):
        folder = os.path.dirname(index)
        blob = lambda digest: os.path.join(folder, "blobs", *digest.split(":"))  # noqa: E731
        with open(index) as f:
            # The highest version; behind the versions stands what is attached to them.
            entry = [e for e in json.load(f)["manifests"] if e.get("artifactType") == "application/vnd.rumpk.npl.v1"][-1]
        with open(blob(entry["digest"])) as m:
            layer = json.load(m)["layers"][0]
        listing = subprocess.run(["tar", "--zstd", "-tvf", blob(layer["digest"])], check=True, capture_output=True,
                                 text=True).stdout
        drivers = {}
        for line in listing.splitlines():
            words = line.split()
            if words[-1].endswith(".elf"):
                drivers[words[-1].split("/")[0]] = int(words[2])
        found["rumpk/" + os.path.basename(folder)] = {"package": layer["size"], "elf": drivers}
    return found


def measure(kernels, sdk):
    """kernels: {arch: path}"""
    return {"kernel": {arch: kernel(path) for arch, path in kernels.items()}, "systable": systable(),
            "packages": packages(sdk)}
