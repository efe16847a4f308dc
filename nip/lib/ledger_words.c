// SPDX-License-Identifier: Apache-2.0
//
// What ledger and boot record mean, in words. Names and sentences come from the lists of the ABI
// headers.

#include "nip/ledger.h"

#include <inttypes.h>
#include <string.h>

#include <rumpk/result.h>

#include "nip/escape.h"
#include "nip/manifest.h"

struct word {
    uint32_t value;
    const char *name, *sentence;
};
#define WORD(name, value, sentence) {value, #name, sentence},

static const struct word refusals[] = {RUMPK_REFUSALS(WORD)};
static const struct word faults[] = {RUMPK_FAULTS(WORD)};
static const struct word kinds[] = {RUMPK_LEDGER_KINDS(WORD)};
static const struct word stages[] = {RUMPK_BOOT_STAGES(WORD)};
static const struct word causes[] = {RUMPK_BOOT_CAUSES(WORD)};

static const struct word *find(const struct word *words, size_t count, uint32_t value)
{
    static const struct word unknown = {0, "?", "unknown to this nip"};
    for (size_t i = 0; i < count; i++)
        if (words[i].value == value)
            return &words[i];
    return &unknown;
}
#define FIND(words, value) find(words, sizeof(words) / sizeof((words)[0]), value)

const char *nip_refusal_name(uint32_t refusal)
{
    return FIND(refusals, refusal)->name;
}

const char *nip_refusal_sentence(uint32_t refusal)
{
    return FIND(refusals, refusal)->sentence;
}

const char *nip_fault_name(uint32_t fault)
{
    return FIND(faults, fault)->name;
}

const char *nip_fault_sentence(uint32_t fault)
{
    return FIND(faults, fault)->sentence;
}

const char *nip_ledger_kind_name(uint32_t kind)
{
    return FIND(kinds, kind)->name;
}

const char *nip_boot_stage_name(uint32_t stage)
{
    return FIND(stages, stage)->name;
}

const char *nip_boot_stage_sentence(uint32_t stage)
{
    return FIND(stages, stage)->sentence;
}

const char *nip_boot_cause_sentence(uint32_t cause)
{
    return FIND(causes, cause)->sentence;
}

// The name as a broken kernel may have left it: with any bytes up to the first NUL.
static void append_name(const struct rumpk_ledger_record *record, struct nip_buffer *out)
{
    nip_escape_append(out, record->name, strnlen(record->name, sizeof record->name));
}

void nip_ledger_record_print(const struct rumpk_ledger_record *record, struct nip_buffer *out)
{
    nip_buffer_append_format(out, "%04" PRIu32 " %s", record->sequence,
                             nip_ledger_kind_name(record->kind));
    if (record->name[0]) {
        nip_buffer_append_byte(out, ' ');
        append_name(record, out);
    }
    switch (record->kind) {
    case RUMPK_LEDGER_START:
        nip_buffer_append_format(out, " as fiber %" PRIu32 " at %#" PRIx64, record->fiber,
                                 record->image_base);
        break;
    case RUMPK_LEDGER_REFUSE:
        nip_buffer_append_format(out, " %s (%#" PRIx64 "): %s", nip_refusal_name(record->code),
                                 record->detail, nip_refusal_sentence(record->code));
        break;
    case RUMPK_LEDGER_FAULT:
        nip_buffer_append_format(out,
                                 " %s pc %#" PRIx64 " address %#" PRIx64 " cause %#" PRIx64 ": %s",
                                 nip_fault_name(record->code), record->pc, record->address,
                                 record->detail, nip_fault_sentence(record->code));
        break;
    case RUMPK_LEDGER_STRIKE:
        nip_buffer_append_format(out, " number %" PRIu16 " pc %#" PRIx64, record->code, record->pc);
        break;
    case RUMPK_LEDGER_READY:
        nip_buffer_append_format(out, " by wire %" PRIu64, record->detail);
        break;
    case RUMPK_LEDGER_WAIT:
        nip_buffer_append_format(out, " for wire %" PRIu64, record->detail);
        break;
    case RUMPK_LEDGER_EXIT:
        nip_buffer_append_format(out, " with code %" PRId64, (int64_t)record->detail);
        break;
    default:
        break;
    }
}

