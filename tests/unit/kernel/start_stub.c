// SPDX-License-Identifier: Apache-2.0
//
// start_stub.c: nobody waits for a service here; start.c itself is tested by start_test.c.
#include <kernel/init.h>

void start_announced(uint32_t wire)
{
    (void)wire;
}

void start_ended(uint32_t number)
{
    (void)number;
}

void start_next(void) {}

bool start_is_due(void)
{
    return false;
}

void start_end(void) {}
