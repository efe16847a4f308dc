// SPDX-License-Identifier: Apache-2.0
//
// test_machine.c: the simulated kernel of npl/host.h itself: that rights, pledges and calls which
// it does not have are answered as rumpk/call.h says. Rings, queues and services have their own
// tests.
#include "npl_test.h"
#include <npl/call.h>
#include <npl/host.h>

#define CALL(name)   RUMPK_FEATURE_CALL(RUMPK_CALL_##name)
#define NO_SUCH_SLOT (RUMPK_SLOT_COUNT - 1)
#define VERSION_1    (UINT64_C(1) << 32)

static struct host_disk disk;
static uint8_t disk_bytes[512];
static struct host_machine *machine;

static bool line_is_low(void *context)
{
    (void)context;
    return false;
}

static uint32_t chip_read(void *context, uint64_t offset, uint32_t width)
{
    (void)context;
    (void)offset;
    return width;
}

static void chip_write(void *context, uint64_t offset, uint32_t width, uint32_t value)
{
    (void)context;
    (void)offset;
    (void)width;
    (void)value;
}

// One driver with a capability of every kind; their slots.
static struct {
    uint32_t memory, dma, ports, window, device, queue, interrupt, messages;
} slots;

static void run(int (*entry)(void))
{
    static const struct host_registers chip = {.read = chip_read, .write = chip_write};
    struct host_device device;
    int64_t code = -1;

    disk = (struct host_disk){.bytes = disk_bytes,
                              .size = sizeof(disk_bytes),
                              .bad_sector = UINT64_MAX,
                              .serve_max = UINT64_MAX};
    host_disk_device(&disk, &device);
    machine = host_machine_new(7);
    uint32_t fiber = host_fiber_add(machine, "test/driver", entry);
    slots.memory = host_cap_memory(machine, fiber, "memory", 4096,
                                   RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE | RUMPK_RIGHT_DMA);
    slots.dma = host_cap_dma(machine, fiber, "dma", 4096);
    slots.ports = host_cap_registers(machine, fiber, "ports", &chip, 8, 0, true);
    slots.window = host_cap_registers(machine, fiber, "window", &chip, 8, 0, false);
    slots.device = host_cap_device(machine, fiber, "disk", &device);
    slots.queue = slots.device + 1;
    slots.interrupt = host_cap_interrupt(machine, fiber, "line", line_is_low, NULL);
    slots.messages = slots.interrupt + 1;
    assert_true(host_run(machine, 10000));
    assert_true(host_fiber_ended(machine, fiber, &code));
    assert_int_equal(code, 0);
    host_machine_free(machine);
}

// Nothing to run is nothing to do.
static void test_without_drivers(void **state)
{
    struct host_machine *empty = host_machine_new(1);

    (void)state;
    assert_true(host_run(empty, 10));
    assert_int_equal(host_calls(empty), 0);
    host_machine_free(empty);
}

static int absent_main(void)
{
    uint64_t absent = CALL(GRANT) | CALL(REVOKE) | CALL(SPAWN) | CALL(CHECKPOINT);
    uint8_t state[8] = {0};

    CHECK((npl_meta_features() & absent) == 0);
    CHECK(npl_grant(slots.memory, slots.messages, RUMPK_RIGHT_READ, 0, 0) == RUMPK_E_UNSUPPORTED);
    CHECK(npl_revoke(slots.memory) == RUMPK_E_UNSUPPORTED);
    CHECK(npl_drop(slots.memory) == RUMPK_E_UNSUPPORTED);
    CHECK(npl_spawn(slots.memory) == RUMPK_E_UNSUPPORTED);
    CHECK(npl_checkpoint(state, sizeof(state)) == RUMPK_E_UNSUPPORTED);
    CHECK(npl_map(slots.memory) > 0);
    return 0;
}

// Grants are not simulated: a driver is told so, whatever it asks for, and keeps what it has.
static void test_absent_calls(void **state)
{
    (void)state;
    run(absent_main);
}

static uint64_t pledged(void)
{
    struct rumpk_meta_self self;

    CHECK(npl_meta_self(&self) == RUMPK_OK);
    CHECK(self.spectrum == RUMPK_PLEDGE_SPECTRUM_OF(self.pledge));
    return self.pledge;
}

