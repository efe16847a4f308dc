// SPDX-License-Identifier: Apache-2.0
//
// See guest.h.

#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "nip/escape.h"
#include "nip/json.h"

enum {
    CHUNK_SIZE = 16384,
    FIRMWARE_SIZE_MAX = 16384,
    LINE_SIZE_MAX = 65536,
    TROUBLE_SIZE_MAX = 2048,
    STEP_MS = 50,
};

// The only state that a signal handler can reach. One emulator runs at a time.
static volatile sig_atomic_t signal_pipe = -1;
static struct sigaction old_interrupt, old_terminate;

static void on_signal(int number)
{
    int saved = errno;
    uint8_t byte = (uint8_t)number;
    ssize_t ignored = write(signal_pipe, &byte, 1);
    (void)ignored;
    errno = saved;
}

int64_t guest_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void close_one(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

static void catch_signals(const struct guest *guest)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    signal_pipe = guest->signals_write;
    sigaction(SIGINT, &action, &old_interrupt);
    sigaction(SIGTERM, &action, &old_terminate);
    cleanup_lend_signals();
}

static void release_signals(void)
{
    if (signal_pipe < 0)
        return;
    cleanup_take_back_signals();
    sigaction(SIGINT, &old_interrupt, NULL);
    sigaction(SIGTERM, &old_terminate, NULL);
    signal_pipe = -1;
}

// In the child: its own process group, so that Ctrl-C reaches us alone; and never longer than we.
static _Noreturn void become_emulator(char *const *argv, int console, int errors, int monitor,
                                      pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(console, STDOUT_FILENO) < 0 ||
        dup2(errors, STDERR_FILENO) < 0)
        _exit(127);
    if (monitor != GUEST_MONITOR_DESCRIPTOR) {
        if (dup2(monitor, GUEST_MONITOR_DESCRIPTOR) < 0)
            _exit(127);
    } else {
        fcntl(monitor, F_SETFD, 0);
    }
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv(argv[0], argv);
    static const char text[] = "cannot be executed\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    _exit(127);
}

enum nip_code guest_start(struct guest *guest, char *const *argv, int output, bool escapes_output,
                          const char *firmware_last, struct nip_error *err)
{
    memset(guest, 0, sizeof *guest);
    guest->console = guest->errors = guest->monitor = -1;
    guest->signals = guest->signals_write = -1;
    guest->output = output;
    guest->escapes_output = escapes_output;
    guest->firmware_last = firmware_last && firmware_last[0] ? firmware_last : NULL;
    nip_buffer_init(&guest->held, FIRMWARE_SIZE_MAX + CHUNK_SIZE);
    nip_buffer_init(&guest->line, LINE_SIZE_MAX);
    nip_buffer_init(&guest->trouble, TROUBLE_SIZE_MAX);
    int console[2] = {-1, -1}, errors[2] = {-1, -1}, monitor[2] = {-1, -1}, signals[2] = {-1, -1};
    enum nip_code code = NIP_OK;
    if (pipe2(console, O_CLOEXEC) != 0 || pipe2(errors, O_CLOEXEC) != 0 ||
        pipe2(signals, O_CLOEXEC | O_NONBLOCK) != 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, monitor) != 0) {
        code = nip_error_set_errno(err, errno, "cannot make the channels to the emulator");
    } else {
        guest->console = console[0];
        guest->errors = errors[0];
        guest->monitor = monitor[0];
        guest->signals = signals[0];
        guest->signals_write = signals[1];
        catch_signals(guest);
        pid_t parent = getpid();
        guest->pid = fork();
        if (guest->pid == 0)
            become_emulator(argv, console[1], errors[1], monitor[1], parent);
        if (guest->pid < 0) {
            guest->pid = 0;
            code = nip_error_set_errno(err, errno, "cannot start %s", argv[0]);
        } else {
            cleanup_add_child(guest->pid);
        }
    }
    close_one(&console[1]);
    close_one(&errors[1]);
    close_one(&monitor[1]);
    if (code != NIP_OK) {
        if (guest->console < 0) { // nothing was handed over yet
            close_one(&console[0]);
            close_one(&errors[0]);
            close_one(&monitor[0]);
            close_one(&signals[0]);
            close_one(&signals[1]);
        }
        guest_end(guest, 0);
    }
    return code;
}

// ---- console ----

static void write_all(struct guest *guest, const uint8_t *data, size_t size)
{
    while (size > 0 && !guest->is_output_gone) {
        ssize_t count = write(guest->output, data, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            guest->is_output_gone = true; // nobody looks any more: like Ctrl-C
            guest->was_interrupted = true;
            return;
        }
        data += count;
        size -= (size_t)count;
    }
}

