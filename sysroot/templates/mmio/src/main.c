// SPDX-License-Identifier: Apache-2.0
//
// {name}: reads the registers of a clock chip: a PL031 (Arm DDI 0224, 3.3) or a goldfish RTC
// (Android emulator, "goldfish virtual hardware", section IX). A machine may have neither.
#include <npl/npl.h>

// Registers by their place in bytes: the device trees of these chips give no other distance.
#define PL031_DATA    0u // seconds
#define GOLDFISH_LOW  0u // nanoseconds; reading it latches the other half
#define GOLDFISH_HIGH 4u

#define NS_PER_S UINT64_C(1000000000)

// Seconds since 1970, RUMPK_E_SLOT without a chip, or another code.
static int64_t read_clock(void)
{
    struct npl_registers registers;
    int64_t result = npl_registers_open(&registers, "pl031");

    if (result >= 0)
        return npl_reg_read32(&registers, PL031_DATA);
    if (result == RUMPK_E_SLOT)
        result = npl_registers_open(&registers, "goldfish");
    if (result < 0)
        return result;
    uint64_t low = npl_reg_read32(&registers, GOLDFISH_LOW);

    return (int64_t)(((uint64_t)npl_reg_read32(&registers, GOLDFISH_HIGH) << 32 | low) / NS_PER_S);
}

int npl_main(void)
{
    int64_t seconds = read_clock();

    if (seconds == RUMPK_E_SLOT) {
        npl_print("{short}: this machine has no clock that I know\n");
        return 0;
    }
    if (seconds < 0) {
        npl_printf("{short}: cannot read the clock: %s\n", npl_result_text(seconds));
        return 1;
    }
    npl_printf("{short}: %llu seconds since 1970\n", (unsigned long long)seconds);
    return 0;
}
