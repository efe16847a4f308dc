# SPDX-License-Identifier: Apache-2.0
"""The kernel's refusal matrix as data: one line per case, one column per machine.

A case is a probe driver with one line of configuration (tests/kernel/probe) and what the ledger must
say about it afterwards: EXIT with a code, or FAULT with a reason and, where it matters, an address.
A configuration may name a place ("{kernel-text}"); run_cases.py looks the address up in a first boot
of the same image. A case that a machine cannot have says so here, with the reason; a cell that is
empty for any other reason is a failure.
"""

from call_table import CODES, ROWS

SURVIVED = 42


class Case:
    def __init__(self, name, config, want, only=None, why=None, extra="", client_of=None, server_of=None,
                 test_kernel=False, alone=False, owner="", spawner=None, at_once=False):
        self.name, self.config, self.want = name, config, want
        self.only, self.why = only, why  # machines that have the case, and why the others have not
        self.extra = extra               # further manifest text
        self.client_of, self.server_of = client_of, server_of
        self.test_kernel = test_kernel
        self.spawner = spawner           # name of the case that starts this one
        self.owner = owner               # further words of the image owner: delegate, observe
        self.at_once = at_once           # starts beside its server, not after it
        self.alone = alone               # no image with others than its peers: it may hold the console's registers

    def wanted(self, arch):
        return self.want[arch] if isinstance(self.want, dict) else self.want


def exits(code=SURVIVED):
    return ("EXIT", code)


def faults(*reasons, at=None):
    return ("FAULT", reasons, at)


# The console's registers and their interrupt; {uart} is the machine's name for the chip.
CONSOLE_REGISTERS = 'registers "uart" compatible="{uart}" interrupt=#true;'

# Places that no driver may touch in any way, one bad access per case.
FORBIDDEN = (
    "kernel-text", "kernel-rodata", "kernel-data", "kernel-stack", "kernel-root", "driver-root", "archive",
    "image-header", "other-text", "other-data", "other-stack", "other-start", "foreign-ring", "registers",
    "virtio-registers", "pci-configuration", "page-0", "last-page", "hole",
)
# Machines that lack a place, and why; others than the usual one of an architecture as ARCH-MACHINE.
NOT_THERE = {
    "registers": (("riscv64", "aarch64"), "the console's registers are I/O ports here; the port cases stand for them"),
    "pci-configuration": (("riscv64", "aarch64", "x86_64-q35"), "microvm has no PCI"),
}


