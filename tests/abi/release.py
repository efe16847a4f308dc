#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The packages of release 1, byte for byte as they were stored (release-1/README.md), under today's nip and kernel.

    release.py NIP

Each stored package is verified under the stored key; then an image of console, disk and disk-sum is made of them
with nip, as its owner would, and booted on each architecture: the sum of the disk must be right.
"""
import glob
import hashlib
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "kernel"))
from guest import ARCHES, Guest, GuestError, SDK  # noqa: E402

STORED = os.path.join(ROOT, "tests", "abi", "release-1")
PACKAGES = ("bridge-9p", "disk-sum", "uart-16550", "uart-pl011", "virtio-blk", "virtio-rng")


def main():
    nip = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="rumpk-release-") as work:
        environment = dict(os.environ, RUMPK_SDK=SDK, HOME=work)
        for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "NIP_PASSWORD"):
            environment.pop(name, None)

        def run(*words):
            done = subprocess.run([nip, *words], cwd=work, env=environment, stdin=subprocess.DEVNULL, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode != 0:
                raise GuestError(f"nip {' '.join(words)}: status {done.returncode}\n{done.stdout}")

        fingerprint = os.path.basename(glob.glob(os.path.join(STORED, "registry/rumpk/disk-sum/publishers/*"))[0])[:-4]
        with open(os.path.join(work, "image.kdl"), "w") as f:
            f.write('image "local/release" version="0.1.0" {\n    on-idle "power-off"\n}\n')
        for name in PACKAGES:
            blobs = glob.glob(os.path.join(STORED, f"registry/rumpk/{name}/blobs/sha256/*"))
            run("verify", max(blobs, key=os.path.getsize), "--key", os.path.join(STORED, "release.pub"))
        for name in ("uart-16550", "uart-pl011", "virtio-blk", "disk-sum"):
            run("add", f"rumpk/{name}", "--registry", f"file:{STORED}/registry", "--trust", fingerprint, "--yes")
        run("image")
        disk = os.path.join(work, "disk")
        data = bytes(range(256)) * 256
        with open(disk, "wb") as f:
            f.write(data)
        wanted = hashlib.blake2b(data, digest_size=32).hexdigest()
        for arch in ARCHES:
            with Guest(arch, os.path.join(work, "build", f"release-{arch}.elf"), mib=16, disk=disk,
                       name=f"release-{arch}") as guest:
                guest.wait_power_off()
                console, ledger = guest.console(), guest.ledger()
            ends = {r.name: (r.kind, r.detail) for r in ledger if r.kind in ("EXIT", "FAULT", "REFUSE")}
            good = [ends.get(f"rumpk/{name}") == ("EXIT", 0) for name in ("disk-sum", "virtio-blk")]
            if not all(good) or (wanted not in console and hashlib.sha256(data).hexdigest() not in console):
                raise GuestError(f"{arch}: {ledger} {console!r}")
            print(f"{arch}: the packages of release 1 run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
