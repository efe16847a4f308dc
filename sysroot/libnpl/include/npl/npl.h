// SPDX-License-Identifier: Apache-2.0
//
// npl.h: everything a driver includes. libnpl is the driver's side of the ABI: it enters npl_main
// with a checked start block and turns calls, rings, registers, devices and services into
// functions.
//
//   #include <npl/npl.h>
//
//   int npl_main(void)
//   {
//       npl_print("hello\n");
//       return 0;
//   }
//
// Results are those of rumpk/result.h: zero or positive for success, negative otherwise;
// npl_result_text() says in words what one means. A driver is one thread of execution: nothing here
// locks, and nothing may be called from two threads.
#ifndef NPL_NPL_H
#define NPL_NPL_H

#include <npl/call.h>
#include <npl/client.h>
#include <npl/console.h>
#include <npl/dma.h>
#include <npl/heap.h>
#include <npl/interrupt.h>
#include <npl/reg.h>
#include <npl/result.h>
#include <npl/ring.h>
#include <npl/service.h>
#include <npl/start.h>
#include <npl/stream.h>
#include <npl/virtio.h>

#ifdef __cplusplus
extern "C" {
#endif

// Written by the driver's author. Returning ends the driver with this exit code; 0 is success.
int npl_main(void);

#ifdef __cplusplus
}
#endif

#endif
