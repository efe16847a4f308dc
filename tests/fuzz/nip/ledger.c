// SPDX-License-Identifier: Apache-2.0
//
// What is taken out of a guest's memory: boot record and ledger. The input is a boot record, then
// for each record of the ledger its first 64 bytes and 16 of its name; the chain is made right, as
// a kernel that writes nonsense would make it, unless the last byte of the input is odd. Whatever
// is accepted can be told in words, and those never hold a control character.

#include <string.h>

#include <rumpk/ledger.h>

#include "fuzz.h"
#include "must.h"
#include "nip/crypto.h"
#include "nip/ledger.h"

enum { FIXED_SIZE = 64, NAME_SIZE = 16, PIECE_SIZE = FIXED_SIZE + NAME_SIZE };

static void record_seal(struct rumpk_ledger *raw, uint32_t index)
{
    struct rumpk_ledger_record *record = &raw->records[index];
    struct nip_hash hash;
    record->sequence = index;
    if (index != 0)
        memcpy(record->previous, raw->records[index - 1].hash, RUMPK_DIGEST_SIZE);
    nip_hash_begin(&hash);
    nip_hash_update(&hash, record->previous, RUMPK_DIGEST_SIZE);
    nip_hash_update(&hash, record, RUMPK_LEDGER_HASHED);
    nip_hash_end(&hash, record->hash);
}

static void check_words(struct nip_buffer *words)
{
    for (size_t i = 0; i < words->size; i++)
        MUST(words->data[i] == '\n' || (words->data[i] >= 0x20 && words->data[i] != 0x7f));
    nip_buffer_clear(words);
}

static void tell(const struct nip_ledger *ledger, const struct rumpk_boot_record *record,
                 const struct nip_boot *boot)
{
    struct nip_package_outcome outcome;
    struct nip_buffer words = {.size = 0};
    MUST(ledger->count <= RUMPK_LEDGER_CAPACITY);
    for (uint32_t i = 0; i < ledger->count; i++)
        nip_ledger_record_print(&ledger->records[i], &words);
    check_words(&words);
    for (uint32_t i = 0; i < boot->image.package_count; i++)
        nip_ledger_outcome(ledger, i, &outcome);
    nip_ledger_summary_print(ledger, boot, &words);
    check_words(&words);
    nip_timeline_print(record, ledger, &words);
    check_words(&words);
    nip_buffer_free(&words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rumpk_ledger raw;
    static struct nip_ledger ledger;
    static struct nip_boot *boot;
    struct rumpk_boot_record record;
    struct nip_error err = {.code = NIP_OK};
    struct nip_buffer words = {.size = 0};
    if (boot == NULL)
        boot = nip_boot_new();
    MUST(boot != NULL);
    boot->image.package_count = 3;
    for (uint32_t i = 0; i < 3; i++)
        memcpy(boot->packages[i].package.name, "local/a", 8);
    size_t head = size < sizeof record ? size : sizeof record;
    if (nip_boot_record_decode(data, head, &record, &err) != NIP_OK) {
        MUST(err.message[0] != '\0');
        return 0;
    }
    nip_boot_record_print(&record, boot, &words);
    nip_boot_record_print(&record, NULL, &words);
    check_words(&words);
    nip_buffer_free(&words);
    memset(&raw, 0, sizeof raw);
    raw.magic = RUMPK_LEDGER_MAGIC;
    raw.capacity = RUMPK_LEDGER_CAPACITY;
    for (size_t at = head; size - at > PIECE_SIZE && raw.count < RUMPK_LEDGER_CAPACITY;
         at += PIECE_SIZE) {
        memcpy(&raw.records[raw.count], data + at, FIXED_SIZE);
        memcpy(raw.records[raw.count].name, data + at + FIXED_SIZE, NAME_SIZE);
        record_seal(&raw, raw.count++);
    }
    if ((data[size - 1] & 1) != 0 && raw.count != 0)
        raw.records[data[size - 1] % raw.count].hash[0] ^= 1;
    if (nip_ledger_decode(&raw, sizeof raw, &ledger, &err) != NIP_OK) {
        MUST(err.message[0] != '\0' &&
             (err.code == NIP_ERROR_MISMATCH || err.code == NIP_ERROR_UNSUPPORTED));
        return 0;
    }
    MUST(raw.count == 0 || (data[size - 1] & 1) == 0);
    FUZZ_ACCEPTED();
    tell(&ledger, &record, boot);
    return 0;
}
