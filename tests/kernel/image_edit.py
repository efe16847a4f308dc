# SPDX-License-Identifier: Apache-2.0
"""A finished image in pieces: the boot archive, its packages and the packed manifests, to be changed.

The layouts are rumpk/archive.h and rumpk/bkdl.h. A packed manifest is read into a list of records
(tag, payload) whose fields are numbers and texts at known places, and written again without any
check, so that it can be made wrong. Signatures are nip-tamper's work, not done here.
"""
import hashlib
import struct

from guest import Elf

PAGE, ENTRY_SIZE = 4096, 192
(IDENTITY, RUNTIME, MATCH, REQUEST, PROVIDES, NEEDS) = range(1, 7)
(IMAGE, PACKAGE, KEY, GRANT, CONFIG, WIRE) = range(32, 38)

# tag -> {field: (offset, form)}; a form is struct's, or a size in bytes for a text.
SERVICE = {"name": (0, 32), "version": (32, "I"), "style": (36, "I"), "optional": (40, "I"), "clients": (44, "I")}
FIELDS = {
    IDENTITY: {"name": (0, 72), "version": (72, 72), "security_version": (144, "I"), "abi_version": (148, "I"),
               "kind": (152, "I"), "arch_mask": (156, "I")},
    RUNTIME: {"spectrum": (0, "I"), "flags": (4, "I"), "stack_size": (8, "Q"), "heap_size": (16, "Q"),
              "pledge": (24, "Q"), "budget_us": (32, "I"), "restart": (36, "I"), "restart_limit": (40, "I"),
              "restart_window_s": (44, "I"), "reserved": (48, 16)},
    MATCH: {"bus": (0, "I"), "device_id": (4, "I"), "vendor_id": (8, "I"), "class_code": (12, "I"),
            "compatible": (16, 64)},
    REQUEST: {"name": (0, 32), "type": (32, "I"), "rights": (36, "I"), "bus": (40, "I"), "device_id": (44, "I"),
              "queues": (48, "I"), "optional": (52, "I"), "size": (56, "Q"), "compatible": (64, 64),
              "vendor_id": (128, "I"), "class_code": (132, "I"), "bar": (136, "I"), "reserved": (140, "I")},
    PROVIDES: SERVICE,
    NEEDS: SERVICE,
    IMAGE: {"name": (0, 72), "version": (72, 72), "kernel_digest": (144, 32), "loaded_digest": (176, 32),
            "arch": (208, "I"), "flags": (212, "I"), "package_count": (216, "I"), "wire_count": (220, "I")},
    PACKAGE: {"name": (0, 72), "package_id": (72, 32), "security_floor": (104, "I"), "threshold": (108, "I"),
              "spectrum": (112, "I"), "flags": (116, "I"), "stack_max": (120, "Q"), "heap_max": (128, "Q"),
              "spawner": (136, "I"), "restart": (140, "I"), "pledge": (144, "Q"), "budget_us": (152, "I"),
              "restart_limit": (156, "I"), "restart_window_s": (160, "I"), "reserved": (164, "I")},
    KEY: {"key": (0, 32)},
    GRANT: {"name": (0, 32), "type": (32, "I"), "rights": (36, "I"), "bus": (40, "I"), "device_id": (44, "I"),
            "index": (48, "I"), "reserved": (52, "I"), "size": (56, "Q"), "compatible": (64, 64),
            "vendor_id": (128, "I"), "class_code": (132, "I"), "bar": (136, "I"), "reserved_2": (140, "I")},
    WIRE: {"service": (0, 32), "channel": (32, "I"), "style": (36, "I"), "client": (40, "I"), "server": (44, "I"),
           "slots": (48, "I"), "arena_count": (52, "I"), "arena_size": (56, "I"), "start": (60, "I")},
}


