// SPDX-License-Identifier: Apache-2.0
//
// machine.h (aarch64): numbers of the Arm generic interrupt controller, and what one interrupt
// specifier of the tree means. Offsets as in Arm IHI 0048B (GICv2) and IHI 0069H (GICv3, GICv4);
// interrupt ids: 0..15 software, 16..31 private to a core (PPI), 32..1019 shared (SPI), 1020..1023
// special.
#ifndef AARCH64_MACHINE_H
#define AARCH64_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

// ---- distributor; those below 0x1000 also in the second frame of a redistributor ----

#define GICD_CTLR       0x0000u
#define GICD_TYPER      0x0004u
#define GICD_IGROUPR    0x0080u // one bit per line
#define GICD_ISENABLER  0x0100u
#define GICD_ICENABLER  0x0180u
#define GICD_ICPENDR    0x0280u
#define GICD_ICACTIVER  0x0380u
#define GICD_IPRIORITYR 0x0400u // one byte per line
#define GICD_ITARGETSR  0x0800u // one byte per line; GICv2
#define GICD_ICFGR      0x0C00u // two bits per line; the upper one says edge
#define GICD_IGRPMODR   0x0D00u // GICv3
#define GICD_IROUTER    0x6000u // eight bytes per line; GICv3
#define GICD_SIZE_V2    0x1000u
#define GICD_SIZE_V3    0x10000u

// The same value serves a controller with one security state and the non-secure view of one with
// two: GICv2 bit 0 enables group 0, or (non-secure) group 1; GICv3 bit 1 enables group 1, bit 4 is
// affinity routing.
#define GICD_CTLR_ENABLE_V2 0x01u
#define GICD_CTLR_ARE       0x10u
#define GICD_CTLR_ENABLE_V3 0x12u
#define GICD_CTLR_RWP       (UINT32_C(1) << 31)
#define GICD_TYPER_LINES    0x1Fu

// ---- redistributor: first frame; the second follows GICR_FRAME_SIZE after it ----

#define GICR_CTLR           0x0000u
#define GICR_CTLR_RWP       0x08u
#define GICR_TYPER          0x0008u // eight bytes; the upper four are the core's affinity
#define GICR_TYPER_VLPIS    0x02u   // four frames instead of two
#define GICR_TYPER_LAST     0x10u
#define GICR_WAKER          0x0014u
#define GICR_WAKER_SLEEP    0x02u
#define GICR_WAKER_CHILDREN 0x04u
#define GICR_FRAME_SIZE     0x10000u

// ---- CPU interface of GICv2 ----

#define GICC_CTLR  0x0000u
#define GICC_PMR   0x0004u
#define GICC_BPR   0x0008u
#define GICC_IAR   0x000Cu
#define GICC_EOIR  0x0010u
#define GICC_HPPIR 0x0018u
#define GICC_SIZE  0x1000u

#define GICC_CTLR_ENABLE 0x01u
#define GICC_ID          0x3FFu // of what IAR and HPPIR read

#define GIC_FIRST_PPI      16u
#define GIC_FIRST_SPI      32u
#define GIC_SPECIAL        1020u // from here on: nothing for us (1023), or another group's (1022)
#define GIC_PRIORITY_LINE  0xA0u
#define GIC_PRIORITY_TIMER 0xB0u // after every line, and still distinct in four bits

// ---- interrupt specifier (devicetree binding arm,gic): type, number, flags ----

#define GIC_TYPE_SPI       0u
#define GIC_TYPE_PPI       1u
#define GIC_FLAGS_MASK     0xFu
#define GIC_FLAG_EDGE_RISE 1u
#define GIC_FLAG_HIGH      4u

struct gic_specifier {
    uint32_t line;
    bool is_edge;
};

// False: not a form this controller has. SPIs are edge (rising) or level (high); what a PPI is, the
// processor's maker has decided, so flags for falling and low are accepted there as the binding
// says.
static inline bool gic_specifier_decode(const uint32_t *cells, uint32_t count,
                                        struct gic_specifier *out)
{
    uint32_t flags;

    if (count < 3 || (count > 3 && cells[3] != 0)) // the fourth: a subset of the cores
        return false;
    flags = cells[2] & GIC_FLAGS_MASK;
    if (cells[0] == GIC_TYPE_SPI && cells[1] < GIC_SPECIAL - GIC_FIRST_SPI) {
        if (flags != GIC_FLAG_EDGE_RISE && flags != GIC_FLAG_HIGH)
            return false;
        out->line = GIC_FIRST_SPI + cells[1];
    } else if (cells[0] == GIC_TYPE_PPI && cells[1] < GIC_FIRST_SPI - GIC_FIRST_PPI) {
        if (flags == 0)
            return false;
        out->line = GIC_FIRST_PPI + cells[1];
    } else {
        return false;
    }
    out->is_edge = (flags & 3) != 0;
    return true;
}

// intr.c, for trap.c: was the interrupt that is being taken the timer's? Then it is disarmed.
bool gic_take_timer(void);

#endif
