// SPDX-License-Identifier: Apache-2.0
//
// The few string functions that libfdt needs besides the four mem functions of the kernel. Written
// for size and plainness: the device tree is walked once, at boot. Separate from the kernel's own
// code because only foreign code calls them.
#include <string.h>

void *memchr(const void *bytes, int value, size_t size)
{
    const unsigned char *cursor = bytes;

    for (size_t index = 0; index < size; index++) {
        if (cursor[index] == (unsigned char)value)
            return (void *)(cursor + index);
    }
    return NULL;
}

size_t strlen(const char *text)
{
    size_t size = 0;

    while (text[size] != '\0')
        size++;
    return size;
}

size_t strnlen(const char *text, size_t size_max)
{
    size_t size = 0;

    while (size < size_max && text[size] != '\0')
        size++;
    return size;
}

char *strchr(const char *text, int value)
{
    for (;; text++) {
        if (*text == (char)value)
            return (char *)text;
        if (*text == '\0')
            return NULL;
    }
}

char *strrchr(const char *text, int value)
{
    const char *found = NULL;

    for (;; text++) {
        if (*text == (char)value)
            found = text;
        if (*text == '\0')
            return (char *)found;
    }
}

int strcmp(const char *left, const char *right)
{
    while (*left != '\0' && *left == *right) {
        left++;
        right++;
    }
    return (unsigned char)*left - (unsigned char)*right;
}
