// SPDX-License-Identifier: Apache-2.0
//
// result.c: the sentences of rumpk/result.h.
#include <npl/result.h>

const char *npl_result_text(int64_t result)
{
    if (result > 0)
        return "done";
    switch (result) {
#define RESULT_CASE(name, value, sentence) \
    case (value):                          \
        return sentence;
        RUMPK_RESULTS(RESULT_CASE)
#undef RESULT_CASE
    default:
        return "a result that this library does not know";
    }
}
