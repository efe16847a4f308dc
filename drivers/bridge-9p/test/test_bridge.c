// SPDX-License-Identifier: Apache-2.0
//
// Goal: the services are a file system of 9P2000.L outside; wrong messages are refused with the
// right number, and no bytes, in whatever pieces, stop the bridge. Method: the bridge and a service
// as drivers of a simulated machine; the console port is a device model that plays a script: it
// sends a step's bytes in pieces of random size, waits for as many answers as the step says, and
// compares each.
#include "frame.h"
#include "ninep_l.h"
#include <npl/host.h>
#include <npl/npl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEEDS      20u
#define STEPS_MAX  600u
#define BYTES_MAX  (1u << 20)
#define STORE_SIZE 20000u

// ---- the script

struct step {
    uint32_t offset; // of the bytes in `script.bytes`
    uint32_t size;
    uint32_t answers;    // to wait for before the next step
    uint8_t type;        // of the last answer; 0: any
    uint32_t error;      // Rlerror: its number
    const uint8_t *tail; // what the last answer ends with
    uint32_t tail_size;
    bool is_one_piece;
};

static struct script {
    uint8_t bytes[BYTES_MAX];
    uint32_t size;
    struct step steps[STEPS_MAX];
    uint32_t count;
    uint32_t now;  // step that is played
    uint32_t sent; // bytes of it
    uint32_t seen; // answers to it
    uint64_t random;
    uint32_t last_size;
    uint8_t last[8192];
    char failed[128];
} script;

static void mismatch(const char *what)
{
    if (!script.failed[0])
        snprintf(script.failed, sizeof(script.failed), "step %u: %s; the answer is type %u, %u",
                 script.now, what, script.last[4], script.last[7]);
}

static void check_answer(const struct step *step)
{
    if (step->type && script.last[4] != step->type)
        mismatch("wrong type");
    if (step->type == L_RLERROR && script.last[7] != step->error)
        mismatch("wrong error");
    if (step->tail_size > script.last_size ||
        (step->tail_size && memcmp(script.last + script.last_size - step->tail_size, step->tail,
                                   step->tail_size) != 0))
        mismatch("wrong content");
}

static void go_on(void)
{
    while (script.now < script.count) {
        const struct step *step = &script.steps[script.now];

        if (script.sent < step->size || script.seen < step->answers)
            return;
        if (step->answers > 0)
            check_answer(step);
        script.now++;
        script.sent = script.seen = 0;
    }
}

static uint32_t port_serve(void *context, uint32_t queue, const struct host_part *parts,
                           uint32_t count)
{
    (void)context;
    if (count != 1 || parts[0].device_writes != (queue == 0))
        return HOST_DEVICE_BREAKS;
    if (queue == 1) {
        uint32_t stated;

        memcpy(&stated, parts[0].bytes, 4);
        if (stated != parts[0].length || stated > sizeof(script.last))
            mismatch("the answer's size is wrong");
        script.last_size = stated;
        memcpy(script.last, parts[0].bytes, stated);
        script.seen++;
        if (script.now == script.count || script.seen > script.steps[script.now].answers)
            mismatch("one answer too many");
        go_on();
        return 0;
    }
    go_on();
    if (script.now == script.count)
        return HOST_DEVICE_LATER;
    const struct step *step = &script.steps[script.now];
    uint32_t size = step->size - script.sent;
    if (size == 0)
        return HOST_DEVICE_LATER;
    script.random = script.random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    if (!step->is_one_piece && size > 1 && script.random >> 62)
        size = (uint32_t)(script.random >> 33) % size + 1;
    if (size > parts[0].length)
        size = parts[0].length;
    memcpy(parts[0].bytes, script.bytes + step->offset + script.sent, size);
    script.sent += size;
    go_on();
    return size;
}

// ---- writing the script

static void put(uint32_t width, uint64_t value)
{
    for (uint32_t at = 0; at < width; at++)
        script.bytes[script.size++] = (uint8_t)(value >> (8 * at));
}

static void put_text(const char *text)
{
    put(2, strlen(text));
    memcpy(script.bytes + script.size, text, strlen(text));
    script.size += (uint32_t)strlen(text);
}

static struct step *begin(uint8_t type, uint16_t tag)
{
    struct step *step = &script.steps[script.count++];

    *step = (struct step){.offset = script.size, .answers = 1, .type = type + 1};
    put(4, 0);
    put(1, type);
    put(2, tag);
    return step;
}

static struct step *end(struct step *step)
{
    step->size = script.size - step->offset;
    memcpy(script.bytes + step->offset, &step->size, 4);
    return step;
}

static void refused(struct step *step, uint32_t error)
{
    step->type = L_RLERROR;
    step->error = error;
}

