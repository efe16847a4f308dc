// SPDX-License-Identifier: Apache-2.0
//
// The asking end of libnpl as the bridge sees it, with a service behind it that never fails:
// "store" has the file "data", which is read and written, "info", which is read, and a folder
// "deep" with "file". It checks that the bridge uses only fids that it holds and asks for no more
// than a message carries.
#include <npl/client.h>
#include <npl/start.h>
#include <rumpk/call.h>
#include <rumpk/result.h>
#include <stdlib.h>
#include <string.h>

#define BUFFERS   3u
#define IO_MAX    1000u
#define DATA_SIZE 3000u

static struct {
    struct rumpk_start start;
    struct rumpk_channel channel;
} block = {
    .start = {.channel_count = 1, .channels_offset = sizeof(struct rumpk_start)},
    .channel = {.role = RUMPK_ROLE_CLIENT, .style = RUMPK_STYLE_SERVICE, .service = "store"},
};

static uint8_t data[DATA_SIZE];
static bool is_open[NPL_CLIENT_FIDS_MAX];
static struct npl_answer pending[BUFFERS];
static uint32_t pending_count;
static const char *error = "";

const struct rumpk_start *npl_start(void)
{
    return &block.start;
}

int64_t npl_client_connect(struct npl_client *client, const char *service)
{
    (void)service;
    *client = (struct npl_client){.buffer_count = BUFFERS, .io_max = IO_MAX};
    memset(is_open, 0, sizeof(is_open));
    pending_count = 0;
    return RUMPK_OK;
}

static const struct npl_stat files[] = {
    {.number = 0, .mode = 0555, .is_directory = true, .name = "/"},
    {.number = 1, .mode = 0666, .length = DATA_SIZE, .name = "data"},
    {.number = 2, .mode = 0444, .length = 5, .name = "info"},
    {.number = 3, .mode = 0555, .is_directory = true, .name = "deep"},
    {.number = 4, .mode = 0444, .length = 5, .name = "file"},
};

static const struct npl_stat *find(const char *path)
{
    static const char *const paths[] = {"", "data", "info", "deep", "deep/file"};

    for (uint32_t index = 0; index < 5; index++) {
        if (strcmp(path, paths[index]) == 0)
            return &files[index];
    }
    error = "file does not exist";
    return NULL;
}

int64_t npl_client_stat_path(struct npl_client *client, const char *path, struct npl_stat *out)
{
    const struct npl_stat *file = find(path);

    (void)client;
    if (!file)
        return RUMPK_E_DEVICE;
    *out = *file;
    return RUMPK_OK;
}

int64_t npl_client_list(struct npl_client *client, const char *path, uint32_t first,
                        struct npl_stat *out, uint32_t count)
{
    const struct npl_stat *file = find(path);
    uint32_t stored = 0;

    (void)client;
    if (!file || !file->is_directory)
        return RUMPK_E_DEVICE;
    uint32_t from = file->number == 0 ? 1 : 4;
    uint32_t to = file->number == 0 ? 4 : 5;
    for (uint64_t index = (uint64_t)from + first; index < to && stored < count; index++)
        out[stored++] = files[index];
    return stored;
}

int64_t npl_client_open(struct npl_client *client, const char *path, uint32_t mode)
{
    const struct npl_stat *file = find(path);

    (void)client;
    if (!file)
        return RUMPK_E_DEVICE;
    error = "file cannot be written";
    if (mode != RUMPK_NINEP_OREAD && !(file->mode & 0222))
        return RUMPK_E_DEVICE;
    for (int64_t fid = 1; fid < NPL_CLIENT_FIDS_MAX; fid++) {
        if (is_open[fid])
            continue;
        is_open[fid] = true;
        return fid;
    }
    return RUMPK_E_LIMIT;
}

static void check_fid(int64_t fid)
{
    if (fid < 1 || fid >= NPL_CLIENT_FIDS_MAX || !is_open[fid])
        abort();
}

int64_t npl_client_close(struct npl_client *client, int64_t fid)
{
    (void)client;
    check_fid(fid);
    is_open[fid] = false;
    return RUMPK_OK;
}

static int64_t start(int64_t fid, uint32_t count, uint64_t cookie, int64_t result)
{
    check_fid(fid);
    if (count > IO_MAX)
        abort();
    if (pending_count == BUFFERS)
        return RUMPK_E_FULL;
    pending[pending_count++] =
        (struct npl_answer){.cookie = cookie, .result = result, .data = data};
    return RUMPK_OK;
}

int64_t npl_client_read_start(struct npl_client *client, int64_t fid, uint64_t offset,
                              uint32_t count, uint64_t cookie)
{
    uint64_t rest = offset < DATA_SIZE ? DATA_SIZE - offset : 0;

    (void)client;
    return start(fid, count, cookie, rest < count ? (int64_t)rest : count);
}

int64_t npl_client_write_start(struct npl_client *client, int64_t fid, uint64_t offset,
                               const void *bytes, uint32_t count, uint64_t cookie)
{
    (void)client;
    (void)offset;
    if (count <= IO_MAX)
        memcpy(data, bytes, count);
    return start(fid, count, cookie, count);
}

// The newest comes first, and now and then nothing comes at once.
int64_t npl_client_next(struct npl_client *client, struct npl_answer *out, uint64_t deadline)
{
    (void)client;
    if (pending_count == 0)
        return RUMPK_E_STATE;
    if (deadline == RUMPK_NOW && pending_count < 2 && data[0] % 2)
        return RUMPK_E_TIMEOUT;
    *out = pending[--pending_count];
    return 1;
}

void npl_client_done(struct npl_client *client, const struct npl_answer *answer)
{
    (void)client;
    (void)answer;
}

const char *npl_client_error(const struct npl_client *client)
{
    (void)client;
    return error;
}
