// SPDX-License-Identifier: Apache-2.0
//
// virtio_queue.h: one split virtqueue (virtio 1.2, section 2.7) in one page of kernel memory, and
// the kernel's own notes about it, which no device can write.
//
//   page + 0     descriptors, 16 bytes each
//   page + 1024  available ring: flags, index, entries
//   page + 2048  used ring: flags, index, entries        (written by the device)
#ifndef KERNEL_DEV_VIRTIO_QUEUE_H
#define KERNEL_DEV_VIRTIO_QUEUE_H

#include <kernel/virtio.h>

#define QUEUE_AVAILABLE_OFFSET 1024u
#define QUEUE_USED_OFFSET      2048u

struct virtio_queue {
    uint64_t page;
    uint32_t entries;    // power of two
    uint16_t available;  // what we have published
    uint16_t used;       // what we have taken
    uint16_t free_first; // list of free descriptors through `next`
    uint16_t free_count;
    uint16_t outstanding; // buffers at the device
    bool is_broken;
    uint16_t next[RUMPK_QUEUE_ENTRIES_MAX];  // of the chain, or of the free list
    uint16_t chain[RUMPK_QUEUE_ENTRIES_MAX]; // by first descriptor: parts of the buffer; 0: not at
                                             // the device
    uint32_t writable[RUMPK_QUEUE_ENTRIES_MAX]; // by first descriptor: bytes that the device may
                                                // write, at most 2^32-1
    uint64_t cookie[RUMPK_QUEUE_ENTRIES_MAX];
};

// Everything free, rings cleared.
void virtio_queue_reset(struct virtio_queue *queue);
// Writes descriptors and publishes the buffers. There is room: virtio_can_submit said so.
void virtio_queue_publish(struct virtio_queue *queue, const struct virtio_part *parts,
                          uint32_t count);
// Does a buffer at the device lie in [base, base + size)?
bool virtio_queue_uses(const struct virtio_queue *queue, uint64_t base, uint64_t size);
// Has the device used something?
bool virtio_queue_has_used(const struct virtio_queue *queue);
// Takes up to `max` completions; sets is_broken when the device wrote what cannot be.
uint32_t virtio_queue_take(struct virtio_queue *queue, struct rumpk_queue_completion *out,
                           uint32_t max);

#endif
