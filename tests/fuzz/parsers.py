# SPDX-License-Identifier: Apache-2.0
"""Every parser of foreign bytes: what it reads, where those bytes come from, who fuzzes it, which sources it is.

One list for the report (report.py), the page docs/fuzzing.md and the test fuzz.inventory: a target without
an entry here, an entry without a target and a source that moved are errors. The sources of an entry are what
its coverage is counted over: whole files, the printing halves of some of them included.
"""
from typing import NamedTuple


class Parser(NamedTuple):
    what: str
    origin: str
    targets: tuple
    sources: tuple


def parser(what, origin, targets, sources):
    return Parser(what, origin, tuple(targets.split()), tuple(sources.split()))


PARSERS = [
    # ---- nip ----
    parser("KDL 2: text, numbers, strings, layout, edits", "every .kdl of anybody", "kdl",
           "nip/lib/kdl.c nip/lib/kdl_node.c nip/lib/kdl_number.c nip/lib/kdl_space.c nip/lib/kdl_string.c "
           "nip/lib/kdl_print.c nip/lib/kdl_format.c"),
    parser("npl.kdl", "packages, projects", "manifest",
           "nip/lib/manifest.c nip/lib/manifest_kernel.c nip/lib/manifest_build.c "
           "nip/lib/schema.c"),
    parser("image.kdl", "projects", "manifest", "nip/lib/imagedef.c"),
    parser("npl.bkdl, boot.bkdl", "packages, images", "bkdl", "nip/lib/bkdl.c nip/lib/bkdl_boot.c nip/lib/bkdl_records.c"),
    parser("zstd frame of a package", "registries, files", "package archive", "nip/lib/zstd.c"),
    parser("tar of a package", "registries, files", "archive", "nip/lib/tar.c nip/lib/package.c nip/lib/package_read.c"),
    parser("digests", "packages", "digests archive", "nip/lib/digests.c nip/lib/digests_write.c"),
    parser("names, versions, paths", "packages, manifests, registries", "digests manifest statement", "nip/lib/name.c"),
    parser("minisign keys and signatures", "packages, registries, people", "signature", "nip/lib/minisign.c"),
    parser("rotations, revocations", "publishers", "statement", "nip/lib/statement.c"),
    parser("nip.trust.kdl", "projects", "project", "nip/lib/trust.c"),
    parser("nip.lock", "projects", "project", "nip/lib/lock.c"),
    parser("nip.workspace.kdl", "projects", "project", "nip/lib/workspace.c"),
    parser("config.kdl", "the user, who may have copied it", "project", "nip/lib/config.c"),
    parser("list of yanked versions", "registries", "project", "nip/lib/yanked.c"),
    parser("OCI manifests, indexes, referrers", "registries", "oci statement", "nip/lib/oci.c nip/lib/oci_attach.c nip/lib/json.c"),
    parser("bill of materials (SPDX JSON)", "packages", "sbom", "nip/lib/image_sbom.c"),
    parser("licence expressions", "manifests", "spdx", "nip/lib/spdx.c"),
    parser("source archives", "publishers", "source", "nip/lib/source.c"),
    parser("ELF of drivers, kernels and images", "packages, files", "image", "nip/lib/elf_file.c nip/lib/elf_driver.c"),
    parser("reports of faults", "logs, people", "crash", "nip/lib/crash.c"),
    parser("records of calls in debug files", "compilers, publishers", "calls", "nip/lib/elf_calls.c"),
    parser("images and boot archives", "files", "image", "nip/lib/archive.c nip/lib/image_check.c nip/lib/image_file.c"),
    parser("boot record and ledger", "a guest's memory", "ledger", "nip/lib/ledger.c nip/lib/ledger_words.c"),
    # ---- the kernel ----
    parser("boot archive", "whoever made the image", "kernel_archive", "kernel/load/archive.c"),
    parser("packed manifests", "boot archive", "kernel_bkdl kernel_archive", "kernel/load/bkdl.c"),
    parser("digests, in the kernel", "boot archive", "kernel_digests kernel_archive", "kernel/load/digests.c"),
    parser("ELF, in the kernel", "boot archive", "kernel_elf kernel_archive", "kernel/load/elf.c kernel/load/relocate.c"),
    parser("device tree", "firmware", "kernel_tree", "kernel/core/tree.c kernel/dev/pci_tree.c"),
    parser("ACPI tables", "firmware", "kernel_acpi", "kernel/dev/acpi.c"),
    parser("PCI configuration space, virtio over PCI", "devices", "kernel_pci",
           "kernel/dev/pci.c kernel/dev/pci_assign.c kernel/dev/pci_msix.c kernel/dev/virtio_pci.c"),
    parser("system calls", "drivers", "kernel_calls",
           "kernel/core/call.c kernel/core/call_grant.c kernel/core/call_life.c kernel/core/call_map.c "
           "kernel/core/call_meta.c kernel/core/call_ring.c kernel/core/cap.c kernel/core/derive.c kernel/core/mapping.c "
           "kernel/core/ring.c kernel/core/wait.c kernel/core/user.c kernel/core/checkpoint.c kernel/core/trap.c"),
    # ---- drivers ----
    parser("9P2000.L from outside", "the host, a serial line", "bridge",
           "drivers/bridge-9p/src/bridge.c drivers/bridge-9p/src/frame.c drivers/bridge-9p/src/field.c "
           "drivers/bridge-9p/src/tree.c"),
    parser("messages of clients to a service", "other drivers", "npl_service",
           "sysroot/libnpl/src/service.c sysroot/libnpl/src/service_message.c"),
    parser("answers of a service", "other drivers", "npl_client", "sysroot/libnpl/src/client.c sysroot/libnpl/src/client_directory.c"),
    parser("rings, 9P fields", "other drivers", "npl_service npl_client", "sysroot/libnpl/src/ring.c sysroot/libnpl/src/wire.c"),
]