// How many bytes at the end are the beginning of a character whose rest has not come yet.
static size_t incomplete_size(const uint8_t *data, size_t size)
{
    for (size_t back = 1; back <= 3 && back <= size; back++) {
        uint8_t byte = data[size - back];
        if ((byte & 0xC0) == 0x80)
            continue;
        size_t whole = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
        return whole > back ? back : 0;
    }
    return 0;
}

// What the guest writes is foreign text. For a terminal everything but line ends and tabs is shown
// escaped.
static void forward(struct guest *guest, const uint8_t *data, size_t size, bool is_end)
{
    guest->console_size += size;
    if (!guest->escapes_output) {
        write_all(guest, data, size);
        return;
    }
    struct nip_buffer text = {.size = 0}, shown = {.size = 0};
    nip_buffer_append(&text, guest->tail, guest->tail_size);
    nip_buffer_append(&text, data, size);
    guest->tail_size = is_end ? 0 : incomplete_size(text.data, text.size);
    size_t end = text.size - guest->tail_size, start = 0;
    if (guest->tail_size)
        memcpy(guest->tail, text.data + end, guest->tail_size);
    for (size_t i = 0; i < end; i++) {
        uint8_t byte = text.data[i];
        if (byte != '\n' && byte != '\t' && byte != '\r')
            continue;
        nip_escape_append(&shown, text.data + start, i - start);
        if (byte != '\r')
            nip_buffer_append_byte(&shown, byte);
        start = i + 1;
    }
    if (start < end)
        nip_escape_append(&shown, text.data + start, end - start);
    if (!nip_buffer_has_failed(&shown))
        write_all(guest, shown.data, shown.size);
    nip_buffer_free(&text);
    nip_buffer_free(&shown);
}

// Some firmware greets on the console before it hands over. That is held back until its last line
// has passed, and given out after all when that line does not come.
static void hold_back(struct guest *guest, const uint8_t *data, size_t size, bool is_end)
{
    nip_buffer_append(&guest->held, data, size);
    const char *text = nip_buffer_text(&guest->held);
    size_t begin_size = strlen(guest->firmware_last);
    for (size_t start = 0; start < guest->held.size;) {
        const char *line_end = memchr(text + start, '\n', guest->held.size - start);
        size_t next = line_end ? (size_t)(line_end - text) + 1 : guest->held.size;
        if (line_end && next - start > begin_size &&
            memcmp(text + start, guest->firmware_last, begin_size) == 0) {
            guest->firmware_last = NULL;
            forward(guest, guest->held.data + next, guest->held.size - next, is_end);
            return;
        }
        start = next;
    }
    if (is_end || guest->held.size > FIRMWARE_SIZE_MAX) {
        guest->firmware_last = NULL;
        forward(guest, guest->held.data, guest->held.size, is_end);
    }
}

static void give_out(struct guest *guest, const uint8_t *data, size_t size, bool is_end)
{
    if (guest->firmware_last)
        hold_back(guest, data, size, is_end);
    else
        forward(guest, data, size, is_end);
}

static void read_console(struct guest *guest)
{
    uint8_t chunk[CHUNK_SIZE];
    ssize_t count = read(guest->console, chunk, sizeof chunk);
    if (count > 0)
        give_out(guest, chunk, (size_t)count, false);
    else if (count == 0 || errno != EINTR) {
        give_out(guest, NULL, 0, true);
        close_one(&guest->console);
    }
}

static void read_errors(struct guest *guest)
{
    uint8_t chunk[512];
    ssize_t count = read(guest->errors, chunk, sizeof chunk);
    if (count == 0 || (count < 0 && errno != EINTR))
        close_one(&guest->errors);
    size_t room = TROUBLE_SIZE_MAX - guest->trouble.size;
    if (count > 0 && room > 0)
        nip_buffer_append(&guest->trouble, chunk, (size_t)count < room ? (size_t)count : room);
}

// ---- monitor ----

