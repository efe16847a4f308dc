// SPDX-License-Identifier: Apache-2.0

#include "mode.h"

static struct {
    bool is_locked, is_offline;
} mode;

void mode_set(bool is_locked, bool is_offline)
{
    mode.is_locked = is_locked;
    mode.is_offline = is_offline;
}

bool mode_is_locked(void)
{
    return mode.is_locked;
}

bool mode_is_offline(void)
{
    return mode.is_offline;
}
