// SPDX-License-Identifier: Apache-2.0
//
// Telling what happened in a machine that prints nothing itself.

#include "outcome.h"

#include <string.h>

#include "nip/crash.h"
#include "project.h"
#include "report.h"
#include "symbolise.h"

enum {
    STAGE_COUNT = sizeof((struct rumpk_boot_record){0}).ticks / sizeof(uint64_t),
};

static const char *end_words(enum emulator_end end)
{
    switch (end) {
    case EMULATOR_END_POWER_OFF:
        return "powered off";
    case EMULATOR_END_INTERRUPTED:
        return "stopped by Ctrl-C";
    case EMULATOR_END_TIME_LIMIT:
        return "stopped by the time limit";
    case EMULATOR_END_RESET:
        return "reset itself";
    case EMULATOR_END_GONE:
        return "the emulator ended by itself";
    }
    return "?";
}

static const char *debug_path(const struct nip_imagedef *imagedef, const char *name)
{
    for (uint32_t i = 0; imagedef != NULL && i < imagedef->package_count; i++)
        if (strcmp(imagedef->packages[i].name, name) == 0 && imagedef->packages[i].path[0] != '\0')
            return imagedef->packages[i].path;
    return NULL;
}

// "function (src/main.c:12)", the innermost first, when a debug file with this build id is there.
static bool find_place(const struct outcome_input *input, const char *name, const char *build_id,
                       uint64_t offset, struct nip_buffer *out)
{
    char folder[CLI_PATH_SIZE], file[CLI_PATH_SIZE];
    struct nip_error cause = {0};
    struct symbol_place place;
    const char *project = debug_path(input->imagedef, name);
    project_path(folder, project != NULL ? project : ".", "build");
    const char *const folders[] = {folder};
    if (build_id[0] == '\0' || !symbolise_find(build_id, folders, 1, file) ||
        symbolise(file, offset, &place, &cause) != NIP_OK)
        return false;
    for (size_t i = 0; i < place.count; i++) {
        const struct symbol_frame *frame = &place.frames[i];
        nip_buffer_append_format(out, "%s%s (%s:%u)", i == 0 ? "" : ", inlined into ",
                                 frame->function, frame->file, (unsigned)frame->line);
    }
    return true;
}

static const char *outcome_word(enum nip_outcome outcome)
{
    switch (outcome) {
    case NIP_OUTCOME_NOT_REACHED:
        return "not reached";
    case NIP_OUTCOME_STARTED:
        return "started";
    case NIP_OUTCOME_EXITED:
        return "ended";
    case NIP_OUTCOME_REFUSED:
        return "refused";
    case NIP_OUTCOME_FAULTED:
        return "faulted";
    case NIP_OUTCOME_WAITING:
        return "waiting";
    }
    return "?";
}

// Where it faulted: for people, then for `nip crash`, which reads it again out of a log.
static void describe_place(const struct outcome_input *input, const char *name,
                           const char *build_id, const struct nip_package_outcome *outcome,
                           struct nip_buffer *out)
{
    struct nip_buffer place = {0};
    if (!outcome->pc_is_inside) {
        nip_buffer_append_format(out, "; pc 0x%llx", (unsigned long long)outcome->pc);
        return;
    }
    if (find_place(input, name, build_id, outcome->pc_offset, &place))
        nip_buffer_append_format(out, "; in %s", nip_buffer_text(&place));
    nip_buffer_append_format(out, "; driver.elf+0x%llx of %s",
                             (unsigned long long)outcome->pc_offset, nip_arch_name(input->arch));
    if (build_id[0] != '\0')
        nip_buffer_append_format(out, ", build-id %s", build_id);
    nip_buffer_free(&place);
}

