// SPDX-License-Identifier: Apache-2.0
//
// npl_test.h: cmocka, and a check for code that runs on a simulated driver's own thread, where
// cmocka's asserts (a longjmp into the test's thread) must not be used.
#ifndef NPL_TEST_H
#define NPL_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CHECK(condition)                                                                  \
    do {                                                                                  \
        if (!(condition)) {                                                               \
            fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                      \
        }                                                                                 \
    } while (0)

#endif
