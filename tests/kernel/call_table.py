#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table of calls: each result code and fault of each call, and where a driver saw it.

    call_table.py FOLDER DOC MACHINE...

A row is a line for the probe (probe/script.c) whose last result is the code, or the name of a case of cases.py
in which the code is checked, or the reason why no driver can see it here. Printed from the results of
run_cases.py; the list in DOC (docs/abi.md) must name the same codes and faults for each call.
"""
import json
import os
import re
import sys

CODES = {}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../abi/include/rumpk/result.h")) as header:
    CODES = {name: int(value) for name, value in re.findall(r"X\((OK|E_\w+), (-?\d+),", header.read())}


class Row:
    def __init__(self, call, code, script=None, case=None, why=None, pair=None, worker=False):
        self.call, self.code, self.script, self.case, self.why = call, code, script, case, why
        self.pair = pair  # what the server of this client does meanwhile
        self.worker = worker  # a package that is not started at boot goes with it
        self.name = case or f"call {call} {code}"


POINTERS = {"meta": "meta pointer null", "wait": "wait pointer null", "checkpoint": "checkpoint pointer null"}
RESTART = "no end of a ring is restarted in this release"
LIAR = "the emulator's devices keep the protocol"
BEFORE = "tables are made before the driver starts"

ROWS = [
    Row("spawn", "OK", "spawn package", worker=True),
    Row("spawn", "E_SLOT", "spawn 63"),
    Row("spawn", "E_STALE", case="take stale"),
    Row("spawn", "E_TYPE", "spawn memory"),
    Row("spawn", "E_ARGUMENT", "spawn package; spawn package 1", worker=True),
    Row("spawn", "E_RIGHTS", "spawn package; mask package 0 0; spawn package", worker=True),
    Row("spawn", "E_STATE", "spawn package; spawn package", worker=True),
    Row("spawn", "E_PLEDGE", "pledge 0; spawn 0"),

    Row("send", "OK", "send ring"),
    Row("send", "E_SLOT", "send 63"),
    Row("send", "E_STALE", case="take stale"),
    Row("send", "E_TYPE", "send memory"),
    Row("send", "E_ARGUMENT", "send ring 0 1"),
    Row("send", "E_RIGHTS", "mask ring 0 0; send ring"),
    Row("send", "E_PEER", "~send ring", pair="recv ring 0 0 1"),
    Row("send", "E_PLEDGE", "pledge 0; send ring"),
    Row("send", "E_BOUNDS", case="queue arguments"),
    Row("send", "E_FULL", case="queue arguments"),
    Row("send", "E_STATE", case="queue arguments"),
    Row("send", "E_DEVICE", why=LIAR),
    Row("send", "POINTER", case="send pointer"),

    Row("recv", "OK", "recv ring 0 0 0"),
    Row("recv", "E_SLOT", "recv 63"),
    Row("recv", "E_STALE", case="take ring"),
    Row("recv", "E_TYPE", "recv memory"),
    Row("recv", "E_ARGUMENT", "recv ring 0 1 0"),
    Row("recv", "E_RIGHTS", "mask ring 0 0; recv ring 0 0 0"),
    Row("recv", "E_TIMEOUT", case="recv that times out"),
    Row("recv", "E_PEER", "~recv ring 0 0 0", pair="wait 0 0 1"),
    Row("recv", "E_PLEDGE", "pledge 0; recv ring 0 0 0"),
    Row("recv", "E_STATE", case="take queue"),
    Row("recv", "E_DEVICE", why=LIAR),
    Row("recv", "E_EPOCH", why=RESTART),
    Row("recv", "POINTER", case="recv pointer"),

    Row("map", "OK", "map memory"),
    Row("map", "E_SLOT", "map 63"),
    Row("map", "E_STALE", case="take stale"),
    Row("map", "E_TYPE", case="map of a queue"),
    Row("map", "E_ARGUMENT", "map memory 1"),
    Row("map", "E_RIGHTS", "mask memory 0 0; map memory"),
    Row("map", "E_PLEDGE", "pledge 0; map memory"),
    Row("map", "E_SHARED_PAGE", why="no first-party window shares its page here; device_shares_page decides"),
    Row("map", "E_LIMIT", why="no package may hold more than 8 port ranges"),

    Row("mask", "OK", "mask memory 0 -1"),
    Row("mask", "E_SLOT", "mask 63"),
    Row("mask", "E_STALE", case="take stale"),
    Row("mask", "E_TYPE", "mask memory 1 0"),
    Row("mask", "E_ARGUMENT", "mask memory 99"),
    Row("mask", "E_RIGHTS", case="mask of a device without the right"),
    Row("mask", "E_STATE", case="lend device"),
    Row("mask", "E_PLEDGE", "pledge 0; mask memory 1 0"),
    Row("mask", "E_DEVICE", why=LIAR),

    Row("tick", "OK", "tick 0"),
    Row("tick", "E_ARGUMENT", "tick 99"),

    Row("grant", "OK", case="give access"),
    Row("grant", "E_SLOT", "grant 63 ring 1"),
    Row("grant", "E_STALE", case="take stale"),
    Row("grant", "E_TYPE", "grant memory memory 1"),
    Row("grant", "E_ARGUMENT", "grant memory ring 0"),
    Row("grant", "E_RIGHTS", "grant memory ring 4"),
    Row("grant", "E_STATE", "grant ring ring 2; grant ring ring 2"),
    Row("grant", "E_BOUNDS", "grant memory ring 1 0x2000"),
    Row("grant", "E_PEER", case="give codes"),
    Row("grant", "E_LIMIT", case="give codes"),
    Row("grant", "E_MEMORY", why="needs a machine whose pool of page tables is used up"),
    Row("grant", "E_PLEDGE", "pledge 0; grant memory ring 1"),

    Row("revoke", "OK", "revoke memory"),
    Row("revoke", "E_SLOT", "revoke 63"),
    Row("revoke", "E_STALE", case="take stale"),
    Row("revoke", "E_ARGUMENT", "revoke memory 2"),

    Row("pledge", "OK", "pledge 0"),

    Row("wait", "OK", "wait 0 0 0"),
    Row("wait", "E_TIMEOUT", "wait 0 0 1"),
    Row("wait", "E_SLOT", "wait list:63 1 0"),
    Row("wait", "E_STALE", case="take stale"),
    Row("wait", "E_TYPE", "wait list:memory 1 0"),
    Row("wait", "E_ARGUMENT", "wait own 65 0"),
    Row("wait", "E_STATE", case="lend device"),
    Row("wait", "E_RIGHTS", "mask ring 0 0; wait list:ring 1 0"),
    Row("wait", "POINTER", case=POINTERS["wait"]),

    Row("checkpoint", "OK", "checkpoint own 8192"),
    Row("checkpoint", "E_ARGUMENT", "checkpoint own 32769"),
    Row("checkpoint", "E_MEMORY", why="this machine has memory left"),
    Row("checkpoint", "E_PLEDGE", "pledge 0; checkpoint own 1"),
    Row("checkpoint", "POINTER", case=POINTERS["checkpoint"]),

    Row("exit", "OK", case="exit code"),

    Row("meta", "OK", "meta 3 own 32"),
    Row("meta", "E_ARGUMENT", "meta 99"),
    Row("meta", "E_SLOT", "meta 4 own 32 63"),
    Row("meta", "E_STALE", why="a stale ring is what meta(RING) would need: see take ring"),
    Row("meta", "E_TYPE", "meta 6 own 48 memory"),
    Row("meta", "E_RIGHTS", "meta 7 own 296"),
    Row("meta", "E_BOUNDS", "meta 8 own 256 -1"),
    Row("meta", "POINTER", case=POINTERS["meta"]),

    Row("any", "E_UNSUPPORTED", why="this kernel offers every call"),
    Row("any", "TRAP", case="trap outside the gate"),
    Row("any", "CALL", case="gate with a wrong number"),
    Row("any", "KERNEL", case="kernel fault: null write"),
]


def documented(path):
    """{call: {codes and faults}} as the document lists them: lines "| `call` | ... | codes | faults |"."""
    found = {}
    with open(path) as f:
        for line in f:
            cells = [c.strip() for c in line.split("|")]
            if len(cells) >= 6 and re.fullmatch(r"`\w+`|any", cells[1]):
                found[cells[1].strip("`")] = set(re.findall(r"\b(?:OK|E_\w+)\b", cells[3])) | set(
                    re.findall(r"\b[A-Z]{4,}\b", cells[4]))
    return found


def main():
    folder, doc, arches = sys.argv[1], sys.argv[2], sys.argv[3:]
    seen = {}
    for arch in arches:
        with open(os.path.join(folder, arch + ".json")) as f:
            seen[arch] = json.load(f)
    bad, last = 0, None
    print(f"{'call':11} {'code':14} " + " ".join(f"{a:17}" for a in arches) + " by")
    for row in ROWS:
        cells = []
        for arch in arches:
            cell = seen[arch].get(row.name)
            good = row.why is not None or cell is not None and cell["good"]
            bad += not good
            cells.append("-" if row.why else "seen" if good else "MISSING")
        print(f"{row.call if row.call != last else '':11} {row.code:14} " + " ".join(f"{c:17}" for c in cells) +
              f" {row.why or row.script or row.name}")
        last = row.call
    listed = documented(doc)
    for call in dict.fromkeys(row.call for row in ROWS):
        mine = {row.code for row in ROWS if row.call == call}
        if listed.get(call) != mine:
            bad += 1
            print(f"{doc}: `{call}`: listed {sorted(listed.get(call, []))}, tested {sorted(mine)}")
    print(f"{len(ROWS)} rows on {len(arches)} machines, {bad} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
