# SPDX-License-Identifier: Apache-2.0
#
# x86_64: the only place that says how code for this architecture is compiled, where it is linked
# and on which machine it is tried out. Variables only; names are explained in README.md beside
# this folder. Everything else (clang configuration, linker script, emulator line) is generated.

set(RUMPK_ARCH x86_64)
set(RUMPK_TRIPLE x86_64-unknown-rumpk-elf)
set(RUMPK_LLD_EMULATION elf_x86_64)

# Drivers: the x86-64 baseline (SSE2). The red zone stays: traps switch to a kernel stack.
set(RUMPK_DRIVER_ARCH_FLAGS -march=x86-64 -mcmodel=small)

# Kernel: no MMX, SSE, AVX or x87; no red zone, because a trap taken inside the kernel pushes its
# frame right below the stack pointer. The kernel is linked at 1 MiB, so the small model fits.
set(RUMPK_KERNEL_ARCH_FLAGS -march=x86-64 -mcmodel=small -mno-mmx -mno-sse -mno-sse2 -mno-avx
  -mno-80387 -msoft-float -mno-red-zone -fcf-protection=none)
set(RUMPK_KERNEL_ADDRESS 0x100000)

# Machine: microvm, PVH entry. acpi=on puts the device tree into fw_cfg (etc/fdt) and gives the GED
# register that powers the machine off. -cpu max has SMEP, SMAP and UMIP.
set(RUMPK_MACHINE microvm)
set(RUMPK_QEMU qemu-system-x86_64)
set(RUMPK_QEMU_MACHINE_ARGS -M microvm,acpi=on,auto-kernel-cmdline=off -cpu max)
set(RUMPK_QEMU_VIRTIO device)
set(RUMPK_QEMU_CONSOLE uart-16550)
set(RUMPK_QEMU_RAM_BASE 0x0)
set(RUMPK_QEMU_FIRMWARE_LAST "")

# q35: PVH entry from SeaBIOS, ACPI tables, PCI Express. disable-legacy: virtio 1 only, without ports.
# microvm-pci: microvm with its devices behind PCI; no firmware gives them addresses.
set(RUMPK_MACHINES_MORE q35 microvm-pci)
set(RUMPK_QEMU_MACHINE_ARGS_q35 -M q35 -cpu max)
set(RUMPK_QEMU_VIRTIO_q35 pci,disable-legacy=on)
set(RUMPK_QEMU_MACHINE_ARGS_microvm-pci -M microvm,acpi=on,pcie=on,auto-kernel-cmdline=off -cpu max)
set(RUMPK_QEMU_VIRTIO_microvm-pci pci,disable-legacy=on)
