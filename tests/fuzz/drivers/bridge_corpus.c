// SPDX-License-Identifier: Apache-2.0
//
// bridge_corpus FOLDER NAME: writes sessions that the bridge answers, as pieces (bridge.c): one
// message per piece, and all of them in one.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t bytes[4096];
static size_t size;
static size_t message;
static FILE *pieces;

static void put(unsigned width, uint64_t value)
{
    for (unsigned at = 0; at < width; at++)
        bytes[size++] = (uint8_t)(value >> (8 * at));
}

static void put_text(const char *text)
{
    put(2, strlen(text));
    memcpy(bytes + size, text, strlen(text));
    size += strlen(text);
}

static void begin(uint8_t type, uint16_t tag)
{
    message = size;
    put(4, 0);
    put(1, type);
    put(2, tag);
}

static void put_piece(FILE *file, const uint8_t *piece, size_t piece_size)
{
    uint8_t length[2] = {(uint8_t)piece_size, (uint8_t)(piece_size >> 8)};

    fwrite(length, 1, 2, file);
    fwrite(piece, 1, piece_size, file);
}

static void end(void)
{
    size_t stop = size;

    size = message;
    put(4, stop - message);
    size = stop;
    put_piece(pieces, bytes + message, size - message);
}

static void walk(uint32_t fid, uint32_t new_fid, const char *first, const char *second)
{
    begin(110, 2);
    put(4, fid);
    put(4, new_fid);
    put(2, 2);
    put_text(first);
    put_text(second);
    end();
}

// Tread, Treaddir; Twrite with `carried` bytes.
static void transfer(uint8_t type, uint32_t fid, uint64_t offset, uint32_t count, uint32_t carried)
{
    begin(type, (uint16_t)(10 + count % 5));
    put(4, fid);
    put(8, offset);
    put(4, count);
    for (uint32_t at = 0; at < carried; at++)
        put(1, at);
    end();
}

static void plain(uint8_t type, uint32_t fid, unsigned width, uint64_t value)
{
    begin(type, 3);
    put(4, fid);
    put(width, value);
    end();
}

static void session(void)
{
    begin(100, 0xFFFF);
    put(4, 8192);
    put_text("9P2000.L");
    end();
    begin(104, 1);
    put(4, 0);
    put(4, 0xFFFFFFFFu);
    put_text("user");
    put_text("/");
    put(4, 0);
    end();
    walk(0, 1, "store", "data");
    plain(24, 1, 8, 0x7FF);
    plain(12, 1, 4, 2);
    transfer(116, 1, 0, 100, 0);
    transfer(116, 1, 2900, 8000, 0);
    transfer(118, 1, 5, 20, 20);
    begin(108, 4);
    put(2, 10);
    end();
    walk(0, 2, "store", "deep");
    plain(12, 2, 4, 0200000);
    transfer(40, 2, 0, 4000, 0);
    walk(2, 3, "..", "info");
    plain(8, 3, 0, 0);
    plain(120, 1, 0, 0);
    plain(122, 3, 0, 0);
    plain(50, 2, 4, 0);
}

static FILE *open_file(const char *folder, const char *name)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "wb");
    if (!file) {
        perror(path);
        exit(1);
    }
    return file;
}

int main(int argc, char **argv)
{
    FILE *whole;

    if (argc != 3) {
        fprintf(stderr, "usage: bridge_corpus FOLDER NAME\n");
        return 2;
    }
    pieces = open_file(argv[1], "pieces");
    whole = open_file(argv[1], "whole");
    session();
    put_piece(whole, bytes, size);
    if (fclose(pieces) != 0 || fclose(whole) != 0) {
        perror(argv[1]);
        return 1;
    }
    return 0;
}
