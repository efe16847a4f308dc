// SPDX-License-Identifier: Apache-2.0
//
// Writes accepted inputs for the fuzzers of what `nip check` reads. Usage: nip_check_corpus FOLDER
// NAME

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rumpk/call.h>
#include <rumpk/systable.h>

#include "calls_fixture.h"
#include "must.h"
#include "nip/elf.h"
#include "nip/fs.h"
#include "nip/spdx.h"

static void write_seed(const char *folder, const char *name, const void *data, size_t size)
{
    struct nip_error err = {.code = NIP_OK};
    char *path = nip_fs_join(folder, name);
    MUST(path != NULL);
    MUST(nip_fs_write(path, data, size, 0644, &err) == NIP_OK);
    free(path);
}

static void write_calls(const char *folder)
{
    struct rumpk_call_note notes[RUMPK_CALL_META + 2];
    struct nip_elf_calls calls;
    struct nip_error err = {.code = NIP_OK};
    struct nip_buffer file = {.size = 0};
    for (uint32_t call = 0; call <= RUMPK_CALL_META; call++)
        notes[call] = (struct rumpk_call_note){.call = call};
    notes[RUMPK_CALL_META + 1] = (struct rumpk_call_note){RUMPK_CALL_MASK, RUMPK_MASK_FEATURES};
    fixture_calls(notes, sizeof notes / sizeof notes[0], &file);
    MUST(nip_elf_calls(file.data, file.size, "seed", &calls, &err) == NIP_OK);
    MUST(calls.calls == (1u << (RUMPK_CALL_META + 1)) - 1);
    write_seed(folder, "every", file.data, file.size);
    nip_buffer_clear(&file);
    fixture_calls(notes, 1, &file);
    write_seed(folder, "one", file.data, file.size);
    nip_buffer_free(&file);
}

static void write_expressions(const char *folder)
{
    static const char *const texts[] = {
        "Apache-2.0",
        "MIT OR (Apache-2.0 WITH LLVM-exception)",
        "((MPL-1.1+)) AND LicenseRef-acme-1 OR GPL-2.0-only WITH Linux-syscall-note",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct nip_error err = {.code = NIP_OK};
        char name[16];
        MUST(nip_spdx_check(texts[i], &err) == NIP_OK);
        snprintf(name, sizeof name, "%zu", i);
        write_seed(folder, name, texts[i], strlen(texts[i]));
    }
}

int main(int argc, char **argv)
{
    MUST(argc == 3);
    if (strcmp(argv[2], "spdx") == 0)
        write_expressions(argv[1]);
    else
        write_calls(argv[1]);
    return 0;
}