static int pledge_main(void)
{
    struct rumpk_queue_request request = {0};
    uint64_t spectrum = RUMPK_PLEDGE_SPECTRUM(RUMPK_SPECTRUM_GRAVITY);

    CHECK(npl_meta_features() & CALL(PLEDGE));
    CHECK(pledged() == (RUMPK_PLEDGE_CLASSES | spectrum));
    CHECK(npl_pledge(RUMPK_PLEDGE_STDIO | RUMPK_PLEDGE_CONTROL) == RUMPK_OK);
    CHECK(pledged() == (RUMPK_PLEDGE_STDIO | RUMPK_PLEDGE_CONTROL | spectrum));
    CHECK(npl_map(slots.memory) == RUMPK_E_PLEDGE);
    CHECK(npl_map(NO_SUCH_SLOT) == RUMPK_E_PLEDGE); // before anything else is looked at
    CHECK(npl_recv_ring(slots.messages, RUMPK_NOW) == RUMPK_E_TIMEOUT);
    CHECK(npl_mask_features(slots.device, VERSION_1) == RUMPK_OK);

    // One way: what is gone does not come back.
    CHECK(npl_pledge(RUMPK_PLEDGE_MAP) == RUMPK_OK);
    CHECK(pledged() == spectrum);
    CHECK(npl_map(slots.memory) == RUMPK_E_PLEDGE);
    CHECK(npl_send_wake(slots.messages) == RUMPK_E_PLEDGE);
    CHECK(npl_send_requests(slots.queue, &request, 1) == RUMPK_E_PLEDGE);
    CHECK(npl_recv_ring(NO_SUCH_SLOT, RUMPK_NOW) == RUMPK_E_PLEDGE);
    CHECK(npl_mask_features(slots.device, VERSION_1) == RUMPK_E_PLEDGE);
    CHECK(npl_call(RUMPK_CALL_MASK, slots.interrupt, RUMPK_MASK_IRQ_MASK, 0, 0) == RUMPK_E_PLEDGE);

    // These belong to no class.
    CHECK(npl_mask_rights(slots.memory, RUMPK_RIGHT_READ) == RUMPK_OK);
    CHECK(npl_wait(&slots.messages, 1, RUMPK_NOW) == RUMPK_E_TIMEOUT);
    CHECK(npl_tick_now() > 0);
    CHECK(npl_meta_version() == RUMPK_ABI_VERSION);

    // Fewer bits of the spectrum: a looser one, never a stricter.
    CHECK(npl_call(RUMPK_CALL_PLEDGE, RUMPK_PLEDGE_SPECTRUM(RUMPK_SPECTRUM_PHOTON), 0, 0, 0) == 0);
    CHECK(pledged() == spectrum);
    CHECK(npl_call(RUMPK_CALL_PLEDGE, RUMPK_PLEDGE_SPECTRUM(RUMPK_SPECTRUM_VOID), 0, 0, 0) == 0);
    CHECK(pledged() == 0);
    return 0;
}

static void test_pledge(void **state)
{
    (void)state;
    run(pledge_main);
}

static int map_main(void)
{
    const uint32_t readable[] = {slots.memory, slots.dma,    slots.ports,
                                 slots.window, slots.device, slots.messages};

    CHECK(npl_map(NO_SUCH_SLOT) == RUMPK_E_SLOT);
    CHECK(npl_map(slots.queue) == RUMPK_E_TYPE);
    CHECK(npl_map(slots.interrupt) == RUMPK_E_TYPE);
    CHECK(npl_call(RUMPK_CALL_MAP, slots.memory, 1, 0, 0) == RUMPK_E_ARGUMENT);
    for (size_t at = 0; at < sizeof(readable) / sizeof(readable[0]); at++) {
        CHECK(npl_map(readable[at]) > 0);
        CHECK(npl_mask_rights(readable[at], RUMPK_RIGHT_DMA | RUMPK_RIGHT_CONTROL) == RUMPK_OK);
        CHECK(npl_map(readable[at]) == RUMPK_E_RIGHTS);
        // `mask` never adds a right.
        CHECK(npl_mask_rights(readable[at], RUMPK_RIGHTS_ALL) == RUMPK_OK);
        CHECK(npl_map(readable[at]) == RUMPK_E_RIGHTS);
    }
    CHECK(npl_recv_ring(slots.messages, RUMPK_NOW) == RUMPK_E_RIGHTS);
    CHECK(npl_send_wake(slots.messages) == RUMPK_E_RIGHTS);
    CHECK(npl_wait(&slots.messages, 1, RUMPK_NOW) == RUMPK_E_RIGHTS);
    return 0;
}

