#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares JSON reports with docs/json.md.

    json_check.py DOC < REPORT     the report (the last JSON object in the text) has the form of its schema
    json_check.py DOC --sources FILE...   every schema that the sources name is documented, and the reverse

Prints the schema's name, so that a test can say which ones it has seen.
"""
import json
import re
import sys

BLOCK = re.compile(r"^```json (nip-[a-z]+-\d+)\n(.*?)^```$", re.M | re.S)


def check(form, value, where):
    if isinstance(form, dict):
        if not isinstance(value, dict):
            raise SystemExit(f"{where}: expected an object, not {value!r}")
        known = {}
        for key, inner in form.items():
            name = key.rstrip("?")
            known[name] = inner
            if name not in value and name != "*" and not key.endswith("?"):
                raise SystemExit(f"{where}.{name} is missing")
        for key, inner in value.items():
            if key not in known and "*" not in known:
                raise SystemExit(f"{where}.{key} is not documented")
            check(known.get(key, known.get("*")), inner, f"{where}.{key}")
    elif isinstance(form, list):
        if not isinstance(value, list):
            raise SystemExit(f"{where}: expected a list, not {value!r}")
        for index, inner in enumerate(value):
            check(form[0], inner, f"{where}[{index}]")
    else:
        good = {
            "text": lambda v: isinstance(v, str),
            "digest": lambda v: isinstance(v, str) and re.fullmatch("[0-9a-f]{64}", v) is not None,
            "number": lambda v: isinstance(v, int) and not isinstance(v, bool) and 0 <= v < 2 ** 63,
            "bool": lambda v: isinstance(v, bool),
        }.get(form, lambda v: v in form.split("|"))
        if not good(value):
            raise SystemExit(f"{where}: expected {form}, not {value!r}")


def main(argv):
    with open(argv[1]) as f:
        schemas = {name: json.loads(body) for name, body in BLOCK.findall(f.read())}
    for name, form in schemas.items():
        if form.get("schema") != name:
            raise SystemExit(f"{argv[1]}: the block {name} names another schema")
    if argv[2:3] == ["--sources"]:
        named = set()
        for path in argv[3:]:
            with open(path) as f:
                named |= set(re.findall(r'"(nip-[a-z]+-\d+)"', f.read()))
        for name in sorted(named ^ set(schemas)):
            print(f"{name}: {'reported but not documented' if name in named else 'documented but never reported'}")
        raise SystemExit(1 if named ^ set(schemas) else 0)
    text = sys.stdin.read()
    value = json.loads(text[text.index("{"):])
    name = value.get("schema")
    if name not in schemas:
        raise SystemExit(f"the schema {name!r} is not documented")
    check(schemas[name], value, name)
    print(name)


if __name__ == "__main__":
    main(sys.argv)
