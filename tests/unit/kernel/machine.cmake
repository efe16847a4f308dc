# SPDX-License-Identifier: Apache-2.0
#
# The kernel's core on a machine in one process (host_machine.h): its sources, below kernel/core, and the link
# script's symbols, which are numbers inside the RAM that host_machine.c maps. Fixed addresses: a program of
# these is linked with -no-pie and ${machine_symbols}.
set(machine_symbols __kernel_start=0x10200000 __text_start=0x10200000 __text_end=0x10210000
  __rodata_start=0x10210000 __rodata_end=0x10214000 __gate_start=0x10212000 __data_start=0x10214000
  __emergency_guard=0x10220000 __emergency_base=0x10221000 __stack_guard=0x10223000
  __stack_base=0x10224000 __kernel_end=0x1022c000)
list(TRANSFORM machine_symbols PREPEND "LINKER:--defsym=")
set(core_sources audit.c budget.c call.c call_grant.c call_life.c call_map.c call_meta.c call_ring.c cap.c checkpoint.c
  crypto.c derive.c hand.c interrupt.c mapping.c timer.c fiber.c ledger.c lend.c memory.c
  pagetable.c record.c ring.c sched.c systable.c text.c trap.c
  user.c wait.c work.c)
list(TRANSFORM core_sources PREPEND ${kernel}/core/)
