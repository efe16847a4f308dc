#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goal: whatever moment nip dies at, the old or the new state is complete, and the next run works.

    kill_everywhere.py NIP KILL-AT [SCENARIO...]

Method: every scenario is run once to its end, under kill-at, which counts the system calls that change files.
Then it is run again from the same start and killed with SIGKILL before the N-th of them, for every N with
RUMPK_TEST_LONG=1, else for a sample from a fixed seed (the first, the last and some between). After each kill:

  1. every file and folder that users and other programs look at is, as a whole, the old or the new one
  2. another nip finds the decisions of a project (npl.kdl, image.kdl, nip.lock, nip.trust.kdl) all old or all new
  3. the same command succeeds, or says that it is done already; the tree is then that of an undisturbed run:
     nothing missing, nothing left over
"""
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile

SAMPLE = 7  # kills per scenario in CI, besides the first and the last
LOCKS = ("lock", "project.lock")


def run(arguments, folder, env, expect=(0,)):
    done = subprocess.run(arguments, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", timeout=600)
    if expect is not None and done.returncode not in expect:
        sys.exit(f"{' '.join(arguments)} in {folder}: exit {done.returncode}, wanted {expect}\n{done.stdout}{done.stderr}")
    return done


def tree(folder):
    """Everything below a folder: path -> digest, 'folder' or where a link leads (maybe nowhere). Lock files have no content that counts."""
    found = {}
    for root, folders, files in os.walk(folder):
        for name in folders:
            found[os.path.relpath(os.path.join(root, name), folder)] = "folder"
        for name in files:
            path = os.path.join(root, name)
            if name in LOCKS:
                continue
            if os.path.islink(path):
                found[os.path.relpath(path, folder)] = "link to " + os.readlink(path)
                continue
            with open(path, "rb") as f:
                found[os.path.relpath(path, folder)] = hashlib.sha256(f.read()).hexdigest()
    return found


def part(found, path):
    """What stands at `path` and below it."""
    return {name: value for name, value in found.items() if name == path or name.startswith(path + "/")}


class Scenario:
    def __init__(self, name, folder, command, units, make, decisions=(), again=(0,), whole=None):
        self.name, self.folder, self.command, self.units, self.make = name, folder, command, units, make
        self.decisions, self.again, self.whole = decisions, again, whole


def check_blobs(work):
    """Each blob of a registry is what its name says; a version that is listed is there."""
    for root, _, files in os.walk(work):
        if os.path.basename(root) != "sha256":
            continue
        for name in files:
            if name.startswith("."):
                continue
            with open(os.path.join(root, name), "rb") as f:
                if hashlib.sha256(f.read()).hexdigest() != name:
                    sys.exit(f"{root}/{name}: half a blob is visible")


def scenarios(nip, work, env):
    def start(folder):
        os.makedirs(folder)
        run([nip, "new", "hello"], folder, env)
        run([nip, "build"], folder + "/hello", env)

    def changed(folder):
        with open(folder + "/hello/src/main.c", "a") as f:
            f.write("\n// changed\n")
        run([nip, "build"], folder + "/hello", env)

    def packed(folder):
        start(folder)
        run([nip, "pack"], folder + "/hello", env)
        changed(folder)

    def published(folder):
        start(folder)
        run([nip, "publish", "--registry", "file:../reg"], folder + "/hello", env)

    def second(folder):
        published(folder)
        manifest = folder + "/hello/npl.kdl"
        with open(manifest) as f:
            text = f.read()
        with open(manifest, "w") as f:
            f.write(text.replace("0.1.0", "0.2.0", 1))
        run([nip, "pack"], folder + "/hello", env)

    def boxed(folder):
        published(folder)
        run([nip, "new", "--image", "box"], folder, env)

    def updated(folder):
        second(folder)
        run([nip, "new", "--image", "box"], folder, env)
        run([nip, "add", "local/hello", "--registry", "file:../reg", "--yes"], folder + "/box", env)
        run([nip, "publish", "--registry", "file:../reg"], folder + "/hello", env)

    def imaged(folder):
        boxed(folder)
        run([nip, "image", "--arch", "riscv64"], folder + "/box", env)
        run([nip, "add", "local/hello", "--registry", "file:../reg", "--yes"], folder + "/box", env)

    def linking(folder):
        """A driver whose library is in a registry, under a key that the project has not accepted yet."""
        os.makedirs(folder)
        run([nip, "new", "--template", "library", "crc"], folder, env)
        run([nip, "publish", "--registry", "file:../reg"], folder + "/crc", env)
        run([nip, "new", "hello"], folder, env)
        with open(folder + "/hello/nip.trust.kdl", "w") as f:
            f.write('registry "reg" url="file:../reg"\n')

    def asking(folder):
        linking(folder)
        with open(folder + "/hello/npl.kdl", "a") as f:
            f.write('dependencies {\n    library "local/crc" "0.1.0" registry="reg"\n}\n')

    def raised(folder, project, version):
        """The project's version becomes another one, and is published."""
        manifest = f"{folder}/{project}/npl.kdl"
        with open(manifest) as f:
            text = f.read()
        with open(manifest, "w") as f:
            f.write(text.replace("0.1.0", version, 1))
        run([nip, "publish", "--registry", "file:../reg"], f"{folder}/{project}", env)

    def filled(folder):
        boxed(folder)
        run([nip, "add", "local/hello", "--registry", "file:../reg", "--yes"], folder + "/box", env)

    def outdated(folder):
        filled(folder)
        raised(folder, "hello", "0.1.1")

    def linked(folder):
        linking(folder)
        run([nip, "add", "local/crc", "--registry", "reg"], folder + "/hello", env)

    def behind(folder):
        linked(folder)
        raised(folder, "crc", "0.1.1")

    def shared(folder):
        """The same driver as a member of a workspace."""
        linking(folder)
        os.rename(folder + "/hello/nip.trust.kdl", folder + "/nip.trust.kdl")
        os.rename(folder + "/crc", folder + "/.crc")
        with open(folder + "/nip.trust.kdl", "w") as f:
            f.write('registry "reg" url="file:reg"\n')
        with open(folder + "/nip.workspace.kdl", "w") as f:
            f.write('workspace {\n    member "hello"\n}\n')

    def shared_linked(folder):
        shared(folder)
        run([nip, "add", "local/crc", "--registry", "reg"], folder + "/hello", env)

    files = ("box/image.kdl", "box/nip.lock", "box/nip.trust.kdl")
    sources = ("hello/npl.kdl", "hello/nip.lock", "hello/nip.trust.kdl")
    ours = ("hello/npl.kdl", "nip.lock", "nip.trust.kdl")
    registry = ["reg/local/hello/index.json", "reg/local/hello/oci-layout", "reg/rumpk-registry", "hello/build/pack",
                "hello/build/hello-0.1.0.npl", "hello/build/hello-0.2.0.npl"]
    publish, add = ["publish", "--registry", "file:../reg"], ["add", "local/hello", "--registry", "file:../reg", "--yes"]
    return [
        Scenario("pack", "hello", ["pack"], ["hello/build/pack"], start),
        Scenario("pack-again", "hello", ["pack"], ["hello/build/pack"], packed),
        Scenario("publish", "hello", publish, registry, start, again=(0, 6), whole=check_blobs),
        Scenario("publish-again", "hello", publish, registry, second, again=(0, 6), whole=check_blobs),
        Scenario("fetch", ".", ["fetch", "local/hello", "--registry", "file:reg", "--out", "got.npl"], ["got.npl"], published,
                 again=(0, 6)),
        Scenario("add", "box", add, list(files), boxed, files),
        Scenario("add-again", "box", add, list(files), updated, files),
        Scenario("add-library", "hello", ["add", "local/crc", "--registry", "reg"], list(sources), linking, sources),
        Scenario("remove", "box", ["remove", "local/hello"], list(files), filled, files, again=(0, 5)),
        Scenario("update", "box", ["update", "--yes"], list(files), outdated, files),
        Scenario("remove-library", "hello", ["remove", "local/crc"], list(sources), linked, sources, again=(0, 5)),
        Scenario("update-library", "hello", ["update"], list(sources), behind, sources),
        Scenario("add-member", "hello", ["add", "local/crc", "--registry", "reg"], list(ours), shared, ours),
        Scenario("remove-member", "hello", ["remove", "local/crc"], list(ours), shared_linked, ours, again=(0, 5)),
        Scenario("fetch-library", "hello", ["fetch"], list(sources), asking, sources),
        Scenario("image", "box", ["image", "--arch", "riscv64"], ["box/build/box-riscv64.elf"], boxed),
        Scenario("image-again", "box", ["image", "--arch", "riscv64"], ["box/build/box-riscv64.elf"], imaged),
    ]


