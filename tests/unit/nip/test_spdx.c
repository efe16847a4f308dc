// SPDX-License-Identifier: Apache-2.0
//
// Goal: licence expressions that SPDX allows pass, all others are refused with what was meant.
// Method: tables of both, and the identifiers that an expression names.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "nip/buffer.h"
#include "nip/spdx.h"

static enum nip_code collect(void *context, const char *identifier, struct nip_error *err)
{
    (void)err;
    nip_buffer_append_format(context, "%s,", identifier);
    return NIP_OK;
}

static void good_expressions_name_their_texts(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"Apache-2.0", "Apache-2.0,"},
        {" MIT ", "MIT,"},
        {"MIT OR (Apache-2.0 WITH LLVM-exception)", "MIT,Apache-2.0,LLVM-exception,"},
        {"((MIT))AND(ISC)", "MIT,ISC,"},
        {"MPL-1.1+ AND BSD-3-Clause", "MPL-1.1,BSD-3-Clause,"},
        {"GPL-2.0-only WITH Linux-syscall-note OR MIT", "GPL-2.0-only,Linux-syscall-note,MIT,"},
        {"LicenseRef-acme-1 OR MIT", "LicenseRef-acme-1,MIT,"},
        // Nobody here knows it, but nothing is near: the list of SPDX grows.
        {"Hippocratic-2.1", "Hippocratic-2.1,"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct nip_error err = {0};
        struct nip_buffer found = {0};
        if (nip_spdx_each(cases[i][0], collect, &found, &err) != NIP_OK)
            fail_msg("%s: %s [%s]", cases[i][0], err.message, err.hint);
        assert_string_equal(nip_buffer_text(&found), cases[i][1]);
        nip_buffer_free(&found);
    }
}

static void bad_expressions_say_what_was_meant(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"", "ends too early", "such as Apache-2.0"},
        {"MIT AND", "ends too early", "such as Apache-2.0"},
        {"(MIT", "ends too early", "AND, OR or )"},
        {"MIT)", "\")\" cannot stand here", "AND, OR or the end"},
        {"()", "\")\" cannot stand here", "such as Apache-2.0"},
        {"MIT ISC", "\"ISC\" cannot stand here", "AND, OR or the end"},
        {"OR MIT", "\"OR\" cannot stand here", "such as Apache-2.0"},
        {"MIT / ISC", "\"/\" cannot stand here", "AND, OR"},
        {"MIT, ISC", "\",\" cannot stand here", "AND, OR"},
        {"MIT WITH", "ends too early", "LLVM-exception"},
        {"MIT WITH (LLVM-exception)", "\"(\" cannot stand here", "LLVM-exception"},
        {"Apache-2.0 WITH LVM-exception", "\"LVM-exception\" is no", "`LLVM-exception`"},
        {"mit", "\"mit\" is no licence", "`MIT`"},
        {"apache-2.0", "\"apache-2.0\" is no", "`Apache-2.0`"},
        {"Apache2.0", "\"Apache2.0\" is no", "`Apache-2.0`"},
        {"GPL-2.0", "\"GPL-2.0\" is no", "`GPL-2.0-only`"},
        {"GPL-2.0+", "\"GPL-2.0\" is no", "`GPL-2.0-or-later`"},
        {"MIT or ISC", "\"or\" cannot stand here", "AND, OR"},
        {"DocumentRef-x:LicenseRef-y", "refers to another document", ""},
        {"((((((((((((((((((MIT))))))))))))))))))", "more than 16 parentheses", ""},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "longer than 79", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct nip_error err = {0};
        if (nip_spdx_check(cases[i][0], &err) != NIP_ERROR_SCHEMA ||
            !strstr(err.message, cases[i][1]) || !strstr(err.hint, cases[i][2]))
            fail_msg("%s: %s [%s]", cases[i][0], err.message, err.hint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_expressions_name_their_texts),
        cmocka_unit_test(bad_expressions_say_what_was_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
