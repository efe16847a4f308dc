// SPDX-License-Identifier: Apache-2.0
//
// service_message.c: what each 9P message means for a flat tree of files.
//
// Decode from the copy, decide, answer into the shared buffer. Qid paths: 0 is the root, n + 1 the
// n-th file. The tree never changes, so every qid version is 0.
#include "session.h"
#include <npl/result.h>
#include <string.h>

static struct npl_fid *fid_find(struct npl_session *session, uint32_t number)
{
    for (uint32_t index = 0; index < NPL_SERVICE_FIDS_MAX; index++) {
        if (session->fids[index].is_used && session->fids[index].number == number)
            return &session->fids[index];
    }
    return NULL;
}

// A free entry for a number that is not in use; null with the reason in *error.
static struct npl_fid *fid_new(struct npl_session *session, uint32_t number, const char **error)
{
    if (fid_find(session, number)) {
        *error = "fid is in use";
        return NULL;
    }
    for (uint32_t index = 0; index < NPL_SERVICE_FIDS_MAX; index++) {
        if (!session->fids[index].is_used)
            return &session->fids[index];
    }
    *error = "too many open fids";
    return NULL;
}

static struct wire_qid qid_of(const struct npl_service *service, const struct npl_file *file)
{
    if (!file)
        return (struct wire_qid){.type = RUMPK_NINEP_QTDIR};
    return (struct wire_qid){.type = RUMPK_NINEP_QTFILE,
                             .path = (uint64_t)(file - service->files) + 1};
}

static struct wire_stat stat_of(const struct npl_service *service, const struct npl_file *file)
{
    struct wire_stat stat = {.name = file ? file->name : "/", .qid = qid_of(service, file)};

    if (!file) {
        stat.mode = WIRE_MODE_DIRECTORY | 0555u;
        return stat;
    }
    stat.mode =
        (file->mode & NPL_FILE_READ ? 0444u : 0) | (file->mode & NPL_FILE_WRITE ? 0222u : 0);
    stat.length = file->size ? file->size(service->context, file) : 0;
    return stat;
}

// ---- answers
// -------------------------------------------------------------------------------------

// Begins the answer to `request` in its buffer; the client's msize bounds it once it is agreed.
static struct wire answer_begin(struct npl_request *request)
{
    struct npl_session *session = request->session;
    uint32_t capacity = session->msize ? session->msize : session->buffer_size;

    return wire_begin(session_buffer(session, request->buffer), capacity,
                      (uint8_t)(request->type + 1), request->tag);
}

static void answer_end(struct npl_request *request, struct wire *wire)
{
    uint32_t length = wire_end(wire, session_buffer(request->session, request->buffer));

    if (length == 0)
        npl_session_refuse(request, "the answer does not fit the message size");
    else
        npl_session_send(request, length);
}

void npl_session_refuse(struct npl_request *request, const char *text)
{
    struct npl_session *session = request->session;
    uint8_t *buffer = session_buffer(session, request->buffer);
    struct wire wire = wire_begin(buffer, session->buffer_size, RUMPK_RERROR, request->tag);
    size_t size = strlen(text);

    if (size > NPL_SERVICE_ERROR_MAX)
        size = NPL_SERVICE_ERROR_MAX;
    wire_put(&wire, 2, size);
    for (size_t at = 0; at < size; at++)
        wire_put(&wire, 1, (uint8_t)text[at]);
    npl_session_send(request, wire_end(&wire, buffer));
}

// The answer to a flush comes after that of the request it names.
static void answer_flushes(struct npl_session *session, uint16_t old_tag)
{
    for (uint32_t index = 0; index < session->buffer_count; index++) {
        struct npl_request *flush = &session->in_flight[index];

        if (!flush->is_lent || flush->type != RUMPK_TFLUSH || flush->old_tag != old_tag)
            continue;
        struct wire wire = answer_begin(flush);
        answer_end(flush, &wire);
    }
}

