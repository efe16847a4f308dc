// SPDX-License-Identifier: Apache-2.0
//
// Man pages in roff. Text of the table is escaped; nothing else can start a request line.

#include "man.h"

#include <stdlib.h>
#include <string.h>

#include "nip/fs.h"
#include "project.h"
#include "version.h"

static void man_text(FILE *out, const char *text)
{
    bool line_start = true;
    for (; *text != '\0'; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '-')
            fputs("\\-", out);
        else if (*text == '\\')
            fputs("\\e", out);
        else
            fputc(*text, out);
        line_start = *text == '\n';
    }
}

static void man_options(FILE *out, const struct cli_option_spec *specs)
{
    for (; specs != NULL && specs->name != NULL; specs++) {
        fputs(".TP\n", out);
        if (specs->letter != 0)
            fprintf(out, "\\fB\\-%c\\fR, ", specs->letter);
        fputs("\\fB\\-\\-", out);
        man_text(out, specs->name);
        fputs("\\fR", out);
        if (specs->argument != NULL)
            fprintf(out, " \\fI%s\\fR", specs->argument);
        fputc('\n', out);
        man_text(out, specs->help);
        fputc('\n', out);
    }
}

static void man_head(FILE *out, const char *name, const char *summary)
{
    fputs(".\\\" SPDX-License-Identifier: Apache-2.0\n"
          ".\\\" Written by 'nip help man' from the table of commands.\n.TH ",
          out);
    for (const char *c = name; *c != '\0'; c++)
        fputc(*c >= 'a' && *c <= 'z' ? *c - 32 : *c, out);
    fprintf(out, " 1 \"\" \"nip %s\" \"Rumpk\"\n.SH NAME\n", NIP_VERSION);
    man_text(out, name);
    fputs(" \\- ", out);
    man_text(out, summary);
    fputc('\n', out);
}

// What is the same for every command.
static void man_tail(FILE *out)
{
    fputs(
        ".SH \"EXIT STATUS\"\n"
        "0 done; 1 failed; 2 wrong use; 3 input refused; 4 not trusted; 5 not found; 6 exists\n"
        "already; 7 the system said no; 8 the network said no; 9 busy; 10 a limit was reached;\n"
        "11 a bug in nip; 130 interrupted.\n"
        ".SH ENVIRONMENT\n"
        "NIP_CACHE: folder of the cache. NIP_CONFIG: the file with the user's settings (nip help\n"
        "config); empty: none. RUMPK_SDK: folder of the SDK.\n"
        "NIP_PASSWORD: password of a secret key; removed from the\n"
        "environment as it is read. NO_COLOR: no colours. XDG_DATA_HOME: where keys lie.\n"
        "XDG_CACHE_HOME: where fetched packages are kept. XDG_CONFIG_HOME: where the settings are.\n"
        "SOURCE_DATE_EPOCH: the date that is\n"
        "written into documents.\n",
        out);
}

// "nip-key-new" of "key new".
static void page_name(const struct cli_command *command, char out[64])
{
    snprintf(out, 64, "nip-%s", command->name);
    for (char *c = out; *c != '\0'; c++)
        if (*c == ' ')
            *c = '-';
}

void man_page(FILE *out, const struct cli_command *command)
{
    char name[64];
    page_name(command, name);
    man_head(out, name, command->summary);
    fputs(".SH SYNOPSIS\n\\fBnip ", out);
    man_text(out, command->name);
    fputs("\\fR [options] ", out);
    man_text(out, command->operands);
    fputs("\n.SH DESCRIPTION\n", out);
    man_text(out, command->description);
    fputs("\n.SH OPTIONS\n", out);
    man_options(out, command->options);
    fputs(".SS \"Options of every command\"\n", out);
    man_options(out, cli_global_options);
    if (command->examples != NULL) {
        fputs(".SH EXAMPLES\n", out);
        for (const struct cli_example *e = command->examples; e->line != NULL; e++) {
            fputs(".TP\n", out);
            man_text(out, e->line);
            fputc('\n', out);
            man_text(out, e->what);
            fputc('\n', out);
        }
    }
    man_tail(out);
    fputs(".SH \"SEE ALSO\"\n.BR nip (1)\n", out);
}

void man_overview(FILE *out)
{
    const char *group = "";
    man_head(out, "nip", "build, sign, share and boot isolated drivers for Rumpk");
    fputs(".SH SYNOPSIS\n\\fBnip\\fR \\fICOMMAND\\fR [options]\n.SH COMMANDS\n", out);
    for (size_t i = 0; i < cli_command_count; i++) {
        char name[64];
        if (strcmp(group, cli_commands[i].group) != 0) {
            group = cli_commands[i].group;
            fprintf(out, ".SS \"%s\"\n", group);
        }
        page_name(&cli_commands[i], name);
        fputs(".TP\n.BR ", out);
        man_text(out, name);
        fputs(" (1)\n", out);
        man_text(out, cli_commands[i].summary);
        fputc('\n', out);
    }
    fputs(".SH \"OPTIONS OF EVERY COMMAND\"\n", out);
    man_options(out, cli_global_options);
    man_tail(out);
}

static enum nip_code write_page(const char *folder, const char *name,
                                const struct cli_command *command, struct nip_error *err)
{
    char path[CLI_PATH_SIZE], *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for a man page");
    if (command != NULL)
        man_page(out, command);
    else
        man_overview(out);
    bool has_failed = fclose(out) != 0;
    snprintf(path, sizeof path, "%.3900s/%s.1", folder, name);
    enum nip_code code =
        has_failed ? nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for a man page")
                   : project_write_file(path, text, size, 0644, err);
    free(text);
    return code;
}

enum nip_code man_write_all(const char *folder, struct nip_error *err)
{
    if (folder == NULL) {
        nip_error_set(err, NIP_ERROR_USAGE, "'nip help man-pages' needs a folder");
        nip_error_hint(err, "nip help man-pages ~/.local/share/man/man1");
        return NIP_ERROR_USAGE;
    }
    enum nip_code code = write_page(folder, "nip", NULL, err);
    for (size_t i = 0; code == NIP_OK && i < cli_command_count; i++) {
        char name[64];
        page_name(&cli_commands[i], name);
        code = write_page(folder, name, &cli_commands[i], err);
    }
    return code;
}
