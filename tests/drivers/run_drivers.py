#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The first-party drivers in a guest: run_drivers.py ARCH

Goal: disks of every kind (random, written to, read-only, of odd and of zero size, absent) are served right on
a machine of 8 MiB, to two clients at once; the entropy device gives entropy; lines of several drivers stay whole.
Method: the installed nip builds, signs and publishes the drivers of this tree into a registry of its own and
makes two images; each case boots one with another disk and compares console, exit codes and the disk file.
"""
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "kernel"))
from guest import SDK, Guest  # noqa: E402

DRIVERS = ("uart-16550", "uart-pl011", "virtio-blk", "virtio-rng", "disk-sum")
MIB = 1 << 20
WRITTEN = bytes((at * 13 + 5) % 256 for at in range(1536))


class Shop:
    """A registry and images in a folder of their own, with keys of their own."""

    def __init__(self, arch, folder):
        self.arch, self.folder = arch, folder
        self.environment = dict(os.environ, HOME=folder, XDG_DATA_HOME=f"{folder}/data",
                                XDG_CONFIG_HOME=f"{folder}/config", XDG_CACHE_HOME=f"{folder}/cache", RUMPK_SDK=SDK)
        self.environment.pop("NIP_PASSWORD", None)
        self.nip("key", "new", "--no-password", at=folder)
        shown = self.nip("key", "show", at=folder)
        self.fingerprint = next(word for word in shown.split() if len(word) == 64)

    def nip(self, *words, at):
        done = subprocess.run([os.path.join(SDK, "bin", "nip"), *words], cwd=at, env=self.environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            sys.exit(f"nip {' '.join(words)}: status {done.returncode}\n{done.stdout}")
        return done.stdout

    def publish(self, source):
        work = os.path.join(self.folder, "source", os.path.basename(source))
        shutil.copytree(source, work, ignore=shutil.ignore_patterns("build"))
        self.nip("publish", "--registry", f"file:{self.folder}/registry", at=work)

    def image(self, name, packages, config=None):
        work = os.path.join(self.folder, name)
        os.makedirs(work)
        path = os.path.join(work, "image.kdl")
        with open(path, "w") as f:
            f.write(f'image "test/{name}" version="0.1.0" {{\n    on-idle "power-off"\n}}\n')
        for package in packages:
            self.nip("add", package, "--registry", f"file:{self.folder}/registry", "--trust", self.fingerprint, "--yes",
                     at=work)
        if config:
            with open(path) as f:
                text = f.read()
            at = text.index("{", text.index('"test/disk-check"')) + 1
            with open(path, "w") as f:
                f.write(text[:at] + f'\n    config "{config}"' + text[at:])
        self.nip("image", "--arch", self.arch, at=work)
        return os.path.join(work, "build", f"{name}-{self.arch}.elf")


def boot(arch, image, disk=None, drive="", device=""):
    """Console lines and {package: (kind, code, detail)} of the last record of each package."""
    extra = []
    if disk:
        extra = ["-drive", f"if=none,id=test,format=raw,file={disk}{drive}", "-device", f"virtio-blk-device,drive=test{device}"]
    with Guest(arch, image, extra=extra, rng=True) as guest:
        guest.wait_power_off()
        console = guest.console()
        ends = {r.name.split("/")[-1]: (r.kind, r.code, r.detail) for r in guest.ledger() if r.name}
    # What the firmware prints comes first.
    lines = [line for line in console.split("\n") if line.split(":")[0] in WORDS]
    return lines, ends


WORDS = ("info", "size", "write", "read back", "flush", "unaligned write", "random", "disk-sum", "no disk", "virtio-blk")


def sum_line(content):
    return f"disk-sum: {len(content)} bytes blake2b-256 {hashlib.blake2b(content, digest_size=32).hexdigest()}"


def info_line(content, read_only=False, serial="-"):
    return (f"info: sectors {len(content) // 512};sector-size 512;block-size 512;read-only {'yes' if read_only else 'no'};"
            f"flush yes;serial {serial};")


def common_lines(content, **more):
    return [info_line(content, **more), f"size: {len(content)}, read at the end: 0", "random: done, fair"]


failures = 0


def judge(case, got, wanted):
    global failures
    if got == wanted:
        print(f"ok: {case}")
        return
    failures += 1
    print(f"FAILED: {case}\n  got    {got}\n  wanted {wanted}")


def ended(ends, names, code=0):
    return {name: ends.get(name) for name in names} == {name: ("EXIT", "", code) for name in names}


def run(arch, folder):
    shop = Shop(arch, folder)
    for driver in DRIVERS:
        shop.publish(os.path.join(ROOT, "drivers", driver))
    shop.publish(os.path.join(HERE, "disk-check"))
    base = ["rumpk/uart-16550", "rumpk/uart-pl011", "rumpk/virtio-blk", "rumpk/virtio-rng"]
    both = shop.image("both", base + ["rumpk/disk-sum", "test/disk-check"])
    write = shop.image("write", base + ["test/disk-check"], config="write")
    everybody = ("virtio-blk", "virtio-rng", "disk-check", "uart-pl011" if arch == "aarch64" else "uart-16550")
    disk = os.path.join(folder, "disk.img")

    def fresh(size):
        content = os.urandom(size)
        with open(disk, "wb") as f:
            f.write(content)
        return content

    content = fresh(4 * MIB)
    lines, ends = boot(arch, both, disk)
    judge("4 MiB of random bytes, two clients at once", sorted(lines), sorted(common_lines(content) + [sum_line(content)]))
    judge("every driver ended by itself", ended(ends, everybody + ("disk-sum",)), True)

    content = fresh(MIB)
    lines, ends = boot(arch, write, disk, device=",serial=SERIAL-12345")
    wanted = common_lines(content, serial="SERIAL-12345")
    wanted[2:2] = ["write: done", "read back: same", "flush: done",
                   "unaligned write: writes start and end at sector boundaries, multiples of 512 bytes"]
    judge("writes", lines, wanted)
    with open(disk, "rb") as f:
        judge("exactly what was written is on the disk", f.read() == content[:4096] + WRITTEN + content[4096 + 1536:], True)

    lines, ends = boot(arch, write, disk, drive=",readonly=on")
    wanted = common_lines(content, read_only=True)
    wanted[2:2] = ["write: the disk is read-only"]
    judge("a read-only disk", lines, wanted)

    # The emulator counts the last, partial sector as a whole one and fills it with zeros.
    content = fresh(100000) + bytes(-100000 % 512)
    lines, ends = boot(arch, both, disk)
    judge("a disk of odd size", sorted(lines), sorted(common_lines(content) + [sum_line(content)]))

    content = fresh(0)
    lines, ends = boot(arch, both, disk)
    judge("a disk of zero size", sorted(lines), sorted(common_lines(content) + [sum_line(content)]))
    judge("and every driver ended by itself", ended(ends, everybody + ("disk-sum",)), True)

    lines, ends = boot(arch, both)
    judge("no disk: the driver is refused", ends.get("virtio-blk", ("", ""))[:2], ("REFUSE", "GRANT_DEVICE"))
    judge("no disk: its clients are refused", [ends.get(name, ("", ""))[:2] for name in ("disk-sum", "disk-check")],
          [("REFUSE", "NEED_MISSING")] * 2)


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in ("riscv64", "aarch64", "x86_64"):
        sys.exit(__doc__)
    folder = tempfile.mkdtemp(prefix="rumpk-drivers-")
    try:
        run(sys.argv[1], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if failures:
        sys.exit(f"{failures} cases failed on {sys.argv[1]}")


if __name__ == "__main__":
    main()
