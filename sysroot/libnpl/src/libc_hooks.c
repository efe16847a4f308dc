// SPDX-License-Identifier: Apache-2.0
//
// libc_hooks.c: what LLVM libc leaves to the platform: ending the program, and the streams behind
// abort() and assert(), which go to the console. There is no input.
#include <npl/call.h>
#include <npl/console.h>
#include <npl/result.h>
#include <stddef.h>
#include <stdint.h>

// LLVM libc only passes their addresses on.
struct __llvm_libc_stdio_cookie {
    uint8_t unused;
};

struct __llvm_libc_stdio_cookie __llvm_libc_stdin_cookie;
struct __llvm_libc_stdio_cookie __llvm_libc_stdout_cookie;
struct __llvm_libc_stdio_cookie __llvm_libc_stderr_cookie;

_Noreturn void __llvm_libc_exit(int status);
void __cxa_finalize(void *object);
ptrdiff_t __llvm_libc_stdio_read(void *cookie, char *bytes, size_t size);
ptrdiff_t __llvm_libc_stdio_write(void *cookie, const char *bytes, size_t size);

_Noreturn void __llvm_libc_exit(int status)
{
    npl_exit(status);
}

ptrdiff_t __llvm_libc_stdio_read(void *cookie, char *bytes, size_t size)
{
    (void)cookie;
    (void)bytes;
    (void)size;
    return 0;
}

// Without a console the text is dropped: nobody could read it.
ptrdiff_t __llvm_libc_stdio_write(void *cookie, const char *bytes, size_t size)
{
    (void)cookie;
    (void)npl_write(bytes, size);
    return (ptrdiff_t)size;
}

// exit() calls this first. There is no atexit (LLVM libc needs a mutex for it), so nothing is to be
// run.
void __cxa_finalize(void *object)
{
    (void)object;
}
