// SPDX-License-Identifier: Apache-2.0
//
// disk.c: virtio block requests (virtio 1.2, section 5.2.6): header, data, status byte; each one
// chain.
#include "disk.h"
#include <string.h>

#define FEATURE_SIZE_MAX (UINT64_C(1) << 1)
#define FEATURE_SEG_MAX  (UINT64_C(1) << 2)
#define FEATURE_RO       (UINT64_C(1) << 5)
#define FEATURE_BLK_SIZE (UINT64_C(1) << 6)
#define FEATURE_FLUSH    (UINT64_C(1) << 9)

// Device-specific configuration, section 5.2.4.
#define CONFIG_CAPACITY 0u
#define CONFIG_SIZE_MAX 8u
#define CONFIG_BLK_SIZE 20u

#define TYPE_IN     0u
#define TYPE_OUT    1u
#define TYPE_FLUSH  4u
#define TYPE_GET_ID 8u

#define STATUS_OK          0u
#define STATUS_UNSUPPORTED 2u
#define STATUS_PENDING     0xFFu

#define QUEUE           0u
#define CHAIN_MAX       3u // header, data, status
#define HEADER_SIZE     16u
#define HEADER_STRIDE   64u
#define STATUS_OFFSET   16u
#define BOUNCE_OFFSET   4096u
#define SEGMENT_MAX     (1u << 20)
#define SERIAL_WAIT_MS  1000u
#define COMPLETIONS_MAX 16u

// One data part of a request: where it lies and in which direction it moves.
struct part {
    uint32_t slot;
    uint64_t offset;
    uint32_t length; // 0: no data
    bool device_writes;
};

static uint8_t *header_of(struct disk *disk, uint32_t job)
{
    return disk->memory.base + (size_t)job * HEADER_STRIDE;
}

static uint64_t bounce_offset(uint32_t job)
{
    return BOUNCE_OFFSET + (uint64_t)job * DISK_CHUNK;
}

static void put(uint8_t *bytes, uint32_t width, uint64_t value)
{
    for (uint32_t at = 0; at < width; at++)
        bytes[at] = (uint8_t)(value >> (8 * at));
}

// Gives one request to the device.
static int64_t submit(struct disk *disk, uint32_t job, uint32_t type, uint64_t sector,
                      const struct part *part)
{
    uint8_t *header = header_of(disk, job);
    uint32_t header_offset = job * HEADER_STRIDE;
    struct rumpk_queue_request chain[CHAIN_MAX] = {0};
    uint32_t count = 0;

    put(header, 4, type);
    put(header + 4, 4, 0);
    put(header + 8, 8, sector);
    header[STATUS_OFFSET] = STATUS_PENDING;

    chain[count++] = (struct rumpk_queue_request){
        .memory_slot = disk->memory.slot,
        .flags = RUMPK_QUEUE_CHAINED,
        .offset = header_offset,
        .length = HEADER_SIZE,
        .cookie = job,
    };
    if (part->length > 0)
        chain[count++] = (struct rumpk_queue_request){
            .memory_slot = part->slot,
            .flags = RUMPK_QUEUE_CHAINED | (part->device_writes ? RUMPK_QUEUE_DEVICE_WRITES : 0),
            .offset = part->offset,
            .length = part->length,
        };
    chain[count++] = (struct rumpk_queue_request){
        .memory_slot = disk->memory.slot,
        .flags = RUMPK_QUEUE_DEVICE_WRITES,
        .offset = header_offset + STATUS_OFFSET,
        .length = 1,
    };
    return npl_virtio_submit(&disk->device, QUEUE, chain, count);
}

// ---- opening
// -----------------------------------------------------------------------------------------