def play(scenario, nip, kill_at, work, env):
    # Always in the same folder: a build remembers where it is.
    place, base, counts = os.path.join(work, "place"), os.path.join(work, "base"), os.path.join(work, "count")
    where = os.path.join(place, scenario.folder)
    for folder in (place, base):
        shutil.rmtree(folder, ignore_errors=True)
    scenario.make(place)
    shutil.copytree(place, base, symlinks=True)
    run([kill_at, "0", counts, nip, *scenario.command], where, env)
    with open(counts) as f:
        total = int(f.read())
    old, new = tree(base), tree(place)
    if total == 0 or old == new:
        sys.exit(f"{scenario.name}: changes nothing, so it proves nothing")
    moments = list(range(1, total + 1))
    if not os.environ.get("RUMPK_TEST_LONG") and total > SAMPLE + 2:
        moments = [1, *sorted(random.Random(scenario.name).sample(range(2, total), SAMPLE)), total]
    for moment in moments:
        shutil.rmtree(place)
        shutil.copytree(base, place, symlinks=True)
        at = f"{scenario.name}, killed at call {moment} of {total}"
        if run([kill_at, str(moment), counts, nip, *scenario.command], where, env, None).returncode != 137:
            sys.exit(f"{at}: was not killed; the calls of a command must be the same each time")
        after = tree(place)
        for unit in scenario.units:
            if part(after, unit) not in (part(old, unit), part(new, unit)):
                sys.exit(f"{at}: {unit} is neither old nor new:\n{part(after, unit)}")
        if scenario.whole:
            scenario.whole(place)
        if scenario.decisions:
            run([nip, "version"], where, env)  # any nip completes what was begun
            found = tree(place)
            states = [[state.get(name) for name in scenario.decisions] for state in (old, new, found)]
            if states[2] not in states[:2]:
                sys.exit(f"{at}: the decisions are neither all old nor all new")
        run([nip, *scenario.command], where, env, scenario.again)
        end = tree(place)
        if end != new:
            wrong = sorted(set(end.items()) ^ set(new.items()))
            sys.exit(f"{at}: after the next run the tree is not that of an undisturbed one:\n{wrong}")
    print(f"{scenario.name:14} {total:4} calls, killed at {len(moments):4} of them: old or new state complete, next run fine", flush=True)


def main():
    nip, kill_at, only = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3:]
    work = tempfile.mkdtemp(prefix="nip-kill-")
    env = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "NIP_", "SOURCE_DATE"))}
    # The cache belongs to what is compared, and begins empty each time.
    env.update(HOME=work + "/home", TMPDIR=work + "/tmp", XDG_CACHE_HOME=work + "/place/cache", NO_COLOR="1")
    os.makedirs(env["HOME"])
    os.makedirs(env["TMPDIR"])
    try:
        run([nip, "key", "new", "--no-password"], work, env)
        # The development key is made once per user: not part of what is counted.
        run([nip, "new", "--image", "first"], work, env)
        run([nip, "image", "--arch", "riscv64"], work + "/first", env)
        for scenario in scenarios(nip, work, env):
            if not only or scenario.name in only:
                play(scenario, nip, kill_at, work, env)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
