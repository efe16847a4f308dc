// SPDX-License-Identifier: Apache-2.0
//
// dma.c: memory capabilities by name.
#include <npl/call.h>
#include <npl/dma.h>
#include <npl/start.h>

static int64_t open_type(struct npl_memory *memory, const char *name, uint32_t type)
{
    const struct rumpk_cap_info *cap = npl_cap_find(name, type);

    if (!cap)
        return RUMPK_E_SLOT;
    int64_t address = npl_map(cap->slot);
    if (address < 0)
        return address;
    *memory = (struct npl_memory){
        .base = (uint8_t *)(uintptr_t)address,
        .size = cap->size,
        .slot = cap->slot,
        .rights = cap->rights,
    };
    return RUMPK_OK;
}

int64_t npl_dma_open(struct npl_memory *memory, const char *name)
{
    return open_type(memory, name, RUMPK_CAP_DMA);
}

int64_t npl_memory_open(struct npl_memory *memory, const char *name)
{
    return open_type(memory, name, RUMPK_CAP_MEMORY);
}
