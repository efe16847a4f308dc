#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Spin visits every state of handshake.pml: the ring as it is, then with one piece taken away. handshake.py [SPIN]

Goal: as it is no wake-up is lost and no message read too early; without any one of the fences, looks and orders that
ring.c has, for each end that they concern, the model must find what goes wrong, which shows that it can.
Method: spin makes a program of the model, gcc compiles it, its report is read. A search that is not complete is an error.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MODEL = "handshake.pml"
DEPTH = 100000  # steps of one path; the longest has a few hundred
HANG_LIMIT = 600
WAY_SHOWN = 8000  # characters, from the end, of how it came to what nobody expected

LOST, EARLY = "invalid end state", "assertion violated"
ENDS = (("producer", 1), ("consumer", 2))
# (what is taken away, its name in the model, what must be found)
PIECES = (
    ("the full fence of publish", "NO_PUBLISH_FENCE", LOST),
    ("the full fence of announce", "NO_ANNOUNCE_FENCE", LOST),
    ("publish storing before it reads `waiting`", "READ_BEFORE_STORE", LOST),
    ("announcing before looking", "LOOK_BEFORE_ANNOUNCE", LOST),
    ("recv's own look", "BLIND_RECV", LOST),
)


def run(folder, *words):
    done = subprocess.run(words, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=HANG_LIMIT)
    if done.returncode:
        sys.exit(f"handshake: {' '.join(words)}: status {done.returncode}\n{done.stdout}")
    return done.stdout


def search(folder, spin, defines):
    """(what is wrong or None, number of states, how it came to that)"""
    run(folder, spin, "-a", *defines, MODEL)
    run(folder, "gcc", "-w", "-DSAFETY", "-o", "pan", "pan.c")
    report = run(folder, "./pan", f"-m{DEPTH}", "-w18")
    states = re.search(r"^ *(\d+) states, stored", report, re.M)
    errors = re.search(r"errors: (\d+)", report)
    if not states or not errors or "max search depth" in report:
        sys.exit(f"handshake: the search is not complete:\n{report}")
    if errors[1] == "0":
        if "Search not completed" in report:
            sys.exit(f"handshake: the search is not complete:\n{report}")
        return None, int(states[1]), ""
    found = re.search(r"^pan:1: ([a-z ]+) \(", report, re.M)
    way = run(folder, spin, "-t", "-p", *defines, MODEL)
    return found[1] if found else report, int(states[1]), way[-WAY_SHOWN:]


def main():
    spin = sys.argv[1] if len(sys.argv) > 1 else "spin"
    if not shutil.which(spin):
        sys.exit(f"handshake: no {spin} here; script/setup installs the package (toolchain/packages)")
    tries = [("as it is", (), None), ("without the release of the head", ("-DNO_RELEASE=1",), EARLY)]
    tries += [(f"{end} without {what}", (f"-D{name}={bit}",), wanted) for what, name, wanted in PIECES for end, bit in ENDS]
    failed = False
    with tempfile.TemporaryDirectory(prefix="rumpk-spin-") as folder:
        shutil.copy(os.path.join(HERE, MODEL), folder)  # the report of a path lies beside the model
        for what, defines, wanted in tries:
            found, states, way = search(folder, spin, defines)
            failed |= found != wanted
            print(f"{'ok' if found == wanted else 'FAILED'}: {what}: {states} states, {found or 'nothing wrong'}", flush=True)
            if found != wanted and way:
                print(way)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
