# SPDX-License-Identifier: Apache-2.0
"""The ION ring on this machine beside other rings: host/*.c, built here with the SDK's host library."""
import glob
import os
import statistics
import subprocess

from guest import GuestError

HERE = os.path.dirname(os.path.abspath(__file__))
WHAT = {
    "textbook": "one head, one tail in one cache line, all accesses sequentially consistent",
    "cached-index": "indices in lines of their own, the peer's cached, acquire and release, no sleep",
    "ion": "libnpl's ring, each message published by itself, room for a sleeping peer",
    "ion-batch-16": "libnpl's ring, published every 16 messages",
}
RUNS, MESSAGES, ROUND_TRIPS = 21, 10000, 1000
QUICK_RUNS, QUICK_MESSAGES, QUICK_ROUND_TRIPS = 3, 2000, 200


def build(sdk, work):
    program = os.path.join(work, "ring-bench")
    host = os.path.join(sdk, "share", "rumpk", "host")
    sources = sorted(glob.glob(os.path.join(HERE, "host", "*.c")))
    subprocess.run(["gcc", "-std=c17", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-DNPL_HOST",
                    f"-I{host}/include", *sources, f"{host}/lib/libnpl-host.a", "-lpthread", "-o", program], check=True)
    return program


def measure(sdk, work, quick):
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        return {"absent": "two processors are needed", "processors": len(cpus)}
    runs, messages, trips = (QUICK_RUNS, QUICK_MESSAGES, QUICK_ROUND_TRIPS) if quick else (RUNS, MESSAGES, ROUND_TRIPS)
    words = [build(sdk, work), *map(str, (cpus[0], cpus[1], runs, messages, trips))]
    done = subprocess.run(words, text=True, capture_output=True, timeout=1800)
    if done.returncode:
        raise GuestError(f"ring-bench: exit {done.returncode}: {done.stderr.strip()}")
    samples, repeated = {}, 0
    for line in done.stdout.splitlines():
        work_name, kind, nanoseconds, tries = line.split()
        samples.setdefault(work_name, {}).setdefault(kind, []).append(float(nanoseconds))
        repeated += int(tries)
    result = {"runs": runs, "messages": messages, "round_trips": trips, "processors": cpus[:2], "repeated": repeated}
    for work_name, kinds in samples.items():
        rows = result[work_name] = {}
        for kind, values in kinds.items():
            rows[kind] = {"median_ns": round(statistics.median(values), 2), "minimum_ns": round(min(values), 2)}
        if "ion" in rows:
            for kind, row in rows.items():
                row["what"] = WHAT[kind]
                for which in ("median", "minimum"):
                    base = rows["cached-index"][which + "_ns"]
                    row[f"ratio_{which}_to_cached_index"] = round(row[which + "_ns"] / base, 2)
    return result