// The serial number is asked for once, before any client is served; a disk without one is fine.
static void read_serial(struct disk *disk)
{
    struct rumpk_queue_completion completion;
    struct part part = {
        .slot = disk->memory.slot,
        .offset = bounce_offset(0),
        .length = DISK_SERIAL_SIZE,
        .device_writes = true,
    };

    memset(disk->memory.base + bounce_offset(0), 0, DISK_SERIAL_SIZE);
    int64_t result = submit(disk, 0, TYPE_GET_ID, 0, &part);
    if (result >= 0)
        result = npl_virtio_complete(&disk->device, QUEUE, &completion, 1,
                                     npl_deadline_ms(SERIAL_WAIT_MS));
    if (result < 0) {
        disk->is_lost = true; // a device that does not answer this answers nothing
        return;
    }
    if (header_of(disk, 0)[STATUS_OFFSET] != STATUS_OK)
        return;
    memcpy(disk->serial, disk->memory.base + bounce_offset(0), DISK_SERIAL_SIZE);
    for (char *byte = disk->serial; *byte; byte++) {
        if (*byte < ' ' || *byte > '~')
            *byte = '?';
    }
}

int64_t disk_open(struct disk *disk, const char **what)
{
    uint64_t wanted =
        FEATURE_SIZE_MAX | FEATURE_SEG_MAX | FEATURE_RO | FEATURE_BLK_SIZE | FEATURE_FLUSH;

    memset(disk, 0, sizeof(*disk));
    *what = "no disk was granted";
    int64_t result = npl_virtio_open(&disk->device, "disk");
    if (result < 0)
        return result;
    *what = "no DMA memory was granted";
    result = npl_dma_open(&disk->memory, "buffers");
    if (result < 0)
        return result;
    *what = "the DMA memory is too small for one request";
    if (disk->memory.size < BOUNCE_OFFSET + DISK_CHUNK)
        return RUMPK_E_BOUNDS;
    uint64_t jobs = (disk->memory.size - BOUNCE_OFFSET) / DISK_CHUNK;
    disk->job_count = jobs < DISK_JOBS_MAX ? (uint32_t)jobs : DISK_JOBS_MAX;

    *what = "the device cannot be negotiated with";
    result = npl_virtio_negotiate(&disk->device, 0, wanted);
    if (result < 0)
        return result;
    *what = "the device's queue is too short for one request";
    if (disk->device.view->queue_entries[QUEUE] < CHAIN_MAX)
        return RUMPK_E_DEVICE;
    *what = "the device states a capacity that no disk has";
    uint64_t sectors = npl_virtio_config64(&disk->device, CONFIG_CAPACITY);
    if (sectors > INT64_MAX / DISK_SECTOR)
        return RUMPK_E_DEVICE;

    uint64_t features = disk->device.features;
    disk->size = sectors * DISK_SECTOR;
    disk->is_read_only = features & FEATURE_RO;
    disk->has_flush = features & FEATURE_FLUSH;
    disk->block_size = DISK_SECTOR;
    if (features & FEATURE_BLK_SIZE)
        disk->block_size = npl_virtio_config32(&disk->device, CONFIG_BLK_SIZE);
    disk->segment_max = SEGMENT_MAX;
    if (features & FEATURE_SIZE_MAX) {
        uint32_t limit = npl_virtio_config32(&disk->device, CONFIG_SIZE_MAX);

        *what = "the device takes less than a sector at a time";
        if (limit < DISK_SECTOR)
            return RUMPK_E_DEVICE;
        if (limit < disk->segment_max)
            disk->segment_max = limit / DISK_SECTOR * DISK_SECTOR;
    }
    read_serial(disk);
    *what = "the device does not answer";
    return disk->is_lost ? RUMPK_E_DEVICE : RUMPK_OK;
}

// ---- steps of a request
// ------------------------------------------------------------------------------

static bool is_flush(const struct npl_request *request)
{
    return request->is_write && request->own != NULL;
}

static void finish(struct disk *disk, uint32_t job, int64_t result, const char *error)
{
    struct npl_request *request = disk->jobs[job].request;

    disk->jobs[job].request = NULL;
    disk->active--;
    request->error = error;
    npl_service_reply(request, result);
}

