#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: no command in a page of this project is read by people only.

    run_blocks.py NIP

Method: every fenced `sh` block of README.md, INSTALL.md and docs/ is found. The guides are run whole by
run_doc.py (CMakeLists.txt names them); the remaining blocks are run here, in a folder and a home of their own, or
stand in ELSEWHERE with the test that runs the same commands. A block that is in none of the three is an error, and
so is an entry whose block is gone. What is run is the text of the page; RUN says only what must be there before, which words
stand for a place that a test must not touch, and what must hold afterwards.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)

# Page, first word(s) of the block -> the test of the same commands.
ELSEWHERE = {
    ("README.md", "script/demo"): "e2e.demo is script/demo; script/test is what runs this",
    ("INSTALL.md", "git clone"): "toolchain.setup sets up second clones, and every test uses the SDK that it made",
    ("docs/performance.md", "script/bench"): "the tests bench.* run the same program, with fewer rounds",
    ("docs/fuzzing.md", "script/fuzz-report"): "fuzz.inventory and fuzz.*, which script/fuzz-report starts as ctest does",
}

# Page, first words -> (before, words that stand for another place or for an answer, after).
RUN = {
    ("INSTALL.md", "cp -a build/sdk"): (
        'mkdir build "$HOME/opt"; ln -s "$ROOT/build/sdk" build/sdk', {"cp -a build/sdk": "cp -a build/sdk/.", "/opt/rumpk sdk": "$HOME/opt/rumpk sdk"},
        '"$HOME/opt/rumpk sdk/bin/nip" --version; "$HOME/opt/rumpk sdk/bin/nip" new moved; cd moved; '
        '"$HOME/opt/rumpk sdk/bin/nip" build --arch riscv64'),
    ("INSTALL.md", "rm -rf build"): (
        # Everything that nip and script/setup leave in a home: keys, what was fetched, settings.
        'mkdir -p build/sdk "$HOME/.cache/rumpk/x" "$HOME/.config/nip"; echo >"$HOME/.config/nip/config.kdl"; '
        '"$NIP" key new --no-password; "$NIP" new hello; cd hello; "$NIP" publish --registry file:../reg; cd ..; '
        '"$NIP" new --image box; cd box; "$NIP" add local/hello --registry file:../reg --yes; cd ..; rm -r hello reg box; '
        'test -e "$HOME/.local/share/rumpk/keys/default.key"; test -e "$HOME/.cache/nip"', {},
        'test ! -e build; find "$HOME" -type f; test -z "$(find "$HOME" -type f)"'),
    ("docs/package-format.md", "minisign -Vm"): (
        # What the block starts with: an unpacked package, and keys under the names that it uses.
        '"$NIP" new acme/virtio-blk; sed -i s/0.1.0/1.4.0/ virtio-blk/npl.kdl; "$NIP" key new --no-password; cd virtio-blk; '
        '"$NIP" pack; "$NIP" sign; zstd -dqc build/virtio-blk-1.4.0.npl | tar -xf -; '
        'cp "$HOME/.local/share/rumpk/keys/default.pub" publisher.pub; cp "$HOME/.local/share/rumpk/keys/default.key" publisher.key',
        {"minisign -Vm": "cp digests.minisig ours; minisign -Vm", "minisign -S": "minisign -S -W"},  # -W: no password to ask for
        'tail -n +2 ours >a; tail -n +2 digests.minisig >b; cmp a b; '
        'minisign -Vm digests -x digests.minisig -p publisher.pub'),
}

GUIDES = ("docs/first-driver.md", "docs/first-hour.md", "docs/dependencies.md", "docs/trust.md")


def blocks():
    pages = ["README.md", "INSTALL.md"] + sorted("docs/" + name for name in os.listdir(os.path.join(ROOT, "docs")) if name.endswith(".md"))
    for page in pages:
        if page in GUIDES:
            continue
        with open(os.path.join(ROOT, page)) as f:
            for body in BLOCK.findall(f.read()):
                yield page, body


def run(page, body, before, replaced, after, nip):
    for word, other in replaced.items():
        if word not in body:
            sys.exit(f"run_blocks: {page}: \"{word}\" is not in the block any more")
        body = body.replace(word, other)
    home = tempfile.mkdtemp(prefix="rumpk-blocks-")
    try:
        os.mkdir(home + "/work")
        environment = {"HOME": home, "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "dumb", "ROOT": ROOT, "NIP": nip}
        done = subprocess.run(["bash", "-euxc", f"{before}\n{body}\n{after}"], cwd=home + "/work", env=environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
        if done.returncode:
            sys.exit(f"{done.stdout}\nrun_blocks: {page}: the block ends with status {done.returncode}:\n{body}")
        print(f"run        {page}: {body.split(chr(10))[0].strip()}")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def main():
    nip, used = sys.argv[1], set()
    for page, body in blocks():
        entry = next(((p, start) for p, start in (*RUN, *ELSEWHERE) if p == page and body.startswith(start)), None)
        if entry is None:
            sys.exit(f"run_blocks: {page}: no test runs this block; add it to RUN or ELSEWHERE, or run the page as a guide:\n{body}")
        used.add(entry)
        if entry in RUN:
            run(page, body, *RUN[entry], nip)
        else:
            print(f"elsewhere  {page}: {body.split(chr(10))[0].strip()}: {ELSEWHERE[entry]}")
    gone = [entry for entry in (*RUN, *ELSEWHERE) if entry not in used]
    if gone:
        sys.exit(f"run_blocks: no such block any more: {gone}")
    with open(os.path.join(ROOT, "tests/e2e/CMakeLists.txt")) as f:
        named = f.read()
    for guide in GUIDES:
        if "/" + guide not in named:
            sys.exit(f"run_blocks: {guide} is not run as a guide")
    return 0


if __name__ == "__main__":
    sys.exit(main())