static struct step *version(uint32_t msize, const char *text)
{
    struct step *step = begin(L_TVERSION, 0xFFFF);

    step->is_one_piece = true;
    put(4, msize);
    put_text(text);
    return end(step);
}

static struct step *attach(uint32_t fid, const char *path)
{
    struct step *step = begin(L_TATTACH, 1);

    put(4, fid);
    put(4, L_NOFID);
    put_text("user");
    put_text(path);
    put(4, 0);
    return end(step);
}

static struct step *walk(uint32_t fid, uint32_t new_fid, const char *first, const char *second)
{
    struct step *step = begin(L_TWALK, 2);

    put(4, fid);
    put(4, new_fid);
    put(2, (first != NULL) + (second != NULL));
    if (first)
        put_text(first);
    if (second)
        put_text(second);
    return end(step);
}

static struct step *open_fid(uint32_t fid, uint32_t flags)
{
    struct step *step = begin(L_TLOPEN, 3);

    put(4, fid);
    put(4, flags);
    return end(step);
}

static struct step *transfer(uint8_t type, uint16_t tag, uint32_t fid, uint64_t offset,
                             uint32_t count)
{
    struct step *step = begin(type, tag);

    put(4, fid);
    put(8, offset);
    put(4, count);
    return end(step);
}

static struct step *write_fid(uint32_t fid, uint64_t offset, uint32_t stated, const uint8_t *bytes,
                              uint32_t count)
{
    struct step *step = begin(L_TWRITE, 5);

    put(4, fid);
    put(8, offset);
    put(4, stated);
    memcpy(script.bytes + script.size, bytes, count);
    script.size += count;
    return end(step);
}

// A message whose body is one fid.
static struct step *plain(uint8_t type, uint32_t fid)
{
    struct step *step = begin(type, 6);

    put(4, fid);
    return end(step);
}

static struct step *getattr(uint32_t fid)
{
    struct step *step = begin(L_TGETATTR, 7);

    put(4, fid);
    put(8, L_GETATTR_BASIC);
    return end(step);
}

static struct step *flush(uint16_t tag)
{
    struct step *step = begin(L_TFLUSH, 8);

    put(2, tag);
    return end(step);
}

// Bytes that are no message; nothing answers.
static void noise(const uint8_t *bytes, uint32_t size)
{
    struct step *step = &script.steps[script.count++];

    *step = (struct step){.offset = script.size, .size = size};
    memcpy(script.bytes + script.size, bytes, size);
    script.size += size;
}

static void tail(struct step *step, const void *bytes, uint32_t size)
{
    step->tail = bytes;
    step->tail_size = size;
}

// ---- the service: /store is memory, /note is text, /slow is answered when the store is read

static uint8_t store[STORE_SIZE];
static struct npl_request *kept[8];
static uint32_t kept_count;

static uint64_t store_size(void *context, const struct npl_file *file)
{
    (void)context;
    (void)file;
    return STORE_SIZE;
}

static int64_t store_read(void *context, struct npl_request *request)
{
    (void)context;
    while (kept_count > 0) {
        struct npl_request *slow = kept[--kept_count];

        npl_service_reply(slow, npl_service_read_text(slow, "late\n", 5));
    }
    return npl_service_read_text(request, (const char *)store, sizeof(store));
}

static int64_t store_write(void *context, struct npl_request *request)
{
    (void)context;
    if (request->offset > STORE_SIZE || request->count > STORE_SIZE - request->offset)
        return RUMPK_E_BOUNDS;
    memcpy(store + request->offset, request->data, request->count);
    return request->count;
}

static int64_t note_read(void *context, struct npl_request *request)
{
    (void)context;
    return npl_service_read_text(request, "a note\n", 7);
}

static int64_t slow_read(void *context, struct npl_request *request)
{
    (void)context;
    kept[kept_count++ % 8] = request;
    return NPL_LATER;
}

static const struct npl_file files[] = {
    {.name = "store",
     .mode = NPL_FILE_READ | NPL_FILE_WRITE,
     .size = store_size,
     .read = store_read,
     .write = store_write},
    {.name = "note", .mode = NPL_FILE_READ, .read = note_read},
    {.name = "slow", .mode = NPL_FILE_READ, .read = slow_read},
};

static int server_main(void)
{
    struct npl_service service;

    kept_count = 0;
    if (npl_service_open(&service, "store", files, 3, NULL) < 0)
        return 1;
    for (;;) {
        int64_t handled = npl_service_poll(&service);

        if (handled == RUMPK_E_PEER)
            return 0;
        if (handled == 0)
            (void)npl_service_wait(&service, NULL, 0, RUMPK_FOREVER);
    }
}

// ---- machines

