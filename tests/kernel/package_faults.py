# SPDX-License-Identifier: Apache-2.0
"""Packages that are wrong in exactly one way each, as data for refusals.py.

Every package begins as a good one: its unchanged form is booted first and must run to its end. Then one
Fault changes it at one place, and everything that was signed over that place is made again:

    elf, bkdl     the driver file, npl.bkdl         then digests, id, signatures follow
    digests       the signed text                   then id and signatures follow
    late_*        a file after the digests          then nothing follows but the layout
    boot          the boot manifest (document, number of the package), signed by the owner
    file          bytes of the finished image (image, number of the package): no signature fits it

So only the check that is meant for the place can refuse it.
"""
import elf_faults
from guest import abi_names
from image_edit import IDENTITY, KEY, MATCH, NEEDS, PAGE, PROVIDES, REQUEST, RUNTIME

CAP = {name: number for number, name in abi_names("RUMPK_CAP_TYPES", "cap.h").items()}
RIGHT_DMA = 4
KIND_LIBRARY = 2
STYLE_SERVICE = 2
AFTER_OR_REFUSE, AFTER_OR_WAIT = 0, 1  # RUMPK_START_*
HEAP_MAX = 16 << 20  # RUMPK_HEAP_MAX: as much as the whole guest has
ELF_SIZE_MAX = 4 << 20  # RUMPK_ELF_SIZE_MAX
COMPATIBLE = {"riscv64": "ns16550a", "aarch64": "arm,pl011", "x86_64": "ns16550a"}
OTHER_ARCH = {"riscv64": "aarch64", "aarch64": "x86_64", "x86_64": "riscv64"}
ARCH_NUMBER = {"riscv64": 1, "aarch64": 2, "x86_64": 3}

# Lines of npl.kdl.
SINK = 'provides { service "sink" 1 style="stream" clients=%d; }\n'
NEED = 'needs { service "sink" 1 style="stream"; }\n'


class Package:
    """A good package of a test image. manifest: more lines of npl.kdl; image: more words of its node in image.kdl;
    wires: (service, name of the server)."""

    def __init__(self, name, manifest="", image="", wires=()):
        self.name, self.manifest, self.image, self.wires = name, manifest, image, wires


class Fault:
    """One case: a good package and the one change to it."""

    def __init__(self, name, want, manifest="", image="", wires=(), package=None, resign=False, **changes):
        self.name, self.want = name, want
        self.manifest, self.image, self.wires = manifest, image, wires
        self.package = package  # its name where others refer to it
        self.resign = resign    # signed, rightly, by a key that nobody pinned
        self.changes = changes


def field(tag, name, value, index=0):
    """A change of one field of npl.bkdl; `value` may depend on the old one."""
    def apply(document):
        record = document.all(tag)[index]
        record[name] = value(record[name]) if callable(value) else value
    return apply


def pinned(name, value):
    """A change of one field of the package's record in the boot manifest."""
    def apply(boot, number):
        record = boot.package(number)
        record[name] = value(record[name]) if callable(value) else value
    return apply


def pinned_keys(threshold, keys):
    """Other keys for the package: 0 its publisher's, "owner" the image owner's, other numbers a stranger's."""
    def apply(boot, number):
        record = boot.package(number)
        record["threshold"] = threshold
        old = boot.of(number, KEY)[0]
        for key in reversed(keys):
            new = old.copy()
            if key:
                new["key"] = boot.owner_key if key == "owner" else bytes([key]) * 32
            boot.insert_after(record, new)
        boot.remove(old)
    return apply


def granted(name, value):
    def apply(boot, number):
        grant = boot.grant(number)
        grant[name] = value(grant[name]) if callable(value) else value
    return apply


def wired(**values):
    def apply(boot, number):
        wire = boot.wire(number)
        for name, value in values.items():
            wire[name] = value
    return apply


def text(old, new):
    """A change of the signed text."""
    def apply(digests):
        if digests.count(old) == 0:
            raise ValueError(f"no {old!r} in digests")
        return digests.replace(old, new, 1)
    return apply


def flip_first(data):
    return bytes([data[0] ^ 1]) + data[1:]


def flip_last(data):
    return data[:-1] + bytes([data[-1] ^ 1])


def elf_cases():
    return [Fault(name, want, elf=change) for name, want, change in elf_faults.FAULTS]


