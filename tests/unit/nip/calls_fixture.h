// SPDX-License-Identifier: Apache-2.0
//
// A debug file in memory that holds nothing but records of calls. Also makes the fuzz corpus.

#ifndef TESTS_NIP_CALLS_FIXTURE_H
#define TESTS_NIP_CALLS_FIXTURE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include <rumpk/note.h>

#include "nip/buffer.h"

// Where things lie in the file; tests change single fields there. Section 1 holds the records.
enum {
    CALLS_RECORD_SIZE = 12 + 8 + sizeof(struct rumpk_call_note),
    CALLS_SECTION_COUNT = 3,
    CALLS_SECTIONS = sizeof(Elf64_Ehdr),
    CALLS_NAMES = CALLS_SECTIONS + CALLS_SECTION_COUNT * sizeof(Elf64_Shdr),
    CALLS_NAMES_SIZE = 64, // zero-padded
    CALLS_RECORDS = CALLS_NAMES + CALLS_NAMES_SIZE,
};

// Appends to an empty buffer. The records are the last bytes of the file.
void fixture_calls(const struct rumpk_call_note *calls, size_t count, struct nip_buffer *out);

#endif
