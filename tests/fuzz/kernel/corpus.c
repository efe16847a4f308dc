// SPDX-License-Identifier: Apache-2.0
//
// corpus FOLDER NAME: writes inputs that the kernel's parsers accept (sample.h), for the fuzz
// target NAME.
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

static const char *folder;

static void write_file(const char *name, const void *bytes, size_t size)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    struct sample sample;
    const struct rumpk_archive_entry *entry;

    if (argc != 3 || sodium_init() < 0) {
        fprintf(stderr, "usage: corpus FOLDER NAME\n");
        return 2;
    }
    folder = argv[1];
    sample_make(&sample, NULL);
    entry = (const void *)(sample.bytes + 4096);
    if (strcmp(argv[2], "kernel_archive") == 0) {
        write_file("archive", sample.bytes, sample.size);
    } else if (strcmp(argv[2], "kernel_elf") == 0) {
        write_file("driver", sample.bytes + entry->elf_offset, entry->elf_size);
    } else if (strcmp(argv[2], "kernel_digests") == 0) {
        write_file("digests", sample.bytes + entry->digests_offset, entry->digests_size);
    } else if (strcmp(argv[2], "kernel_bkdl") == 0) {
        const struct rumpk_archive_header *header = (const void *)sample.bytes;
        write_file("server", sample.bytes + entry[0].bkdl_offset, entry[0].bkdl_size);
        write_file("client", sample.bytes + entry[1].bkdl_offset, entry[1].bkdl_size);
        write_file("boot", sample.bytes + header->manifest_offset, header->manifest_size);
    } else {
        fprintf(stderr, "corpus: no inputs for %s\n", argv[2]);
        return 2;
    }
    sample_free(&sample);
    return 0;
}
