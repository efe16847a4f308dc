# SPDX-License-Identifier: Apache-2.0
"""A guest under the emulator, seen from outside: start it, wait for its power-off, read its memory.

The kernel prints nothing, so every test reads what happened out of guest memory: the ledger and the
boot record stand at symbols of the kernel's ELF file. Guest RAM is a file that the emulator maps
shared, so it can be read while the guest runs and after it is gone: with -no-shutdown the emulator
stays, paused, after a power-off, but the riscv64 machine's power-off ends the emulator at once. The
monitor (QMP, a private UNIX socket) tells the events.

    with Guest(arch, image, mib=8) as guest:
        guest.wait_power_off()
        ledger = guest.ledger()
"""
import hashlib
import json
import os
import re
import select
import shlex
import shutil
import socket
import struct
import subprocess
import tempfile
import time

ARCHES = ("riscv64", "aarch64", "x86_64")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SDK = os.environ.get("RUMPK_SDK", os.path.join(ROOT, "build", "sdk"))
RAM_BASE = {"riscv64": 0x80000000, "aarch64": 0x40000000, "x86_64": 0}

# Hang limit of one boot in seconds: twenty times the median of a loaded two-core machine.
HANG_LIMIT = float(os.environ.get("RUMPK_HANG_LIMIT", "120"))


class GuestError(Exception):
    pass


class EmulatorEnded(GuestError):
    pass


def abi_names(list_name, header):
    """Numbers and names of one X-macro list, read from the ABI header itself."""
    with open(os.path.join(ROOT, "abi", "include", "rumpk", header)) as f:
        text = f.read()
    body = re.search(r"#define %s\(X\)(.*?)\n\n" % list_name, text, re.S).group(1)
    return {int(v): n for n, v in re.findall(r"X\((\w+), (-?\d+),", body)}


FAULTS = abi_names("RUMPK_FAULTS", "result.h")
KINDS = abi_names("RUMPK_LEDGER_KINDS", "ledger.h")
REFUSALS = abi_names("RUMPK_REFUSALS", "ledger.h")
STAGES = abi_names("RUMPK_BOOT_STAGES", "ledger.h")
CAUSES = abi_names("RUMPK_BOOT_CAUSES", "ledger.h")