def matrix():
    cases = []
    add = cases.append

    for place in FORBIDDEN:
        only, why = NOT_THERE.get(place, (None, None))
        for access, reason in (("read", "READ"), ("write", "WRITE"), ("execute", "EXECUTE")):
            add(Case(f"{access} {place}", f"{access} {{{place}}}", faults(reason, at=place), only, why))

    # Positive controls: the same acts on own pages, each right and each missing right.
    for place, rights in (("own-data", "rw"), ("own-stack", "rw"), ("own-heap", "rw"), ("own-text", "rx"),
                          ("own-rodata", "r"), ("own-relro", "r"), ("own-start", "r"), ("systable", "r")):
        for access, right, reason in (("read", "r", "READ"), ("write", "w", "WRITE"), ("execute", "x", "EXECUTE")):
            add(Case(f"{access} {place}", f"{access} {place}", exits() if right in rights else faults(reason)))
    add(Case("read gate", "read gate", {"riscv64": faults("READ"), "aarch64": faults("READ"), "x86_64": exits()}))
    add(Case("write gate", "write gate", faults("WRITE")))
    add(Case("execute gate", "execute gate", exits()))

    # Privileged, illegal and trapping instructions.
    for word in ("csr-read", "csr-write", "return", "flush", "halt"):
        add(Case(f"privileged {word}", f"cpu {word}", faults("ILLEGAL", "PROTECTION")))
    arm, x86 = ("aarch64",), ("x86_64",)
    for word in ("hypercall", "secure"):
        add(Case(f"privileged {word}", f"cpu {word}", faults("ILLEGAL"), arm, "an instruction of aarch64"))
    for word in ("counter", "cache"):
        add(Case(f"privileged {word}", f"cpu {word}", faults("ILLEGAL"), arm, "an instruction of aarch64"))
    add(Case("privileged interrupts", "cpu interrupts", faults("ILLEGAL", "PROTECTION"), arm + x86,
             "riscv64 has only the control registers, see csr-write"))
    for word in ("msr", "descriptor", "store-descriptor", "int", "sysenter", "segment", "swapgs", "port", "port-last",
                 "non-canonical"):
        add(Case(f"privileged {word}", f"cpu {word}", faults("ILLEGAL", "PROTECTION"), x86, "x86_64 has this alone"))
    for word, reason in (("single-step", "BREAKPOINT"), ("single-step-call", "BREAKPOINT"), ("far-jump", "PROTECTION"),
                         ("time-stamp", "PROTECTION"), ("fs-base", "ILLEGAL"), ("xgetbv", "ILLEGAL"),
                         ("jump-non-canonical", "PROTECTION"), ("stack-non-canonical", "PROTECTION"),
                         ("trap-without-stack", "TRAP"), ("call-without-stack", "PROTECTION")):
        add(Case(f"ring 3 {word}", f"cpu {word}", faults(reason), x86, "x86_64 has this alone"))
    for word in ("int-nmi", "int-double-fault", "int-page-fault", "int-line", "int-message", "int-timer", "int-spurious",
                 "segment-code", "segment-stack", "segment-task", "segment-local", "port-pci", "port-reset",
                 "port-power", "port-string"):
        add(Case(f"ring 3 {word}", f"cpu {word}", faults("PROTECTION"), x86, "x86_64 has this alone"))
    for word in ("segment-flat", "flags"):
        add(Case(f"ring 3 {word}", f"cpu {word}", exits(), x86, "x86_64 has this alone"))
    # The same driver holds the eight ports from 0x3f8: what lies beside them, and they themselves before `map`.
    for word, want in (("own", exits()), ("unmapped", faults("PROTECTION")), ("below", faults("PROTECTION")),
                       ("above", faults("PROTECTION")), ("straddle", faults("PROTECTION"))):
        add(Case(f"ports {word}", f"ports {word}", want, x86, "only x86_64 has I/O ports",
                 extra='request { registers "uart" compatible="ns16550a"; }', alone=True))
    add(Case("illegal instruction", "cpu illegal", faults("ILLEGAL")))
    add(Case("vector instruction", "cpu vector", faults("ILLEGAL")))
    add(Case("breakpoint", "cpu breakpoint", faults("BREAKPOINT")))
    add(Case("trap outside the gate", "cpu trap", faults("TRAP")))
    # With BTI a jump into the middle of a stub does not even arrive.
    add(Case("gate with a wrong number", "cpu gate-number",
             {"riscv64": faults("CALL"), "aarch64": faults("CALL", "EXECUTE"), "x86_64": faults("CALL")}))
    add(Case("division by zero", "cpu divide", {"riscv64": exits(), "aarch64": exits(), "x86_64": faults("ARITHMETIC")}))
    add(Case("misaligned pc", "cpu pc-align", faults("MISALIGNED"), arm, "two-byte instructions elsewhere"))
    # A misaligned stack pointer faults too, but the emulator does not check it: docs/hardware-gaps.md.
    add(Case("misaligned exclusive", "cpu exclusive-align", faults("MISALIGNED"), arm, "no such check elsewhere"))
    # The emulator has no alignment check exception: the driver survives there (docs/hardware-gaps.md).
    add(Case("alignment check", "cpu align-check", exits(), x86, "a flag of x86_64"))
    add(Case("wild jump, odd", "execute 0x0000000012345671", faults("EXECUTE", "MISALIGNED")))
    add(Case("wild jump, far", "execute 0x0000003ffffff000", faults("EXECUTE")))

    # Stack overflow.
    add(Case("stack by recursion", "recurse", faults("STACK")))
    add(Case("stack by one 48 KiB frame", "frame", faults("STACK")))

    # Floating point, time, SysTable, calls.
    add(Case("fp pattern a", "fp a", exits()))
    add(Case("fp pattern b", "fp b", exits()))
    add(Case("fp fresh", "fp fresh", exits()))
    add(Case("systable", "systable", exits()))
    add(Case("time", "time", exits()))
    add(Case("exit code", "exit 7", exits(7)))
    add(Case("call results", "calls", exits(), extra='request { memory "scratch" size="8KiB"; }', client_of="sink-b"))
    for call in ("meta", "wait"):
        add(Case(f"{call} own pointer", f"pointer {call} own", exits()))
        kinds = ["null", "gate", "straddle", "unaligned", "last", "non-canonical", "{kernel-data}", "{other-data}",
                 "{virtio-registers}", "{hole}"]
        if call == "meta":
            kinds += ["constant", "text", "systable"]
        for kind in kinds:
            arches = None
            if kind == "gate" and call == "wait":
                arches = ("riscv64", "aarch64")
            add(Case(f"{call} pointer {kind}", f"pointer {call} {kind}", faults("POINTER"), arches,
                     "the gate can be read there" if arches else None))
        add(Case(f"{call} pointer window", f"pointer {call} window", faults("POINTER"), ("riscv64", "aarch64"),
                 "the console's registers are I/O ports here", alone=True,
                 extra='request { registers "uart" compatible="{uart}"; }'))

    # Rings.
    add(Case("sink of forged rings", "sink", exits(43), server_of="sink-a"))
    for word in ("head-far", "head-last", "head-count-1", "waiting"):
        add(Case(f"forge {word}", f"forge {word} sink", exits(), client_of="sink-a"))
    add(Case("sink of honest rings", "sink", exits(), server_of="sink-b"))
    add(Case("forge nothing", "forge honest sink", exits(), client_of="sink-b"))
    add(Case("forge header", "forge header sink", faults("WRITE"), client_of="sink-b"))
    add(Case("forge foreign index", "forge tail sink", faults("WRITE"), client_of="sink-b"))
    add(Case("write beyond ring", "forge beyond sink", faults("WRITE"), client_of="sink-b"))
    add(Case("forge length", "forge length console", exits(), client_of="console"))

    # Capabilities granted, used, taken back: a giver and a taker per case, and what the taker's end looks like.
    scratch, buffers, entropy = 'memory "scratch" size="8KiB";', 'dma "buffers" size="8KiB";', 'device "entropy" virtio=4 queues=1;'
    for word, taken in (("access", exits()), ("read", faults("READ")), ("write", faults("WRITE")),
                        ("narrow", faults("WRITE")), ("bounds", faults("READ")), ("end", faults("READ")),
                        ("stale", exits()), ("ring", exits()), ("tree", exits()), ("deep", exits()),
                        ("queue", exits()), ("codes", exits())):
        take = "leave" if word == "codes" else word
        add(Case(f"take {word}", f"take {take}", taken, server_of=f"give-{word}", owner="delegate",
                 extra=f"request {{ {entropy} }}" if word == "queue" else ""))
        add(Case(f"give {word}", f"give {word}", exits(), client_of=f"give-{word}", owner="delegate",
                 at_once=True,  # the taker polls
                 extra=f"request {{ {buffers if word == 'queue' else scratch} }}"))
    # What has one user at a time, lent and taken back (probe/hand.c). One machine has one entropy device and one console.
    for word, things, owner in (("device", f"{entropy} {buffers}", "delegate"), ("end", f"{entropy} {buffers}", "delegate"),
                                ("interrupt", f"{CONSOLE_REGISTERS} {scratch}", "delegate observe"),
                                ("spawn", scratch, "delegate")):
        only = word != "spawn"
        add(Case(f"lend {word}", f"lend {word}", exits(), client_of=f"lend-{word}", owner=owner, extra=f"request {{ {things} }}",
                 alone=only))
        add(Case(f"use {word}", f"use {word}", exits(), server_of=f"lend-{word}", alone=only))
    add(Case("started by borrowed right", "exit 7", exits(7), client_of="lend-spawn", spawner="lend spawn"))
    scratch, entropy = f"request {{ {scratch} }}", f"request {{ {entropy} }}"
    add(Case("give without permission", "give unasked", exits(), client_of="sink-c", extra=scratch))
    add(Case("drop own memory", "drop memory", faults("READ"), client_of="sink-c", extra=scratch))
    add(Case("drop own ring", "drop ring", exits(), client_of="sink-c", extra=scratch))
    add(Case("narrow what is mapped", "drop mask", faults("WRITE"), client_of="sink-c", extra=scratch))
    add(Case("pledge", "pledge", exits(), client_of="sink-c", extra=scratch, owner="delegate"))
    add(Case("meta of oneself", "meta self", exits(), client_of="sink-c"))
    add(Case("meta of others", "meta observer", exits(), client_of="sink-c", owner="observe"))
    add(Case("checkpoint", "checkpoint", exits()))
    for word in ("straddle", "beyond", "last", "null"):
        add(Case(f"checkpoint pointer {word}", f"checkpoint {word}", faults("POINTER")))
    add(Case("sink of the pledged", "sink", exits(), server_of="sink-c"))

    # The table of calls (call_table.py): one probe per result code that takes no more than a line. The servers of the
    # clients only hold the other end, eight clients each.
    lines = [row for row in ROWS if row.script]
    for number, row in enumerate(lines):
        own = row.pair or row.worker
        service = f"table-{row.code}-{row.call}" if own else f"table-{number // 8}"
        add(Case(row.name, f"script {row.script}", exits(CODES[row.code]), client_of=service, extra=scratch,
                 owner="delegate", at_once=bool(row.pair)))
        if row.pair:
            add(Case(f"other end of {row.name}", f"script {row.pair}", exits(CODES["E_TIMEOUT"]), server_of=service))
        if row.worker:
            add(Case(f"sink of {row.name}", "sink", exits(), server_of=service))
            add(Case(f"started by {row.name}", "exit 7", exits(7), client_of=service, spawner=row.name))
    for number in range((len(lines) + 7) // 8):
        add(Case(f"sink of the table {number}", "sink", exits(), server_of=f"table-{number}"))
    add(Case("recv that times out", "script recv ring 0 0 1", exits(CODES["E_TIMEOUT"]), server_of="table-quiet"))
    add(Case("quiet client", "script ~send ring", exits(CODES["E_PEER"]), client_of="table-quiet"))
    # A device, its queue and the pointers that go with them. One machine has one entropy device.
    for name, line, want in (
            ("map of a queue", "map queue", exits(CODES["E_TYPE"])),
            ("mask of a device without the right", "mask device 0 3; mask device 1 0x100000000", exits(CODES["E_RIGHTS"])),
            ("send pointer", "mask device 1 0x100000000; send queue 0 1", faults("POINTER")),
            ("recv pointer", "mask device 1 0x100000000; recv queue 0 1 0", faults("POINTER"))):
        add(Case(name, f"script {line}", want, extra=entropy, alone=True))

    # Device queues and DMA.
    add(Case("queue arguments", "queue", exits(),
             extra='request { device "entropy" virtio=4 queues=1; dma "buffers" size="8KiB"; memory "scratch" size="8KiB"; }'))

    # The kernel itself faults while it serves a fiber (test kernel only: its extra meta operations).
    for number, word in ((0x1000, "null write"), (0x1001, "stack overflow"), (0x1002, "illegal instruction")):
        add(Case(f"kernel fault: {word}", f"kernel {number:#x}", faults("KERNEL"), test_kernel=True))
    return cases