# ---- layout of the archive: outside every signature ----

def entry_number(at, value):
    """A number of the package's entry; `value` gets the image, the package's number and the old number."""
    def apply(image, number):
        place = image.entry(number) + at
        image.put(place, "Q", value(image, number, image.get(place, "Q")))
    return apply


def padding(part, unit):
    def apply(image, number):
        at = image.end(number, part)
        if at % unit == 0:
            raise ValueError(f"no padding after {part}")
        image.flip(at, 0x80)
    return apply


def odd_length(digests):
    """So that padding follows: the toolchain's name takes any length."""
    return digests.replace(b"toolchain test", b"toolchain test" + b"x" * (8 + -len(digests) % 16), 1)


def signature_of_next(image, number):
    at, other = image.entry(number) + 80, image.entry(number + 1) + 80
    image.data[image.archive + at:image.archive + at + 64] = image.bytes(other, 64)


def archive_cases():
    return [
        Fault("archive: reserved bytes of an entry", "ARCHIVE_HEADER",
              file=lambda image, n: image.flip(image.entry(n) + 144 + 47)),
        Fault("signature: one bit flipped", "SIGNATURE", file=lambda image, n: image.flip(image.entry(n) + 80)),
        Fault("archive: digests begin elsewhere", "ARCHIVE_BOUNDS", file=entry_number(0, lambda i, n, old: old + 16)),
        Fault("signature: last bit flipped", "SIGNATURE", file=lambda image, n: image.flip(image.entry(n) + 143, 0x80)),
        Fault("archive: digests of no length", "ARCHIVE_BOUNDS", file=entry_number(8, lambda i, n, old: 0)),
        Fault("signature: of another package", "SIGNATURE", file=signature_of_next),
        Fault("archive: digests too long", "ARCHIVE_BOUNDS", file=entry_number(8, lambda i, n, old: 1 << 63)),
        Fault("key: another one pinned", "PACKAGE_KEY", boot=lambda boot, n: boot.of(n, KEY)[0].__setitem__(
            "key", flip_first(boot.of(n, KEY)[0]["key"]))),
        Fault("archive: npl.bkdl elsewhere", "ARCHIVE_BOUNDS", file=entry_number(16, lambda i, n, old: old + 16)),
        Fault("key: validly signed by another one", "PACKAGE_KEY", resign=True),
        Fault("archive: npl.bkdl too long", "ARCHIVE_BOUNDS", file=entry_number(24, lambda i, n, old: 1 << 63)),
        Fault("key: one bit flipped", "PACKAGE_KEY", file=lambda image, n: image.flip(image.entry(n) + 48)),
        Fault("key: threshold of two, others pinned", "PACKAGE_KEY", boot=pinned_keys(2, [1, 2])),
        Fault("key: threshold of two, the owner's pinned", "PACKAGE_KEY", boot=pinned_keys(2, [0, "owner"])),
        Fault("archive: driver file elsewhere", "ARCHIVE_BOUNDS", file=entry_number(32, lambda i, n, old: old + 4096)),
        Fault("id: digests with one bit flipped", "PACKAGE_ID",
              file=lambda image, n: image.flip(image.part(n, "digests")[0] + 20)),
        Fault("archive: driver file beyond the end", "ARCHIVE_BOUNDS",
              file=entry_number(40, lambda i, n, old: ELF_SIZE_MAX)),
        Fault("id: the neighbour's pinned", "PACKAGE_ID", boot=lambda boot, n: boot.package(n).__setitem__(
            "package_id", boot.package(n - 1)["package_id"])),
        Fault("archive: driver file too long", "ARCHIVE_BOUNDS",
              file=entry_number(40, lambda i, n, old: ELF_SIZE_MAX + 1)),
        Fault("id: another one pinned", "PACKAGE_ID", boot=pinned("package_id", flip_last)),
        Fault("archive: driver file of no length", "ARCHIVE_BOUNDS", file=entry_number(40, lambda i, n, old: 0)),
        Fault("id: digests of other length", "PACKAGE_ID", file=lambda image, n: image.put(
            image.entry(n) + 8, "Q", image.part(n, "digests")[1] + 1), digests=odd_length),
        Fault("archive: padding after digests", "ARCHIVE_PADDING", digests=odd_length, file=padding("digests", 16)),
        Fault("name: another one pinned", "PACKAGE_NAME", boot=pinned("name", b"test/another")),
        Fault("archive: padding after npl.bkdl", "ARCHIVE_PADDING", file=padding("bkdl", PAGE)),
        Fault("name: npl.bkdl has another", "PACKAGE_NAME", bkdl=field(IDENTITY, "name", b"test/another")),
        Fault("archive: padding after the driver file", "ARCHIVE_PADDING", file=padding("elf", PAGE)),
        Fault("name: npl.bkdl has another version", "PACKAGE_NAME", bkdl=field(IDENTITY, "version", b"0.1.1")),
        Fault("npl.bkdl: first bit flipped", "MANIFEST_DIGEST",
              file=lambda image, n: image.flip(image.part(n, "bkdl")[0])),
        Fault("driver file: last bit flipped", "ELF_DIGEST",
              file=lambda image, n: image.flip(image.end(n, "elf") - 1, 0x80)),
    ]


