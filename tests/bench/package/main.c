// SPDX-License-Identifier: Apache-2.0
//
// package-bench: each step of a package as one process, with nothing else in it, so that it can be
// timed beside tar, zstd and minisign.
//
//   package-bench pack FOLDER SECRET-KEY OUT.npl     read, hash, list, sign, archive, compress,
//   write package-bench verify IN.npl PUBLIC-KEY           everything that a package is checked for
//   package-bench extract IN.npl PUBLIC-KEY FOLDER   the same, written to files and synced
//   package-bench raw-pack FOLDER LEVEL              read; hash each byte once; compress in memory
//   package-bench raw-verify IN.npl                  read; decompress in memory; hash each byte
//   once
//
// What is in FOLDER are the files of a package of kind "kernel". The key has no password. The first
// three are the functions that nip calls; nip adds building, the bill of materials and reading its
// SDK. The next two are what must be done in any case, by the same hash and by zstd's own calls.

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "nip/fs.h"
#include "nip/package.h"

enum { FILE_SIZE_MAX = 512 << 20, KEY_SIZE_MAX = 4096, FILES_MAX = 64, HASH_RUNS = 5 };
#define NAME    "bench/data"
#define VERSION "1.0.0"

static struct nip_error err;

static void must(enum nip_code code, const char *what)
{
    if (code == NIP_OK)
        return;
    fprintf(stderr, "package-bench: %s: %s\n", what, err.message);
    exit(1);
}

static void read_files(const char *folder, struct nip_fs_names *names,
                       struct nip_buffer contents[FILES_MAX])
{
    must(nip_fs_list(folder, names, &err), folder);
    must(names->count <= FILES_MAX ? NIP_OK : NIP_ERROR_LIMIT, "too many files");
    for (size_t i = 0; i < names->count; i++) {
        char *path = nip_fs_join(folder, names->names[i]);
        must(nip_fs_read(path, FILE_SIZE_MAX, &contents[i], &err), path);
        free(path);
    }
}

static void pack(const char *folder, const char *key_file, const char *out)
{
    struct nip_buffer contents[FILES_MAX] = {{0}}, key_text = {0}, text = {0}, signed_text = {0};
    struct nip_package_input inputs[FILES_MAX];
    struct nip_secret_key key;
    struct nip_signature signature;
    struct nip_fs_names names;
    struct nip_buffer npl = {0};
    struct nip_digests digests = {.kind = NIP_KIND_KERNEL,
                                  .name = NAME,
                                  .version = VERSION,
                                  .security_version = 1,
                                  .archs = {true},
                                  .toolchain = "bench",
                                  .source = "none"};
    must(nip_fs_read(key_file, KEY_SIZE_MAX, &key_text, &err), key_file);
    must(nip_secret_key_parse(nip_buffer_text(&key_text), key_text.size, key_file, NULL, 0, 0, &key,
                              &err),
         key_file);
    read_files(folder, &names, contents);
    for (size_t i = 0; i < names.count; i++) {
        must(nip_digests_add(&digests, false, names.names[i], contents[i].data, contents[i].size,
                             &err),
             names.names[i]);
        inputs[i] = (struct nip_package_input){names.names[i], contents[i].data, contents[i].size};
    }
    must(nip_digests_print(&digests, &text, &err), "digests");
    must(nip_signature_make(&key, text.data, text.size, NAME, VERSION, &signature, &err), "sign");
    nip_signature_print(&signature, &signed_text);
    must(nip_package_write(nip_buffer_text(&signed_text), signed_text.size, nip_buffer_text(&text),
                           text.size, inputs, names.count, &npl, &err),
         "write");
    must(nip_fs_write(out, npl.data, npl.size, 0644, &err), out);
}

static enum nip_code key_for(void *context, const char *name, const struct nip_public_key **keys,
                             size_t *key_count, struct nip_error *error)
{
    (void)name;
    (void)error;
    *keys = context;
    *key_count = 1;
    return NIP_OK;
}

// `folder` is NULL: only verify.
static void read_package(const char *in, const char *key_file, const char *folder)
{
    struct nip_buffer key_text = {0};
    struct nip_public_key key;
    struct nip_package *package;
    must(nip_fs_read(key_file, KEY_SIZE_MAX, &key_text, &err), key_file);
    must(nip_public_key_parse(nip_buffer_text(&key_text), key_text.size, key_file, &key, &err),
         key_file);
    struct nip_package_source source = {.descriptor = open(in, O_RDONLY | O_CLOEXEC)};
    struct nip_package_trust trust = {key_for, &key};
    must(nip_package_open(&source, &trust, 0, &package, &err), in);
    must(folder != NULL ? nip_package_extract(package, folder, &err)
                        : nip_package_read(package, NULL, &err),
         in);
    nip_package_close(package);
    nip_buffer_free(&key_text);
}