static void hear(struct guest *guest, const char *line, size_t size)
{
    struct nip_json *message = NULL;
    if (nip_json_parse(line, size, "monitor", &message, NULL) != NIP_OK)
        return;
    const struct nip_json *greeting = nip_json_get(message, "QMP");
    const char *event = nip_json_get_text(message, "event");
    if (greeting) {
        uint64_t major = 0, minor = 0;
        const struct nip_json *version = nip_json_get(nip_json_get(greeting, "version"), "qemu");
        nip_json_get_u64(version, "major", &major);
        nip_json_get_u64(version, "minor", &minor);
        guest->version_major = (uint32_t)major;
        guest->version_minor = (uint32_t)minor;
        guest->has_greeting = true;
    } else if (event && strcmp(event, "SHUTDOWN") == 0) {
        const char *reason = nip_json_get_text(nip_json_get(message, "data"), "reason");
        guest->has_shutdown = true;
        guest->was_reset = reason && strcmp(reason, "guest-reset") == 0;
    } else if (nip_json_get(message, "return")) {
        guest->has_reply = guest->is_reply_good = true;
    } else if (nip_json_get(message, "error")) {
        const char *text = nip_json_get_text(nip_json_get(message, "error"), "desc");
        guest->has_reply = true;
        guest->is_reply_good = false;
        nip_escape(guest->reply_error, sizeof guest->reply_error, text ? text : "refused",
                   text ? strlen(text) : 7);
    }
    nip_json_free(message);
}

static void read_monitor(struct guest *guest)
{
    char chunk[4096];
    ssize_t count = read(guest->monitor, chunk, sizeof chunk);
    if (count == 0 || (count < 0 && errno != EINTR))
        close_one(&guest->monitor);
    for (ssize_t i = 0; i < count; i++) {
        if (chunk[i] != '\n') {
            nip_buffer_append_byte(&guest->line, (uint8_t)chunk[i]);
            continue;
        }
        if (!nip_buffer_has_failed(&guest->line))
            hear(guest, nip_buffer_text(&guest->line), guest->line.size);
        nip_buffer_clear(&guest->line);
    }
}

static void read_signals(struct guest *guest)
{
    uint8_t bytes[16];
    ssize_t count = read(guest->signals, bytes, sizeof bytes);
    if (count > 0) {
        guest->signal_count += (uint32_t)count;
        guest->was_interrupted = true;
    }
}

bool guest_pump(struct guest *guest, int wait_ms)
{
    struct pollfd channels[4] = {
        {.fd = guest->console, .events = POLLIN},
        {.fd = guest->errors, .events = POLLIN},
        {.fd = guest->monitor, .events = POLLIN},
        {.fd = guest->signals, .events = POLLIN},
    };
    if (poll(channels, 4, wait_ms) > 0) {
        if (channels[0].revents)
            read_console(guest);
        if (channels[1].revents)
            read_errors(guest);
        if (channels[2].revents)
            read_monitor(guest);
        if (channels[3].revents)
            read_signals(guest);
    }
    return guest->console >= 0 || guest->monitor >= 0;
}

bool guest_command(struct guest *guest, const char *command, int wait_ms)
{
    guest->has_reply = false;
    snprintf(guest->reply_error, sizeof guest->reply_error, "no answer");
    size_t size = strlen(command);
    if (guest->monitor < 0 || send(guest->monitor, command, size, MSG_NOSIGNAL) != (ssize_t)size ||
        send(guest->monitor, "\n", 1, MSG_NOSIGNAL) != 1)
        return false;
    int64_t end = guest_clock_ms() + wait_ms;
    while (!guest->has_reply && guest->monitor >= 0) {
        int64_t left = end - guest_clock_ms();
        if (left <= 0 || guest->signal_count > 1)
            return false;
        guest_pump(guest, left < STEP_MS ? (int)left : STEP_MS);
    }
    return guest->has_reply && guest->is_reply_good;
}

void guest_end(struct guest *guest, int wait_ms)
{
    int64_t end = guest_clock_ms() + wait_ms;
    bool is_killed = false;
    while (guest->pid != 0) {
        int status;
        if (waitpid(guest->pid, &status, WNOHANG) == guest->pid) {
            cleanup_forget_child(guest->pid);
            guest->exit_status = status;
            guest->pid = 0;
        } else if (!is_killed && (guest_clock_ms() >= end || guest->signal_count > 1)) {
            kill(guest->pid, SIGKILL);
            is_killed = true;
        }
        guest_pump(guest, guest->pid ? STEP_MS : 0);
    }
    // What is still in the pipe belongs to the user. The other end is closed, so this ends.
    while (guest->console >= 0)
        read_console(guest);
    while (guest->errors >= 0)
        read_errors(guest);
    release_signals();
    close_one(&guest->monitor);
    close_one(&guest->signals);
    close_one(&guest->signals_write);
    nip_buffer_free(&guest->held);
    nip_buffer_free(&guest->line);
    nip_buffer_free(&guest->trouble);
}
