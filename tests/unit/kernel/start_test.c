// SPDX-License-Identifier: Apache-2.0
//
// Goal: packages start in dependency order, a failure costs exactly those who need what failed, and
// circles are found, whatever the wires look like. Method: kernel/init/start.c on random graphs of
// wires (fixed seed); a slow model beside it says who must have started, been refused or wait, and
// which packages lie on a circle. Fibers are states only: the test lets servers announce themselves
// or end in random order, as the scheduler would between two fibers.
#include <kernel/budget.h>
#include <kernel/init.h>
#include <kernel/ledger.h>
#include <kernel/memory.h>
#include <kernel/record.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CHECK(condition)                                            \
    do {                                                            \
        if (!(condition)) {                                         \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
            _exit(1);                                               \
        }                                                           \
    } while (0)

enum { PACKAGES = 10, ROUNDS = 500 };

// ---- what start.c stands on ----

struct archive init_archive;
struct package init_packages[RUMPK_PACKAGES_MAX];
struct fiber fiber_table[FIBER_COUNT];
struct rumpk_boot_record rumpk_boot_record;
static bool is_services_stage;
static uint32_t waits_told[RUMPK_PACKAGES_MAX];
static uint32_t started[RUMPK_PACKAGES_MAX];
static uint32_t refused[RUMPK_PACKAGES_MAX];

void memory_use_kernel_root(void) {}
void record_package(uint32_t package)
{
    (void)package;
}

void record_stage(enum rumpk_boot_stage stage)
{
    CHECK(stage == (RUMPK_BOOT_SERVICES));
    CHECK(!is_services_stage);
    is_services_stage = true;
}

struct rumpk_ledger_record fiber_record(const struct fiber *fiber, enum rumpk_ledger_kind kind,
                                        uint32_t code)
{
    return (struct rumpk_ledger_record){
        .kind = (uint16_t)kind, .code = (uint16_t)code, .package = (uint32_t)(fiber - fiber_table)};
}

void ledger_append(struct rumpk_ledger_record *record)
{
    if (record->kind == RUMPK_LEDGER_WAIT)
        waits_told[record->package]++;
}

void init_package_start(struct package *package)
{
    started[package->number]++;
    fiber_table[package->number].state = FIBER_READY;
}

void init_refuse(struct package *package, enum rumpk_refusal reason, uint64_t detail)
{
    (void)detail;
    package->refusal = reason;
}

void budget_share(void) {}

void fiber_abandon(struct fiber *fiber, struct rumpk_ledger_record *record)
{
    CHECK(record->kind == RUMPK_LEDGER_REFUSE && record->code == RUMPK_REFUSE_SERVICE_FAILED);
    CHECK(fiber->state == FIBER_NEW);
    refused[fiber - fiber_table]++;
    fiber->state = FIBER_ENDED;
    start_ended((uint32_t)(fiber - fiber_table));
}

// ---- a boot ----

struct model_need {
    struct rumpk_bkdl_record head;
    struct rumpk_bkdl_service service;
};
struct model_wire {
    struct rumpk_bkdl_record head;
    struct rumpk_bkdl_wire wire;
};

static struct rumpk_bkdl_image image;
static struct rumpk_bkdl_package pinned[RUMPK_PACKAGES_MAX];
static struct model_need needs[RUMPK_PACKAGES_MAX][RUMPK_WIRES_MAX];
static struct model_wire wires[RUMPK_WIRES_MAX];
static uint32_t wire_count;
static uint32_t random_state;

