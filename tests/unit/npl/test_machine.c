// SPDX-License-Identifier: Apache-2.0
//
// test_machine.c: the simulated kernel of npl/host.h itself: what a driver's author may expect of
// it beyond rings, queues and services, which the other tests use all the time.
#include "npl_test.h"
#include <npl/host.h>

// Nothing to run is nothing to do.
static void test_without_drivers(void **state)
{
    struct host_machine *machine = host_machine_new(1);

    (void)state;
    assert_true(host_run(machine, 10));
    assert_int_equal(host_calls(machine), 0);
    host_machine_free(machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_drivers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
