// SPDX-License-Identifier: Apache-2.0
//
// The one place where the tool prints. Text is formatted, escaped, and only then given colour, so
// no foreign byte can look like a colour or move the cursor.

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "nip/escape.h"
#include "progress.h"

#define COLOR_RED    "\x1b[1;31m"
#define COLOR_GREEN  "\x1b[1;32m"
#define COLOR_YELLOW "\x1b[1;33m"
#define COLOR_BLUE   "\x1b[1;34m"
#define COLOR_BOLD   "\x1b[1m"
#define COLOR_END    "\x1b[0m"

static void print_list(FILE *stream, bool color, const char *paint, const char *label,
                       const char *format, va_list list)
{
    struct nip_buffer raw = {0};
    progress_hide();
    nip_buffer_append_list(&raw, format, list);
    size_t size = raw.size * 10 + 1; // the longest escape of one byte is \u{10ffff}
    char *escaped = malloc(size);
    if (escaped == NULL || nip_buffer_has_failed(&raw)) {
        fputs("(out of memory)\n", stream);
    } else {
        nip_escape_lines(escaped, size, nip_buffer_text(&raw), raw.size);
        if (label[0] != '\0')
            fprintf(stream, "%s%s%s", color ? paint : "", label, color ? COLOR_END : "");
        fputs(escaped, stream);
        fputc('\n', stream);
    }
    fflush(stream);
    free(escaped);
    nip_buffer_free(&raw);
}

void cli_say(const struct cli *cli, const char *format, ...)
{
    if (cli->is_quiet)
        return;
    va_list list;
    va_start(list, format);
    print_list(cli->is_json ? stderr : stdout, false, "", "", format, list);
    va_end(list);
}

void cli_detail(const struct cli *cli, const char *format, ...)
{
    if (!cli->is_verbose)
        return;
    va_list list;
    va_start(list, format);
    print_list(cli->is_json ? stderr : stdout, false, "", "", format, list);
    va_end(list);
}

void cli_print(const struct cli *cli, const char *format, ...)
{
    (void)cli;
    va_list list;
    va_start(list, format);
    print_list(stdout, false, "", "", format, list);
    va_end(list);
}

void cli_next(const struct cli *cli, const char *format, ...)
{
    if (cli->is_quiet || cli->is_json)
        return;
    va_list list;
    va_start(list, format);
    print_list(stdout, cli->color_out, COLOR_BLUE, "next: ", format, list);
    va_end(list);
}

void cli_warn(const struct cli *cli, const char *format, ...)
{
    fflush(stdout);
    va_list list;
    va_start(list, format);
    print_list(stderr, cli->color_err, COLOR_YELLOW, "warning: ", format, list);
    va_end(list);
}

static void relay_format(const char *format, ...) NIP_PRINTF(1, 2);

static void relay_format(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    print_list(stderr, false, "", "", format, list);
    va_end(list);
}

void cli_relay(const struct cli *cli, const char *text)
{
    (void)cli;
    fflush(stdout);
    relay_format("%s", text);
}

void cli_print_verdict(const struct cli *cli, bool good, const char *label, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    print_list(stdout, cli->color_out, good ? COLOR_GREEN : COLOR_RED, label, format, list);
    va_end(list);
}

void cli_print_verdict_whole(const struct cli *cli, bool good, const char *format, ...)
{
    struct nip_buffer raw = {0}, escaped = {0};
    progress_hide();
    va_list list;
    va_start(list, format);
    nip_buffer_append_list(&raw, format, list);
    va_end(list);
    nip_escape_append(&escaped, nip_buffer_text(&raw), raw.size);
    const char *paint = good ? COLOR_GREEN : COLOR_RED;
    printf("%s%s%s\n", cli->color_out ? paint : "", nip_buffer_text(&escaped),
           cli->color_out ? COLOR_END : "");
    nip_buffer_free(&raw);
    nip_buffer_free(&escaped);
}

