#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks bills of materials against SPDX 2.3, written from the specification alone.

    spdx_check.py FILE.spdx.json [--image IMAGE] [--licenses BUNDLE] [--broken]

By clause of the SPDX specification 2.3, with the property names and enumerations of its JSON form:

  6     spdxVersion, dataLicense CC0-1.0, SPDXRef-DOCUMENT, name, a namespace that is a URI without '#',
        created (UTC, whole seconds), creators "Person|Organization|Tool: ..."
  7     packages: SPDXID, name, downloadLocation; a verification code (7.9) exactly where files were analysed, and it
        is the one that follows from the SHA-1 of the files that the package contains; checksums (7.10), homepage,
        supplier and originator, external references (7.21) with a package URL that is one
  8     files: SPDXID, fileName relative with "./" and without "..", checksums among which SHA1 (8.4)
  10    licence expressions (annex D) or NOASSERTION or NONE; every LicenseRef has its text in the document, and no
        text stands there for nothing
  11    relationships: both ends exist, the kind is one of the specification's, none stands there twice, the document
        DESCRIBES something, and everything can be reached from what it describes

Everywhere: no property that the specification does not have, and none of the wrong type. What this accepts, the JSON
schema of the specification (schemas/spdx-schema.json of its repository, 2.3.1) accepts too: the tables below have been
compared with it property by property, and are nowhere wider. --image: the document has
that file's digests. --licenses: that file holds the text of every licence that a package declares. --broken: the
document is broken in one way after the other, and each has to be found.
"""
import argparse
import copy
import hashlib
import json
import re
import sys

NAME = re.compile(r"SPDXRef-[A-Za-z0-9.-]+")
DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ")
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^#\s]+")
PERSON = re.compile(r"(Person|Organization): \S.*|NOASSERTION")
PURL = re.compile(r"pkg:[a-z][a-z0-9.+-]*(/[A-Za-z0-9._~%-]+)+@[A-Za-z0-9._~%-]+(\?[a-z0-9._-]+=[^&\s]+(&[a-z0-9._-]+=[^&\s]+)*)?")
# Algorithm -> hexadecimal digits (7.10, 8.4); ADLER32, MD2, MD4, MD5 and MD6 are legal too, and nothing of ours.
DIGITS = {"SHA1": 40, "SHA224": 56, "SHA256": 64, "SHA384": 96, "SHA512": 128, "SHA3-256": 64, "SHA3-384": 96,
          "SHA3-512": 128, "BLAKE2b-256": 64, "BLAKE2b-384": 96, "BLAKE2b-512": 128, "BLAKE3": 64}
KINDS = set("""DESCRIBES DESCRIBED_BY CONTAINS CONTAINED_BY DEPENDS_ON DEPENDENCY_OF DEPENDENCY_MANIFEST_OF
    BUILD_DEPENDENCY_OF DEV_DEPENDENCY_OF OPTIONAL_DEPENDENCY_OF PROVIDED_DEPENDENCY_OF TEST_DEPENDENCY_OF
    RUNTIME_DEPENDENCY_OF EXAMPLE_OF GENERATES GENERATED_FROM ANCESTOR_OF DESCENDANT_OF VARIANT_OF DISTRIBUTION_ARTIFACT
    PATCH_FOR PATCH_APPLIED COPY_OF FILE_ADDED FILE_DELETED FILE_MODIFIED EXPANDED_FROM_ARCHIVE DYNAMIC_LINK STATIC_LINK
    DATA_FILE_OF TEST_CASE_OF BUILD_TOOL_OF DEV_TOOL_OF TEST_OF TEST_TOOL_OF DOCUMENTATION_OF OPTIONAL_COMPONENT_OF
    METAFILE_OF PACKAGE_OF AMENDS PREREQUISITE_FOR HAS_PREREQUISITE REQUIREMENT_DESCRIPTION_FOR SPECIFICATION_FOR
    OTHER""".split())
PURPOSES = set("""APPLICATION FRAMEWORK LIBRARY CONTAINER OPERATING-SYSTEM DEVICE FIRMWARE SOURCE ARCHIVE FILE INSTALL
    OTHER""".split())
FILE_TYPES = set("OTHER DOCUMENTATION IMAGE VIDEO ARCHIVE SPDX APPLICATION SOURCE BINARY TEXT AUDIO".split())
REFERENCES = {"SECURITY", "PACKAGE-MANAGER", "PERSISTENT-ID", "OTHER"}

# Properties with their types; "!" marks those that have to be there. What the specification allows and nip never
# writes (annotations, snippets, reviews, deprecated lists) is refused: it would be an accident.
DOCUMENT = {"spdxVersion!": str, "dataLicense!": str, "SPDXID!": str, "name!": str, "documentNamespace!": str,
            "creationInfo!": dict, "packages!": list, "files!": list, "relationships!": list, "comment": str,
            "hasExtractedLicensingInfos": list}
EXTRACTED = {"licenseId!": str, "extractedText!": str, "name": str, "seeAlsos": list, "comment": str}
CREATION = {"created!": str, "creators!": list, "comment": str, "licenseListVersion": str}
PACKAGE = {"SPDXID!": str, "name!": str, "downloadLocation!": str, "versionInfo": str, "packageFileName": str,
           "supplier": str, "originator": str, "filesAnalyzed": bool, "packageVerificationCode": dict, "checksums": list,
           "homepage": str, "sourceInfo": str, "licenseConcluded": str, "licenseInfoFromFiles": list,
           "licenseDeclared": str, "licenseComments": str, "copyrightText": str, "summary": str, "description": str,
           "comment": str, "externalRefs": list, "primaryPackagePurpose": str, "releaseDate": str, "builtDate": str,
           "validUntilDate": str}
CODE = {"packageVerificationCodeValue!": str, "packageVerificationCodeExcludedFiles": list}
REFERENCE = {"referenceCategory!": str, "referenceType!": str, "referenceLocator!": str, "comment": str}
FILE = {"SPDXID!": str, "fileName!": str, "checksums!": list, "fileTypes": list, "licenseConcluded": str,
        "licenseInfoInFiles": list, "licenseComments": str, "copyrightText": str, "comment": str, "noticeText": str}
TEXTS = {"creators", "seeAlsos", "licenseInfoFromFiles", "licenseInfoInFiles", "fileTypes",
         "packageVerificationCodeExcludedFiles"}  # lists of texts
CHECKSUM = {"algorithm!": str, "checksumValue!": str}
RELATION = {"spdxElementId!": str, "relationshipType!": str, "relatedSpdxElement!": str, "comment": str}


class Bad(Exception):
    pass


def need(true, what):
    if not true:
        raise Bad(what)


def shape(owner, value, table):
    """Exactly the properties of the table, of their types; texts and lists hold something."""
    need(isinstance(value, dict), f"{owner}: should be an object")
    types = {name.rstrip("!"): kind for name, kind in table.items()}
    for name in table:
        need(not name.endswith("!") or name[:-1] in value, f"{owner}: {name[:-1]} is missing")
    for name, item in value.items():
        need(name in types, f"{owner}: unknown {name}")
        need(type(item) is types[name], f"{owner}: {name} has the wrong type")
        need(item or item is False or name in ("files", "relationships"), f"{owner}: {name} is empty")
        need(name not in TEXTS or all(type(text) is str and text for text in item), f"{owner}: {name} holds more than texts")


def words(text):
    """The identifiers of a licence expression (annex D): its grammar by descent, WITH before AND before OR."""
    tokens, found = re.findall(r"\(|\)|[^\s()]+", text), []

    def name():
        need(tokens, f"licence {text!r} ends too early")
        token = tokens.pop(0)
        need(re.fullmatch(r"[A-Za-z0-9.-]+\+?", token) and token not in ("AND", "OR", "WITH"), f"licence {text!r}: {token!r}")
        found.append(token.rstrip("+"))

    def one():
        if tokens and tokens[0] == "(":
            tokens.pop(0)
            chain("OR")
            need(tokens and tokens.pop(0) == ")", f"licence {text!r}: a parenthesis stays open")
            return
        name()
        if tokens and tokens[0] == "WITH":
            tokens.pop(0)
            name()

    def chain(operator):
        inner = one if operator == "AND" else lambda: chain("AND")
        inner()
        while tokens and tokens[0] == operator:
            tokens.pop(0)
            inner()

    chain("OR")
    need(not tokens, f"licence {text!r}: {tokens[:1]} cannot stand there")
    return found


def licence(owner, element, name):
    if name in element and element[name] not in ("NOASSERTION", "NONE"):
        try:
            words(element[name])
        except Bad as bad:
            raise Bad(f"{owner}: {bad}") from None


def checksums(owner, element):
    """{algorithm: digits}"""
    found = {}
    for checksum in element.get("checksums", []):
        shape(owner + ", checksum", checksum, CHECKSUM)
        algorithm, value = checksum["algorithm"], checksum["checksumValue"]
        need(algorithm in DIGITS and algorithm not in found, f"{owner}: algorithm {algorithm}")
        need(re.fullmatch(rf"[0-9a-f]{{{DIGITS[algorithm]}}}", value), f"{owner}: {algorithm} {value}")
        found[algorithm] = value
    return found


def check_package(package):
    owner = package.get("SPDXID", "a package")
    shape(owner, package, PACKAGE)
    location = package["downloadLocation"]
    need(location in ("NOASSERTION", "NONE") or URI.fullmatch(location), f"{owner}: downloadLocation {location}")
    checksums(owner, package)
    for name in ("supplier", "originator"):
        need(name not in package or PERSON.fullmatch(package[name]), f"{owner}: {name}")
    need("homepage" not in package or URI.fullmatch(package["homepage"]), f"{owner}: homepage")
    need(package.get("primaryPackagePurpose", "OTHER") in PURPOSES, f"{owner}: primaryPackagePurpose")
    for name in ("releaseDate", "builtDate", "validUntilDate"):
        need(name not in package or DATE.fullmatch(package[name]), f"{owner}: {name}")
    for name in ("licenseConcluded", "licenseDeclared"):
        licence(owner, package, name)
    for reference in package.get("externalRefs", []):
        shape(owner + ", external reference", reference, REFERENCE)
        locator = reference["referenceLocator"]
        need(reference["referenceCategory"] in REFERENCES, f"{owner}: {reference['referenceCategory']}")
        need(reference["referenceType"] != "purl" or (PURL.fullmatch(locator) and
             reference["referenceCategory"] == "PACKAGE-MANAGER"), f"{owner}: {locator}")
    # 7.8 and 7.9: analysed unless it says otherwise, and then there is a code.
    analysed = package.get("filesAnalyzed", True)
    need(analysed == ("packageVerificationCode" in package), f"{owner}: files analysed and no code, or the reverse")
    need(analysed or "licenseInfoFromFiles" not in package, f"{owner}: licences of files that nobody looked at")
    if analysed:
        shape(owner + ", verification code", package["packageVerificationCode"], CODE)


def check_file(file):
    owner = file.get("SPDXID", "a file")
    shape(owner, file, FILE)
    name = file["fileName"]
    need(name.startswith("./") and "" not in name[2:].split("/") and ".." not in name.split("/"), f"{owner}: {name}")
    need("SHA1" in checksums(owner, file), f"{owner}: no SHA1")
    need(FILE_TYPES.issuperset(file.get("fileTypes", [])), f"{owner}: fileTypes")
    licence(owner, file, "licenseConcluded")


def check_texts(document):
    texts, used = set(), set()
    for item in document.get("hasExtractedLicensingInfos", []):
        shape("an extracted licence", item, EXTRACTED)
        need(re.fullmatch(r"LicenseRef-[A-Za-z0-9.-]+", item["licenseId"]), f"licence {item['licenseId']}")
        need(item["licenseId"] not in texts, f"licence {item['licenseId']} twice")
        texts.add(item["licenseId"])
    for element in document["packages"] + document["files"]:
        for name in ("licenseDeclared", "licenseConcluded"):
            if element.get(name, "NONE") not in ("NOASSERTION", "NONE"):
                used |= {word for word in words(element[name]) if word.startswith("LicenseRef-")}
    need(used == texts, f"licences without text, or texts of no licence: {sorted(used ^ texts)}")


def check_codes(document, edges):
    files = {file["SPDXID"]: file for file in document["files"]}
    for package in document["packages"]:
        if "packageVerificationCode" not in package:
            continue
        code, owner = package["packageVerificationCode"], package["SPDXID"]
        inside = [files[to] for kind, to in edges.get(owner, []) if kind == "CONTAINS" and to in files]
        need(inside, f"{owner}: files analysed, and it contains none")
        excluded = set(code.get("packageVerificationCodeExcludedFiles", []))
        need(not excluded & {f["fileName"] for f in inside}, f"{owner}: an excluded file is listed")
        joined = "".join(sorted(checksums(owner, f)["SHA1"] for f in inside))
        need(code["packageVerificationCodeValue"] == hashlib.sha1(joined.encode()).hexdigest(),
             f"{owner}: the verification code does not follow from the files")


def check(document):
    shape("document", document, DOCUMENT)
    need((document["spdxVersion"], document["dataLicense"], document["SPDXID"]) ==
         ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"), "document: version, data licence or name of itself")
    need(URI.fullmatch(document["documentNamespace"]), "documentNamespace")
    shape("creationInfo", document["creationInfo"], CREATION)
    need(DATE.fullmatch(document["creationInfo"]["created"]), "created")
    for creator in document["creationInfo"]["creators"]:
        need(isinstance(creator, str) and re.fullmatch(r"(Person|Organization|Tool): \S.*", creator), f"creator {creator}")
    for package in document["packages"]:
        check_package(package)
    for file in document["files"]:
        check_file(file)
    ids = [e["SPDXID"] for e in document["packages"] + document["files"]] + ["SPDXRef-DOCUMENT"]
    for name in ids:
        need(NAME.fullmatch(name), f"SPDXID {name}")
    need(len(ids) == len(set(ids)), "an SPDXID stands there twice")
    edges, back, seen = {}, {}, set()
    for relation in document["relationships"]:
        shape("relationship", relation, RELATION)
        a, kind, b = relation["spdxElementId"], relation["relationshipType"], relation["relatedSpdxElement"]
        need(kind in KINDS and a in ids and b in ids and a != b, f"relationship {a} {kind} {b}")
        need((a, kind, b) not in seen, f"relationship {a} {kind} {b} twice")
        seen.add((a, kind, b))
        edges.setdefault(a, []).append((kind, b))
        if kind.endswith("_OF"):
            back.setdefault(b, []).append(a)
    need(any(kind == "DESCRIBES" for kind, _ in edges.get("SPDXRef-DOCUMENT", [])), "the document describes nothing")
    reached, todo = set(), ["SPDXRef-DOCUMENT"]
    while todo:
        at = todo.pop()
        if at not in reached:
            reached.add(at)
            todo += [b for _, b in edges.get(at, [])] + back.get(at, [])
    need(reached == set(ids), f"not reached: {sorted(set(ids) - reached)[:5]}")
    check_texts(document)
    check_codes(document, edges)


def check_image(document, path):
    with open(path, "rb") as f:
        data = f.read()
    want = {"SHA1": hashlib.sha1(data).hexdigest(), "SHA256": hashlib.sha256(data).hexdigest(),
            "BLAKE2b-256": hashlib.blake2b(data, digest_size=32).hexdigest()}
    need(any(checksums("image", file) == want for file in document["files"]), f"{path} is not in it")


def check_licenses(document, path):
    """The bundle has a heading NAME.txt between two lines for each text."""
    with open(path, encoding="utf-8") as f:
        texts = dict(re.findall(r"^-{64}\n(.+)\.txt\n-{64}\n\n((?:(?!-{64}\n).*\n)+)", f.read(), re.M))
    for package in document["packages"]:
        declared = package.get("licenseDeclared", "NOASSERTION")
        for name in [] if declared in ("NOASSERTION", "NONE") else words(declared):
            name = re.sub(r"^LicenseRef-P\d+-", "LicenseRef-", name)
            need(len(texts.get(name, "")) > (300 if not name.startswith("LicenseRef-") else 1), f"{path}: no text of {name}, which {package['name']} declares")


def broken(document):
    """(what is wrong, document) for every way to break it."""
    def at(change, what):
        made = copy.deepcopy(document)
        change(made)
        return what, made
    package = next(i for i, p in enumerate(document["packages"]) if "packageVerificationCode" in p)
    linked = next(i for i, p in enumerate(document["packages"]) if "externalRefs" in p)
    for where, element, table in (("document", lambda d: d, DOCUMENT), ("creationInfo", lambda d: d["creationInfo"], CREATION),
                                  ("package", lambda d: d["packages"][package], PACKAGE),
                                  ("checksum", lambda d: d["files"][0]["checksums"][0], CHECKSUM),
                                  ("code", lambda d: d["packages"][package]["packageVerificationCode"], CODE),
                                  ("reference", lambda d: d["packages"][linked]["externalRefs"][0], REFERENCE),
                                  ("file", lambda d: d["files"][0], FILE),
                                  ("relationship", lambda d: d["relationships"][0], RELATION)):
        yield at(lambda d: element(d).update(surprise="x"), f"{where}: a property of its own")
        for name in table:
            if name.endswith("!"):
                yield at(lambda d: element(d).pop(name[:-1]), f"{where} without {name[:-1]}")
                yield at(lambda d: element(d).update({name[:-1]: 7}), f"{where}: a number as {name[:-1]}")
    values = (("spdxVersion", "SPDX-2.2"), ("dataLicense", "MIT"), ("SPDXID", "SPDXRef-Else"), ("documentNamespace", "urn:a#b"))
    for name, value in values:
        yield at(lambda d: d.update({name: value}), f"{name} {value}")
    for value in ("2026-13-01T00:00:00Z", "2026-01-01T00:00:00+01:00", "2026-01-01", "2026-01-01T00:00:00.5Z"):
        yield at(lambda d: d["creationInfo"].update(created=value), f"created {value}")
    yield at(lambda d: d["creationInfo"].update(creators=["nip"]), "a creator of no kind")
    for name, value in (("SPDXID", "Package"), ("SPDXID", "SPDXRef-a_b"), ("downloadLocation", "here"),
                        ("licenseDeclared", "MIT AND"), ("licenseDeclared", "MIT OR (ISC"), ("licenseDeclared", "LicenseRef-x"),
                        ("licenseDeclared", "MIT ISC"), ("filesAnalyzed", False), ("supplier", "me"),
                        ("primaryPackagePurpose", "DRIVER"), ("builtDate", "today")):
        yield at(lambda d: d["packages"][package].update({name: value}), f"package: {name} {value}")
    yield at(lambda d: d["packages"][package]["packageVerificationCode"].update(
        packageVerificationCodeValue="0" * 40), "another verification code")
    yield at(lambda d: d["packages"][linked]["externalRefs"][0].update(referenceLocator="pkg:x"), "a package URL without name")
    yield at(lambda d: d["packages"][linked]["externalRefs"][0].update(referenceCategory="PACKAGE_MANAGER"), "category")
    for value in ("npl.kdl", "/npl.kdl", "./../npl.kdl", "./a//b"):
        yield at(lambda d: d["files"][0].update(fileName=value), f"file called {value}")
    for name, value in (("fileTypes", ["DRIVER"]), ("fileTypes", "SOURCE"), ("licenseInfoInFiles", [7]), ("noticeText", "")):
        yield at(lambda d: d["files"][0].update({name: value}), f"file: {name} {value}")
    yield at(lambda d: d["files"][0]["checksums"].pop(0), "a file without SHA1")
    yield at(lambda d: d["files"][0]["checksums"][1].update(checksumValue="ab"), "a short digest")
    yield at(lambda d: d["files"][0]["checksums"][1].update(algorithm="SHA-256"), "an algorithm by another name")
    yield at(lambda d: d["files"][0]["checksums"].append(d["files"][0]["checksums"][1]), "an algorithm twice")
    yield at(lambda d: d["files"].append(copy.deepcopy(d["files"][0])), "a file twice")
    yield at(lambda d: d["files"][0].update(SPDXID="SPDXRef-Elsewhere"), "a file that nothing contains")
    own = {"licenseId": "LicenseRef-x", "extractedText": "Do what you like."}
    yield at(lambda d: d.setdefault("hasExtractedLicensingInfos", []).append(own), "a licence that nothing has")
    if "hasExtractedLicensingInfos" in document:
        yield at(lambda d: d["hasExtractedLicensingInfos"].append(d["hasExtractedLicensingInfos"][0]), "a licence twice")
        yield at(lambda d: d["hasExtractedLicensingInfos"][0].update(extractedText=""), "a licence without text")
    yield at(lambda d: d["relationships"].append(d["relationships"][-1]), "a relationship twice")
    yield at(lambda d: d["relationships"][-1].update(relationshipType="LINKS"), "a relationship of no kind")
    yield at(lambda d: d["relationships"][-1].update(relatedSpdxElement="SPDXRef-Nobody"), "a relationship to nobody")
    yield at(lambda d: d.update(relationships=[r for r in d["relationships"] if r["relationshipType"] != "DESCRIBES"]),
             "nothing described")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file")
    parser.add_argument("--image")
    parser.add_argument("--licenses")
    parser.add_argument("--broken", action="store_true")
    args = parser.parse_args()
    with open(args.file, encoding="utf-8") as f:
        document = json.load(f, object_pairs_hook=lambda pairs: dict(pairs) if len(dict(pairs)) == len(pairs)
                             else sys.exit("spdx_check: a property stands there twice"))
    try:
        check(document)
        if args.image:
            check_image(document, args.image)
        if args.licenses:
            check_licenses(document, args.licenses)
    except Bad as bad:
        sys.exit(f"spdx_check: {args.file}: {bad}")
    count = 0
    for what, made in broken(document) if args.broken else ():
        count += 1
        try:
            check(made)
        except Bad:
            continue
        sys.exit(f"spdx_check: not found: {what}")
    print(f"{len(document['packages'])} packages, {len(document['files'])} files, {len(document['relationships'])} "
          "relationships" + (f"; broken in {count} ways, each found" if count else ""))


if __name__ == "__main__":
    main()
