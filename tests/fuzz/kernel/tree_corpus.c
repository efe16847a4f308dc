// SPDX-License-Identifier: Apache-2.0
//
// tree_corpus FOLDER NAME: writes a device tree of the kind that the machines hand over.
#include <libfdt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint8_t tree[4096];

static void must(int result)
{
    if (result < 0) {
        fprintf(stderr, "tree_corpus: %s\n", fdt_strerror(result));
        exit(1);
    }
}

static void node(const char *name, const char *compatible, uint64_t base, uint64_t size)
{
    fdt64_t reg[2] = {cpu_to_fdt64(base), cpu_to_fdt64(size)};

    must(fdt_begin_node(tree, name));
    if (compatible != NULL)
        must(fdt_property_string(tree, "compatible", compatible));
    else
        must(fdt_property_string(tree, "device_type", "memory"));
    must(fdt_property(tree, "reg", reg, sizeof reg));
    must(fdt_end_node(tree));
}

static void cells(const char *name, const uint32_t *values, uint32_t count)
{
    fdt32_t list[64];

    for (uint32_t index = 0; index < count; index++)
        list[index] = cpu_to_fdt32(values[index]);
    must(fdt_property(tree, name, list, (int)(count * sizeof list[0])));
}

#define CELLS(name, ...)                         \
    cells(name, (const uint32_t[]){__VA_ARGS__}, \
          sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

// An interrupt controller and a PCI host whose pins go to it.
static void pci(void)
{
    must(fdt_begin_node(tree, "controller@8000000"));
    must(fdt_property_u32(tree, "phandle", 1));
    must(fdt_property_u32(tree, "#address-cells", 2));
    must(fdt_property_u32(tree, "#interrupt-cells", 3));
    must(fdt_end_node(tree));
    must(fdt_begin_node(tree, "pcie@10000000"));
    must(fdt_property_string(tree, "compatible", "pci-host-ecam-generic"));
    must(fdt_property_u32(tree, "#address-cells", 3));
    must(fdt_property_u32(tree, "#size-cells", 2));
    CELLS("reg", 0x40, 0x10000000, 0, 0x10000000);
    CELLS("bus-range", 0, 255);
    CELLS("ranges", 0x1000000, 0, 0, 0, 0x3eff0000, 0, 0x10000, 0x2000000, 0, 0x10000000, 0,
          0x10000000, 0, 0x2eff0000);
    CELLS("interrupt-map-mask", 0x1800, 0, 0, 7);
    CELLS("interrupt-map", 0, 0, 0, 1, 1, 0, 0, 0, 3, 4, 0x800, 0, 0, 1, 1, 0, 0, 0, 4, 4);
    must(fdt_end_node(tree));
}

static void write_seed(const char *folder, const char *name)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "wb");
    if (file == NULL || fwrite(tree, 1, fdt_totalsize(tree), file) != fdt_totalsize(tree) ||
        fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    must(fdt_create(tree, sizeof tree));
    must(fdt_add_reservemap_entry(tree, 0x80000000, 0x40000));
    must(fdt_finish_reservemap(tree));
    must(fdt_begin_node(tree, ""));
    must(fdt_property_u32(tree, "#address-cells", 2));
    must(fdt_property_u32(tree, "#size-cells", 2));
    node("memory@80000000", NULL, 0x80000000, 0x800000);
    must(fdt_begin_node(tree, "reserved-memory"));
    must(fdt_property_u32(tree, "#address-cells", 2));
    must(fdt_property_u32(tree, "#size-cells", 2));
    must(fdt_property(tree, "ranges", NULL, 0));
    node("firmware@80000000", "vendor,firmware", 0x80000000, 0x80000);
    must(fdt_end_node(tree));
    must(fdt_begin_node(tree, "cpus"));
    must(fdt_property_u32(tree, "timebase-frequency", 10000000));
    must(fdt_end_node(tree));
    must(fdt_begin_node(tree, "psci"));
    must(fdt_property_string(tree, "method", "hvc"));
    must(fdt_end_node(tree));
    must(fdt_begin_node(tree, "soc"));
    must(fdt_property_u32(tree, "#address-cells", 2));
    must(fdt_property_u32(tree, "#size-cells", 2));
    must(fdt_property(tree, "ranges", NULL, 0));
    node("serial@10000000", "ns16550a", 0x10000000, 0x100);
    node("virtio_mmio@10001000", "virtio,mmio", 0x10001000, 0x1000);
    must(fdt_end_node(tree));
    pci();
    must(fdt_end_node(tree));
    must(fdt_finish(tree));
    write_seed(argv[1], "machine");
    // The same tree, said to be of an older or newer form: libfdt 1.6.1 follows a null pointer in
    // the check of versions 2 to 15.
    for (uint32_t version = 0; version < 20; version++) {
        char name[32];

        fdt_set_version(tree, version);
        fdt_set_last_comp_version(tree, version < 16 ? version : 16);
        snprintf(name, sizeof name, "version-%u", version);
        write_seed(argv[1], name);
    }
    return 0;
}
