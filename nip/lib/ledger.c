// SPDX-License-Identifier: Apache-2.0
//
// Reading the kernel's ledger and boot record out of raw bytes. What is read was written by a
// kernel, but perhaps one that was interrupted, or that never ran: nothing is believed before it is
// checked.

#include "nip/ledger.h"

#include <inttypes.h>
#include <string.h>

#include "nip/crypto.h"

static enum nip_code check_record(const struct rumpk_ledger_record *record, uint32_t index,
                                  const uint8_t previous[RUMPK_DIGEST_SIZE], struct nip_error *err)
{
    uint8_t digest[NIP_DIGEST_SIZE];
    struct nip_hash hash;
    nip_hash_begin(&hash);
    nip_hash_update(&hash, record->previous, RUMPK_DIGEST_SIZE);
    nip_hash_update(&hash, record, RUMPK_LEDGER_HASHED);
    nip_hash_end(&hash, digest);
    if (record->sequence != index || memcmp(record->previous, previous, RUMPK_DIGEST_SIZE) != 0 ||
        memcmp(record->hash, digest, RUMPK_DIGEST_SIZE) != 0)
        return nip_error_set(err, NIP_ERROR_MISMATCH,
                             "the kernel's ledger is broken at record %" PRIu32 ": its hash chain "
                             "does not hold", index);
    bool is_known = strcmp(nip_ledger_kind_name(record->kind), "?") != 0;
    if (record->kind == RUMPK_LEDGER_REFUSE)
        is_known = strcmp(nip_refusal_name(record->code), "?") != 0;
    if (record->kind == RUMPK_LEDGER_FAULT)
        is_known = strcmp(nip_fault_name(record->code), "?") != 0;
    if (!is_known || memchr(record->name, '\0', sizeof record->name) == NULL)
        return nip_error_set(err, NIP_ERROR_UNSUPPORTED,
                             "record %" PRIu32 " of the kernel's ledger (kind %u, code %u) is "
                             "unknown to this nip", index, record->kind, record->code);
    return NIP_OK;
}

enum nip_code nip_ledger_decode(const void *data, size_t size, struct nip_ledger *ledger,
                                struct nip_error *err)
{
    const uint8_t *bytes = data;
    struct {
        uint64_t magic;
        uint32_t capacity, count, dropped;
    } head;
    memset(ledger, 0, sizeof *ledger);
    if (size != sizeof(struct rumpk_ledger))
        return nip_error_set(err, NIP_ERROR_FORMAT, "a ledger has %zu bytes, not %zu",
                             sizeof(struct rumpk_ledger), size);
    memcpy(&head.magic, bytes + offsetof(struct rumpk_ledger, magic), sizeof head.magic);
    memcpy(&head.capacity, bytes + offsetof(struct rumpk_ledger, capacity), sizeof head.capacity);
    memcpy(&head.count, bytes + offsetof(struct rumpk_ledger, count), sizeof head.count);
    memcpy(&head.dropped, bytes + offsetof(struct rumpk_ledger, dropped), sizeof head.dropped);
    if (head.magic == 0)
        return nip_error_set(err, NIP_ERROR_MISSING, "the kernel never began its ledger");
    if (head.magic != RUMPK_LEDGER_MAGIC || head.capacity != RUMPK_LEDGER_CAPACITY ||
        head.count > RUMPK_LEDGER_CAPACITY)
        return nip_error_set(err, NIP_ERROR_FORMAT, "these bytes are no ledger of this release");
    memcpy(ledger->records, bytes + offsetof(struct rumpk_ledger, records),
           head.count * sizeof ledger->records[0]);
    uint8_t previous[RUMPK_DIGEST_SIZE] = {0};
    for (uint32_t i = 0; i < head.count; i++) {
        enum nip_code code = check_record(&ledger->records[i], i, previous, err);
        if (code != NIP_OK)
            return code;
        memcpy(previous, ledger->records[i].hash, sizeof previous);
    }
    ledger->count = head.count;
    ledger->dropped = head.dropped;
    return NIP_OK;
}

enum nip_code nip_boot_record_decode(const void *data, size_t size,
                                     struct rumpk_boot_record *record, struct nip_error *err)
{
    memset(record, 0, sizeof *record);
    if (size != sizeof *record)
        return nip_error_set(err, NIP_ERROR_FORMAT, "a boot record has %zu bytes, not %zu",
                             sizeof *record, size);
    memcpy(record, data, sizeof *record);
    if (record->magic == 0)
        return nip_error_set(err, NIP_ERROR_MISSING, "the kernel never wrote its boot record");
    if (record->magic != RUMPK_BOOT_MAGIC)
        return nip_error_set(err, NIP_ERROR_FORMAT,
                             "these bytes are no boot record of this release");
    return NIP_OK;
}

void nip_ledger_outcome(const struct nip_ledger *ledger, uint32_t package,
                        struct nip_package_outcome *outcome)
{
    memset(outcome, 0, sizeof *outcome);
    for (uint32_t i = 0; i < ledger->count; i++) {
        const struct rumpk_ledger_record *record = &ledger->records[i];
        if (record->package != package)
            continue;
        switch (record->kind) {
        case RUMPK_LEDGER_START:
            outcome->outcome = NIP_OUTCOME_STARTED;
            outcome->was_started = true;
            break;
        case RUMPK_LEDGER_REFUSE:
            outcome->outcome = NIP_OUTCOME_REFUSED;
            outcome->code = record->code;
            outcome->detail = record->detail;
            break;
        case RUMPK_LEDGER_FAULT:
            outcome->outcome = NIP_OUTCOME_FAULTED;
            outcome->code = record->code;
            outcome->pc = record->pc;
            outcome->address = record->address;
            outcome->detail = record->detail;
            outcome->pc_is_inside = record->image_base != 0 && record->pc >= record->image_base &&
                                    record->pc - record->image_base < UINT32_MAX;
            outcome->pc_offset = outcome->pc_is_inside ? record->pc - record->image_base : 0;
            break;
        case RUMPK_LEDGER_WAIT:
            outcome->outcome = NIP_OUTCOME_WAITING;
            outcome->wire = record->detail < RUMPK_WIRES_MAX ? (uint32_t)record->detail : 0;
            break;
        case RUMPK_LEDGER_EXIT:
            outcome->outcome = NIP_OUTCOME_EXITED;
            outcome->exit_code = (int64_t)record->detail;
            break;
        default:
            break;
        }
    }
}
