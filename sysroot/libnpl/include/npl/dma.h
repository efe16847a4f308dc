// SPDX-License-Identifier: Apache-2.0
//
// dma.h: memory that a device queue may read and write: `request { dma "buffers" size="128KiB" }`.
//
// A queue request names it by slot and offset, never by address. While a request is at the device
// the bytes are the device's.
#ifndef NPL_DMA_H
#define NPL_DMA_H

#include <rumpk/cap.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct npl_memory {
    uint8_t *base;
    uint64_t size;
    uint32_t slot;
    uint32_t rights;
};

// Finds and maps the request of this name. 0, RUMPK_E_SLOT when it was not granted, or `map`'s
// code.
int64_t npl_dma_open(struct npl_memory *memory, const char *name);
int64_t npl_memory_open(struct npl_memory *memory, const char *name);

#ifdef __cplusplus
}
#endif

#endif
