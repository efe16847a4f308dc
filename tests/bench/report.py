# SPDX-License-Identifier: Apache-2.0
"""The figures of one run as the middle part of docs/performance.md."""
BEGIN, END = "<!-- figures: begin -->\n", "<!-- figures: end -->\n"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows] + [""]


def number(value):
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def size_part(sizes):
    kernel = sizes["kernel"]
    arches = list(kernel)
    words = {"text": "text", "rodata": "read-only data", "gate_page": "gate page", "data": "data", "bss": "bss",
             "loadable": "**loadable**, page rounding included", "syscall_core": "**syscall core** (in text)"}
    rows = [[word] + [number(kernel[a][key]) for a in arches] for key, word in words.items()]
    first = kernel[arches[0]]
    out = ["## Sizes", "", "Bytes of the kernel:", ""] + table([""] + arches, rows)
    out += [f"Limits: loadable {number(first['loadable_limit'])} (aim {number(first['loadable_aim'])}), syscall core "
            f"{number(first['syscall_core_limit'])}; a kernel above either does not link. SysTable: {sizes['systable']} bytes.", "",
            "![loadable bytes](performance/sizes.svg) ![syscall core](performance/syscall-core.svg)", "",
            "First-party packages, bytes (the package is compressed and holds all its architectures):", ""]
    rows = [[f"`{name}`", number(p["package"])] + [number(p["elf"][a]) if a in p["elf"] else "-" for a in arches]
            for name, p in sizes["packages"].items()]
    return out + table(["package", "package file"] + [f"ELF {a}" for a in arches], rows)


def guest_part(guest):
    arches = list(guest)
    figures = {a: guest[a]["figures"] for a in arches}
    first = figures[arches[0]]
    out = ["## Calls, switches, rings in the guest", "", "Instructions per round, exact (`wake` and `interrupt`: within half a percent); in brackets the "
           "ratio to the null call:", ""]
    rows = []
    for name, figure in first.items():
        cells = []
        for a in arches:
            ratio = figures[a][name].get("ratio_to_null")
            cells.append(f"{figures[a][name]['instructions']:,.2f}" + (f" ({ratio:.2f})" if ratio else ""))
        rows.append([f"`{name}`: {figure['what']}"] + cells)
    out += table(["round"] + arches, rows)
    out += ["![calls](performance/calls.svg)", "", "![rings](performance/rings.svg)", "", "![wake-ups](performance/wakes.svg)", "",
            f"Rings of {guest[arches[0]]['ring_slots']} slots; rounds per figure: "
            + ", ".join(f"{name} {number(f['rounds'])}" for name, f in first.items() if "rounds" in f) + ".", "",
            f"Wall time under the emulator, nanoseconds per round, median and minimum of {guest[arches[0]]['wall_runs']} boots:", ""]
    rows = [[f"`{name}`"] + [f"{figures[a][name]['wall_ns_median']:,.0f} / {figures[a][name]['wall_ns_minimum']:,.0f}" for a in arches]
            for name in first if "wall_ns_median" in first[name]]
    out += table(["round"] + arches, rows)
    out += ["## Boot", "", "Instructions from kernel entry to each stage, two packages of "
            f"{number(guest[arches[0]]['boot']['packages_bytes'] // 2)} bytes verified; in brackets wall milliseconds (median):", ""]
    rows = []
    for stage in guest[arches[0]]["boot"]["instructions"]:
        rows.append([stage] + [f"{number(guest[a]['boot']['instructions'][stage])} "
                               f"({guest[a]['boot']['wall_ns_median'][stage] / 1e6:.1f})" for a in arches])
    return out + table(["stage"] + arches, rows) + ["![boot timeline](performance/boot.svg)", ""]


def latency_part(latency):
    words = {"wake_ups": "wake-ups", "p50": "p50", "p99": "p99", "max": "max", "interrupts_off": "longest with interrupts off"}
    out = ["## Wake-up under load", "",
           "Instructions from the moment that a Photon fiber's deadline passes to its entry, on an idle machine and on one with a spinning "
           "driver in each looser spectrum, a flooding one and a package of 1 MiB being verified. `kernel.latency` runs the same and "
           "compares with the bounds of [abi.md](abi.md).", ""]
    rows = [[f"{arch}, {scene}"] + [number(figures[key]) for key in words]
            for arch, scenes in latency.items() for scene, figures in scenes.items()]
    return out + table([""] + list(words.values()), rows) + ["![wake-up under load](performance/latency.svg)", ""]


