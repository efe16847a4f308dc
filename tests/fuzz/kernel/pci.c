// SPDX-License-Identifier: Apache-2.0
//
// Functions behind a PCI host that say whatever they like: bridges, registers, capabilities, virtio
// structures, message tables. The input is last bus, then records: parent, slot and function,
// flags, count, and so many times offset, byte, bits that can be written. Flag 1: each answer is
// mixed with the input. model_check and the model's memory_map_device end the process when
// something is given a place that it must not have, or reached outside its registers.
#include "virtio_pci.h"

#include "fuzz.h"
#include "pci_model.h"

#define ACCESSES_MAX 2000000u
#define FLAG_LIAR    1u

static void functions_read(const uint8_t *data, size_t size)
{
    size_t at = 1;

    while (at + 4 <= size && model_count < MODEL_FUNCTIONS_MAX) {
        struct model_function *function = &model_functions[model_count];
        uint32_t parent = data[at];
        uint32_t count = data[at + 3];

        *function = (struct model_function){
            .parent = parent >= model_count ? MODEL_ROOT : (int)parent,
            .slot = data[at + 1] >> 3,
            .number = data[at + 1] & 7,
            .is_liar = (data[at + 2] & FLAG_LIAR) != 0,
        };
        model_count++;
        at += 4;
        for (; count > 0 && at + 3 <= size; count--, at += 3) {
            function->config[data[at]] = data[at + 1];
            function->writable[data[at]] = data[at + 2];
        }
    }
}

// What the memory behind registers holds is the device's too.
static void registers_fill(const uint8_t *data, size_t size)
{
    uint8_t *memory = (uint8_t *)(uintptr_t)MODEL_WINDOW;

    for (size_t index = 0; index < 0x4000; index++)
        memory[index] = data[index % size];
}

static void virtio_use(struct pci_function *function)
{
    static struct virtio_queue queue = {.page = MODEL_RAM, .entries = 16};
    struct virtio_registers registers;

    if (!virtio_pci_open(function, &registers))
        return;
    for (uint32_t number = 0; number < RUMPK_DEVICE_QUEUE_MAX; number++) {
        if (registers.transport->queue_limit(&registers, number) != 0 &&
            registers.transport->queue_enable(&registers, number, &queue)) {
            if (registers.notify_queue[number] < MODEL_WINDOW ||
                registers.notify_queue[number] >= MODEL_WINDOW + MODEL_WINDOW_SIZE)
                abort();
            registers.transport->notify(&registers, number);
        }
    }
    registers.transport->use(&registers, true);
    registers.transport->interrupt_take(&registers);
    registers.transport->interrupt_hold(&registers, true);
    registers.transport->use(&registers, false);
    FUZZ_ACCEPTED();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_mapped;
    if (size == 0)
        return 0;
    if (!is_mapped)
        model_map_window();
    is_mapped = true;
    model_begin();
    model_host.bus_last = data[0];
    model_messages_left = 1;
    model_lies = data;
    model_lies_size = (uint32_t)size;
    functions_read(data, size);
    registers_fill(data, size);
    model_scan();
    for (uint32_t index = 0; index < pci_function_count; index++) {
        struct pci_function *function = &pci_functions[index];

        for (uint32_t bar = 0; bar < PCI_BARS; bar++) {
            if (pci_msix_is_in(function, bar) && pci_is(function, data[0], 0, data[size - 1]))
                pci_pin(function, true);
        }
        pci_decode(function, true);
        if (virtio_pci_probe(function) != 0)
            virtio_use(function);
    }
    if (model_accesses > ACCESSES_MAX)
        abort();
    return 0;
}
