// SPDX-License-Identifier: Apache-2.0
//
// bridge.c: what each message of 9P2000.L means, and the way of reads and writes to the services.
//
// A handler reads the whole body before it believes any of it, and returns 0 with the answer's body
// written, an error number, or BRIDGE_LATER.
#include "bridge.h"
#include <npl/start.h>
#include <string.h>

// ---- answers

static struct field answer_begin(const struct bridge *bridge, struct bridge_job *job, uint8_t type)
{
    uint32_t capacity = bridge->msize ? bridge->msize : BRIDGE_MSIZE_MAX;
    struct field out = field_over(job->bytes, capacity);

    field_put(&out, 4, 0);
    field_put(&out, 1, type);
    field_put(&out, 2, job->tag);
    return out;
}

static void answer_end(struct bridge_job *job, const struct field *out)
{
    struct field size = field_over(job->bytes, 4);

    job->answer = (uint32_t)(out->at - job->bytes);
    field_put(&size, 4, job->answer);
    job->state = JOB_ANSWERED;
}

static void refuse(const struct bridge *bridge, struct bridge_job *job, uint32_t error)
{
    struct field out = answer_begin(bridge, job, L_RLERROR);

    field_put(&out, 4, error);
    answer_end(job, &out);
}

// The answer to a flush comes after that of the request that it names.
static void answer_flushes(struct bridge *bridge, uint16_t old_tag)
{
    for (uint32_t index = 0; index < BRIDGE_JOBS_MAX; index++) {
        struct bridge_job *job = &bridge->jobs[index];

        if (job->state != JOB_FLUSHES || job->old_tag != old_tag)
            continue;
        struct field out = answer_begin(bridge, job, L_TFLUSH + 1);
        answer_end(job, &out);
    }
}

// ---- services

// The service is lost: what waits for it has failed.
static void lose(struct bridge *bridge, uint32_t service)
{
    bridge->services[service].is_gone = true;
    bridge->services[service].under_way = 0;
    for (uint32_t index = 0; index < BRIDGE_JOBS_MAX; index++) {
        struct bridge_job *job = &bridge->jobs[index];

        if (job->state != JOB_WAITS || job->service != service)
            continue;
        if (job->is_void) {
            job->state = JOB_FREE;
            continue;
        }
        refuse(bridge, job, L_EIO);
        answer_flushes(bridge, job->tag);
    }
}

uint32_t bridge_error(struct bridge *bridge, uint32_t service, int64_t result)
{
    static const struct {
        const char *text; // libnpl's words, npl/service.h
        uint32_t error;
    } known[] = {
        {"file does not exist", L_ENOENT},
        {"file cannot be read", L_EACCES},
        {"file cannot be written", L_EACCES},
    };
    const char *text = npl_client_error(&bridge->services[service].client);

    if (result == RUMPK_E_LIMIT)
        return L_EMFILE;
    if (result == RUMPK_E_ARGUMENT)
        return L_ENAMETOOLONG;
    if (result != RUMPK_E_DEVICE) {
        lose(bridge, service);
        return L_EIO;
    }
    for (uint32_t index = 0; index < sizeof(known) / sizeof(known[0]); index++) {
        if (strcmp(text, known[index].text) == 0)
            return known[index].error;
    }
    return L_EIO;
}

// Hands an answered read or write to its job.
static void transfer_end(struct bridge *bridge, const struct npl_answer *answer)
{
    struct bridge_job *job = &bridge->jobs[answer->cookie];

    if (job->is_void) {
        job->state = JOB_FREE;
        return;
    }
    if (answer->result < 0) {
        refuse(bridge, job, L_EIO);
    } else {
        struct field out = answer_begin(bridge, job, job->type + 1);

        field_put(&out, 4, (uint64_t)answer->result);
        if (job->type == L_TREAD) {
            memcpy(out.at, answer->data, (size_t)answer->result); // at most what was asked
            field_skip(&out, (size_t)answer->result);
        }
        answer_end(job, &out);
    }
    answer_flushes(bridge, job->tag);
}

// Takes one answer of a service. 1, RUMPK_E_TIMEOUT, or another code when the service is lost.
static int64_t collect(struct bridge *bridge, uint32_t service, uint64_t deadline)
{
    struct bridge_service *from = &bridge->services[service];
    struct npl_answer answer;
    int64_t result = npl_client_next(&from->client, &answer, deadline);

    if (result == 1) {
        from->under_way--;
        transfer_end(bridge, &answer);
        npl_client_done(&from->client, &answer);
    } else if (result != RUMPK_E_TIMEOUT) {
        lose(bridge, service);
    }
    return result;
}

