#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one fuzz target: first its corpus, then new inputs, from a fixed seed.

    run.py FOLDER NAME

Prints executions and coverage (edges reached of those instrumented). RUMPK_TEST_LONG=1 runs for ten
minutes instead of a fixed, small number of inputs, RUMPK_FUZZ_SECONDS=N for N seconds. A crash leaves its input in FOLDER/crash-NAME and
prints how to play it again.
"""
import os
import re
import subprocess
import sys

RUNS = 100000     # inputs in CI
SECONDS_MAX = 12  # and no longer than this, on a slow machine
SECONDS_LONG = 600
DICTIONARIES = {name: "words.dict" for name in ("manifest", "project")}


def main():
    folder, name = sys.argv[1], sys.argv[2]
    program, corpus = os.path.join(folder, "fuzz_" + name), os.path.join(folder, "corpus", name)
    if not os.path.exists(program):
        print(f"{program} is not built: cmake --preset fuzz && cmake --build --preset fuzz")
        return 1
    seeds = sorted(os.listdir(corpus)) if os.path.isdir(corpus) else []
    if not seeds:
        print(f"{name}: no corpus in {corpus}")
        return 1
    crash = os.path.join(folder, f"crash-{name}")
    environment = dict(os.environ, RUMPK_FUZZ_COUNT="1", ASAN_OPTIONS="allocator_may_return_null=1")
    played = subprocess.run([program, f"-exact_artifact_path={crash}"] + [os.path.join(corpus, s) for s in seeds],
                            env=environment, capture_output=True, text=True, errors="replace", timeout=600)
    accepted = re.search(r"accepted (\d+)", played.stderr)
    if played.returncode or not accepted:
        print(played.stderr[-4000:])
        print(f"{name}: the corpus " + ("crashed the target" if played.returncode else "holds no input that is accepted"))
        return 1
    work = os.path.join(folder, "work", name)
    os.makedirs(work, exist_ok=True)
    seconds = int(os.environ.get("RUMPK_FUZZ_SECONDS") or (SECONDS_LONG if os.environ.get("RUMPK_TEST_LONG") else 0))
    limit = [f"-max_total_time={seconds}"] if seconds else [f"-runs={RUNS}", f"-max_total_time={SECONDS_MAX}"]
    dictionary = DICTIONARIES.get(name)
    if dictionary:
        limit.append("-dict=" + os.path.join(os.path.dirname(os.path.abspath(__file__)), "dictionaries", dictionary))
    run = subprocess.run([program, "-seed=1", "-print_final_stats=1", "-timeout=25", "-rss_limit_mb=2048",
                          f"-exact_artifact_path={crash}", *limit, work, corpus],
                         capture_output=True, text=True, errors="replace", timeout=seconds + 600)
    if run.returncode:
        print(run.stderr[-6000:])
        print(f"{name}: found something; play it again with: {program} {crash}")
        return 1
    executed = re.search(r"number_of_executed_units: (\d+)", run.stderr)
    edges = re.findall(r"cov: (\d+) ft: (\d+)", run.stderr)
    total = re.search(r"\((\d+) inline 8-bit counters\)|Loaded 1 PC tables \((\d+) PCs\)", run.stderr)
    count = next((g for g in total.groups() if g), "?") if total else "?"
    print(f"{name}: {len(seeds)} seeds, {accepted.group(1)} accepted; {executed.group(1) if executed else '?'} executions, "
          f"coverage {edges[-1][0] if edges else '?'} of {count} edges")
    return 0


if __name__ == "__main__":
    sys.exit(main())
