// SPDX-License-Identifier: Apache-2.0
//
// pci_corpus FOLDER NAME: machines with PCI functions, in the format of pci.c: a virtio device, one
// behind a bridge with firmware's numbers, one behind two without, and one that lies.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOT 0xFF // no function has this number: on the first bus

static uint8_t input[4096];
static size_t at;
static size_t count_at;

static void begin(void)
{
    input[0] = 255;
    at = 1;
}

static void function(unsigned parent, unsigned slot, unsigned flags)
{
    input[at++] = (uint8_t)parent;
    input[at++] = (uint8_t)(slot << 3);
    input[at++] = (uint8_t)flags;
    count_at = at;
    input[at++] = 0;
}

static void put(unsigned offset, unsigned size, uint64_t value, uint64_t writable)
{
    for (unsigned index = 0; index < size; index++) {
        input[at++] = (uint8_t)(offset + index);
        input[at++] = (uint8_t)(value >> index * 8);
        input[at++] = (uint8_t)(writable >> index * 8);
        input[count_at]++;
    }
}

static void structure(unsigned offset, unsigned next, unsigned kind, unsigned place, unsigned size)
{
    put(offset, 4, 0x09 | next << 8 | 20 << 16 | kind << 24, 0);
    put(offset + 4, 1, 4, 0);
    put(offset + 8, 4, place, 0);
    put(offset + 12, 4, size, 0);
    put(offset + 16, 4, 4, 0);
}

static void virtio(unsigned parent, unsigned slot, unsigned flags)
{
    function(parent, slot, flags);
    put(0x00, 4, 0x10421AF4, 0);
    put(0x04, 2, 0, 0xFFFF);
    put(0x06, 1, 0x10, 0);
    put(0x09, 3, 0x010000, 0);
    put(0x14, 4, 0, 0xFFFFF000);
    put(0x20, 8, 0xC, UINT64_C(0xFFFFFFFFFFFFC000));
    put(0x34, 1, 0x98, 0);
    put(0x3D, 1, 1, 0);
    structure(0x40, 0x54, 1, 0, 0x38);
    structure(0x54, 0x68, 3, 0x1000, 1);
    structure(0x68, 0x7C, 4, 0x2000, 0x100);
    structure(0x7C, 0, 2, 0x3000, 0x1000);
    put(0x98, 4, 0x00014011, 0xC0000000);
    put(0x9C, 4, 0x1, 0);
    put(0xA0, 4, 0x801, 0);
}

static void bridge(unsigned parent, unsigned slot, unsigned below, unsigned last)
{
    function(parent, slot, 0);
    put(0x00, 4, 0x000C1B36, 0);
    put(0x04, 2, 0, 0xFFFF);
    put(0x06, 1, 0x10, 0);
    put(0x09, 3, 0x060400, 0);
    put(0x0E, 1, 1, 0);
    put(0x18, 4, below << 8 | last << 16, 0xFFFFFFFF);
    put(0x20, 4, 0x50105010, 0xFFF0FFF0);
    put(0x24, 4, 0x0000FFF0, 0xFFF0FFF0);
    put(0x34, 1, 0x40, 0);
    put(0x40, 4, 0x00420010, 0);
}

static void save(const char *folder, const char *name)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "wb");
    if (file == NULL || fwrite(input, 1, at, file) != at || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    begin();
    virtio(ROOT, 1, 0);
    save(argv[1], "device");
    begin();
    bridge(ROOT, 2, 3, 5);
    virtio(0, 0, 0);
    save(argv[1], "bridge");
    begin();
    bridge(ROOT, 2, 0, 0);
    bridge(0, 0, 0, 0);
    virtio(1, 0, 0);
    save(argv[1], "bridges");
    begin();
    virtio(ROOT, 1, 1);
    save(argv[1], "liar");
    return 0;
}
