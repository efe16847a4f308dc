// SPDX-License-Identifier: Apache-2.0
//
// nip completion bash|zsh|fish: scripts out of the table of commands, so that they know every
// command and option of this nip and no other. The texts contain neither quotes nor anything that a
// shell would expand: quote() sees to it.

#include <string.h>

#include "commands.h"

static const char *const color_values = "auto always never";
static const char *const arch_values = "riscv64 aarch64 x86_64 all";

// In single quotes, with single quotes inside replaced by a typographic one.
static void quote(const char *text)
{
    putchar('\'');
    for (; *text != '\0'; text++)
        fputs(*text == '\'' ? "\xe2\x80\x99" : (char[]){*text, '\0'}, stdout);
    putchar('\'');
}

static size_t first_size(const struct cli_command *command)
{
    return strcspn(command->name, " ");
}

static bool is_same_first(const struct cli_command *a, const struct cli_command *b)
{
    size_t size = first_size(a);
    return size == first_size(b) && strncmp(a->name, b->name, size) == 0;
}

// Whether an earlier command of the table begins with the same word.
static bool is_repeated(size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (is_same_first(&cli_commands[i], &cli_commands[index]))
            return true;
    return false;
}

static void print_first_words(void)
{
    for (size_t i = 0; i < cli_command_count; i++)
        if (!is_repeated(i))
            printf(" %.*s", (int)first_size(&cli_commands[i]), cli_commands[i].name);
}

static void print_options(const struct cli_option_spec *specs)
{
    for (; specs != NULL && specs->name != NULL; specs++) {
        if (specs->letter != 0)
            printf(" -%c", specs->letter);
        printf(" --%s", specs->name);
    }
}

static void print_second_words(const struct cli_command *first)
{
    for (size_t i = 0; i < cli_command_count; i++)
        if (is_same_first(first, &cli_commands[i]) && strchr(cli_commands[i].name, ' ') != NULL)
            printf(" %s", strchr(cli_commands[i].name, ' ') + 1);
}

// ---- bash ----

static void print_bash(void)
{
    fputs("# bash completion for nip, written by: nip completion bash\n"
          "_nip()\n{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local first= second= skip= words= options= i word\n"
          "    COMPREPLY=()\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        word=${COMP_WORDS[i]}\n"
          "        if [ -n \"$skip\" ]; then skip=; continue; fi\n"
          "        case $word in\n"
          "            -C | --directory | --color | -j | --jobs) skip=1 ;;\n"
          "            -*) ;;\n"
          "            *) if [ -z \"$first\" ]; then first=$word\n"
          "               elif [ -z \"$second\" ]; then second=$word; fi ;;\n"
          "        esac\n"
          "    done\n"
          "    case $prev in\n",
          stdout);
    printf("        --color) COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return ;;\n",
           color_values);
    printf("        --arch) COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return ;;\n", arch_values);
    fputs("        -C | --directory) COMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n"
          "    esac\n    options='",
          stdout);
    print_options(cli_global_options);
    fputs("'\n    case \"$first $second\" in\n", stdout);
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *command = &cli_commands[i];
        if (command->options == NULL)
            continue;
        printf("        \"%s%s) options+='", command->name,
               strchr(command->name, ' ') != NULL ? "\"" : " \"*");
        print_options(command->options);
        fputs("' ;;\n", stdout);
    }
    fputs("    esac\n    case \"$first $second\" in\n        ' ') words='", stdout);
    print_first_words();
    fputs("' ;;\n", stdout);
    for (size_t i = 0; i < cli_command_count; i++) {
        if (is_repeated(i) || strchr(cli_commands[i].name, ' ') == NULL)
            continue;
        printf("        '%.*s ') words='", (int)first_size(&cli_commands[i]), cli_commands[i].name);
        print_second_words(&cli_commands[i]);
        fputs("' ;;\n", stdout);
    }
    fputs("        'help ') words='exit-codes errors man man-pages manifest config", stdout);
    print_first_words();
    fputs("' ;;\n        'completion ') words='bash zsh fish' ;;\n    esac\n"
          "    case $cur in -*) words=$options ;; esac\n"
          "    [ -z \"$words\" ] || COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
          "}\n"
          "complete -o bashdefault -o default -F _nip nip\n",
          stdout);
}

// ---- zsh ----

static void print_zsh_pair(const char *word, int size, const char *help)
{
    char item[256];
    snprintf(item, sizeof item, "%.*s:%.180s", size, word, help);
    putchar(' ');
    quote(item);
}

static void print_zsh_options(const struct cli_option_spec *specs)
{
    for (; specs != NULL && specs->name != NULL; specs++) {
        char name[64];
        snprintf(name, sizeof name, "--%s", specs->name);
        print_zsh_pair(name, (int)strlen(name), specs->help);
    }
}

