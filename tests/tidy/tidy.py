#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules about the tree that a script can check: layers, arch parity, file length, banned functions.

    tidy.py [ROOT]        check the tracked files of the tree; one line per finding; exit 1 if any
    tidy.py --self-test   plant one violation of every rule in an imaginary tree and see it found

Each rule is a function from {path: text} to (path, line, message). A rule that finds nothing in its
own planted tree is a broken rule, so the self-test runs with the check.
"""
import os
import re
import subprocess
import sys

LINES_MAX = 700
COLUMNS_MAX = 120  # 100 is the aim of the formatter; tables in comments may need a little more
SOURCE = (".c", ".h", ".S", ".in")
ARCHES = ("riscv64", "aarch64", "x86_64")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def is_source(path):
    return path.endswith((".c", ".h", ".S"))


def lines(text):
    return enumerate(text.split("\n"), 1)


def includes(text):
    for number, line in lines(text):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(2)


def code_lines(text):
    """Lines without comments and string contents, good enough for banning words."""
    inside = False
    for number, line in lines(text):
        out, i, quote = "", 0, None
        while i < len(line):
            two = line[i:i + 2]
            if inside:
                if two == "*/":
                    inside, i = False, i + 2
                else:
                    i += 1
            elif quote:
                if line[i] == "\\":
                    i += 2
                    continue
                if line[i] == quote:
                    quote = None
                i += 1
            elif two == "/*":
                inside, i = True, i + 2
            elif two == "//":
                break
            elif line[i] in "\"'":
                quote = line[i]
                i += 1
            else:
                out += line[i]
                i += 1
        yield number, out


def rule_spdx(tree):
    for path, text in tree.items():
        head = "\n".join(text.split("\n")[:3])
        if (is_source(path) or path.startswith("script/")) and "SPDX-License-Identifier: Apache-2.0" not in head:
            yield path, 1, "no SPDX line in the first three lines"


def rule_length(tree):
    for path, text in tree.items():
        if is_source(path):
            count = text.count("\n")
            if count > LINES_MAX:
                yield path, count, f"{count} lines; split it (at most {LINES_MAX})"


def rule_columns(tree):
    for path, text in tree.items():
        if is_source(path):
            for number, line in lines(text):
                if len(line) > COLUMNS_MAX:
                    yield path, number, f"{len(line)} columns (at most {COLUMNS_MAX})"


def rule_include_form(tree):
    for path, text in tree.items():
        if is_source(path):
            for number, name in includes(text):
                if name.endswith(".c"):
                    yield path, number, "a .c file is never included"
                if name.startswith("../") or "/../" in name:
                    yield path, number, "nothing includes by ../"


def rule_layers(tree):
    """Who may include what (DESIGN section 11)."""
    for path, text in tree.items():
        if not is_source(path):
            continue
        for number, name in includes(text):
            if path.startswith("abi/include/") and not (name.startswith("rumpk/") or name in ("stdint.h", "stddef.h")):
                yield path, number, f"abi depends on nothing, not on <{name}>"
            if path.startswith(("nip/", "registry/")) and name.startswith(("kernel/", "arch/", "npl/")):
                yield path, number, f"the tools see only abi headers of the kernel side, not <{name}>"
            if path.startswith("registry/") and name.startswith(("lib/", "cli/", "net/")):
                yield path, number, "registry sees only nip's public headers"
            if path.startswith("nip/lib/") and name.startswith(("cli/", "net/")):
                yield path, number, "nip's layers run cli -> net -> lib"
            if path.startswith("nip/net/") and name.startswith("cli/"):
                yield path, number, "nip's layers run cli -> net -> lib"
            if path.startswith("kernel/") and name.startswith(("nip/", "npl/")):
                yield path, number, f"the kernel knows neither tools nor the driver library: <{name}>"
            if path.startswith(("drivers/", "sysroot/libnpl/")) and name.startswith(("kernel/", "arch/", "nip/")):
                yield path, number, f"a driver sees npl, rumpk and libc headers, not <{name}>"


def rule_arch_names(tree):
    """Portable kernel code never names an architecture."""
    word = re.compile(r"riscv|aarch64|arm64|x86|amd64|__arm|i386", re.I)
    for path, text in tree.items():
        if is_source(path) and path.startswith(("kernel/core/", "kernel/load/", "kernel/init/", "kernel/dev/",
                                                 "kernel/include/kernel/")):
            for number, line in code_lines(text):
                if word.search(line):
                    yield path, number, "portable kernel code names an architecture"


def rule_arch_islands(tree):
    for path, text in tree.items():
        for arch in ARCHES:
            if path.startswith(f"kernel/arch/{arch}/") and is_source(path):
                for number, name in includes(text):
                    for other in ARCHES:
                        if other != arch and other in name:
                            yield path, number, f"{arch} includes from {other}"


def rule_arch_parity(tree):
    have = {arch: {p.split("/", 3)[3] for p in tree if p.startswith(f"kernel/arch/{arch}/")} for arch in ARCHES}
    names = set().union(*have.values())
    for name in sorted(names):
        for arch in ARCHES:
            if name not in have[arch]:
                yield f"kernel/arch/{arch}/{name}", 1, "missing: every arch folder has the same files"


ONE_DOOR = ("sodium.h", "zstd.h", "sha1.h", "jansson.h", "curl/curl.h", "libfdt.h", "archive_entry.h", "microhttpd.h", "sqlite3.h")


def rule_one_door(tree):
    """Each foreign library enters a component through one source file."""
    doors = {}
    for path, text in tree.items():
        if is_source(path) and path.startswith(("nip/", "kernel/", "registry/")):
            for number, name in includes(text):
                if name in ONE_DOOR or name.startswith("sodium/"):
                    library = name.split("/")[0].replace(".h", "")
                    doors.setdefault((path.split("/")[0], library), []).append((path, number))
    for (component, library), places in doors.items():
        files = sorted({p for p, _ in places})
        if len(files) > 1:
            for path, number in places[1:]:
                if path != files[0]:
                    yield path, number, f"{library} enters {component} through {files[0]} already"


BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|alloca|scanf|mktemp|tmpnam|system|popen)\s*\(")
BANNED_KERNEL = re.compile(r"\b(malloc|calloc|realloc|free|printf|setjmp|longjmp|float|double)\b\s*\(?")
BANNED_LIB = re.compile(r"\b(printf|puts|putchar|time|clock_gettime|gettimeofday|socket|connect|getenv)\s*\(")


def rule_banned(tree):
    for path, text in tree.items():
        if not is_source(path):
            continue
        for number, line in code_lines(text):
            match = BANNED.search(line)
            if match and not path.startswith("kernel/"):
                yield path, number, f"{match.group(1)} is banned"
            if path.startswith("kernel/") and path.endswith((".c", ".h")):
                match = BANNED_KERNEL.search(line)
                if match:
                    yield path, number, f"{match.group(1)} has no place in the kernel"
            if path.startswith("nip/lib/"):
                match = BANNED_LIB.search(line)
                if match:
                    yield path, number, f"libnip is pure: no {match.group(1)}"


def rule_unfinished(tree):
    word = re.compile(r"\b(%s)\b" % "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK", "not " + "implemented", "un" + "implemented")))
    for path, text in tree.items():
        if (is_source(path) or path.startswith("script/")) and not path.startswith("tests/tidy/"):
            for number, line in lines(text):
                if word.search(line):
                    yield path, number, "unfinished mark: finish it or write it in Known limits"


def rule_no_skip(tree):
    """nip has no switch that skips a check."""
    word = re.compile(r"(no-verify|skip-verify|insecure|no-check|skip-check|allow-unsigned)")
    for path, text in tree.items():
        if path.startswith(("nip/", "kernel/")) and is_source(path):
            for number, line in lines(text):
                if word.search(line):
                    yield path, number, "no option skips a check"


def rule_casts(tree):
    """Driver memory is reached by kernel/core/user.c alone."""
    for path, text in tree.items():
        if path.startswith("kernel/") and is_source(path) and path not in ("kernel/core/user.c", "kernel/include/kernel/user.h"):
            for number, line in code_lines(text):
                if re.search(r"\(\s*(volatile\s+|const\s+)*\w+\s*\*+\s*\)\s*\(?\s*uintptr_t\s*\)?\s*\(?\s*arch_frame_argument", line):
                    yield path, number, "an argument of a driver is turned into a pointer outside user.c"


RULES = [value for name, value in sorted(globals().items()) if name.startswith("rule_")]

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
PLANTED = {
    rule_spdx: {"nip/lib/a.c": "int a;\n"},
    rule_length: {"nip/lib/a.c": SPDX + "int a;\n" * LINES_MAX},
    rule_columns: {"nip/lib/a.c": "x" * (COLUMNS_MAX + 1)},
    rule_include_form: {"nip/lib/a.c": '#include "b.c"\n'},
    rule_layers: {"abi/include/rumpk/a.h": "#include <stdio.h>\n"},
    rule_arch_names: {"kernel/core/a.c": "int riscv_thing;\n"},
    rule_arch_islands: {"kernel/arch/riscv64/a.c": '#include <arch/aarch64/x.h>\n'},
    rule_arch_parity: {"kernel/arch/riscv64/a.c": "", "kernel/arch/aarch64/a.c": ""},
    rule_one_door: {"nip/lib/a.c": "#include <sodium.h>\n", "nip/lib/b.c": "#include <sodium.h>\n"},
    rule_banned: {"nip/cli/a.c": "strcpy(a, b);\n"},
    rule_unfinished: {"nip/cli/a.c": "// TO" "DO\n"},
    rule_no_skip: {"nip/cli/a.c": 'if (option("no-verify")) {}\n'},
    rule_casts: {"kernel/core/call.c": "char *p = (char *)(uintptr_t)arch_frame_argument(f, 0);\n"},
}


def self_test():
    bad = [rule.__name__ for rule in RULES if not list(rule(PLANTED[rule]))]
    for name in bad:
        print(f"tidy: {name} does not find its own planted violation")
    return not bad


def read_tree(root):
    names = subprocess.run(["git", "-C", root, "ls-files", "-z"], check=True, capture_output=True).stdout
    tree = {}
    for name in names.decode().split("\0"):
        path = os.path.join(root, name)
        if name and os.path.isfile(path) and not os.path.islink(path):
            with open(path, "rb") as f:
                data = f.read()
            if b"\0" not in data[:4096]:
                tree[name] = data.decode("utf-8", "replace")
    return tree


def main(argv):
    if not self_test():
        return 1
    if argv[1:] == ["--self-test"]:
        print(f"tidy: {len(RULES)} rules find their planted violations")
        return 0
    root = argv[1] if len(argv) > 1 else os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    tree = read_tree(root)
    found = [item for rule in RULES for item in rule(tree)]
    for path, line, message in sorted(found):
        print(f"{path}:{line}: {message}")
    print(f"tidy: {len(RULES)} rules over {len(tree)} files: {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
