// SPDX-License-Identifier: Apache-2.0
//
// disk-check: prints what the block and entropy services answer; run_drivers.py compares the lines.
// With the configuration "write" it also writes 3 sectors at 4096 and flushes.
#include <npl/npl.h>
#include <string.h>

#define WRITE_AT    4096u
#define WRITE_SIZE  1536u
#define RANDOM_SIZE 9000u

static struct npl_client disk;
static struct npl_client rng;
static uint8_t written[WRITE_SIZE];
static uint8_t bytes[RANDOM_SIZE];

static const char *outcome(const struct npl_client *client, int64_t result)
{
    if (result >= 0)
        return "done";
    return result == RUMPK_E_DEVICE ? npl_client_error(client) : npl_result_text(result);
}

static void check_info(void)
{
    int64_t fid = npl_client_open(&disk, "/info", RUMPK_NINEP_OREAD);
    int64_t size = npl_client_read(&disk, fid, 0, bytes, 500);

    for (int64_t at = 0; at < size; at++) {
        if (bytes[at] == '\n')
            bytes[at] = ';';
    }
    (void)npl_printf("info: %.*s\n", size < 0 ? 0 : (int)size, (const char *)bytes);
    (void)npl_client_close(&disk, fid);
}

static void check_write(int64_t fid)
{
    for (uint32_t at = 0; at < WRITE_SIZE; at++)
        written[at] = (uint8_t)(at * 13 + 5);
    int64_t result = npl_client_write(&disk, fid, WRITE_AT, written, WRITE_SIZE);
    (void)npl_printf("write: %s\n", outcome(&disk, result));
    if (result < 0)
        return;
    result = npl_client_read(&disk, fid, WRITE_AT + 100, bytes, WRITE_SIZE - 100);
    bool is_same =
        result == WRITE_SIZE - 100 && memcmp(bytes, written + 100, WRITE_SIZE - 100) == 0;
    (void)npl_printf("read back: %s\n", is_same ? "same" : "different");
    int64_t flush = npl_client_open(&disk, "/flush", RUMPK_NINEP_OWRITE);
    result = npl_client_write(&disk, flush, 0, "1", 1);
    (void)npl_printf("flush: %s\n", outcome(&disk, result));
    result = npl_client_write(&disk, fid, WRITE_AT + 1, written, 512);
    (void)npl_printf("unaligned write: %s\n", outcome(&disk, result));
}

static void check_disk(bool is_write)
{
    struct npl_stat stat = {0};
    int64_t fid = npl_client_open(&disk, "/data", RUMPK_NINEP_ORDWR);

    (void)npl_client_stat(&disk, fid, &stat);
    int64_t past = npl_client_read(&disk, fid, stat.length, bytes, 1);
    (void)npl_printf("size: %llu, read at the end: %lld\n", (unsigned long long)stat.length,
                     (long long)past);
    if (is_write)
        check_write(fid);
}

// A fair source sets 36,000 of 72,000 bits; 1,000 more or less is 7 standard deviations.
static void check_random(void)
{
    int64_t fid = npl_client_open(&rng, "/random", RUMPK_NINEP_OREAD);
    int64_t result = npl_client_read(&rng, fid, 0, bytes, RANDOM_SIZE);
    int set = 0;

    for (uint32_t at = 0; at < RANDOM_SIZE; at++)
        set += __builtin_popcount(bytes[at]);
    (void)npl_printf("random: %s, %s\n", outcome(&rng, result),
                     result == RANDOM_SIZE && set > 35000 && set < 37000 ? "fair" : "not fair");
}

int npl_main(void)
{
    size_t size;
    const char *config = npl_config(&size);
    int64_t result = npl_client_connect(&disk, "block");

    if (result < 0) {
        (void)npl_printf("no disk: %s\n", npl_result_text(result));
        return 1;
    }
    check_info();
    check_disk(size == 5 && memcmp(config, "write", 5) == 0);
    result = npl_client_connect(&rng, "rng");
    if (result < 0) {
        (void)npl_printf("no entropy: %s\n", npl_result_text(result));
        return 1;
    }
    check_random();
    return 0;
}