static void show_excerpt(bool color, const struct nip_error *err)
{
    char number[16];
    int width = snprintf(number, sizeof number, "%u", (unsigned)err->line);
    fprintf(stderr, "%*s |\n%s | %s\n%*s | ", width, "", number, err->excerpt, width, "");
    for (unsigned i = 1; i < err->caret_column; i++)
        fputc(' ', stderr);
    fputs(color ? COLOR_RED : "", stderr);
    for (unsigned i = 0; i < err->caret_width; i++)
        fputc('^', stderr);
    fprintf(stderr, "%s\n", color ? COLOR_END : "");
}

void cli_show_error(bool color, const struct nip_error *err)
{
    progress_hide();
    fflush(stdout);
    const char *message = err->message[0] != '\0' ? err->message : nip_error_sentence(err->code);
    fprintf(stderr, "%serror:%s %s%s%s\n", color ? COLOR_RED : "", color ? COLOR_END : "",
            color ? COLOR_BOLD : "", message, color ? COLOR_END : "");
    if (err->file[0] != '\0') {
        fprintf(stderr, " --> %s", err->file);
        if (err->line != 0)
            fprintf(stderr, ":%u", (unsigned)err->line);
        if (err->line != 0 && err->column != 0)
            fprintf(stderr, ":%u", (unsigned)err->column);
        fputc('\n', stderr);
    }
    if (err->caret_column != 0 && err->line != 0)
        show_excerpt(color, err);
    const char *hint = err->hint;
    while (hint[0] != '\0') {
        size_t length = strcspn(hint, "\n");
        fprintf(stderr, "%shelp:%s %.*s\n", color ? COLOR_BLUE : "", color ? COLOR_END : "",
                (int)length, hint);
        hint += length;
        if (hint[0] == '\n')
            hint++;
    }
    fflush(stderr);
}

bool cli_has_terminal(void)
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

enum nip_code cli_ask_yes(const struct cli *cli, const char *question, bool *yes,
                          struct nip_error *err)
{
    *yes = false;
    if (!cli_has_terminal())
        return nip_error_set(err, NIP_ERROR_CONSENT,
                             "a decision is needed, and there is no terminal to ask on");
    char escaped[2048];
    progress_hide();
    nip_escape_lines(escaped, sizeof escaped, question, strlen(question));
    fflush(stdout);
    fprintf(stderr, "%s%s%s [y/N] ", cli->color_err ? COLOR_BOLD : "", escaped,
            cli->color_err ? COLOR_END : "");
    fflush(stderr);
    char line[64];
    if (fgets(line, sizeof line, stdin) == NULL) {
        fputc('\n', stderr);
        return NIP_OK;
    }
    line[strcspn(line, "\r\n")] = '\0';
    *yes = strcmp(line, "y") == 0 || strcmp(line, "Y") == 0 || strcmp(line, "yes") == 0;
    return NIP_OK;
}

const char *cli_size_text(unsigned long long size, char out[32])
{
    if (size < 1024)
        snprintf(out, 32, "%llu B", size);
    else if (size < 1024ull * 1024)
        snprintf(out, 32, "%.1f KiB", (double)size / 1024.0);
    else
        snprintf(out, 32, "%.1f MiB", (double)size / (1024.0 * 1024.0));
    return out;
}

// Edit distance of two short words, row by row.
static size_t distance_of(const char *a, const char *b)
{
    enum { WORD_MAX = 63 };
    size_t size_a = strlen(a), size_b = strlen(b);
    if (size_a > WORD_MAX || size_b > WORD_MAX)
        return WORD_MAX;
    size_t row[WORD_MAX + 1];
    for (size_t j = 0; j <= size_b; j++)
        row[j] = j;
    for (size_t i = 1; i <= size_a; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= size_b; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[size_b];
}

const char *cli_nearest(const char *text, const char *const *candidates)
{
    const char *best = NULL;
    size_t best_distance = strlen(text) / 3 + 2;
    for (; *candidates != NULL; candidates++) {
        size_t distance = distance_of(text, *candidates);
        if (distance < best_distance) {
            best_distance = distance;
            best = *candidates;
        }
    }
    return best;
}
