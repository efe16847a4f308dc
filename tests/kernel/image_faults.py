# SPDX-License-Identifier: Apache-2.0
"""Images of which nothing may start: each is wrong in one way as a whole. One boot each.

An ImageFault changes the boot manifest, which the owner then signs (boot, or packed for its bytes), or the bytes of
the finished image (file).
"""
import struct

from image_edit import CONFIG, GRANT, IMAGE, KEY, PACKAGE, PAGE, WIRE
from package_faults import ARCH_NUMBER, OTHER_ARCH, pinned_keys

PAGE_LAST = 0xFFFFFFFFFFFFF000


class ImageFault:
    def __init__(self, name, want, boot=None, packed=None, file=None):
        self.name, self.want = "image: " + name, want
        self.boot, self.packed, self.file = boot, packed, file


def header(offset, size, data):
    """Bytes of struct rumpk_image_header, in the kernel."""
    def apply(image):
        image.data[image.header + offset:image.header + offset + size] = data(image) if callable(data) else data
    return apply


def quad(value):
    return struct.pack("<Q", value)


def base_moved(distance):
    return lambda image: quad(struct.unpack_from("<Q", image.data, image.header + 32)[0] + distance)


def shortened(size):
    """Both lengths, that in the kernel and that in the archive, agree on fewer bytes."""
    def apply(image):
        header(40, 8, quad(image.size - size))(image)
        image.put(8, "Q", image.size - size)
    return apply


def number(at, form, value):
    """A number of the archive's header."""
    return lambda image: image.put(at, form, value(image.get(at, form)) if callable(value) else value)


def image_field(name, value):
    return lambda boot: boot.one(IMAGE).__setitem__(name, value)


def last_package_dropped(boot):
    while boot.records[-1].tag != PACKAGE:
        boot.remove(boot.records[-1])
    boot.remove(boot.records[-1])
    boot.one(IMAGE)["package_count"] -= 1


def config_padding(packed):
    """The configuration of the last package has a length that is no multiple of eight."""
    at = packed.rindex(b"padded\0\0")
    return packed[:at + 7] + b"\1" + packed[at + 8:]


def first(tag, name, value):
    return lambda boot: boot.one(tag).__setitem__(name, value)


def kernel_flipped(image):
    """The last byte before the image header: the end of the gate page, where no code is."""
    image.data[image.header - 1] ^= 1


