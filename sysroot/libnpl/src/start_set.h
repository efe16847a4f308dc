// SPDX-License-Identifier: Apache-2.0
//
// start_set.h: how the entry code, and the host's simulated kernel, tell libnpl its start block.
#ifndef NPL_START_SET_H
#define NPL_START_SET_H

#include <rumpk/start.h>

void npl_start_set(const struct rumpk_start *start);

#endif
