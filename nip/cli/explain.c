// SPDX-License-Identifier: Apache-2.0
//
// The explanations. The list of errors is NIP_ERRORS; an entry that is missing here does not
// compile, because every name is used once as an index and once as a variable.

#include "explain.h"

#include <ctype.h>
#include <string.h>

struct explanation {
    const char *why;     // when it happens
    const char *example; // what was typed, and what nip said
    const char *repair;  // what to do
};

static const struct explanation explain_FAILED = {
    "Something that is not the fault of a file, a key or the system: for example a check of 'nip\n"
    "check' or a test of 'nip test' that failed, or two builds that differ.",
    "$ nip test\nerror: 1 of 4 tests failed",
    "Read the lines above the error: they name what failed, and where."};
static const struct explanation explain_BUILD = {
    "Compiler, linker or another build step ended with an error. Its own words stand above.",
    "$ nip build\nerror: compiling src/main.c for riscv64 failed",
    "Correct the source file. 'nip build --verbose' prints the exact commands."};
static const struct explanation explain_RUN = {
    "The emulator could not be started, or the machine in it did something else than was expected:\n"
    "a driver faulted, a package was refused, or the time ran out.",
    "$ nip run --timeout 5\nerror: riscv64: the machine did not end within 5 seconds",
    "The outcome of every package stands above. 'nip run --gdb' waits for a debugger."};
static const struct explanation explain_USAGE = {
    "The command line was not understood: an unknown option, a value that an option does not take,\n"
    "or too few or too many words.",
    "$ nip biuld\nerror: unknown command 'biuld'\nhelp: did you mean 'nip build'?",
    "'nip COMMAND --help' shows what the command takes, with examples."};
static const struct explanation explain_SYNTAX = {
    "A text file cannot be read at all: a brace that is not closed, a quote that is missing. The\n"
    "place is shown.",
    "$ nip build\nerror: expected a value\n --> npl.kdl:4:12",
    "Correct the place. KDL is described at https://kdl.dev; 'nip fmt' lays files out."};
static const struct explanation explain_SCHEMA = {
    "A file can be read, but says something that is not allowed there: an unknown word, a value out\n"
    "of range, two lines that exclude each other.",
    "$ nip build\nerror: unknown word \"licence\"\n --> npl.kdl:6:5\nhelp: did you mean \"license\"?",
    "Correct the place. 'nip help manifest' lists every word of npl.kdl."};
static const struct explanation explain_NAME = {
    "A package name, version or path is not of the allowed form.",
    "$ nip new Hello\nerror: 'Hello' cannot be the name of a package",
    "Names are namespace/name in lower-case letters, digits and single hyphens; versions are\n"
    "MAJOR.MINOR.PATCH."};
static const struct explanation explain_FORMAT = {
    "A binary file is not what its name promises: not a package, not an archive of the one allowed\n"
    "form, not an ELF file for this machine.",
    "$ nip verify photo.npl\nerror: photo.npl: this is not a zstd frame",
    "Get the file again from where it came; if it comes out of a registry, tell its operator."};
static const struct explanation explain_TRUNCATED = {
    "A file ends before it should: a download or a copy was interrupted.",
    "$ nip verify hello-0.1.0.npl\nerror: hello-0.1.0.npl: the frame ends too early",
    "Get the file again."};
static const struct explanation explain_DIGEST = {
    "Content does not have the digest that was signed or promised for it: it was damaged or changed.",
    "$ nip fetch local/hello --registry file:../reg\nerror: ... is damaged: its content does not have "
    "the digest that is its name",
    "Get it again from another place. If it stays so, treat it as an attack and ask the publisher."};
static const struct explanation explain_MISMATCH = {
    "Two statements that must agree do not: manifest and compiled manifest, nip.lock and registry,\n"
    "a rotation and the keys that the project accepts.",
    "$ nip image\nerror: local/hello 0.1.0: the registry 'reg' has another package id than nip.lock "
    "names",
    "Nothing is chosen for you. The error names both sides; ask whoever made the newer one."};