def faults(arch):
    other = ARCH_NUMBER[OTHER_ARCH[arch]]
    return [
        ImageFault("no owner key", "OWNER_KEY", file=header(0, 32, bytes(32))),
        ImageFault("another owner key", "MANIFEST_SIGNATURE",
                   file=header(0, 32, lambda image: image.bytes(image.entry(0) + 48, 32))),
        ImageFault("no archive", "ARCHIVE_HEADER", file=header(40, 8, bytes(8))),
        ImageFault("archive beyond the machine's memory", "ARCHIVE_HEADER", file=header(32, 8, quad(1 << 40))),
        ImageFault("archive at an address that overflows", "ARCHIVE_HEADER", file=header(32, 8, quad(PAGE_LAST))),
        ImageFault("archive at no page", "ARCHIVE_HEADER", file=header(32, 8, base_moved(16))),
        ImageFault("archive inside the kernel", "ARCHIVE_HEADER", file=header(32, 8, base_moved(-PAGE))),
        ImageFault("archive longer than the memory", "ARCHIVE_HEADER", file=header(40, 8, quad(1 << 40))),
        ImageFault("archive of no whole pages", "ARCHIVE_HEADER", file=shortened(8)),
        ImageFault("archive of one page", "ARCHIVE_HEADER", file=lambda image: shortened(image.size - PAGE)(image)),
        ImageFault("archive cut behind its table", "ARCHIVE_BOUNDS",
                   file=lambda image: shortened(image.size - 2 * PAGE)(image)),
        ImageFault("archive of another length", "ARCHIVE_HEADER", file=number(8, "Q", lambda old: old - PAGE)),
        ImageFault("magic of the archive", "ARCHIVE_HEADER", file=lambda image: image.flip(0)),
        ImageFault("archive for another architecture", "ARCHIVE_HEADER", file=number(20, "I", other)),
        ImageFault("too many entries", "ARCHIVE_HEADER", file=number(16, "I", 65)),
        ImageFault("reserved bytes of the header", "ARCHIVE_HEADER", file=lambda image: image.flip(127)),
        ImageFault("a package that no manifest names", "ARCHIVE_HEADER", boot=last_package_dropped),
        ImageFault("manifest elsewhere", "ARCHIVE_BOUNDS", file=number(24, "Q", lambda old: old - PAGE)),
        ImageFault("manifest beyond the end", "ARCHIVE_BOUNDS", file=number(24, "Q", PAGE_LAST)),
        ImageFault("manifest of no length", "ARCHIVE_BOUNDS", file=number(32, "Q", 0)),
        ImageFault("padding of the header", "ARCHIVE_PADDING", file=lambda image: image.flip(PAGE - 1)),
        ImageFault("padding of the table", "ARCHIVE_PADDING", file=lambda image: image.flip(2 * PAGE - 1)),
        ImageFault("padding after the manifest", "ARCHIVE_PADDING",
                   file=lambda image: image.flip(sum(image.manifest()))),
        ImageFault("signature with one bit flipped", "MANIFEST_SIGNATURE", file=lambda image: image.flip(40)),
        ImageFault("manifest with one bit flipped", "MANIFEST_SIGNATURE",
                   file=lambda image: image.flip(image.manifest()[0] + 41)),
        ImageFault("manifest for another architecture", "MANIFEST_ARCH", boot=image_field("arch", other)),
        ImageFault("manifest with the title of a package", "MANIFEST_FORM",
                   boot=lambda boot: setattr(boot, "title", b"rumpk-package 1\n")),
        ImageFault("manifest with a wrong length", "MANIFEST_FORM", boot=lambda boot: setattr(boot, "size_extra", 8)),
        ImageFault("manifest with an unknown flag", "MANIFEST_FORM", boot=image_field("flags", 4)),
        ImageFault("manifest for another kernel", "KERNEL_DIGEST", boot=image_field("loaded_digest", bytes(31) + b"\1")),
        ImageFault("kernel with one bit flipped", "KERNEL_DIGEST", file=kernel_flipped),
        ImageFault("manifest with an unknown way to start", "MANIFEST_FORM", boot=first(WIRE, "start", 3)),
        ImageFault("manifest without a key", "MANIFEST_FORM", boot=lambda boot: boot.remove(boot.one(KEY))),
        ImageFault("manifest with a zero key", "MANIFEST_FORM", boot=first(KEY, "key", bytes(32))),
        ImageFault("manifest with a threshold of two", "MANIFEST_FORM", boot=first(PACKAGE, "threshold", 2)),
        ImageFault("manifest with a threshold of two and one key twice", "MANIFEST_FORM",
                   boot=lambda boot: pinned_keys(2, [0, 0])(boot, 0)),
        ImageFault("manifest with nine keys for one package", "MANIFEST_FORM",
                   boot=lambda boot: pinned_keys(1, range(9))(boot, 0)),
        ImageFault("manifest with a floor of zero", "MANIFEST_FORM", boot=first(PACKAGE, "security_floor", 0)),
        ImageFault("manifest with a spectrum in a pledge", "MANIFEST_FORM", boot=first(PACKAGE, "pledge", 1 << 63)),
        ImageFault("manifest with an unknown restart policy", "MANIFEST_FORM", boot=first(PACKAGE, "restart", 3)),
        ImageFault("manifest with a restart limit of zero", "MANIFEST_FORM",
                   boot=first(PACKAGE, "restart_limit", 0)),
        ImageFault("manifest with a PCI vendor for memory", "MANIFEST_FORM", boot=first(GRANT, "vendor_id", 1)),
        ImageFault("manifest with an unknown grant", "MANIFEST_FORM", boot=first(GRANT, "type", 77)),
        ImageFault("manifest with a wire to nobody", "MANIFEST_FORM", boot=first(WIRE, "server", 64)),
        ImageFault("manifest with padding that is not zero", "MANIFEST_FORM", packed=config_padding),
        ImageFault("manifest with an unknown record", "MANIFEST_FORM",
                   boot=lambda boot: setattr(boot.one(CONFIG), "tag", 99)),
    ]
