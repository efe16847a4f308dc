// SPDX-License-Identifier: Apache-2.0
//
// virtio-blk: the "block" service on a virtio block device.
//
// Here is what clients see: files, sizes, and what is refused. What the device sees is in disk.c.
#include "disk.h"
#include <stdio.h>
#include <string.h>

#define INFO_SIZE 256u

#define EXIT_NO_DISK    1
#define EXIT_NO_CLIENTS 2

static uint64_t data_size(void *context, const struct npl_file *file)
{
    const struct disk *disk = context;

    (void)file;
    return disk->size;
}

static int64_t data_read(void *context, struct npl_request *request)
{
    struct disk *disk = context;

    if (request->offset >= disk->size || request->count == 0)
        return 0;
    if (request->count > disk->size - request->offset)
        request->count = (uint32_t)(disk->size - request->offset);
    disk_start(disk, request);
    return NPL_LATER;
}

static int64_t data_write(void *context, struct npl_request *request)
{
    struct disk *disk = context;

    if (disk->is_read_only) {
        request->error = "the disk is read-only";
        return RUMPK_E_RIGHTS;
    }
    if (request->offset > disk->size || request->count > disk->size - request->offset) {
        request->error = "the write goes beyond the end of the disk";
        return RUMPK_E_BOUNDS;
    }
    if (request->offset % DISK_SECTOR != 0 || request->count % DISK_SECTOR != 0) {
        request->error = "writes start and end at sector boundaries, multiples of 512 bytes";
        return RUMPK_E_ARGUMENT;
    }
    if (request->count == 0)
        return 0;
    disk_start(disk, request);
    return NPL_LATER;
}

// Any write; what counts is that it was written. Without the feature the disk has no volatile
// cache.
static int64_t flush_write(void *context, struct npl_request *request)
{
    struct disk *disk = context;

    if (!disk->has_flush || request->count == 0)
        return request->count;
    request->own = disk;
    disk_start(disk, request);
    return NPL_LATER;
}

static int info_text(const struct disk *disk, char text[INFO_SIZE])
{
    return snprintf(
        text, INFO_SIZE,
        "sectors %llu\nsector-size %u\nblock-size %u\nread-only %s\nflush %s\nserial %s\n",
        (unsigned long long)(disk->size / DISK_SECTOR), DISK_SECTOR, disk->block_size,
        disk->is_read_only ? "yes" : "no", disk->has_flush ? "yes" : "no",
        disk->serial[0] ? disk->serial : "-");
}

static uint64_t info_size(void *context, const struct npl_file *file)
{
    char text[INFO_SIZE];

    (void)file;
    return (uint64_t)info_text(context, text);
}

static int64_t info_read(void *context, struct npl_request *request)
{
    char text[INFO_SIZE];
    int size = info_text(context, text);

    return npl_service_read_text(request, text, (size_t)size);
}

static const struct npl_file files[] = {
    {.name = "data",
     .mode = NPL_FILE_READ | NPL_FILE_WRITE,
     .size = data_size,
     .read = data_read,
     .write = data_write},
    {.name = "info", .mode = NPL_FILE_READ, .size = info_size, .read = info_read},
    {.name = "flush", .mode = NPL_FILE_WRITE, .write = flush_write},
};

int npl_main(void)
{
    struct disk disk;
    struct npl_service service;
    const char *what;
    int64_t result = disk_open(&disk, &what);

    if (result < 0) {
        (void)npl_printf("virtio-blk: %s: %s\n", what, npl_result_text(result));
        return EXIT_NO_DISK;
    }
    result = npl_service_open(&service, "block", files, sizeof(files) / sizeof(files[0]), &disk);
    if (result < 0) {
        (void)npl_printf("virtio-blk: cannot serve: %s\n", npl_result_text(result));
        return EXIT_NO_CLIENTS;
    }

    for (;;) {
        int64_t handled = npl_service_poll(&service);
        bool is_moving = disk_step(&disk) || handled > 0;

        // Every client has ended, and what they had asked for is done.
        if (handled == RUMPK_E_PEER && disk.active == 0 && !disk.waiting_first)
            return 0;
        // A queue that was shut down has nothing to wait for.
        if (!is_moving)
            (void)npl_service_wait(&service, &disk.device.queue_slots[0], disk.is_lost ? 0 : 1,
                                   RUMPK_FOREVER);
    }
}
