// SPDX-License-Identifier: Apache-2.0
//
// {name}: Fletcher's checksum of 16 bits.
#ifndef CHECKSUM_H
#define CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

// Of `size` bytes; 0 for none.
uint16_t checksum_of(const void *bytes, size_t size);

#endif
