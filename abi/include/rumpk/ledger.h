// SPDX-License-Identifier: Apache-2.0
//
// ledger.h: the kernel's ledger (first form of ProvChain) and its boot record, as tools read them out of the
// guest's memory at the symbols rumpk_ledger and rumpk_boot_record of the kernel's ELF file.
//
// The ledger is append-only and bounded; each record's hash covers the record and the hash before it:
// hash = BLAKE2b-256(previous hash || bytes 0..RUMPK_LEDGER_HASHED-1); the first previous hash is 32 zero
// bytes. When it is full later records are counted in `dropped` and not kept.
#ifndef RUMPK_LEDGER_H
#define RUMPK_LEDGER_H

#include <rumpk/base.h>

#define RUMPK_LEDGER_MAGIC UINT64_C(0x3052474C4B504D52)  // "RMPKLGR0" little-endian
#define RUMPK_LEDGER_CAPACITY 256u
#define RUMPK_LEDGER_HASHED 192u
#define RUMPK_LEDGER_NO_PACKAGE 0xFFFFFFFFu

// X(name, value, sentence)
#define RUMPK_LEDGER_KINDS(X) \
    X(BOOT, 1, "the kernel started; detail: ticks of stage 1") \
    X(MANIFEST, 2, "the boot manifest was accepted") \
    X(START, 3, "a package was verified and its fiber started") \
    X(REFUSE, 4, "a package or the boot manifest was refused; code: rumpk_refusal") \
    X(FAULT, 5, "a fiber was ended for a fault; code: rumpk_fault") \
    X(EXIT, 6, "a fiber ended itself; detail: its exit code") \
    X(END, 7, "nothing can happen any more: power-off") \
    X(STRIKE, 8, "a fiber overran its budget; code: how often; detail: its run time in ticks; pc: where") \
    X(READY, 9, "a package announced itself: it waits for requests of a service; detail: number of the wire") \
    X(WAIT, 10, "a package was not started: a service that it needs has not announced itself; detail: the wire")

enum rumpk_ledger_kind {
#define RUMPK_LEDGER_ENUM(name, value, sentence) RUMPK_LEDGER_##name = (value),
    RUMPK_LEDGER_KINDS(RUMPK_LEDGER_ENUM)
#undef RUMPK_LEDGER_ENUM
};

