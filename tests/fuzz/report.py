#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""script/fuzz-report: what fuzzing reaches, parser by parser.

    fuzz-report [--seconds N] [--replay] [--doc FILE] [TARGET...]

Fuzzes each target as CI does (or for N seconds), then plays everything that it has found through a
build that counts lines and branches, and prints one row for each parser of foreign bytes: its targets,
their executions, and the lines and branches of its sources that were reached.

    --seconds N   fuzz each target so long instead of for CI's number of executions
    --replay      fuzz nothing, count what earlier runs have found
    --doc FILE    also write the table into FILE, between its two marks
    --check       only: does the list name every target, and every source that it names exist?
Exit status: 0; 1 a target found something, or the list is wrong; 3 a build failed.
"""
import argparse
import datetime
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from parsers import PARSERS  # noqa: E402

FUZZ, COUNT = (os.path.join(ROOT, "build", name, "tests", "fuzz") for name in ("fuzz", "coverage"))
BEGIN, END = "<!-- figures: begin -->\n", "<!-- figures: end -->\n"
RESULT = re.compile(r"(\d+) seeds, .*; (\d+) executions, coverage (\d+) of (\d+) edges")


def targets_of_build():
    with open(os.path.join(ROOT, "tests/fuzz/CMakeLists.txt")) as f:
        return re.search(r"set\(RUMPK_FUZZ_NAMES ([^)]*)\)", f.read()).group(1).split()


def check():
    """What is wrong with the list, in words."""
    built, listed = targets_of_build(), {name for entry in PARSERS for name in entry.targets}
    wrong = [f"the target {name} is in no entry of parsers.py" for name in built if name not in listed]
    wrong += [f"parsers.py names the target {name}, which tests/fuzz/CMakeLists.txt does not" for name in sorted(listed - set(built))]
    return wrong + [f"parsers.py: {entry.what}: no file {source}" for entry in PARSERS for source in entry.sources
                    if not os.path.isfile(os.path.join(ROOT, source))]


def build(names):
    environment = dict(os.environ, LLVM_PROFILE_FILE="/dev/null")  # the programs that make the corpus count too
    for preset in ("fuzz", "coverage"):
        targets = [word for name in names for word in ("--target", "fuzz_" + name)]
        for command in (["cmake", "--preset", preset], ["cmake", "--build", "--preset", preset, "-j2", *targets]):
            done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode:
                print(done.stdout[-3000:], file=sys.stderr)
                sys.exit(3)


def fuzz(name, seconds):
    """Executions and edges of one run, as run.py says them."""
    environment = dict(os.environ)
    if seconds:
        environment["RUMPK_FUZZ_SECONDS"] = str(seconds)
    done = subprocess.run([sys.executable, os.path.join(ROOT, "tests/fuzz/run.py"), FUZZ, name], env=environment,
                          stdout=subprocess.PIPE, text=True)
    found = RESULT.search(done.stdout)
    if done.returncode or not found:
        print(done.stdout)
        sys.exit(1)
    return {"executions": int(found.group(2)), "edges": int(found.group(3)), "edges_all": int(found.group(4))}


def replay(name):
    """Plays seeds and finds through the counting build; the name of the profile."""
    folders = [folder for folder in (os.path.join(FUZZ, "work", name), os.path.join(FUZZ, "corpus", name)) if os.path.isdir(folder)]
    raw, profile = (os.path.join(COUNT, name + suffix) for suffix in (".profraw", ".profdata"))
    subprocess.run([os.path.join(COUNT, "fuzz_" + name), "-runs=0", *folders], env=dict(os.environ, LLVM_PROFILE_FILE=raw),
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run(["llvm-profdata-19", "merge", "-sparse", raw, "-o", profile], check=True)
    os.remove(raw)
    return profile


def covered(entry):
    """Lines and branches of the entry's sources that its targets reached together."""
    merged = os.path.join(COUNT, "merged.profdata")
    subprocess.run(["llvm-profdata-19", "merge", "-sparse", "-o", merged] + [os.path.join(COUNT, f"{t}.profdata") for t in entry.targets],
                   check=True)
    programs = [os.path.join(COUNT, "fuzz_" + t) for t in entry.targets]
    command = ["llvm-cov-19", "export", "-summary-only", "-instr-profile=" + merged, programs[0]]
    command += [word for other in programs[1:] for word in ("-object", other)]
    command += [os.path.join(ROOT, source) for source in entry.sources]
    files = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)["data"][0]["files"]
    if len(files) != len(entry.sources):
        sys.exit(f"{entry.what}: {', '.join(entry.targets)} link only {[file['filename'] for file in files]}")
    return {kind: (sum(file["summary"][kind]["covered"] for file in files), sum(file["summary"][kind]["count"] for file in files))
            for kind in ("lines", "branches")}


