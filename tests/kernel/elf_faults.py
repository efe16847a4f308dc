# SPDX-License-Identifier: Apache-2.0
"""Driver files that a loader must refuse, each wrong in one way only, made from a good one.

Each entry of FAULTS is (name, refusal, function): the function takes the bytes of a good driver file
and returns the bad one. All of them are then validly digested, signed and pinned, so each is refused
by the check that it is meant for and by no earlier one.
"""
import struct

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_TLS = 1, 2, 3, 4, 7
PT_GNU_STACK, PT_GNU_RELRO = 0x6474E551, 0x6474E552
DT_NULL, DT_NEEDED, DT_RELA, DT_RELASZ, DT_RELAENT, DT_REL, DT_TEXTREL, DT_JMPREL = 0, 1, 7, 8, 9, 17, 22, 23
DT_FLAGS, DT_RELACOUNT, DT_FLAGS_1 = 30, 0x6FFFFFF9, 0x6FFFFFFB


class Elf:
    def __init__(self, data):
        self.data = bytearray(data)
        self.phoff, = struct.unpack_from("<Q", data, 32)
        self.phnum, = struct.unpack_from("<H", data, 56)

    def put(self, at, form, value):
        struct.pack_into("<" + form, self.data, at, value)

    def get(self, at, form):
        return struct.unpack_from("<" + form, self.data, at)[0]

    def headers(self, kind):
        return [at for at in range(self.phoff, self.phoff + 56 * self.phnum, 56) if self.get(at, "I") == kind]

    def loads(self):
        return self.headers(PT_LOAD)

    def executable(self):
        return next(at for at in self.loads() if self.get(at + 4, "I") & 1)

    def writable(self):
        return next(at for at in self.loads() if self.get(at + 4, "I") & 2)

    def dynamic(self, tag):
        at = self.get(self.headers(PT_DYNAMIC)[0] + 8, "Q")
        while self.get(at, "Q") != DT_NULL:
            if self.get(at, "Q") == tag:
                return at
            at += 16
        return at  # the terminating entry

    def relocations(self):
        return self.get(self.dynamic(DT_RELA) + 8, "Q")

    def note(self):
        """File offset of the ABI note's description."""
        for header in self.headers(PT_NOTE):
            at, end = self.get(header + 8, "Q"), self.get(header + 8, "Q") + self.get(header + 32, "Q")
            while at < end:
                names, size, kind = (self.get(at + i * 4, "I") for i in range(3))
                if self.data[at + 12:at + 18] == b"Rumpk\0":
                    return at + 12 + (names + 3 & ~3)
                at += 12 + (names + 3 & ~3) + (size + 3 & ~3)
        raise ValueError("no ABI note")


def change(at, form, value):
    """A function that writes one number; `at` and `value` may depend on the file."""
    def apply(data):
        elf = Elf(data)
        where = at(elf) if callable(at) else at
        elf.put(where, form, value(elf, where) if callable(value) else value)
        return bytes(elf.data)
    return apply