void npl_service_reply(struct npl_request *request, int64_t result)
{
    struct npl_session *session = request->session;
    uint16_t tag = request->tag;

    if (result < 0) {
        npl_session_refuse(request, request->error ? request->error : npl_result_text(result));
    } else {
        uint32_t count = (uint64_t)result > request->count ? request->count : (uint32_t)result;
        struct wire wire = answer_begin(request);

        wire_put(&wire, 4, count);
        if (!request->is_write)
            wire_skip(&wire, count);
        answer_end(request, &wire);
    }
    answer_flushes(session, tag);
}

int64_t npl_service_read_text(struct npl_request *request, const char *text, size_t size)
{
    if (request->offset >= size)
        return 0;
    size_t rest = size - (size_t)request->offset;
    size_t count = rest < request->count ? rest : request->count;
    memcpy(request->data, text + request->offset, count);
    return (int64_t)count;
}

// ---- requests: each returns null, or why it refuses
// ------------------------------------------------

typedef const char *handler(struct npl_session *session, struct npl_request *request,
                            struct message *message);

static const char *handle_version(struct npl_session *session, struct npl_request *request,
                                  struct message *message)
{
    uint32_t msize = (uint32_t)wire_get(&message->wire, 4);
    struct wire_text version = wire_get_text(&message->wire);
    bool is_known = version.size >= strlen(RUMPK_NINEP_VERSION) &&
                    memcmp(version.bytes, RUMPK_NINEP_VERSION, strlen(RUMPK_NINEP_VERSION)) == 0;

    if (message->wire.is_bad || msize < RUMPK_NINEP_MSIZE_MIN)
        return "malformed Tversion";
    if (session->lent > 1)
        return "requests are still under way";
    session->msize = msize < session->buffer_size ? msize : session->buffer_size;
    memset(session->fids, 0, sizeof(session->fids));

    struct wire wire = answer_begin(request);
    wire_put(&wire, 4, session->msize);
    wire_put_text(&wire, is_known ? RUMPK_NINEP_VERSION : "unknown");
    answer_end(request, &wire);
    return NULL;
}

static const char *handle_attach(struct npl_session *session, struct npl_request *request,
                                 struct message *message)
{
    const char *error = NULL;
    uint32_t number = (uint32_t)wire_get(&message->wire, 4);
    uint32_t auth = (uint32_t)wire_get(&message->wire, 4);
    wire_get_text(&message->wire);
    wire_get_text(&message->wire);

    if (message->wire.is_bad)
        return "malformed Tattach";
    if (auth != RUMPK_NINEP_NOFID)
        return "authentication is not required";
    struct npl_fid *fid = fid_new(session, number, &error);
    if (!fid)
        return error;
    *fid = (struct npl_fid){.number = number, .is_used = true};

    struct wire wire = answer_begin(request);
    wire_put_qid(&wire, qid_of(session->service, NULL));
    answer_end(request, &wire);
    return NULL;
}

static const char *handle_flush(struct npl_session *session, struct npl_request *request,
                                struct message *message)
{
    uint16_t old_tag = (uint16_t)wire_get(&message->wire, 2);

    if (message->wire.is_bad)
        return "malformed Tflush";
    for (uint32_t index = 0; index < session->buffer_count; index++) {
        const struct npl_request *other = &session->in_flight[index];

        if (other == request || !other->is_lent || other->tag != old_tag)
            continue;
        request->old_tag = old_tag;
        return NULL; // answered by answer_flushes
    }
    struct wire wire = answer_begin(request);
    answer_end(request, &wire);
    return NULL;
}

// One step of a walk. False when there is no such name.
static bool walk_step(const struct npl_service *service, const struct npl_file **file,
                      struct wire_text name)
{
    if (wire_text_is(name, "..")) {
        *file = NULL;
        return true;
    }
    if (*file)
        return false;
    for (uint32_t index = 0; index < service->file_count; index++) {
        if (wire_text_is(name, service->files[index].name)) {
            *file = &service->files[index];
            return true;
        }
    }
    return false;
}

static const char *handle_walk(struct npl_session *session, struct npl_request *request,
                               struct message *message)
{
    const char *error = NULL;
    struct wire_qid qids[RUMPK_NINEP_WALK_MAX];
    struct wire_text names[RUMPK_NINEP_WALK_MAX];
    uint32_t number = (uint32_t)wire_get(&message->wire, 4);
    uint32_t new_number = (uint32_t)wire_get(&message->wire, 4);
    uint32_t count = (uint32_t)wire_get(&message->wire, 2);
    struct npl_fid *fid = fid_find(session, number);
    uint32_t walked = 0;