// The next step straight between device and client: whole sectors only.
static void plan_direct(struct disk *disk, struct disk_job *job, struct part *part)
{
    const struct npl_request *request = job->request;
    uint32_t rest = request->count - job->done;

    job->is_bounced = false;
    job->step = rest / DISK_SECTOR * DISK_SECTOR;
    if (job->step > disk->segment_max)
        job->step = disk->segment_max;
    *part = (struct part){
        .slot = request->memory_slot,
        .offset = request->memory_offset + job->done,
        .length = job->step,
        .device_writes = !request->is_write,
    };
}

// The next step through the driver's own memory: the sectors around it.
static void plan_bounced(struct disk *disk, uint32_t index, struct part *part)
{
    struct disk_job *job = &disk->jobs[index];
    const struct npl_request *request = job->request;
    uint32_t chunk = disk->segment_max < DISK_CHUNK ? disk->segment_max : DISK_CHUNK;
    uint32_t rest = request->count - job->done;

    job->is_bounced = true;
    job->skip = (uint32_t)((request->offset + job->done) % DISK_SECTOR);
    job->step = rest < chunk - job->skip ? rest : chunk - job->skip;
    *part = (struct part){
        .slot = disk->memory.slot,
        .offset = bounce_offset(index),
        .length = (job->skip + job->step + DISK_SECTOR - 1) / DISK_SECTOR * DISK_SECTOR,
        .device_writes = !request->is_write,
    };
    if (request->is_write)
        memcpy(disk->memory.base + part->offset, request->data + job->done, job->step);
}

// Submits the job's next step. RUMPK_E_FULL: later.
static int64_t start_step(struct disk *disk, uint32_t index)
{
    struct disk_job *job = &disk->jobs[index];
    const struct npl_request *request = job->request;
    struct part part = {0};

    if (is_flush(request)) {
        job->step = request->count;
        job->expected = 1;
        return submit(disk, index, TYPE_FLUSH, 0, &part);
    }
    uint64_t position = request->offset + job->done;
    if (request->is_dma && position % DISK_SECTOR == 0 && request->count - job->done >= DISK_SECTOR)
        plan_direct(disk, job, &part);
    else
        plan_bounced(disk, index, &part);
    job->expected = 1 + (request->is_write ? 0 : part.length);
    return submit(disk, index, request->is_write ? TYPE_OUT : TYPE_IN, position / DISK_SECTOR,
                  &part);
}

// Why a finished step failed, or null.
static const char *step_error(struct disk *disk, uint32_t index, uint32_t written)
{
    uint8_t status = header_of(disk, index)[STATUS_OFFSET];

    if (status == STATUS_UNSUPPORTED)
        return "the disk does not support this request";
    if (status != STATUS_OK)
        return "the disk reports an input/output error";
    if (written < disk->jobs[index].expected)
        return "the disk moved fewer bytes than it was asked to";
    return NULL;
}

// One step is done: the next, or the answer.
static void end_step(struct disk *disk, uint32_t index, uint32_t written)
{
    struct disk_job *job = &disk->jobs[index];
    struct npl_request *request = job->request;
    const char *error = step_error(disk, index, written);

    if (error) {
        finish(disk, index, RUMPK_E_DEVICE, error);
        return;
    }
    if (job->is_bounced && !request->is_write)
        memcpy(request->data + job->done, disk->memory.base + bounce_offset(index) + job->skip,
               job->step);
    job->done += job->step;
    job->step = 0;
    if (job->done == request->count)
        finish(disk, index, job->done, NULL);
}

// ---- queueing
// ----------------------------------------------------------------------------------------

// Must one of the two wait for the other? Two reads never do.
static bool conflict(const struct npl_request *left, const struct npl_request *right)
{
    if (!left->is_write && !right->is_write)
        return false;
    if (is_flush(left) || is_flush(right))
        return false;
    return left->offset < right->offset + right->count &&
           right->offset < left->offset + left->count;
}