class Elf:
    """Symbols and sections of a 64-bit little-endian ELF file."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = f.read()
        shoff, = struct.unpack_from("<Q", self.data, 40)
        shentsize, shnum, shstrndx = struct.unpack_from("<HHH", self.data, 58)
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", self.data, shoff + i * shentsize) for i in range(shnum)]
        self.symbols, self.sizes = {}, {}
        for section in self.sections:
            if section[1] != 2:
                continue
            strings = self.sections[section[6]]
            for at in range(section[4], section[4] + section[5], 24):
                name, info, other, index, value, size = struct.unpack_from("<IBBHQQ", self.data, at)
                if name:
                    end = self.data.index(b"\0", strings[4] + name)
                    text = self.data[strings[4] + name:end].decode()
                    self.symbols[text], self.sizes[text] = value, size
        names = self.sections[shstrndx]
        self.section = {}
        for section in self.sections:
            end = self.data.index(b"\0", names[4] + section[0])
            self.section[self.data[names[4] + section[0]:end].decode()] = section


class Record:
    """One record of the ledger."""

    def __init__(self, raw):
        (self.sequence, self.kind_number, self.code_number, self.ticks, self.package, self.fiber, self.pc,
         self.address, self.detail, self.image_base, _) = struct.unpack_from("<IHHQIIQQQQQ", raw, 0)
        self.package_id = raw[64:96]
        self.name = raw[96:168].split(b"\0")[0].decode("ascii", "replace")
        self.previous, self.hash = raw[192:224], raw[224:256]
        self.kind = KINDS.get(self.kind_number, str(self.kind_number))
        names = REFUSALS if self.kind == "REFUSE" else FAULTS
        self.code = names.get(self.code_number, str(self.code_number)) if self.kind in ("REFUSE", "FAULT") else ""

    def __repr__(self):
        where = f" pc={self.pc:#x} address={self.address:#x} detail={self.detail:#x}" if self.kind == "FAULT" else f" detail={self.detail:#x}"
        return f"{self.sequence:3} {self.kind} {self.code} {self.name}{where}"


def read_machine(arch, on=None):
    """The emulator line of an architecture, as generated from toolchain/arch/<arch>.cmake; `on`: of another machine
    than the usual one."""
    lines = {}
    with open(os.path.join(SDK, "share", "rumpk", "machines", (f"{arch}-{on}" if on else arch) + ".kdl")) as f:
        for line in f:
            words = shlex.split(line.split("//")[0])
            if words and words[0] not in ("machine", "}", "{"):
                lines.setdefault(words[0], []).append(words[1:])
    return lines


class Guest:
    def __init__(self, arch, image, mib=None, disk=None, extra=(), gdb=False, rng=False, name="guest", on=None):
        self.arch, self.image, self.name = arch, image, name
        self.elf = Elf(image)
        self.folder = tempfile.mkdtemp(prefix="rumpk-")
        machine = read_machine(arch, on)
        fill = {"{kernel}": image.replace(",", ",,"), "{mib}": str(mib or machine["memory-mib"][0][0]),
                "{disk}": (disk or "").replace(",", ",,"), "{index}": "0"}
        words = []
        for key, wanted in (("arg", True), ("memory", True), ("kernel", True), ("disk", disk), ("rng", rng)):
            for row in machine.get(key, []) if wanted else []:
                for word in row:
                    for mark, value in fill.items():
                        word = word.replace(mark, value)
                    words.append(word)
        self.mib = int(fill["{mib}"])
        self.console_path = os.path.join(self.folder, "console")
        self.qmp_path = os.path.join(self.folder, "qmp")
        self.gdb_path = os.path.join(self.folder, "gdb")
        words += ["-serial", f"file:{self.console_path}", "-qmp", f"unix:{self.qmp_path},server=on,wait=off", "-no-shutdown"]
        self.ram_path = os.path.join(self.folder, "ram")
        words += ["-object", f"memory-backend-file,id=ram,size={self.mib}M,mem-path={self.ram_path},share=on",
                  "-machine", "memory-backend=ram"]
        words += ["-S"]  # until the monitor answers: events before that are lost
        if gdb:
            words += ["-gdb", f"unix:{self.gdb_path},server=on,wait=off"]
        self.command = [machine["qemu"][0][0]] + words + list(extra)
        self.log = open(os.path.join(self.folder, "qemu.log"), "wb")
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.events, self.buffer, self.failed = [], b"", True
        try:
            self.qmp = self._connect(self.qmp_path)
            self._message()
            self.command_qmp("qmp_capabilities")
            if not gdb:
                self._resume()
        except BaseException:
            self.close()
            raise

    def _resume(self):
        try:
            self.command_qmp("cont")
        except EmulatorEnded:
            pass  # with the guest, which was faster than the answer: wait_power_off judges it

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            print(f"--- {self.name} on {self.arch}: {' '.join(map(shlex.quote, self.command))}")
            print(f"--- console:\n{self.console()}")
            with open(self.log.name, errors="replace") as f:
                print(f"--- emulator:\n{f.read()}")
            try:
                print(f"--- boot record: {self.boot_record()}")
                for record in self.ledger():
                    print("---", record)
            except Exception as error:  # the guest is broken already; show what there is
                print(f"--- no ledger: {error}")
        self.close()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _connect(self, path):
        end = time.monotonic() + 30
        while True:
            try:
                s = socket.socket(socket.AF_UNIX)
                s.connect(path)
                return s
            except OSError:
                s.close()
                if self.process.poll() is not None or time.monotonic() > end:
                    with open(self.log.name, errors="replace") as f:
                        raise GuestError(f"the emulator did not start: {f.read()}")
                time.sleep(0.02)

    def _message(self, limit=30.0):
        end = time.monotonic() + limit
        while b"\n" not in self.buffer:
            ready, _, _ = select.select([self.qmp], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                return None
            data = self.qmp.recv(65536)
            if not data:
                raise EmulatorEnded("the emulator ended")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def command_qmp(self, name, **arguments):
        self.qmp.sendall(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
        while True:
            message = self._message()
            if message is None:
                raise GuestError(f"no answer to {name}")
            if "event" in message:
                self.events.append(message["event"])
            elif "error" in message:
                raise GuestError(f"{name}: {message['error']['desc']}")
            else:
                return message.get("return")

    def wait_power_off(self, limit=HANG_LIMIT):
        """Waits for the guest's own power-off. A reset, a crash of the emulator or the hang limit is an error."""
        end = time.monotonic() + limit
        while "SHUTDOWN" not in self.events:
            try:
                message = self._message(max(0.1, end - time.monotonic()))
            except EmulatorEnded:
                if self.process.wait(30) == 0:
                    return
                raise
            if message is None:
                self.command_qmp("stop")
                raise GuestError(f"no power-off after {limit:.0f} s")
            if "event" in message:
                self.events.append(message["event"])
                if message["event"] == "RESET":
                    raise GuestError("the guest was reset")

    def read(self, address, size):
        """Physical memory of the guest."""
        at = address - RAM_BASE[self.arch]
        if at < 0 or at + size > self.mib << 20:
            raise GuestError(f"{address:#x} is not RAM of the guest")
        with open(self.ram_path, "rb") as f:
            f.seek(at)
            return f.read(size)

    def is_off(self):
        """Has the guest powered itself off?"""
        try:
            return self.command_qmp("query-status")["status"] == "shutdown"
        except (EmulatorEnded, BrokenPipeError, ConnectionResetError):
            return self.process.wait(30) == 0

    def ram(self):
        return self.read(RAM_BASE[self.arch], self.mib << 20)

    def symbol(self, name):
        return self.elf.symbols[name]

    def console(self):
        try:
            with open(self.console_path, "rb") as f:
                return f.read().decode("utf-8", "replace").replace("\r\n", "\n")
        except OSError:
            return ""

    def boot_record(self):
        raw = self.read(self.symbol("rumpk_boot_record"), 296)
        names = ("magic", "stage", "cause", "arch", "package", "pc", "address", "detail", "timer_hz")
        record = dict(zip(names, struct.unpack_from("<QIIIIQQQQ", raw, 0)))
        record["ticks"] = struct.unpack_from("<16Q", raw, 56)
        more = ("memory_size", "systable_physical", "kernel_start", "kernel_end", "pages_total", "pages_free")
        record.update(zip(more, struct.unpack_from("<6Q", raw, 184)))
        record["stage_name"] = STAGES.get(record["stage"], str(record["stage"]))
        record["cause_name"] = CAUSES.get(record["cause"], str(record["cause"]))
        return record

    def ledger(self):
        """All records, the hash chain checked."""
        raw = self.read(self.symbol("rumpk_ledger"), 64 + 256 * 256)
        magic, capacity, count, dropped = struct.unpack_from("<QIII", raw, 0)
        if magic != 0x3052474C4B504D52:
            raise GuestError("no ledger in guest memory")
        if count > capacity or dropped:
            raise GuestError(f"ledger: {count} of {capacity} records, {dropped} dropped")
        records, previous = [], bytes(32)
        for index in range(count):
            part = raw[64 + index * 256:64 + (index + 1) * 256]
            record = Record(part)
            expected = hashlib.blake2b(previous + part[:192], digest_size=32).digest()
            if record.previous != previous or record.hash != expected or record.sequence != index:
                raise GuestError(f"ledger: record {index} breaks the chain")
            previous = record.hash
            records.append(record)
        return records