static void must_zstd(size_t result, const char *what)
{
    if (!ZSTD_isError(result))
        return;
    fprintf(stderr, "package-bench: %s: %s\n", what, ZSTD_getErrorName(result));
    exit(1);
}

static void raw_pack(const char *folder, const char *level)
{
    struct nip_buffer contents[FILES_MAX] = {{0}};
    struct nip_fs_names names;
    uint8_t digest[NIP_DIGEST_SIZE];
    size_t total = 0, left;
    read_files(folder, &names, contents);
    for (size_t i = 0; i < names.count; i++) {
        nip_hash_bytes(contents[i].data, contents[i].size, digest);
        total += contents[i].size;
    }
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_outBuffer output = {malloc(ZSTD_compressBound(total)), ZSTD_compressBound(total), 0};
    must(context != NULL && output.dst != NULL ? NIP_OK : NIP_ERROR_MEMORY, "memory");
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, (int)strtol(level, NULL, 10));
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    ZSTD_CCtx_setParameter(context, ZSTD_c_nbWorkers, (int)sysconf(_SC_NPROCESSORS_ONLN));
    ZSTD_CCtx_setPledgedSrcSize(context, total);
    for (size_t i = 0; i < names.count; i++) {
        ZSTD_inBuffer input = {contents[i].data, contents[i].size, 0};
        do {
            left = ZSTD_compressStream2(context, &output, &input,
                                        i + 1 < names.count ? ZSTD_e_continue : ZSTD_e_end);
            must_zstd(left, "compress");
        } while (i + 1 < names.count ? input.pos < input.size : left != 0);
    }
}

static void raw_verify(const char *in)
{
    struct nip_buffer npl = {0};
    uint8_t digest[NIP_DIGEST_SIZE];
    must(nip_fs_read(in, FILE_SIZE_MAX, &npl, &err), in);
    unsigned long long size = ZSTD_getFrameContentSize(npl.data, npl.size);
    must(size <= FILE_SIZE_MAX ? NIP_OK : NIP_ERROR_FORMAT, "the frame");
    uint8_t *content = malloc((size_t)size + 1);
    must(content != NULL ? NIP_OK : NIP_ERROR_MEMORY, "memory");
    must_zstd(ZSTD_decompress(content, (size_t)size, npl.data, npl.size), "decompress");
    nip_hash_bytes(content, (size_t)size, digest);
}

static double processor_ms(void)
{
    struct timespec now;
    must(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0 ? NIP_OK : NIP_ERROR_IO, "clock");
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void hash(const char *file)
{
    struct nip_buffer content = {0};
    uint8_t own[NIP_DIGEST_SIZE], theirs[NIP_DIGEST_SIZE];
    double own_ms = 0, their_ms = 0;
    must(nip_fs_read(file, FILE_SIZE_MAX, &content, &err), file);
    must(sodium_init() >= 0 ? NIP_OK : NIP_ERROR_IO, "libsodium");
    for (int i = 0; i < HASH_RUNS; i++) {
        double start = processor_ms();
        nip_hash_bytes(content.data, content.size, own);
        double middle = processor_ms();
        crypto_generichash(theirs, sizeof theirs, content.data, content.size, NULL, 0);
        double end = processor_ms();
        must(memcmp(own, theirs, sizeof own) == 0 ? NIP_OK : NIP_ERROR_DIGEST, "the digests");
        own_ms = i == 0 || middle - start < own_ms ? middle - start : own_ms;
        their_ms = i == 0 || end - middle < their_ms ? end - middle : their_ms;
    }
    printf("%.3f %.3f\n", own_ms, their_ms);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "pack") == 0)
        pack(argv[2], argv[3], argv[4]);
    else if (argc == 4 && strcmp(argv[1], "verify") == 0)
        read_package(argv[2], argv[3], NULL);
    else if (argc == 5 && strcmp(argv[1], "extract") == 0)
        read_package(argv[2], argv[3], argv[4]);
    else if (argc == 4 && strcmp(argv[1], "raw-pack") == 0)
        raw_pack(argv[2], argv[3]);
    else if (argc == 3 && strcmp(argv[1], "raw-verify") == 0)
        raw_verify(argv[2]);
    else if (argc == 3 && strcmp(argv[1], "hash") == 0)
        hash(argv[2]);
    else {
        fputs("usage: package-bench pack FOLDER KEY OUT | verify IN KEY | extract IN KEY FOLDER | "
              "raw-pack FOLDER LEVEL | raw-verify IN | hash FILE\n",
              stderr);
        return 2;
    }
    return 0;
}