// Why a package, or the whole boot manifest, was refused. X(name, value, sentence)
#define RUMPK_REFUSALS(X) \
    X(NONE, 0, "not refused") \
    X(OWNER_KEY, 1, "the image carries no owner key") \
    X(ARCHIVE_HEADER, 2, "the boot archive's header or entry table is malformed") \
    X(ARCHIVE_BOUNDS, 3, "an entry of the boot archive points outside it or out of order") \
    X(ARCHIVE_PADDING, 4, "padding of the boot archive is not zero") \
    X(MANIFEST_SIGNATURE, 5, "the owner's signature does not fit the boot manifest") \
    X(MANIFEST_FORM, 6, "the boot manifest is malformed") \
    X(MANIFEST_ARCH, 7, "the boot manifest is for another architecture") \
    X(PACKAGE_ID, 8, "the digests are not those that the boot manifest pins") \
    X(PACKAGE_NAME, 9, "name or version differ between digests, manifest and boot manifest") \
    X(PACKAGE_KEY, 10, "the publisher's key is not one that the boot manifest pins, or it is the image owner's") \
    X(SIGNATURE, 11, "the publisher's signature does not fit the digests") \
    X(DIGESTS_FORM, 12, "the digests are malformed") \
    X(SECURITY_FLOOR, 13, "the security version is below the floor") \
    X(ABI_VERSION, 14, "the package needs a newer ABI than this kernel has, or one it no longer loads") \
    X(ARCH, 15, "the package has nothing for this architecture") \
    X(MANIFEST_DIGEST, 16, "npl.bkdl is not the signed one") \
    X(ELF_DIGEST, 17, "the driver file is not the signed one") \
    X(PACKAGE_FORM, 18, "npl.bkdl is malformed") \
    X(ELF_HEADER, 19, "the driver file is no ELF file of the right class, type or version") \
    X(ELF_MACHINE, 20, "the driver file is for another processor") \
    X(ELF_BOUNDS, 21, "a table or segment of the driver file lies outside it") \
    X(ELF_OVERLAP, 22, "segments of the driver file overlap or are out of order") \
    X(ELF_ALIGNMENT, 23, "a segment of the driver file is not aligned to pages") \
    X(ELF_WX, 24, "a segment of the driver file is writable and executable") \
    X(ELF_SEGMENT, 25, "a segment of the driver file is of a type that is not allowed") \
    X(ELF_ENTRY, 26, "the entry point does not lie in executable code") \
    X(ELF_DYNAMIC, 27, "the dynamic section is malformed or asks for more than relative relocations") \
    X(ELF_RELOCATION, 28, "a relocation is of another type than relative, misaligned or outside writable data") \
    X(ELF_SIZE, 29, "the driver file or its memory image is too large") \
    X(NOTE_MISSING, 30, "the ABI note is missing, malformed or there twice") \
    X(NOTE_ABI, 31, "the ABI note names another ABI version than the digests") \
    X(NOTE_ARCH, 32, "the ABI note names another architecture") \
    X(NOTE_PROFILE, 33, "the ABI note names a floating point profile that this kernel does not know") \
    X(GRANT_UNASKED, 34, "the boot manifest grants what the package did not request, or more of it") \
    X(GRANT_DEVICE, 35, "the granted device is not there") \
    X(GRANT_BUSY, 36, "the granted device is already held by another package") \
    X(GRANT_DMA, 37, "DMA memory is granted without the owner's permission for DMA") \
    X(WIRE, 38, "a wire does not fit what the packages need and provide") \
    X(LIMIT, 39, "a limit of the kernel is exceeded") \
    X(MEMORY, 40, "not enough memory") \
    X(REQUEST_MISSING, 41, "a request that is not optional was not granted") \
    X(NEED_MISSING, 42, "a service that is not optional was not wired, or its provider was refused") \
    X(SERVICE_FAILED, 43, "the provider of a service that is not optional ended before it announced itself") \
    X(CIRCLE, 44, "packages need each other's services in a circle: none of them could start first") \
    X(KERNEL_DIGEST, 45, "the boot manifest was signed for another kernel than the one that runs")

enum rumpk_refusal {
#define RUMPK_REFUSAL_ENUM(name, value, sentence) RUMPK_REFUSE_##name = (value),
    RUMPK_REFUSALS(RUMPK_REFUSAL_ENUM)
#undef RUMPK_REFUSAL_ENUM
};

struct rumpk_ledger_record {
    uint32_t sequence;    // from 0
    uint16_t kind;        // enum rumpk_ledger_kind
    uint16_t code;        // enum rumpk_refusal or enum rumpk_fault, by kind
    uint64_t ticks;       // since kernel entry
    uint32_t package;     // number in the boot manifest, or RUMPK_LEDGER_NO_PACKAGE
    uint32_t fiber;       // fiber number, or 0xFFFFFFFF
    uint64_t pc;          // FAULT: address of the instruction
    uint64_t address;     // FAULT: address that was accessed, where there is one
    uint64_t detail;      // FAULT: processor's cause; EXIT: code; REFUSE: offset or index that shows the place
    uint64_t image_base;  // FAULT, START: load address: pc - image_base is the offset in the ELF file
    uint64_t reserved0;
    uint8_t package_id[RUMPK_DIGEST_SIZE];
    char name[RUMPK_NAME_SIZE];
    uint8_t reserved1[24];
    uint8_t previous[RUMPK_DIGEST_SIZE];
    uint8_t hash[RUMPK_DIGEST_SIZE];
};
RUMPK_ASSERT_SIZE(rumpk_ledger_record, 256);
RUMPK_ASSERT_OFFSET(rumpk_ledger_record, package_id, 64);
RUMPK_ASSERT_OFFSET(rumpk_ledger_record, previous, RUMPK_LEDGER_HASHED);