static void script_begin(uint64_t seed)
{
    memset(&script, 0, sizeof(script));
    script.random = seed * 2 + 1;
    for (uint32_t at = 0; at < STORE_SIZE; at++)
        store[at] = (uint8_t)(at * 11 + at / 256);
}

static void play(uint64_t seed)
{
    struct host_machine *machine = host_machine_new(seed);
    uint32_t server = host_fiber_add(machine, "test/server", server_main);
    uint32_t bridge = host_fiber_add(machine, "rumpk/bridge-9p", npl_main);
    struct host_device device = {
        .device_id = 3,
        .features = UINT64_C(1) << 32,
        .queue_count = 2,
        .queue_entries = 8,
        .serve = port_serve,
    };
    struct host_service_wire wire = {
        .service = "store",
        .client = bridge,
        .server = server,
        .slots = 8,
        .buffer_count = seed % 3 ? 4 : 1,
        .buffer_size = seed % 2 ? 1024 : 8192,
    };
    int64_t code;

    host_cap_device(machine, bridge, "port", &device);
    host_cap_dma(machine, bridge, "buffers", 65536);
    host_wire_service(machine, &wire);
    assert_true(host_run(machine, 4000000));
    if (script.failed[0])
        fail_msg("%s", script.failed);
    assert_int_equal(script.now, script.count);
    // Both wait for more, as they should.
    assert_false(host_fiber_ended(machine, bridge, &code));
    assert_false(host_fiber_ended(machine, server, &code));
    host_machine_free(machine);
}

static void session(void)
{
    version(65536, "9P2000.L");
    attach(0, "/");
}

static void files_are_served(void **state)
{
    static const uint8_t entry_tail[] = {1, 0, 0,   0,   0,   0,   0,  0, L_DT_DIRECTORY,
                                         5, 0, 's', 't', 'o', 'r', 'e'};
    static const uint8_t slow_tail[] = {3, 0, 0,   0,   0,   0,  0, 0, L_DT_REGULAR,
                                        4, 0, 's', 'l', 'o', 'w'};
    static const uint8_t written[] = "written from outside";

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        script_begin(seed);
        version(65536, "9P2000.L")->type = L_TVERSION + 1;
        refused(plain(L_TAUTH, 9), L_ENOENT);
        attach(0, "/");
        getattr(0);
        walk(0, 1, NULL, NULL);
        open_fid(1, L_O_DIRECTORY);
        tail(transfer(L_TREADDIR, 4, 1, 0, 4096), entry_tail, sizeof(entry_tail));
        transfer(L_TREADDIR, 4, 1, 1, 4096);
        plain(L_TCLUNK, 1);
        walk(0, 1, "store", NULL);
        open_fid(1, 0);
        tail(transfer(L_TREADDIR, 4, 1, 0, 4096), slow_tail, sizeof(slow_tail));
        plain(L_TCLUNK, 1);
        walk(0, 1, "store", "note");
        getattr(1);
        open_fid(1, 0);
        tail(transfer(L_TREAD, 4, 1, 0, 100), "\7\0\0\0a note\n", 11);
        tail(transfer(L_TREAD, 4, 1, 7, 100), "\0\0\0\0", 4);
        plain(L_TCLUNK, 1);
        walk(0, 1, "store", "store");
        walk(1, 2, "..", NULL)->type = L_RLERROR; // a file has no parent
        script.steps[script.count - 1].error = L_ENOTDIR;
        open_fid(1, 2);
        tail(transfer(L_TREAD, 4, 1, 500, 900), store + 500, 900);
        write_fid(1, 3, sizeof(written), written, sizeof(written));
        refused(write_fid(1, STORE_SIZE, 1, written, 1), L_EIO);
        plain(L_TSTATFS, 1);
        plain(L_TFSYNC, 1);
        tail(transfer(L_TREAD, 4, 1, 3, sizeof(written)), written, sizeof(written));
        attach(5, "//store/");
        walk(5, 6, "..", "store");
        // A new session forgets the fids of the one before.
        session();
        refused(plain(L_TCLUNK, 1), L_EBADF);
        play(seed);
        assert_memory_equal(store + 3, written, sizeof(written));
    }
}

