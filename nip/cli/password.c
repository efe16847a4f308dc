// SPDX-License-Identifier: Apache-2.0
//
// Reading passwords without leaving them anywhere.

#include "password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cleanup.h"
#include "nip/crypto.h"
#include "progress.h"

static char given_password[PASSWORD_SIZE];
static bool is_given;

enum nip_code password_take(struct nip_error *err)
{
    char *value = getenv("NIP_PASSWORD");
    if (value == NULL)
        return NIP_OK;
    size_t size = strlen(value);
    if (size >= sizeof given_password)
        return nip_error_set(err, NIP_ERROR_PASSWORD, "NIP_PASSWORD is longer than %d bytes",
                             PASSWORD_SIZE - 1);
    memcpy(given_password, value, size + 1);
    is_given = true;
    // The bytes in the process' environment block are visible to whoever may read /proc.
    nip_wipe(value, size);
    unsetenv("NIP_PASSWORD");
    return NIP_OK;
}

void password_forget(void)
{
    nip_wipe(given_password, sizeof given_password);
    is_given = false;
}

bool password_is_given(void)
{
    return is_given;
}

// One line from the terminal without echo.
static enum nip_code ask(int terminal, const char *question, char out[PASSWORD_SIZE],
                         struct nip_error *err)
{
    struct termios before, silent;
    if (tcgetattr(terminal, &before) != 0)
        return nip_error_set_errno(err, errno, "cannot ask for a password on this terminal");
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    cleanup_set_terminal(&before);
    // Silent first: what is typed as soon as the question shows is neither shown nor thrown away.
    tcsetattr(terminal, TCSAFLUSH, &silent);
    progress_hide();
    dprintf(terminal, "%s: ", question);
    size_t size = 0;
    ssize_t count = 0;
    char byte = 0;
    while ((count = read(terminal, &byte, 1)) == 1 && byte != '\n') {
        if (size < PASSWORD_SIZE - 1)
            out[size++] = byte;
    }
    out[size] = '\0';
    tcsetattr(terminal, TCSADRAIN, &before);
    cleanup_set_terminal(NULL);
    dprintf(terminal, "\n");
    if (count != 1 && size == 0)
        return nip_error_set(err, NIP_ERROR_PASSWORD, "no password was entered");
    return NIP_OK;
}

enum nip_code password_get(const char *name, bool is_new, char out[PASSWORD_SIZE],
                           struct nip_error *err)
{
    if (is_given) {
        memcpy(out, given_password, PASSWORD_SIZE);
        return NIP_OK;
    }
    int terminal = isatty(STDIN_FILENO) == 1 ? open("/dev/tty", O_RDWR | O_CLOEXEC) : -1;
    if (terminal < 0) {
        nip_error_set(err, NIP_ERROR_PASSWORD,
                      "the key '%s' needs a password, and there is no terminal to ask on", name);
        nip_error_hint(err, is_new ? "set NIP_PASSWORD, or add --no-password for a key that anyone "
                                     "who reads the file can use"
                                   : "set the variable NIP_PASSWORD for this one command");
        return NIP_ERROR_PASSWORD;
    }
    char question[160];
    snprintf(question, sizeof question,
             is_new ? "New password for key '%s'" : "Password of key '%s'", name);
    enum nip_code code = ask(terminal, question, out, err);
    if (code == NIP_OK && is_new) {
        char again[PASSWORD_SIZE];
        code = ask(terminal, "The same again", again, err);
        if (code == NIP_OK && strcmp(out, again) != 0) {
            code = nip_error_set(err, NIP_ERROR_PASSWORD, "the two passwords differ");
            nip_error_hint(err, "run the command again; no key was made");
        }
        nip_wipe(again, sizeof again);
    }
    if (code == NIP_OK && is_new && out[0] == '\0') {
        code = nip_error_set(err, NIP_ERROR_PASSWORD, "the password is empty");
        nip_error_hint(err, "use --no-password if that is what you want");
    }
    close(terminal);
    return code;
}
