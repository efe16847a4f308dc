// SPDX-License-Identifier: Apache-2.0
//
// tree.h: the device tree as the kernel asks it. Its source file is the one door to libfdt.
//
// The tree is input from the firmware: its structure is checked once in tree_init, every number is
// read through bounded helpers, and every list has a limit. All functions bear a tree that is null.
#ifndef KERNEL_TREE_H
#define KERNEL_TREE_H

#include <arch/arch.h>
#include <kernel/base.h>

#define TREE_NODES_MAX 1024u // nodes that are looked at; more are ignored
#define TREE_DEPTH_MAX 16u

// Checks the structure of `fdt` (size bytes are readable). False: not a tree that can be used.
[[nodiscard]] bool tree_check(const void *fdt, uint64_t size);

// Appends the memory nodes to info->ram (when `with_ram`) and /memreserve/ and /reserved-memory to
// info->reserved. False: more than fits, or malformed.
[[nodiscard]] bool tree_memory(const void *fdt, struct boot_info *info, bool with_ram);

// A property of the node at `path` as a 32-bit number or a NUL-terminated text inside the tree.
[[nodiscard]] bool tree_u32(const void *fdt, const char *path, const char *property, uint32_t *out);
const char *tree_text(const void *fdt, const char *path, const char *property);

// The first register of the device that the firmware calls its console. False: it names none.
[[nodiscard]] bool tree_console(const void *fdt, uint64_t *base);

// One register range of one node whose addresses are the processor's.
struct tree_device {
    int32_t node; // handle for tree_is_compatible
    uint64_t base;
    uint64_t size;
    uint32_t shift;      // property reg-shift, else 0
    uint32_t controller; // tree_devices: phandle of its interrupt controller; 0: none
};

// Fills `out` with up to `max` enabled devices; returns how many there are (not more than max are
// written).
uint32_t tree_devices(const void *fdt, struct tree_device *out, uint32_t max);
bool tree_is_compatible(const void *fdt, int32_t node, const char *compatible);

// Registers that no driver may ever hold, because they reach memory or the machine behind the
// kernel's back: virtio transports, PCI configuration space, fw_cfg (it does DMA), interrupt and
// MSI controllers, IOMMUs, power and reset.
bool tree_is_kernels(const void *fdt, int32_t node);

// The 32-bit cells of a property, in the processor's byte order: fills `out` with up to `max`;
// returns how many there are.
uint32_t tree_cells(const void *fdt, int32_t node, const char *property, uint32_t *out,
                    uint32_t max);
// The node that a reference means, and the node above: negative when there is none.
int32_t tree_referenced(const void *fdt, uint32_t phandle);
int32_t tree_parent(const void *fdt, int32_t node);

#define TREE_SPECIFIER_MAX  4u // cells of one interrupt specifier
#define TREE_INTERRUPTS_MAX 8u // interrupts of one device that are looked at
// The index-th interrupt of a device: the controller it goes to and the cells that tell it which.
struct tree_interrupt {
    int32_t controller; // node
    uint32_t count;
    uint32_t cells[TREE_SPECIFIER_MAX];
};
[[nodiscard]] bool tree_interrupt(const void *fdt, int32_t node, uint32_t index,
                                  struct tree_interrupt *out);
// The same when the controller's node is known: for whoever asks about many devices, because to
// find the node of a phandle means looking at the whole tree.
[[nodiscard]] bool tree_interrupt_of(const void *fdt, int32_t node, int32_t controller,
                                     uint32_t index, struct tree_interrupt *out);

int32_t tree_path(const void *fdt, const char *path); // a node by its path; negative: none

// Like tree_devices, only the register ranges of nodes with this compatible string.
uint32_t tree_find_all(const void *fdt, const char *compatible, struct tree_device *out,
                       uint32_t max);
// First node with this compatible string: its first register range.
[[nodiscard]] bool tree_find(const void *fdt, const char *compatible, struct tree_device *out);

#endif