static void wrong_requests_are_refused(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        script_begin(seed);
        refused(plain(L_TCLUNK, 0), L_EPROTO); // before the version
        version(65536, "9P2000.u");
        refused(attach(0, "/"), L_EPROTO);
        refused(version(100, "9P2000.L"), L_EINVAL);
        session();
        refused(attach(0, "/"), L_EBADF);
        refused(attach(1, "/absent"), L_ENOENT);
        refused(attach(L_NOFID, "/"), L_EBADF);
        refused(walk(7, 8, NULL, NULL), L_EBADF);
        refused(walk(0, 1, "absent", NULL), L_ENOENT);
        refused(walk(0, 1, "", NULL), L_ENOENT);
        refused(walk(0, 1, "store/note", NULL), L_ENOENT);
        walk(0, 1, "store", "absent")->tail_size = 0;
        refused(plain(L_TCLUNK, 1), L_EBADF); // the walk did not arrive
        walk(0, 1, "store", "note");
        refused(walk(0, 1, "store", NULL), L_EBADF);      // the fid is in use
        refused(transfer(L_TREAD, 4, 1, 0, 10), L_EBADF); // not open
        refused(open_fid(1, 1), L_EACCES);
        refused(open_fid(1, 3), L_EINVAL);
        refused(open_fid(1, L_O_DIRECTORY), L_ENOTDIR);
        open_fid(1, 0);
        refused(open_fid(1, 0), L_EBADF);
        refused(walk(1, 1, NULL, NULL), L_EBADF);
        walk(1, 2, NULL, NULL); // from an open fid to another one
        plain(L_TCLUNK, 2);
        refused(write_fid(1, 0, 4, store, 4), L_EBADF);
        refused(write_fid(1, 0, UINT32_MAX, store, 4), L_EPROTO);
        refused(write_fid(1, 0, 3, store, 4), L_EPROTO);
        refused(transfer(L_TREADDIR, 4, 1, 0, 100), L_ENOTDIR);
        transfer(L_TREAD, 4, 1, UINT64_MAX, UINT32_MAX);
        walk(0, 2, NULL, NULL);
        refused(open_fid(2, 1), L_EISDIR);
        open_fid(2, 0);
        refused(transfer(L_TREAD, 4, 2, 0, 10), L_EISDIR);
        refused(transfer(L_TREADDIR, 4, 2, UINT64_MAX, 10), L_EINVAL);
        transfer(L_TREADDIR, 4, 2, 0, 3);
        refused(plain(L_TREMOVE, 2), L_EROFS);
        refused(plain(L_TMKDIR, 0), L_EROFS);
        refused(plain(L_TSETATTR, 0), L_EROFS);
        for (uint32_t type = 126; type < 256; type += 2)
            refused(plain((uint8_t)type, 0), L_EOPNOTSUPP);
        refused(end(begin(L_TWALK, 9)), L_EPROTO);
        refused(end(begin(L_TVERSION, 9)), L_EPROTO);
        refused(end(begin(L_TREAD, 9)), L_EPROTO);
        // More fids than there are.
        for (uint32_t fid = 100; fid < 100 + 64 - 2; fid++)
            walk(0, fid, NULL, NULL);
        refused(walk(0, 200, NULL, NULL), L_EMFILE);
        play(seed);
    }
}

// Waiting requests, flushed or not, and a session that ends while they wait.
static void flushes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        if (seed % 3 == 0)
            continue; // one buffer: the slow read would stand in the way of the one that ends it
        script_begin(seed);
        session();
        flush(77);
        walk(0, 1, "store", "slow");
        open_fid(1, 0);
        walk(0, 2, "store", "store");
        open_fid(2, 0);
        transfer(L_TREAD, 50, 1, 0, 5)->answers = 0;
        refused(transfer(L_TREAD, 50, 2, 0, 5), L_EPROTO); // the tag is in use
        flush(50)->answers = 0;
        transfer(L_TREAD, 60, 2, 0, 5)->answers = 3;
        script.steps[script.count - 1].type = 0; // any of the three may come last
        transfer(L_TREAD, 50, 1, 0, 5)->answers = 0;
        session();
        // The answer to the old read comes to nobody.
        walk(0, 2, "store", "store");
        open_fid(2, 0);
        tail(transfer(L_TREAD, 60, 2, 0, 5), store, 5);
        tail(transfer(L_TREAD, 60, 2, 1, 5), store + 1, 5);
        play(seed);
    }
}

static void noise_is_survived(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint8_t bytes[300];

        script_begin(seed);
        for (uint32_t round = 0; round < 20; round++) {
            session();
            for (uint32_t at = 0; at < sizeof(bytes); at++) {
                script.random = script.random * UINT64_C(6364136223846793005) + 1;
                bytes[at] = (uint8_t)(script.random >> 33);
            }
            if (round % 2) { // the beginning of a message that never ends
                memset(bytes, 0, 4);
                bytes[0] = 200;
                noise(bytes, 1 + (uint32_t)(script.random >> 40) % 199);
            } else {
                bytes[3] |= 1;
                noise(bytes, 4 + (uint32_t)(script.random >> 40) % 290);
            }
        }
        session();
        walk(0, 1, "store", "note");
        play(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_served),
        cmocka_unit_test(wrong_requests_are_refused),
        cmocka_unit_test(flushes),
        cmocka_unit_test(noise_is_survived),
    };

    return cmocka_run_group_tests_name("bridge-9p", tests, NULL, NULL);
}
