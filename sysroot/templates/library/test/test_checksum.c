// SPDX-License-Identifier: Apache-2.0
//
// Goal: the checksum is Fletcher's. Method: known values.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <checksum.h>
#include <cmocka.h>

static void known_values(void **state)
{
    (void)state;
    assert_int_equal(checksum_of("", 0), 0);
    assert_int_equal(checksum_of("abcde", 5), 0xC8F0);
    assert_int_equal(checksum_of("abcdef", 6), 0x2057);
    assert_int_equal(checksum_of("abcdefgh", 8), 0x0627);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_values)};

    return cmocka_run_group_tests_name("{name}", tests, NULL, NULL);
}
