// SPDX-License-Identifier: Apache-2.0
//
// start.c: look-ups in the start block.
#include "fiber_local.h"
#include "start_set.h"
#include <npl/start.h>
#include <string.h>

static NPL_FIBER_LOCAL const struct rumpk_start *start_block;

void npl_start_set(const struct rumpk_start *start)
{
    start_block = start;
}

const struct rumpk_start *npl_start(void)
{
    return start_block;
}

static const void *part(uint32_t offset)
{
    return (const uint8_t *)start_block + offset;
}

const struct rumpk_cap_info *npl_cap_find_nth(const char *name, uint32_t type, uint32_t index)
{
    const struct rumpk_cap_info *caps = part(start_block->caps_offset);

    for (uint32_t at = 0; at < start_block->cap_count; at++) {
        if (caps[at].type != type || strncmp(caps[at].name, name, RUMPK_LABEL_SIZE) != 0)
            continue;
        if (index-- == 0)
            return &caps[at];
    }
    return NULL;
}

const struct rumpk_cap_info *npl_cap_find(const char *name, uint32_t type)
{
    return npl_cap_find_nth(name, type, 0);
}

const struct rumpk_cap_info *npl_cap_of_slot(uint32_t slot)
{
    const struct rumpk_cap_info *caps = part(start_block->caps_offset);

    for (uint32_t at = 0; at < start_block->cap_count; at++) {
        if (caps[at].slot == slot)
            return &caps[at];
    }
    return NULL;
}

const struct rumpk_channel *npl_channel_find(const char *service, uint32_t role, uint32_t index)
{
    const struct rumpk_channel *channels = part(start_block->channels_offset);

    for (uint32_t at = 0; at < start_block->channel_count; at++) {
        if (channels[at].role != role)
            continue;
        if (strncmp(channels[at].service, service, RUMPK_LABEL_SIZE) != 0)
            continue;
        if (index-- == 0)
            return &channels[at];
    }
    return NULL;
}

const char *npl_config(size_t *size)
{
    *size = start_block->config_size;
    return part(start_block->config_offset);
}
