// SPDX-License-Identifier: Apache-2.0
//
// The device tree, as the firmware hands it over: memory, reserved regions, devices.
#include <kernel/tree.h>

#include "fuzz.h"

#include <string.h>

static volatile uint64_t sink;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct boot_info info;
    struct tree_device devices[64];
    uint8_t *bytes = aligned_alloc(8, (size + 8) & ~(size_t)7);
    uint32_t value;

    if (bytes == NULL)
        return 0;
    memcpy(bytes, data, size);
    if (tree_check(bytes, size)) {
        memset(&info, 0, sizeof info);
        bool memory = tree_memory(bytes, &info, true);
        uint32_t count = tree_devices(bytes, devices, 64);
        for (uint32_t i = 0; i < count && i < 64; i++) {
            sink += devices[i].base + devices[i].size;
            sink += tree_is_compatible(bytes, devices[i].node, "virtio,mmio");
        }
        if (tree_u32(bytes, "/cpus", "timebase-frequency", &value))
            sink += value;
        const char *text = tree_text(bytes, "/psci", "method");
        if (text != NULL)
            sink += strlen(text);
        if (memory && info.ram_count != 0 && count != 0)
            FUZZ_ACCEPTED();
    }
    free(bytes);
    return 0;
}
