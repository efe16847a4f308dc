// SPDX-License-Identifier: Apache-2.0
//
// What the fuzzers share: a condition that must hold, or the run is a finding.

#ifndef TESTS_FUZZ_NIP_FUZZ_H
#define TESTS_FUZZ_NIP_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
