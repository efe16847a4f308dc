// SPDX-License-Identifier: Apache-2.0
//
// start.c: services in dependency order. A package starts when every service that it needs has
// announced itself; the boot never waits for anybody.
//
//                         its server waits on the request ring (start_announced)
//   gate of a wire   SHUT ------------------------------------------------------> OPEN
//                      |  its server was refused, or ended before that (start_ended)
//                      +--------------------------------------------------------> LOST
//
// Whenever a gate moves, the client behind it is due: start_next decides about one due package at a
// time, between two fibers, so that no announcement costs more than one decision. What LOST means
// stands in the wire (RUMPK_START_*) and in the need (optional).
#include <kernel/budget.h>
#include <kernel/init.h>
#include <kernel/ledger.h>
#include <kernel/memory.h>
#include <kernel/record.h>

enum gate {
    GATE_SHUT,
    GATE_OPEN,
    GATE_LOST,
};

enum decision {
    DECIDE_START,
    DECIDE_WAIT,
    DECIDE_REFUSE,
};

static uint8_t gates[RUMPK_WIRES_MAX];        // enum gate
static bool is_due[RUMPK_PACKAGES_MAX];       // start_next has to look at it
static bool is_told[RUMPK_PACKAGES_MAX];      // a WAIT record says that it waits for what is lost
static bool is_announced[RUMPK_PACKAGES_MAX]; // a READY record says so
static bool is_held[RUMPK_PACKAGES_MAX];      // it waits for a gate that may still open
static uint32_t due_count;
static uint32_t held_count;
static bool is_begun;
static bool is_settled; // stage SERVICES is recorded

static const struct rumpk_bkdl_wire *wire_at(uint32_t index)
{
    return bkdl_wire(&init_archive.boot.wires, index);
}

static uint32_t wire_count(void)
{
    return init_archive.boot.wires.count;
}

static uint32_t package_count(void)
{
    return init_archive.boot.image->package_count;
}

static void due_set(uint32_t number)
{
    due_count += is_due[number] ? 0 : 1;
    is_due[number] = true;
}

// Packages that start on demand are held back by nobody but their spawner.
static bool starts_at_boot(uint32_t number)
{
    return init_is_accepted(&init_packages[number]) &&
           init_archive.boot.packages[number].package->spawner == 0;
}

static bool need_is_optional(const struct rumpk_bkdl_wire *wire)
{
    const struct bkdl_list *needs = &init_packages[wire->client].manifest.needs;

    for (uint32_t index = 0; index < needs->count; index++) {
        const struct rumpk_bkdl_service *need = bkdl_service(needs, index);

        if (text_equal(need->name, wire->service, RUMPK_LABEL_SIZE))
            return need->optional != 0;
    }
    return false;
}

// What one wire says about the start of its client.
static enum decision wire_decide(uint32_t index)
{
    const struct rumpk_bkdl_wire *wire = wire_at(index);

    if (wire->start == RUMPK_START_AT_ONCE || gates[index] == GATE_OPEN)
        return DECIDE_START;
    if (gates[index] == GATE_SHUT)
        return DECIDE_WAIT;
    if (need_is_optional(wire))
        return DECIDE_START;
    return wire->start == RUMPK_START_AFTER_OR_WAIT ? DECIDE_WAIT : DECIDE_REFUSE;
}

// What all its wires say together: one that refuses counts most, then one that waits. *wire is the
// one that decided.
static enum decision package_decide(uint32_t number, uint32_t *wire)
{
    enum decision decision = DECIDE_START;

    for (uint32_t index = 0; index < wire_count(); index++) {
        enum decision one;

        if (wire_at(index)->client != number)
            continue;
        one = wire_decide(index);
        if (one > decision) {
            decision = one;
            *wire = index;
        }
    }
    return decision;
}

static void wait_tell(uint32_t number, uint32_t wire)
{
    struct rumpk_ledger_record record =
        fiber_record(&fiber_table[number], RUMPK_LEDGER_WAIT, RUMPK_REFUSE_NONE);

    if (is_told[number])
        return;
    is_told[number] = true;
    record.detail = wire;
    ledger_append(&record);
}

static void refuse(struct fiber *fiber, uint32_t wire)
{
    struct rumpk_ledger_record record =
        fiber_record(fiber, RUMPK_LEDGER_REFUSE, RUMPK_REFUSE_SERVICE_FAILED);

    record.detail = wire;
    fiber_abandon(fiber, &record);
}

