// SPDX-License-Identifier: Apache-2.0
//
// ledger_corpus FOLDER NAME: for each stage and cause of a boot a record of it, with a ledger of
// one record of each kind, refusal and fault, in the form of ledger.c.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rumpk/ledger.h>

enum { FIXED_SIZE = 64, NAME_SIZE = 16, STAGES = 16, CODES = 40 };

static FILE *begin(const char *folder, const char *what, unsigned number)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s-%u", folder, what, number);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    return file;
}

static void put_boot(FILE *file, uint32_t stage, uint32_t cause)
{
    struct rumpk_boot_record record = {.magic = RUMPK_BOOT_MAGIC,
                                       .stage = stage,
                                       .cause = cause,
                                       .arch = 1,
                                       .timer_hz = 10000000,
                                       .pc = 0x80200000};
    for (uint32_t i = 0; i <= stage && i < STAGES; i++)
        record.ticks[i] = 1000 * (i + 1);
    fwrite(&record, 1, sizeof record, file);
}

static void put_record(FILE *file, uint32_t kind, uint32_t code, uint32_t package)
{
    struct rumpk_ledger_record record = {.kind = (uint16_t)kind,
                                         .code = (uint16_t)code,
                                         .ticks = 5000,
                                         .package = package,
                                         .pc = 0x81300010,
                                         .image_base = 0x81300000};
    char name[NAME_SIZE] = "local/a";
    fwrite(&record, 1, FIXED_SIZE, file);
    fwrite(name, 1, sizeof name, file);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    for (uint32_t number = 0; number < STAGES; number++) {
        FILE *file = begin(argv[1], "boot", number);
        put_boot(file, number, number % 4);
        put_record(file, RUMPK_LEDGER_BOOT, 0, RUMPK_LEDGER_NO_PACKAGE);
        put_record(file, RUMPK_LEDGER_START, 0, 0);
        put_record(file, number, 0, 0);
        fwrite("", 1, 1, file);
        fclose(file);
    }
    for (uint32_t code = 0; code < CODES; code++) {
        FILE *file = begin(argv[1], "code", code);
        put_boot(file, STAGES - 1, 0);
        put_record(file, RUMPK_LEDGER_REFUSE, code, 1);
        put_record(file, RUMPK_LEDGER_START, 0, 2);
        put_record(file, RUMPK_LEDGER_FAULT, code, 2);
        put_record(file, RUMPK_LEDGER_EXIT, 0, 0);
        fwrite("", 1, 1, file);
        fclose(file);
    }
    return 0;
}
