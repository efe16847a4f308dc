// SPDX-License-Identifier: Apache-2.0
//
// Reading the command line, and showing help: all from the table in commands.c, so that an option
// that is not documented cannot exist. (Man pages: man.c. Completions: completion.c.)

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "explain.h"
#include "man.h"
#include "nip/config.h"
#include "nip/escape.h"
#include "nip/manifest.h"
#include "version.h"

enum { OPTION_CODE_FIRST = 256 };

bool cli_flag(const struct cli *cli, const char *name)
{
    for (size_t i = 0; i < cli->value_count; i++)
        if (strcmp(cli->values[i].name, name) == 0)
            return true;
    return false;
}

const char *cli_option_at(const struct cli *cli, const char *name, size_t index)
{
    for (size_t i = 0; i < cli->value_count; i++)
        if (strcmp(cli->values[i].name, name) == 0 && index-- == 0)
            return cli->values[i].text;
    return NULL;
}

const char *cli_option(const struct cli *cli, const char *name)
{
    const char *found = NULL;
    for (size_t i = 0; i < cli->value_count; i++)
        if (strcmp(cli->values[i].name, name) == 0)
            found = cli->values[i].text;
    return found;
}

const char *cli_operand(const struct cli *cli, size_t index)
{
    return index < cli->operand_count ? cli->operands[index] : NULL;
}

// One flat list of what getopt knows: the command's options behind the global ones.
struct option_list {
    const struct cli_option_spec *specs[CLI_OPTIONS_MAX];
    struct option long_options[CLI_OPTIONS_MAX + 1];
    char letters[2 * CLI_OPTIONS_MAX + 4];
    size_t count;
};

static void add_specs(struct option_list *list, const struct cli_option_spec *specs)
{
    for (; specs != NULL && specs->name != NULL && list->count < CLI_OPTIONS_MAX; specs++) {
        size_t used = strlen(list->letters);
        if (specs->letter != 0 && used + 3 < sizeof list->letters) {
            list->letters[used++] = specs->letter;
            if (specs->argument != NULL)
                list->letters[used++] = ':';
            list->letters[used] = '\0';
        }
        list->long_options[list->count] = (struct option){
            .name = specs->name,
            .has_arg = specs->argument != NULL ? required_argument : no_argument,
            .val = OPTION_CODE_FIRST + (int)list->count,
        };
        list->specs[list->count++] = specs;
    }
}

static const struct cli_option_spec *spec_of(const struct option_list *list, int code)
{
    if (code >= OPTION_CODE_FIRST)
        return list->specs[code - OPTION_CODE_FIRST];
    for (size_t i = 0; i < list->count; i++)
        if (list->specs[i]->letter == code)
            return list->specs[i];
    return NULL;
}

static enum nip_code unknown_option(const struct option_list *list, const char *argument,
                                    const struct cli_command *command, struct nip_error *err)
{
    const char *names[CLI_OPTIONS_MAX + 1] = {NULL};
    for (size_t i = 0; i < list->count; i++)
        names[i] = list->specs[i]->name;
    char word[64];
    snprintf(word, sizeof word, "%s", argument + strspn(argument, "-"));
    word[strcspn(word, "=")] = '\0';
    const char *near = cli_nearest(word, names);
    nip_error_set(err, NIP_ERROR_USAGE, "unknown option '%s'", argument);
    if (near != NULL)
        nip_error_hint(err, "did you mean --%s?", near);
    else if (command != NULL)
        nip_error_hint(err, "'nip %s --help' lists the options", command->name);
    else
        nip_error_hint(err, "'nip help' lists the commands and options");
    return NIP_ERROR_USAGE;
}

static enum nip_code unknown_command(const char *word, struct nip_error *err)
{
    const char *names[64] = {NULL};
    for (size_t i = 0; i < cli_command_count && i < 63; i++)
        names[i] = cli_commands[i].name;
    const char *near = cli_nearest(word, names);
    nip_error_set(err, NIP_ERROR_USAGE, "unknown command '%s'", word);
    if (near != NULL)
        nip_error_hint(err, "did you mean 'nip %s'?", near);
    else
        nip_error_hint(err, "'nip help' lists the commands");
    return NIP_ERROR_USAGE;
}