static void test_rights_to_map(void **state)
{
    (void)state;
    run(map_main);
}

static int half_ports_main(void)
{
    CHECK(npl_mask_rights(slots.ports, RUMPK_RIGHT_READ) == RUMPK_OK);
    CHECK(npl_map(slots.ports) == RUMPK_E_RIGHTS); // the processor knows no half-open port
    CHECK(npl_mask_rights(slots.window, RUMPK_RIGHT_READ) == RUMPK_OK);
    CHECK(npl_map(slots.window) > 0);
    return 0;
}

static void test_ports_need_both_rights(void **state)
{
    (void)state;
    run(half_ports_main);
}

static int64_t ask(uint32_t memory, uint32_t flags, uint32_t length)
{
    const struct rumpk_queue_request request = {
        .memory_slot = memory, .flags = flags, .length = length};

    return npl_send_requests(slots.queue, &request, 1);
}

static int queue_main(void)
{
    struct rumpk_queue_completion completion;
    const uint32_t second_is_wrong[] = {slots.queue, slots.memory};

    CHECK(npl_mask_features(slots.device, VERSION_1) == RUMPK_OK);
    CHECK(ask(NO_SUCH_SLOT, 0, 0) == RUMPK_E_ARGUMENT);
    CHECK(ask(slots.memory, 0, (UINT32_C(1) << 31) + 1) == RUMPK_E_ARGUMENT);
    CHECK(ask(NO_SUCH_SLOT, 0, 8) == RUMPK_E_SLOT);
    CHECK(ask(slots.ports, 0, 8) == RUMPK_E_TYPE);
    CHECK(ask(slots.memory, 0, 4097) == RUMPK_E_BOUNDS);
    // The device may do no more than the driver.
    CHECK(npl_mask_rights(slots.memory, RUMPK_RIGHT_READ | RUMPK_RIGHT_DMA) == RUMPK_OK);
    CHECK(ask(slots.memory, RUMPK_QUEUE_DEVICE_WRITES, 8) == RUMPK_E_RIGHTS);
    CHECK(npl_mask_rights(slots.dma, RUMPK_RIGHT_WRITE | RUMPK_RIGHT_DMA) == RUMPK_OK);
    CHECK(ask(slots.dma, 0, 8) == RUMPK_E_RIGHTS);
    CHECK(ask(slots.memory, 0, 8) == 1);
    CHECK(npl_mask_rights(slots.memory, RUMPK_RIGHT_READ) == RUMPK_OK);
    CHECK(ask(slots.memory, 0, 8) == RUMPK_E_RIGHTS);

    // No disk understands that request. A slot that is ready does not hide a wrong one behind it.
    CHECK(npl_wait(&slots.queue, 1, RUMPK_FOREVER) == 0);
    CHECK(npl_wait(second_is_wrong, 2, RUMPK_NOW) == RUMPK_E_TYPE);
    CHECK(npl_recv_completions(slots.queue, &completion, 1, RUMPK_NOW) == RUMPK_E_DEVICE);
    CHECK(npl_mask_rights(slots.queue, RUMPK_RIGHT_READ) == RUMPK_OK);
    CHECK(ask(slots.dma, 0, 8) == RUMPK_E_RIGHTS);
    CHECK(npl_mask_rights(slots.queue, RUMPK_RIGHT_WRITE) == RUMPK_OK);
    CHECK(npl_recv_completions(slots.queue, &completion, 1, RUMPK_NOW) == RUMPK_E_RIGHTS);
    CHECK(npl_wait(&slots.queue, 1, RUMPK_NOW) == RUMPK_E_RIGHTS);
    return 0;
}

static void test_rights_of_queues(void **state)
{
    (void)state;
    run(queue_main);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_drivers),
        cmocka_unit_test(test_absent_calls),
        cmocka_unit_test(test_pledge),
        cmocka_unit_test(test_rights_to_map),
        cmocka_unit_test(test_ports_need_both_rights),
        cmocka_unit_test(test_rights_of_queues),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