def truncate(data):
    return data[:len(data) // 2]


def drop_header(data):
    return data[:40]


def overlap(data):
    elf = Elf(data)
    first, second = elf.loads()[0], elf.loads()[1]
    elf.put(first + 40, "Q", elf.get(second + 16, "Q") + 4096)  # p_memsz reaches into the next
    elf.put(first + 32, "Q", elf.get(second + 16, "Q") + 4096)
    return bytes(elf.data)


def out_of_order(data):
    """The headers of two segments change places."""
    elf = Elf(data)
    first, second = elf.loads()[1:3]
    elf.data[first:first + 56], elf.data[second:second + 56] = elf.data[second:second + 56], elf.data[first:first + 56]
    return bytes(elf.data)


def relro_in_text(data):
    elf = Elf(data)
    relro, code = elf.headers(PT_GNU_RELRO)[0], elf.executable()
    elf.data[relro + 8:relro + 48] = elf.data[code + 8:code + 48]
    return bytes(elf.data)


def two_dynamic(data):
    """The stack's header becomes another one of the dynamic section."""
    elf = Elf(data)
    stack, dynamic = elf.headers(PT_GNU_STACK)[0], elf.headers(PT_DYNAMIC)[0]
    elf.data[stack:stack + 56] = elf.data[dynamic:dynamic + 56]
    return bytes(elf.data)


def headers_elsewhere(data):
    """A second copy of the program headers, in the grown first segment, is the one that the header names."""
    elf = Elf(data)
    first, size, place = elf.loads()[0], 56 * elf.phnum, 4096 - 1024
    if elf.get(first + 32, "Q") > place or elf.get(elf.loads()[1] + 16, "Q") < 4096:
        raise ValueError("no room in the first segment")
    elf.put(first + 32, "Q", 4096)
    elf.put(first + 40, "Q", 4096)
    elf.data[place:place + size] = elf.data[elf.phoff:elf.phoff + size]
    elf.put(32, "Q", place)
    return bytes(elf.data)


def nine_segments(data):
    elf = Elf(data.ljust(9 * 4096, b"\0"))
    for index in range(9):
        struct.pack_into("<IIQQQQQQ", elf.data, 64 + 56 * index, PT_LOAD, 5 if index == 1 else 6 if index else 4,
                         *[index * 4096] * 3, 4096, 4096, 4096)
    elf.put(56, "H", 9)
    return bytes(elf.data)


def nothing_loaded(data):
    elf = Elf(data)
    for header in elf.loads():
        elf.put(header, "I", 0)
    return bytes(elf.data)


def two_relro(data):
    elf = Elf(data)
    stack, relro = elf.headers(PT_GNU_STACK)[0], elf.headers(PT_GNU_RELRO)[0]
    elf.data[stack:stack + 56] = elf.data[relro:relro + 56]
    return bytes(elf.data)


def note_at(offset, address):
    """Moves the header of the notes."""
    def apply(data):
        elf = Elf(data)
        header = elf.headers(PT_NOTE)[0]
        elf.put(header + 8, "Q", offset(elf.get(header + 8, "Q")))
        elf.put(header + 16, "Q", address(elf.get(header + 16, "Q")))
        return bytes(elf.data)
    return apply


def dynamic_size(value):
    """The dynamic section gets another length; `value` sees the old one."""
    return change(lambda e: e.headers(PT_DYNAMIC)[0] + 32, "Q", lambda e, at: value(e.get(at, "Q")))


def dynamic_entry(tag, value=None):
    """The entry that only counts relocations, which no loader needs, becomes another one."""
    def apply(data):
        elf = Elf(data)
        at = elf.dynamic(DT_RELACOUNT)
        if elf.get(at, "Q") != DT_RELACOUNT:
            raise ValueError("no DT_RELACOUNT")
        elf.put(at, "Q", tag)
        if value is not None:
            elf.put(at + 8, "Q", value)
        return bytes(elf.data)
    return apply


def relocations_twice(data):
    return dynamic_entry(DT_RELA, Elf(data).relocations())(data)


def dynamic_flag(tag, flag):
    def apply(data):
        elf = Elf(data)
        at = elf.dynamic(tag)
        if elf.get(at, "Q") != tag:
            raise ValueError(f"no dynamic entry {tag}")
        elf.put(at + 8, "Q", elf.get(at + 8, "Q") | flag)
        return bytes(elf.data)
    return apply


def relocation_outside(data):
    elf = Elf(data)
    elf.put(elf.relocations(), "Q", elf.get(elf.executable() + 16, "Q"))
    return bytes(elf.data)


def second_note(data):
    """The build id note becomes a second ABI note."""
    elf = Elf(data)
    for header in elf.headers(PT_NOTE):
        at, end = elf.get(header + 8, "Q"), elf.get(header + 8, "Q") + elf.get(header + 32, "Q")
        while at < end:
            names, size = elf.get(at, "I"), elf.get(at + 4, "I")
            if elf.data[at + 12:at + 16] == b"GNU\0":
                elf.put(at, "I", 6)          # the name grows by four bytes, the description shrinks
                elf.put(at + 4, "I", size - 4)
                elf.put(at + 8, "I", 1)
                elf.data[at + 12:at + 20] = b"Rumpk\0\0\0"
                return bytes(elf.data)
            at += 12 + (names + 3 & ~3) + (size + 3 & ~3)
    raise ValueError("no build id")


def no_note(data):
    elf = Elf(data)
    elf.data[elf.note() - 8:elf.note() - 2] = b"Other\0"
    return bytes(elf.data)


FAULTS = [
    ("elf: truncated", "ELF_BOUNDS", truncate),
    ("elf: empty table", "ELF_BOUNDS", change(56, "H", 0)),
    ("elf: forty bytes", "ELF_HEADER", drop_header),
    ("elf: magic", "ELF_HEADER", change(0, "B", 0x7E)),
    ("elf: 32-bit class", "ELF_HEADER", change(4, "B", 1)),
    ("elf: big-endian", "ELF_HEADER", change(5, "B", 2)),
    ("elf: unknown version", "ELF_HEADER", change(20, "I", 2)),
    ("elf: for an operating system", "ELF_HEADER", change(7, "B", 3)),
    ("elf: type EXEC", "ELF_HEADER", change(16, "H", 2)),
    ("elf: other machine", "ELF_MACHINE", change(18, "H", 40)),
    ("elf: program headers outside", "ELF_BOUNDS", change(32, "Q", 0xFFFFFFFFFFFFFF00)),
    ("elf: too many program headers", "ELF_BOUNDS", change(56, "H", 0xFFFF)),
    ("elf: program headers elsewhere", "ELF_BOUNDS", headers_elsewhere),
    ("elf: nothing to load", "ELF_BOUNDS", nothing_loaded),
    ("elf: nine segments", "ELF_SEGMENT", nine_segments),
    ("elf: segment beyond the file", "ELF_BOUNDS", change(lambda e: e.executable() + 32, "Q", 1 << 40)),
    ("elf: offset and size overflow", "ELF_BOUNDS", change(lambda e: e.executable() + 8, "Q", 0xFFFFFFFFFFFFF000)),
    ("elf: address and size overflow", "ELF_BOUNDS", change(lambda e: e.executable() + 16, "Q", 0xFFFFFFFFFFFFF000)),
    ("elf: more in the file than in memory", "ELF_BOUNDS",
     change(lambda e: e.executable() + 40, "Q", lambda e, at: e.get(at, "Q") - 8)),
    ("elf: code longer than its file part", "ELF_BOUNDS",
     change(lambda e: e.executable() + 40, "Q", lambda e, at: e.get(at, "Q") + 8)),
    ("elf: segments out of order", "ELF_OVERLAP", out_of_order),
    ("elf: segments overlap", "ELF_OVERLAP", overlap),
    ("elf: segment not aligned", "ELF_ALIGNMENT",
     change(lambda e: e.executable() + 16, "Q", lambda e, at: e.get(at, "Q") + 8)),
    ("elf: writable and executable", "ELF_WX", change(lambda e: e.executable() + 4, "I", 7)),
    ("elf: segment that cannot be read", "ELF_SEGMENT", change(lambda e: e.executable() + 4, "I", 1)),
    ("elf: read-only after relocation: code", "ELF_SEGMENT", relro_in_text),
    ("elf: read-only after relocation: twice", "ELF_SEGMENT", two_relro),
    ("elf: read-only after relocation: no page", "ELF_SEGMENT",
     change(lambda e: e.headers(PT_GNU_RELRO)[0] + 16, "Q", lambda e, at: e.get(at, "Q") + 8)),
    ("elf: two dynamic sections", "ELF_DYNAMIC", two_dynamic),
    ("elf: interpreter", "ELF_SEGMENT", change(lambda e: e.headers(PT_GNU_STACK)[0], "I", PT_INTERP)),
    ("elf: thread-local segment", "ELF_SEGMENT", change(lambda e: e.headers(PT_GNU_STACK)[0], "I", PT_TLS)),
    ("elf: executable stack", "ELF_WX", change(lambda e: e.headers(PT_GNU_STACK)[0] + 4, "I", 7)),
    ("elf: entry in data", "ELF_ENTRY", change(24, "Q", lambda e, at: e.get(e.writable() + 16, "Q"))),
    ("elf: entry outside", "ELF_ENTRY", change(24, "Q", 0xFFFFFFFFFFFFFFF0)),
    ("elf: needs a library", "ELF_DYNAMIC", dynamic_entry(DT_NEEDED, 0)),
    ("elf: text relocations", "ELF_DYNAMIC", dynamic_entry(DT_TEXTREL, 0)),
    ("elf: text relocations, as a flag", "ELF_DYNAMIC", dynamic_flag(DT_FLAGS, 4)),
    ("elf: an unknown dynamic flag", "ELF_DYNAMIC", dynamic_flag(DT_FLAGS_1, 0x20)),
    ("elf: relocations without addend", "ELF_DYNAMIC", dynamic_entry(DT_REL)),
    ("elf: procedure linkage", "ELF_DYNAMIC", dynamic_entry(DT_JMPREL)),
    ("elf: relocation table named twice", "ELF_DYNAMIC", relocations_twice),
    ("elf: dynamic section without an end", "ELF_DYNAMIC", dynamic_size(lambda old: old - 16)),
    ("elf: dynamic section with half an entry", "ELF_DYNAMIC", dynamic_size(lambda old: old + 8)),
    ("elf: dynamic section too long", "ELF_DYNAMIC", dynamic_size(lambda old: 65 * 16)),
    ("elf: dynamic section outside", "ELF_DYNAMIC", dynamic_size(lambda old: 1 << 40)),
    ("elf: relocations of another size", "ELF_DYNAMIC", change(lambda e: e.dynamic(DT_RELAENT) + 8, "Q", 16)),
    ("elf: part of a relocation", "ELF_DYNAMIC",
     change(lambda e: e.dynamic(DT_RELASZ) + 8, "Q", lambda e, at: e.get(at, "Q") - 8)),
    ("elf: relocation table outside", "ELF_DYNAMIC", change(lambda e: e.dynamic(DT_RELA) + 8, "Q", 1 << 40)),
    ("elf: relocation of another type", "ELF_RELOCATION", change(lambda e: e.relocations() + 8, "I", 2)),
    ("elf: relocation in text", "ELF_RELOCATION", relocation_outside),
    ("elf: relocation beyond the image", "ELF_RELOCATION", change(lambda e: e.relocations(), "Q", 0xFFFFFFFFFFFFFFF8)),
    ("elf: relocation misaligned", "ELF_RELOCATION",
     change(lambda e: e.relocations(), "Q", lambda e, at: e.get(at, "Q") + 1)),
    ("elf: memory image too large", "ELF_SIZE", change(lambda e: e.loads()[-1] + 40, "Q", 1 << 33)),
    ("note: missing", "NOTE_MISSING", no_note),
    ("note: twice", "NOTE_MISSING", second_note),
    ("note: other ABI version", "NOTE_ABI", change(lambda e: e.note(), "I", 77)),
    ("note: other SysTable size", "NOTE_ABI", change(lambda e: e.note() + 12, "I", 232)),
    ("note: outside the file", "ELF_BOUNDS", note_at(lambda old: 1 << 40, lambda old: 1 << 40)),
    ("note: at another address", "ELF_BOUNDS", note_at(lambda old: old, lambda old: old + 4)),
    ("note: half a header behind it", "NOTE_MISSING", change(lambda e: e.headers(PT_NOTE)[0] + 32, "Q", 68 + 4)),
    ("note: longer than its segment", "NOTE_MISSING", change(lambda e: e.note() - 16, "I", 0xFFFFFFF0)),
    ("note: other architecture", "NOTE_ARCH", change(lambda e: e.note() + 4, "I", 9)),
    ("note: unknown profile", "NOTE_PROFILE", change(lambda e: e.note() + 8, "I", 9)),
]