// Finds the command in argv[at], or in argv[at] and argv[at + 1]; *taken says how many words it
// has.
static const struct cli_command *find_command(int argc, char **argv, int at, int *taken)
{
    char two[64] = "";
    if (at + 1 < argc)
        snprintf(two, sizeof two, "%s %s", argv[at], argv[at + 1]);
    for (size_t i = 0; i < cli_command_count; i++)
        if (strcmp(cli_commands[i].name, two) == 0) {
            *taken = 2;
            return &cli_commands[i];
        }
    for (size_t i = 0; i < cli_command_count; i++)
        if (strcmp(cli_commands[i].name, argv[at]) == 0) {
            *taken = 1;
            return &cli_commands[i];
        }
    return NULL;
}

// `second` is the word behind it, or NULL.
static enum nip_code missing_subcommand(const char *word, const char *second, struct nip_error *err)
{
    char list[256] = "";
    const char *names[64] = {NULL};
    size_t size = strlen(word), count = 0;
    for (size_t i = 0; i < cli_command_count; i++)
        if (strncmp(cli_commands[i].name, word, size) == 0 && cli_commands[i].name[size] == ' ') {
            size_t used = strlen(list);
            if (count < 63)
                names[count++] = cli_commands[i].name + size + 1;
            snprintf(list + used, sizeof list - used, "%snip %s", used != 0 ? ", " : "",
                     cli_commands[i].name);
        }
    if (list[0] == '\0')
        return unknown_command(word, err);
    const char *near = second != NULL ? cli_nearest(second, names) : NULL;
    if (second == NULL || second[0] == '-')
        nip_error_set(err, NIP_ERROR_USAGE, "'nip %s' needs a second word", word);
    else
        nip_error_set(err, NIP_ERROR_USAGE, "'nip %s' knows no '%s'", word, second);
    if (near != NULL)
        nip_error_hint(err, "did you mean 'nip %s %s'?", word, near);
    else
        nip_error_hint(err, "one of: %s", list);
    return NIP_ERROR_USAGE;
}

static enum nip_code parse_options(struct cli *cli, struct option_list *list, int argc, char **argv,
                                   struct nip_error *err)
{
    opterr = 0;
    optind = 1;
    for (;;) {
        int before = optind;
        int code = getopt_long(argc, argv, list->letters, list->long_options, NULL);
        if (code == -1)
            break;
        const char *written = before < argc ? argv[before] : "";
        if (code == '?')
            return unknown_option(list, written, cli->command, err);
        if (code == ':') {
            nip_error_set(err, NIP_ERROR_USAGE, "option '%s' needs a value", written);
            if (cli->command != NULL)
                nip_error_hint(err, "'nip %s --help' shows how it is written", cli->command->name);
            return NIP_ERROR_USAGE;
        }
        const struct cli_option_spec *spec = spec_of(list, code);
        if (spec == NULL)
            return unknown_option(list, written, cli->command, err);
        if (cli->value_count == CLI_OPTIONS_MAX)
            return nip_error_set(err, NIP_ERROR_USAGE, "more than %d options on one command line",
                                 CLI_OPTIONS_MAX);
        cli->values[cli->value_count++] =
            (struct cli_value){spec->name, spec->argument != NULL ? optarg : NULL};
    }
    return NIP_OK;
}

// Of the words that were given, one that is the address of a registry.
static const char *find_address(const struct cli *cli)
{
    for (size_t i = 0; i < cli->operand_count; i++)
        if (strncmp(cli->operands[i], "file:", 5) == 0)
            return cli->operands[i];
    return NULL;
}

static bool has_option(const struct cli_command *command, const char *name)
{
    const struct cli_option_spec *spec = command->options;
    for (; spec != NULL && spec->name != NULL; spec++)
        if (strcmp(spec->name, name) == 0)
            return true;
    return false;
}