static void print_zsh(void)
{
    fputs("#compdef nip\n"
          "# zsh completion for nip, written by: nip completion zsh\n"
          "_nip()\n{\n"
          "    local -a choices options\n"
          "    local first= second= skip= i\n"
          "    for ((i = 2; i < CURRENT; i++)); do\n"
          "        if [[ -n $skip ]]; then skip=; continue; fi\n"
          "        case ${words[i]} in\n"
          "            -C | --directory | --color | -j | --jobs) skip=1 ;;\n"
          "            -*) ;;\n"
          "            *) if [[ -z $first ]]; then first=${words[i]}\n"
          "               elif [[ -z $second ]]; then second=${words[i]}; fi ;;\n"
          "        esac\n"
          "    done\n"
          "    options=(",
          stdout);
    print_zsh_options(cli_global_options);
    fputs(" )\n    case \"$first $second\" in\n", stdout);
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *command = &cli_commands[i];
        if (command->options == NULL)
            continue;
        printf("        \"%s%s) options+=(", command->name,
               strchr(command->name, ' ') != NULL ? "\"" : " \"*");
        print_zsh_options(command->options);
        fputs(" ) ;;\n", stdout);
    }
    fputs("    esac\n    case \"$first $second\" in\n        ' ') choices=(", stdout);
    for (size_t i = 0; i < cli_command_count; i++)
        if (!is_repeated(i))
            print_zsh_pair(cli_commands[i].name, (int)first_size(&cli_commands[i]),
                           strchr(cli_commands[i].name, ' ') != NULL ? cli_commands[i].group
                                                                     : cli_commands[i].summary);
    fputs(" ) ;;\n", stdout);
    for (size_t i = 0; i < cli_command_count; i++) {
        if (is_repeated(i) || strchr(cli_commands[i].name, ' ') == NULL)
            continue;
        printf("        '%.*s ') choices=(", (int)first_size(&cli_commands[i]),
               cli_commands[i].name);
        for (size_t k = i; k < cli_command_count; k++) {
            const char *second = strchr(cli_commands[k].name, ' ');
            if (is_same_first(&cli_commands[i], &cli_commands[k]) && second != NULL)
                print_zsh_pair(second + 1, (int)strlen(second + 1), cli_commands[k].summary);
        }
        fputs(" ) ;;\n", stdout);
    }
    fputs("        'completion ') choices=(bash zsh fish) ;;\n"
          "    esac\n"
          "    if [[ ${words[CURRENT]} == -* ]]; then _describe -o option options\n"
          "    elif (( $#choices )); then _describe command choices\n"
          "    else _files; fi\n"
          "}\n"
          "if [[ $funcstack[1] == _nip ]]; then _nip \"$@\"; else compdef _nip nip; fi\n",
          stdout);
}

// ---- fish ----

static void print_fish_options(const char *condition, const struct cli_option_spec *specs)
{
    for (; specs != NULL && specs->name != NULL; specs++) {
        printf("complete -c nip%s -l %s", condition, specs->name);
        if (specs->letter != 0)
            printf(" -s %c", specs->letter);
        if (strcmp(specs->name, "color") == 0)
            printf(" -x -a '%s'", color_values);
        else if (strcmp(specs->name, "arch") == 0)
            printf(" -x -a '%s'", arch_values);
        else if (specs->argument != NULL)
            fputs(" -r", stdout);
        fputs(" -d ", stdout);
        quote(specs->help);
        putchar('\n');
    }
}

static void fish_condition(const struct cli_command *command, char *out, size_t out_size)
{
    const char *second = strchr(command->name, ' ');
    if (second == NULL)
        snprintf(out, out_size, " -n '__fish_seen_subcommand_from %s'", command->name);
    else
        snprintf(out, out_size,
                 " -n '__fish_seen_subcommand_from %.*s; and __fish_seen_subcommand_from %s'",
                 (int)first_size(command), command->name, second + 1);
}

static void print_fish(void)
{
    fputs("# fish completion for nip, written by: nip completion fish\n", stdout);
    print_fish_options("", cli_global_options);
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *command = &cli_commands[i];
        const char *second = strchr(command->name, ' ');
        char condition[160];
        if (!is_repeated(i)) {
            printf("complete -c nip -n __fish_use_subcommand -a %.*s -d ", (int)first_size(command),
                   command->name);
            quote(second != NULL ? command->group : command->summary);
            putchar('\n');
        }
        if (second != NULL) {
            printf("complete -c nip -n '__fish_seen_subcommand_from %.*s' -a %s -d ",
                   (int)first_size(command), command->name, second + 1);
            quote(command->summary);
            putchar('\n');
        }
        fish_condition(command, condition, sizeof condition);
        print_fish_options(condition, command->options);
    }
    fputs(
        "complete -c nip -n '__fish_seen_subcommand_from completion' -x -a 'bash zsh fish'\n"
        "complete -c nip -n '__fish_seen_subcommand_from help' -a 'exit-codes errors man man-pages "
        "manifest config'\n",
        stdout);
}

enum nip_code command_completion(struct cli *cli, struct nip_error *err)
{
    const char *shell = cli_operand(cli, 0);
    if (strcmp(shell, "bash") == 0)
        print_bash();
    else if (strcmp(shell, "zsh") == 0)
        print_zsh();
    else if (strcmp(shell, "fish") == 0)
        print_fish();
    else {
        nip_error_set(err, NIP_ERROR_USAGE, "there is no completion for '%s'", shell);
        nip_error_hint(err, "one of: bash, zsh, fish");
        return NIP_ERROR_USAGE;
    }
    return NIP_OK;
}
