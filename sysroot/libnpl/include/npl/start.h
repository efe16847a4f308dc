// SPDX-License-Identifier: Apache-2.0
//
// start.h: what is this driver's own: capabilities by name, channels by service, configuration.
//
// Names are those of npl.kdl (requests) and of the services; the image owner's image.kdl decided
// what was granted and wired. Everything here reads the start block, which the kernel filled and
// never changes: no call is made.
#ifndef NPL_START_H
#define NPL_START_H

#include <rumpk/cap.h>
#include <rumpk/start.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The start block. Never null inside npl_main.
const struct rumpk_start *npl_start(void);

// The `index`-th capability of this name and type (RUMPK_CAP_*), in slot order; null when there is
// none: an optional request that was not granted.
const struct rumpk_cap_info *npl_cap_find_nth(const char *name, uint32_t type, uint32_t index);

// The first one.
const struct rumpk_cap_info *npl_cap_find(const char *name, uint32_t type);

// The entry for a slot, or null.
const struct rumpk_cap_info *npl_cap_of_slot(uint32_t slot);

// The `index`-th channel of a service in this role (RUMPK_ROLE_*), or null. A server has one per
// client; a client has one, or none when an optional need was not wired.
const struct rumpk_channel *npl_channel_find(const char *service, uint32_t role, uint32_t index);

// The `config` text of image.kdl, not NUL-terminated; *size is 0 when there is none.
const char *npl_config(size_t *size);

#ifdef __cplusplus
}
#endif

#endif
