// SPDX-License-Identifier: Apache-2.0
//
// The one error vocabulary of nip.
//
// Every function of libnip that can fail returns an enum nip_code (NIP_OK is 0) and, when its
// caller passes one, fills a struct nip_error: what went wrong, where, and what to do next. One
// list (NIP_ERRORS) makes the codes, the exit status of the tool and the sentence that `nip help
// errors` shows, so that the three cannot drift apart. The library never prints: the tool does.
//
// All text that is stored in an error has passed nip_escape(): a message may quote hostile names
// and lines of hostile files, and is safe to show on a terminal as it stands.

#ifndef NIP_ERROR_H
#define NIP_ERROR_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NIP_MUST_CHECK __attribute__((warn_unused_result))
#define NIP_PRINTF(format_index, first_index) \
    __attribute__((format(printf, format_index, first_index)))

// The exit statuses of the tool. Scripts may rely on them; a number never changes its meaning.
//   0 done             1 failed for another reason    2 wrong use of the command line
//   3 input refused    4 not trusted                  5 not found
//   6 exists already   7 the system said no           8 the network said no
//   9 busy, try again  10 a limit was reached         11 a bug in nip
//
// X(NAME, exit status, sentence)
#define NIP_ERRORS(X)                                                                      \
    X(FAILED, 1, "The command could not do what it was asked to do.")                      \
    X(BUILD, 1, "A compiler, linker or other build step failed.")                          \
    X(RUN, 1, "The emulator failed, or the machine in it did not do what was expected.")   \
    X(USAGE, 2, "The command line was not understood.")                                    \
    X(SYNTAX, 3, "A text file is not well formed (KDL, digests, JSON).")                   \
    X(SCHEMA, 3, "A file is well formed but says something that is not allowed there.")    \
    X(NAME, 3, "A package name, version or path is not of the allowed form.")              \
    X(FORMAT, 3, "A binary file (archive, frame, ELF, key) is not of the required form.")  \
    X(TRUNCATED, 3, "A file ends before it should.")                                       \
    X(DIGEST, 3, "Content does not have the digest that was promised for it.")             \
    X(MISMATCH, 3, "Two statements that must agree do not.")                               \
    X(UNSUPPORTED, 3, "The file was made for another version of this tool.")               \
    X(SIGNATURE, 4, "A signature is missing, malformed or wrong.")                         \
    X(KEY, 4, "A key is malformed, weak, or its file has unsafe permissions.")             \
    X(PASSWORD, 4, "The password does not unlock this secret key.")                        \
    X(UNTRUSTED, 4, "The signature is valid, but its key is not accepted for this name.")  \
    X(CONSENT, 4, "A decision of the owner is needed: first use, more capabilities, DMA.") \
    X(MISSING, 5, "A file, folder, package, version or name does not exist.")              \
    X(EXISTS, 6, "It exists already and is never replaced.")                               \
    X(CONFLICT, 6, "Requirements contradict each other, or several candidates fit.")       \
    X(IO, 7, "The operating system refused or failed to read or write.")                   \
    X(PERMISSION, 7, "The operating system denied access.")                                \
    X(TOOL, 7, "A program that nip needs is missing or of an unknown version.")            \
    X(NETWORK, 8, "A registry could not be reached or gave an unusable answer.")           \
    X(BUSY, 9, "Another process holds the lock.")                                          \
    X(LIMIT, 10, "A named limit of size, depth or count was exceeded.")                    \
    X(MEMORY, 10, "Not enough memory.")                                                    \
    X(INTERNAL, 11, "nip contradicts itself: please report this.")

enum nip_code {
    NIP_OK = 0,
#define NIP_ERROR_ENUM(name, status, sentence) NIP_ERROR_##name,
    NIP_ERRORS(NIP_ERROR_ENUM)
#undef NIP_ERROR_ENUM
        NIP_ERROR_COUNT
};

enum {
    NIP_ERROR_MESSAGE_MAX = 1024,
    NIP_ERROR_HINT_MAX = 768,
    NIP_ERROR_FILE_MAX = 512,
    NIP_ERROR_EXCERPT_MAX = 240,
};

// Start with `struct nip_error err = {0};`. Owns no memory; may be copied.
struct nip_error {
    enum nip_code code;
    uint32_t line;         // 1-based; 0: no position is known
    uint32_t column;       // 1-based, in code points of the line; 0: no column is known
    uint32_t caret_column; // 1-based column of the caret under `excerpt`; 0: no excerpt
    uint32_t caret_width;  // how many columns to underline, at least 1 with an excerpt
    char message[NIP_ERROR_MESSAGE_MAX];
    char hint[NIP_ERROR_HINT_MAX]; // what to do next; may hold several lines
    char file[NIP_ERROR_FILE_MAX];
    char excerpt[NIP_ERROR_EXCERPT_MAX]; // the source line, escaped, perhaps cut at both ends
};

// Forgets what `err` said before and stores code and message. `err` may be NULL. Returns `code`,
// which is never NIP_OK, so that a failing function ends in
// `return nip_error_set(err, NIP_ERROR_X, "...")`.
enum nip_code nip_error_set(struct nip_error *err, enum nip_code code, const char *format, ...)
    NIP_PRINTF(3, 4);
enum nip_code nip_error_set_list(struct nip_error *err, enum nip_code code, const char *format,
                                 va_list list) NIP_PRINTF(3, 0);

// Like nip_error_set(), and appends ": " and the system's text for errno. The code becomes MISSING
// or PERMISSION where errno says so, MEMORY for ENOMEM, and IO otherwise.
enum nip_code nip_error_set_errno(struct nip_error *err, int error_number, const char *format, ...)
    NIP_PRINTF(3, 4);

// clang-tidy's analyser reads one source file at a time and would follow paths on which an error
// was set and NIP_OK returned. This repeats the promise above in its words; compilers never see it.
#ifdef __clang_analyzer__
static inline enum nip_code nip_error_is_set(enum nip_code code)
{
    if (code == NIP_OK)
        __builtin_unreachable();
    return code;
}
#define nip_error_set(...)       nip_error_is_set((nip_error_set)(__VA_ARGS__))
#define nip_error_set_errno(...) nip_error_is_set((nip_error_set_errno)(__VA_ARGS__))
#endif

// What to do next. Replaces an earlier hint. Newlines separate lines.
void nip_error_hint(struct nip_error *err, const char *format, ...) NIP_PRINTF(2, 3);

// Puts text in front of the message ("while reading X: ...").
void nip_error_prefix(struct nip_error *err, const char *format, ...) NIP_PRINTF(2, 3);

// Where it happened, without showing the line. 0 for what is not known; `file` may be NULL to keep
// the name that is there.
void nip_error_at(struct nip_error *err, const char *file, uint32_t line, uint32_t column);

// Where it happened: byte `offset` of `text`, `span_size` bytes long (0 means one character). Works
// out line, column, excerpt and caret. Newlines are LF, CRLF and the others that KDL knows.
void nip_error_at_text(struct nip_error *err, const char *file, const char *text, size_t text_size,
                       size_t offset, size_t span_size);

const char *nip_error_name(enum nip_code code);     // "SYNTAX"; "OK" for NIP_OK
const char *nip_error_sentence(enum nip_code code); // from NIP_ERRORS
int nip_error_exit_status(enum nip_code code);

#ifdef __cplusplus
}
#endif

#endif
