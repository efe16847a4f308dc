// SPDX-License-Identifier: Apache-2.0
//
// ledger.c: the hash chain. Hashing needs the whole previous hash and the record in one piece, so
// both are laid out behind each other on the stack.
#include <kernel/crypto.h>
#include <kernel/ledger.h>
#include <kernel/record.h>

[[gnu::used]] struct rumpk_ledger rumpk_ledger;

void ledger_init(void)
{
    rumpk_ledger.magic = RUMPK_LEDGER_MAGIC;
    rumpk_ledger.capacity = RUMPK_LEDGER_CAPACITY;
}

struct rumpk_ledger_record ledger_record(enum rumpk_ledger_kind kind, uint32_t code)
{
    return (struct rumpk_ledger_record){
        .kind = (uint16_t)kind,
        .code = (uint16_t)code,
        .package = RUMPK_LEDGER_NO_PACKAGE,
        .fiber = LEDGER_NO_FIBER,
    };
}

void ledger_append(struct rumpk_ledger_record *record)
{
    uint8_t hashed[RUMPK_DIGEST_SIZE + RUMPK_LEDGER_HASHED];
    uint32_t count = rumpk_ledger.count;

    if (count == RUMPK_LEDGER_CAPACITY) {
        rumpk_ledger.dropped++;
        return;
    }
    record->sequence = count;
    record->ticks = record_ticks();
    if (count != 0)
        memcpy(record->previous, rumpk_ledger.records[count - 1].hash, RUMPK_DIGEST_SIZE);
    memcpy(hashed, record->previous, RUMPK_DIGEST_SIZE);
    memcpy(hashed + RUMPK_DIGEST_SIZE, record, RUMPK_LEDGER_HASHED);
    crypto_digest(hashed, sizeof(hashed), record->hash);
    rumpk_ledger.records[count] = *record;
    rumpk_ledger.count = count + 1; // last: a reader never sees half a record counted
}
