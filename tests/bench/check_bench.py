#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""script/bench, short form: check_bench.py CASE_IMAGE

Goal: the command works on three architectures, its JSON has every figure, its pictures are well-formed, wrong use is
refused, what is counted is counted alike twice, and the page (--doc) has all parts. Method: quick runs into a scratch
folder. Nothing is compared with a time.
"""
import json
import os
import subprocess
import sys
import tempfile
import xml.dom.minidom

import report

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
ARCHES = ("riscv64", "aarch64", "x86_64")
ACTS = ("calibrate", "function", "null", "check", "bell", "map", "yield", "switch", "batched", "single", "round_trip", "fp", "tick",
        "wake", "interrupt")
STAGES = ("entry", "memory", "mmu", "console", "interrupts", "timer", "devices", "systable", "archive", "packages", "running")
KERNEL_SIZES = ("text", "rodata", "gate_page", "data", "bss", "loadable", "loadable_limit", "loadable_aim",
                "syscall_core", "syscall_core_limit")
RINGS = ("textbook", "cached-index", "ion")
LATENCY = ("wake_ups", "p50", "p99", "max", "interrupts_off")
PICTURES = ("sizes", "syscall-core", "calls", "rings", "wakes", "boot", "latency")


def bench(*words):
    return subprocess.run([os.path.join(ROOT, "script", "bench"), *words], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)


def above_zero(value, *path):
    """The figure at this place of the JSON is there and a number above zero."""
    for step in path:
        value = value[step]
    if not isinstance(value, (int, float)) or value <= 0:
        raise ValueError(f"{'.'.join(map(str, path))} is {value!r}")


def check_order(arch, figures, latency):
    """What holds whatever the figures are: each of these is a part of the next."""
    for part, whole in (("fp", "switch"), ("null", "wake"), ("wake", "round_trip"), ("null", "interrupt")):
        if figures[part]["instructions"] >= figures[whole]["instructions"]:
            raise ValueError(f"{arch}: {part} is not below {whole}: {figures[part]} {figures[whole]}")
    for scene in ("idle", "loaded"):
        for key in LATENCY:
            above_zero(latency, scene, key)
        if not latency[scene]["p50"] <= latency[scene]["p99"] <= latency[scene]["max"]:
            raise ValueError(f"{arch}, {scene}: the percentiles are not in order: {latency[scene]}")


def check_document(folder, result):
    """--doc replaces what is between the marks by a page that has every part, and nothing else; without marks it refuses."""
    path = os.path.join(folder, "page.md")
    marked = f"before\n{report.BEGIN}old\n{report.END}after\n"
    with open(path, "w") as f:
        f.write(marked)
    report.insert(result, path)
    with open(path) as f:
        text = f.read()
    if not text.startswith("before\n" + report.BEGIN) or not text.endswith(report.END + "after\n") or "\nold\n" in text:
        raise ValueError("the page is not what was around the marks")
    for words in ("## Sizes", "`wake`: ", "`interrupt`: ", "`fp`: ", "## Boot", "## Wake-up under load", "aarch64, loaded", "zstd -T0"):
        if words not in text:
            raise ValueError(f"the page lacks {words!r}")


def check_figures(result):
    for key in ("date", "command", "source", "machine", "method"):
        if not result[key]:
            raise ValueError(f"{key} is empty")
    above_zero(result, "sizes", "systable")
    if result["sizes"]["systable"] != 240:
        raise ValueError("the SysTable has 240 bytes")
    for arch in ARCHES:
        for key in KERNEL_SIZES:
            if key != "data":
                above_zero(result, "sizes", "kernel", arch, key)
        guest = result["guest"][arch]
        for act in ACTS:
            for key in ("rounds", "instructions", "wall_ns_median", "wall_ns_minimum", "ratio_to_null"):
                above_zero(guest, "figures", act, key)
        above_zero(guest, "figures", "fp_and_root", "instructions")
        for stage in STAGES:
            for key in ("instructions", "wall_ns_median"):
                # The entry may lie within the first tick of the counter.
                if stage != "entry" or guest["boot"][key][stage] != 0:
                    above_zero(guest, "boot", key, stage)
        above_zero(guest, "boot", "entry_to_first_driver")
        above_zero(guest, "calibration")
        check_order(arch, guest["figures"], result["latency"][arch])
    for key in ("names", "versions", "chosen", "median_ms"):
        above_zero(result, "resolve", key)
    for size in result["package"]:
        for step in ("pack", "verify", "extract"):
            for key in ("ratio_median", "ratio_minimum") + (("ratio_raw", "ratio_raw_processor") if step != "extract" else ()):
                above_zero(result, "package", size, step, key)
        above_zero(result, "package", size, "pack", "ratio_threads")
        above_zero(result, "package", size, "hash", "ratio")
    for name, package in result["sizes"]["packages"].items():
        above_zero(package, "package")
        if not package["elf"]:
            raise ValueError(f"{name} has no ELF file")
    host = result["host"]
    if "absent" in host:
        print(f"rings on this machine: {host['absent']}")
        return
    for key in ("median_ns", "minimum_ns"):
        for ring in RINGS:
            above_zero(host, "throughput", ring, key)
            above_zero(host, "round-trip", ring, key)
        above_zero(host, "throughput", "ion-batch-16", key)
        for when in ("before", "after"):
            above_zero(host, "cache-line", when, key)


def counted(result, arch):
    """What must be the same in every run of one image."""
    guest = result["guest"][arch]
    figures = {name: figure["instructions"] for name, figure in guest["figures"].items()}
    return figures | guest["boot"]["instructions"] | result["latency"][arch]


def main():
    with tempfile.TemporaryDirectory(prefix="rumpk-bench-") as folder:
        path = os.path.join(folder, "figures.json")
        done = bench("--quick", "--tool", sys.argv[1], "--json", path, "--svg", folder)
        print(done.stdout)
        if done.returncode:
            return f"script/bench --quick: status {done.returncode}"
        with open(path) as f:
            result = json.load(f)
        try:
            check_figures(result)
            check_document(folder, result)
        except (KeyError, ValueError) as error:
            return f"the JSON lacks a figure: {error}"
        for name in PICTURES + (() if "absent" in result["host"] else ("host",)):
            xml.dom.minidom.parse(os.path.join(folder, name + ".svg"))
        again = os.path.join(folder, "again.json")
        if bench("--quick", "--arch", "x86_64", "--tool", sys.argv[1], "--json", again, "latency", *ACTS[1:]).returncode:
            return "the second run failed"
        with open(again) as f:
            second = counted(json.load(f), "x86_64")
        if second != counted(result, "x86_64"):
            return f"two counted runs differ: {counted(result, 'x86_64')} {second}"
    one = bench("--sizes", "--arch", "riscv64")
    if one.returncode or "syscall core" not in one.stdout or "guest" in one.stdout or "x86_64 " in one.stdout.split("rumpk/")[0]:
        return f"--sizes --arch riscv64 prints something else:\n{one.stdout}"
    for words in (("--arch", "z80"), ("nothing-of-the-kind",), ("--runs", "0"), ("--unknown",)):
        refused = bench(*words)
        if refused.returncode != 2:
            return f"script/bench {' '.join(words)}: status {refused.returncode}, wanted 2\n{refused.stdout}"
    absent = bench("--build", "/nonexistent", "--sizes")
    if absent.returncode != 3 or "script/setup" not in absent.stdout:
        return f"without a build: status {absent.returncode}\n{absent.stdout}"
    names = bench("--list").stdout.split()
    if set(names) != {"sizes", "boot", "latency", "host", "resolve", "package"} | set(ACTS) - {"calibrate"}:
        return f"--list prints {names}"
    return 0


if __name__ == "__main__":
    sys.exit(main())
