# SPDX-License-Identifier: Apache-2.0
"""script/bench: sizes, figures from inside guests, and rings on this machine, in one run.

    script/bench [--sizes] [--quick] [--arch ARCH] [--json FILE] [--svg FOLDER] [NAME...]

Without names everything is measured. A NAME is `sizes`, `boot`, `latency`, `host`, `resolve`, `package` or one of
the guest's acts (--list).
  --sizes        only sizes: nothing is booted, nothing is timed
  --quick        short runs: shows that everything works; the figures are coarse
  --arch ARCH    riscv64, aarch64, x86_64 or all (default)
  --runs N       wall-time runs of each guest (default 5; the counted run is exact and made once)
  --json FILE    writes every figure with its method and this machine's description
  --svg FOLDER   writes the pictures
  --doc FILE     replaces the part of FILE between the marks "figures" (docs/performance.md)
  --list         the names
How each figure is taken: docs/performance.md. Ratios and instruction counts are the result; wall time under an
emulator is a sanity check. Exit status: 0 done; 1 a measurement failed; 2 wrong use; 3 script/setup has not run.
"""
import argparse
import datetime
import json
import os
import platform
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "kernel"))
import guest_bench  # noqa: E402
import host_bench  # noqa: E402
import latency_bench  # noqa: E402
import package_bench  # noqa: E402
import picture  # noqa: E402
import report  # noqa: E402
import resolve_bench  # noqa: E402
import sizes  # noqa: E402
from guest import ARCHES, SDK, GuestError, read_machine  # noqa: E402

METHOD = {
    "instructions": "emulator with -icount shift=0: one nanosecond of its clock per guest instruction; differences of the "
                    "guest's counter over many rounds, two readings of the counter taken off; verified by a loop of known length",
    "wall": "the same acts without -icount, fewer rounds; median and minimum over wall_runs boots, never a mean",
    "latency": "emulator with -icount: from the deadline of a sleeping Photon fiber to its entry, as the kernel counts it (meta WAKE); percentiles are the ends of their buckets, at most a quarter too high",
    "host": "two pinned threads, all kinds in turn; a run in which the system preempted either is made again; median and minimum",
    "package": "processes of their own, nip's and the tools' in turn, on the same bytes, files in the page cache; wall time of each",
    "resolve": "random graphs, each run another one with its lists shuffled; only selection and the explanation of a conflict are timed",
    "sizes": "symbols and sections of the built kernels, archives of the SDK's registry",
}


def first_line(*command):
    try:
        return subprocess.run(command, text=True, capture_output=True).stdout.split("\n")[0].strip()
    except OSError:
        return ""


def machine():
    model = ""
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"processor": model, "processors": os.cpu_count(), "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
            "load_1_min": round(os.getloadavg()[0], 1), "compiler": first_line("gcc", "--version"),
            "emulator": first_line(read_machine("x86_64")["qemu"][0][0], "--version")}


def stop(message, status):
    print(f"bench: {message}", file=sys.stderr)
    sys.exit(status)


def case_image(build, given):
    if given:
        return given
    tool = os.path.join(build, "host", "tests", "kernel", "case_image")
    if not os.path.exists(tool):
        done = subprocess.run(["cmake", "--build", os.path.join(build, "host"), "--target", "case_image", "-j2"],
                              capture_output=True, text=True)
        if done.returncode:
            stop(f"cannot build case_image; run script/setup first\n{done.stdout[-2000:]}{done.stderr[-2000:]}", 3)
    return tool


def row(name, cells):
    print(f"  {name:<14}" + "".join(f"{cell:>16}" for cell in cells))


def show_sizes(result):
    arches = list(result["kernel"])
    print("sizes, bytes")
    row("", arches)
    for key in ("text", "rodata", "gate_page", "data", "bss"):
        row(key, [result["kernel"][a][key] for a in arches])
    row("loadable", [result["kernel"][a]["loadable"] for a in arches])
    print(f"  {'':14}{'limit':>12} {sizes.LOADABLE_LIMIT}, aim {sizes.LOADABLE_AIM}")
    row("syscall core", [result["kernel"][a]["syscall_core"] for a in arches])
    print(f"  {'':14}{'limit':>12} {sizes.SYSCALL_LIMIT}")
    print(f"  SysTable {result['systable']}")
    for name, package in result["packages"].items():
        elf = ", ".join(f"{arch} {size}" for arch, size in sorted(package["elf"].items()))
        print(f"  {name}: package {package['package']}; ELF {elf}")


