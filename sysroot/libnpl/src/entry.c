// SPDX-License-Identifier: Apache-2.0
//
// entry.c: from the kernel's first instruction in this driver to npl_main, and the ABI note.
//
// Hand-over: the kernel enters _start with the start block's address in the first argument
// register, the stack aligned as at a function's entry and every other register zero, which is all
// that a C function needs. The note lies in the same object as _start so that no driver can be
// linked without.
#include "start_set.h"
#include <npl/npl.h>
#include <rumpk/note.h>

#if !defined(RUMPK_ABI_TEXT_HASH)
#error "build with -DRUMPK_ABI_TEXT_HASH=0x..,0x.. (32 bytes): BLAKE2b-256 of abi/abi.txt"
#endif

struct abi_note {
    uint32_t owner_size;
    uint32_t text_size;
    uint32_t type;
    char owner[8];
    struct rumpk_abi_note text;
};

__attribute__((section(".note.rumpk"), used, retain)) static const struct abi_note abi_note = {
    .owner_size = RUMPK_NOTE_OWNER_SIZE,
    .text_size = sizeof(struct rumpk_abi_note),
    .type = RUMPK_NOTE_TYPE_ABI,
    .owner = RUMPK_NOTE_OWNER,
    .text =
        {
            .abi_version = RUMPK_ABI_VERSION,
            .arch = RUMPK_ARCH,
            .profile = RUMPK_PROFILE_HARD_FLOAT,
            .systable_size = RUMPK_SYSTABLE_SIZE,
            .abi_text = {RUMPK_ABI_TEXT_HASH},
        },
};

typedef void (*init_function)(void);

// From the linker script; empty in plain C.
extern const init_function __init_array_start[];
extern const init_function __init_array_end[];

// A kernel of another ABI, or none: nothing can be called, so nothing can be said.
static void check_kernel(const struct rumpk_start *start)
{
    const struct rumpk_systable *table = npl_systable();

    if (table->magic != RUMPK_SYSTABLE_MAGIC || table->size < RUMPK_SYSTABLE_SIZE)
        __builtin_trap();
    if (!start || start->magic != RUMPK_START_MAGIC || start->size < sizeof(*start))
        __builtin_trap();
}

_Noreturn void _start(const struct rumpk_start *start);

__attribute__((section(".text.start"), used)) void _start(const struct rumpk_start *start)
{
    check_kernel(start);
    npl_start_set(start);
    npl_heap_init((void *)(uintptr_t)start->heap_base, start->heap_size);
    for (const init_function *each = __init_array_start; each != __init_array_end; each++)
        (*each)();
    npl_exit(npl_main());
}
