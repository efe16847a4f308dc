// SPDX-License-Identifier: Apache-2.0
//
// calls_corpus FOLDER NAME: what drivers do, in the form of calls.c: each call with right
// arguments, in turn from each driver, and each with arguments that are wrong.
#include <rumpk/systable.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUMBERS = RUMPK_CALL_META + 2, ROUNDS = 3, OWN_PAGE = 64, FOREVER = 64 + 18, NOW = 0 };

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

static void call(FILE *file, int number, int a, int b, int c, int d)
{
    const uint8_t bytes[] = {0, (uint8_t)number, (uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d};
    fwrite(bytes, 1, sizeof bytes, file);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    for (int number = 0; number < NUMBERS; number++) {
        // By slot, with small numbers, with addresses.
        FILE *file = begin(argv[1], "call", (unsigned)number);
        for (int slot = 0; slot < 6; slot++) {
            call(file, number, slot, 0, 0, NOW);
            call(file, number, slot, 1, 1, NOW);
            call(file, number, slot, OWN_PAGE, 1, NOW);
            call(file, RUMPK_CALL_WAIT, 0, 0, NOW, 0);
        }
        fclose(file);
        file = begin(argv[1], "edges", (unsigned)number);
        for (int value = 64; value < 96; value++) {
            call(file, number, 0, value, 1, NOW);
            call(file, number, 3, value, value, NOW);
        }
        fclose(file);
    }
    FILE *file = begin(argv[1], "turns", 0);
    for (int round = 0; round < ROUNDS; round++) {
        call(file, RUMPK_CALL_RECV, 0, 0, 0, FOREVER);
        call(file, RUMPK_CALL_SEND, 0, 0, 0, 0);
        fwrite("\x0b\x40", 1, 2, file);                 // time
        fwrite("\x09\x00\x03\x00\x00\x00", 1, 6, file); // a head
        fwrite("\x0a\x01\x05", 1, 3, file);             // a fault
    }
    fclose(file);
    return 0;
}