def show_guest(result):
    arches = list(result)
    print("\nguest, instructions per round (wall ns: median, minimum)")
    row("", arches)
    for name in next(iter(result.values()))["figures"]:
        figures = [result[a]["figures"][name] for a in arches]
        row(name, [f"{f['instructions']:.2f}" for f in figures])
        if "wall_ns_median" in figures[0]:
            row("", [f"({f['wall_ns_median']:.0f}, {f['wall_ns_minimum']:.0f})" for f in figures])
    print("\nboot, instructions since kernel entry")
    for stage in next(iter(result.values()))["boot"]["instructions"]:
        row(stage, [result[a]["boot"]["instructions"].get(stage, "-") for a in arches])
    print("  calibration: " + ", ".join(f"{a} {result[a]['calibration']:.5f}" for a in arches))


def show_latency(result):
    print("\nwake-up of a Photon fiber, instructions")
    row("", [word.replace("_", " ") for word in latency_bench.COLUMNS])
    for arch, scenes in result.items():
        for scene in latency_bench.SCENES:
            row(f"{arch} {scene}", [scenes[scene][column] for column in latency_bench.COLUMNS])


def show_host(result):
    if "absent" in result:
        print(f"\nrings on this machine: not measured, {result['absent']}")
        return
    print(f"\nrings on this machine, ns (median, minimum of {result['runs']}; {result['repeated']} disturbed tries made again)")
    for work in ("cache-line", "throughput", "round-trip"):
        for kind, figure in result[work].items():
            ratio = figure.get("ratio_minimum_to_cached_index")
            print(f"  {work:<11} {kind:<14}{figure['median_ns']:>10.1f}{figure['minimum_ns']:>10.1f}"
                  + (f"   x {ratio:.2f}" if ratio else ""))


def show_resolve(result):
    print(f"\nchoosing versions: {result['names']} names, {result['versions']} versions in 2 classes each, "
          f"{result['requirements_each']} requirements a version, shuffled; {result['chosen']} chosen")
    print(f"  median {result['median_ms']} ms, {result['minimum_ms']} to {result['maximum_ms']} ms over {result['runs']} graphs")


def show_package(result):
    for size, steps in result.items():
        print(f"\npackage of {size}, ms (median, minimum of {steps['runs']}), zstd level {steps['zstd_level']}; tools: tar, zstd, minisign")
        hashed = steps["hash"]
        print(f"  BLAKE2b of one file, processor: nip {hashed['nip_ms']:.1f}, libsodium {hashed['libsodium_ms']:.1f}   x {hashed['ratio']:.2f}")
        for step in package_bench.STEPS:
            row_ = steps[step]
            print(f"  {step:<9}" + "".join(f"{who:>7} {row_[who]['median_ms']:>8.1f}{row_[who]['minimum_ms']:>8.1f}" for who in ("nip", "tools"))
                  + f"   x {row_['ratio_median']:.2f}, {row_['ratio_minimum']:.2f}"
                  + (f"   to zstd -T0: x {row_['ratio_threads']:.2f}" if "ratio_threads" in row_ else "")
                  + (f"   to the libraries: x {row_['ratio_raw']:.2f}, processor {row_['ratio_raw_processor']:.2f}" if "ratio_raw" in row_ else ""))


def draw(result, folder):
    os.makedirs(folder, exist_ok=True)

    def put(name, *arguments, **more):
        with open(os.path.join(folder, name + ".svg"), "w") as f:
            f.write(picture.bars(*arguments, **more))

    if "sizes" in result:
        kernels = result["sizes"]["kernel"]
        put("sizes", "Kernel: loadable bytes", "bytes", ["loadable"], [(a, [k["loadable"]]) for a, k in kernels.items()],
            marks=[("limit", sizes.LOADABLE_LIMIT), ("aim", sizes.LOADABLE_AIM)])
        put("syscall-core", "Syscall core", "bytes", ["core"], [(a, [k["syscall_core"]]) for a, k in kernels.items()],
            marks=[("limit", sizes.SYSCALL_LIMIT)])
    guests = result.get("guest", {})
    if guests:
        arches = list(guests)
        figures = {a: guests[a]["figures"] for a in arches}
        for name, title, acts in (("calls", "Calls and switches", ("function", "fp", "null", "tick", "check", "bell", "map", "yield", "switch")),
                                  ("rings", "Rings between two drivers", ("batched", "single", "round_trip")),
                                  ("wakes", "From a cause to the sleeper", guest_bench.READS)):
            rows = [(act, [figures[a][act]["instructions"] for a in arches]) for act in acts if act in figures[arches[0]]]
            if rows:
                put(name, title, "instructions", arches, rows)
        stages = list(guests[arches[0]]["boot"]["instructions"])
        put("boot", "Boot timeline", "instructions since entry", arches,
            [(s, [guests[a]["boot"]["instructions"].get(s) for a in arches]) for s in stages])
    if "latency" in result:
        put("latency", "Wake-up of a Photon fiber", "instructions", ["p50", "p99", "max"],
            [(f"{arch} {scene}", [scenes[scene][column] for column in ("p50", "p99", "max")])
             for arch, scenes in result["latency"].items() for scene in latency_bench.SCENES])
    if "throughput" in result.get("host", {}):
        rows = [(f"{work} {kind}", [f["median_ns"], f["minimum_ns"]]) for work in ("cache-line", "throughput", "round-trip")
                for kind, f in result["host"][work].items()]
        put("host", "Rings on the host", "nanoseconds", ["median", "minimum"], rows)


