// SPDX-License-Identifier: Apache-2.0
//
// How to start the emulator for one architecture: a file of share/rumpk/machines of the SDK,
// turned into an argument vector. The files are generated from toolchain/arch, so that no emulator
// flag is written down twice.

#ifndef NIP_MACHINE_H
#define NIP_MACHINE_H

#include <stddef.h>
#include <stdint.h>

#include "nip/error.h"
#include "nip/kdl.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { NIP_MACHINE_NAME_SIZE = 32 };

struct nip_machine {
    char name[NIP_MACHINE_NAME_SIZE]; // "virt"
    uint32_t arch;                    // RUMPK_ARCH_*
    char qemu[64];                    // program name, looked up in PATH
    char version[32];                 // the version it was tested with: "7.2"
    uint32_t memory_mib;              // when the user says nothing
    uint64_t ram_base;                // physical address where RAM begins
    char firmware_last[64];  // how the last line of the firmware's own output begins; "": none
    char console_driver[64]; // package in namespace rumpk: "uart-16550"
    struct nip_kdl_document *document;
};

// On success the caller ends with nip_machine_free().
enum nip_code nip_machine_parse(const char *text, size_t size, const char *file,
                                struct nip_machine *machine, struct nip_error *err) NIP_MUST_CHECK;
void nip_machine_free(struct nip_machine *machine);

enum { NIP_MACHINE_DISK_MAX = 8, NIP_MACHINE_ARGUMENT_MAX = 96 };

struct nip_machine_options {
    const char *kernel;  // file name of the image
    const char *ram;     // file that becomes the guest's RAM; NULL: none
    uint32_t memory_mib; // 0: the machine's default
    const char *disks[NIP_MACHINE_DISK_MAX];
    uint32_t disk_count;
    int with_rng;
    uint16_t gdb_port; // 0: no debugger. Otherwise the guest waits for it at its first step
};

// An argument vector, NULL at the end, its strings owned here.
struct nip_machine_arguments {
    uint32_t count;
    char *list[NIP_MACHINE_ARGUMENT_MAX + 1];
};

// Starts with the program name. LIMIT when there are too many. Free with
// nip_machine_arguments_free().
enum nip_code nip_machine_arguments_make(const struct nip_machine *machine,
                                         const struct nip_machine_options *options,
                                         struct nip_machine_arguments *arguments,
                                         struct nip_error *err) NIP_MUST_CHECK;
// Appends one more argument (copied).
enum nip_code nip_machine_arguments_add(struct nip_machine_arguments *arguments, const char *text,
                                        struct nip_error *err) NIP_MUST_CHECK;
void nip_machine_arguments_free(struct nip_machine_arguments *arguments);

#ifdef __cplusplus
}
#endif

#endif
