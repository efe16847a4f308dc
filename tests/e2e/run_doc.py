#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the commands of a guide from top to bottom, as its reader would.

    run_doc.py GUIDE.md [--expect TEXT]... [--env NAME=VALUE]...

Fenced `sh` blocks run in order in one shell that stops at the first failure; a fenced block with
file=NAME is written to that file at its place. The reader is an ordinary user with an empty home, the
installed SDK on PATH and no network. Each --expect text must appear in the output, in that order.
"""
import argparse
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FENCE = re.compile(r"^```(\w+)?(?: file=(\S+))?\n(.*?)^```$", re.M | re.S)


def script_of(text):
    """The guide as one shell script."""
    out = ["set -eu"]
    for number, (language, name, body) in enumerate(FENCE.findall(text)):
        if name:
            out.append(f"mkdir -p \"$(dirname {name})\"\ncat >{name} <<'END_OF_BLOCK_{number}'\n{body}END_OF_BLOCK_{number}")
        elif language == "sh":
            for line in body.rstrip("\n").split("\n"):
                if line.strip() and not line.lstrip().startswith("#"):
                    out.append("printf '$ %s\\n' " + "'" + line.replace("'", "'\\''") + "'")
                    out.append(line)
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("guide")
    parser.add_argument("--expect", action="append", default=[])
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="what the reader types when asked")
    parser.add_argument("--timeout", type=int, default=600)
    args = parser.parse_args()
    with open(args.guide) as f:
        script = script_of(f.read())
    home = tempfile.mkdtemp(prefix="rumpk-reader-")
    try:
        work = os.path.join(home, "work")
        os.mkdir(work)
        environment = {"HOME": home, "LANG": "C.UTF-8", "TERM": "dumb",
                       "PATH": os.path.join(ROOT, "build", "sdk", "bin") + ":/usr/local/bin:/usr/bin:/bin"}
        environment.update(pair.split("=", 1) for pair in args.env)
        command = ["bash", "-c", script]
        if os.geteuid() == 0:
            user = pwd.getpwnam("nobody")
            for path in (home, work):
                os.chown(path, user.pw_uid, user.pw_gid)
            # No network: a namespace of its own; an ordinary user: nobody.
            command = ["unshare", "--net", "setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"] + command
            seen = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "test", "-x",
                    os.path.join(ROOT, "build", "sdk", "bin", "nip")]
            if subprocess.run(seen).returncode:
                # A clone in a folder that others may not enter: the reader gets a copy of the SDK, as from a tarball.
                shutil.copytree(os.path.join(ROOT, "build", "sdk"), os.path.join(home, "sdk"), symlinks=True)
                environment["PATH"] = os.path.join(home, "sdk", "bin") + ":/usr/local/bin:/usr/bin:/bin"
        result = subprocess.run(command, cwd=work, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=args.timeout)
        output = result.stdout.decode("utf-8", "replace")
        print(output)
        if result.returncode:
            print(f"run_doc: {args.guide}: status {result.returncode}")
            return 1
        at = 0
        for text in args.expect:
            found = output.find(text, at)
            if found < 0:
                print(f"run_doc: {args.guide}: the output lacks \"{text}\" (in this order)")
                return 1
            at = found + len(text)
        return 0
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