# ---- what the publisher signs ----

def swap_files(digests):
    lines = digests.split(b"\n")
    lines[-3], lines[-2] = lines[-2], lines[-3]  # the last one is empty
    return b"\n".join(lines)


def drop_line(end):
    def apply(digests):
        return b"".join(line for line in digests.splitlines(True) if not line.endswith(end + b"\n"))
    return apply


def beside_line(end):
    """The file is listed, but as one that is delivered separately."""
    def apply(digests):
        lines = digests.splitlines(True)
        moved = [line for line in lines if line.endswith(end + b"\n")]
        return b"".join(line for line in lines if line not in moved) + moved[0].replace(b"file ", b"beside ", 1)
    return apply


def file_field(index, change):
    """Another word in the last file line."""
    def apply(digests):
        lines = digests.split(b"\n")
        words = lines[-2].split(b" ")
        words[index] = change(words[index])
        lines[-2] = b" ".join(words)
        return b"\n".join(lines)
    return apply


def swap_records(document):
    document.records[0], document.records[1] = document.records[1], document.records[0]


def again(tag):
    def apply(document):
        document.insert_after(document.one(tag), document.one(tag).copy())
    return apply


def put(name, value):
    return lambda document: setattr(document, name, value)


def payload(tag, change):
    def apply(document):
        record = document.one(tag)
        record.payload = bytearray(change(bytes(record.payload)))
    return apply