static enum nip_code check_operands(const struct cli *cli, struct nip_error *err)
{
    const struct cli_command *command = cli->command;
    if (cli->operand_count < command->operand_min) {
        nip_error_set(err, NIP_ERROR_USAGE, "'nip %s' needs %s", command->name, command->operands);
    } else if (cli->operand_count > command->operand_max) {
        nip_error_set(err, NIP_ERROR_USAGE, "'nip %s' does not take '%s'", command->name,
                      cli->operands[command->operand_max]);
    } else {
        return NIP_OK;
    }
    const char *address = find_address(cli);
    if (address != NULL && has_option(command, "registry"))
        nip_error_hint(err, "a registry is named with --registry %s\nusage: nip %s [options] %s",
                       address, command->name, command->operands);
    else
        nip_error_hint(err, "usage: nip %s [options] %s", command->name, command->operands);
    return NIP_ERROR_USAGE;
}

// Whether this word is a global option whose value is the next word.
static bool takes_next_word(const char *word)
{
    for (const struct cli_option_spec *spec = cli_global_options; spec->name != NULL; spec++) {
        bool is_long = strncmp(word, "--", 2) == 0 && strcmp(word + 2, spec->name) == 0;
        bool is_short = spec->letter != 0 && word[1] == spec->letter && word[2] == '\0';
        if (spec->argument != NULL && (is_long || is_short))
            return true;
    }
    return false;
}

