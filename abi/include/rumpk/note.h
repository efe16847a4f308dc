// SPDX-License-Identifier: Apache-2.0
//
// note.h: the ELF note by which a driver states what it was built for. Loaders check it before anything else
// in the file. Section .note.rumpk, owner "Rumpk", type 1, in a PT_NOTE segment; exactly one.
#ifndef RUMPK_NOTE_H
#define RUMPK_NOTE_H

#include <rumpk/base.h>

#define RUMPK_NOTE_OWNER "Rumpk"
#define RUMPK_NOTE_OWNER_SIZE 6u  // with the NUL; padded to 8 in the file
#define RUMPK_NOTE_TYPE_ABI 1u
#define RUMPK_NOTE_TYPE_CALL 2u  // section .note.rumpk.calls, which is not loaded and not in the stripped file

// Floating point profile: the standard hard-float ABI (lp64d; AAPCS64; SysV with SSE2), no vectors beyond it.
#define RUMPK_PROFILE_HARD_FLOAT 1u

struct rumpk_abi_note {
    uint32_t abi_version;    // RUMPK_ABI_VERSION the driver was compiled against
    uint32_t arch;           // RUMPK_ARCH_*
    uint32_t profile;        // RUMPK_PROFILE_*
    uint32_t systable_size;  // RUMPK_SYSTABLE_SIZE
    uint8_t abi_text[RUMPK_DIGEST_SIZE];  // BLAKE2b-256 of abi/abi.txt; compared by tools, not by the kernel
};
RUMPK_ASSERT_SIZE(rumpk_abi_note, 48);


// One call that the driver's code can make: libnpl's functions leave one each. For tools; a call made by hand has none,
// and the kernel judges every call when it happens.
struct rumpk_call_note {
    uint32_t call;       // RUMPK_CALL_*
    uint32_t operation;  // of MASK and META; else 0
};
RUMPK_ASSERT_SIZE(rumpk_call_note, 8);

#endif
