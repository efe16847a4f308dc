// SPDX-License-Identifier: Apache-2.0
//
// bridge.h: 9P2000.L messages from outside become requests to the services wired to this driver.
//
//   message -> bridge_take -> ANSWERED ----------------------------> sent by the caller -> FREE
//                        \-> WAITS (read, write) -> bridge_collect -> ANSWERED
//                        \-> FLUSHES (of one that waits) -----------> ANSWERED after that one
//
// One job is one outside request and owns one answer buffer. Everything but reads and writes is
// done at once. A name inside is the path of the file and the service that it belongs to; the root
// belongs to none.
#ifndef BRIDGE_H
#define BRIDGE_H

#include "field.h"
#include "ninep_l.h"
#include <npl/npl.h>

#define BRIDGE_SERVICES_MAX 8u
#define BRIDGE_FIDS_MAX     64u // outside; a service bounds those that are open in it
#define BRIDGE_JOBS_MAX     7u
#define BRIDGE_PATH_MAX     96u
#define BRIDGE_MSIZE_MAX    8192u
#define BRIDGE_ROOT         UINT32_MAX // service of the root

struct bridge_service {
    const char *name;
    struct npl_client client;
    uint32_t under_way; // reads and writes without an answer
    bool is_gone;
};

// Where a fid stands.
struct bridge_place {
    uint32_t service;
    bool is_directory;
    uint64_t number;            // the file's in its service
    char path[BRIDGE_PATH_MAX]; // in its service; "" is the service's own root
};

struct bridge_fid {
    uint32_t number;
    bool is_used;
    bool is_open;
    bool may_read;
    bool may_write;
    int64_t inner; // fid in the service of an open file
    struct bridge_place place;
};

enum bridge_job_state { JOB_FREE, JOB_WAITS, JOB_FLUSHES, JOB_ANSWERED, JOB_SENT };

struct bridge_job {
    enum bridge_job_state state;
    bool is_void; // its session has ended: nobody wants the answer
    uint8_t type;
    uint16_t tag;
    uint16_t old_tag;
    uint32_t service;
    uint32_t answer; // bytes of the answer in `bytes`
    uint8_t *bytes;  // BRIDGE_MSIZE_MAX
};

struct bridge {
    struct bridge_service services[BRIDGE_SERVICES_MAX];
    uint32_t service_count;
    uint32_t msize; // 0 until a version is agreed
    struct bridge_fid fids[BRIDGE_FIDS_MAX];
    struct bridge_job jobs[BRIDGE_JOBS_MAX];
};

// Connects to every service wired to this driver. How many answered. `answers` has room for
// BRIDGE_JOBS_MAX messages of BRIDGE_MSIZE_MAX bytes.
uint32_t bridge_open(struct bridge *bridge, uint8_t *answers);

// A free job, or null.
struct bridge_job *bridge_job_free(struct bridge *bridge);

// Handles one message of `size` bytes, at least a header; `job` is free.
void bridge_take(struct bridge *bridge, struct bridge_job *job, uint8_t *message, uint32_t size);

// Takes answers of the services. True when there was one.
bool bridge_collect(struct bridge *bridge);

// ---- between the files of the bridge

#define BRIDGE_LATER UINT32_MAX // "error" of a request that is answered later

// May a service be asked at once? Makes room for one more request to it.
bool bridge_reserve(struct bridge *bridge, uint32_t service);

// What a client is told about a failure, as a Linux error number.
uint32_t bridge_error(struct bridge *bridge, uint32_t service, int64_t result);

// One step of a walk: 0 or an error number, with the place unchanged.
uint32_t bridge_step(struct bridge *bridge, struct bridge_place *place, struct field_text name);

// What the service says about a file. 0 or an error number.
uint32_t bridge_stat(struct bridge *bridge, const struct bridge_place *place,
                     struct npl_stat *stat);

void bridge_put_qid(struct field *out, const struct bridge_place *place);

// Bodies of the answers to Tgetattr and Treaddir.
uint32_t bridge_getattr(struct bridge *bridge, const struct bridge_place *place, struct field *out);
uint32_t bridge_readdir(struct bridge *bridge, const struct bridge_place *place, uint64_t offset,
                        uint32_t count, struct field *out);

#endif