enum nip_code cli_parse(struct cli *cli, int argc, char **argv, struct nip_error *err)
{
    // Global options may stand before the command: those that take a value are skipped with it.
    int at = 1;
    while (at < argc && argv[at][0] == '-' && argv[at][1] != '\0') {
        at += takes_next_word(argv[at]) ? 2 : 1;
    }
    struct option_list list = {.letters = ":"};
    add_specs(&list, cli_global_options);
    int taken = 0;
    if (at < argc) {
        cli->command = find_command(argc, argv, at, &taken);
        if (cli->command == NULL) {
            // Such as --color, for showing the error.
            struct nip_error ignored = {0};
            if (parse_options(cli, &list, argc, argv, &ignored) != NIP_OK)
                cli->value_count = 0;
        }
        if (cli->command == NULL)
            return missing_subcommand(argv[at], at + 1 < argc ? argv[at + 1] : NULL, err);
        add_specs(&list, cli->command->options);
    }
    // getopt sees everything but the words of the command.
    char **rest = (char **)calloc((size_t)argc + 1, sizeof *rest);
    if (rest == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the command line");
    int count = 0;
    for (int i = 0; i < argc; i++)
        if (taken == 0 || i < at || i >= at + taken)
            rest[count++] = argv[i];
    enum nip_code code = parse_options(cli, &list, count, rest, err);
    for (int i = optind; code == NIP_OK && i < count; i++) {
        if (cli->operand_count == CLI_OPERANDS_MAX)
            code = nip_error_set(err, NIP_ERROR_USAGE, "more than %d operands", CLI_OPERANDS_MAX);
        else
            cli->operands[cli->operand_count++] = rest[i];
    }
    free((void *)rest);
    if (code == NIP_OK && cli->command != NULL && !cli_flag(cli, "help"))
        code = check_operands(cli, err);
    return code;
}

static void show_options(const struct cli_option_spec *specs)
{
    for (; specs != NULL && specs->name != NULL; specs++) {
        char left[48];
        if (specs->letter != 0)
            snprintf(left, sizeof left, "-%c, --%s%s%s", specs->letter, specs->name,
                     specs->argument != NULL ? " " : "",
                     specs->argument != NULL ? specs->argument : "");
        else
            snprintf(left, sizeof left, "    --%s%s%s", specs->name,
                     specs->argument != NULL ? " " : "",
                     specs->argument != NULL ? specs->argument : "");
        printf("  %-27s %s\n", left, specs->help);
    }
}

void cli_help_command(const struct cli *cli, const struct cli_command *command)
{
    const char *bold = cli->color_out ? "\x1b[1m" : "", *end = cli->color_out ? "\x1b[0m" : "";
    printf("%s.\n\n%sUsage:%s nip %s [options]%s%s\n\n%s\n", command->summary, bold, end,
           command->name, command->operands[0] != '\0' ? " " : "", command->operands,
           command->description);
    if (command->options != NULL && command->options->name != NULL) {
        printf("\n%sOptions:%s\n", bold, end);
        show_options(command->options);
    }
    printf("\n%sOptions of every command:%s\n", bold, end);
    show_options(cli_global_options);
    if (command->examples != NULL) {
        printf("\n%sExamples:%s\n", bold, end);
        for (const struct cli_example *e = command->examples; e->line != NULL; e++)
            printf("  %-44s %s\n", e->line, e->what);
    }
}

void cli_help_overview(const struct cli *cli)
{
    const char *bold = cli->color_out ? "\x1b[1m" : "", *end = cli->color_out ? "\x1b[0m" : "";
    printf("nip %s: builds, signs, shares and boots isolated drivers for Rumpk.\n\n"
           "%sUsage:%s nip COMMAND [options]\n",
           NIP_VERSION, bold, end);
    const char *group = "";
    for (size_t i = 0; i < cli_command_count; i++) {
        if (strcmp(group, cli_commands[i].group) != 0) {
            group = cli_commands[i].group;
            printf("\n%s%s:%s\n", bold, group, end);
        }
        printf("  %-16s %s\n", cli_commands[i].name, cli_commands[i].summary);
    }
    printf("\n%sOptions of every command:%s\n", bold, end);
    show_options(cli_global_options);
    printf("\nStart with: nip new hello\n"
           "More: nip help COMMAND, nip help exit-codes, nip help errors, nip help manifest,\n"
           "      nip help config\n");
}

static void show_exit_codes(void)
{
    static const struct {
        int status;
        const char *meaning;
    } table[] = {
        {0, "done"},
        {1, "failed for another reason (build step, emulator, guest)"},
        {2, "wrong use of the command line"},
        {3, "input refused: a file is not what it should be"},
        {4, "not trusted: signature, key, password, or the owner's consent is missing"},
        {5, "not found"},
        {6, "exists already, or several candidates fit"},
        {7, "the operating system said no, or a tool is missing"},
        {8, "the network said no"},
        {9, "busy: another process holds the lock"},
        {10, "a limit was reached"},
        {11, "a bug in nip"},
        {130, "interrupted by Ctrl-C"},
    };
    puts("Exit codes. A number never changes its meaning.\n");
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        printf("  %3d  %s\n", table[i].status, table[i].meaning);
    puts("\n'nip help errors' lists every error with its exit code.");
}

// The command that help is asked about: words `at` and `at + 1` of the operands.
static enum nip_code asked_command(const struct cli *cli, size_t at,
                                   const struct cli_command **command, struct nip_error *err)
{
    char *words[3] = {(char *)"nip", (char *)cli_operand(cli, at),
                      (char *)cli_operand(cli, at + 1)};
    int taken = 0;
    *command = find_command(words[2] != NULL ? 3 : 2, words, 1, &taken);
    return *command != NULL ? NIP_OK : missing_subcommand(words[1], words[2], err);
}

static enum nip_code help_man(const struct cli *cli, struct nip_error *err)
{
    const struct cli_command *command = NULL;
    if (cli_operand(cli, 1) == NULL) {
        man_overview(stdout);
        return NIP_OK;
    }
    enum nip_code code = asked_command(cli, 1, &command, err);
    if (code == NIP_OK)
        man_page(stdout, command);
    return code;
}

enum nip_code cli_help(struct cli *cli, struct nip_error *err)
{
    const char *topic = cli_operand(cli, 0);
    const struct cli_command *command = NULL;
    if (topic == NULL) {
        cli_help_overview(cli);
    } else if (strcmp(topic, "exit-codes") == 0) {
        show_exit_codes();
    } else if (strcmp(topic, "errors") == 0) {
        if (cli_operand(cli, 1) != NULL)
            return explain_one(cli_operand(cli, 1), err);
        explain_all();
    } else if (strcmp(topic, "man") == 0) {
        return help_man(cli, err);
    } else if (strcmp(topic, "man-pages") == 0) {
        return man_write_all(cli_operand(cli, 1), err);
    } else if (strcmp(topic, "manifest") == 0 || strcmp(topic, "config") == 0) {
        struct nip_buffer text = {0};
        if (topic[0] == 'm')
            nip_manifest_document(&text);
        else
            nip_config_document(&text);
        fputs(nip_buffer_text(&text), stdout);
        nip_buffer_free(&text);
    } else {
        enum nip_code code = asked_command(cli, 0, &command, err);
        if (code != NIP_OK)
            return code;
        cli_help_command(cli, command);
    }
    return NIP_OK;
}
