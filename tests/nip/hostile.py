#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: every hostile package is refused for its own reason, costs little, and changes nothing.

    hostile.py NIP SANITIZED-NIP HOSTILE-PACKAGE

Method: hostile-package makes them all out of one good package, signed with a key that is accepted. Each one is
checked by `nip verify` under the sanitizers, and then lies in a registry, under a name and digest that fit, and is asked for by
`nip fetch` and `nip add`. All must refuse with the given reason. fetch and add run with a file size limit of 0, so a
single byte written to a file would end them in another way: that is the disk use. Afterwards project, cache, home and registry
are compared byte by byte with what they were. Peak memory is that of getrusage, less what `nip help` takes.
"""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

# Different ways to do one thing; every other refusal has a reason of its own.
SAME_FAULT = [set(names.split()) for names in (
    "name-traversal name-traversal-inside",
    "name-too-long name-too-deep",                # 100 bytes are at most 50 levels
    "list-huge-size list-overflowing-size",
    "frame-large-window frame-large-segment",
    # The archive is larger than its signed list makes it: known, and refused, before a content byte is unpacked.
    "unlisted-file-more data-after-end-marker third-zero-block second-archive bomb-by-ratio",
    "missing-file lying-size one-zero-block",     # smaller
)]
MEMORY_LIMIT_KIB = 12 << 10  # above nip's own: the frame's window, 8 MiB, the files of a small package, and room


def run(arguments, folder, env, limited=False):
    """Exit status, output, peak memory in KiB."""
    # By way of `time`, a small program: getrusage of a child counts from the fork on, when it is still its parent.
    words = ["time", "-q", "-f", "%M", "-o", env["PEAK"], "sh", "-c", ("ulimit -f 0; " if limited else "") + 'exec "$@"', "sh"]
    done = subprocess.run(words + arguments, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", timeout=600)
    with open(env["PEAK"]) as f:
        return done.returncode, done.stdout, int(f.read())


def must(arguments, folder, env):
    status, text, _ = run(arguments, folder, env)
    if status != 0:
        sys.exit(f"{' '.join(arguments)}: exit {status}\n{text}")
    return text


def tree(*folders):
    found = {}
    for folder in folders:
        for root, names, files in os.walk(folder):
            for name in names + files:
                path = os.path.join(root, name)
                data = b"folder" if os.path.isdir(path) else open(path, "rb").read()
                found[path] = (hashlib.sha256(data).hexdigest(), os.lstat(path).st_mode)
    return found


def put_into_registry(package, data):
    """The data as the one layer of the one version, with every digest right."""
    def blob(content):
        digest = hashlib.sha256(content).hexdigest()
        with open(f"{package}/blobs/sha256/{digest}", "wb") as f:
            f.write(content)
        return {"digest": "sha256:" + digest, "size": len(content)}
    with open(package + "/index.json") as f:
        index = json.load(f)
    entry = index["manifests"][0]
    with open(f"{package}/blobs/sha256/" + entry["digest"].split(":")[1]) as f:
        manifest = json.load(f)
    manifest["layers"][0].update(blob(data))
    entry.update(blob(json.dumps(manifest).encode()))
    with open(package + "/index.json", "w") as f:
        json.dump(index, f)


def play(name, reason, data, place, nip, sanitized, env, key, own):
    """One package; returns the peak memory above nip's own."""
    file, registry = place + "/hostile.npl", place + "/reg"
    with open(file, "wb") as f:
        f.write(data)
    shutil.rmtree(registry)
    shutil.copytree(place + "/good", registry)
    put_into_registry(registry + "/local/hello", data)
    watched = [place + "/box", place + "/cache", place + "/home", registry]
    before, peak = tree(*watched), 0
    for command, folder, limited in (
            ([sanitized, "verify", file, "--key", key], place, False),
            ([nip, "verify", file, "--key", key], place, True),
            ([nip, "fetch", "local/hello", "--registry", "file:../reg", "--out", "got.npl"], place + "/box", True),
            ([nip, "add", "local/hello", "--registry", "file:../reg", "--yes"], place + "/box", True)):
        status, text, memory = run(command, folder, env, limited)
        if status not in (3, 4, 10) or reason not in text or "Sanitizer" in text or "runtime error" in text:
            sys.exit(f"{name}: {' '.join(command[1:2])} exit {status}, wanted 3, 4 or 10 and \"{reason}\":\n{text}")
        if tree(*watched) != before:
            sys.exit(f"{name}: {command[1]} changed something: {sorted(set(tree(*watched).items()) ^ set(before.items()))}")
        if command[0] == nip:
            peak = max(peak, memory - own)
    if peak > MEMORY_LIMIT_KIB:
        sys.exit(f"{name}: {peak} KiB of memory above nip's own; at most {MEMORY_LIMIT_KIB} are expected")
    return peak


