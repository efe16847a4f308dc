// SPDX-License-Identifier: Apache-2.0
//
// result.h: the one vocabulary of results across the driver ABI, and of the faults that end a fiber.
//
// A call returns zero or a positive value on success and one of these negative codes otherwise. Misuse
// that a correct driver cannot commit (a pointer outside its own memory, a direct trap) is no result:
// it is a fault, and the fiber ends. One list makes the numbers and the sentences.
#ifndef RUMPK_RESULT_H
#define RUMPK_RESULT_H

#include <rumpk/base.h>

// X(name, value, sentence)
#define RUMPK_RESULTS(X) \
    X(OK, 0, "done") \
    X(E_ARGUMENT, -1, "an argument is outside its documented range") \
    X(E_SLOT, -2, "the capability slot is out of range or empty") \
    X(E_TYPE, -3, "the capability in this slot is of another type than the call needs") \
    X(E_RIGHTS, -4, "the capability lacks a right that the call needs") \
    X(E_BOUNDS, -5, "offset and length do not lie inside the object") \
    X(E_STALE, -6, "the capability was revoked") \
    X(E_PLEDGE, -7, "this fiber has given up this class of calls") \
    X(E_TIMEOUT, -8, "the deadline passed first") \
    X(E_FULL, -9, "no room: retry after the other side has made progress") \
    X(E_PEER, -10, "the other end is gone and will not come back") \
    X(E_EPOCH, -11, "the other end was restarted: resynchronise, then go on") \
    X(E_UNSUPPORTED, -12, "this kernel does not offer this call; meta tells which it offers") \
    X(E_LIMIT, -13, "a documented limit of the kernel is reached") \
    X(E_MEMORY, -14, "no memory left for this") \
    X(E_DEVICE, -15, "the device refused or reports failure") \
    X(E_SHARED_PAGE, -16, "another device lies in the same page: the window cannot be given out") \
    X(E_STATE, -17, "the object is not in a state that allows this")

enum rumpk_result {
#define RUMPK_RESULT_ENUM(name, value, sentence) RUMPK_##name = (value),
    RUMPK_RESULTS(RUMPK_RESULT_ENUM)
#undef RUMPK_RESULT_ENUM
};

// Why a fiber was ended. X(name, value, sentence)
#define RUMPK_FAULTS(X) \
    X(NONE, 0, "no fault") \
    X(READ, 1, "read from an address that the driver may not read") \
    X(WRITE, 2, "write to an address that the driver may not write") \
    X(EXECUTE, 3, "jump to an address that the driver may not execute") \
    X(ILLEGAL, 4, "illegal or privileged instruction") \
    X(TRAP, 5, "system call instruction outside the gate page") \
    X(MISALIGNED, 6, "misaligned access or jump") \
    X(ARITHMETIC, 7, "division or other arithmetic exception") \
    X(BREAKPOINT, 8, "breakpoint instruction") \
    X(STACK, 9, "stack overflow: access in the guard below the stack") \
    X(POINTER, 10, "a call was given memory that is not the driver's own") \
    X(CALL, 11, "unknown call number or reserved argument bits") \
    X(PROTECTION, 12, "general protection: port, segment or control access that is not the driver's") \
    X(KERNEL, 13, "the kernel faulted while it served this fiber; the fiber was ended for it") \
    X(OTHER, 14, "another exception of the processor") \
    X(BUDGET, 15, "the driver kept the processor without waiting, beyond its budget, three times")

enum rumpk_fault {
#define RUMPK_FAULT_ENUM(name, value, sentence) RUMPK_FAULT_##name = (value),
    RUMPK_FAULTS(RUMPK_FAULT_ENUM)
#undef RUMPK_FAULT_ENUM
};

#endif
