// SPDX-License-Identifier: Apache-2.0
//
// disk.h: the device: requests of any size and place, cut into steps that the device takes.
//
//   start -> waiting (first in, first out; overlapping ones wait for each other)
//         -> active: one step at the device at a time -> next step ... -> npl_service_reply
//
// Layout of the DMA memory, `job` of job_count:
//
//   0      headers: job * 64: request header (16 bytes), at +16 the status byte
//   4096   bounce buffers: job * DISK_CHUNK
#ifndef DISK_H
#define DISK_H

#include <npl/npl.h>

#define DISK_SECTOR      512u
#define DISK_JOBS_MAX    15u
#define DISK_CHUNK       8192u
#define DISK_SERIAL_SIZE 20u // virtio 1.2, section 5.2.6

struct disk_job {
    struct npl_request *request; // null: free
    uint32_t done;               // bytes of the request that are finished
    uint32_t step;               // bytes of the request in the step at the device
    uint32_t skip;               // bounce: bytes before them in the first sector
    uint32_t expected;           // bytes that the device writes, status included
    bool is_bounced;
};

struct disk {
    struct npl_virtio device;
    struct npl_memory memory;
    uint64_t size; // bytes
    uint32_t block_size;
    uint32_t segment_max; // bytes of one data descriptor
    bool is_read_only;
    bool has_flush;
    bool is_lost; // the device failed for good
    uint32_t job_count;
    uint32_t active;
    struct disk_job jobs[DISK_JOBS_MAX];
    struct npl_request *waiting_first;
    struct npl_request *waiting_last;
    char serial[DISK_SERIAL_SIZE + 1];
};

// Finds, negotiates and asks the device for its serial. 0, or a negative code with *what saying
// what went wrong.
int64_t disk_open(struct disk *disk, const char **what);

// Takes a read, write or flush whose range has been checked. Answered later, always.
void disk_start(struct disk *disk, struct npl_request *request);

// Takes completions and starts what can be started. True when anything happened.
bool disk_step(struct disk *disk);

#endif
