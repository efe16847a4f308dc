// SPDX-License-Identifier: Apache-2.0
//
// fp.c: saving and loading the floating point state, alone. What runs here are the very bytes of
// the measured kernel's arch_fp_save and arch_fp_restore: tests/bench/guest_bench.py takes them out
// of the kernel's file. They are straight code that touches nothing but the registers and the state
// they are given, so they do here what they do there.
#include "bench.h"

#include <string.h>

// clang-format off
__asm__(".pushsection .text.kernel_fp, \"ax\"\n"
        ".balign 16\n"
        "kernel_fp_save:\n"
        ".incbin \"" FP_SAVE_FILE "\"\n"
        ".balign 16\n"
        "kernel_fp_restore:\n"
        ".incbin \"" FP_RESTORE_FILE "\"\n"
        ".popsection");
// clang-format on

#define STATE_SIZE 1024u // more than any architecture's

void kernel_fp_save(void *state);
void kernel_fp_restore(const void *state);

static _Alignas(64) uint8_t state[STATE_SIZE], again[STATE_SIZE];

uint64_t act_fp(uint64_t rounds)
{
    for (uint64_t i = 0; i < rounds; i++) {
        kernel_fp_save(state);
        kernel_fp_restore(state);
    }
    // What was loaded last is what a further saving finds.
    kernel_fp_save(again);
    return memcmp(state, again, sizeof state) != 0;
}
