// SPDX-License-Identifier: Apache-2.0
//
// interrupt.h: who a line of the interrupt controller belongs to, and what happens when it fires.
//
//   attach             fires                     the holder's turn
//   masked ----------> claimed, masked --------> VIRTIO: the kernel quiets the device, wakes the
//                            ^                   driver and unmasks at once
//                            +------------------ SLOT: one message in the driver's ring; the driver
//                                                quiets the device and unmasks by `mask`
//
// A line that fires more than INTERRUPT_STORM times within INTERRUPT_WINDOW_MS stays masked until
// that time is over. INTERRUPT_STORMS such windows in a row are a strike for its driver (budget.h):
// it does not quiet its device, or the device cannot be quieted.
#ifndef KERNEL_INTERRUPT_H
#define KERNEL_INTERRUPT_H

#include <arch/arch.h>
#include <kernel/base.h>

#define INTERRUPTS_MAX      64u // that drivers hold
#define INTERRUPT_STORM     512u
#define INTERRUPT_WINDOW_MS 10u
#define INTERRUPT_STORMS    16u
#define INTERRUPT_SLOTS     4u

struct fiber;

// The line of a device whose registers a driver gets: masked, with a ring for its messages, in
// nobody's hands yet. *object is its number; *ring that of the ring. E_STATE: taken; E_LIMIT,
// E_MEMORY.
[[nodiscard]] int64_t interrupt_attach(uint32_t line, uint32_t *object, uint32_t *ring);

// The holder's word about it.
void interrupt_unmask(uint32_t object);
void interrupt_mask(uint32_t object);
// In whose hands it is: the node of a capability, or CAP_NODE_NONE (hand.h). It changes hands
// masked; what the device asked for meanwhile is not lost, and storms are the new holder's from
// here on.
uint16_t interrupt_user(uint32_t object);
void interrupt_hand(uint32_t object, uint16_t node);
// Unmasked by its holder: it can fire at any time.
bool interrupt_is_armed(uint32_t object);

// The line of a virtio device that `fiber` drives: unmasked from now on. Several virtio devices may
// share one; E_STATE: a driver holds it. Who uses a queue that has something to say is woken, and
// charged for storms; if nobody, whoever has the device.
[[nodiscard]] int64_t interrupt_attach_virtio(uint32_t line, uint32_t virtio, uint32_t fiber);

// All below: on the kernel root.
// Serves every line that is pending.
void interrupt_serve(void);
// Unmasks lines whose storm window is over. Returns when the next one will be, or TIMER_NEVER.
uint64_t interrupt_release(void);

#endif
