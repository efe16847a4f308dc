// SPDX-License-Identifier: Apache-2.0
//
// virtio_queue.c: the rings between kernel and device. Ordering: entries before the index that
// publishes them (release), the device's index before the entries it publishes (acquire); the fence
// before a notification is the transport's.
//
// Everything in the used ring comes from the device. It is believed only if it names the first
// descriptor of a buffer that is at the device; the length is cut to what the device was allowed to
// write.
#include "virtio_queue.h"

#define DESCRIPTOR_NEXT  1u
#define DESCRIPTOR_WRITE 2u

struct descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags;
    uint16_t next;
};

struct available_ring {
    uint16_t flags;
    uint16_t index;
    uint16_t entries[];
};

struct used_element {
    uint32_t id;
    uint32_t length;
};

struct used_ring {
    uint16_t flags;
    uint16_t index;
    struct used_element entries[];
};

_Static_assert(RUMPK_QUEUE_ENTRIES_MAX * sizeof(struct descriptor) <= QUEUE_AVAILABLE_OFFSET,
               "descriptors");
_Static_assert(QUEUE_AVAILABLE_OFFSET + 6 + RUMPK_QUEUE_ENTRIES_MAX * 2 <= QUEUE_USED_OFFSET,
               "available ring");
_Static_assert(QUEUE_USED_OFFSET + 6 + RUMPK_QUEUE_ENTRIES_MAX * 8 <= PAGE_SIZE, "used ring");

static struct descriptor *descriptors(const struct virtio_queue *queue)
{
    return (struct descriptor *)(uintptr_t)queue->page;
}

static struct available_ring *available(const struct virtio_queue *queue)
{
    return (struct available_ring *)(uintptr_t)(queue->page + QUEUE_AVAILABLE_OFFSET);
}

static struct used_ring *used(const struct virtio_queue *queue)
{
    return (struct used_ring *)(uintptr_t)(queue->page + QUEUE_USED_OFFSET);
}

void virtio_queue_reset(struct virtio_queue *queue)
{
    uint64_t page = queue->page;
    uint32_t entries = queue->entries;

    memset(queue, 0, sizeof(*queue));
    memset((void *)(uintptr_t)page, 0, PAGE_SIZE);
    queue->page = page;
    queue->entries = entries;
    queue->free_count = (uint16_t)entries;
    for (uint32_t index = 0; index < entries; index++)
        queue->next[index] = (uint16_t)(index + 1);
}

static uint16_t descriptor_take(struct virtio_queue *queue)
{
    uint16_t index = queue->free_first;

    KERNEL_ASSERT(queue->free_count != 0 && index < queue->entries);
    queue->free_first = queue->next[index];
    queue->free_count--;
    return index;
}

// One buffer: parts up to and including the first without CHAINED. Returns how many.
static uint32_t buffer_write(struct virtio_queue *queue, const struct virtio_part *parts)
{
    struct descriptor *table = descriptors(queue);
    uint16_t first = descriptor_take(queue);
    uint16_t at = first;
    uint64_t writable = 0;
    uint32_t count = 0;

    for (;;) {
        const struct virtio_part *part = &parts[count++];
        bool more = (part->flags & RUMPK_QUEUE_CHAINED) != 0;
        bool writes = (part->flags & RUMPK_QUEUE_DEVICE_WRITES) != 0;
        uint16_t next = more ? descriptor_take(queue) : 0;

        writable += writes ? part->length : 0;
        table[at] = (struct descriptor){
            .address = part->address,
            .length = part->length,
            .flags = (uint16_t)((more ? DESCRIPTOR_NEXT : 0) | (writes ? DESCRIPTOR_WRITE : 0)),
            .next = next,
        };
        queue->next[at] = next;
        if (!more)
            break;
        at = next;
    }
    queue->chain[first] = (uint16_t)count;
    queue->cookie[first] = parts[0].cookie;
    queue->writable[first] = writable > UINT32_MAX ? UINT32_MAX : (uint32_t)writable;
    available(queue)->entries[queue->available & (queue->entries - 1)] = first;
    queue->available++;
    queue->outstanding++;
    return count;
}

void virtio_queue_publish(struct virtio_queue *queue, const struct virtio_part *parts,
                          uint32_t count)
{
    for (uint32_t done = 0; done < count;)
        done += buffer_write(queue, &parts[done]);
    __atomic_store_n(&available(queue)->index, queue->available, __ATOMIC_RELEASE);
}

bool virtio_queue_uses(const struct virtio_queue *queue, uint64_t base, uint64_t size)
{
    const struct descriptor *table = descriptors(queue);

    for (uint32_t first = 0; first < queue->entries; first++) {
        uint16_t at = (uint16_t)first;

        for (uint16_t part = 0; part < queue->chain[first]; part++) {
            if (range_overlaps(table[at].address, table[at].length, base, size))
                return true;
            at = queue->next[at];
        }
    }
    return false;
}

bool virtio_queue_has_used(const struct virtio_queue *queue)
{
    return __atomic_load_n(&used(queue)->index, __ATOMIC_ACQUIRE) != queue->used;
}

// The buffer's descriptors go back to the free list, in order.
static void buffer_release(struct virtio_queue *queue, uint16_t first)
{
    uint16_t last = first;

    for (uint16_t part = 1; part < queue->chain[first]; part++)
        last = queue->next[last];
    queue->next[last] = queue->free_first;
    queue->free_first = first;
    queue->free_count += queue->chain[first];
    queue->chain[first] = 0;
    queue->outstanding--;
}

uint32_t virtio_queue_take(struct virtio_queue *queue, struct rumpk_queue_completion *out,
                           uint32_t max)
{
    uint16_t index = __atomic_load_n(&used(queue)->index, __ATOMIC_ACQUIRE);
    uint32_t count = 0;

    // More used than was ever available?
    if ((uint16_t)(index - queue->used) > queue->outstanding) {
        queue->is_broken = true;
        return 0;
    }
    while (count < max && queue->used != index) {
        volatile const struct used_element *element =
            &used(queue)->entries[queue->used & (queue->entries - 1)];
        uint32_t id = element->id;
        uint32_t length = element->length;

        if (id >= queue->entries || queue->chain[id] == 0) {
            queue->is_broken = true;
            return count;
        }
        out[count++] = (struct rumpk_queue_completion){
            .cookie = queue->cookie[id],
            .written = length < queue->writable[id] ? length : queue->writable[id],
        };
        buffer_release(queue, (uint16_t)id);
        queue->used++;
    }
    return count;
}