static bool conflicts_active(const struct disk *disk, const struct npl_request *request)
{
    for (uint32_t index = 0; index < disk->job_count; index++) {
        if (disk->jobs[index].request && conflict(disk->jobs[index].request, request))
            return true;
    }
    return false;
}

// Does it have to wait for an earlier one that waits itself?
static bool conflicts_earlier(const struct disk *disk, const struct npl_request *request)
{
    for (const struct npl_request *earlier = disk->waiting_first; earlier != request;
         earlier = earlier->next) {
        if (conflict(earlier, request))
            return true;
    }
    return false;
}

static void unlink_waiting(struct disk *disk, struct npl_request *request,
                           struct npl_request *previous)
{
    if (previous)
        previous->next = request->next;
    else
        disk->waiting_first = request->next;
    if (disk->waiting_last == request)
        disk->waiting_last = previous;
    request->next = NULL;
}

// Gives waiting requests to free jobs, in order, stepping over those that must wait.
static bool start_waiting(struct disk *disk)
{
    struct npl_request *previous = NULL;
    struct npl_request *request = disk->waiting_first;
    uint32_t job = 0;
    bool is_any = false;

    while (request) {
        struct npl_request *next = request->next;

        while (job < disk->job_count && disk->jobs[job].request)
            job++;
        if (job == disk->job_count)
            break;
        if (conflicts_active(disk, request) || conflicts_earlier(disk, request)) {
            previous = request;
        } else {
            unlink_waiting(disk, request, previous);
            disk->jobs[job] = (struct disk_job){.request = request};
            disk->active++;
            is_any = true;
        }
        request = next;
    }
    return is_any;
}

// Submits the next step of every active request that has none at the device.
static bool start_steps(struct disk *disk)
{
    bool is_any = false;

    for (uint32_t index = 0; index < disk->job_count; index++) {
        if (!disk->jobs[index].request || disk->jobs[index].step > 0)
            continue;
        int64_t result = disk->is_lost ? RUMPK_E_DEVICE : start_step(disk, index);
        if (result >= 0) {
            is_any = true;
            continue;
        }
        disk->jobs[index].step = 0;
        if (result == RUMPK_E_FULL)
            break;
        finish(disk, index, RUMPK_E_DEVICE,
               disk->is_lost ? "the disk failed and was shut down" : npl_result_text(result));
        is_any = true;
    }
    return is_any;
}

// The kernel reset the device: nothing that was there will complete.
static void lose(struct disk *disk)
{
    disk->is_lost = true;
    for (uint32_t index = 0; index < disk->job_count; index++) {
        if (disk->jobs[index].request)
            finish(disk, index, RUMPK_E_DEVICE, "the disk failed and was shut down");
    }
}

void disk_start(struct disk *disk, struct npl_request *request)
{
    request->next = NULL;
    if (disk->waiting_last)
        disk->waiting_last->next = request;
    else
        disk->waiting_first = request;
    disk->waiting_last = request;
}

// Takes completions. A cookie that names no step at the device is the kernel's or the device's
// fault.
static bool take_completions(struct disk *disk)
{
    struct rumpk_queue_completion completions[COMPLETIONS_MAX];
    int64_t count =
        npl_virtio_complete(&disk->device, QUEUE, completions, COMPLETIONS_MAX, RUMPK_NOW);

    if (count == RUMPK_E_DEVICE || count == RUMPK_E_STATE) {
        lose(disk);
        return true;
    }
    for (int64_t at = 0; at < count; at++) {
        uint64_t job = completions[at].cookie;

        if (job < disk->job_count && disk->jobs[job].request && disk->jobs[job].step > 0)
            end_step(disk, (uint32_t)job, completions[at].written);
    }
    return count > 0;
}

bool disk_step(struct disk *disk)
{
    bool is_any = disk->active > 0 && !disk->is_lost && take_completions(disk);

    is_any |= start_waiting(disk);
    is_any |= start_steps(disk);
    return is_any;
}
