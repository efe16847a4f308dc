// SPDX-License-Identifier: Apache-2.0
//
// virtio-rng: the "rng" service on a virtio entropy device (virtio 1.2, section 5.4).
//
// One buffer is at the device at a time; reads are answered in the order in which they came. Bytes
// go to one client only: the buffer is cleared after each copy. A device may return fewer bytes
// than asked; the rest is asked for again, so that a read is always answered whole.
#include <npl/npl.h>
#include <string.h>

#define QUEUE  0u
#define FAILED "the entropy device failed"

#define EXIT_NO_DEVICE  1
#define EXIT_NO_CLIENTS 2

struct source {
    struct npl_virtio device;
    struct npl_memory memory;
    struct npl_request *first; // being filled
    struct npl_request *last;
    uint32_t done; // bytes of `first` that are filled
    bool is_asked; // the buffer is at the device
    bool is_lost;  // the device failed for good
};

static int64_t random_read(void *context, struct npl_request *request)
{
    struct source *source = context;

    if (request->count == 0)
        return 0;
    if (source->is_lost) {
        request->error = FAILED;
        return RUMPK_E_DEVICE;
    }
    request->next = NULL;
    if (source->last)
        source->last->next = request;
    else
        source->first = request;
    source->last = request;
    return NPL_LATER;
}

static void answer_first(struct source *source, int64_t result)
{
    struct npl_request *request = source->first;

    source->first = request->next;
    if (!source->first)
        source->last = NULL;
    source->done = 0;
    npl_service_reply(request, result);
}

// Gives the buffer to the device. False when the device refuses for good.
static bool ask(struct source *source)
{
    uint32_t rest = source->first->count - source->done;
    struct rumpk_queue_request request = {
        .memory_slot = source->memory.slot,
        .flags = RUMPK_QUEUE_DEVICE_WRITES,
        .length = rest < source->memory.size ? rest : (uint32_t)source->memory.size,
    };

    source->is_asked = npl_virtio_submit(&source->device, QUEUE, &request, 1) >= 0;
    return source->is_asked;
}

// Copies what the device gave. False when the device failed.
static bool take(struct source *source)
{
    struct rumpk_queue_completion completion;
    int64_t result = npl_virtio_complete(&source->device, QUEUE, &completion, 1, RUMPK_NOW);

    if (result == RUMPK_E_TIMEOUT)
        return true;
    source->is_asked = false;
    uint32_t rest = source->first->count - source->done;
    if (result < 0 || completion.written == 0)
        return false;
    uint32_t size = completion.written < rest ? completion.written : rest;
    if (size > source->memory.size)
        return false;
    memcpy(source->first->data + source->done, source->memory.base, size);
    memset(source->memory.base, 0, size);
    source->done += size;
    if (source->done == source->first->count)
        answer_first(source, source->done);
    return true;
}

// Moves on as far as the device lets it. True when anything was answered or asked.
static bool source_step(struct source *source)
{
    bool was_asked = source->is_asked;
    bool is_well = true;

    if (source->is_asked)
        is_well = take(source);
    if (is_well && source->first && !source->is_asked)
        is_well = ask(source);
    if (is_well)
        return was_asked ? !source->is_asked : source->is_asked;
    source->is_lost = true;
    while (source->first) {
        source->first->error = FAILED;
        answer_first(source, RUMPK_E_DEVICE);
    }
    return true;
}

static int64_t source_open(struct source *source)
{
    int64_t result = npl_virtio_open(&source->device, "rng");

    if (result >= 0)
        result = npl_dma_open(&source->memory, "buffer");
    if (result >= 0)
        result = npl_virtio_negotiate(&source->device, 0, 0);
    return result;
}

static const struct npl_file files[] = {
    {.name = "random", .mode = NPL_FILE_READ, .read = random_read},
};

int npl_main(void)
{
    struct source source = {0};
    struct npl_service service;
    int64_t result = source_open(&source);

    if (result < 0) {
        (void)npl_printf("virtio-rng: cannot use the device: %s\n", npl_result_text(result));
        return EXIT_NO_DEVICE;
    }
    result = npl_service_open(&service, "rng", files, sizeof(files) / sizeof(files[0]), &source);
    if (result < 0) {
        (void)npl_printf("virtio-rng: cannot serve: %s\n", npl_result_text(result));
        return EXIT_NO_CLIENTS;
    }

    for (;;) {
        int64_t handled = npl_service_poll(&service);
        bool is_moving = source_step(&source) || handled > 0;

        if (handled == RUMPK_E_PEER && !source.first)
            return 0;
        if (!is_moving)
            (void)npl_service_wait(&service, &source.device.queue_slots[QUEUE],
                                   source.is_lost ? 0 : 1, RUMPK_FOREVER);
    }
}
