// SPDX-License-Identifier: Apache-2.0
//
// hand.h: what only one fiber can use at a time, and in whose hands it is.
//
//   type                granting it                   taken back, dropped, or its holder ends
//   RING                moves the end                 goes back
//   INTERRUPT           moves the line, masked        masked, goes back
//   QUEUE               moves it, if it is empty      device reset if it is not; goes back
//   DEVICE, CONTROL     moves the device              device reset; goes back
//   all others          shares                        MEMORY, DMA: devices that use it are reset
//
// "Back" is to the capability that it was derived from; what the boot manifest gave goes to nobody:
// an end of a ring closes. The object itself notes the one capability (its node) that is in
// possession, so asking is one comparison, whatever the shape of the tree above and below.
#ifndef KERNEL_HAND_H
#define KERNEL_HAND_H

#include <kernel/cap.h>

// Is what this capability names, with these rights, used by one fiber at a time?
bool hand_moves(const struct cap *cap, uint64_t rights);
// Of one that moves: is it in its holder's hands, that is, not granted on?
bool hand_has(const struct cap *cap);
// Could it be granted now with these rights? Not while its holder has a request at the device.
bool hand_is_free(const struct cap *cap, uint64_t rights);

// All below: on the kernel root, in a commit part.
// From here on this capability is the one in possession.
void hand_over(const struct cap *cap);
// Before it leaves, one step: whatever could still use it without its holder stops. True: all has.
[[nodiscard]] bool hand_stop_step(struct cap *cap);
// It has left: possession goes back.
void hand_back(const struct cap *cap);

// mask(FEATURES) by the holder of a DEVICE in possession.
int64_t hand_negotiate(const struct cap *cap, uint64_t features);
// Device `virtio` was reset by what `by` did. Other fibers that had requests there are told:
// E_STATE, also when they sleep.
void hand_tell(uint32_t virtio, const struct fiber *by);

#endif