void nip_wait_words(const struct nip_boot *boot, uint32_t wire, struct nip_buffer *out)
{
    if (wire < boot->image.wire_count && boot->wires[wire].server < boot->image.package_count)
        nip_buffer_append_format(out,
                                 "waits for service \"%.*s\" of %s, which never announced itself",
                                 (int)sizeof boot->wires[wire].service, boot->wires[wire].service,
                                 boot->packages[boot->wires[wire].server].package.name);
    else
        nip_buffer_append_text(out, "waits for a service that never announced itself");
}

static void print_outcome(const char *name, const struct nip_package_outcome *outcome,
                          const struct nip_boot *boot, struct nip_buffer *out)
{
    nip_buffer_append_format(out, "%-24s ", name);
    switch (outcome->outcome) {
    case NIP_OUTCOME_NOT_REACHED:
        nip_buffer_append_text(out, "not started: the kernel did not come to it\n");
        break;
    case NIP_OUTCOME_STARTED:
        nip_buffer_append_text(out, "started\n");
        break;
    case NIP_OUTCOME_EXITED:
        nip_buffer_append_format(out, "started, ended with code %" PRId64 "\n", outcome->exit_code);
        break;
    case NIP_OUTCOME_REFUSED:
        nip_buffer_append_format(out, "refused: %s (%s)\n", nip_refusal_sentence(outcome->code),
                                 nip_refusal_name(outcome->code));
        break;
    case NIP_OUTCOME_FAULTED:
        nip_buffer_append_format(out, "faulted: %s (%s) at ", nip_fault_sentence(outcome->code),
                                 nip_fault_name(outcome->code));
        if (outcome->pc_is_inside)
            nip_buffer_append_format(out, "driver.elf+%#" PRIx64, outcome->pc_offset);
        else
            nip_buffer_append_format(out, "%#" PRIx64 ", outside its code", outcome->pc);
        nip_buffer_append_format(out, ", address %#" PRIx64 "\n", outcome->address);
        break;
    case NIP_OUTCOME_WAITING:
        nip_buffer_append_text(out, "not started: ");
        nip_wait_words(boot, outcome->wire, out);
        nip_buffer_append_byte(out, '\n');
        break;
    }
}

void nip_ledger_summary_print(const struct nip_ledger *ledger, const struct nip_boot *boot,
                              struct nip_buffer *out)
{
    for (uint32_t i = 0; i < boot->image.package_count; i++) {
        struct nip_package_outcome outcome;
        nip_ledger_outcome(ledger, i, &outcome);
        print_outcome(boot->packages[i].package.name, &outcome, boot, out);
    }
    for (uint32_t i = 0; i < ledger->count; i++) {
        const struct rumpk_ledger_record *record = &ledger->records[i];
        if (record->kind == RUMPK_LEDGER_REFUSE && record->package == RUMPK_LEDGER_NO_PACKAGE)
            nip_buffer_append_format(out, "%-24s refused: %s (%s). No driver starts without it.\n",
                                     "the boot manifest", nip_refusal_sentence(record->code),
                                     nip_refusal_name(record->code));
    }
    if (ledger->dropped)
        nip_buffer_append_format(out, "%" PRIu32 " later records did not fit into the ledger\n",
                                 ledger->dropped);
}

static uint64_t microseconds(uint64_t ticks, uint64_t hz)
{
    return hz == 0 ? 0 : ticks / hz * 1000000 + ticks % hz * 1000000 / hz;
}

