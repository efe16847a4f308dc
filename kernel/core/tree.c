// SPDX-License-Identifier: Apache-2.0
//
// tree.c: the device tree; the one file that includes libfdt.
//
// libfdt is built with all its checks, and fdt_check_full has walked the whole structure before
// anything else is asked. Still every cell count, list and address is bounded here: a tree can be
// well-formed and absurd.
#include <kernel/tree.h>

#include <libfdt.h>

// ---- index ----
//
// Every search by compatible string or phandle would walk the whole tree, and a machine asks for
// two dozen things: the tree is walked once and what searches look at is noted. Nodes stand in the
// order of their offsets, each behind its parent.

#define NO_CELLS          0xFFu
#define PROPERTY_NAME_MAX 32u

struct node {
    int32_t offset;
    uint32_t phandle;    // 0: none
    uint32_t controller; // phandle of its interrupt controller, its own word or inherited; 0: none
    const char *compatible;
    uint32_t compatible_size;
    const uint8_t *reg;
    uint32_t reg_size;
    uint16_t parent;
    uint8_t shift;         // reg-shift
    uint8_t address_cells; // of its children; NO_CELLS: not a number that can be used
    uint8_t size_cells;
    bool is_enabled;
    bool has_ranges;     // an empty `ranges`: its children's addresses are its own
    bool is_transparent; // its children's addresses are the processor's
};

static struct node nodes[TREE_NODES_MAX];
static uint32_t node_count;
static const void *indexed; // the tree that the index is about

static uint32_t cell_read(const uint8_t *value)
{
    return (uint32_t)value[0] << 24 | (uint32_t)value[1] << 16 | (uint32_t)value[2] << 8 | value[3];
}

static void cells_note(uint8_t *cells, const uint8_t *value, int length)
{
    uint32_t number = length == 4 ? cell_read(value) : 0;

    *cells = number >= 1 && number <= 2 ? (uint8_t)number : NO_CELLS;
}

static bool status_is_good(const char *status, int length)
{
    return length < 1 || text_equal(status, "okay", (uint64_t)length) ||
           text_equal(status, "ok", (uint64_t)length);
}

static bool is_named(const char *name, const char *wanted)
{
    return text_equal(name, wanted, PROPERTY_NAME_MAX);
}

// One property of a node that is being indexed. `value` lies in the tree, which has been checked.
static void property_note(struct node *node, const char *name, const void *value, int length)
{
    const uint8_t *bytes = value;
    uint32_t word = length == 4 ? cell_read(bytes) : 0;

    switch (name[0]) {
    case 'c':
        if (is_named(name, "compatible")) {
            node->compatible = value;
            node->compatible_size = (uint32_t)length;
        }
        break;
    case 'i':
        if (is_named(name, "interrupt-parent") && length >= 4)
            node->controller = cell_read(bytes);
        break;
    case 'l':
        if (is_named(name, "linux,phandle") && node->phandle == 0)
            node->phandle = word;
        break;
    case 'p':
        if (is_named(name, "phandle") && word != 0)
            node->phandle = word;
        break;
    case 'r':
        if (is_named(name, "ranges"))
            node->has_ranges = length == 0;
        if (is_named(name, "reg")) {
            node->reg = bytes;
            node->reg_size = (uint32_t)length;
        }
        if (is_named(name, "reg-shift"))
            node->shift = word > UINT8_MAX ? UINT8_MAX : (uint8_t)word;
        break;
    case 's':
        if (is_named(name, "status"))
            node->is_enabled = status_is_good(value, length);
        break;
    case '#':
        if (is_named(name, "#address-cells"))
            cells_note(&node->address_cells, bytes, length);
        if (is_named(name, "#size-cells"))
            cells_note(&node->size_cells, bytes, length);
        break;
    default:
        break;
    }
}

// Two address cells and one size cell are the rule where nothing is said (Devicetree specification
// 0.4, section 2.3.5). The root's addresses are the processor's.
static struct node *node_begin(int offset, uint32_t parent)
{
    struct node *node = &nodes[node_count++];

    *node = (struct node){
        .offset = offset,
        .parent = (uint16_t)parent,
        .address_cells = 2,
        .size_cells = 1,
        .is_enabled = true,
    };
    if (node_count > 1)
        node->controller = nodes[parent].controller;
    return node;
}

