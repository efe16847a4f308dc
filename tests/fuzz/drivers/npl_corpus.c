// SPDX-License-Identifier: Apache-2.0
//
// npl_corpus FOLDER NAME: sessions for npl_service (what the client sends) and npl_client (what the
// server answers), in the forms of npl_service.c and npl_client.c.
#include <rumpk/ninep.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t bytes[2048];
static size_t size;

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

static void write_seed(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
    size = 0;
}

// ---- what a client sends: action 0, type, length of the body, body ----

static size_t body_at;

static void message(uint8_t type)
{
    put(1, 0);
    put(1, type);
    put(1, 0);
    body_at = size;
}

static void end(void)
{
    bytes[body_at - 1] = (uint8_t)(size - body_at);
}

static void begin(void)
{
    message(RUMPK_TVERSION);
    put(4, 256);
    put_text(RUMPK_NINEP_VERSION);
    end();
    message(RUMPK_TATTACH);
    put(4, 0);
    put(4, RUMPK_NINEP_NOFID);
    put_text("");
    put_text("");
    end();
}

static void open_file(uint32_t fid, const char *name, uint8_t mode)
{
    message(RUMPK_TWALK);
    put(4, 0);
    put(4, fid);
    put(2, name != NULL);
    if (name != NULL)
        put_text(name);
    end();
    message(RUMPK_TOPEN);
    put(4, fid);
    put(1, mode);
    end();
}

static void read_file(uint32_t fid, uint32_t count)
{
    message(RUMPK_TREAD);
    put(4, fid);
    put(8, 0);
    put(4, count);
    end();
}

static void fid_only(uint8_t type, uint32_t fid)
{
    message(type);
    put(4, fid);
    end();
}

static void service_seeds(const char *folder)
{
    begin();
    open_file(1, "memo", RUMPK_NINEP_ORDWR);
    read_file(1, 32);
    message(RUMPK_TWRITE);
    put(4, 1);
    put(8, 0);
    put(4, 3);
    put(3, 0x636261);
    end();
    fid_only(RUMPK_TSTAT, 1);
    fid_only(RUMPK_TCLUNK, 1);
    write_seed(folder, "file");
    begin();
    open_file(1, NULL, RUMPK_NINEP_OREAD); // the root
    read_file(1, 200);
    fid_only(RUMPK_TSTAT, 1);
    fid_only(RUMPK_TCLUNK, 1);
    write_seed(folder, "directory");
    begin();
    open_file(1, "hold", RUMPK_NINEP_OREAD);
    open_file(2, "memo", RUMPK_NINEP_OREAD);
    read_file(1, 10);
    message(RUMPK_TFLUSH);
    put(2, 0);
    end();
    read_file(2, 10);
    write_seed(folder, "held");
    begin();
    open_file(1, "deaf", RUMPK_NINEP_OREAD);
    read_file(1, 10);
    open_file(3, "none", RUMPK_NINEP_OREAD);
    message(RUMPK_TFLUSH + 100);
    end();
    put(1, 6); // a forged index
    put(1, 0);
    put(4, 0x80000000);
    write_seed(folder, "refused");
}

// ---- what a server answers: 0 for a correct answer; 1, length, body for another body ----

static void client_seeds(const char *folder)
{
    static const unsigned lists[] = {4, 5, 6};
    put(8, 0);
    for (unsigned i = 0; i < 6; i++)
        put(8, 0);
    write_seed(folder, "correct");
    // One entry of a directory, at each place where its read may come.
    for (unsigned i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        char name[16];
        for (unsigned before = 1; before < lists[i]; before++)
            put(1, 0);
        put(1, 1);
        put(1, 4 + 2 + 39 + 6 + 6);
        put(4, 2 + 39 + 6 + 6);
        put(2, 39 + 6 + 6);
        put(2, 0);
        put(4, 0);
        put(1, 0); // qid
        put(4, 0);
        put(8, 7);
        put(4, 0644);
        put(8, 0); // times
        put(8, 5); // length
        put_text("memo");
        put_text("");
        put_text("");
        put_text("");
        for (unsigned after = 0; after < 6; after++)
            put(8, 0);
        snprintf(name, sizeof name, "list-%u", lists[i]);
        write_seed(folder, name);
    }
    put(2, 0);
    put(1, 3); // Rerror
    put(1, 6);
    put_text("gone");
    put(8, 0);
    write_seed(folder, "error");
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    if (strcmp(argv[2], "npl_client") == 0)
        client_seeds(argv[1]);
    else
        service_seeds(argv[1]);
    return 0;
}