bool bridge_collect(struct bridge *bridge)
{
    bool is_any = false;

    for (uint32_t index = 0; index < bridge->service_count; index++) {
        while (bridge->services[index].under_way > 0 &&
               collect(bridge, index, RUMPK_NOW) != RUMPK_E_TIMEOUT)
            is_any = true;
    }
    return is_any;
}

bool bridge_reserve(struct bridge *bridge, uint32_t service)
{
    struct bridge_service *to = &bridge->services[service];

    // One buffer stays free for what is done at once.
    while (!to->is_gone && to->under_way > 0 && to->under_way + 1 >= to->client.buffer_count)
        (void)collect(bridge, service, RUMPK_FOREVER);
    return !to->is_gone;
}

uint32_t bridge_open(struct bridge *bridge, uint8_t *answers)
{
    const struct rumpk_start *start = npl_start();
    const struct rumpk_channel *channels =
        (const void *)((const uint8_t *)start + start->channels_offset);

    memset(bridge, 0, sizeof(*bridge));
    for (uint32_t index = 0; index < BRIDGE_JOBS_MAX; index++)
        bridge->jobs[index].bytes = answers + (size_t)index * BRIDGE_MSIZE_MAX;
    for (uint32_t index = 0; index < start->channel_count; index++) {
        struct bridge_service *service = &bridge->services[bridge->service_count];

        if (channels[index].role != RUMPK_ROLE_CLIENT ||
            channels[index].style != RUMPK_STYLE_SERVICE)
            continue;
        if (bridge->service_count == BRIDGE_SERVICES_MAX)
            break;
        service->name = channels[index].service;
        if (npl_client_connect(&service->client, service->name) == RUMPK_OK)
            bridge->service_count++;
    }
    return bridge->service_count;
}

// ---- fids

static struct bridge_fid *fid_find(struct bridge *bridge, uint32_t number)
{
    for (uint32_t index = 0; index < BRIDGE_FIDS_MAX; index++) {
        if (bridge->fids[index].is_used && bridge->fids[index].number == number)
            return &bridge->fids[index];
    }
    return NULL;
}

// Makes a fid stand at a place. 0 or an error number.
static uint32_t fid_new(struct bridge *bridge, uint32_t number, const struct bridge_place *place)
{
    if (number == L_NOFID || fid_find(bridge, number))
        return L_EBADF;
    for (uint32_t index = 0; index < BRIDGE_FIDS_MAX; index++) {
        if (bridge->fids[index].is_used)
            continue;
        bridge->fids[index] =
            (struct bridge_fid){.number = number, .is_used = true, .place = *place};
        return 0;
    }
    return L_EMFILE;
}

static void fid_drop(struct bridge *bridge, struct bridge_fid *fid)
{
    uint32_t service = fid->place.service;

    fid->is_used = false;
    if (!fid->is_open || fid->place.is_directory || !bridge_reserve(bridge, service))
        return;
    int64_t result = npl_client_close(&bridge->services[service].client, fid->inner);
    if (result < 0)
        (void)bridge_error(bridge, service, result);
}

// ---- requests

static bool is_whole(const struct field *in)
{
    return !in->is_bad && in->at == in->end;
}

// Ends the session before: its fids are closed, and whoever waits is answered no more.
static void session_end(struct bridge *bridge)
{
    for (uint32_t index = 0; index < BRIDGE_JOBS_MAX; index++) {
        struct bridge_job *job = &bridge->jobs[index];

        if (job->state == JOB_WAITS)
            job->is_void = true;
        else if (job->state == JOB_FLUSHES || job->state == JOB_ANSWERED)
            job->state = JOB_FREE;
    }
    for (uint32_t index = 0; index < BRIDGE_FIDS_MAX; index++) {
        if (bridge->fids[index].is_used)
            fid_drop(bridge, &bridge->fids[index]);
    }
    bridge->msize = 0;
}

static uint32_t handle_version(struct bridge *bridge, struct bridge_job *job, struct field *in,
                               struct field *out)
{
    uint32_t msize = (uint32_t)field_get(in, 4);
    struct field_text version = field_get_text(in);
    bool is_known = field_text_is(version, L_VERSION);

