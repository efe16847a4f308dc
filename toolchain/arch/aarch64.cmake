# SPDX-License-Identifier: Apache-2.0
#
# aarch64: the only place that says how code for this architecture is compiled, where it is linked
# and on which machine it is tried out. Variables only; names are explained in README.md beside
# this folder. Everything else (clang configuration, linker script, emulator line) is generated.

set(RUMPK_ARCH aarch64)
set(RUMPK_TRIPLE aarch64-unknown-rumpk-elf)
set(RUMPK_LLD_EMULATION aarch64elf)

# Drivers: AAPCS64 with FP and NEON. Outline atomics would call helpers that probe the CPU through
# an operating system's auxiliary vector, which does not exist here.
set(RUMPK_DRIVER_ARCH_FLAGS -march=armv8-a -mcmodel=small -mno-outline-atomics)

# Kernel: general registers only (NEON is clang's default); strict alignment, because real hardware
# faults on unaligned data while the MMU is off, even where the emulator does not. Landing pads for
# indirect branches (BTI): the kernel's text is mapped guarded where the processor has the feature;
# on others they are no-operations.
set(RUMPK_KERNEL_ARCH_FLAGS -march=armv8-a -mcmodel=small -mgeneral-regs-only -mstrict-align
  -mno-outline-atomics -mbranch-protection=bti)
set(RUMPK_KERNEL_ADDRESS 0x40100000)

# Machine: the device tree stands at the start of RAM (0x40000000), below the kernel.
set(RUMPK_MACHINE virt)
set(RUMPK_QEMU qemu-system-aarch64)
set(RUMPK_QEMU_MACHINE_ARGS -M virt,gic-version=2 -cpu cortex-a53)
set(RUMPK_QEMU_VIRTIO device)
set(RUMPK_QEMU_CONSOLE uart-pl011)
set(RUMPK_QEMU_RAM_BASE 0x40000000)
set(RUMPK_QEMU_FIRMWARE_LAST "")

# The newer interrupt controller; the usual one with its devices behind PCI (disable-legacy: virtio
# 1 only, without ports).
set(RUMPK_MACHINES_MORE virt-gic3 virt-pci)
set(RUMPK_QEMU_MACHINE_ARGS_virt-gic3 -M virt,gic-version=3 -cpu cortex-a53)
set(RUMPK_QEMU_VIRTIO_virt-gic3 device)
set(RUMPK_QEMU_MACHINE_ARGS_virt-pci ${RUMPK_QEMU_MACHINE_ARGS})
set(RUMPK_QEMU_VIRTIO_virt-pci pci,disable-legacy=on)
