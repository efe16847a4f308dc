// SPDX-License-Identifier: Apache-2.0
//
// refused.c: the driver inside every package of refusals.py. It is a good one: it says a line when it
// has a console and ends with a code of its own. So when it does not start, its package is why.
#include <npl/npl.h>

enum { SURVIVED = 42 };

static int survive(void) { return SURVIVED; }

// An address among constants: gives the file a relocation.
static int (*const volatile end)(void) = survive;

int npl_main(void) {
    // Without a console this says so by its result, which is of no interest here.
    (void)npl_printf("%s still runs\n", npl_start()->name);
    return end();
}