def main():
    nip, sanitized, tool = (os.path.abspath(path) for path in sys.argv[1:4])
    place = tempfile.mkdtemp(prefix="nip-hostile-")
    env = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "NIP_", "SOURCE_DATE"))}
    env.update(HOME=place + "/home", XDG_CACHE_HOME=place + "/cache", NO_COLOR="1", ASAN_OPTIONS="exitcode=99",
               PEAK=place + "/peak")
    for folder in ("home", "cache", "made"):
        os.makedirs(f"{place}/{folder}")
    keys = place + "/home/.local/share/rumpk/keys/"
    try:
        must([nip, "key", "new", "--no-password"], place, env)
        must([nip, "key", "new", "other", "--no-password"], place, env)
        must([nip, "new", "hello"], place, env)
        must([nip, "publish", "--registry", "file:../good"], place + "/hello", env)
        must([nip, "new", "--image", "box"], place, env)
        shutil.copytree(place + "/good", place + "/reg")
        # Once with the good one, so that a refusal below is not the fault of the setting.
        must([nip, "fetch", "local/hello", "--registry", "file:../reg", "--out", "got.npl"], place + "/box", env)
        os.remove(place + "/box/got.npl")
        # The lock file of a project appears with the first command that may change it, and stays.
        run([nip, "add", "local/none", "--registry", "file:../reg"], place + "/box", env)
        print(must([tool, place + "/hello/build/hello-0.1.0.npl", keys + "default.key", place + "/made"], place, env), end="")
        shutil.rmtree(place + "/cache")
        os.makedirs(place + "/cache")
        own = run([nip, "help"], place, env)[2]
        names, groups, worst = set(), {}, 0
        with open(place + "/made/index") as f:
            cases = [line.rstrip("\n").split("\t") for line in f]
        by_reason = {}
        for name, _, reason in cases:
            by_reason.setdefault(reason, []).append(name)
        for reason, shared in by_reason.items():
            if len(shared) > 1 and set(shared) not in SAME_FAULT:
                sys.exit(f"{', '.join(shared)}: one reason for all, \"{reason}\"; each fault has its own")
        print(f"{'package':30} {'bytes':>7} {'memory':>9} {'disk':>4}  reason")
        for name, group, reason in cases:
            with open(f"{place}/made/{name}.npl", "rb") as f:
                data = f.read()
            peak = play(name, reason, data, place, nip, sanitized, env, keys + "default.pub", own)
            print(f"{name:30} {len(data):7} {peak:5} KiB {0:4}  {reason}", flush=True)
            names.add(name)
            groups[group] = groups.get(group, 0) + 1
            worst = max(worst, peak)
        # Nobody's key: refused before the first content byte, whatever would come.
        for name in ("bomb-by-ratio", "bomb-by-listed-size", "content-changed"):
            status, text, memory = run([nip, "verify", f"{place}/made/{name}.npl", "--key", keys + "other.pub"], place, env, True)
            if status != 4 or memory - own > MEMORY_LIMIT_KIB:
                sys.exit(f"{name} under another key: exit {status}, {memory - own} KiB\n{text}")
        if len(names) != len(cases):
            sys.exit("two cases have one name")
        print(f"{len(cases)} packages refused ({', '.join(f'{group} {count}' for group, count in groups.items())}); "
              f"at most {worst} KiB above nip's own {own} KiB; nothing written, nothing changed")
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