def signed_cases(arch):
    scratch, driver = 'request { memory "scratch" size="4KiB"; }', arch.encode() + b"/driver.elf"
    form = [
        ("of version 2", text(b"rumpk-digests 1", b"rumpk-digests 2")),
        ("two spaces", text(b"kind driver", b"kind  driver")),
        ("unknown header", text(b"source none\n", b"source none\ncolour blue\n")),
        ("header twice", text(b"kind driver\n", b"kind driver\nkind driver\n")),
        ("header missing", text(b"source none\n", b"")),
        ("carriage return", text(b"kind driver\n", b"kind driver\r\n")),
        ("no last line feed", lambda digests: digests[:-1]),
        ("bytes behind the end", lambda digests: digests + b"\n"),
        ("leading zero", text(b"security-version 1", b"security-version 01")),
        ("security version zero", text(b"security-version 1", b"security-version 0")),
        ("number with a letter", text(b"security-version 1", b"security-version 1x")),
        ("number with a sign", text(b"abi 1", b"abi -1")),
        ("name in upper case", text(b"name test/", b"name Test/")),
        ("name with two dashes", text(b"/case-", b"/case--")),
        ("name with a dot", text(b"/case-", b"/case.")),
        ("name with a dash at the end", text(b"\nversion", b"-\nversion")),
        ("name without a namespace", text(b"name test/", b"name ")),
        ("name too long", text(b"name test/", b"name " + 33 * b"t" + b"/")),
        ("version of other bytes", text(b"version 0.1.0", b"version 0.1.0+1")),
        ("version too long", text(b"version 0.1.0", b"version 0.1.0" + 60 * b"0")),
        ("unknown kind", text(b"kind driver", b"kind pilot")),
        ("unknown architecture", text(b"arch ", b"arch m68k ")),
        ("architecture twice", text(b"arch ", b"arch " + arch.encode() + b" ")),
        ("size with a leading zero", file_field(2, lambda size: b"0" + size)),
        ("toolchain of two words", text(b"toolchain test", b"toolchain test two")),
        ("source of no scheme", text(b"source none", b"source somewhere")),
        ("digest too short", file_field(1, lambda digest: digest[:-1])),
        ("digest of other letters", file_field(1, lambda digest: b"g" + digest[1:])),
        ("path too long", file_field(3, lambda path: path + 101 * b"x")),
        ("files not sorted", swap_files),
        ("byte 0x80", text(b"toolchain test", b"toolchain t\x80st")),
        ("upper-case digest", lambda digests: digests.upper().replace(b"FILE ", b"file ")),
    ]
    bad_bkdl = [
        ("title of a boot manifest", put("title", b"rumpk-boot 1\n".ljust(16, b"\0"))),
        ("length too large", put("size_extra", 8)),
        ("one record too many", put("count_extra", 1)),
        ("bytes behind the end", put("tail", bytes(8))),
        ("reserved bytes of the opening", put("reserved", 1)),
        ("records in another order", swap_records),
        ("record twice", again(RUNTIME)),
        ("record missing", lambda document: document.remove(document.one(RUNTIME))),
        ("unknown record", lambda document: setattr(document.one(RUNTIME), "tag", 99)),
        ("record too short", payload(RUNTIME, lambda data: data[:-8])),
        ("record too long", payload(RUNTIME, lambda data: data + bytes(8))),
        ("reserved bytes of a record", field(RUNTIME, "reserved", b"\1")),
        ("text without an end", field(IDENTITY, "version", b"1" * 72)),
        ("text with a tail", field(IDENTITY, "version", b"0.1.0\0x")),
        ("text with a control byte", field(IDENTITY, "version", b"0.1\n0")),
        ("kind library", field(IDENTITY, "kind", KIND_LIBRARY)),
        ("other security version", field(IDENTITY, "security_version", 2)),
        ("other ABI version", field(IDENTITY, "abi_version", 0)),
        ("stack below the least", field(RUNTIME, "stack_size", 4096)),
        ("heap of no whole pages", field(RUNTIME, "heap_size", 100)),
        ("unknown spectrum", field(RUNTIME, "spectrum", 4)),
        ("pledge with a spectrum in it", field(RUNTIME, "pledge", 1 << 62)),
        ("budget of more than a second", field(RUNTIME, "budget_us", 1000001)),
        ("unknown restart policy", field(RUNTIME, "restart", 3)),
        ("restart limit of zero", field(RUNTIME, "restart_limit", 0)),
        ("restart window of more than an hour", field(RUNTIME, "restart_window_s", 3601)),
    ]
    bad_request = [
        ("request twice", again(REQUEST)),
        ("request of an unknown type", field(REQUEST, "type", 77)),
        ("request without rights", field(REQUEST, "rights", 0)),
        ("request of queues without a device", field(REQUEST, "queues", 1)),
        ("request of memory with a PCI vendor", field(REQUEST, "vendor_id", 1)),
        ("request with reserved bytes", field(REQUEST, "reserved", 1)),
    ]
    bad_match = [
        ("match by an unknown bus", field(MATCH, "bus", 9)),
        ("match by name with a PCI vendor", field(MATCH, "vendor_id", 1)),
        ("match by PCI with a name", field(MATCH, "bus", 3)),
        ("match by no name", field(MATCH, "compatible", b"")),
    ]
    bad_service = [
        ("service of an unknown style", field(PROVIDES, "style", 9)),
        ("service of version zero", field(PROVIDES, "version", 0)),
        ("service for nobody", field(PROVIDES, "clients", 0)),
    ]
    other = OTHER_ARCH[arch]
    return (
        [Fault("digests: " + name, "DIGESTS_FORM", digests=change) for name, change in form]
        + [Fault("npl.bkdl: " + name, "PACKAGE_FORM", bkdl=change) for name, change in bad_bkdl]
        + [Fault("npl.bkdl: " + name, "PACKAGE_FORM", scratch, 'grant "scratch";', bkdl=change)
           for name, change in bad_request]
        + [Fault("npl.bkdl: " + name, "PACKAGE_FORM", 'match { compatible "rumpk,nothing"; }', bkdl=change)
           for name, change in bad_match]
        + [Fault("npl.bkdl: " + name, "PACKAGE_FORM", SINK % 1, bkdl=change) for name, change in bad_service]
        + [
            Fault("security version below the floor", "SECURITY_FLOOR", boot=pinned("security_floor", 2)),
            Fault("ABI: newer than the kernel's", "ABI_VERSION", bkdl=field(IDENTITY, "abi_version", 2),
                  digests=text(b"abi 1", b"abi 2")),
            Fault("package for another architecture", "ARCH",
                  bkdl=field(IDENTITY, "arch_mask", 1 << (ARCH_NUMBER[other] - 1)),
                  digests=text(b"arch " + arch.encode(), b"arch " + other.encode())),
            Fault("npl.bkdl: another than the signed one", "MANIFEST_DIGEST",
                  late_bkdl=field(RUNTIME, "heap_size", 8192)),
            Fault("npl.bkdl: not listed", "MANIFEST_DIGEST", digests=drop_line(b" npl.bkdl")),
            Fault("npl.bkdl: listed as beside", "MANIFEST_DIGEST", digests=beside_line(b" npl.bkdl")),
            Fault("driver file: another than the signed one", "ELF_DIGEST", late_elf=flip_last),
            Fault("driver file: one byte longer", "ELF_DIGEST", late_elf=lambda data: data + b"\0"),
            Fault("driver file: not listed", "ELF_DIGEST", digests=drop_line(b" " + driver)),
            Fault("driver file: listed for another architecture", "ELF_DIGEST", digests=lambda digests:
                  resorted(digests.replace(driver, other.encode() + b"/driver.elf"))),
        ])


