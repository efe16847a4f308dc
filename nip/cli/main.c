// SPDX-License-Identifier: Apache-2.0
//
// nip: the command line tool. Reads the command line, runs one command, shows its error.

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "cli.h"
#include "commit.h"
#include "explain.h"
#include "mode.h"
#include "password.h"
#include "settings.h"
#include "version.h"

static enum nip_code set_color(struct cli *cli, struct nip_error *err)
{
    static const char *const words[] = {NULL, "auto", "always", "never"};
    const char *when = cli_option(cli, "color");
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    bool plain = (no_color != NULL && no_color[0] != '\0') ||
                 (terminal != NULL && strcmp(terminal, "dumb") == 0);
    if (when == NULL && !plain)
        when = words[settings()->color];
    if (when == NULL || strcmp(when, "auto") == 0) {
        cli->color_out = !plain && isatty(STDOUT_FILENO) == 1;
        cli->color_err = !plain && isatty(STDERR_FILENO) == 1;
    } else if (strcmp(when, "always") == 0 || strcmp(when, "never") == 0) {
        cli->color_out = cli->color_err = when[0] == 'a';
    } else {
        nip_error_set(err, NIP_ERROR_USAGE, "--color does not take '%s'", when);
        nip_error_hint(err, "one of: auto, always, never");
        return NIP_ERROR_USAGE;
    }
    return NIP_OK;
}

// What tells about nip itself works with settings that cannot be read, and doctor shows them.
static bool needs_settings(const struct cli *cli)
{
    return cli->command != NULL && strcmp(cli->command->group, CLI_GROUP_ABOUT) != 0;
}

static enum nip_code prepare(struct cli *cli, int argc, char **argv, struct nip_error *err)
{
    struct nip_error cause = {0};
    enum nip_code read = settings_load(&cause);
    enum nip_code code = cli_parse(cli, argc, argv, err);
    if (code != NIP_OK) {
        // The error comes first, coloured as far as the options before it say.
        struct nip_error ignored = {0};
        return set_color(cli, &ignored) == NIP_OK ? code : err->code;
    }
    cli->is_json = cli_flag(cli, "json");
    cli->is_quiet = cli_flag(cli, "quiet");
    cli->is_verbose = cli_flag(cli, "verbose");
    mode_set(cli_flag(cli, "locked") || cli_flag(cli, "frozen"),
             cli_flag(cli, "offline") || cli_flag(cli, "frozen"));
    code = set_color(cli, err);
    if (code == NIP_OK && cli_option(cli, "jobs") != NULL)
        code = settings_set_jobs(cli_option(cli, "jobs"), err);
    if (code != NIP_OK)
        return code;
    if (read != NIP_OK && needs_settings(cli)) {
        *err = cause;
        return read;
    }
    const char *folder = cli_option(cli, "directory");
    if (folder != NULL && chdir(folder) != 0) {
        code = nip_error_set_errno(err, errno, "cannot work in folder %s", folder);
        nip_error_hint(err, "-C takes the folder of a project");
    }
    return code;
}

static enum nip_code run(struct cli *cli, int argc, char **argv, struct nip_error *err)
{
    enum nip_code code = prepare(cli, argc, argv, err);
    if (code != NIP_OK)
        return code;
    if (cli_flag(cli, "version")) {
        printf("nip %s\n", NIP_VERSION);
        return NIP_OK;
    }
    if (cli->command == NULL || cli_flag(cli, "help")) {
        if (cli->command != NULL)
            cli_help_command(cli, cli->command);
        else
            cli_help_overview(cli);
        return NIP_OK;
    }
    // The password leaves the environment before anything else happens.
    code = password_take(err);
    if (code == NIP_OK)
        code = cleanup_start(err);
    if (code == NIP_OK)
        code = commit_recover(err);
    if (code == NIP_OK)
        code = cli->command->run(cli, err);
    password_forget();
    return code;
}

// The work is done, but nobody could read what it said.
static enum nip_code unfinished_output(struct nip_error *err)
{
    enum nip_code code = nip_error_set_errno(err, errno, "cannot write to standard output");
    nip_error_hint(err, "what was shown is not complete; give standard output a place to go to, "
                        "and run the command again");
    return code;
}

int main(int argc, char **argv)
{
    // Results are the same whatever the user's umask is; secret files say 0600 themselves.
    umask(022);
    struct cli cli = {0};
    struct nip_error err = {0};
    enum nip_code code = run(&cli, argc, argv, &err);
    if (code == NIP_OK && (fflush(stdout) != 0 || ferror(stdout) != 0))
        code = unfinished_output(&err);
    if (code != NIP_OK) {
        if (err.code == NIP_OK)
            nip_error_set(&err, code, "%s", nip_error_sentence(code));
        if (err.hint[0] == '\0')
            nip_error_hint(&err, "%s\n'nip help errors %s' has an example",
                           explain_repair(err.code), nip_error_name(err.code));
        cli_show_error(cli.color_err, &err);
    }
    return nip_error_exit_status(code);
}
