#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: the bar of long work is right on a terminal and nowhere else, and leaves nothing behind.

    progress.py FOLDER      a driver project whose compiler waits for the file FOLDER/go

Method: nip runs on a pseudo terminal of a known width; a small model of a terminal (carriage return, erase to the
end of the line, newline) says what a person would see at each moment and at the end. The compiler waits until it is
let go, so that nothing depends on time.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios

ERASE = b"\r\x1b[K"


class Screen:
    """What stands on the terminal; `widest` is the longest line that any drawing made since the last reset."""

    def __init__(self):
        self.lines, self.column, self.widest, self.bars = [""], 0, 0, []

    def feed(self, data):
        text = data.decode("utf-8", "replace")
        at = 0
        while at < len(text):
            if text.startswith("\x1b[K", at):
                if self.lines[-1]:
                    self.bars.append(self.lines[-1])
                self.lines[-1] = self.lines[-1][:self.column]
                at += 3
                continue
            colour = re.match(r"\x1b\[[0-9;]*m", text[at:])
            if colour:
                at += colour.end()
                continue
            byte = text[at]
            at += 1
            if byte == "\r":
                self.column = 0
            elif byte == "\n":
                self.lines.append("")
            elif byte == "\x1b":
                raise SystemExit(f"an escape sequence that the model does not know: {text[at:at + 8]!r}")
            else:
                line = self.lines[-1]
                self.lines[-1] = line[:self.column] + byte + line[self.column + 1:]
                self.column += 1
                self.widest = max(self.widest, self.column)


def size(descriptor, columns):
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def run(arguments, columns, when_waiting, environment=None):
    """Runs nip; calls when_waiting(descriptor) when its compiler waits. Returns screen, raw bytes, wait status."""
    for name in ("go", "waits"):
        if os.path.exists(name):
            os.unlink(name)
    pid, descriptor = pty.fork()
    if pid == 0:
        size(0, columns)
        os.environ.update({"TERM": "xterm"}, **(environment or {}))
        os.execvp("nip", ["nip"] + arguments)
    before = termios.tcgetattr(descriptor)
    screen, raw, was_told = Screen(), b"", False
    while True:
        ready = select.select([descriptor], [], [], 0.02)[0]
        if ready:
            try:
                data = os.read(descriptor, 65536)
            except OSError:
                data = b""
            if not data:
                break
            raw += data
            screen.feed(data)
        elif not was_told and os.path.exists("waits"):
            was_told = True
            when_waiting(descriptor, screen)
    status = os.waitpid(pid, 0)[1]
    after = None
    try:
        after = termios.tcgetattr(descriptor)
    except termios.error:
        pass
    check(after is None or after[:4] == before[:4], "the terminal's modes changed")
    os.close(descriptor)
    return screen, raw, status


def check(truth, words, *more):
    if not truth:
        raise SystemExit("progress: " + " ".join([words] + [repr(m) for m in more]))


def go(descriptor, screen):
    open("go", "w").close()


def fresh():
    os.system("rm -rf build")


def main():
    os.chdir(sys.argv[1])
    # A wide one: a bar, counted from 0 to all, and gone at the end.
    fresh()
    screen, raw, status = run(["build"], 100, go)
    check(status == 0, "nip failed", raw)
    check(any(re.match(r"building +\[\.{24}\] 0/6 ", bar) for bar in screen.bars), "no bar at 0 of 6", screen.bars)
    check(any(re.match(r"building +\[#{24}\] 6/6 ", bar) for bar in screen.bars), "no bar at 6 of 6", screen.bars)
    check(any("src/main.c (riscv64)" in bar for bar in screen.bars), "the file is not named", screen.bars)
    check(not any("building" in line for line in screen.lines), "the bar stayed", screen.lines)
    check(any(line.startswith("built ") for line in screen.lines), "the plain lines are missing", screen.lines)
    check(any(line.startswith("compiling 3 of 3") for line in screen.lines), "the plain lines are missing")

    # Narrow ones: never a full line, so that nothing wraps; numbers before the bar.
    for columns in (40, 20, 5, 2, 1):
        fresh()
        screen, raw, status = run(["build", "-q"] if columns == 0 else ["build"], columns, go)
        check(status == 0, "nip failed", raw)
        check(all(len(bar) < columns or not bar.startswith("build") for bar in screen.bars), "too wide for", columns, screen.bars)
        check(columns < 20 or any("/6" in bar and "[" not in bar for bar in screen.bars), "no numbers", screen.bars)
        check(not any(line.startswith("building") for line in screen.lines), "the bar stayed", screen.lines)

    # The window changes while it works: the next drawing has the new width.
    fresh()

    def shrink(descriptor, screen):
        size(descriptor, 24)
        screen.bars.clear()
        go(descriptor, screen)

    # One compiler at a time: nip draws nothing while that one waits, so no drawing is cut by the change.
    with open("one.kdl", "w") as f:
        f.write("jobs 1\n")
    screen, raw, status = run(["build"], 100, shrink, {"NIP_CONFIG": os.path.abspath("one.kdl")})
    check(status == 0, "nip failed", raw)
    drawn = [bar for bar in screen.bars[1:] if bar.startswith("building")]
    check(drawn and all(len(bar) < 24 for bar in drawn), "not the new width", screen.bars)

    # Ctrl-C: the bar goes, the words come, the modes are as before, the status is that of the signal.
    fresh()

    def interrupt(descriptor, screen):
        os.write(descriptor, b"\x03")

    screen, raw, status = run(["build"], 80, interrupt)
    check(os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT, "status", status)
    check(any("interrupted: nothing was left half-written" in line for line in screen.lines), "no words", screen.lines)
    check(not any("building" in line for line in screen.lines), "the bar stayed", screen.lines)

    # Where there is no bar.
    with open("never.kdl", "w") as f:
        f.write('progress "never"\n')
    for arguments, environment in ((["build", "-q"], {}), (["build", "--json"], {}), (["build", "--verbose"], {}),
                                   (["build"], {"TERM": "dumb"}), (["build"], {"TERM": ""}),
                                   (["build"], {"NIP_CONFIG": os.path.abspath("never.kdl")})):
        fresh()
        screen, raw, status = run(arguments, 100, go, environment)
        check(status == 0, "nip failed", raw)
        check(ERASE not in raw and b"building " not in raw, "a bar with", arguments, environment, raw)
    # NO_COLOR is about colours: the bar has none.
    fresh()
    screen, raw, status = run(["build", "--color", "never"], 100, go, {"NO_COLOR": "1"})
    check(status == 0 and ERASE in raw and re.search(rb"\x1b\[[0-9;]*m", raw) is None, "colours", raw)
    print("ok")


if __name__ == "__main__":
    main()
