// SPDX-License-Identifier: Apache-2.0
//
// The bridge between 9P2000.L and the services. The input is a sequence of pieces as the port would
// give them: length[2], bytes. Answers must be well-formed, each to a request, in the size agreed.
#include "bridge.h"
#include "frame.h"

#include "fuzz.h"

#include <string.h>

static struct bridge bridge;
static struct frame frame;
static uint8_t answers[BRIDGE_JOBS_MAX * BRIDGE_MSIZE_MAX];

static uint32_t number_at(const uint8_t *bytes, uint32_t width)
{
    struct field field = field_over((void *)(uintptr_t)bytes, width);

    return (uint32_t)field_get(&field, width);
}

// Checks and takes the answers that are ready.
static void take_answers(void)
{
    for (uint32_t index = 0; index < BRIDGE_JOBS_MAX; index++) {
        struct bridge_job *job = &bridge.jobs[index];

        if (job->state != JOB_ANSWERED)
            continue;
        uint32_t most = bridge.msize ? bridge.msize : BRIDGE_MSIZE_MAX;
        if (job->answer < L_HEADER || job->answer > most ||
            number_at(job->bytes, 4) != job->answer || number_at(job->bytes + 5, 2) != job->tag ||
            (job->bytes[4] != L_RLERROR && job->bytes[4] != job->type + 1))
            abort();
        if (job->bytes[4] == L_TREAD + 1 && job->answer > L_READ_HEADER)
            FUZZ_ACCEPTED();
        job->state = JOB_FREE;
    }
}

static void feed(const uint8_t *piece, uint32_t size)
{
    uint32_t taken = 0;
    bool is_moving = true;

    while (is_moving) {
        struct bridge_job *job = bridge_job_free(&bridge);

        is_moving = bridge_collect(&bridge);
        take_answers();
        if (!job)
            continue;
        uint32_t added = frame_add(&frame, piece + taken, size - taken, taken == 0);
        uint32_t ready = frame_ready(&frame);
        taken += added;
        if (ready > 0) {
            bridge_take(&bridge, job, frame.bytes, ready);
            frame_drop(&frame);
            frame.limit = bridge.msize ? bridge.msize : FRAME_CAPACITY;
        }
        is_moving |= added > 0 || ready > 0;
        take_answers();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memset(&bridge, 0, sizeof(bridge));
    frame_init(&frame);
    if (bridge_open(&bridge, answers) != 1)
        abort();
    while (size >= 2) {
        uint32_t piece = number_at(data, 2);

        data += 2;
        size -= 2;
        if (piece > size)
            piece = (uint32_t)size;
        // A heap copy of the exact size: reading beyond the piece is seen.
        uint8_t *copy = malloc(piece ? piece : 1);
        if (!copy)
            return 0;
        memcpy(copy, data, piece);
        feed(copy, piece);
        free(copy);
        data += piece;
        size -= piece;
    }
    return 0;
}
