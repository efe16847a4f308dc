# SPDX-License-Identifier: Apache-2.0
"""Choosing versions (nip/lib/mvs.c) on random graphs: nip/resolve.c, built here with gcc -O2."""
import os
import statistics
import subprocess

from guest import GuestError

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
NAMES, REQUIREMENTS, RUNS = 10000, 8, 11
QUICK_NAMES, QUICK_RUNS = 1000, 3


def build(work):
    program = os.path.join(work, "resolve-bench")
    unit = os.path.join(ROOT, "tests", "unit", "nip")
    parts = [os.path.join(ROOT, "nip", "lib", name + ".c") for name in ("mvs", "mvs_words", "name", "buffer", "error", "escape")]
    subprocess.run(["gcc", "-std=c17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{ROOT}/nip/include",
                    f"-I{ROOT}/nip/lib", f"-I{ROOT}/abi/include", f"-I{unit}", os.path.join(HERE, "nip", "resolve.c"),
                    os.path.join(unit, "mvs_graph.c"), *parts, "-o", program], check=True)
    return program


def measure(work, quick):
    names, runs = (QUICK_NAMES, QUICK_RUNS) if quick else (NAMES, RUNS)
    done = subprocess.run([build(work), str(names), str(REQUIREMENTS), str(runs)], text=True, capture_output=True, timeout=600)
    if done.returncode:
        raise GuestError(f"resolve-bench: exit {done.returncode}: {done.stderr.strip()}")
    lines = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
    total = [(line[0] + line[1]) / 1e6 for line in lines]
    return {"names": names, "versions": lines[0][2], "requirements_each": REQUIREMENTS, "runs": runs,
            "chosen": round(statistics.median(line[3] for line in lines)), "median_ms": round(statistics.median(total), 2),
            "minimum_ms": round(min(total), 2), "maximum_ms": round(max(total), 2)}
