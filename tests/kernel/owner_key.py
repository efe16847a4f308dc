#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The kernel holds no public key before `nip image`, and the owner's exactly once after.

    owner_key.py ARCH --tool CASE_IMAGE --kernel KERNEL --work FOLDER

Looked for: the key of the SDK, and owner and publisher of two images: one made by case_image of this kernel, one made
by the SDK's nip of the SDK's kernel, with a development key of its own.
"""
import argparse
import base64
import os
import shutil
import subprocess
import sys

from build import build_driver
from guest import Elf, ROOT, SDK
from image_edit import Image
from refusals import CONSOLE, Forge

SECTION, SECTION_SIZE, KEY_SIZE = ".rumpk.image", 64, 32


def fail(text):
    sys.exit(f"owner_key: {text}")


def decoded(path):
    with open(path) as f:
        return base64.b64decode(f.read().split("\n")[1])


def public_half(path):
    """Of a secret key file without password: algorithms 6, salt 32, limits 16, id 8, secret and public half 64."""
    data = decoded(path)
    if data[2:4] != b"\0\0":
        fail(f"{path} is encrypted")
    return data[94:126]


def count(data, key):
    found, at = 0, data.find(key)
    while at >= 0:
        found, at = found + 1, data.find(key, at + 1)
    return found


def check_kernel(path, keys):
    """A kernel file as built."""
    elf = Elf(path)
    _, kind, _, address, offset, size, *_ = elf.section[SECTION]
    if kind != 1 or size != SECTION_SIZE or address != elf.symbols["rumpk_image_header"]:
        fail(f"{path}: {SECTION} has type {kind}, {size} bytes, address {address:#x}")
    if any(elf.data[offset:offset + size]):
        fail(f"{path}: {SECTION} is not zero: {elf.data[offset:offset + size].hex()}")
    for name, key in keys.items():
        if count(elf.data, key):
            fail(f"{path} holds the key of {name} before an image is made")


def check_image(path, owner, others):
    """A finished image: the owner's key in its place and nowhere else, the others' in the archive alone."""
    image = Image(path)
    data = bytes(image.data)
    if data[image.header:image.header + KEY_SIZE] != owner:
        fail(f"{path}: the owner's key is not in {SECTION}")
    if count(data, owner) != 1:
        fail(f"{path} holds the owner's key {count(data, owner)} times")
    for name, key in others.items():
        if count(data[:image.archive], key):
            fail(f"{path}: the kernel's part holds the key of {name}")
        if count(data, key) != count(data[image.archive:image.archive + image.size], key):
            fail(f"{path}: the key of {name} stands outside the archive")


def made_by_nip(arch, work):
    """An image of the SDK's own packages; (path, public half of its development key)."""
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    env = dict(os.environ, HOME=work, XDG_DATA_HOME=os.path.join(work, "data"))
    nip = os.path.join(SDK, "bin", "nip")
    subprocess.run([nip, "new", "--image", "box"], cwd=work, env=env, check=True, stdout=subprocess.DEVNULL)
    box = os.path.join(work, "box")
    subprocess.run([nip, "image", "--arch", arch], cwd=box, env=env, check=True, stdout=subprocess.DEVNULL)
    return (os.path.join(box, "build", f"box-{arch}.elf"),
            public_half(os.path.join(work, "data", "rumpk", "development.key")))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("arch")
    for name in ("tool", "kernel", "work"):
        parser.add_argument("--" + name, required=True)
    args = parser.parse_args()
    arch, work = args.arch, os.path.abspath(args.work)
    driver = build_driver(arch, os.path.join(ROOT, "tests", "kernel", "refused"), os.path.join(work, arch + "-driver"))
    console = build_driver(arch, os.path.join(ROOT, "drivers", CONSOLE[arch], "src"),
                           os.path.join(work, arch + "-console"))
    forge = Forge(args, "keys", [], [], driver, console)
    owner, publisher = (public_half(os.path.join(forge.folder, name + ".key")) for name in ("owner", "publisher"))
    sdk = decoded(os.path.join(SDK, "share", "rumpk", "sdk.pub"))[10:]
    image, development = made_by_nip(arch, os.path.join(work, arch + "-nip"))

    check_kernel(args.kernel, {"the SDK": sdk, "the test's owner": owner, "the test's publisher": publisher,
                               "development": development})
    check_image(forge.good, owner, {"the test's publisher": publisher, "the SDK": sdk})
    check_image(image, development, {"the SDK": sdk, "the test's owner": owner, "the test's publisher": publisher})
    if not count(open(forge.good, "rb").read(), publisher) or not count(open(image, "rb").read(), sdk):
        fail("the publishers' keys are nowhere: this test looks for the wrong bytes")
    print(f"{arch}: no key in the kernel as built, the owner's once in each image")
    return 0


if __name__ == "__main__":
    sys.exit(main())
