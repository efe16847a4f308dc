// SPDX-License-Identifier: Apache-2.0
//
// tree.c: the device tree; the one file that includes libfdt.
//
// libfdt is built with all its checks, and fdt_check_full has walked the whole structure before
// anything else is asked. Still every cell count, list and address is bounded here: a tree can be
// well-formed and absurd.
#include <kernel/tree.h>

#include <libfdt.h>

bool tree_check(const void *fdt, uint64_t size)
{
    return fdt != NULL && size >= sizeof(struct fdt_header) && fdt_check_full(fdt, size) == 0;
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

// stdout-path is the path of a node, or an alias, and may end in options behind a colon
// (Devicetree specification 0.4, section 3.6).
bool tree_console(const void *fdt, uint64_t *base)
{
    const char *path = tree_text(fdt, "/chosen", "stdout-path");
    uint64_t size;
    int length = 0;
    int node;

    if (path == NULL)
        return false;
    while (path[length] != '\0' && path[length] != ':')
        length++;
    node = fdt_path_offset_namelen(fdt, path, length);
    return node >= 0 && reg_read(fdt, fdt_parent_offset(fdt, node), node, 0, base, &size);
}

static bool is_enabled(const void *fdt, int node)
{
    int length = 0;
    const char *status = fdt_getprop(fdt, node, "status", &length);

    if (status == NULL || length < 1)
        return true;
    return text_equal(status, "okay", (uint64_t)length) ||
           text_equal(status, "ok", (uint64_t)length);
}

// Are the addresses of this node's children those of the processor, given that its own are?
static bool is_transparent(const void *fdt, int node)
{
    int length = 0;

    return fdt_getprop(fdt, node, "ranges", &length) != NULL && length == 0;
}

static bool is_device(const void *fdt, int node, const char *compatible)
{
    int length = 0;

    if (compatible != NULL)
        return tree_is_compatible(fdt, node, compatible);
    return fdt_getprop(fdt, node, "compatible", &length) != NULL && length > 0;
}

// All enabled devices whose addresses are the processor's, in tree order; only those of
// `compatible` unless it is null.
static uint32_t devices_collect(const void *fdt, const char *compatible, struct tree_device *out,
                                uint32_t max)
{
    int parents[TREE_DEPTH_MAX];
    bool transparent[TREE_DEPTH_MAX];
    uint32_t controllers[TREE_DEPTH_MAX] = {0}; // what each node on the way down names or inherits
    uint32_t found = 0;
    int depth = 0;
    int node = 0;

    if (fdt == NULL)
        return 0;
    parents[0] = 0;
    transparent[0] = true;
    (void)tree_cells(fdt, 0, "interrupt-parent", &controllers[0], 1);
    for (uint32_t seen = 0; seen < TREE_NODES_MAX; seen++) {
        struct tree_device device = {0};

        node = fdt_next_node(fdt, node, &depth);
        if (node < 0 || depth < 1)
            break;
        if (depth >= (int)TREE_DEPTH_MAX)
            continue;
        parents[depth] = node;
        controllers[depth] = controllers[depth - 1];
        if (compatible == NULL) // who looks for one device asks tree_interrupt
            (void)tree_cells(fdt, node, "interrupt-parent", &controllers[depth], 1);
        transparent[depth] = transparent[depth - 1] && is_transparent(fdt, node);
        if (!transparent[depth - 1] || !is_enabled(fdt, node) || !is_device(fdt, node, compatible))
            continue;
        for (uint32_t index = 0;
             reg_read(fdt, parents[depth - 1], node, index, &device.base, &device.size); index++) {
            int length = 0;
            const uint8_t *shift = fdt_getprop(fdt, node, "reg-shift", &length);

            device.node = node;
            device.controller = controllers[depth];
            device.shift = shift != NULL && length == 4 ? (uint32_t)cells_read(&shift, 1) : 0;
            if (device.size == 0 || device.shift > 3)
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
    return fdt_node_check_compatible(fdt, node, compatible) == 0;
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
    return fdt_node_offset_by_phandle(fdt, phandle);
}

int32_t tree_parent(const void *fdt, int32_t node)
{
    return fdt_parent_offset(fdt, node);
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
