// SPDX-License-Identifier: Apache-2.0
//
// Goal: a page table entry allows exactly what was asked for, whatever the architecture calls it.
// Method: every combination that the kernel uses, at every level, through the codec and back; then
// the bits of the entry against rules written down here a second time, from the manuals.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arch_types.h>

#define READ    0x01u
#define WRITE   0x02u
#define EXECUTE 0x04u
#define USER    0x08u
#define DEVICE  0x10u

#if defined(CODEC_aarch64)
uint64_t arch_pte_guarded;
#endif

static const uint32_t used[] = {
    READ,
    READ | WRITE,
    READ | EXECUTE,
    READ | WRITE | DEVICE,
    USER | READ,
    USER | READ | WRITE,
    USER | READ | EXECUTE,
    USER | EXECUTE, // the gate page
    USER | READ | WRITE | DEVICE,
};
#define USED_COUNT (sizeof(used) / sizeof(used[0]))

static const uint64_t addresses[] = {0, 0x40100000, 0x3FC0000000};
#define ADDRESS_COUNT (sizeof(addresses) / sizeof(addresses[0]))

static void an_entry_says_what_was_asked_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < USED_COUNT; i++) {
        for (size_t k = 0; k < ADDRESS_COUNT; k++) {
            for (unsigned level = 0; level <= 2; level++) {
                uint64_t pa = addresses[k] & ~((UINT64_C(4096) << (9 * level)) - 1);
                uint64_t pte = arch_pte_leaf(pa, used[i], level);
                uint32_t expected = used[i] & ~DEVICE;

#if defined(CODEC_x86_64)
                expected |= READ; // nothing is present and unreadable
#endif
                assert_true(arch_pte_present(pte));
                assert_true(arch_pte_is_leaf(pte, level));
                assert_int_equal(arch_pte_address(pte), pa);
                assert_int_equal(arch_pte_prot(pte), expected);
            }
        }
    }
}

static void a_table_is_no_leaf(void **state)
{
    (void)state;
    for (size_t k = 0; k < ADDRESS_COUNT; k++) {
        uint64_t pte = arch_pte_table(addresses[k]);

        assert_true(arch_pte_present(pte));
        assert_false(arch_pte_is_leaf(pte, 1));
        assert_false(arch_pte_is_leaf(pte, 2));
        assert_int_equal(arch_pte_address(pte), addresses[k]);
    }
}

static void zero_is_nothing(void **state)
{
    (void)state;
    assert_false(arch_pte_present(0));
}

#if defined(CODEC_aarch64)

#define BIT(pte, number) ((unsigned)((pte) >> (number)) & 1u)

// Arm ARM D8.3 and D8.4: AP[2] (7) read-only, AP[1] (6) EL0 data, PXN (53), UXN (54), nG (11),
// AF (10), AttrIndx (4:2), GP (50).
static void bits_are_those_of_the_manual(void **state)
{
    (void)state;
    for (unsigned guarded = 0; guarded <= 1; guarded++) {
        arch_pte_guarded = guarded != 0 ? UINT64_C(1) << 50 : 0;
        for (size_t i = 0; i < USED_COUNT; i++) {
            uint32_t prot = used[i];
            uint64_t pte = arch_pte_leaf(0x40100000, prot, 0);
            int executable = (prot & EXECUTE) != 0;
            int user = (prot & USER) != 0;

            assert_int_equal(BIT(pte, 7), (prot & WRITE) == 0);
            assert_int_equal(BIT(pte, 6), user && (prot & READ) != 0);
            assert_int_equal(BIT(pte, 54), !(user && executable));
            assert_int_equal(BIT(pte, 53), !(!user && executable));
            assert_int_equal(BIT(pte, 10), 1);
            assert_int_equal(BIT(pte, 11), 1);
            assert_int_equal(pte >> 2 & 7, (prot & DEVICE) != 0 ? 0 : 1);
            // Guarded: the kernel's text and the gate page, not a driver's own text.
            assert_int_equal(BIT(pte, 50), guarded && executable && !(user && (prot & READ) != 0));
        }
    }
    arch_pte_guarded = 0;
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_says_what_was_asked_for),
        cmocka_unit_test(a_table_is_no_leaf),
        cmocka_unit_test(zero_is_nothing),
#if defined(CODEC_aarch64)
        cmocka_unit_test(bits_are_those_of_the_manual),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
