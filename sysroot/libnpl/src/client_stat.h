// SPDX-License-Identifier: Apache-2.0
//
// client_stat.h: what a server says about one file, as struct npl_stat.
#ifndef NPL_CLIENT_STAT_H
#define NPL_CLIENT_STAT_H

#include "wire.h"
#include <npl/client.h>

// Reads one directory entry, its own size field included, and moves behind it. False when it is
// malformed.
bool client_stat_get(struct wire *wire, struct npl_stat *out);

#endif