def share(pair):
    return f"{100 * pair[0] / max(pair[1], 1):.1f} %"


def table(runs, entries):
    lines = ["| parser | its bytes come from | targets | lines | branches |", "|---|---|---|---:|---:|"]
    total = {"lines": [0, 0], "branches": [0, 0]}
    for entry in entries:
        found = covered(entry)
        for kind, pair in found.items():
            total[kind] = [total[kind][0] + pair[0], total[kind][1] + pair[1]]
        lines.append(f"| {entry.what} | {entry.origin} | {', '.join(f'`{t}`' for t in entry.targets)} | "
                     f"{share(found['lines'])} of {found['lines'][1]} | {share(found['branches'])} of {found['branches'][1]} |")
    lines.append(f"| **all** | | | {share(total['lines'])} of {total['lines'][1]} | {share(total['branches'])} of {total['branches'][1]} |")
    if runs:
        lines += ["", "| target | executions | edges reached, of those in the program |", "|---|---:|---:|"]
        lines += [f"| `{name}` | {run['executions']:,} | {run['edges']:,} of {run['edges_all']:,} |" for name, run in runs.items()]
        lines.append(f"| **all** | {sum(run['executions'] for run in runs.values()):,} | |")
    return lines


def write_doc(path, lines):
    with open(path) as f:
        text = f.read()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.strip()
    when = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    head = f"Taken {when} at `{commit}` with `{' '.join(['script/fuzz-report', *sys.argv[1:]])}`.\n\n"
    with open(path, "w") as f:
        f.write(text[:text.index(BEGIN) + len(BEGIN)] + head + "\n".join(lines) + "\n" + text[text.index(END):])


def main():
    parser = argparse.ArgumentParser(prog="fuzz-report", description=__doc__.split("\n")[0],
                                     epilog="More in docs/fuzzing.md.")
    parser.add_argument("--seconds", type=int, default=0, help="fuzz each target so long instead of as CI does")
    parser.add_argument("--replay", action="store_true", help="fuzz nothing, count what earlier runs have found")
    parser.add_argument("--doc", metavar="FILE", help="also write the table into FILE, between its two marks")
    parser.add_argument("--check", action="store_true", help="only check the list of parsers")
    parser.add_argument("target", nargs="*")
    args = parser.parse_args()
    wrong = check()
    if args.check or wrong:
        print("\n".join(wrong) or f"{len(PARSERS)} parsers, {len(targets_of_build())} targets: each has its other half")
        return 1 if wrong else 0
    unknown = [name for name in args.target if name not in targets_of_build()]
    if unknown:
        print(f"fuzz-report: no target {', '.join(unknown)}; there are: {' '.join(targets_of_build())}", file=sys.stderr)
        return 2
    names = [name for name in targets_of_build() if not args.target or name in args.target]
    build(names)
    runs = {}
    for name in names:
        if not args.replay:
            runs[name] = fuzz(name, args.seconds)
        replay(name)
    lines = table(runs, [entry for entry in PARSERS if all(target in names for target in entry.targets)])
    print("\n".join(lines))
    if args.doc:
        write_doc(args.doc, lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
