// SPDX-License-Identifier: Apache-2.0
//
// ELF files: the driver in a package, checked by the kernel's own rules, and the kernel file,
// searched for symbols and sections.
//
// nip refuses a driver that the kernel would refuse, for the same reason (enum rumpk_refusal),
// before it is signed or put into an image. All functions read hostile bytes. Little-endian 64-bit
// files only.

#ifndef NIP_ELF_H
#define NIP_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rumpk/base.h>
#include <rumpk/ledger.h>
#include <rumpk/note.h>

#include "nip/error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct nip_elf_driver {
    uint64_t entry;            // offset from the load address
    uint64_t memory_size;      // bytes in memory, whole pages
    uint64_t relocation_count; // R_*_RELATIVE
    struct rumpk_abi_note note;
};

// Checks a driver file: header, segments (page-aligned, in order, offset = address, the first one
// at 0, none writable and executable), entry, dynamic section, relocations (relative, aligned, in
// writable data only), the ABI note (there once, for `arch` and `abi_version`). On refusal
// `*refusal` (may be NULL) says for which reason the kernel would refuse it, and `err` where and
// what was expected. `driver` may be NULL.
enum nip_code nip_elf_check_driver(const void *data, size_t size, const char *file, uint32_t arch,
                                   uint32_t abi_version, struct nip_elf_driver *driver,
                                   enum rumpk_refusal *refusal, struct nip_error *err)
    NIP_MUST_CHECK;

// The calls that a driver's code can make through libnpl, out of its debug file. FORMAT for a section
// of records that holds anything else; a file without one has none.
struct nip_elf_calls {
    uint32_t calls;           // bit n: RUMPK_CALL_n
    uint32_t mask_operations; // bit n: RUMPK_MASK_n
};
enum nip_code nip_elf_calls(const void *data, size_t size, const char *file,
                            struct nip_elf_calls *calls, struct nip_error *err) NIP_MUST_CHECK;
const char *nip_call_name(uint32_t call); // "SEND"; "?" for none

struct nip_elf_kernel {
    uint32_t arch;         // RUMPK_ARCH_*
    uint64_t entry;
    uint64_t memory_start; // lowest physical address that is loaded
    uint64_t memory_end;   // first byte after the highest one, bss included
    uint64_t file_size;    // bytes loaded from the file
    uint64_t header_offset; // of .rumpk.image in the file
    uint32_t segment_count;
};

// Checks the kernel file (or an image): an executable of a known architecture whose loadable
// segments lie in the file, in order, apart from each other, at equal physical and virtual
// addresses, none of them writable and executable, with one .rumpk.image section of the right size.
enum nip_code nip_elf_check_kernel(const void *data, size_t size, const char *file,
                                   struct nip_elf_kernel *kernel, struct nip_error *err)
    NIP_MUST_CHECK;

// A symbol of the file's symbol table. MISSING when there is none of that name. Outputs may be
// NULL.
enum nip_code nip_elf_find_symbol(const void *data, size_t size, const char *file,
                                  const char *name, uint64_t *address, uint64_t *symbol_size,
                                  struct nip_error *err) NIP_MUST_CHECK;

// A section by name. MISSING when there is none. Outputs may be NULL; the bytes lie within the file
// (size 0 for a section without content).
enum nip_code nip_elf_find_section(const void *data, size_t size, const char *file,
                                   const char *name, uint64_t *address, uint64_t *offset,
                                   uint64_t *section_size, struct nip_error *err) NIP_MUST_CHECK;

enum { NIP_ELF_BUILD_ID_MAX = 64 };
// The GNU build id; returns its size, 0 when there is none (or no ELF file at all).
size_t nip_elf_build_id(const void *data, size_t size, uint8_t build_id[NIP_ELF_BUILD_ID_MAX]);

#ifdef __cplusplus
}
#endif

#endif