class Gdb:
    """As much of the remote protocol as breakpoints need."""

    def __init__(self, guest):
        self.socket = guest._connect(guest.gdb_path)
        self.socket.settimeout(HANG_LIMIT)
        self.buffer = b""

    def _packet(self):
        while True:
            match = re.search(rb"\$([^#]*)#(..)", self.buffer)
            if match:
                self.buffer = self.buffer[match.end():]
                self.socket.sendall(b"+")
                return match.group(1)
            data = self.socket.recv(65536)
            if not data:
                raise GuestError("the emulator ended")
            self.buffer += data

    def ask(self, text):
        self.send(text)
        return self._packet()

    def send(self, text):
        data = text.encode()
        self.socket.sendall(b"$" + data + b"#%02x" % (sum(data) & 255))

    def breakpoint(self, address):
        if self.ask(f"Z1,{address:x},4") != b"OK" and self.ask(f"Z0,{address:x},1") != b"OK":
            raise GuestError("no breakpoint")

    def remove(self, address):
        if self.ask(f"z1,{address:x},4") != b"OK":
            self.ask(f"z0,{address:x},1")

    def resume(self, limit):
        """Runs to the next stop; None when the guest did not stop in time (it powered off)."""
        self.send("c")
        self.socket.settimeout(limit)
        try:
            return self._packet()
        except (socket.timeout, GuestError, OSError):
            return None
        finally:
            self.socket.settimeout(HANG_LIMIT)