    if (message->wire.is_bad || count > RUMPK_NINEP_WALK_MAX)
        return "malformed Twalk";
    for (uint32_t index = 0; index < count; index++)
        names[index] = wire_get_text(&message->wire);
    if (message->wire.is_bad)
        return "malformed Twalk";
    if (!fid)
        return "unknown fid";
    if (fid->is_open)
        return "fid is open";

    const struct npl_file *file = fid->file;
    while (walked < count && walk_step(session->service, &file, names[walked]))
        qids[walked++] = qid_of(session->service, file);
    if (count > 0 && walked == 0)
        return "file does not exist";
    if (walked == count) {
        struct npl_fid *target = number == new_number ? fid : fid_new(session, new_number, &error);

        if (!target)
            return error;
        *target = (struct npl_fid){.number = new_number, .is_used = true, .file = file};
    }

    struct wire wire = answer_begin(request);
    wire_put(&wire, 2, walked);
    for (uint32_t index = 0; index < walked; index++)
        wire_put_qid(&wire, qids[index]);
    answer_end(request, &wire);
    return NULL;
}

static const char *handle_open(struct npl_session *session, struct npl_request *request,
                               struct message *message)
{
    struct npl_fid *fid = fid_find(session, (uint32_t)wire_get(&message->wire, 4));
    uint8_t mode = (uint8_t)wire_get(&message->wire, 1);
    uint32_t allowed = fid && fid->file ? fid->file->mode : NPL_FILE_READ;

    if (message->wire.is_bad)
        return "malformed Topen";
    if (!fid)
        return "unknown fid";
    if (fid->is_open)
        return "fid is open";
    if (mode > RUMPK_NINEP_ORDWR)
        return "open mode is not supported";
    if (mode != RUMPK_NINEP_OWRITE && !(allowed & NPL_FILE_READ))
        return "file cannot be read";
    if (mode != RUMPK_NINEP_OREAD && !(allowed & NPL_FILE_WRITE))
        return "file cannot be written";
    fid->is_open = true;
    fid->mode = mode;

    struct wire wire = answer_begin(request);
    wire_put_qid(&wire, qid_of(session->service, fid->file));
    wire_put(&wire, 4, session->msize - RUMPK_NINEP_WRITE_HEADER);
    answer_end(request, &wire);
    return NULL;
}

// Whole entries only; a read goes on where the last one ended, or starts again at 0.
static const char *read_directory(struct npl_session *session, struct npl_request *request,
                                  struct npl_fid *fid)
{
    const struct npl_service *service = session->service;
    struct wire wire = wire_over(request->data, request->count);

    if (request->offset == 0) {
        fid->directory_offset = 0;
        fid->directory_index = 0;
    }
    if (request->offset != fid->directory_offset)
        return "directories are read from start to end";
    while (fid->directory_index < service->file_count) {
        struct wire_stat stat = stat_of(service, &service->files[fid->directory_index]);

        if (wire_stat_size(&stat) > (size_t)(wire.end - wire.at))
            break;
        wire_put_stat(&wire, &stat);
        fid->directory_index++;
    }
    uint32_t count = (uint32_t)(wire.at - request->data);
    if (count == 0 && fid->directory_index < service->file_count)
        return "the read is too short for a directory entry";
    fid->directory_offset += count;
    npl_service_reply(request, count);
    return NULL;
}

// Lets the driver answer, now or later.
static void call_driver(struct npl_session *session, struct npl_request *request,
                        int64_t (*callback)(void *, struct npl_request *))
{
    int64_t result = callback ? callback(session->service->context, request) : RUMPK_E_UNSUPPORTED;

    if (result != NPL_LATER)
        npl_service_reply(request, result);
}

