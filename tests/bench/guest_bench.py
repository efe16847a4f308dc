# SPDX-License-Identifier: Apache-2.0
"""Figures from inside a guest: calls, switches, rings, floating point state, wake-ups, interrupts, boot.

Counting: with `-icount shift=0` the emulator's clock advances one nanosecond per guest instruction
and by nothing else as long as the processor never idles, so a difference of two readings of the
guest's own counter is a number of instructions. The counter is coarser than that (TICK_NS), which a
long run divides away. `calibrate`, a loop of ten instructions that anyone can count, verifies it on
each architecture in each run; a deviation above 0.1 % is an error, not a figure.
Wall time: without -icount and with the short form's rounds, several runs, median and minimum of nanoseconds.
"""
import os
import shutil
import statistics
import struct
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "kernel"))
from build import build_driver  # noqa: E402
from guest import Elf, Guest, GuestError, STAGES  # noqa: E402

# Nanoseconds of one tick of each machine's counter under -icount: 10 MHz, 62.5 MHz, 1 GHz.
TICK_NS = {"riscv64": 100, "aarch64": 16, "x86_64": 1}
# The seed: what the machine hands over as random is the same in every counted run, so the count is too.
COUNTED = ("-icount", "shift=0,align=off,sleep=off", "-seed", "1")
CALIBRATION = 10  # instructions of one round of the driver's calibration loop
HANG_LIMIT = 900  # seconds of one boot; a counted run of a million messages is long on a loaded machine
MARK = b"RMPKBNC1"
RESULTS = 24

# act: (rounds, rounds with --quick and of the wall-time runs, what one round is)
ACTS = {
    "calibrate": (1000000, 100000, "round of the calibration loop (10 instructions by construction)"),
    "function": (100000, 10000, "call of an empty function through a pointer"),
    "null": (100000, 10000, "null call: meta(VERSION)"),
    "check": (100000, 10000, "call with capability check: recv poll on a ring end"),
    "bell": (100000, 10000, "bell of a ring: send to an end that sleeps and finds nothing"),
    "map": (100000, 10000, "map of what is mapped already"),
    "yield": (100000, 10000, "yield with nobody else ready: scheduler, same fiber"),
    "switch": (100000, 10000, "switch between two protection domains, FP state of both included"),
    "batched": (1000000, 10000, "message of 64 bytes, published when the ring is full"),
    "single": (100000, 10000, "message of 64 bytes, published one by one"),
    "round_trip": (100000, 1000, "message there and back: two wake-ups, two switches"),
    "fp": (100000, 10000, "FP state saved and loaded, alone: the kernel's own two routines"),
    "tick": (100000, 1000, "reading of the counter: tick"),
    "wake": (10000, 200, "wake-up: from the doorbell to the sleeper's first instruction after its sleep"),
    "interrupt": (1000, 200, "interrupt: from the line that rises to the driver's first instruction after its sleep"),
}
# Run in a second image, in which the server is of a stricter spectrum and holds an interrupt.
ALERT = ("tick", "wake", "interrupt")
# One reading of the counter is in each round of these.
READS = ("wake", "interrupt")
UART = {"riscv64": "ns16550a", "aarch64": "arm,pl011", "x86_64": "ns16550a"}

MANIFEST = """package "test/{name}" version="0.1.0" {{ kind "driver"; security-version 1; abi 1; license "Apache-2.0"; arch "{arch}" }}
runtime {{ spectrum "{spectrum}"; stack "16KiB"; heap "4KiB" }}
{channel} {{ service "bench" 1 style="service"{clients} }}
{more}
"""
IMAGE = """image "test/bench" version="0.1.0" {{ on-idle "power-off" }}
package "test/server" version="0.1.0" path="server" {{ {server} }}
package "test/client" version="0.1.0" path="client" {{ config "{script}" }}
wire "bench" from="test/client" to="test/server"
"""


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


def make_image(arch, driver, kernel, tool, work, script, alert=False):
    folder = os.path.join(work, arch + "-image")
    shutil.rmtree(folder, ignore_errors=True)
    for name, channel, clients in (("server", "provides", " clients=1"), ("client", "needs", "")):
        write(os.path.join(folder, name, "npl.kdl"),
              MANIFEST.format(name=name, arch=arch, channel=channel, clients=clients,
                              spectrum="photon" if alert and name == "server" else "void",
                              more=f'request {{ registers "uart" compatible="{UART[arch]}" interrupt=#true; }}'
                              if alert and name == "server" else ""))
        shutil.copy(driver, os.path.join(folder, name, "driver.elf"))
    write(os.path.join(folder, "image.kdl"), IMAGE.format(script=script, server='grant "uart"; delegate #true;' if alert else ""))
    image = os.path.join(folder, "image.elf")
    subprocess.run([tool, arch, kernel, folder, image], check=True)
    return image


def read_results(ram):
    """The client's structure, found by its mark: it is nowhere else, the mark is made at run time."""
    at = ram.find(MARK)
    while at >= 0:
        count, slots, hz = struct.unpack_from("<IIQ", ram, at + 8)
        if at % 8 == 0 and 0 < count <= RESULTS and 0 < slots <= 1024:
            rows = {}
            for index in range(count):
                name, rounds, ticks, errors = struct.unpack_from("<16sQQQ", ram, at + 24 + index * 40)
                name = name.split(b"\0")[0].decode()
                if errors:
                    raise GuestError(f"{name}: {errors} wrong answers in {rounds} rounds")
                rows[name] = (rounds, ticks)
            return rows, slots, hz
        at = ram.find(MARK, at + 1)
    raise GuestError("the bench driver left no results in guest memory")


