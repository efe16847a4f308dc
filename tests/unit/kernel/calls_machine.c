// SPDX-License-Identifier: Apache-2.0
//
// calls_machine.c: what calls_machine.h promises.
#include "calls_machine.h"

#include <kernel/call.h>
#include <kernel/derive.h>
#include <kernel/device.h>
#include <kernel/init.h>
#include <kernel/link.h>
#include <kernel/memory.h>
#include <kernel/record.h>
#include <kernel/sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <cmocka.h>

struct device devices[DEVICES_MAX];

bool device_shares_page(const struct device *device)
{
    (void)device;
    return true;
}

// What is spawned is a number, and whether it is verified the test says.
struct package init_packages[RUMPK_PACKAGES_MAX];
enum init_verdict machine_verdict = INIT_BAD;
uint32_t machine_started;

enum init_verdict init_verify_step(struct package *package, struct work *work)
{
    (void)package;
    (void)work;
    return machine_verdict;
}

void init_package_start(struct package *package)
{
    (void)package;
    machine_started++;
}

// ---- the machine ----

uint64_t own[FIBERS];
uint32_t stream;

static void boot_and_return(void)
{
    static struct boot_info info = {.ram = {{MACHINE_RAM, MACHINE_RAM_SIZE}}, .ram_count = 1};

    memory_init(&info);
    memory_mmu_on(&info);
    ledger_init();
    arch_user_return(NULL);
}

static struct fiber *fiber_make(uint32_t number, uint32_t spectrum)
{
    struct fiber *fiber = &fiber_table[number];

    fiber->number = number;
    fiber->spectrum = spectrum;
    fiber->state = FIBER_NEW;
    fiber->caps = &cap_nodes[number * RUMPK_SLOT_COUNT];
    fiber->pledge = RUMPK_PLEDGE_CLASSES | RUMPK_PLEDGE_SPECTRUM(spectrum);
    for (uint32_t slot = 0; slot < RUMPK_SLOT_COUNT; slot++)
        derive_init(&fiber->caps[slot]);
    CHECK(pagetable_new(&fiber->table, &memory_template_table));
    CHECK(memory_take_low(PAGES_OWN, &own[number]));
    fiber->stack_base = own[number];
    CHECK(pagetable_map(&fiber->table, own[number], own[number], 3 * PAGE_SIZE,
                        PROT_READ | PROT_WRITE | PROT_USER));
    CHECK(pagetable_map(&fiber->table, own[number] + 3 * PAGE_SIZE, own[number] + 3 * PAGE_SIZE,
                        PAGE_SIZE, PROT_READ | PROT_USER));
    return fiber;
}

uint32_t ring_between(struct fiber *from, struct fiber *to)
{
    struct cap cap = {.type = RUMPK_CAP_RING, .rights = RUMPK_RIGHT_WRITE, .part = RING_PRODUCER};

    CHECK(ring_new(8, &cap.object) == RUMPK_OK);
    CHECK(pagetable_prepare(&from->table, rings[cap.object].base, rings[cap.object].size));
    CHECK(pagetable_prepare(&to->table, rings[cap.object].base, rings[cap.object].size));
    CHECK(cap_add(from, cap) >= 0);
    cap.part = RING_CONSUMER;
    cap.rights = RUMPK_RIGHT_READ;
    CHECK(cap_add(to, cap) >= 0);
    return cap.object;
}

void machine_boot(void)
{
    CHECK(machine_run(boot_and_return) == MACHINE_RUNNING);
    rumpk_boot_record.timer_hz = 1000000;
    fiber_make(0, RUMPK_SPECTRUM_GRAVITY);
    fiber_make(1, RUMPK_SPECTRUM_GRAVITY);
    fiber_make(2, RUMPK_SPECTRUM_MATTER);
    stream = ring_between(&fiber_table[0], &fiber_table[1]);
    for (uint32_t number = 0; number < FIBERS; number++)
        sched_ready(&fiber_table[number]);
}

struct trap_info pending_trap;

void trap_now(void)
{
    trap_from_user(&pending_trap);
}

uint32_t running(void)
{
    return (uint32_t)((struct fiber *)(void *)arch_current_frame - fiber_table);
}

enum machine_exit call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    struct arch_frame *frame = arch_current_frame;

    frame->x[16] = number;
    frame->x[9] = a;
    frame->x[10] = b;
    frame->x[11] = c;
    frame->x[12] = d;
    frame->x[13] = 0;
    frame->pc = link_address(__gate_start) + 8;
    pending_trap = (struct trap_info){.kind = TRAP_CALL, .pc = frame->pc};
    return machine_run(trap_now);
}

int64_t result_of(uint32_t number)
{
    return (int64_t)fiber_table[number].frame.x[9];
}

int64_t call_result(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    uint32_t caller = running();

    CHECK(call(number, a, b, c, d) == MACHINE_RUNNING && running() == caller);
    return result_of(caller);
}

enum machine_exit fault(uint32_t kind, uint32_t code, uint64_t address)
{
    pending_trap =
        (struct trap_info){.kind = kind, .fault = code, .pc = 0x1234, .address = address};
    return machine_run(trap_now);
}

const struct rumpk_ledger_record *last_record(void)
{
    CHECK(rumpk_ledger.count != 0);
    return &rumpk_ledger.records[rumpk_ledger.count - 1];
}

void machine_start(void)
{
    CHECK(machine_run(sched_run) == MACHINE_RUNNING && running() == 2);
    CHECK(call(RUMPK_CALL_WAIT, 0, 0, RUMPK_FOREVER, 0) == MACHINE_RUNNING && running() == 0);
}

// ---- one child per case ----

void machine_case(void **state)
{
    int status = 0;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL); // not the test library's: the child ends
        alarm(20);
        (**(body ***)state)();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
