// SPDX-License-Identifier: Apache-2.0
//
// disk.c: the device side of a virtio disk (virtio 1.2, section 5.2), with the failures a test asks
// for.
#include <npl/host.h>
#include <string.h>

#define SECTOR      512u
#define HEADER_SIZE 16u
#define ID_SIZE     20u

enum { TYPE_IN = 0, TYPE_OUT = 1, TYPE_FLUSH = 4, TYPE_GET_ID = 8 };
enum { STATUS_OK = 0, STATUS_IOERR = 1, STATUS_UNSUPP = 2 };

static uint64_t get(const uint8_t *bytes, uint32_t width)
{
    uint64_t value = 0;

    for (uint32_t at = 0; at < width; at++)
        value |= (uint64_t)bytes[at] << (8 * at);
    return value;
}

static void put(uint8_t *bytes, uint32_t width, uint64_t value)
{
    for (uint32_t at = 0; at < width; at++)
        bytes[at] = (uint8_t)(value >> (8 * at));
}

static bool touches_bad_sector(const struct host_disk *disk, uint64_t sector, uint32_t length)
{
    return disk->bad_sector >= sector && disk->bad_sector - sector < length / SECTOR;
}

// Moves the data of one read or write. Its status.
static uint8_t transfer(struct host_disk *disk, uint32_t type, uint64_t sector,
                        const struct host_part *data, uint32_t *written)
{
    uint64_t capacity = disk->size / SECTOR;

    if (data->length == 0 || data->length % SECTOR != 0 || sector > capacity ||
        data->length / SECTOR > capacity - sector || data->device_writes != (type == TYPE_IN))
        return STATUS_IOERR;
    if (disk->segment_max && data->length > disk->segment_max)
        return STATUS_IOERR;
    if (touches_bad_sector(disk, sector, data->length))
        return STATUS_IOERR;
    if (type == TYPE_OUT) {
        if (disk->is_read_only)
            return STATUS_IOERR;
        memcpy(disk->bytes + sector * SECTOR, data->bytes, data->length);
        return STATUS_OK;
    }
    uint32_t length = disk->is_torn ? data->length / 2 : data->length;
    memcpy(data->bytes, disk->bytes + sector * SECTOR, length);
    *written += length;
    return STATUS_OK;
}

static uint32_t serve(void *context, uint32_t queue, const struct host_part *parts, uint32_t count)
{
    struct host_disk *disk = context;
    uint32_t written = 1;
    uint8_t status = STATUS_UNSUPP;

    if (disk->served++ >= disk->serve_max || queue != 0 || count < 2 ||
        parts[0].length != HEADER_SIZE || parts[0].device_writes || parts[count - 1].length != 1 ||
        !parts[count - 1].device_writes)
        return HOST_DEVICE_BREAKS;
    uint32_t type = (uint32_t)get(parts[0].bytes, 4);
    uint64_t sector = get(parts[0].bytes + 8, 8);
    if (count == 3 && (type == TYPE_IN || type == TYPE_OUT)) {
        status = transfer(disk, type, sector, &parts[1], &written);
    } else if (count == 2 && type == TYPE_FLUSH) {
        disk->flushes++;
        status = STATUS_OK;
    } else if (count == 3 && type == TYPE_GET_ID && parts[1].length == ID_SIZE) {
        memset(parts[1].bytes, 0, ID_SIZE);
        memcpy(parts[1].bytes, HOST_DISK_SERIAL, strlen(HOST_DISK_SERIAL));
        written += ID_SIZE;
        status = STATUS_OK;
    }
    parts[count - 1].bytes[0] = status;
    return written;
}

void host_disk_device(struct host_disk *disk, struct host_device *device)
{
    uint64_t version_1 = UINT64_C(1) << 32;
    uint64_t read_only = disk->is_read_only ? UINT64_C(1) << 5 : 0;
    uint64_t size_max = disk->segment_max ? UINT64_C(1) << 1 : 0;
    uint64_t block_size_and_flush = UINT64_C(1) << 6 | UINT64_C(1) << 9;

    *device = (struct host_device){
        .device_id = 2,
        .features = version_1 | read_only | size_max | block_size_and_flush,
        .queue_count = 1,
        .queue_entries = RUMPK_QUEUE_ENTRIES_MAX,
        .config_size = 60,
        .serve = serve,
        .context = disk,
    };
    put(device->config, 8, disk->size / SECTOR);
    put(device->config + 8, 4, disk->segment_max);
    put(device->config + 20, 4, SECTOR);
}
