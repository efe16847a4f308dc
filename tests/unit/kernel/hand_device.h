// SPDX-License-Identifier: Apache-2.0
//
// hand_device.h: the device that hand_test.c hands around.
#ifndef TESTS_UNIT_KERNEL_HAND_DEVICE_H
#define TESTS_UNIT_KERNEL_HAND_DEVICE_H

#include "calls_machine.h"

#define QUEUES   2u
#define FEATURES (UINT64_C(1) << 32)

struct hand_model {
    uint32_t status;
    uint32_t resets;
    uint32_t slow;    // times that it does not say yet that it is reset
    uint32_t polls;   // asked since then
    uint32_t piece;   // asked since the kernel last looked at the interrupts
    uint32_t longest; // the highest of these
};

extern struct hand_model model;

// The device has done the oldest request of a queue (virtio 1.2, section 2.7).
void model_complete(uint32_t queue, uint32_t bad_id);

#endif
