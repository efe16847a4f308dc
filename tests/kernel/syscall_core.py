#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The syscall core of a linked kernel: small, and closed but for the ways out listed here.

    syscall_core.py ARCH KERNEL

Walks the disassembly between __syscall_start and __syscall_end. Every branch must stay inside or go to one of
WAYS_OUT; the only branch through a register is the one through the table of calls. A new way out is not wrong by
itself, but somebody must have meant it: it gets a line here, with its reason.
"""
import re
import subprocess
import sys

SIZE_LIMIT = 2048

WAYS_OUT = {
    # The fault path: the fiber ends, nothing comes back.
    "fiber_end_fault": "fault", "fiber_fault_call": "fault", "fiber_end_exit": "end of the fiber",
    "arch_trap_user": "fault: the processor's cause, read outside", "fault_from_user": "fault: the same",
    "trap_user": "fault: the same", "info_read": "fault: the same",
    "trap_kernel": "fault in the kernel itself", "trap_in_kernel": "the same", "arch_trap_kernel": "the same",
    # Into the objects' code.
    "sched_return": "back to user mode", "ring_send": "object: ring", "wait_now": "object: whatever is waited for",
    "hand_has": "object: who uses it, its part of the check",
    "virtio_submit": "object: queue", "virtio_can_submit": "object: queue, its part of the check",
    "sched_interrupt": "an interrupt is no call", "trap_interrupt": "an interrupt is no call", "interrupt_from_user": "an interrupt is no call",
    # The one accessor of driver memory.
    "user_read": "accessor", "user_is_writable": "accessor",
    # Words of the frame and the clock.
    "arch_frame_number": "frame", "arch_frame_argument": "frame", "fiber_current": "who runs",
    "record_ticks": "tick(NOW)", "quiet_begin": "when the kernel was entered",
    "memset": "clearing a structure, by the compiler", "memcpy": "copying one, by the compiler",
}

# Mnemonics: with an address, through a register, back out.
DIRECT = {
    "riscv64": r"j|jal|b(eq|ne|lt|ge|ltu|geu|eqz|nez|lez|gez|ltz|gtz|gt|le|gtu|leu)",
    "aarch64": r"b|bl|b\.\w+|cbn?z|tbn?z",
    "x86_64": r"j[a-z]+|callq?",
}
REGISTER = {"riscv64": r"jalr|jr", "aarch64": r"br|blr|bra\w+|blra\w+", "x86_64": r"none"}
BACK = {"riscv64": r"ret|sret", "aarch64": r"ret|eret", "x86_64": r"retq?|sysretq?|iretq?"}


def symbols(kernel):
    text = subprocess.run(["llvm-nm-19", kernel], check=True, capture_output=True, text=True).stdout
    return {name: int(value, 16) for value, kind, name in (line.split() for line in text.splitlines() if line[0] != " ")}


def main():
    arch, kernel = sys.argv[1], sys.argv[2]
    names = symbols(kernel)
    start, end = names["__syscall_start"], names["__syscall_end"]
    text = subprocess.run(["llvm-objdump-19", "-d", "--no-show-raw-insn", f"--start-address={start}",
                           f"--stop-address={end}", kernel], check=True, capture_output=True, text=True).stdout
    instructions, used, indirect, bad, function = 0, {}, [], [], "?"
    for line in text.splitlines():
        header = re.match(r"[0-9a-f]+ <(.+)>:$", line)
        if header:
            function = header.group(1)
            continue
        match = re.match(r"\s*([0-9a-f]+):\s+(\S+)\s*(.*)$", line)
        if not match:
            continue
        instructions += 1
        at, mnemonic, operands = int(match.group(1), 16), match.group(2), match.group(3)
        where = f"{at:#x} in {function}: {mnemonic} {operands}"
        if re.fullmatch(BACK[arch], mnemonic):
            continue
        resolved = re.search(r"<([^>+]+)(\+0x[0-9a-f]+)?>", operands)
        if re.fullmatch(DIRECT[arch], mnemonic) and "*" not in operands:
            target = re.search(r"0x([0-9a-f]+)(?: <|$)", operands)
            if not target or not resolved:
                bad.append(f"{where}: where does this go?")
            elif not start <= int(target.group(1), 16) < end:
                used.setdefault(resolved.group(1) if not resolved.group(2) else "?", []).append(where)
        elif re.fullmatch(REGISTER[arch], mnemonic) or (re.fullmatch(DIRECT[arch], mnemonic) and "*" in operands):
            # A riscv64 pair of auipc and jalr has a fixed target, which the disassembler names.
            if resolved and arch == "riscv64":
                target = names.get(resolved.group(1))
                if target is None or resolved.group(2) or not start <= target < end:
                    used.setdefault(resolved.group(1), []).append(where)
            else:
                indirect.append((function, where))
    for name, places in used.items():
        if name not in WAYS_OUT:
            bad += [f"{place}: leaves the core by a way that is not listed" for place in places]
    if len(indirect) != 1 or indirect[0][0] != "call_dispatch":
        bad += [f"{where}: a branch through a register beside the table of calls" for _, where in indirect]
        if not indirect:
            bad.append("no branch through the table of calls: is this the syscall core?")
    if end - start >= SIZE_LIMIT:
        bad.append(f"{end - start} bytes, must be below {SIZE_LIMIT}")
    if instructions < 100:
        bad.append(f"only {instructions} instructions found")
    print(f"{arch}: syscall core {end - start} bytes, {instructions} instructions, {len(used)} ways out")
    for name in sorted(used):
        print(f"  {name:24} {len(used[name])}  {WAYS_OUT.get(name, 'NOT LISTED')}")
    for problem in bad:
        print("FAILED:", problem)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
