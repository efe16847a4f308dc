// SPDX-License-Identifier: Apache-2.0
//
// systable.c: the one page that is the same for every driver. Written at its physical address;
// drivers see it at RUMPK_SYSTABLE_ADDRESS, which is the same number where RAM is free there.
#include <kernel/call.h>
#include <kernel/link.h>
#include <kernel/memory.h>
#include <kernel/record.h>
#include <kernel/systable.h>

static struct rumpk_systable *table(void)
{
    return (struct rumpk_systable *)(uintptr_t)memory_systable_page();
}

static uint64_t features; // a copy: calls do not switch roots to read the table

uint64_t systable_features(void)
{
    return features;
}

void systable_init(void)
{
    uint64_t gate = link_address(__gate_start);
    struct rumpk_systable *systable = table();

    features = call_features() | RUMPK_FEATURE_ISOLATION;
    if (memory_systable_page() != RUMPK_SYSTABLE_ADDRESS)
        features |= RUMPK_FEATURE_SYSTABLE_ALIAS;
    *systable = (struct rumpk_systable){
        .magic = RUMPK_SYSTABLE_MAGIC,
        .abi_version = RUMPK_ABI_VERSION,
        .size = RUMPK_SYSTABLE_SIZE,
        .features = features,
        .meta = gate + RUMPK_CALL_META * RUMPK_GATE_STUB_SIZE,
        .timer_hz = rumpk_boot_record.timer_hz,
        .boot_ticks = record_boot_ticks(),
        .arch = RUMPK_ARCH,
        .page_size = RUMPK_PAGE_SIZE,
        .core_count = 1,
        .slot_count = RUMPK_SLOT_COUNT,
        .gate_base = gate,
        .gate_size = RUMPK_PAGE_SIZE,
        .ring_slot_size = RUMPK_RING_SLOT_SIZE,
        .checkpoint_max = RUMPK_CHECKPOINT_MAX,
    };
    for (uint32_t index = 0; index < RUMPK_CALL_COUNT; index++)
        systable->calls[index] = gate + index * RUMPK_GATE_STUB_SIZE;
}

void systable_finish(bool is_development)
{
    if (is_development)
        features |= RUMPK_FEATURE_DEVELOPMENT;
    table()->features = features;
    memory_seal(memory_systable_page(), PAGE_SIZE);
}