    (void)job;
    if (!is_whole(in))
        return L_EPROTO;
    session_end(bridge);
    if (msize < L_MSIZE_MIN)
        return L_EINVAL;
    if (msize > BRIDGE_MSIZE_MAX)
        msize = BRIDGE_MSIZE_MAX;
    bridge->msize = is_known ? msize : 0;
    field_put(out, 4, msize);
    field_put_text(out, is_known ? L_VERSION : "unknown");
    return 0;
}

static uint32_t handle_attach(struct bridge *bridge, struct bridge_job *job, struct field *in,
                              struct field *out)
{
    struct bridge_place place = {.service = BRIDGE_ROOT, .is_directory = true};
    uint32_t number = (uint32_t)field_get(in, 4);
    uint32_t auth = (uint32_t)field_get(in, 4);
    (void)field_get_text(in);
    struct field_text path = field_get_text(in);
    uint32_t error = 0;

    (void)job;
    field_skip(in, 4);
    if (!is_whole(in))
        return L_EPROTO;
    if (auth != L_NOFID)
        return L_EBADF;
    for (uint32_t at = 0, end; !error && at < path.size; at = end + 1) {
        end = at;
        while (end < path.size && path.bytes[end] != '/')
            end++;
        if (end > at)
            error = bridge_step(bridge, &place, (struct field_text){path.bytes + at, end - at});
    }
    if (!error)
        error = fid_new(bridge, number, &place);
    bridge_put_qid(out, &place);
    return error;
}

static uint32_t handle_flush(struct bridge *bridge, struct bridge_job *job, struct field *in,
                             struct field *out)
{
    uint16_t old_tag = (uint16_t)field_get(in, 2);

    (void)out;
    if (!is_whole(in))
        return L_EPROTO;
    for (uint32_t index = 0; index < BRIDGE_JOBS_MAX; index++) {
        const struct bridge_job *other = &bridge->jobs[index];

        if (other->state != JOB_WAITS || other->is_void || other->tag != old_tag)
            continue;
        job->old_tag = old_tag;
        job->state = JOB_FLUSHES;
        return BRIDGE_LATER;
    }
    return 0;
}

static uint32_t handle_walk(struct bridge *bridge, struct bridge_job *job, struct field *in,
                            struct field *out)
{
    struct field_text names[L_WALK_MAX];
    struct bridge_fid *fid = fid_find(bridge, (uint32_t)field_get(in, 4));
    uint32_t number = (uint32_t)field_get(in, 4);
    uint32_t count = (uint32_t)field_get(in, 2);
    uint32_t walked = 0;
    uint32_t error = 0;

    (void)job;
    for (uint32_t index = 0; index < count && index < L_WALK_MAX; index++)
        names[index] = field_get_text(in);
    if (count > L_WALK_MAX || !is_whole(in))
        return L_EPROTO;
    // Clients do walk from an open directory; the open fid itself stays where it is.
    if (!fid || (number == fid->number ? fid->is_open : fid_find(bridge, number) != NULL))
        return L_EBADF;

    struct bridge_place place = fid->place;
    struct field count_field = *out;
    field_put(out, 2, 0);
    while (walked < count) {
        error = bridge_step(bridge, &place, names[walked]);
        if (error)
            break;
        bridge_put_qid(out, &place);
        walked++;
    }
    if (error && walked == 0)
        return error;
    field_put(&count_field, 2, walked);
    if (error)
        return 0; // as far as it went; the new fid is not made
    if (number != fid->number)
        return fid_new(bridge, number, &place);
    fid->place = place;
    return 0;
}

static uint32_t handle_open(struct bridge *bridge, struct bridge_job *job, struct field *in,
                            struct field *out)
{
    static const uint8_t modes[] = {RUMPK_NINEP_OREAD, RUMPK_NINEP_OWRITE, RUMPK_NINEP_ORDWR};
    struct bridge_fid *fid = fid_find(bridge, (uint32_t)field_get(in, 4));
    uint32_t flags = (uint32_t)field_get(in, 4);
    uint32_t access = flags & L_O_ACCESS;
    uint32_t io_max = bridge->msize - L_IO_HEADER;