// All properties of a node come before its first child, so a parent is complete when a child
// begins. What is deeper or more than the limits is left out, with all that is below it.
static void index_make(const void *fdt)
{
    uint32_t path[TREE_DEPTH_MAX];
    uint32_t depth = 0;
    int offset = 0;
    int next = 0;

    indexed = fdt;
    node_count = 0;
    for (uint32_t tag = fdt_next_tag(fdt, offset, &next); tag != FDT_END && next > 0;
         offset = next, tag = fdt_next_tag(fdt, offset, &next)) {
        bool is_in = depth <= TREE_DEPTH_MAX && node_count < TREE_NODES_MAX;

        if (tag == FDT_BEGIN_NODE) {
            if (depth < TREE_DEPTH_MAX && is_in) {
                path[depth] = node_count;
                (void)node_begin(offset, depth == 0 ? 0 : path[depth - 1]);
            }
            depth++;
        } else if (tag == FDT_END_NODE && depth > 0) {
            depth--;
        } else if (tag == FDT_PROP && depth > 0 && is_in) {
            const char *name = NULL;
            int length = 0;
            const void *value = fdt_getprop_by_offset(fdt, offset, &name, &length);

            if (value != NULL && name != NULL)
                property_note(&nodes[path[depth - 1]], name, value, length);
        }
    }
    for (uint32_t index = 0; index < node_count; index++)
        nodes[index].is_transparent =
            index == 0 || (nodes[index].has_ranges && nodes[nodes[index].parent].is_transparent);
}

// What is written today (Devicetree Specification 0.4, section 5.2). libfdt 1.6.1 follows a null
// pointer in its check of versions 2 to 15.
#define VERSION_MIN 17u

bool tree_check(const void *fdt, uint64_t size)
{
    if (fdt == NULL || size < sizeof(struct fdt_header) || fdt_version(fdt) < VERSION_MIN ||
        fdt_check_full(fdt, size) != 0)
        return false;
    index_make(fdt);
    return true;
}

// The index of `fdt`, which has been checked; made again when the last one was of another tree.
static uint32_t index_of(const void *fdt)
{
    if (fdt != indexed)
        index_make(fdt);
    return node_count;
}

