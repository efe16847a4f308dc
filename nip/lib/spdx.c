// SPDX-License-Identifier: Apache-2.0
//
// Licence expressions: a scanner of words, a machine of two states (a licence is due, an operator
// is due), and the identifiers that people mean most often.

#include "nip/spdx.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "schema_text.h"

// Identifiers of the SPDX License List 3.25 that packages like ours use; needed for hints only.
static const char *const licenses[] = {
    "0BSD",
    "AFL-3.0",
    "AGPL-3.0-only",
    "AGPL-3.0-or-later",
    "Apache-1.1",
    "Apache-2.0",
    "APSL-2.0",
    "Artistic-2.0",
    "BlueOak-1.0.0",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-2-Clause-Patent",
    "BSD-3-Clause",
    "BSD-3-Clause-Clear",
    "BSD-4-Clause",
    "BSL-1.0",
    "BUSL-1.1",
    "CC-BY-4.0",
    "CC-BY-SA-4.0",
    "CC0-1.0",
    "CDDL-1.0",
    "CDDL-1.1",
    "CECILL-2.1",
    "CERN-OHL-P-2.0",
    "CERN-OHL-S-2.0",
    "CERN-OHL-W-2.0",
    "curl",
    "ECL-2.0",
    "EPL-1.0",
    "EPL-2.0",
    "EUPL-1.1",
    "EUPL-1.2",
    "FSFAP",
    "FTL",
    "GFDL-1.3-only",
    "GFDL-1.3-or-later",
    "GPL-1.0-only",
    "GPL-1.0-or-later",
    "GPL-2.0-only",
    "GPL-2.0-or-later",
    "GPL-3.0-only",
    "GPL-3.0-or-later",
    "HPND",
    "ICU",
    "IJG",
    "Intel",
    "IPL-1.0",
    "ISC",
    "LGPL-2.0-only",
    "LGPL-2.0-or-later",
    "LGPL-2.1-only",
    "LGPL-2.1-or-later",
    "LGPL-3.0-only",
    "LGPL-3.0-or-later",
    "Libpng",
    "libtiff",
    "LPL-1.02",
    "MirOS",
    "MIT",
    "MIT-0",
    "MPL-1.1",
    "MPL-2.0",
    "MS-PL",
    "MulanPSL-2.0",
    "NCSA",
    "OFL-1.1",
    "OLDAP-2.8",
    "OpenSSL",
    "OSL-3.0",
    "PHP-3.01",
    "PostgreSQL",
    "PSF-2.0",
    "Python-2.0",
    "QPL-1.0",
    "Ruby",
    "SGI-B-2.0",
    "SHL-2.1",
    "Sleepycat",
    "SSH-OpenSSH",
    "TCL",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "UPL-1.0",
    "Vim",
    "W3C",
    "WTFPL",
    "X11",
    "Xnet",
    "Zlib",
    "zlib-acknowledgement",
    "ZPL-2.1",
    NULL,
};
static const char *const exceptions[] = {
    "Autoconf-exception-3.0",
    "Bison-exception-2.2",
    "Classpath-exception-2.0",
    "FLTK-exception",
    "Font-exception-2.0",
    "freertos-exception-2.0",
    "GCC-exception-2.0",
    "GCC-exception-3.1",
    "LGPL-3.0-linking-exception",
    "Libtool-exception",
    "Linux-syscall-note",
    "LLVM-exception",
    "OCaml-LGPL-linking-exception",
    "OpenJDK-assembly-exception-1.0",
    "u-boot-exception-2.0",
    "WxWindows-exception-3.1",
    NULL,
};

enum word_kind {
    WORD_END,
    WORD_OPEN,
    WORD_CLOSE,
    WORD_AND,
    WORD_OR,
    WORD_WITH,
    WORD_NAME,
    WORD_BAD
};

struct word {
    enum word_kind kind;
    const char *text;
    size_t size; // a name: without "+"
    bool or_later;
};

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == ':';
}

static bool word_is(const struct word *word, const char *text)
{
    return word->size == strlen(text) && memcmp(word->text, text, word->size) == 0;
}

static struct word next_word(const char **at)
{
    *at += strspn(*at, " ");
    struct word word = {.kind = WORD_BAD, .text = *at, .size = 1};
    if (**at == '\0')
        return (struct word){.kind = WORD_END, .text = *at};
    if (**at == '(' || **at == ')') {
        word.kind = **at == '(' ? WORD_OPEN : WORD_CLOSE;
        ++*at;
        return word;
    }
    size_t size = 0;
    while (is_name_byte((*at)[size]))
        size++;
    if (size == 0)
        return word;
    word.size = size;
    *at += size;
    word.kind = word_is(&word, "AND")    ? WORD_AND
                : word_is(&word, "OR")   ? WORD_OR
                : word_is(&word, "WITH") ? WORD_WITH
                                         : WORD_NAME;
    if (**at == '+' && word.kind == WORD_NAME) {
        word.or_later = true;
        ++*at;
    }
    return word;
}

static bool is_listed(const char *const *list, const struct word *word)
{
    for (; *list; list++)
        if (word_is(word, *list))
            return true;
    return false;
}