// The stages up to a time, in their order.
static void print_stages(const struct rumpk_boot_record *record, uint64_t to, uint32_t *next,
                         struct nip_buffer *out)
{
    for (; *next <= record->stage && *next < sizeof record->ticks / sizeof record->ticks[0];
         ++*next) {
        uint64_t ticks = record->ticks[*next];
        if (ticks > to)
            return;
        if (ticks == 0 && *next != RUMPK_BOOT_ENTRY)
            continue; // left out: nobody had to be waited for
        nip_buffer_append_format(out, "%10" PRIu64 " us  %s\n",
                                 microseconds(ticks, record->timer_hz),
                                 nip_boot_stage_sentence(*next));
    }
}

void nip_timeline_print(const struct rumpk_boot_record *record, const struct nip_ledger *ledger,
                        struct nip_buffer *out)
{
    uint32_t next = RUMPK_BOOT_ENTRY;
    for (uint32_t i = 0; ledger && i < ledger->count; i++) {
        const struct rumpk_ledger_record *one = &ledger->records[i];
        const char *what = one->kind == RUMPK_LEDGER_START    ? "started"
                           : one->kind == RUMPK_LEDGER_READY  ? "announced itself"
                           : one->kind == RUMPK_LEDGER_REFUSE ? "refused"
                                                              : NULL;
        if (!what || one->package == RUMPK_LEDGER_NO_PACKAGE)
            continue;
        print_stages(record, one->ticks, &next, out);
        nip_buffer_append_format(out, "%10" PRIu64 " us    ",
                                 microseconds(one->ticks, record->timer_hz));
        append_name(one, out);
        nip_buffer_append_format(out, " %s\n", what);
    }
    print_stages(record, UINT64_MAX, &next, out);
}

// What a person can do about a cause.
static const char *cause_hint(uint32_t cause)
{
    switch (cause) {
    case RUMPK_BOOT_CAUSE_MEMORY_MAP:
    case RUMPK_BOOT_CAUSE_DEVICE_TREE:
    case RUMPK_BOOT_CAUSE_TIMER:
    case RUMPK_BOOT_CAUSE_FIRMWARE:
    case RUMPK_BOOT_CAUSE_TABLES:
        return "Start it on the machine of the SDK: share/rumpk/machines names it.";
    case RUMPK_BOOT_CAUSE_MEMORY_SHORT:
        return "Give the machine more memory: --memory 16.";
    case RUMPK_BOOT_CAUSE_TRAP:
        return "This is a fault of the kernel: please report it with these numbers.";
    default:
        return NULL;
    }
}

void nip_boot_record_print(const struct rumpk_boot_record *record, const struct nip_boot *boot,
                           struct nip_buffer *out)
{
    if (record->stage == RUMPK_BOOT_ENDED && record->cause == RUMPK_BOOT_CAUSE_NONE)
        return;
    nip_buffer_append_format(out, "the kernel got as far as \"%s\" (%s)",
                             nip_boot_stage_sentence(record->stage),
                             nip_boot_stage_name(record->stage));
    if (record->package != RUMPK_LEDGER_NO_PACKAGE && record->stage < RUMPK_BOOT_PACKAGES) {
        if (boot && record->package < boot->image.package_count)
            nip_buffer_append_format(out, ", working on %s",
                                     boot->packages[record->package].package.name);
        else
            nip_buffer_append_format(out, ", working on package %" PRIu32, record->package);
    }
    nip_buffer_append_byte(out, '\n');
    if (record->cause == RUMPK_BOOT_CAUSE_NONE)
        return;
    nip_buffer_append_format(out, "it ended because: %s\n", nip_boot_cause_sentence(record->cause));
    if (record->cause == RUMPK_BOOT_CAUSE_TRAP)
        nip_buffer_append_format(out, "pc %#" PRIx64 ", address %#" PRIx64 ", cause %#" PRIx64 "\n",
                                 record->pc, record->address, record->detail);
    const char *hint = cause_hint(record->cause);
    if (hint)
        nip_buffer_append_format(out, "%s\n", hint);
}
