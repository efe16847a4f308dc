// SPDX-License-Identifier: Apache-2.0
//
// client.h: use a service of another driver: the asking end of 9P2000 in arena buffers.
//
//   npl_client_connect -> npl_client_open -> npl_client_read / write / stat -> npl_client_close
//
// Plain calls wait for their answer. To keep several reads or writes under way, start them, each
// with a cookie, and take the answers with npl_client_next in the order in which they come. Each
// request is kept until its answer; when the server was restarted (RUMPK_E_EPOCH on the ring) those
// that it had taken are sent again, with their sequence numbers.
#ifndef NPL_CLIENT_H
#define NPL_CLIENT_H

#include <npl/ring.h>
#include <rumpk/ninep.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NPL_CLIENT_FIDS_MAX  16u
#define NPL_CLIENT_ERROR_MAX 96u
#define NPL_CLIENT_KEEP_MAX \
    128u // bytes of a request that are kept; only data of a write are longer

struct npl_pending {
    uint64_t sequence;
    uint64_t cookie;
    uint32_t state;  // free, sent, answered, handed out
    uint32_t length; // bytes of the request
    uint32_t asked;  // data bytes of a read or write
    uint32_t answer; // bytes of the answer
    uint8_t type;    // of the request
    bool is_async;
    uint8_t kept[NPL_CLIENT_KEEP_MAX];
};

struct npl_client {
    struct npl_ring requests;
    struct npl_ring replies;
    uint8_t *arena;
    uint32_t buffer_count;
    uint32_t buffer_size;
    uint32_t msize;  // agreed with the server
    uint32_t io_max; // data bytes of one read or write
    uint64_t sequence;
    uint32_t fids; // bit n: fid n is in use
    struct npl_pending *pending;
    char error[NPL_CLIENT_ERROR_MAX];
};

// An answer of a started read or write.
struct npl_answer {
    uint64_t cookie;
    int64_t result;      // bytes, or a negative code; npl_client_error() says why
    const uint8_t *data; // read: the bytes, in memory that the server can still change
    uint32_t buffer;
};

struct npl_stat {
    uint64_t length;
    uint64_t number; // names the file among all of its service: the path of its qid
    uint32_t mode;   // permission bits
    bool is_directory;
    char name[64];
};

// Finds the wired channel of this service, agrees on the version and attaches. 0; RUMPK_E_SLOT when
// it is not wired; RUMPK_E_UNSUPPORTED for a server of another protocol; RUMPK_E_PEER when it is
// gone.
int64_t npl_client_connect(struct npl_client *client, const char *service);

// Opens a file by its path ("/data") with RUMPK_NINEP_OREAD, OWRITE or ORDWR. A fid of 1 or above.
int64_t npl_client_open(struct npl_client *client, const char *path, uint32_t mode);
int64_t npl_client_close(struct npl_client *client, int64_t fid);
int64_t npl_client_stat(struct npl_client *client, int64_t fid, struct npl_stat *out);
int64_t npl_client_stat_path(struct npl_client *client, const char *path, struct npl_stat *out);

// The entries of a directory from its entry `first` on, in the server's order: how many were
// stored, at most `count`; 0 at the end. RUMPK_E_PEER for entries that are none.
int64_t npl_client_list(struct npl_client *client, const char *path, uint32_t first,
                        struct npl_stat *out, uint32_t count);

// Bytes moved, fewer than `count` only at the end of the file, or a negative code.
int64_t npl_client_read(struct npl_client *client, int64_t fid, uint64_t offset, void *out,
                        uint64_t count);
int64_t npl_client_write(struct npl_client *client, int64_t fid, uint64_t offset, const void *bytes,
                         uint64_t count);

// Starts one read or write of at most client->io_max bytes. 0, RUMPK_E_FULL when every buffer is
// under way, RUMPK_E_ARGUMENT, RUMPK_E_PEER.
int64_t npl_client_read_start(struct npl_client *client, int64_t fid, uint64_t offset,
                              uint32_t count, uint64_t cookie);
int64_t npl_client_write_start(struct npl_client *client, int64_t fid, uint64_t offset,
                               const void *bytes, uint32_t count, uint64_t cookie);

// Takes the next answer, sleeping until the deadline. 1; RUMPK_E_STATE when nothing is under way;
// RUMPK_E_TIMEOUT; RUMPK_E_PEER. The buffer is the caller's until npl_client_done.
int64_t npl_client_next(struct npl_client *client, struct npl_answer *out, uint64_t deadline);
void npl_client_done(struct npl_client *client, const struct npl_answer *answer);

// The server's own words for the last RUMPK_E_DEVICE, printable ASCII; "" when there are none.
const char *npl_client_error(const struct npl_client *client);

#ifdef __cplusplus
}
#endif

#endif