static const struct node *node_at(const void *fdt, int32_t offset)
{
    uint32_t low = 0;
    uint32_t high = index_of(fdt);

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (nodes[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < node_count && nodes[low].offset == offset ? &nodes[low] : NULL;
}

static bool node_is_compatible(const struct node *node, const char *compatible)
{
    return node->compatible != NULL &&
           fdt_stringlist_contains(node->compatible, (int)node->compatible_size, compatible) != 0;
}

// Reads `cells` big-endian 32-bit cells (1 or 2) at *cursor and moves it.
static uint64_t cells_read(const uint8_t **cursor, int cells)
{
    uint64_t value = 0;

    for (int index = 0; index < cells * 4; index++)
        value = value << 8 | (*cursor)[index];
    *cursor += cells * 4;
    return value;
}

// Entry `index` of the `reg` property of `node` under `parent`. False: there is none, or its cells
// are not 1 or 2.
static bool reg_read(const void *fdt, int parent, int node, uint32_t index, uint64_t *base,
                     uint64_t *size)
{
    int length = 0;
    const uint8_t *reg = fdt_getprop(fdt, node, "reg", &length);
    int address_cells = fdt_address_cells(fdt, parent);
    int size_cells = fdt_size_cells(fdt, parent);
    uint32_t entry;

    if (reg == NULL || length <= 0 || address_cells < 1 || address_cells > 2 || size_cells < 1 ||
        size_cells > 2)
        return false;
    entry = (uint32_t)(address_cells + size_cells) * 4;
    if (index >= (uint32_t)length / entry)
        return false;
    reg += index * entry;
    *base = cells_read(&reg, address_cells);
    *size = cells_read(&reg, size_cells);
    return true;
}

static bool region_append(struct boot_region *list, uint32_t *count, uint64_t base, uint64_t size)
{
    if (size == 0)
        return true;
    if (*count >= BOOT_REGIONS_MAX)
        return false;
    list[(*count)++] = (struct boot_region){.base = base, .size = size};
    return true;
}

static bool is_memory(const void *fdt, int node)
{
    int length = 0;
    const char *type = fdt_getprop(fdt, node, "device_type", &length);

    return type != NULL && length == (int)sizeof("memory") &&
           memcmp(type, "memory", sizeof("memory")) == 0;
}

bool tree_memory(const void *fdt, struct boot_info *info, bool with_ram)
{
    int node;
    int parent;
    int count;
    uint64_t base;
    uint64_t size;

    if (fdt == NULL)
        return true;
    count = fdt_num_mem_rsv(fdt);
    if (count < 0)
        return false;
    for (int index = 0; index < count; index++) {
        if (fdt_get_mem_rsv(fdt, index, &base, &size) != 0 ||
            !region_append(info->reserved, &info->reserved_count, base, size))
            return false;
    }
    parent = fdt_path_offset(fdt, "/reserved-memory");
    if (parent >= 0) {
        fdt_for_each_subnode(node, fdt, parent)
        {
            for (uint32_t index = 0; reg_read(fdt, parent, node, index, &base, &size); index++) {
                if (!region_append(info->reserved, &info->reserved_count, base, size))
                    return false;
            }
        }
    }
    if (!with_ram)
        return true;
    fdt_for_each_subnode(node, fdt, 0)
    {
        if (!is_memory(fdt, node))
            continue;
        for (uint32_t index = 0; reg_read(fdt, 0, node, index, &base, &size); index++) {
            if (!region_append(info->ram, &info->ram_count, base, size))
                return false;
        }
    }
    return true;
}

bool tree_u32(const void *fdt, const char *path, const char *property, uint32_t *out)
{
    int node = fdt == NULL ? -1 : fdt_path_offset(fdt, path);
    int length = 0;
    const uint8_t *value;

    if (node < 0)
        return false;
    value = fdt_getprop(fdt, node, property, &length);
    if (value == NULL || length != 4)
        return false;
    *out = (uint32_t)cells_read(&value, 1);
    return true;
}

const char *tree_text(const void *fdt, const char *path, const char *property)
{
    int node = fdt == NULL ? -1 : fdt_path_offset(fdt, path);
    int length = 0;
    const char *value;

    if (node < 0)
        return NULL;
    value = fdt_getprop(fdt, node, property, &length);
    if (value == NULL || length < 1 || text_length(value, (uint64_t)length) == (uint64_t)length)
        return NULL;
    return value;
}

// Entry `entry` of a node's registers, in its parent's cells. False: there is none.
static bool node_reg(const struct node *node, uint32_t entry, uint64_t *base, uint64_t *size)
{
    const struct node *parent = &nodes[node->parent];
    const uint8_t *reg;
    uint32_t bytes;

    if (parent->address_cells == NO_CELLS || parent->size_cells == NO_CELLS || node->reg == NULL)
        return false;
    bytes = ((uint32_t)parent->address_cells + parent->size_cells) * 4;
    if (entry >= node->reg_size / bytes)
        return false;
    reg = node->reg + entry * bytes;
    *base = cells_read(&reg, parent->address_cells);
    *size = cells_read(&reg, parent->size_cells);
    return true;
}

// stdout-path is the path of a node, or an alias, and may end in options behind a colon
// (Devicetree specification 0.4, section 3.6).
bool tree_console(const void *fdt, uint64_t *base)
{
    const char *path = tree_text(fdt, "/chosen", "stdout-path");
    uint64_t size;
    const struct node *node;
    int length = 0;

    if (path == NULL)
        return false;
    while (path[length] != '\0' && path[length] != ':')
        length++;
    node = node_at(fdt, fdt_path_offset_namelen(fdt, path, length));
    return node != NULL && node_reg(node, 0, base, &size);
}

// All enabled devices whose addresses are the processor's, in tree order; only those of
// `compatible` unless it is null.
static uint32_t devices_collect(const void *fdt, const char *compatible, struct tree_device *out,
                                uint32_t max)
{
    uint32_t found = 0;

    for (uint32_t index = 1; fdt != NULL && index < index_of(fdt); index++) {
        const struct node *node = &nodes[index];
        struct tree_device device = {
            .node = node->offset, .controller = node->controller, .shift = node->shift};

        if (!node->is_enabled || node->shift > 3 || !nodes[node->parent].is_transparent ||
            (compatible != NULL ? !node_is_compatible(node, compatible)
                                : node->compatible_size == 0))
            continue;
        for (uint32_t entry = 0; node_reg(node, entry, &device.base, &device.size); entry++) {
            if (device.size == 0)
                continue;
            if (found < max)
                out[found] = device;
            found++;
        }
    }
    return found;
}

uint32_t tree_devices(const void *fdt, struct tree_device *out, uint32_t max)
{
    return devices_collect(fdt, NULL, out, max);
}

bool tree_is_compatible(const void *fdt, int32_t node, const char *compatible)
{
    const struct node *found = node_at(fdt, node);

    return found != NULL && node_is_compatible(found, compatible);
}

bool tree_is_kernels(const void *fdt, int32_t node)
{
    static const char *const compatibles[] = {
        "virtio,mmio", "qemu,fw-cfg-mmio", "pci-host-ecam-generic", "syscon", "sifive,test0",
    };
    static const char *const properties[] = {
        "interrupt-controller",
        "msi-controller",
        "bus-range",
        "#iommu-cells",
    };
    int length = 0;

    for (uint32_t index = 0; index < COUNT_OF(compatibles); index++) {
        if (tree_is_compatible(fdt, node, compatibles[index]))
            return true;
    }
    for (uint32_t index = 0; index < COUNT_OF(properties); index++) {
        if (fdt_getprop(fdt, node, properties[index], &length) != NULL)
            return true;
    }
    return false;
}

uint32_t tree_cells(const void *fdt, int32_t node, const char *property, uint32_t *out,
                    uint32_t max)
{
    int length = 0;
    const uint8_t *value = fdt_getprop(fdt, node, property, &length);
    uint32_t count = value == NULL || length < 0 ? 0 : (uint32_t)length / 4;

    for (uint32_t index = 0; index < count && index < max; index++)
        out[index] = (uint32_t)cells_read(&value, 1);
    return count;
}

int32_t tree_referenced(const void *fdt, uint32_t phandle)
{
    for (uint32_t index = 0; phandle != 0 && index < index_of(fdt); index++) {
        if (nodes[index].phandle == phandle)
            return nodes[index].offset;
    }
    return -FDT_ERR_NOTFOUND;
}

int32_t tree_parent(const void *fdt, int32_t node)
{
    const struct node *found = node_at(fdt, node);

    return found == NULL || found == nodes ? -FDT_ERR_NOTFOUND : nodes[found->parent].offset;
}

// The controller of a device is named by itself or by the nearest node above that names one.
static uint32_t controller_of(const void *fdt, int32_t node)
{
    uint32_t phandle;

    for (uint32_t depth = 0; depth < TREE_DEPTH_MAX && node >= 0; depth++) {
        if (tree_cells(fdt, node, "interrupt-parent", &phandle, 1) == 1)
            return phandle;
        node = tree_parent(fdt, node);
    }
    return 0;
}

bool tree_interrupt_of(const void *fdt, int32_t node, int32_t controller, uint32_t index,
                       struct tree_interrupt *out)
{
    uint32_t cells[TREE_INTERRUPTS_MAX * TREE_SPECIFIER_MAX];
    uint32_t size;
    uint32_t count;

    if (fdt == NULL || node < 0 || controller < 0 || index >= TREE_INTERRUPTS_MAX)
        return false;
    out->controller = controller;
    if (tree_cells(fdt, controller, "#interrupt-cells", &size, 1) != 1 || size == 0 ||
        size > TREE_SPECIFIER_MAX)
        return false;
    count = tree_cells(fdt, node, "interrupts", cells, COUNT_OF(cells));
    if ((index + 1) * size > count || (index + 1) * size > COUNT_OF(cells))
        return false;
    out->count = size;
    memcpy(out->cells, &cells[index * size], size * sizeof(cells[0]));
    return true;
}

bool tree_interrupt(const void *fdt, int32_t node, uint32_t index, struct tree_interrupt *out)
{
    uint32_t phandle = fdt == NULL ? 0 : controller_of(fdt, node);

    return phandle != 0 && tree_interrupt_of(fdt, node, tree_referenced(fdt, phandle), index, out);
}

uint32_t tree_find_all(const void *fdt, const char *compatible, struct tree_device *out,
                       uint32_t max)
{
    return devices_collect(fdt, compatible, out, max);
}

int32_t tree_path(const void *fdt, const char *path)
{
    return fdt == NULL ? -1 : fdt_path_offset(fdt, path);
}

bool tree_find(const void *fdt, const char *compatible, struct tree_device *out)
{
    return devices_collect(fdt, compatible, out, 1) != 0;
}
