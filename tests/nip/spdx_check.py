#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks a bill of materials against SPDX 2.3: spdx_check.py FILE.spdx.json [--image IMAGE]

The rules, by section of the SPDX 2.3 specification:
  6     spdxVersion, dataLicense CC0-1.0, SPDXRef-DOCUMENT, name, a namespace that is a URI without '#',
        created (UTC, seconds), creators "Person|Organization|Tool: ..."
  7     packages: SPDXID, name, downloadLocation; filesAnalyzed false where there is no verification code;
        declared licences are expressions (annex D) or NOASSERTION/NONE; checksums of 10.1's algorithms
  8     files: SPDXID, fileName relative with "./", at least one checksum of the right length
  11    relationships: both ends exist, the kind is one of the specification's, the document DESCRIBES something,
        and everything can be reached from what it describes
and no property that the specification does not have. With --image, the document has that file's SHA-256.
"""
import hashlib
import json
import re
import sys

ID = re.compile(r"SPDXRef-[A-Za-z0-9.-]+")
DIGITS = {"SHA1": 40, "SHA256": 64, "BLAKE2b-256": 64, "BLAKE2b-512": 128, "SHA512": 128}
KINDS = {"DESCRIBES", "CONTAINS", "STATIC_LINK", "DYNAMIC_LINK", "BUILD_TOOL_OF", "GENERATED_FROM", "DEPENDS_ON"}
ROOT = {"spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo", "packages", "files", "relationships"}
PACKAGE = {"SPDXID", "name", "versionInfo", "downloadLocation", "filesAnalyzed", "licenseConcluded", "licenseDeclared",
           "copyrightText", "summary", "checksums", "supplier", "originator", "homepage"}
FILE = {"SPDXID", "fileName", "checksums", "licenseConcluded", "copyrightText"}
WORD = r"(?:[A-Za-z0-9.-]+\+?|LicenseRef-[A-Za-z0-9.-]+)"


def need(true, what):
    if not true:
        sys.exit(f"spdx_check: {what}")


def expression(text):
    if text in ("NOASSERTION", "NONE"):
        return True
    previous = None
    while previous != text:  # innermost parentheses first
        previous = text
        text = re.sub(rf"\(({WORD}(?: (?:AND|OR|WITH) {WORD})*)\)", "X", text)
    return re.fullmatch(rf"{WORD}(?: (?:AND|OR|WITH) {WORD})*", text) is not None


def checksums(owner, element):
    for checksum in element.get("checksums", []):
        need(set(checksum) == {"algorithm", "checksumValue"}, f"{owner}: checksum properties")
        digits = DIGITS.get(checksum["algorithm"])
        need(digits, f"{owner}: algorithm {checksum['algorithm']}")
        need(re.fullmatch(rf"[0-9a-f]{{{digits}}}", checksum["checksumValue"]), f"{owner}: checksum value")


def elements(document):
    ids = {"SPDXRef-DOCUMENT"}
    for kind, properties in (("packages", PACKAGE), ("files", FILE)):
        for element in document[kind]:
            name = element.get("SPDXID", "?")
            need(ID.fullmatch(name) and name not in ids, f"SPDXID {name}")
            ids.add(name)
            need(set(element) <= properties, f"{name}: unknown {set(element) - properties}")
            checksums(name, element)
            need(expression(element["licenseConcluded"]), f"{name}: licenseConcluded")
    for package in document["packages"]:
        need(package["name"] and package["downloadLocation"] and package["filesAnalyzed"] is False, package["SPDXID"])
        need(expression(package["licenseDeclared"]), f"{package['SPDXID']}: {package['licenseDeclared']}")
    for file in document["files"]:
        need(file["fileName"].startswith("./") and file["checksums"], file["SPDXID"])
    return ids


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        document = json.load(f)
    need(set(document) == ROOT, f"properties of the document: {sorted(set(document) ^ ROOT)}")
    need((document["spdxVersion"], document["dataLicense"], document["SPDXID"]) == ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"), "header")
    need(re.fullmatch(r"[a-z][a-z0-9+.-]*:[^#\s]+", document["documentNamespace"]), "documentNamespace")
    creation = document["creationInfo"]
    need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", creation["created"]), "created")
    need(creation["creators"] and all(re.match(r"(Person|Organization|Tool): \S", c) for c in creation["creators"]), "creators")
    ids = elements(document)
    edges = {}
    for relation in document["relationships"]:
        a, kind, b = relation["spdxElementId"], relation["relationshipType"], relation["relatedSpdxElement"]
        need(len(relation) == 3 and a in ids and b in ids and kind in KINDS, f"relationship {a} {kind} {b}")
        edges.setdefault(a, []).append(b)
        if kind == "BUILD_TOOL_OF":
            edges.setdefault(b, []).append(a)
    reached, todo = set(), ["SPDXRef-DOCUMENT"]
    while todo:
        at = todo.pop()
        if at not in reached:
            reached.add(at)
            todo += edges.get(at, [])
    need(reached == ids, f"not reached: {sorted(ids - reached)[:5]}")
    if "--image" in sys.argv:
        with open(sys.argv[sys.argv.index("--image") + 1], "rb") as f:
            digest = hashlib.sha256(f.read()).hexdigest()
        need(any(c["checksumValue"] == digest for file in document["files"] for c in file["checksums"]), "the image is not in it")
    print(f"{len(document['packages'])} packages, {len(document['files'])} files, {len(document['relationships'])} relationships")


if __name__ == "__main__":
    main()