def resorted(digests):
    lines = digests.splitlines(True)
    return b"".join([line for line in lines if not line.startswith(b"file ")]
                    + sorted((line for line in lines if line.startswith(b"file ")), key=lambda line: line.split()[3]))


# ---- what the owner says ----

def no_grant(boot, number):
    boot.remove(boot.grant(number))


def grant_again(boot, number):
    boot.insert_after(boot.grant(number), boot.grant(number).copy())


def no_wire(boot, number):
    boot.remove(boot.wire(number))


def wire_again(boot, number):
    twin = boot.wire(number).copy()
    twin["channel"] += 0x100
    boot.insert_after(boot.wire(number), twin)


def served_by(name):
    return lambda boot, number: wired(server=boot.number(name))(boot, number)


def served_by_itself(boot, number):
    wired(server=number)(boot, number)


def boot_cases(arch):
    scratch, grant = 'request { memory "scratch" size="4KiB"; }', 'grant "scratch";'
    uart = f'request {{ registers "port" compatible="{COMPATIBLE[arch]}" optional=#true; }}'
    entropy = 'request { device "entropy" virtio=4 queues=1 optional=#true; }'
    buffers = 'request { dma "buffers" size="4KiB"; }'
    source = (("sink", "test/source"),)
    return [
        Fault("grant: of another name", "GRANT_UNASKED", scratch, grant, boot=granted("name", b"other")),
        Fault("grant: more than requested", "GRANT_UNASKED", scratch, grant, boot=granted("size", 8192)),
        Fault("grant: more rights", "GRANT_UNASKED", scratch, grant, boot=granted("rights", lambda old: old | 16)),
        Fault("grant: of another type", "GRANT_UNASKED", scratch, grant, boot=granted("type", CAP["DMA"])),
        Fault("grant: twice", "GRANT_UNASKED", scratch, grant, boot=grant_again),
        Fault("grant: another device", "GRANT_UNASKED", entropy, 'grant "entropy";', boot=granted("device_id", 2)),
        Fault("grant: registers that are not there", "GRANT_DEVICE", uart, 'grant "port" index=2;',
              bkdl=field(REQUEST, "optional", 0)),
        Fault("grant: device that is not there", "GRANT_DEVICE", entropy, 'grant "entropy" index=1;',
              bkdl=field(REQUEST, "optional", 0)),
        Fault("grant: the console's registers", "GRANT_BUSY", uart, 'grant "port" index=1;', boot=granted("index", 0)),
        Fault("grant: DMA memory without permission", "GRANT_DMA", buffers, 'grant "buffers"; dma #true;',
              boot=pinned("flags", 0)),
        Fault("grant: DMA right without permission", "GRANT_DMA", scratch, grant,
              bkdl=field(REQUEST, "rights", lambda old: old | RIGHT_DMA),
              boot=granted("rights", lambda old: old | RIGHT_DMA)),
        Fault("grant: missing", "REQUEST_MISSING", scratch, grant, boot=no_grant),
        Fault("wire: service that is not needed", "WIRE", NEED, wires=source, boot=wired(service=b"other")),
        Fault("wire: other style", "WIRE", NEED, wires=source,
              boot=wired(style=STYLE_SERVICE, arena_count=1, arena_size=4096)),
        Fault("wire: other version", "WIRE", NEED, wires=source, bkdl=field(NEEDS, "version", 2)),
        Fault("wire: server without the service", "WIRE", NEED, wires=source, boot=served_by("test/control")),
        Fault("wire: to itself", "WIRE", NEED + SINK % 1, wires=source, boot=served_by_itself),
        Fault("wire: twice", "WIRE", NEED, wires=source, boot=wire_again),
        Fault("wire: more clients than offered", "WIRE", NEED, wires=source, boot=served_by("test/narrow")),
        Fault("need: not wired", "NEED_MISSING", NEED, wires=source, boot=no_wire),
        Fault("provider with a broken signature", "SIGNATURE", SINK % 8, package="test/broken",
              file=lambda image, n: image.flip(image.entry(n) + 90)),
        Fault("need: provider refused", "NEED_MISSING", NEED + SINK % 8, wires=(("sink", "test/broken"),),
              package="test/orphan"),
        Fault("need: provider's provider refused", "NEED_MISSING", NEED, wires=(("sink", "test/orphan"),)),
        Fault("start: provider ends before it announces itself", "SERVICE_FAILED", NEED, wires=source,
              boot=wired(start=AFTER_OR_REFUSE)),
        Fault("start: provider ends, and the client may wait", "WAIT", NEED, wires=source,
              boot=wired(start=AFTER_OR_WAIT)),
        Fault("start: provider refused, and the client may wait", "WAIT", NEED, wires=(("sink", "test/broken"),),
              boot=wired(start=AFTER_OR_WAIT)),
        Fault("circle: one half", "CIRCLE", NEED + SINK % 8, wires=(("sink", "test/circle-b"),),
              boot=wired(start=AFTER_OR_REFUSE), package="test/circle-a"),
        Fault("circle: the other half", "CIRCLE", NEED + SINK % 8, wires=(("sink", "test/circle-a"),),
              boot=wired(start=AFTER_OR_WAIT), package="test/circle-b"),
        Fault("circle: who needs one of it", "NEED_MISSING", NEED, wires=(("sink", "test/circle-a"),)),
        Fault("limit: stack", "LIMIT", bkdl=field(RUNTIME, "stack_size", lambda old: old + 4096)),
        Fault("limit: heap", "LIMIT", bkdl=field(RUNTIME, "heap_size", lambda old: old + 4096)),
        Fault("limit: spectrum", "LIMIT", boot=pinned("spectrum", 0)),
        Fault("memory: heap as large as the machine", "MEMORY", image='heap-max "16MiB";',
              bkdl=field(RUNTIME, "heap_size", HEAP_MAX)),
        Fault("memory: object as large as the machine", "MEMORY", scratch, grant,
              bkdl=field(REQUEST, "size", HEAP_MAX), boot=granted("size", HEAP_MAX)),
    ]


# Packages beside them that must run to their end, whatever is refused.
BOOT_HELPERS = [
    Package("test/source", SINK % 16),
    Package("test/narrow", SINK % 1),
    Package("test/narrow-client", NEED, wires=(("sink", "test/narrow"),)),
    Package("test/optional", 'needs { service "sink" 1 style="stream" optional=#true; }',
            wires=(("sink", "test/broken"),)),
]


PER_IMAGE = 40  # cases of one image; an image holds at most 64 packages


def groups(arch):
    """[(name of the image, its cases, its helpers)]. What refers to each other stays together."""
    signed = signed_cases(arch)
    found = [("archive", archive_cases(), []), ("boot-manifest", boot_cases(arch), BOOT_HELPERS)]
    for name, cases in (("driver-files", elf_cases()),
                        ("digests", [case for case in signed if case.want == "DIGESTS_FORM"]),
                        ("files", [case for case in signed if case.want != "DIGESTS_FORM"])):
        found += [(f"{name}-{at // PER_IMAGE + 1}", cases[at:at + PER_IMAGE], [])
                  for at in range(0, len(cases), PER_IMAGE)]
    return found
