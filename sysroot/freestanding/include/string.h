// SPDX-License-Identifier: Apache-2.0
//
// What freestanding foreign code (libsodium, libfdt) expects of <string.h> in the kernel. The first
// four are what every C compiler may call on its own; the kernel defines them. The rest are defined
// by sysroot/freestanding/string.c, which is part of the kernel's libfdt.
#ifndef RUMPK_FREESTANDING_STRING_H
#define RUMPK_FREESTANDING_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *left, const void *right, size_t size);

void *memchr(const void *bytes, int value, size_t size);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t size_max);
char *strchr(const char *text, int value);
char *strrchr(const char *text, int value);
int strcmp(const char *left, const char *right);

#endif
