// SPDX-License-Identifier: Apache-2.0
//
// The kernel's ledger and boot record, as bytes taken out of a guest's memory, and what they mean
// in words. The layout is rumpk/ledger.h; all sentences come from its lists.

#ifndef NIP_LEDGER_H
#define NIP_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rumpk/ledger.h>

#include "nip/bkdl.h"
#include "nip/buffer.h"
#include "nip/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NIP_LEDGER_SYMBOL "rumpk_ledger"
#define NIP_BOOT_RECORD_SYMBOL "rumpk_boot_record"

struct nip_ledger {
    uint32_t count;   // records[0 .. count)
    uint32_t dropped; // later ones that the kernel had no room for
    struct rumpk_ledger_record records[RUMPK_LEDGER_CAPACITY];
};

// Reads the ledger from exactly sizeof(struct rumpk_ledger) bytes and checks sequence, known kinds
// and codes, and the hash chain. FORMAT when it is no ledger, MISMATCH when the chain is broken
// (the message names the record). A ledger with magic 0 was never begun: MISSING.
enum nip_code nip_ledger_decode(const void *data, size_t size, struct nip_ledger *ledger,
                                struct nip_error *err) NIP_MUST_CHECK;

// Reads the boot record. MISSING when the kernel never wrote it.
enum nip_code nip_boot_record_decode(const void *data, size_t size,
                                     struct rumpk_boot_record *record, struct nip_error *err)
    NIP_MUST_CHECK;

const char *nip_refusal_name(uint32_t refusal);     // "ELF_WX"; "?" for an unknown number
const char *nip_refusal_sentence(uint32_t refusal);
const char *nip_fault_name(uint32_t fault);
const char *nip_fault_sentence(uint32_t fault);
const char *nip_ledger_kind_name(uint32_t kind);
const char *nip_boot_stage_name(uint32_t stage);
const char *nip_boot_stage_sentence(uint32_t stage);
const char *nip_boot_cause_sentence(uint32_t cause);

// One record as one line without newline: "0003 START rumpk/uart-16550 fiber 1 at 0x81200000".
void nip_ledger_record_print(const struct rumpk_ledger_record *record, struct nip_buffer *out);

// What became of one package.
enum nip_outcome {
    NIP_OUTCOME_NOT_REACHED, // the kernel did not come to it
    NIP_OUTCOME_STARTED,     // and was still there at the end
    NIP_OUTCOME_EXITED,
    NIP_OUTCOME_REFUSED,
    NIP_OUTCOME_FAULTED,
    NIP_OUTCOME_WAITING, // never started: a service that it needs has not announced itself
};

struct nip_package_outcome {
    enum nip_outcome outcome;
    bool was_started;
    uint32_t code;      // enum rumpk_refusal or enum rumpk_fault
    int64_t exit_code;  // EXITED
    uint64_t pc_offset; // FAULTED: offset in the driver file, when pc_is_inside
    bool pc_is_inside;
    uint64_t pc, address, detail;
    uint32_t wire; // WAITING: what it waits for
};

// Collects the outcome of package number `package` of the boot manifest.
void nip_ledger_outcome(const struct nip_ledger *ledger, uint32_t package,
                        struct nip_package_outcome *outcome);

// "waits for service "block" of rumpk/virtio-blk, which never announced itself".
void nip_wait_words(const struct nip_boot *boot, uint32_t wire, struct nip_buffer *out);

// One line per package of the image, then one for the boot manifest if that was refused: started,
// ended with code, refused and why, faulted and where. `boot` names the packages.
void nip_ledger_summary_print(const struct nip_ledger *ledger, const struct nip_boot *boot,
                              struct nip_buffer *out);

// When each boot stage was complete and when each package was started and announced itself, in
// microseconds since kernel entry: one line each, in the order of time.
void nip_timeline_print(const struct rumpk_boot_record *record, const struct nip_ledger *ledger,
                        struct nip_buffer *out);

// How the boot went, in words. Nothing is appended after a normal end. Otherwise what failed,
// where, and what to do next. `boot` may be NULL.
void nip_boot_record_print(const struct rumpk_boot_record *record, const struct nip_boot *boot,
                           struct nip_buffer *out);

#ifdef __cplusplus
}
#endif

#endif
