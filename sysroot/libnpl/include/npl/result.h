// SPDX-License-Identifier: Apache-2.0
//
// result.h: results in words.
#ifndef NPL_RESULT_H
#define NPL_RESULT_H

#include <rumpk/result.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// What a result means, from the list in rumpk/result.h; "done" for zero and above. Never null.
const char *npl_result_text(int64_t result);

#ifdef __cplusplus
}
#endif

#endif