static const struct explanation explain_UNSUPPORTED = {
    "The file was made for another version of the tool, or asks for something that this release\n"
    "does not have.",
    "$ nip verify old.npl\nerror: the first line is not \"rumpk-digests 1\"",
    "Use the release of nip that made the file, or make the file again with this one."};
static const struct explanation explain_SIGNATURE = {
    "A signature is missing, malformed or wrong: these bytes were not signed by that key.",
    "$ nip sign build/hello-0.1.0.npl --import sig --key bob.pub\nerror: sig: the signature is not "
    "this key's over these bytes",
    "Make the signature again over exactly these bytes; see docs/trust.md."};
static const struct explanation explain_KEY = {
    "A key is malformed or weak, others may read its file, or it is not allowed for this purpose\n"
    "(the development key, or a publisher's key as the owner's).",
    "$ nip sign\nerror: the secret key ... may be read by others (mode 644, expected 600)",
    "chmod 600 the file; if somebody may have read it, rotate the key: nip help key rotate"};
static const struct explanation explain_PASSWORD = {
    "A secret key is protected by a password, and none was given or it was the wrong one.",
    "$ nip publish --registry file:../reg </dev/null\nerror: the key 'default' needs a password, and "
    "there is no terminal to ask on",
    "Type it, or set NIP_PASSWORD for this one command. There is no way around a lost password: see\n"
    "docs/trust.md on lost keys."};
static const struct explanation explain_UNTRUSTED = {
    "The signature may be right, but its key is not accepted for this name here, or fewer keys have\n"
    "signed than nip.trust.kdl asks for.",
    "$ nip add acme/clock\nerror: acme/clock 1.1.0 is not signed by any of the 1 key(s) accepted for "
    "that name",
    "Follow the publisher's rotation statement (nip key trust --statement FILE), or ask the\n"
    "publisher. Never accept a key only to make this go away."};
static const struct explanation explain_CONSENT = {
    "Only the owner can decide this: a key that is new here, more capabilities, DMA memory. Without\n"
    "a terminal nip does not decide for you.",
    "$ nip add acme/clock --registry file:../reg </dev/null\nerror: acme/clock is signed by a key "
    "that this project does not know",
    "Run it on a terminal and read what it asks, or answer with --trust FINGERPRINT or --yes."};
static const struct explanation explain_MISSING = {
    "A file, folder, package, version or name does not exist.",
    "$ nip fetch local/hello@9.0.0 --registry file:../reg\nerror: file:../reg has no version 9.0.0 of "
    "local/hello\nhelp: it has: 0.1.0",
    "Check the spelling, and in which folder you are. Where more is known, the help line names what\n"
    "there is, or what makes it."};
static const struct explanation explain_EXISTS = {
    "It exists already and is never replaced: a published version, a key, a file.",
    "$ nip publish --registry file:../reg\nerror: local/hello 0.1.0 is in file:../reg already, and a "
    "version is never replaced",
    "Choose another name, or raise the version."};
static const struct explanation explain_CONFLICT = {
    "Requirements contradict each other, or several candidates fit and nip does not guess.",
    "$ nip image\nerror: local/reader needs the service \"block\" 1, and two packages offer it",
    "Decide in image.kdl (a 'wire' line) or in npl.kdl; the error lists the candidates."};
static const struct explanation explain_IO = {
    "The operating system failed to read or write: a full disk, a damaged one, a broken pipe.",
    "$ nip pack\nerror: cannot write build/pack/digests: No space left on device",
    "Free space, check the disk. Nothing half-written was left: run the command again."};
static const struct explanation explain_PERMISSION = {
    "The operating system denied access to a file or folder.",
    "$ nip build\nerror: cannot make build: Permission denied",
    "Work in a folder of your own, or correct its owner. nip never needs root."};