    (void)job;
    if (!is_whole(in))
        return L_EPROTO;
    if (!fid || fid->is_open)
        return L_EBADF;
    if (access >= sizeof(modes))
        return L_EINVAL;
    if (fid->place.is_directory) {
        if (access != 0)
            return L_EISDIR;
    } else {
        uint32_t service = fid->place.service;
        struct npl_client *client = &bridge->services[service].client;

        if (flags & L_O_DIRECTORY)
            return L_ENOTDIR;
        if (!bridge_reserve(bridge, service))
            return L_EIO;
        fid->inner = npl_client_open(client, fid->place.path, modes[access]);
        if (fid->inner < 0)
            return bridge_error(bridge, service, fid->inner);
        if (io_max > client->io_max)
            io_max = client->io_max;
    }
    fid->is_open = true;
    fid->may_read = access != 1;
    fid->may_write = access != 0;
    bridge_put_qid(out, &fid->place);
    field_put(out, 4, io_max);
    return 0;
}

// Starts a read (`bytes` null) or write of an open file.
static uint32_t transfer(struct bridge *bridge, struct bridge_job *job, struct bridge_fid *fid,
                         uint64_t offset, const uint8_t *bytes, uint32_t count)
{
    uint32_t service = fid->place.service;
    uint64_t cookie = (uint64_t)(job - bridge->jobs);

    if (!bridge_reserve(bridge, service))
        return L_EIO;
    struct npl_client *client = &bridge->services[service].client;
    if (count > client->io_max)
        count = client->io_max;
    int64_t result = bytes
                         ? npl_client_write_start(client, fid->inner, offset, bytes, count, cookie)
                         : npl_client_read_start(client, fid->inner, offset, count, cookie);
    if (result < 0)
        return bridge_error(bridge, service, result);
    bridge->services[service].under_way++;
    job->service = service;
    job->state = JOB_WAITS;
    return BRIDGE_LATER;
}

static uint32_t handle_read(struct bridge *bridge, struct bridge_job *job, struct field *in,
                            struct field *out)
{
    struct bridge_fid *fid = fid_find(bridge, (uint32_t)field_get(in, 4));
    uint64_t offset = field_get(in, 8);
    uint32_t count = (uint32_t)field_get(in, 4);

    (void)out;
    if (!is_whole(in))
        return L_EPROTO;
    if (!fid || !fid->is_open || !fid->may_read)
        return L_EBADF;
    if (fid->place.is_directory)
        return L_EISDIR;
    if (count > bridge->msize - L_READ_HEADER)
        count = bridge->msize - L_READ_HEADER;
    return transfer(bridge, job, fid, offset, NULL, count);
}

static uint32_t handle_write(struct bridge *bridge, struct bridge_job *job, struct field *in,
                             struct field *out)
{
    struct bridge_fid *fid = fid_find(bridge, (uint32_t)field_get(in, 4));
    uint64_t offset = field_get(in, 8);
    uint32_t count = (uint32_t)field_get(in, 4);

    (void)out;
    if (in->is_bad || count != (size_t)(in->end - in->at))
        return L_EPROTO;
    if (!fid || !fid->is_open || !fid->may_write)
        return L_EBADF;
    return transfer(bridge, job, fid, offset, in->at, count);
}

static uint32_t handle_readdir(struct bridge *bridge, struct bridge_job *job, struct field *in,
                               struct field *out)
{
    const struct bridge_fid *fid = fid_find(bridge, (uint32_t)field_get(in, 4));
    uint64_t offset = field_get(in, 8);
    uint32_t count = (uint32_t)field_get(in, 4);

    (void)job;
    if (!is_whole(in))
        return L_EPROTO;
    if (!fid || !fid->is_open)
        return L_EBADF;
    if (!fid->place.is_directory)
        return L_ENOTDIR;
    return bridge_readdir(bridge, &fid->place, offset, count, out);
}

static uint32_t handle_getattr(struct bridge *bridge, struct bridge_job *job, struct field *in,
                               struct field *out)
{
    const struct bridge_fid *fid = fid_find(bridge, (uint32_t)field_get(in, 4));

    (void)job;
    field_skip(in, 8); // which are asked for: all are given
    if (!is_whole(in))
        return L_EPROTO;
    return fid ? bridge_getattr(bridge, &fid->place, out) : L_EBADF;
}

static uint32_t handle_statfs(struct bridge *bridge, struct bridge_job *job, struct field *in,
                              struct field *out)
{
    const struct bridge_fid *fid = fid_find(bridge, (uint32_t)field_get(in, 4));

