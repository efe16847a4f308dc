# SPDX-License-Identifier: Apache-2.0
"""A package's steps beside tar, zstd and minisign on the same bytes: package/main.c, built here with gcc -O2.

    pack      package-bench pack           tar | zstd -9 > x; minisign -S          (read, archive, compress, sign)
    verify    package-bench verify         minisign -V; zstd -dc x | tar -xO       (signature, every byte decoded)
    extract   package-bench extract        minisign -V; zstd -dc x | tar -x; sync FILES

package-bench does more: it also hashes every file (b2sum -l 256) and compares with the signed list. zstd's level is the one
that nip uses. Both sides run as processes of their own, one after the other, again and again: a disturbance meets both.
"""
import os
import re
import shutil
import statistics
import subprocess
import time

from guest import GuestError

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SIZES = {"1 MB": 1 << 20, "100 MB": 100 << 20}
QUICK_SIZES = {"1 MB": 1 << 20, "6 MB": 6 << 20}
RUNS = {"1 MB": 31, "100 MB": 11, "6 MB": 11}
QUICK_RUNS = 2
STEPS = ("pack", "verify", "extract")
FILES = 3  # one archive per architecture


def level():
    with open(os.path.join(ROOT, "nip", "lib", "zstd.c")) as f:
        return re.search(r"COMPRESSION_LEVEL = (\d+)", f.read()).group(1)


def run(command, folder):
    """Wall and processor seconds of a shell command."""
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(["bash", "-c", "set -o pipefail; " + command], cwd=folder, capture_output=True, text=True, timeout=600)
    wall, after = time.perf_counter() - start, os.times()
    if done.returncode:
        raise GuestError(f"{command}: exit {done.returncode}: {done.stderr[-500:]}")
    return wall, after.children_user + after.children_system - before.children_user - before.children_system


def program_bytes(size):
    """Bytes of programs and libraries of this machine: what packages are made of."""
    out = bytearray()
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/llvm-19/lib", "/usr/lib/llvm-19/bin", "/usr/bin"):
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path) and len(out) < size:
                with open(path, "rb") as f:
                    out += f.read(size - len(out))
    if len(out) < size:
        raise GuestError("this machine has too few programs to make a package of that size")
    return bytes(out)


def prepare(work, size):
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work + "/files")
    data = program_bytes(size)
    for i in range(FILES):
        with open(f"{work}/files/lib-{i}.a", "wb") as f:
            f.write(data[i * size // FILES:(i + 1) * size // FILES])
    subprocess.run(["minisign", "-GW", "-p", "key.pub", "-s", "key.sec"], cwd=work, check=True, capture_output=True)


def measure(work, quick):
    program = os.path.join(work, "package-bench")
    library = os.path.join(ROOT, "build", "host", "nip", "libnip.a")
    subprocess.run(["gcc", "-std=c17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{ROOT}/nip/include",
                    f"-I{ROOT}/abi/include", os.path.join(HERE, "package", "main.c"), library, "-lsodium", "-lzstd", "-ljansson",
                    "-lpthread", "-o", program], check=True)
    zstd, result = level(), {}
    steps = {
        "pack": (f"{program} pack files key.sec ours.npl",
                 f"tar -cf - files | zstd -{zstd} -q -f -o x.tar.zst && minisign -S -s key.sec -m x.tar.zst"),
        "verify": (f"{program} verify ours.npl key.pub",
                   "minisign -Vm x.tar.zst -p key.pub && zstd -dcq x.tar.zst | tar -xO -f - >/dev/null"),
        "extract": (f"rm -rf a && {program} extract ours.npl key.pub a",
                    "rm -rf b && mkdir b && minisign -Vm x.tar.zst -p key.pub && zstd -dcq x.tar.zst | tar -xf - -C b && sync b/files/*"),
    }
    for name, size in (QUICK_SIZES if quick else SIZES).items():
        folder = os.path.join(work, "package")
        prepare(folder, size)
        runs = QUICK_RUNS if quick else RUNS[name]
        result[name] = {"runs": runs, "bytes": size, "zstd_level": int(zstd)}
        for step, commands in steps.items():
            samples = ([], [])
            for _ in range(runs):
                for side in (0, 1):
                    samples[side].append(run(commands[side], folder))
            row = result[name][step] = {}
            for side, who in ((0, "nip"), (1, "tools")):
                wall, cpu = [w * 1e3 for w, _ in samples[side]], [c * 1e3 for _, c in samples[side]]
                row[who] = {"median_ms": round(statistics.median(wall), 1), "minimum_ms": round(min(wall), 1),
                            "maximum_ms": round(max(wall), 1), "processor_ms": round(statistics.median(cpu), 1)}
            for which in ("median", "minimum"):
                row["ratio_" + which] = round(row["nip"][which + "_ms"] / row["tools"][which + "_ms"], 2)
        shutil.rmtree(folder)
    return result