// Fields that Tread and Twrite share: fid, offset, count; `header` bytes of the message precede
// data.
static const char *begin_transfer(struct npl_session *session, struct npl_request *request,
                                  struct message *message, uint32_t header, struct npl_fid **fid)
{
    *fid = fid_find(session, (uint32_t)wire_get(&message->wire, 4));
    request->offset = wire_get(&message->wire, 8);
    request->count = (uint32_t)wire_get(&message->wire, 4);

    if (message->wire.is_bad)
        return "malformed message";
    if (!*fid)
        return "unknown fid";
    if (!(*fid)->is_open)
        return "fid is not open";
    request->file = (*fid)->file;
    request->data = message->shared + header;
    request->memory_slot = session->arena_slot;
    request->memory_offset = (uint64_t)(request->data - session->arena);
    request->is_dma = session->arena_is_dma;
    return NULL;
}

static const char *handle_read(struct npl_session *session, struct npl_request *request,
                               struct message *message)
{
    struct npl_fid *fid;
    const char *error = begin_transfer(session, request, message, RUMPK_NINEP_READ_HEADER, &fid);

    if (error)
        return error;
    if (fid->mode == RUMPK_NINEP_OWRITE)
        return "fid is not open for reading";
    if (request->count > session->msize - RUMPK_NINEP_READ_HEADER)
        request->count = session->msize - RUMPK_NINEP_READ_HEADER;
    if (!fid->file)
        return read_directory(session, request, fid);
    call_driver(session, request, fid->file->read);
    return NULL;
}

static const char *handle_write(struct npl_session *session, struct npl_request *request,
                                struct message *message)
{
    struct npl_fid *fid;
    const char *error = begin_transfer(session, request, message, RUMPK_NINEP_WRITE_HEADER, &fid);

    if (error)
        return error;
    if (fid->mode == RUMPK_NINEP_OREAD)
        return "fid is not open for writing";
    if (request->count != message->length - RUMPK_NINEP_WRITE_HEADER)
        return "malformed Twrite";
    request->is_write = true;
    call_driver(session, request, fid->file->write);
    return NULL;
}

static const char *handle_clunk(struct npl_session *session, struct npl_request *request,
                                struct message *message)
{
    struct npl_fid *fid = fid_find(session, (uint32_t)wire_get(&message->wire, 4));

    if (message->wire.is_bad)
        return "malformed Tclunk";
    if (!fid)
        return "unknown fid";
    fid->is_used = false;
    struct wire wire = answer_begin(request);
    answer_end(request, &wire);
    return NULL;
}

static const char *handle_stat(struct npl_session *session, struct npl_request *request,
                               struct message *message)
{
    const struct npl_fid *fid = fid_find(session, (uint32_t)wire_get(&message->wire, 4));

    if (message->wire.is_bad)
        return "malformed Tstat";
    if (!fid)
        return "unknown fid";
    struct wire_stat stat = stat_of(session->service, fid->file);
    struct wire wire = answer_begin(request);
    wire_put(&wire, 2, wire_stat_size(&stat));
    wire_put_stat(&wire, &stat);
    answer_end(request, &wire);
    return NULL;
}

static handler *handler_of(uint8_t type)
{
    switch (type) {
    case RUMPK_TVERSION:
        return handle_version;
    case RUMPK_TATTACH:
        return handle_attach;
    case RUMPK_TFLUSH:
        return handle_flush;
    case RUMPK_TWALK:
        return handle_walk;
    case RUMPK_TOPEN:
        return handle_open;
    case RUMPK_TREAD:
        return handle_read;
    case RUMPK_TWRITE:
        return handle_write;
    case RUMPK_TCLUNK:
        return handle_clunk;
    case RUMPK_TSTAT:
        return handle_stat;
    default:
        return NULL;
    }
}

void npl_message_handle(struct npl_session *session, struct npl_request *request,
                        struct message *message)
{
    handler *handle = handler_of(request->type);
    const char *error;

    if (!handle)
        error = "operation is not supported";
    else if (session->msize == 0 && request->type != RUMPK_TVERSION)
        error = "the version must be agreed first";
    else if (session->msize != 0 && message->length > session->msize)
        error = "the message is longer than agreed";
    else
        error = handle(session, request, message);
    if (error)
        npl_session_refuse(request, error);
}