    (void)job;
    if (!is_whole(in))
        return L_EPROTO;
    if (!fid)
        return L_EBADF;
    field_put(out, 4, L_STATFS_MAGIC);
    field_put(out, 4, bridge->msize);
    for (uint32_t number = 0; number < 6; number++)
        field_put(out, 8, 0); // blocks, free, available; files, free; id
    field_put(out, 4, BRIDGE_PATH_MAX);
    return 0;
}

static uint32_t handle_clunk(struct bridge *bridge, struct bridge_job *job, struct field *in,
                             struct field *out)
{
    struct bridge_fid *fid = fid_find(bridge, (uint32_t)field_get(in, 4));

    (void)out;
    if (!is_whole(in))
        return L_EPROTO;
    if (!fid)
        return L_EBADF;
    fid_drop(bridge, fid);
    return job->type == L_TREMOVE ? L_EROFS : 0;
}

// Every write was given to the service before it was answered.
static uint32_t handle_fsync(struct bridge *bridge, struct bridge_job *job, struct field *in,
                             struct field *out)
{
    (void)job;
    (void)out;
    return fid_find(bridge, (uint32_t)field_get(in, 4)) ? 0 : L_EBADF;
}

static uint32_t handle(struct bridge *bridge, struct bridge_job *job, struct field *in,
                       struct field *out)
{
    switch (job->type) {
    case L_TVERSION:
        return handle_version(bridge, job, in, out);
    case L_TATTACH:
        return handle_attach(bridge, job, in, out);
    case L_TFLUSH:
        return handle_flush(bridge, job, in, out);
    case L_TWALK:
        return handle_walk(bridge, job, in, out);
    case L_TLOPEN:
        return handle_open(bridge, job, in, out);
    case L_TREAD:
        return handle_read(bridge, job, in, out);
    case L_TWRITE:
        return handle_write(bridge, job, in, out);
    case L_TREADDIR:
        return handle_readdir(bridge, job, in, out);
    case L_TGETATTR:
        return handle_getattr(bridge, job, in, out);
    case L_TSTATFS:
        return handle_statfs(bridge, job, in, out);
    case L_TCLUNK:
    case L_TREMOVE:
        return handle_clunk(bridge, job, in, out);
    case L_TFSYNC:
        return handle_fsync(bridge, job, in, out);
    case L_TAUTH: // no authentication is asked for
        return L_ENOENT;
    case L_TLCREATE:
    case L_TSYMLINK:
    case L_TMKNOD:
    case L_TRENAME:
    case L_TSETATTR:
    case L_TLINK:
    case L_TMKDIR:
    case L_TRENAMEAT:
    case L_TUNLINKAT:
        return L_EROFS;
    default:
        return L_EOPNOTSUPP;
    }
}

// Is another request with this tag under way?
static bool tag_is_used(const struct bridge *bridge, uint16_t tag)
{
    for (uint32_t index = 0; index < BRIDGE_JOBS_MAX; index++) {
        const struct bridge_job *job = &bridge->jobs[index];

        if ((job->state == JOB_WAITS || job->state == JOB_FLUSHES) && !job->is_void &&
            job->tag == tag)
            return true;
    }
    return false;
}

struct bridge_job *bridge_job_free(struct bridge *bridge)
{
    for (uint32_t index = 0; index < BRIDGE_JOBS_MAX; index++) {
        if (bridge->jobs[index].state == JOB_FREE)
            return &bridge->jobs[index];
    }
    return NULL;
}

void bridge_take(struct bridge *bridge, struct bridge_job *job, uint8_t *message, uint32_t size)
{
    struct field in = field_over(message, size);
    uint32_t error;

    field_skip(&in, 4); // the size, known from framing
    job->type = (uint8_t)field_get(&in, 1);
    job->tag = (uint16_t)field_get(&in, 2);
    job->is_void = false;
    struct field out = answer_begin(bridge, job, job->type + 1);
    if (job->type != L_TVERSION && (bridge->msize == 0 || tag_is_used(bridge, job->tag)))
        error = L_EPROTO;
    else
        error = handle(bridge, job, &in, &out);
    if (error == BRIDGE_LATER)
        return;
    if (error || out.is_bad)
        refuse(bridge, job, error ? error : L_EPROTO);
    else
        answer_end(job, &out);
}
