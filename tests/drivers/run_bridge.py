#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The services of a running system, seen from outside: run_bridge.py ARCH

Goal: diodls and diodcat, clients that know nothing of this project, list and read what drivers serve, and nothing
that is sent to the socket stops the bridge or the system. Method: a guest with a disk, an entropy device and a
virtio console whose port is a UNIX socket; the tools run against that socket, then a client that writes its
messages byte by byte, then the tools again.
"""
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import run_drivers  # noqa: E402
from run_drivers import MIB, ROOT, Guest, Shop, judge  # noqa: E402

DRIVERS = ("uart-16550", "uart-pl011", "virtio-blk", "virtio-rng", "bridge-9p")
TOOL_LIMIT = 60  # seconds of one run of a tool
VERSION = struct.pack("<IBHIH", 21, 100, 0xFFFF, 8192, 8) + b"9P2000.L"


def tool(name, path, *words):
    """Output of one of diod's tools."""
    command = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not command:
        sys.exit(f"{name} is not installed: apt-get install diod")
    try:
        done = subprocess.run([command, "-s", path, "-a", "/", *words], stdin=subprocess.DEVNULL, timeout=TOOL_LIMIT,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired:
        return b"no end after %d s" % TOOL_LIMIT
    return done.stdout


class Raw:
    """A client that sends what it is told to."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(path)

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.socket.close()

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise OSError("the connection ended")
            data += more
        return data

    def answer(self):
        head = self.exactly(7)
        size, kind, tag = struct.unpack("<IBH", head)
        return kind, tag, self.exactly(size - 7)

    def ask(self, kind, tag, body, size=None):
        self.socket.sendall(struct.pack("<IBH", len(body) + 7 if size is None else size, kind, tag) + body)
        return self.answer()

    def begin(self):
        self.socket.sendall(VERSION)
        return self.answer()[0]

    def attach(self, fid):
        return self.ask(104, 1, struct.pack("<II", fid, 0xFFFFFFFF) + text("u") + text("/") + struct.pack("<I", 0))


def text(word):
    return struct.pack("<H", len(word)) + word.encode()


def error_of(answer):
    return struct.unpack("<I", answer[2])[0] if answer[0] == 7 else f"type {answer[0]}"


def bad_messages(path):
    """What a hostile peer sends; each time the bridge still answers the next one."""
    with Raw(path) as raw:
        judge("a version is agreed", raw.begin(), 101)
        judge("attach", raw.attach(0)[0], 105)
        judge("a fid that is in use", error_of(raw.attach(0)), 9)
        judge("an unknown fid", error_of(raw.ask(120, 2, struct.pack("<I", 77))), 9)
        judge("unknown types", {error_of(raw.ask(kind, 3, bytes(4))) for kind in range(128, 256, 2)}, {95})
        judge("truncated bodies", {error_of(raw.ask(kind, 4, b"")) for kind in (104, 108, 110, 116, 118, 120, 12, 24, 40)}, {71})
        walk = struct.pack("<IIHH", 0, 1, 1, 0xFFFF) + b"data"
        judge("a name longer than its message", error_of(raw.ask(110, 5, walk)), 71)
        judge("names that are none", {error_of(raw.ask(110, 5, struct.pack("<IIH", 0, 1, 1) + text(name)))
                                      for name in ("", "absent", "block/data", "a\0b")}, {2})
        judge("walk", raw.ask(110, 6, struct.pack("<IIH", 0, 1, 2) + text("block") + text("data"))[0], 111)
        judge("open", raw.ask(12, 7, struct.pack("<II", 1, 0))[0], 13)
        # Several at once: the same tag again while its request waits may be refused, never confused.
        read = struct.pack("<IBHIQI", 23, 116, 9, 1, 0, 4096)
        raw.socket.sendall(read * 20)
        judge("twenty requests with one tag", {raw.answer()[:2] for _ in range(20)} <= {(117, 9), (7, 9)}, True)
        kind, _, body = raw.ask(116, 10, struct.pack("<IQI", 1, 0, 0xFFFFFFFF))
        judge("a read of everything is cut to a message", (kind, len(body) <= 8192), (117, True))
        raw.socket.sendall(VERSION[:10])
        time.sleep(0.2)
        raw.socket.sendall(VERSION[10:])
        judge("a version in two pieces", raw.answer()[0], 101)
        judge("fids of the session before", error_of(raw.ask(120, 2, struct.pack("<I", 1))), 9)
    noise = random.Random(1)
    lost = 0
    for round in range(40):
        with Raw(path) as raw:
            kind = round % 4
            if kind == 0:  # a message that never ends
                raw.socket.sendall(struct.pack("<IBH", 4000, 118, 1) + bytes(round))
            elif kind == 1:  # sizes that no message has
                raw.socket.sendall(struct.pack("<IBH", noise.choice((0, 3, 6, 8193, 0x7FFFFFFF, 0xFFFFFFFF)), 100, 1))
            elif kind == 2:
                raw.socket.sendall(noise.randbytes(noise.randrange(1, 20000)))
            else:  # well-framed, with nonsense inside
                raw.begin()
                raw.attach(0)
                for _ in range(50):
                    body = bytes(noise.choice((0, 1, 2, 255, noise.randrange(256))) for _ in range(noise.randrange(40)))
                    kind = noise.choice((8, 12, 24, 40, 50, 104, 110, 116, 118, 120, 122))
                    raw.ask(kind, noise.randrange(100), body)
        time.sleep(0.02)  # what a peer left behind arrives before the next one speaks
        with Raw(path) as raw:
            lost += raw.begin() != 101 or raw.attach(0)[0] != 105
    judge("forty hostile peers, the next one served each time", lost, 0)


def run(arch, folder):
    shop = Shop(arch, folder)
    for driver in DRIVERS:
        shop.publish(os.path.join(ROOT, "drivers", driver))
    image = shop.image("bridge", [f"rumpk/{driver}" for driver in DRIVERS])
    disk, path = os.path.join(folder, "disk.img"), os.path.join(folder, "socket")
    content = os.urandom(4 * MIB)
    with open(disk, "wb") as f:
        f.write(content)
    extra = ["-drive", f"if=none,id=test,format=raw,file={disk}", "-device", "virtio-blk-device,drive=test",
             "-chardev", f"socket,id=ninep,path={path},server=on,wait=off",
             "-device", "virtio-serial-device,max_ports=1", "-device", "virtconsole,chardev=ninep"]
    info = f"sectors {len(content) // 512}\nsector-size 512\nblock-size 512\nread-only no\nflush yes\nserial -\n".encode()
    with Guest(arch, image, extra=extra, rng=True) as guest:
        def tools(when):
            judge(f"diodls /, {when}", tool("diodls", path).split(), [b"block", b"rng"])
            judge(f"diodcat /block/info, {when}", tool("diodcat", path, "/block/info"), info)

        tools("at first")
        listed = tool("diodls", path, "-l", "/block").decode().split("\n")
        judge("diodls -l /block", [line.split()[:1] + line.split()[4:5] + line.split()[-1:] for line in listed if line],
              [["-rw-rw-rw-.", str(len(content)), "data"], ["-r--r--r--.", str(len(info)), "info"], ["--w--w--w-.", "0", "flush"]])
        judge("diodcat /block/data is the disk", tool("diodcat", path, "/block/data") == content, True)
        judge("diodcat of a file that is not there", b"No such file" in tool("diodcat", path, "/block/absent"), True)
        bad_messages(path)
        tools("after all that")
        judge("nothing failed in the guest", [r for r in guest.ledger() if r.kind in ("FAULT", "REFUSE", "EXIT") and
                                              not r.name.startswith("rumpk/uart")], [])


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in ("riscv64", "aarch64", "x86_64"):
        sys.exit(__doc__)
    folder = tempfile.mkdtemp(prefix="rumpk-bridge-")
    try:
        run(sys.argv[1], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if run_drivers.failures:
        sys.exit(f"{run_drivers.failures} cases failed on {sys.argv[1]}")


if __name__ == "__main__":
    main()