def main():
    names = ["sizes", "boot", "latency", "host", "resolve", "package"] + [act for act in guest_bench.ACTS if act != "calibrate"]
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__, add_help=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-h", "--help", action="store_true")
    for flag in ("sizes", "quick", "list"):
        parser.add_argument("--" + flag, action="store_true")
    parser.add_argument("--arch", default="all", choices=("all",) + ARCHES)
    parser.add_argument("--runs", type=int, default=5)
    for option in ("json", "svg", "doc", "tool"):
        parser.add_argument("--" + option)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    if args.help or args.list:
        print(__doc__.split("\n", 2)[2].rstrip() if args.help else "\n".join(names))
        return 0
    unknown = [name for name in args.names if name not in names]
    if unknown:
        stop(f"unknown name {unknown[0]}; script/bench --list prints the names", 2)
    if args.runs < 1 or args.runs > 1000:
        stop("--runs wants a number from 1 to 1000", 2)
    wanted = set(args.names) | ({"sizes"} if args.sizes else set())
    wants = lambda *some: not wanted or any(name in wanted for name in some)  # noqa: E731
    kernels = {a: os.path.join(args.build, "kernel-" + a, "kernel", "kernel.elf") for a in ARCHES if args.arch in ("all", a)}
    missing = [path for path in [*kernels.values(), SDK] if not os.path.exists(path)]
    if missing:
        stop(f"{missing[0]} is missing; run script/setup first", 3)
    work = os.path.join(args.build, "bench")
    os.makedirs(work, exist_ok=True)
    result = {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
              "command": " ".join(["script/bench"] + sys.argv[1:]), "quick": args.quick,
              "source": first_line("git", "-C", ROOT, "describe", "--always", "--dirty"), "machine": machine(), "method": METHOD}
    if wants("sizes"):
        result["sizes"] = sizes.measure(kernels, SDK)
        show_sizes(result["sizes"])
    acts = set(guest_bench.ACTS) & wanted
    copies = {}
    if wants("boot", "latency", *guest_bench.ACTS):
        tool = case_image(args.build, args.tool)
        # Copied first: a rebuild in the meantime must not change what the runs of one table are of.
        for arch, kernel in kernels.items():
            copies[arch] = os.path.join(work, arch + "-kernel.elf")
            shutil.copy(kernel, copies[arch])
    if wants("boot", *guest_bench.ACTS):
        result["guest"] = {}
        # With `boot` alone nothing but the calibration runs.
        only = acts or ({"calibrate"} if wanted else set())
        for arch, copy in copies.items():
            result["guest"][arch] = guest_bench.measure(arch, copy, tool, work, args.quick, 1 if args.quick else args.runs, only)
        show_guest(result["guest"])
    if wants("latency"):
        result["latency"] = {arch: latency_bench.measure(arch, copy, tool, work) for arch, copy in copies.items()}
        show_latency(result["latency"])
    if wants("host"):
        result["host"] = host_bench.measure(SDK, work, args.quick)
        show_host(result["host"])
    if wants("resolve"):
        result["resolve"] = resolve_bench.measure(work, args.quick)
        show_resolve(result["resolve"])
    if wants("package"):
        result["package"] = package_bench.measure(work, args.quick)
        show_package(result["package"])
    if args.json:
        with open(args.json, "w") as f:
            json.dump(result, f, indent=1)
            f.write("\n")
    if args.svg:
        draw(result, args.svg)
    if args.doc:
        report.insert(result, args.doc)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (GuestError, subprocess.SubprocessError, OSError, KeyError) as error:
        stop(f"{type(error).__name__}: {error}", 1)