static void describe(const struct outcome_input *input, const char *name, const char *build_id,
                     const struct nip_package_outcome *outcome, struct nip_buffer *out)
{
    switch (outcome->outcome) {
    case NIP_OUTCOME_EXITED:
        nip_buffer_append_format(out, "exit code %lld", (long long)outcome->exit_code);
        break;
    case NIP_OUTCOME_REFUSED:
        nip_buffer_append_format(out, "%s: %s", nip_refusal_name(outcome->code),
                                 nip_refusal_sentence(outcome->code));
        break;
    case NIP_OUTCOME_FAULTED:
        nip_buffer_append_format(out, "%s: %s", nip_fault_name(outcome->code),
                                 nip_fault_sentence(outcome->code));
        if (outcome->address != 0)
            nip_buffer_append_format(out, "; address 0x%llx", (unsigned long long)outcome->address);
        describe_place(input, name, build_id, outcome, out);
        break;
    case NIP_OUTCOME_STARTED:
        nip_buffer_append_text(out, "and was still there at the end");
        break;
    case NIP_OUTCOME_NOT_REACHED:
        nip_buffer_append_text(out, "the kernel did not come to it");
        break;
    case NIP_OUTCOME_WAITING:
        nip_wait_words(input->report->boot, outcome->wire, out);
        break;
    }
}

static struct nip_json *package_json(const char *name, const char *version, const char *build_id,
                                     const struct nip_package_outcome *outcome, const char *words)
{
    struct nip_json *item = nip_json_make_object();
    nip_json_put(item, "name", report_text(name));
    nip_json_put(item, "version", report_text(version));
    nip_json_put_text(item, "outcome", outcome_word(outcome->outcome));
    nip_json_put_bool(item, "started", outcome->was_started);
    nip_json_put(item, "words", report_text(words));
    if (outcome->outcome == NIP_OUTCOME_REFUSED)
        nip_json_put_text(item, "code", nip_refusal_name(outcome->code));
    if (outcome->outcome == NIP_OUTCOME_FAULTED) {
        nip_json_put_text(item, "code", nip_fault_name(outcome->code));
        if (outcome->pc_is_inside)
            nip_json_put_u64(item, "pc_offset", outcome->pc_offset & INT64_MAX);
        if (build_id[0] != '\0')
            nip_json_put_text(item, "build_id", build_id);
    }
    if (outcome->outcome == NIP_OUTCOME_EXITED) {
        char code[32];
        snprintf(code, sizeof code, "%lld", (long long)outcome->exit_code);
        nip_json_put_text(item, "exit_code", code);
    }
    return item;
}

static void show_packages(const struct cli *cli, const struct outcome_input *input,
                          struct nip_json *list, bool *failed)
{
    const struct nip_image_report *report = input->report;
    uint32_t count = report != NULL && report->boot != NULL ? report->boot->image.package_count : 0;
    for (uint32_t i = 0; i < count; i++) {
        // In an image that is not valid, only the boot manifest may name its packages.
        const char *name = report->boot->packages[i].package.name;
        const char *version =
            i < report->package_count ? report->packages[i].manifest.identity.version : "";
        struct nip_package_outcome outcome;
        struct nip_buffer words = {0};
        char label[160], build_id[2 * NIP_ELF_BUILD_ID_MAX + 1] = "";
        if (i < report->package_count)
            nip_build_id_text(report->packages[i].build_id, report->packages[i].build_id_size,
                              build_id);
        nip_ledger_outcome(&input->result->ledger, i, &outcome);
        describe(input, name, build_id, &outcome, &words);
        bool good = outcome.outcome == NIP_OUTCOME_STARTED ||
                    (outcome.outcome == NIP_OUTCOME_EXITED && outcome.exit_code == 0);
        *failed = *failed || !good;
        snprintf(label, sizeof label, "  %-11s ", outcome_word(outcome.outcome));
        if (list != NULL)
            nip_json_append(
                list, package_json(name, version, build_id, &outcome, nip_buffer_text(&words)));
        else
            cli_print_verdict(cli, good, label, "%s%s%s: %s", name, version[0] != '\0' ? " " : "",
                              version, nip_buffer_text(&words));
        nip_buffer_free(&words);
    }
}

