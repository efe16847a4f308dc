# SPDX-License-Identifier: Apache-2.0
"""Builds a driver for the kernel tests with the installed SDK: compiler and linker, nothing else."""
import glob
import os
import subprocess

from guest import SDK

TRIPLE = "{}-unknown-rumpk-elf"


def build_driver(arch, source, work, flags=()):
    """All *.c of `source`, linked and stripped; returns the path of the driver file."""
    triple = TRIPLE.format(arch)
    toolchain = os.path.join(SDK, "share", "rumpk", "toolchain")
    os.makedirs(work, exist_ok=True)
    objects = []
    for path in sorted(glob.glob(os.path.join(source, "*.c"))):
        out = os.path.join(work, os.path.basename(path) + ".o")
        subprocess.run(["clang-19", "--no-default-config", f"--config={toolchain}/{triple}.cfg", "-O2", *flags,
                        f"-ffile-prefix-map={source}=.", "-c", path, "-o", out], check=True)
        objects.append(out)
    linked, stripped = os.path.join(work, "driver.debug"), os.path.join(work, "driver.elf")
    subprocess.run(["ld.lld-19", f"@{toolchain}/{triple}.ldflags", "-T", f"{toolchain}/{triple}.ld",
                    "-L", os.path.join(SDK, "share", "rumpk", "sysroot", triple, "lib"), *objects, "-o", linked], check=True)
    subprocess.run(["llvm-objcopy-19", "--strip-all", linked, stripped], check=True)
    return stripped
