// SPDX-License-Identifier: Apache-2.0
//
// abi.h: the whole contract in one include. Each header also stands alone.
#ifndef RUMPK_ABI_H
#define RUMPK_ABI_H

#include <rumpk/archive.h>
#include <rumpk/base.h>
#include <rumpk/bkdl.h>
#include <rumpk/call.h>
#include <rumpk/cap.h>
#include <rumpk/layout.h>
#include <rumpk/ledger.h>
#include <rumpk/ninep.h>
#include <rumpk/note.h>
#include <rumpk/result.h>
#include <rumpk/ring.h>
#include <rumpk/start.h>
#include <rumpk/systable.h>

#endif
