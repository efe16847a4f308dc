// SPDX-License-Identifier: Apache-2.0
//
// calls_device.h: what calls.c puts back between two runs.
#ifndef CALLS_DEVICE_H
#define CALLS_DEVICE_H

#include <stdint.h>

extern uint32_t device_completions; // requests that the device has done and nobody has taken yet
extern uint16_t device_user;        // capability in whose hands it is

#endif
