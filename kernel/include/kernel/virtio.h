// SPDX-License-Identifier: Apache-2.0
//
// virtio.h: the virtio transport (virtio 1.2, sections 2 to 4.2), which is kernel code so that
// no driver ever writes an address for a device.
//
//   driver                     kernel                                         device
//   send(queue, batch) ------> checks every part, writes descriptors -------> reads descriptors
//                              and the available ring (kernel memory)
//   recv(queue) <------------- believes only what fits its own notes <------- writes the used ring
//
// A device that breaks the protocol is reset; its driver is told E_DEVICE.
#ifndef KERNEL_VIRTIO_H
#define KERNEL_VIRTIO_H

#include <kernel/cap.h>
#include <kernel/device.h>

#define VIRTIO_DEVICES_MAX 16u
#define VIRTIO_QUEUES_MAX  32u

// Is a virtio 1.x device behind this virtio-mmio transport? Its device id, or 0. The registers are
// mapped.
uint32_t virtio_mmio_probe(uint64_t base);

// The same behind PCI: nothing but configuration space is asked.
uint32_t virtio_pci_probe(const struct pci_function *function);

// Makes the state of a granted device with `queues` queues: pages for queues and view, device
// reset, its interrupt line attached to its holder. E_LIMIT, E_MEMORY, or E_DEVICE when the device
// has fewer queues or no line that the controller knows.
[[nodiscard]] int64_t virtio_grant(struct device *device, uint32_t queues, uint32_t *index);

// How many queues device `index` has; 0: there is no such device.
uint32_t virtio_queues(uint32_t index);
// The device itself where a queue could be named: negotiating and resetting.
#define VIRTIO_CONTROL UINT32_MAX
// In whose hands a queue, or the device itself, is: the node of one capability, or CAP_NODE_NONE
// (hand.h). A queue that gets another user has nothing to say to it yet.
uint16_t virtio_user(uint32_t index, uint32_t queue);
void virtio_user_set(uint32_t index, uint32_t queue, uint16_t node);

uint64_t virtio_view(uint32_t index); // page of the rumpk_device_view
uint32_t virtio_queue_entries(uint32_t index, uint32_t queue);

// All below: on the kernel root.
void virtio_view_refresh(uint32_t index);
int64_t virtio_negotiate(uint32_t index, uint64_t features);
// Requests that are at the device are dropped by this, and by negotiating: the next virtio_collect
// says so once, with E_STATE, unless virtio_dropped_forget came first.
// A device that does not say at once that it is reset takes no requests until it is negotiated.
void virtio_reset(uint32_t index);
// Asks such a device again. True: it is reset, or was asked too often to be waited for longer.
[[nodiscard]] bool virtio_reset_step(uint32_t index);
void virtio_dropped_forget(uint32_t index, uint32_t queue);
// Takes the device's interrupt back, before anything that it told of is looked at. Had the device
// asked for one? (Several may share a line.)
bool virtio_interrupt(uint32_t index);
// Holds back what the controller cannot hold back for the device: see struct virtio_transport.
void virtio_interrupt_hold(uint32_t index, bool is_held);

// One part of a buffer, already checked: an address that the kernel owns up to.
struct virtio_part {
    uint64_t address;
    uint64_t cookie;
    uint32_t length;
    uint32_t flags; // RUMPK_QUEUE_*
};
// 0, E_FULL, E_STATE or E_DEVICE: would virtio_submit of `count` parts work?
int64_t virtio_can_submit(uint32_t index, uint32_t queue, uint32_t count);
void virtio_submit(uint32_t index, uint32_t queue, const struct virtio_part *parts, uint32_t count);
// Takes up to `max` completions. 0: none yet; E_STATE; E_DEVICE.
int64_t virtio_collect(uint32_t index, uint32_t queue, struct rumpk_queue_completion *out,
                       uint32_t max);
// Has the queue something to say (a completion, or an error)?
bool virtio_is_ready(uint32_t index, uint32_t queue);
// Has the device broken the protocol since this was last asked?
bool virtio_has_broken(uint32_t index);
// Does a request of this queue at the device name any byte of [base, base + size)?
bool virtio_uses(uint32_t index, uint32_t queue, uint64_t base, uint64_t size);
// Are requests at the device?
bool virtio_is_busy(uint32_t index, uint32_t queue);

#endif