// The boot manifest itself may have been refused: then no package was reached.
static void show_manifest(const struct cli *cli, const struct nip_ledger *ledger, bool *failed)
{
    for (uint32_t i = 0; i < ledger->count; i++) {
        const struct rumpk_ledger_record *record = &ledger->records[i];
        if (record->kind == RUMPK_LEDGER_REFUSE && record->package == RUMPK_LEDGER_NO_PACKAGE) {
            *failed = true;
            cli_print_verdict(cli, false, "  refused     ", "the boot manifest: %s: %s",
                              nip_refusal_name(record->code), nip_refusal_sentence(record->code));
        }
    }
}

// Microseconds from kernel entry to the first driver, and to each stage, by the guest's own timer.
static void put_times(struct nip_json *run, const struct emulator_result *result)
{
    const struct rumpk_boot_record *record = &result->boot_record;
    if (!result->has_boot_record || record->timer_hz == 0)
        return;
    uint64_t ticks = record->ticks[RUMPK_BOOT_RUNNING];
    nip_json_put_u64(run, "first_driver_us",
                     ticks < UINT64_MAX / 1000000 ? ticks * 1000000 / record->timer_hz : 0);
    struct nip_json *stages = nip_json_make_object();
    for (uint32_t stage = RUMPK_BOOT_ENTRY; stage <= record->stage && stage < STAGE_COUNT; stage++)
        if (record->ticks[stage] != 0 && record->ticks[stage] < UINT64_MAX / 1000000)
            nip_json_put_u64(stages, nip_boot_stage_name(stage),
                             record->ticks[stage] * 1000000 / record->timer_hz);
    nip_json_put(run, "stages_us", stages);
    nip_json_put_u64(run, "memory_size", record->memory_size & INT64_MAX);
}

void outcome_show(const struct cli *cli, const struct outcome_input *input, struct nip_json *runs,
                  bool *failed)
{
    const struct emulator_result *result = input->result;
    struct nip_json *list = runs != NULL ? nip_json_make_array() : NULL;
    bool is_normal = result->end == EMULATOR_END_POWER_OFF ||
                     result->end == EMULATOR_END_INTERRUPTED ||
                     result->end == EMULATOR_END_TIME_LIMIT;
    *failed = *failed || !is_normal;
    if (runs == NULL)
        cli_print(cli, "%s: %s after %.1f s", nip_arch_name(input->arch), end_words(result->end),
                  result->seconds);
    struct nip_buffer boot = {0};
    if (result->has_boot_record)
        nip_boot_record_print(&result->boot_record,
                              input->report != NULL ? input->report->boot : NULL, &boot);
    if (runs == NULL && boot.size != 0 && result->end != EMULATOR_END_INTERRUPTED)
        cli_print(cli, "%s", nip_buffer_text(&boot));
    if (result->has_ledger) {
        show_packages(cli, input, list, failed);
        if (runs == NULL)
            show_manifest(cli, &result->ledger, failed);
    } else {
        *failed = true;
        if (runs == NULL)
            cli_print(cli, "  the kernel's ledger could not be read: %s", result->trouble);
    }
    if (runs != NULL) {
        struct nip_json *run = nip_json_make_object();
        nip_json_put_text(run, "arch", nip_arch_name(input->arch));
        nip_json_put_text(run, "machine", input->machine);
        nip_json_put_text(run, "end", end_words(result->end));
        nip_json_put_bool(run, "has_ledger", result->has_ledger);
        nip_json_put(run, "boot", report_text(nip_buffer_text(&boot)));
        nip_json_put(run, "packages", list);
        put_times(run, result);
        nip_json_append(runs, run);
    }
    if (runs == NULL && cli_flag(cli, "timeline") && result->has_boot_record) {
        nip_buffer_clear(&boot);
        nip_timeline_print(&result->boot_record, result->has_ledger ? &result->ledger : NULL,
                           &boot);
        cli_print(cli, "%s", nip_buffer_text(&boot));
    }
    nip_buffer_free(&boot);
}
