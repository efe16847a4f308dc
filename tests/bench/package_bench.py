# SPDX-License-Identifier: Apache-2.0
"""A package's steps beside tar, zstd and minisign on the same bytes: package/main.c, built here with gcc -O2.

    pack      package-bench pack           tar | zstd -9 > x; minisign -S          (read, archive, compress, sign)
    verify    package-bench verify         minisign -V; zstd -dc x | tar -xO       (signature, every byte decoded)
    extract   package-bench extract        minisign -V; zstd -dc x | tar -x; sync FILES

package-bench does more: it also hashes every file (b2sum -l 256) and compares with the signed list, and what it has packed is on
the disk. zstd's level is the one that nip uses; it runs as it does by default and (`threads`) with -T0. minisign's key has
no password and its signatures are prehashed, its default.

    raw       package-bench raw-pack and raw-verify: one process that hashes each byte once and calls zstd, in memory; what no
              tool with these two functions can do without
    hash      package-bench hash           BLAKE2b-256 of one file by nip's code and by libsodium's, processor time, minimum of some

All run as processes of their own, in turn, again and again: a disturbance meets all. A shell that has been started already takes
the time around each, so its own start is not counted; nothing of an earlier run is still on its way to the disk.
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
    """Wall and processor seconds of a shell command, without those of the shell."""
    for name in ("a", "b"):
        shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
    os.mkdir(os.path.join(folder, "b"))
    os.sync()
    script = f"set -o pipefail; a=$EPOCHREALTIME; {{ {command}; }} >/dev/null; s=$?; echo $a $EPOCHREALTIME; times; exit $s"
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=600, env=os.environ | {"LC_ALL": "C"})
    if done.returncode:
        raise GuestError(f"{command}: exit {done.returncode}: {done.stderr[-500:]}")
    first, _, children = done.stdout.strip().split("\n")
    begin, end = map(float, first.split())
    return end - begin, sum(int(m) * 60 + float(s) for m, s in re.findall(r"(\d+)m([\d.]+)s", children))


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
    tar = "tar -cf - files | zstd -{} -q -f -o x.tar.zst && minisign -S -s key.sec -m x.tar.zst"
    check = "minisign -Vm x.tar.zst -p key.pub && zstd -dcq x.tar.zst | tar "
    steps = {
        "pack": {"nip": f"{program} pack files key.sec ours.npl", "tools": tar.format(zstd), "threads": tar.format(zstd + " -T0"),
                 "raw": f"{program} raw-pack files {zstd}"},
        "verify": {"nip": f"{program} verify ours.npl key.pub", "tools": check + "-xO -f -", "raw": f"{program} raw-verify ours.npl"},
        "extract": {"nip": f"{program} extract ours.npl key.pub a", "tools": check + "-xf - -C b && sync b/files/*"},
    }
    for name, size in (QUICK_SIZES if quick else SIZES).items():
        folder = os.path.join(work, "package")
        prepare(folder, size)
        runs = QUICK_RUNS if quick else RUNS[name]
        result[name] = {"runs": runs, "bytes": size, "zstd_level": int(zstd)}
        done = subprocess.run([program, "hash", folder + "/files/lib-0.a"], capture_output=True, text=True, check=True)
        own, theirs = map(float, done.stdout.split())
        result[name]["hash"] = {"nip_ms": own, "libsodium_ms": theirs, "ratio": round(own / theirs, 2)}
        for step, commands in steps.items():
            samples = {who: [] for who in commands}
            for _ in range(runs):
                for who, command in commands.items():
                    samples[who].append(run(command, folder))
            row = result[name][step] = {}
            for who, taken in samples.items():
                wall = [w * 1e3 for w, _ in taken]
                row[who] = {"median_ms": round(statistics.median(wall), 1), "minimum_ms": round(min(wall), 1),
                            "maximum_ms": round(max(wall), 1), "processor_ms": round(statistics.median(c for _, c in taken) * 1e3, 1)}
            for which in ("median", "minimum"):
                row["ratio_" + which] = round(row["nip"][which + "_ms"] / row["tools"][which + "_ms"], 2)
            for other in set(commands) - {"nip", "tools"}:
                row["ratio_" + other] = round(row["nip"]["median_ms"] / row[other]["median_ms"], 2)
            if "raw" in commands:
                row["ratio_raw_processor"] = round(row["nip"]["processor_ms"] / row["raw"]["processor_ms"], 2)
        shutil.rmtree(folder)
    return result
