#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the refusal matrix, one column per machine, from the results of run_cases.py and refusals.py.

    matrix.py FOLDER MACHINE...

A machine is an architecture, or ARCH-MACHINE for another than the usual one.

A cell that is missing or wrong is a failure; "-" stands only where cases.py gives a reason.
"""
import json
import os
import sys


def main():
    folder, arches = sys.argv[1], sys.argv[2:]
    tables = {}
    for arch in arches:
        tables[arch] = {}
        for name in (arch + ".json", arch + "-refusals.json"):
            path = os.path.join(folder, name)
            if os.path.exists(path):
                with open(path) as f:
                    tables[arch].update(json.load(f))
            else:
                print(f"missing: {path}")
                tables[arch][name] = {"text": "MISSING", "good": False}
    names = []
    for arch in arches:
        names += [n for n in tables[arch] if n not in names]
    width = max(len(n) for n in names)
    print(f"{'case':{width}}  " + "  ".join(f"{a:18}" for a in arches))
    bad, why = 0, {}
    for name in names:
        cells = []
        for arch in arches:
            cell = tables[arch].get(name, {"text": "MISSING", "good": False})
            bad += not cell["good"]
            if cell["text"] == "-":
                why[name] = cell.get("why")
                bad += not cell.get("why")
            cells.append(f"{cell['text'] + ('' if cell['good'] else ' !'):18}")
        print(f"{name:{width}}  " + "  ".join(cells))
    for name, reason in why.items():
        print(f"-: {name}: {reason}")
    print(f"{len(names)} cases on {len(arches)} machines, {bad} bad cells")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