def host_part(host):
    out = ["## The ring beside other rings, on the host", ""]
    if "absent" in host:
        return out + [f"Not measured: {host['absent']}.", ""]
    out += [f"Nanoseconds, median and minimum of {host['runs']} interleaved runs ({number(host['messages'])} messages of 64 bytes, "
            f"{number(host['round_trips'])} round trips); {host['repeated']} disturbed tries were made again. Ratios to the "
            "cached-index ring, of the medians and of the minima.", ""]
    rows = []
    for work in ("cache-line", "throughput", "round-trip"):
        for kind, f in host[work].items():
            ratio = [f"{f[key]:.2f}" if key in f else "" for key in ("ratio_median_to_cached_index", "ratio_minimum_to_cached_index")]
            rows.append([f"{work}, {kind}" + (f": {f['what']}" if work == "throughput" else ""), f"{f['median_ns']:.1f}",
                         f"{f['minimum_ns']:.1f}"] + ratio)
    return out + table(["", "median", "minimum", "ratio", "ratio"], rows) + ["![rings on the host](performance/host.svg)", ""]


def resolve_part(resolve):
    return ["## Choosing versions", "",
            f"{number(resolve['names'])} names with {number(resolve['versions'])} versions in two classes each and "
            f"{resolve['requirements_each']} requirements a version, lists shuffled, one random graph a run; "
            f"{number(resolve['chosen'])} versions are chosen and the first conflict is explained. Milliseconds:", ""] + table(
                ["", "median", "minimum", "maximum"],
                [["select and explain", resolve["median_ms"], resolve["minimum_ms"], resolve["maximum_ms"]]])


def package_part(package):
    out = ["## Packages beside tar, zstd and minisign", "",
           "Wall milliseconds of one process (nip's functions) and of the tools' pipeline on the same bytes, in turn: median (minimum to "
           "maximum), and the processor time of the median run. Both sides compress at the same level "
           f"({next(iter(package.values()))['zstd_level']}); the tools run as they do by default, one thread each. nip also hashes every "
           "file with BLAKE2b-256 and compares it with the signed list, which `minisign` and `tar` do not.", ""]
    rows, others = [], []
    for size, steps in package.items():
        for step in ("pack", "verify", "extract"):
            row, name = steps[step], f"{size}, {step}, {steps['runs']} runs"
            rows.append([name] + package_cells(row["nip"]) + package_cells(row["tools"])
                        + [f"{row['ratio_median']:.2f}", f"{row['ratio_minimum']:.2f}"])
            if "raw" in row:
                threads = package_cells(row["threads"])[:1] + [f"{row['ratio_threads']:.2f}"] if "threads" in row else ["", ""]
                others.append([name] + threads + package_cells(row["raw"])
                              + [f"{row['ratio_raw']:.2f}", f"{row['ratio_raw_processor']:.2f}"])
    out += table(["", "nip", "processor", "tools", "processor", "ratio of medians", "of minima"], rows)
    out += ["The same steps of nip beside the pipeline with `zstd -T0`, which uses all processors as nip does, and beside the libraries "
            "alone: each byte hashed once and compressed or decompressed in memory, without archive, list, signature or file.", ""]
    out += table(["", "tools, zstd -T0", "ratio", "libraries", "processor", "ratio", "of processor time"], others)
    hashed = list(package.values())[-1]["hash"]
    return out + [f"BLAKE2b-256 of one of the larger package's files, processor time, minimum: nip {hashed['nip_ms']:.1f} ms, libsodium "
                  f"{hashed['libsodium_ms']:.1f} ms, ratio {hashed['ratio']:.2f}.", ""]


def package_cells(figures):
    return [f"{figures['median_ms']:.1f} ({figures['minimum_ms']:.1f} to {figures['maximum_ms']:.1f})", f"{figures['processor_ms']:.0f}"]


def render(result):
    m = result["machine"]
    out = [f"Taken {result['date']} at `{result['source']}` with `{result['command']}` on {m['processor']}, "
           f"{m['processors']} processors, {m['system']}, load {m['load_1_min']} at the start; {m['emulator']}; {m['compiler']}.", ""]
    for key, part in (("sizes", size_part), ("guest", guest_part), ("latency", latency_part), ("host", host_part),
                      ("resolve", resolve_part), ("package", package_part)):
        if key in result:
            out += part(result[key])
    return "\n".join(out)


def insert(result, path):
    with open(path) as f:
        text = f.read()
    if BEGIN not in text or END not in text:
        raise KeyError(f"{path} has no marks {BEGIN.strip()} and {END.strip()}")
    with open(path, "w") as f:
        f.write(text.split(BEGIN)[0] + BEGIN + render(result) + END + text.split(END, 1)[1])
