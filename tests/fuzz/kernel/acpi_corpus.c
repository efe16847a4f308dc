// SPDX-License-Identifier: Apache-2.0
//
// acpi_corpus FOLDER NAME: writes the tables of QEMU's q35, with an RSDT and with an XSDT.
#include <stdio.h>

#include "acpi_sample.h"

int main(int argc, char **argv)
{
    uint8_t bytes[ACPI_SAMPLE_SIZE];
    char path[4096];

    if (argc != 3)
        return 2;
    for (uint32_t revision = 0; revision <= 2; revision += 2) {
        FILE *file;

        acpi_sample_make(bytes, 0x1000, revision);
        snprintf(path, sizeof path, "%s/revision-%u", argv[1], (unsigned)revision);
        file = fopen(path, "wb");
        if (file == NULL || fwrite(bytes, 1, sizeof bytes, file) != sizeof bytes ||
            fclose(file) != 0) {
            perror(path);
            return 1;
        }
    }
    return 0;
}
