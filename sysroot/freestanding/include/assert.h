// SPDX-License-Identifier: Apache-2.0
//
// Foreign code's assertions are compiled out of the kernel: nothing that a driver, a package or a
// device can send may reach one, and the callers check their arguments themselves.
#undef assert
#define assert(condition) ((void)0)

#ifndef RUMPK_FREESTANDING_ASSERT_H
#define RUMPK_FREESTANDING_ASSERT_H
#ifndef static_assert
#define static_assert _Static_assert
#endif
#endif
