// SPDX-License-Identifier: Apache-2.0
//
// user.h: the one accessor of driver memory.
//
// An address that a driver names is a struct user_ptr: it cannot be dereferenced. Each page of the
// range is looked up in the driver's own tables for the right that the driver itself would need,
// then reached through the kernel root by its physical address. So a driver can make the kernel
// read or write nothing that it could not itself.
#ifndef KERNEL_USER_H
#define KERNEL_USER_H

#include <kernel/fiber.h>

struct user_ptr {
    uint64_t address;
};

#define USER_COPY_MAX 4096u

// Copies `size` (1..USER_COPY_MAX) bytes. `alignment` is a power of two. False: a POINTER fault is
// due. Afterwards the kernel root is active.
[[nodiscard]] bool user_read(const struct fiber *fiber, void *to, struct user_ptr from,
                             uint64_t size, uint64_t alignment);
[[nodiscard]] bool user_write(const struct fiber *fiber, struct user_ptr to, const void *from,
                              uint64_t size, uint64_t alignment);
// Would user_read succeed?
[[nodiscard]] bool user_is_readable(const struct fiber *fiber, struct user_ptr from, uint64_t size,
                                    uint64_t alignment);
// Would user_write succeed?
[[nodiscard]] bool user_is_writable(const struct fiber *fiber, struct user_ptr to, uint64_t size,
                                    uint64_t alignment);

#endif
