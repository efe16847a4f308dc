// SPDX-License-Identifier: Apache-2.0
//
// Drawing the bar: one write() for each drawing, so that threads and other programs never see a
// part of it.

#include "progress.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "nip/escape.h"
#include "settings.h"

enum {
    LINE_SIZE = 1024,
    WIDTH_DEFAULT = 80, // where the terminal does not say
    WIDTH_MAX = 200,    // of a line that is drawn
    WIDTH_BAR_MIN = 48, // below it: numbers only
    BAR_WIDTH = 24,
};

#define ERASE_LINE "\r\x1b[K"

static struct progress *active;        // the bar that is shown; main thread only
static atomic_bool is_drawn, is_ended; // something stands in the line; nothing may any more

static void write_line(const char *text, size_t size)
{
    ssize_t ignored = write(STDERR_FILENO, text, size);
    (void)ignored; // a terminal that is gone needs no bar
}

static bool is_wanted(const struct cli *cli)
{
    const char *terminal = getenv("TERM");
    return !cli->is_json && !cli->is_quiet && !cli->is_verbose &&
           settings()->progress != NIP_CONFIG_NEVER && terminal != NULL && terminal[0] != '\0' &&
           strcmp(terminal, "dumb") != 0 && isatty(STDERR_FILENO) == 1;
}

// Asked at each drawing, for the window may have changed. The last column stays free: a terminal
// that wraps there would need two lines erased.
static size_t line_width(void)
{
    struct winsize window = {0};
    size_t width = WIDTH_DEFAULT;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col != 0)
        width = window.ws_col;
    return width - 1 < WIDTH_MAX ? width - 1 : WIDTH_MAX;
}

// Appends as much of `text` as fits into *columns; anything that is not ASCII counts as two.
static void append_columns(struct nip_buffer *line, const char *text, size_t *columns)
{
    size_t size = strlen(text), at = 0;
    while (at < size) {
        uint32_t code_point = 0;
        size_t step = nip_utf8_decode(text + at, size - at, &code_point);
        size_t width = code_point < 0x80 ? 1 : 2;
        if (step == 0 || width > *columns)
            return;
        nip_buffer_append(line, text + at, step);
        *columns -= width;
        at += step;
    }
}

static void draw(const struct progress *progress, const char *what)
{
    struct nip_buffer line;
    char part[128], escaped[256];
    size_t columns = line_width();
    nip_buffer_init(&line, LINE_SIZE);
    nip_buffer_append_text(&line, ERASE_LINE);
    snprintf(part, sizeof part, "%-10s ", progress->label);
    append_columns(&line, part, &columns);
    if (progress->total != 0 && columns + strlen(part) >= WIDTH_BAR_MIN) {
        size_t filled = progress->done * BAR_WIDTH / progress->total;
        memset(part, '.', BAR_WIDTH + 2);
        part[0] = '[';
        memset(part + 1, '#', filled);
        memcpy(part + 1 + BAR_WIDTH, "] ", 3);
        append_columns(&line, part, &columns);
    }
    if (progress->total != 0)
        snprintf(part, sizeof part, "%zu/%zu ", progress->done, progress->total);
    else
        snprintf(part, sizeof part, "%zu ", progress->done + 1);
    append_columns(&line, part, &columns);
    nip_escape(escaped, sizeof escaped, what, strlen(what));
    append_columns(&line, escaped, &columns);
    if (!nip_buffer_has_failed(&line) && !atomic_load(&is_ended)) {
        atomic_store(&is_drawn, true);
        fflush(stdout);
        write_line(nip_buffer_text(&line), line.size);
    }
    nip_buffer_free(&line);
}

void progress_begin(struct progress *progress, const struct cli *cli, const char *label,
                    size_t total)
{
    *progress = (struct progress){.cli = cli, .label = label, .total = total};
    progress->is_shown = active == NULL && is_wanted(cli);
    if (progress->is_shown)
        active = progress;
}

void progress_step(struct progress *progress, const char *what)
{
    if (!progress->is_shown)
        return;
    draw(progress, what);
    if (progress->total == 0 || progress->done < progress->total)
        progress->done++;
}

void progress_end(struct progress *progress)
{
    if (!progress->is_shown)
        return;
    progress_hide();
    active = NULL;
    progress->is_shown = false;
}

void progress_hide(void)
{
    if (atomic_exchange(&is_drawn, false))
        write_line(ERASE_LINE, sizeof ERASE_LINE - 1);
}

void progress_stop(void)
{
    atomic_store(&is_ended, true);
    progress_hide();
}