static enum nip_code refuse_name(const struct word *word, const char *best, struct nip_error *err)
{
    nip_error_set(err, NIP_ERROR_SCHEMA, "\"%.*s\" is no licence identifier of SPDX",
                  (int)word->size, word->text);
    nip_error_hint(err, "Did you mean `%s`? A licence of your own is called LicenseRef-NAME.",
                   best);
    return NIP_ERROR_SCHEMA;
}

static enum nip_code check_name(const struct word *word, bool is_exception, struct nip_error *err)
{
    const char *const *list = is_exception ? exceptions : licenses;
    const struct word *name = word;
    if (word->size >= NIP_SPDX_IDENTIFIER_MAX)
        return nip_error_set(err, NIP_ERROR_SCHEMA, "a licence identifier is longer than %d bytes",
                             NIP_SPDX_IDENTIFIER_MAX - 1);
    if (is_listed(list, word))
        return NIP_OK;
    if (word->size > 11 && memcmp(word->text, "LicenseRef-", 11) == 0 &&
        memchr(word->text, ':', word->size) == NULL && !is_exception)
        return NIP_OK;
    // Retired identifiers say too little: "GPL-2.0" is either of two.
    char only[NIP_SPDX_IDENTIFIER_MAX + 8];
    snprintf(only, sizeof only, "%.*s-only", (int)word->size, word->text);
    for (size_t i = 0; !is_exception && licenses[i]; i++)
        if (strcmp(only, licenses[i]) == 0) {
            snprintf(only, sizeof only, "%.*s-%s", (int)word->size, word->text,
                     word->or_later ? "or-later" : "only");
            return refuse_name(name, only, err);
        }
    const char *best = NULL;
    size_t distance_best = SIZE_MAX;
    for (; *list; list++) {
        size_t distance =
            strlen(*list) == word->size && strncasecmp(*list, word->text, word->size) == 0
                ? 0
                : schema_edit_distance(word->text, word->size, *list, strlen(*list));
        if (distance < distance_best) {
            distance_best = distance;
            best = *list;
        }
    }
    // Between short names one letter is no slip: "X12" may well exist.
    if (best != NULL && (distance_best == 0 || (distance_best <= 2 && word->size >= 6)))
        return refuse_name(name, best, err);
    if (memchr(word->text, ':', word->size) != NULL)
        return nip_error_set(err, NIP_ERROR_SCHEMA,
                             "\"%.*s\" refers to another document; a package explains itself",
                             (int)word->size, word->text);
    return NIP_OK;
}

static enum nip_code refuse(const struct word *word, const char *expected, struct nip_error *err)
{
    if (word->kind == WORD_END)
        nip_error_set(err, NIP_ERROR_SCHEMA, "the licence expression ends too early");
    else
        nip_error_set(err, NIP_ERROR_SCHEMA, "\"%.*s\" cannot stand here in a licence expression",
                      (int)word->size, word->text);
    nip_error_hint(err, "Expected %s. Example: MIT OR (Apache-2.0 AND BSD-3-Clause).", expected);
    return NIP_ERROR_SCHEMA;
}

enum nip_code nip_spdx_check(const char *expression, struct nip_error *err)
{
    const char *at = expression;
    size_t depth = 0;
    bool wants_license = true;
    for (;;) {
        struct word word = next_word(&at);
        if (wants_license && word.kind == WORD_OPEN) {
            if (++depth > NIP_SPDX_DEPTH_MAX)
                return nip_error_set(err, NIP_ERROR_SCHEMA,
                                     "more than %d parentheses in one another", NIP_SPDX_DEPTH_MAX);
        } else if (wants_license) {
            if (word.kind != WORD_NAME)
                return refuse(&word, "a licence identifier such as Apache-2.0", err);
            enum nip_code code = check_name(&word, false, err);
            if (code != NIP_OK)
                return code;
            wants_license = false;
            const char *before = at;
            word = next_word(&at);
            if (word.kind != WORD_WITH) {
                at = before;
                continue;
            }
            word = next_word(&at);
            if (word.kind != WORD_NAME || word.or_later)
                return refuse(&word, "an exception such as LLVM-exception", err);
            code = check_name(&word, true, err);
            if (code != NIP_OK)
                return code;
        } else if (word.kind == WORD_CLOSE && depth > 0) {
            depth--;
        } else if (word.kind == WORD_AND || word.kind == WORD_OR) {
            wants_license = true;
        } else if (word.kind == WORD_END && depth == 0) {
            return NIP_OK;
        } else {
            return refuse(&word, depth > 0 ? "AND, OR or )" : "AND, OR or the end", err);
        }
    }
}

enum nip_code nip_spdx_each(const char *expression,
                            enum nip_code (*each)(void *context, const char *identifier,
                                                  struct nip_error *err),
                            void *context, struct nip_error *err)
{
    const char *at = expression;
    enum nip_code code = nip_spdx_check(expression, err);
    while (code == NIP_OK) {
        char name[NIP_SPDX_IDENTIFIER_MAX];
        struct word word = next_word(&at);
        if (word.kind == WORD_END)
            break;
        if (word.kind != WORD_NAME)
            continue;
        memcpy(name, word.text, word.size);
        name[word.size] = '\0';
        code = each(context, name, err);
    }
    return code;
}
