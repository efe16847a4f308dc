// SPDX-License-Identifier: Apache-2.0
//
// disk-sum: the BLAKE2b-256 of a disk, through the block service.
//
// As many reads as there are buffers are under way. Answers may come in any order; each is held in
// its buffer until its turn, because a digest needs the bytes in theirs.
//
//   chunk n is read into held[n % window]; asked: next chunk to ask for; turn: next to hash
#include <npl/npl.h>
#include <sodium.h>
#include <string.h>

#define WINDOW_MAX  64u
#define DIGEST_SIZE 32u
#define SECTOR      512u

struct sum {
    struct npl_client disk;
    int64_t fid;
    uint64_t size;   // bytes of the disk
    uint32_t chunk;  // bytes of one read
    uint32_t window; // reads under way at most
    uint64_t asked;  // bytes asked for so far
    uint64_t hashed;
    struct npl_answer held[WINDOW_MAX];
    bool is_held[WINDOW_MAX];
    crypto_generichash_state state;
};

static int fail(const struct sum *sum, const char *doing, int64_t result)
{
    const char *why = npl_client_error(&sum->disk);

    if (result != RUMPK_E_DEVICE || !why[0])
        why = npl_result_text(result);
    (void)npl_printf("disk-sum: %s: %s\n", doing, why);
    return 1;
}

// Asks for chunks until the window is full or the disk ends.
static int64_t ask(struct sum *sum)
{
    while (sum->asked < sum->size &&
           sum->asked / sum->chunk < sum->hashed / sum->chunk + sum->window) {
        uint64_t rest = sum->size - sum->asked;
        uint32_t count = rest < sum->chunk ? (uint32_t)rest : sum->chunk;
        int64_t result = npl_client_read_start(&sum->disk, sum->fid, sum->asked, count, sum->asked);

        if (result < 0)
            return result;
        sum->asked += count;
    }
    return RUMPK_OK;
}

// Hashes what is held and next in turn.
static void hash_held(struct sum *sum)
{
    for (;;) {
        uint64_t place = sum->hashed / sum->chunk % sum->window;
        struct npl_answer *answer = &sum->held[place];

        if (!sum->is_held[place])
            return;
        crypto_generichash_update(&sum->state, answer->data, (uint64_t)answer->result);
        sum->hashed += (uint64_t)answer->result;
        sum->is_held[place] = false;
        npl_client_done(&sum->disk, answer);
    }
}

// Takes one answer. A read that is shorter than asked is an error: the size was stated.
static int64_t take(struct sum *sum)
{
    struct npl_answer answer;
    int64_t result = npl_client_next(&sum->disk, &answer, RUMPK_FOREVER);

    if (result < 0)
        return result;
    if (answer.result < 0)
        return answer.result;
    uint64_t rest = sum->size - answer.cookie;
    if ((uint64_t)answer.result != (rest < sum->chunk ? rest : sum->chunk))
        return RUMPK_E_BOUNDS;
    uint64_t place = answer.cookie / sum->chunk % sum->window;
    sum->held[place] = answer;
    sum->is_held[place] = true;
    return RUMPK_OK;
}

static void print(const struct sum *sum, const uint8_t digest[DIGEST_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    char hex[2 * DIGEST_SIZE + 1] = {0};

    for (size_t at = 0; at < DIGEST_SIZE; at++) {
        hex[2 * at] = digits[digest[at] >> 4];
        hex[2 * at + 1] = digits[digest[at] & 15];
    }
    (void)npl_printf("disk-sum: %llu bytes blake2b-256 %s\n", (unsigned long long)sum->size, hex);
}

static int64_t open_disk(struct sum *sum)
{
    struct npl_stat stat;
    int64_t result = npl_client_connect(&sum->disk, "block");

    if (result < 0)
        return result;
    sum->fid = npl_client_open(&sum->disk, "/data", RUMPK_NINEP_OREAD);
    if (sum->fid < 0)
        return sum->fid;
    result = npl_client_stat(&sum->disk, sum->fid, &stat);
    if (result < 0)
        return result;
    sum->size = stat.length;
    // Whole sectors where the message size allows: they can move without a copy.
    sum->chunk = sum->disk.io_max >= SECTOR ? sum->disk.io_max / SECTOR * SECTOR : sum->disk.io_max;
    sum->window = sum->disk.buffer_count < WINDOW_MAX ? sum->disk.buffer_count : WINDOW_MAX;
    return RUMPK_OK;
}

int npl_main(void)
{
    struct sum sum = {0};
    uint8_t digest[DIGEST_SIZE];
    int64_t result = open_disk(&sum);

    if (result < 0)
        return fail(&sum, "cannot open the disk", result);
    crypto_generichash_init(&sum.state, NULL, 0, DIGEST_SIZE);
    while (sum.hashed < sum.size) {
        result = ask(&sum);
        if (result < 0)
            return fail(&sum, "cannot ask for a part of the disk", result);
        result = take(&sum);
        if (result < 0)
            return fail(&sum, "cannot read the disk", result);
        hash_held(&sum);
    }
    crypto_generichash_final(&sum.state, digest, sizeof(digest));
    print(&sum, digest);
    return 0;
}
