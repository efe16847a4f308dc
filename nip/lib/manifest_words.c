// SPDX-License-Identifier: Apache-2.0
//
// Names for the numbers of a manifest, and requests in words.

#include "nip/manifest.h"

#include <inttypes.h>
#include <string.h>

#include <rumpk/call.h>
#include <rumpk/cap.h>

#include "manifest_schema.h"
#include "schema_text.h"

static const char *choice_name(const struct schema_choice *choices, uint32_t value)
{
    for (; choices->name; choices++)
        if (choices->value == value)
            return choices->name;
    return "?";
}

static bool choice_value(const struct schema_choice *choices, const char *name, uint32_t *value)
{
    for (; choices->name; choices++)
        if (strcmp(choices->name, name) == 0) {
            *value = choices->value;
            return true;
        }
    return false;
}

const char *nip_arch_name(uint32_t arch)
{
    return arch >= 1 && arch <= RUMPK_ARCH_COUNT ? choice_name(manifest_archs, RUMPK_ARCH_BIT(arch))
                                                 : "?";
}

bool nip_arch_from_name(const char *name, uint32_t *arch)
{
    uint32_t bit;
    if (!choice_value(manifest_archs, name, &bit))
        return false;
    for (*arch = 1; RUMPK_ARCH_BIT(*arch) != bit;)
        ++*arch;
    return true;
}

const char *nip_build_system_name(uint32_t system)
{
    return system == NIP_BUILD_OWN ? "nip" : choice_name(manifest_build_systems, system);
}

bool nip_build_system_from_name(const char *name, uint32_t *system)
{
    return choice_value(manifest_build_systems, name, system);
}

const char *nip_restart_name(uint32_t restart)
{
    return choice_name(manifest_restarts, restart);
}

void nip_pledge_words(uint64_t pledge, struct nip_buffer *out)
{
    const char *between = "";
    pledge &= RUMPK_PLEDGE_CLASSES;
    if (pledge == RUMPK_PLEDGE_CLASSES || pledge == 0) {
        nip_buffer_append_text(out, pledge == 0 ? "none" : "all");
        return;
    }
    for (const struct schema_choice *class = manifest_pledges; class->name != NULL; class ++)
        if ((pledge & class->value) != 0) {
            nip_buffer_append_format(out, "%s%s", between, class->name);
            between = " ";
        }
}

const char *nip_spectrum_name(uint32_t spectrum)
{
    return choice_name(manifest_spectrums, spectrum);
}

bool nip_spectrum_from_name(const char *name, uint32_t *spectrum)
{
    return choice_value(manifest_spectrums, name, spectrum);
}

const char *nip_kind_name(uint32_t kind)
{
    return choice_name(manifest_kinds, kind);
}

const char *nip_style_name(uint32_t style)
{
    return choice_name(manifest_styles, style);
}

const struct rumpk_bkdl_request *nip_manifest_request(const struct nip_manifest *manifest,
                                                      const char *name)
{
    for (uint32_t i = 0; i < manifest->request_count; i++)
        if (strcmp(manifest->requests[i].name, name) == 0)
            return &manifest->requests[i];
    return NULL;
}

void nip_manifest_match_words(const struct rumpk_bkdl_match *match, struct nip_buffer *out)
{
    if (match->bus == RUMPK_BUS_VIRTIO)
        nip_buffer_append_format(out, "virtio %u", (unsigned)match->device_id);
    else if (match->bus == RUMPK_BUS_PCI)
        nip_buffer_append_format(out, "PCI %04x:%04x class 0x%08x", (unsigned)match->vendor_id,
                                 (unsigned)match->device_id, (unsigned)match->class_code);
    else
        nip_buffer_append_format(out, "\"%s\"", match->compatible);
}

// The virtio device types that a person would rather read by name (virtio 1.2, section 5).
static const char *virtio_device_name(uint32_t device_id)
{
    static const char *const names[] = {
        [1] = "network", [2] = "block", [3] = "console", [4] = "entropy", [5] = "balloon",
        [8] = "SCSI",    [9] = "9P",    [16] = "GPU",    [18] = "input",  [19] = "socket",
    };
    return device_id < sizeof names / sizeof names[0] && names[device_id] ? names[device_id]
                                                                          : "unnamed type";
}

static void print_pci_request(const struct rumpk_bkdl_request *request, struct nip_buffer *out)
{
    nip_buffer_append_format(out, "read and write register block %" PRIu32 "%s of the PCI device",
                             request->bar, request->queues != 0 ? " and take the interrupt" : "");
    if (request->vendor_id != 0)
        nip_buffer_append_format(out, " %04" PRIx32 ":%04" PRIx32, request->vendor_id,
                                 request->device_id);
    if (request->class_code != 0) {
        nip_buffer_append_text(out, " of class ");
        schema_print_class(request->class_code, out);
    }
    nip_buffer_append_format(out, " as \"%s\"", request->name);
}

void nip_manifest_request_words(const struct rumpk_bkdl_request *request, struct nip_buffer *out)
{
    switch (request->type) {
    case RUMPK_CAP_DEVICE:
        nip_buffer_append_format(out,
                                 "use the virtio device %" PRIu32 " (%s) as \"%s\", "
                                 "%" PRIu32 " queue%s",
                                 request->device_id, virtio_device_name(request->device_id),
                                 request->name, request->queues, request->queues == 1 ? "" : "s");
        break;
    case RUMPK_CAP_WINDOW:
        if (request->bus == RUMPK_BUS_PCI) {
            print_pci_request(request, out);
            break;
        }
        nip_buffer_append_format(out, "read and write the registers%s of \"%s\" as \"%s\"",
                                 request->queues != 0 ? " and take the interrupt" : "",
                                 request->compatible, request->name);
        break;
    case RUMPK_CAP_DMA:
        nip_buffer_append_text(out, "hold ");
        schema_print_size(request->size, out);
        nip_buffer_append_format(out, " of memory that devices may read and write (DMA) as \"%s\"",
                                 request->name);
        break;
    case RUMPK_CAP_MEMORY:
        nip_buffer_append_text(out, "hold ");
        schema_print_size(request->size, out);
        nip_buffer_append_format(out, " of memory as \"%s\"", request->name);
        break;
    default:
        nip_buffer_append_format(out, "hold a capability of type %" PRIu32 " as \"%s\"",
                                 request->type, request->name);
    }
    if (request->optional)
        nip_buffer_append_text(out, " (can do without)");
}
