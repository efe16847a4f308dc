// SPDX-License-Identifier: Apache-2.0
//
// fiber_local.h: state that a driver has once. On the machine a driver is alone in its image; in
// the host build several drivers share one process, a thread each.
#ifndef NPL_FIBER_LOCAL_H
#define NPL_FIBER_LOCAL_H

#if defined(NPL_HOST)
#define NPL_FIBER_LOCAL _Thread_local
#else
#define NPL_FIBER_LOCAL
#endif

#endif
