// SPDX-License-Identifier: Apache-2.0
//
// service.h: offer a small file tree to other drivers: the serving end of 9P2000 in arena buffers.
//
// A driver lists its files and answers reads and writes; version, attach, walk, open, stat, clunk,
// directory reads and flush are done here. A request whose answer must wait for a device is kept
// (NPL_LATER) and answered with npl_service_reply. Requests of one client are numbered and lent
// buffers; a client that reuses a lent buffer or writes nonsense into its ring is cut off, the
// others go on.
//
//   npl_service_open -> { npl_service_poll -> file callbacks; npl_service_reply; npl_service_wait
//   }*
#ifndef NPL_SERVICE_H
#define NPL_SERVICE_H

#include <npl/ring.h>
#include <rumpk/ninep.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NPL_SERVICE_CLIENTS_MAX 20u // each takes three capability slots of 64
#define NPL_SERVICE_FIDS_MAX    16u // open names of one client
#define NPL_SERVICE_FILES_MAX   64u
#define NPL_SERVICE_NAME_MAX    32u  // bytes of a file name, NUL included
#define NPL_SERVICE_MESSAGE_MAX 512u // bytes of a request without its data
#define NPL_SERVICE_ERROR_MAX \
    128u // bytes of an error text; the rest is cut, so that every Rerror fits

// Result of a callback: the answer comes later through npl_service_reply.
#define NPL_LATER (INT64_C(1) << 62)

#define NPL_FILE_READ  0x1u
#define NPL_FILE_WRITE 0x2u

struct npl_file;
struct npl_session;

// One read or write. Valid until it is answered.
struct npl_request {
    const struct npl_file *file;
    uint64_t offset;
    uint32_t count; // bytes asked for, never more than fit the message
    uint8_t *data;  // read: to be filled; write: the bytes. In memory that the client can change
    uint32_t memory_slot;   // capability of the memory in which `data` lie,
    uint64_t memory_offset; // and where in it, for a queue request without a copy,
    bool is_dma;            // where the image owner permits DMA to this memory
    bool is_write;
    const char *error;        // text for a negative result; null: that of the result
    struct npl_request *next; // for the driver's use while it keeps the request: a queue,
    void *own;                // and what it is doing with it

    // libnpl's own:
    struct npl_session *session;
    uint64_t sequence;
    uint32_t buffer;
    uint32_t old_tag; // of a flush
    uint16_t tag;
    uint8_t type;
    bool is_lent;
};

// A file of the tree. Callbacks return bytes (0 at the end of a read), a negative rumpk_result, or
// NPL_LATER. A null callback refuses. `size` may be null: size 0, as devices without an end have.
struct npl_file {
    const char *name;
    uint32_t mode; // NPL_FILE_*
    uint64_t (*size)(void *context, const struct npl_file *file);
    int64_t (*read)(void *context, struct npl_request *request);
    int64_t (*write)(void *context, struct npl_request *request);
};

struct npl_service {
    const struct npl_file *files;
    uint32_t file_count;
    void *context; // given to every callback
    struct npl_session *sessions;
    uint32_t session_count;
    uint32_t turn; // session that is looked at first
};

// Opens every channel of this service name and maps its rings and arena. How many clients there
// are, or a negative code; RUMPK_E_MEMORY when the heap is too small, RUMPK_E_LIMIT for too many
// files. `files` must stay.
int64_t npl_service_open(struct npl_service *service, const char *name,
                         const struct npl_file *files, uint32_t file_count, void *context);

// Handles what clients have sent, each in turn, at most one request of a client per round. How many
// requests were handled; RUMPK_E_PEER when no client is left.
int64_t npl_service_poll(struct npl_service *service);

// Answers a request that was kept. `result` as of a callback. The request is void afterwards.
void npl_service_reply(struct npl_request *request, int64_t result);

// Sleeps until a client sends, room for answers appears, or one of `extra` (queue or ring slots) is
// ready. RUMPK_E_PEER when no client is left and there is no extra; RUMPK_E_TIMEOUT; else 0.
int64_t npl_service_wait(struct npl_service *service, const uint32_t *extra, uint32_t extra_count,
                         uint64_t deadline);

// Copies the part of `text` that a read asks for: the body of a file made of text.
int64_t npl_service_read_text(struct npl_request *request, const char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