class Document:
    """npl.bkdl or boot.bkdl."""

    class Rec:
        def __init__(self, tag, payload):
            self.tag, self.payload = tag, bytearray(payload)

        def __getitem__(self, field):
            at, form = FIELDS[self.tag][field]
            if isinstance(form, int):
                return bytes(self.payload[at:at + form])
            return struct.unpack_from("<" + form, self.payload, at)[0]

        def __setitem__(self, field, value):
            at, form = FIELDS[self.tag][field]
            if isinstance(form, int):
                data = value.encode() if isinstance(value, str) else value
                self.payload[at:at + form] = data.ljust(form, b"\0")
            else:
                struct.pack_into("<" + form, self.payload, at, value)

        def text(self, field):
            return self[field].split(b"\0")[0].decode()

        def copy(self):
            return Document.Rec(self.tag, self.payload)

    def __init__(self, data):
        self.title, size, count, self.reserved = data[:16], *struct.unpack_from("<IIQ", data, 16)
        self.records, at = [], 32
        self.size_extra = 0   # added to the size that the opening states
        self.count_extra = 0  # and to its number of records
        self.tail = b""       # behind the last record
        for _ in range(count):
            tag, length = struct.unpack_from("<II", data, at)
            self.records.append(Document.Rec(tag, data[at + 8:at + 8 + length]))
            at += 8 + (length + 7 & ~7)
        if at != size or size != len(data):
            raise ValueError("this is no packed manifest")

    def pack(self):
        body = b""
        for record in self.records:
            body += struct.pack("<II", record.tag, len(record.payload)) + record.payload
            body += bytes(-len(record.payload) % 8)
        body += self.tail
        return self.title + struct.pack("<IIQ", 32 + len(body) + self.size_extra,
                                        len(self.records) + self.count_extra, self.reserved) + body

    def all(self, tag):
        return [r for r in self.records if r.tag == tag]

    def one(self, tag):
        return self.all(tag)[0]

    def remove(self, record):
        """Also out of the image's count, when it is a wire."""
        self.records.remove(record)
        if record.tag == WIRE:
            self.one(IMAGE)["wire_count"] -= 1

    def insert_after(self, record, new):
        self.records.insert(self.records.index(record) + 1, new)
        if new.tag == WIRE:
            self.one(IMAGE)["wire_count"] += 1

    # Of a boot manifest:

    def number(self, name):
        return [r.text("name") for r in self.all(PACKAGE)].index(name)

    def package(self, number):
        return self.all(PACKAGE)[number]

    def of(self, number, tag):
        """The records of one kind that belong to a package."""
        found, current = [], -1
        for record in self.records:
            current += record.tag == PACKAGE
            if current == number and record.tag == tag:
                found.append(record)
        return found

    def grant(self, number):
        return self.of(number, GRANT)[0]

    def wire(self, number):
        return next(r for r in self.all(WIRE) if r["client"] == number)


class Image:
    """The bytes of an image file and where the archive lies in them."""

    def __init__(self, path):
        elf = Elf(path)
        self.data = bytearray(elf.data)
        phoff, = struct.unpack_from("<Q", self.data, 32)
        phnum, = struct.unpack_from("<H", self.data, 56)
        self.header = elf.section[".rumpk.image"][4]  # file offset of struct rumpk_image_header
        base, self.size = struct.unpack_from("<QQ", self.data, self.header + 32)
        for at in range(phoff, phoff + 56 * phnum, 56):
            kind, _, offset, _, physical = struct.unpack_from("<IIQQQ", self.data, at)
            if kind == 1 and physical == base:
                self.archive = offset
                return
        raise ValueError(f"{path}: no archive at {base:#x}")

    def write(self, path):
        with open(path, "wb") as f:
            f.write(self.data)

    def get(self, at, form):
        """A number of the archive."""
        return struct.unpack_from("<" + form, self.data, self.archive + at)[0]

    def put(self, at, form, value):
        struct.pack_into("<" + form, self.data, self.archive + at, value)

    def bytes(self, at, size):
        return bytes(self.data[self.archive + at:self.archive + at + size])

    def owner_key(self):
        return bytes(self.data[self.header:self.header + 32])

    def flip(self, at, mask=1):
        self.data[self.archive + at] ^= mask

    def entry(self, number):
        return PAGE + number * ENTRY_SIZE

    def part(self, number, name):
        """(offset in the archive, size) of digests, bkdl or elf."""
        at = self.entry(number) + 16 * ("digests", "bkdl", "elf").index(name)
        return self.get(at, "Q"), self.get(at + 8, "Q")

    def end(self, number, name):
        return sum(self.part(number, name))

    def manifest(self):
        return self.get(24, "Q"), self.get(32, "Q")

    def boot(self):
        return Document(self.bytes(*self.manifest()))


def digest(data):
    return hashlib.blake2b(data, digest_size=32).digest()


def digests_update(text, path, data):
    """The same digests with another content of one file."""
    lines = text.decode().split("\n")
    found = [i for i, line in enumerate(lines) if line.startswith("file ") and line.endswith(" " + path)]
    lines[found[0]] = f"file {digest(data).hex()} {len(data)} {path}"
    return "\n".join(lines).encode()
