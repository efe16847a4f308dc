# SPDX-License-Identifier: Apache-2.0
#
# riscv64: the only place that says how code for this architecture is compiled, where it is linked
# and on which machine it is tried out. Variables only; names are explained in README.md beside
# this folder. Everything else (clang configuration, linker script, emulator line) is generated.

set(RUMPK_ARCH riscv64)
set(RUMPK_TRIPLE riscv64-unknown-rumpk-elf)
set(RUMPK_LLD_EMULATION elf64lriscv)

# Drivers: the standard hard-float ABI. medany, because a static-pie is loaded anywhere and clang's
# default for this triple is medlow with the soft-float ABI.
set(RUMPK_DRIVER_ARCH_FLAGS -march=rv64gc -mabi=lp64d -mcmodel=medany)

# Kernel: no F, D or V, so the compiler cannot touch the FP state of a driver. Relaxation is off so
# that the linked code has exactly the instructions that the compiler wrote (the syscall-core test
# walks them) and because the kernel sets no global pointer.
set(RUMPK_KERNEL_ARCH_FLAGS -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany -mno-relax
  -mstrict-align)
set(RUMPK_KERNEL_ADDRESS 0x80200000)

# Machine: OpenSBI comes with the emulator (-bios default) and hands over at the lowest loaded address.
set(RUMPK_MACHINE virt)
set(RUMPK_QEMU qemu-system-riscv64)
set(RUMPK_QEMU_MACHINE_ARGS -M virt -cpu rv64)
set(RUMPK_QEMU_VIRTIO device)
set(RUMPK_QEMU_CONSOLE uart-16550)
set(RUMPK_QEMU_RAM_BASE 0x80000000)
set(RUMPK_QEMU_FIRMWARE_LAST "Boot HART MEDELEG")

# The same with its devices behind PCI. disable-legacy: virtio 1 only, without ports.
set(RUMPK_MACHINES_MORE virt-pci)
set(RUMPK_QEMU_MACHINE_ARGS_virt-pci ${RUMPK_QEMU_MACHINE_ARGS})
set(RUMPK_QEMU_VIRTIO_virt-pci pci,disable-legacy=on)