def boot(arch, image, extra=()):
    with Guest(arch, image, mib=32, extra=extra, name="bench") as guest:
        guest.wait_power_off(HANG_LIMIT)
        record = guest.boot_record()
        if record["cause"]:
            raise GuestError(f"the boot ended by {record['cause_name']}")
        return read_results(guest.ram()), record


def timeline(record, per_tick):
    """SERVICES is left out: in these images it is noted after the acts, so it would count them."""
    return {STAGES[n].lower(): round(record["ticks"][n] * per_tick) for n in sorted(STAGES)
            if n in range(1, 16) and STAGES[n] not in ("SERVICES", "ENDED") and (record["ticks"][n] or n == 1)}


def routine(elf, name):
    """The bytes of a function of the kernel: from its symbol to the next."""
    text = elf.section[".text"]
    begin = elf.symbols[name]
    end = min([a for a in elf.symbols.values() if a > begin] + [text[3] + text[5]])
    at = text[4] + begin - text[3]
    if not 0 < end - begin <= 1024:
        raise GuestError(f"{name} has {end - begin} bytes: that is not one routine")
    return elf.data[at:at + end - begin]


def make_driver(arch, kernel, work, source=os.path.join(ROOT, "tests", "bench", "driver")):
    """The bench driver, the kernel's floating point routines in it (fp.c). tests/kernel/messages.py has other sources."""
    elf, flags = Elf(kernel), []
    for name in ("save", "restore"):
        path = os.path.join(work, f"{arch}-fp-{name}")
        with open(path, "wb") as f:
            f.write(routine(elf, "arch_fp_" + name))
        flags.append(f'-DFP_{name.upper()}_FILE="{path}"')
    return build_driver(arch, source, os.path.join(work, arch + "-driver"), flags)


def measure_alert(arch, make, quick, runs, acts):
    """Figures of the acts of the second image."""
    acts = [name for name in ALERT if name == "tick" or name in acts]
    short = make(1, acts, True)
    (rows, _, _), _ = boot(arch, short if quick else make(0, acts, True), COUNTED)

    def per_round(rows):
        each = {name: (rows[name][1] - (rows["empty"][1] if name == "tick" else 0)) / rows[name][0] for name in acts}
        return {name: ticks - (each["tick"] if name in READS else 0) for name, ticks in each.items()}

    figures = {name: {"what": ACTS[name][2], "rounds": rows[name][0], "instructions": round(ticks * TICK_NS[arch], 2)}
               for name, ticks in per_round(rows).items()}
    wall = {name: [] for name in acts}
    for _ in range(runs):
        (rows, _, hz), _ = boot(arch, short)
        for name, ticks in per_round(rows).items():
            wall[name].append(ticks / hz * 1e9)
    return figures, wall


def measure(arch, kernel, tool, work, quick, runs, only):
    """{"method", "calls" ...} of one architecture."""
    driver = make_driver(arch, kernel, work)
    wanted = [name for name in ACTS if name == "calibrate" or not only or name in only]
    acts = [name for name in wanted if name not in ALERT]

    def make(which, names, alert):
        script = " ".join(["empty:1"] + [f"{name}:{ACTS[name][which]}" for name in names])
        return make_image(arch, driver, kernel, tool, os.path.join(work, str(which) + ("-alert" if alert else "")), script, alert)

    short = make(1, acts, False)
    (rows, slots, counted_hz), record = boot(arch, short if quick else make(0, acts, False), COUNTED)
    reading = rows["empty"][1]
    rounds, ticks = rows["calibrate"]
    calibration = (ticks - reading) * TICK_NS[arch] / rounds / CALIBRATION
    if abs(calibration - 1) > 0.001:
        raise GuestError(f"{arch}: the calibration loop counts {calibration:.5f} instructions per instruction; "
                         "the counter does not count instructions on this emulator")
    figures = {}
    for name in acts:
        rounds, ticks = rows[name]
        figures[name] = {"what": ACTS[name][2], "rounds": rounds,
                         "instructions": round((ticks - reading) * TICK_NS[arch] / rounds, 2)}
    wall, wall_boot = {name: [] for name in acts}, []
    for _ in range(runs):
        (rows, _, hz), timed = boot(arch, short)
        for name in acts:
            wall[name].append(rows[name][1] / hz * 1e9 / rows[name][0])
        wall_boot.append(timeline(timed, 1e9 / hz))
    if len(wanted) > len(acts):
        more, more_wall = measure_alert(arch, make, quick, runs, wanted)
        figures |= more
        wall |= more_wall
    for name in figures:
        figures[name]["wall_ns_median"] = round(statistics.median(wall[name]), 2)
        figures[name]["wall_ns_minimum"] = round(min(wall[name]), 2)
    first = timeline(record, TICK_NS[arch])
    if "null" in figures:
        for name in list(figures):
            figures[name]["ratio_to_null"] = round(figures[name]["instructions"] / figures["null"]["instructions"], 2)
    if "switch" in figures and "yield" in figures:
        figures["fp_and_root"] = {
            "what": "what a switch costs more than a yield to oneself: FP state saved and loaded, ports, root, queue",
            "instructions": round(figures["switch"]["instructions"] - figures["yield"]["instructions"], 2)}
    return {
        "calibration": round(calibration, 6), "tick_ns": TICK_NS[arch], "timer_hz_counted": counted_hz,
        "ring_slots": slots, "wall_runs": runs, "figures": figures,
        "boot": {"what": "instructions since kernel entry at each stage, two packages verified",
                 "packages_bytes": 2 * os.path.getsize(driver),
                 "instructions": first, "entry_to_first_driver": first["running"],
                 "wall_ns_median": {stage: round(statistics.median(b[stage] for b in wall_boot)) for stage in first}},
    }