static const struct explanation explain_TOOL = {
    "A program that nip needs is missing, or has another version than the SDK was made for.",
    "$ nip build\nerror: the program clang-19 is not on PATH\nhelp: apt-get install clang-19",
    "Install it. 'nip doctor' checks all of them at once."};
static const struct explanation explain_NETWORK = {
    "A registry could not be reached, gave an unusable answer, is of a kind that this release does\n"
    "not know, or --offline forbids to ask it.",
    "$ nip publish --registry https://example.org/reg\nerror: this release of nip reaches registries "
    "that are folders only",
    "Use a folder (file:...), or run once without --offline so that the cache has what is needed."};
static const struct explanation explain_BUSY = {
    "Another process holds the lock of the project, the registry or the cache, and did not end in\n"
    "time.",
    "$ nip add local/hello\nerror: build/project.lock is held by another process",
    "Wait for the other nip, or end it; a lock ends with its process."};
static const struct explanation explain_LIMIT = {
    "A named limit of size, depth or count was exceeded. The limits protect readers from hostile\n"
    "files; they are listed in INSTALL.md.",
    "$ nip build\nerror: npl.kdl has more than 65536 bytes", "Make it smaller, or split it."};
static const struct explanation explain_MEMORY = {
    "Not enough memory. Unlocking a secret key alone needs 1 GiB.",
    "$ nip sign\nerror: unlocking the key 'default' needs 1024 MiB of memory, and only 600 MiB are "
    "available",
    "Free memory or raise the limit (ulimit -v), or sign on another computer: nip sign --import"};
static const struct explanation explain_INTERNAL = {
    "nip contradicts itself. This is a bug.", "$ nip image\nerror: a checked statement has no line",
    "Please report the command line, the error and 'nip version'."};

static const struct explanation *const explanations[NIP_ERROR_COUNT] = {
#define EXPLAIN_ENTRY(name, status, sentence) [NIP_ERROR_##name] = &explain_##name,
    NIP_ERRORS(EXPLAIN_ENTRY)
#undef EXPLAIN_ENTRY
};

const char *explain_repair(enum nip_code code)
{
    return code > NIP_OK && code < NIP_ERROR_COUNT ? explanations[code]->repair : "";
}

void explain_all(void)
{
    puts("Every error of nip, with its exit code.\n");
    for (int code = NIP_OK + 1; code < NIP_ERROR_COUNT; code++)
        printf("  %-11s %2d  %s\n", nip_error_name((enum nip_code)code),
               nip_error_exit_status((enum nip_code)code), nip_error_sentence((enum nip_code)code));
    puts("\n'nip help errors NAME' explains one, with an example.");
}

static void print_indented(const char *title, const char *text)
{
    printf("%s\n", title);
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        printf("  %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
    putchar('\n');
}

enum nip_code explain_one(const char *name, struct nip_error *err)
{
    char upper[32];
    const char *names[NIP_ERROR_COUNT] = {NULL};
    snprintf(upper, sizeof upper, "%s", name);
    for (char *c = upper; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    for (int code = NIP_OK + 1; code < NIP_ERROR_COUNT; code++) {
        names[code - 1] = nip_error_name((enum nip_code)code);
        if (strcmp(names[code - 1], upper) != 0)
            continue;
        printf("%s (exit code %d): %s\n\n", upper, nip_error_exit_status((enum nip_code)code),
               nip_error_sentence((enum nip_code)code));
        print_indented("When:", explanations[code]->why);
        print_indented("For example:", explanations[code]->example);
        print_indented("What to do:", explanations[code]->repair);
        return NIP_OK;
    }
    const char *near = cli_nearest(upper, names);
    nip_error_set(err, NIP_ERROR_USAGE, "there is no error named '%s'", name);
    if (near != NULL)
        nip_error_hint(err, "did you mean 'nip help errors %s'?", near);
    else
        nip_error_hint(err, "'nip help errors' lists them");
    return NIP_ERROR_USAGE;
}