static void package_settle(uint32_t number)
{
    struct fiber *fiber = &fiber_table[number];
    uint32_t wire = 0;

    held_count -= is_held[number] ? 1 : 0;
    is_held[number] = false;
    if (!starts_at_boot(number) || fiber->state != FIBER_NEW)
        return;
    switch (package_decide(number, &wire)) {
    case DECIDE_START:
        init_package_start(&init_packages[number]);
        break;
    case DECIDE_REFUSE:
        refuse(fiber, wire);
        break;
    default:
        if (gates[wire] == GATE_LOST)
            wait_tell(number, wire);
        is_held[number] = gates[wire] == GATE_SHUT;
        held_count += is_held[number] ? 1 : 0;
        break;
    }
}

// A wire from a server that was refused at boot is lost from the beginning.
void start_begin(void)
{
    budget_share();
    for (uint32_t index = 0; index < wire_count(); index++) {
        if (!init_is_accepted(&init_packages[wire_at(index)->server]))
            gates[index] = GATE_LOST;
    }
    for (uint32_t number = 0; number < package_count(); number++) {
        record_package(number);
        package_settle(number);
    }
    record_package(RUMPK_LEDGER_NO_PACKAGE);
    is_begun = true;
}

void start_announced(uint32_t index)
{
    const struct rumpk_bkdl_wire *wire = wire_at(index);
    struct rumpk_ledger_record record;

    if (gates[index] != GATE_SHUT)
        return;
    gates[index] = GATE_OPEN;
    due_set(wire->client);
    if (is_announced[wire->server])
        return;
    is_announced[wire->server] = true;
    record = fiber_record(&fiber_table[wire->server], RUMPK_LEDGER_READY, 0);
    record.detail = index;
    ledger_append(&record);
}

void start_ended(uint32_t number)
{
    for (uint32_t index = 0; index < wire_count(); index++) {
        if (wire_at(index)->server != number || gates[index] != GATE_SHUT)
            continue;
        gates[index] = GATE_LOST;
        due_set(wire_at(index)->client);
    }
}

void start_next(void)
{
    if (due_count == 0) {
        // Nobody is left whose turn may still come.
        if (is_begun && !is_settled && held_count == 0) {
            is_settled = true;
            record_stage(RUMPK_BOOT_SERVICES);
        }
        return;
    }
    memory_use_kernel_root();
    for (uint32_t number = 0; number < RUMPK_PACKAGES_MAX; number++) {
        if (!is_due[number])
            continue;
        is_due[number] = false;
        due_count--;
        package_settle(number);
        return;
    }
}

bool start_is_due(void)
{
    return due_count != 0;
}

void start_end(void)
{
    uint32_t wire = 0;

    for (uint32_t number = 0; is_begun && number < package_count(); number++) {
        if (starts_at_boot(number) && fiber_table[number].state == FIBER_NEW &&
            package_decide(number, &wire) == DECIDE_WAIT)
            wait_tell(number, wire);
    }
}

// ---- circles ----

// Takes out whoever needs nobody (`at_client` false: nobody needs) that is still in. Returns
// whether anybody was.
static bool ends_remove(bool is_in[RUMPK_PACKAGES_MAX], bool at_client)
{
    bool is_tied[RUMPK_PACKAGES_MAX] = {false};
    bool changed = false;

    for (uint32_t index = 0; index < wire_count(); index++) {
        const struct rumpk_bkdl_wire *wire = wire_at(index);

        if (wire->start != RUMPK_START_AT_ONCE && is_in[wire->client] && is_in[wire->server])
            is_tied[at_client ? wire->client : wire->server] = true;
    }
    for (uint32_t number = 0; number < RUMPK_PACKAGES_MAX; number++) {
        changed = changed || (is_in[number] && !is_tied[number]);
        is_in[number] = is_in[number] && is_tied[number];
    }
    return changed;
}

// What is left when both ends of every chain have been taken away is circles, and what lies between
// two of them. Each round takes at least one package away, so there are at most as many as
// packages.
void start_check_circles(void)
{
    bool is_in[RUMPK_PACKAGES_MAX] = {false};
    bool changed = true;

    for (uint32_t number = 0; number < package_count(); number++)
        is_in[number] = init_is_accepted(&init_packages[number]);
    for (uint32_t round = 0; round <= RUMPK_PACKAGES_MAX && changed; round++) {
        changed = ends_remove(is_in, true);
        changed = ends_remove(is_in, false) || changed;
    }
    for (uint32_t index = 0; index < wire_count(); index++) {
        const struct rumpk_bkdl_wire *wire = wire_at(index);

        if (wire->start != RUMPK_START_AT_ONCE && is_in[wire->client] && is_in[wire->server])
            init_refuse(&init_packages[wire->client], RUMPK_REFUSE_CIRCLE, index);
    }
}
