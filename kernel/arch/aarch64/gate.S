// SPDX-License-Identifier: Apache-2.0
//
// gate.S (aarch64): the gate page, the only place from which a driver may enter the kernel.
//
// Thirteen stubs of GATE_STUB_SIZE bytes, stub n for call n, addresses in the SysTable. Mapped
// execute-only into every driver. A driver calls a stub as a C function: arguments in x0..x5,
// result in x0. The stub puts the call number in x8; the kernel refuses an `svc` whose return
// address lies elsewhere, gives x8 no other meaning, and returns with every caller-saved register
// but x0 and x30 zero. The page is guarded where the processor has BTI: `bti c` is then the only
// way in by an indirect branch.

#include "offsets.h"

    .section .gate, "a", @progbits
    .balign 4096
    .global arch_gate
    .type arch_gate, @object
arch_gate:
    .set number, 0
    .rept GATE_STUB_COUNT
    .balign GATE_STUB_SIZE, 0  // the gap decodes as permanently undefined (udf #0)
    bti c
    mov x8, #number
    svc #0
    ret
    .set number, number + 1
    .endr
    .balign GATE_STUB_SIZE, 0
    .size arch_gate, . - arch_gate
