// SPDX-License-Identifier: Apache-2.0
//
// console.h: text to the "console" service that npl.kdl needs:
//
//   needs { service "console" 1 style="stream" }
//
// Text goes into a ring; the console driver of the machine writes it out line by line. It keeps
// lines whole between drivers, so end each with a line feed. Without a wired console everything is
// dropped and the result says so.
#ifndef NPL_CONSOLE_H
#define NPL_CONSOLE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Longest text that one npl_printf makes; the rest is cut.
#define NPL_PRINTF_MAX 512u

// Writes all of it, sleeping while the ring is full. Bytes written, or RUMPK_E_SLOT without a
// console, RUMPK_E_PEER when the console driver is gone.
int64_t npl_write(const char *bytes, size_t size);
int64_t npl_print(const char *text);

// As C's printf, without floating point conversions.
__attribute__((format(printf, 1, 2))) int64_t npl_printf(const char *format, ...);
__attribute__((format(printf, 1, 0))) int64_t npl_vprintf(const char *format, va_list arguments);

#ifdef __cplusplus
}
#endif

#endif
