// SPDX-License-Identifier: Apache-2.0
//
// pci_model.h: functions behind a PCI host, for tests of kernel/dev/pci*.c: it takes the place of
// kernel/dev/pci_config.c. Honest functions are made with the helpers; a hostile one is any bytes
// with any mask of what can be written, and may answer each read with something else.
#ifndef PCI_MODEL_H
#define PCI_MODEL_H

#include <kernel/pci.h>

#define MODEL_FUNCTIONS_MAX 96u
#define MODEL_ROOT          (-1)

#define MODEL_ECAM UINT64_C(0x30000000)
// Ordinary memory of the test stands behind it, so that tables in registers can be looked at.
#define MODEL_WINDOW      UINT64_C(0x50000000)
#define MODEL_WINDOW_SIZE UINT64_C(0x4000000)
#define MODEL_RAM         UINT64_C(0x80000000)
#define MODEL_RAM_SIZE    UINT64_C(0x800000)

struct model_function {
    int parent; // index of the bridge it is behind, or MODEL_ROOT
    uint8_t slot;
    uint8_t number;
    bool is_liar;
    uint8_t config[256];
    uint8_t writable[256]; // bits that a write changes
};

extern struct model_function model_functions[MODEL_FUNCTIONS_MAX];
extern uint32_t model_count;
extern struct pci_host model_host;
extern uint64_t model_accesses;
// What liars mix into their answers, over and over.
extern const uint8_t *model_lies;
extern uint32_t model_lies_size;
// What arch_msi_allocate and pci_tree_line's last step give.
extern uint32_t model_messages_left;

// Nothing behind a host with one window.
void model_begin(void);
void model_map_window(void); // once

struct model_function *model_add(int parent, uint32_t slot, uint32_t vendor, uint32_t device);
struct model_function *model_bridge_add(int parent, uint32_t slot);
int model_index(const struct model_function *function);
// Registers of `size` bytes; flags: the low four bits.
void model_bar(struct model_function *function, uint32_t bar, uint64_t size, uint32_t flags);
void model_put(struct model_function *function, uint32_t offset, uint32_t size, uint64_t value);
uint64_t model_get(const struct model_function *function, uint32_t offset, uint32_t size);
// A capability at `at`, the next at `next`.
void model_capability(struct model_function *function, uint32_t at, uint32_t id, uint32_t next);
// A virtio structure of `kind` (section 4.1.4) in `bar`.
void model_virtio(struct model_function *function, uint32_t at, uint32_t next, uint32_t kind,
                  uint32_t bar, uint32_t offset, uint32_t size);

// Numbers, places; then what the kernel knows of a function. Null: nothing.
void model_scan(void);
struct pci_function *model_found(const struct model_function *function);
// Ends the process unless all places are what they must be, whatever the functions said.
void model_check(void);

#endif
