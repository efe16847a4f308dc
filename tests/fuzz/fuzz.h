// SPDX-License-Identifier: Apache-2.0
//
// fuzz.h: what every fuzz target shares. A target that lets an input pass all its checks calls
// FUZZ_ACCEPTED; with RUMPK_FUZZ_COUNT in the environment (run.py sets it when it plays the corpus)
// the number of such inputs is printed at the end, so that a corpus that no longer reaches the end
// of a validator is seen.
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long fuzz_accepted_count;

static void fuzz_accepted_print(void)
{
    fprintf(stderr, "accepted %lu\n", fuzz_accepted_count);
}

#define FUZZ_ACCEPTED()                                                       \
    do {                                                                      \
        if (fuzz_accepted_count++ == 0 && getenv("RUMPK_FUZZ_COUNT") != NULL) \
            atexit(fuzz_accepted_print);                                      \
    } while (0)

#endif
