// SPDX-License-Identifier: Apache-2.0
//
// console.c: text into the console's stream ring, 62 bytes a slot, published once per text.
#include "fiber_local.h"
#include <npl/call.h>
#include <npl/console.h>
#include <npl/ring.h>
#include <npl/start.h>
#include <stdio.h>
#include <string.h>

static NPL_FIBER_LOCAL struct npl_ring console_ring;
static NPL_FIBER_LOCAL int64_t console_state = 1; // 1: not opened yet; 0: open; negative: why not

static void console_open(void)
{
    const struct rumpk_channel *channel = npl_channel_find("console", RUMPK_ROLE_CLIENT, 0);

    if (!channel || channel->style != RUMPK_STYLE_STREAM)
        console_state = RUMPK_E_SLOT;
    else
        console_state = npl_ring_open(&console_ring, channel->request_slot, true);
}

// A free slot, sleeping for one when there is none. Null when the console is gone.
static struct rumpk_stream_slot *next_slot(void)
{
    for (;;) {
        struct rumpk_stream_slot *slot = npl_ring_slot(&console_ring);

        if (slot)
            return slot;
        (void)npl_ring_publish(&console_ring);
        int64_t ready = npl_ring_sleep(&console_ring, RUMPK_FOREVER);
        if (ready == RUMPK_E_EPOCH)
            npl_ring_resync(&console_ring);
        else if (ready < 0)
            return NULL;
    }
}

int64_t npl_write(const char *bytes, size_t size)
{
    size_t written = 0;

    if (console_state > 0)
        console_open();
    if (console_state < 0)
        return console_state;
    while (written < size) {
        struct rumpk_stream_slot *slot = next_slot();
        size_t part = size - written;

        if (!slot) {
            console_state = RUMPK_E_PEER;
            return console_state;
        }
        if (part > sizeof(slot->bytes))
            part = sizeof(slot->bytes);
        memset(slot, 0, sizeof(*slot));
        slot->length = (uint8_t)part;
        memcpy(slot->bytes, bytes + written, part);
        npl_ring_commit(&console_ring);
        written += part;
    }
    int64_t result = npl_ring_publish(&console_ring);
    return result < 0 ? result : (int64_t)written;
}

int64_t npl_print(const char *text)
{
    return npl_write(text, strlen(text));
}

int64_t npl_vprintf(const char *format, va_list arguments)
{
    char text[NPL_PRINTF_MAX + 1];
    int size = vsnprintf(text, sizeof(text), format, arguments);

    if (size < 0)
        return RUMPK_E_ARGUMENT;
    return npl_write(text, (size_t)size < sizeof(text) ? (size_t)size : sizeof(text) - 1);
}

int64_t npl_printf(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int64_t result = npl_vprintf(format, arguments);
    va_end(arguments);
    return result;
}