struct rumpk_ledger {
    uint64_t magic;
    uint32_t capacity;
    uint32_t count;
    uint32_t dropped;
    uint32_t reserved[11];
    struct rumpk_ledger_record records[RUMPK_LEDGER_CAPACITY];
};
RUMPK_ASSERT_OFFSET(rumpk_ledger, records, 64);

#define RUMPK_BOOT_MAGIC UINT64_C(0x30544F4F424B4D52)  // "RMKBOOT0" little-endian

// X(name, value, sentence). Stage 1 in this order, then stage 2.
#define RUMPK_BOOT_STAGES(X) \
    X(ENTRY, 1, "kernel entered") \
    X(MEMORY, 2, "memory map read") \
    X(MMU, 3, "own page tables on") \
    X(CONSOLE, 4, "console device found; it is left to its driver") \
    X(INTERRUPTS, 5, "interrupt controller set up, every line masked") \
    X(TIMER, 6, "timer set up and seen to run") \
    X(DEVICES, 7, "devices found") \
    X(SYSTABLE, 8, "SysTable written") \
    X(ARCHIVE, 9, "boot archive and manifest verified") \
    X(PACKAGES, 10, "packages verified") \
    X(RINGS, 11, "packages loaded, their capabilities and rings made") \
    X(RUNNING, 12, "first driver entered") \
    X(SERVICES, 13, "each package that starts at boot has been started, or will not be") \
    X(ENDED, 14, "nothing can happen any more")

enum rumpk_boot_stage {
#define RUMPK_BOOT_ENUM(name, value, sentence) RUMPK_BOOT_##name = (value),
    RUMPK_BOOT_STAGES(RUMPK_BOOT_ENUM)
#undef RUMPK_BOOT_ENUM
};

// What ended the machine when it was not the normal end. X(name, value, sentence)
#define RUMPK_BOOT_CAUSES(X) \
    X(NONE, 0, "none") \
    X(MEMORY_MAP, 1, "no usable memory map from the firmware") \
    X(MEMORY_SHORT, 2, "not enough memory for the kernel's own tables") \
    X(DEVICE_TREE, 3, "the device tree is missing or malformed") \
    X(TIMER, 4, "no usable timer") \
    X(TRAP, 5, "the kernel faulted outside any service of a fiber") \
    X(FIRMWARE, 6, "the firmware or the processor lacks something the kernel needs") \
    X(TABLES, 7, "the firmware's ACPI tables are malformed")

enum rumpk_boot_cause {
#define RUMPK_BOOT_CAUSE_ENUM(name, value, sentence) RUMPK_BOOT_CAUSE_##name = (value),
    RUMPK_BOOT_CAUSES(RUMPK_BOOT_CAUSE_ENUM)
#undef RUMPK_BOOT_CAUSE_ENUM
};

struct rumpk_boot_record {
    uint64_t magic;
    uint32_t stage;     // enum rumpk_boot_stage: the last one completed
    uint32_t cause;     // enum rumpk_boot_cause
    uint32_t arch;
    uint32_t package;   // package being worked on, or RUMPK_LEDGER_NO_PACKAGE
    uint64_t pc;        // cause TRAP: where
    uint64_t address;   // cause TRAP: address accessed
    uint64_t detail;    // cause TRAP: processor's cause
    uint64_t timer_hz;
    uint64_t ticks[16]; // when each stage was completed, by stage number, since kernel entry
    uint64_t memory_size;      // usable RAM in bytes
    uint64_t systable_physical;
    uint64_t kernel_start;     // physical range of the kernel, bss included
    uint64_t kernel_end;
    uint64_t pages_total;      // 4 KiB pages that drivers may get
    uint64_t pages_free;
    uint64_t console;          // first register or port of the device that the firmware calls its console; 0: none
    uint64_t reserved[7];
};
RUMPK_ASSERT_SIZE(rumpk_boot_record, 296);
RUMPK_ASSERT_OFFSET(rumpk_boot_record, ticks, 56);

#endif
