// SPDX-License-Identifier: Apache-2.0
//
// {name}: starts, greets on the console, and ends.
#include <npl/npl.h>

int npl_main(void)
{
    npl_print("hello from {name}\n");
    return 0;
}