static uint32_t pick(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

static bool is_optional(uint32_t wire)
{
    const struct rumpk_bkdl_wire *w = &wires[wire].wire;
    const struct bkdl_list *list = &init_packages[w->client].manifest.needs;

    for (uint32_t i = 0; i < list->count; i++)
        if (strcmp(bkdl_service(list, i)->name, w->service) == 0)
            return bkdl_service(list, i)->optional != 0;
    return false;
}

// One random image.
static void image_make(uint32_t seed, bool may_circle)
{
    random_state = seed * 2654435761u + 1;
    image.package_count = 2 + pick(PACKAGES - 1);
    init_archive.boot.image = &image;
    wire_count = 0;
    for (uint32_t p = 0; p < image.package_count; p++) {
        init_packages[p] = (struct package){.number = p};
        pinned[p].spawner = p > 0 && pick(8) == 0 ? 1 : 0;
        init_archive.boot.packages[p].package = &pinned[p];
        fiber_table[p].state = FIBER_NEW;
        init_packages[p].manifest.needs.first = (const uint8_t *)&needs[p][0].service;
        if (pick(10) == 0) {
            init_packages[p].refusal = RUMPK_REFUSE_SIGNATURE;
            fiber_table[p].state = FIBER_FREE;
        }
    }
    for (uint32_t client = 0; client < image.package_count; client++) {
        uint32_t count = pick(4);
        for (uint32_t n = 0; n < count; n++) {
            uint32_t server = may_circle    ? pick(image.package_count)
                              : client == 0 ? 0
                                            : pick(client);
            struct bkdl_list *list = &init_packages[client].manifest.needs;
            struct model_need *need = &needs[client][list->count];
            struct model_wire *wire = &wires[wire_count];
            if (server == client || wire_count == RUMPK_WIRES_MAX)
                continue;
            *need = (struct model_need){.service.optional = pick(4) == 0};
            need->service.name[0] = (char)('a' + list->count++);
            *wire = (struct model_wire){
                .wire = {.client = client, .server = server, .start = pick(RUMPK_START_MODES)}};
            memcpy(wire->wire.service, need->service.name, RUMPK_LABEL_SIZE);
            wire_count++;
        }
    }
    init_archive.boot.wires = (struct bkdl_list){(const uint8_t *)&wires[0].wire, wire_count};
}

enum fate {
    FATE_START,
    FATE_WAIT,
    FATE_REFUSE,
};

// What must become of each package when server p ends before announcing itself if fails[p], and
// otherwise announces itself once it runs. Iterated until nothing changes: slow and plain.
static void fates_find(const bool fails[], enum fate fates[])
{
    for (uint32_t p = 0; p < image.package_count; p++)
        fates[p] = FATE_WAIT;
    for (uint32_t round = 0; round <= PACKAGES; round++)
        for (uint32_t p = 0; p < image.package_count; p++) {
            enum fate fate = FATE_START;
            if (pinned[p].spawner != 0 || init_packages[p].refusal != RUMPK_REFUSE_NONE)
                continue;
            for (uint32_t w = 0; w < wire_count; w++) {
                const struct rumpk_bkdl_wire *wire = &wires[w].wire;
                uint32_t server = wire->server;
                if (wire->client != p || wire->start == RUMPK_START_AT_ONCE)
                    continue;
                bool is_out = init_packages[server].refusal != RUMPK_REFUSE_NONE;
                bool runs = !is_out && pinned[server].spawner == 0 && fates[server] == FATE_START;
                bool is_lost = is_out || fates[server] == FATE_REFUSE || (runs && fails[server]);
                enum fate one = runs && !fails[server]      ? FATE_START
                                : is_lost && is_optional(w) ? FATE_START
                                : is_lost && wire->start == RUMPK_START_AFTER_OR_REFUSE
                                    ? FATE_REFUSE
                                    : FATE_WAIT;
                fate = one > fate ? one : fate;
            }
            fates[p] = fate;
        }
}

// Starts, then lets a random running server announce itself or end, until nobody moves.
static void boot_run(const bool fails[])
{
    bool is_done[RUMPK_PACKAGES_MAX] = {false};
    bool moved = true;

    start_begin();
    start_next();
    while (moved || start_is_due()) {
        uint32_t first = pick(image.package_count);
        moved = false;
        if (start_is_due() && pick(2) == 0) {
            start_next();
            moved = true;
            continue;
        }
        for (uint32_t n = 0; n < image.package_count && !moved; n++) {
            uint32_t p = (first + n) % image.package_count;
            if (fiber_table[p].state != FIBER_READY || is_done[p])
                continue;
            is_done[p] = moved = true;
            if (fails[p]) {
                fiber_table[p].state = FIBER_ENDED;
                start_ended(p);
            }
            for (uint32_t w = 0; w < wire_count && !fails[p]; w++)
                if (wires[w].wire.server == p)
                    start_announced(w);
        }
        if (!moved && start_is_due()) {
            start_next();
            moved = true;
        }
    }
    start_next();
}

static void order_case(uint32_t seed)
{
    bool fails[RUMPK_PACKAGES_MAX];
    enum fate fates[RUMPK_PACKAGES_MAX];

    image_make(seed, false);
    for (uint32_t p = 0; p < image.package_count; p++)
        fails[p] = pick(4) == 0;
    fates_find(fails, fates);
    boot_run(fails);
    start_end();
    start_end(); // again: nothing is told twice
    for (uint32_t p = 0; p < image.package_count; p++) {
        bool takes_part = pinned[p].spawner == 0 && init_packages[p].refusal == RUMPK_REFUSE_NONE;
        CHECK(started[p] == (takes_part && fates[p] == FATE_START));
        CHECK(refused[p] == (takes_part && fates[p] == FATE_REFUSE));
        CHECK(waits_told[p] == (takes_part && fates[p] == FATE_WAIT));
    }
}

// Can `to` be reached from `from` over wires that hold somebody back?
static bool reaches(uint32_t from, uint32_t to, bool seen[])
{
    for (uint32_t w = 0; w < wire_count; w++) {
        const struct rumpk_bkdl_wire *wire = &wires[w].wire;
        if (wire->client != from || wire->start == RUMPK_START_AT_ONCE || seen[wire->server] ||
            init_packages[wire->server].refusal != RUMPK_REFUSE_NONE)
            continue;
        if (wire->server == to)
            return true;
        seen[wire->server] = true;
        if (reaches(wire->server, to, seen))
            return true;
    }
    return false;
}

static void circle_case(uint32_t seed)
{
    bool is_in_circle[RUMPK_PACKAGES_MAX] = {false};

    image_make(seed, true);
    for (uint32_t p = 0; p < image.package_count; p++) {
        bool seen[RUMPK_PACKAGES_MAX] = {false};
        is_in_circle[p] = init_packages[p].refusal == RUMPK_REFUSE_NONE && reaches(p, p, seen);
    }
    bool was_refused[RUMPK_PACKAGES_MAX];
    start_check_circles();
    for (uint32_t p = 0; p < image.package_count; p++) {
        was_refused[p] = init_packages[p].refusal == RUMPK_REFUSE_CIRCLE;
        if (was_refused[p]) // hides nothing from reaches() any more
            init_packages[p].refusal = RUMPK_REFUSE_NONE;
    }
    for (uint32_t p = 0; p < image.package_count; p++) {
        bool is_refused = was_refused[p];
        if (is_in_circle[p])
            CHECK(is_refused);
        if (!is_refused || is_in_circle[p])
            continue;
        // Not on a circle itself: then it lies between two of them.
        bool leads = false, is_led = false;
        for (uint32_t other = 0; other < image.package_count; other++) {
            bool there[RUMPK_PACKAGES_MAX] = {false}, back[RUMPK_PACKAGES_MAX] = {false};
            leads |= is_in_circle[other] && reaches(p, other, there);
            is_led |= is_in_circle[other] && reaches(other, p, back);
        }
        CHECK(leads && is_led);
    }
}

// A kernel boots once: start.c's state begins as zero in a process of its own.
static void in_child(void (*function)(uint32_t), uint32_t seed)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        function(seed);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("seed %u", seed);
}

static void test_order(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < ROUNDS; seed++)
        in_child(order_case, seed);
}

static void test_circles(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < ROUNDS; seed++)
        in_child(circle_case, seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order),
                                       cmocka_unit_test(test_circles)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
