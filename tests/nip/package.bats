#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: pack, sign, verify and inspect make and accept exactly the documented package, together with
# minisign and b2sum; everything else is refused. Method: real packages, changed by hand.

load common

signed_hello() {
  new_hello
  make_key
  ok nip pack
  names_next 'nip sign'
  ok nip sign
  names_next 'nip publish'
}

public() { echo "$HOME/.local/share/rumpk/keys/${1:-default}.pub"; }

@test "a signed package verifies, and its digests are those of b2sum" {
  signed_hello
  ok nip verify build/hello-0.1.0.npl
  says 'valid: '
  says 'signed by your own key default'
  cd build/pack
  while read -r _ digest size path; do
    [ "$(b2sum -l 256 "$path" | cut -d' ' -f1)" = "$digest" ]
    [ "$(stat -c %s "$path")" = "$size" ]
  done < <(grep -E '^(file|beside) ' digests)
}

@test "inspect shows what is in it, also as JSON" {
  signed_hello
  ok nip inspect build/hello-0.1.0.npl
  says 'local/hello 0.1.0 (driver)'
  says 'needs service "console" 1 (stream)'
  ok nip inspect --json build/hello-0.1.0.npl
  echo "$output" | python3 -c 'import json,sys; r = json.load(sys.stdin); assert r["schema"] == "nip-inspect-1" and r["package"]["name"] == "local/hello"'
  ok nip verify --json build/hello-0.1.0.npl
  echo "$output" | python3 -c 'import json,sys; assert json.load(sys.stdin)["package"]["valid"] is True'
}

@test "minisign accepts our signature" {
  signed_hello
  mkdir unpacked
  zstd -dcq build/hello-0.1.0.npl | tar -xf - -C unpacked
  minisign -Vm unpacked/digests -x unpacked/digests.minisig -p "$(public)"
}

@test "a signature by minisign is imported; one over other bytes is not" {
  new_hello
  ok nip pack
  minisign -GW -p mini.pub -s mini.key >/dev/null
  minisign -S -s mini.key -t 'npl 1 local/hello 0.1.0' -m build/pack/digests -x sig >/dev/null </dev/null
  ok nip sign --import sig --key ./mini.pub
  ok nip verify build/hello-0.1.0.npl --key ./mini.pub
  refused 4 '' nip verify build/hello-0.1.0.npl
  minisign -S -s mini.key -t 'npl 1 local/hello 9.9.9' -m build/pack/digests -x sig2 >/dev/null </dev/null
  refused 4 '' nip sign --import sig2 --key ./mini.pub
  refused 5 'none of your keys could have made' nip sign --import sig
}

@test "packing twice gives the same bytes, whatever the time, the umask and the folder are" {
  signed_hello
  cp build/hello-0.1.0.npl "$W/first.npl"
  cp build/pack/digests "$W/first.digests"
  mkdir "$W/b"
  cp -r . "$W/b/hello"
  cd "$W/b/hello"
  rm -rf build
  (umask 077; TZ=Asia/Tokyo LC_ALL=C nip pack >/dev/null && nip sign >/dev/null)
  cmp "$W/first.digests" build/pack/digests
  cmp "$W/first.npl" build/hello-0.1.0.npl
  SOURCE_DATE_EPOCH=1000000000 ok nip pack
  grep -q '2001-09-09T01:46:40Z' build/pack/sbom.spdx.json
  SOURCE_DATE_EPOCH=soon refused 2 'SOURCE_DATE_EPOCH' nip pack
}

@test "the bill of materials is SPDX 2.3 and names what was linked in" {
  new_hello
  ok nip pack
  python3 - <<'PY'
import json
s = json.load(open("build/pack/sbom.spdx.json"))
assert s["spdxVersion"] == "SPDX-2.3" and s["creationInfo"]["created"] == "1980-01-01T00:00:00Z"
names = {p["name"] for p in s["packages"]}
assert {"local/hello", "libnpl", "llvm-libc", "compiler-rt-builtins"} <= names, names
files = {f["fileName"] for f in s["files"]}
assert "./riscv64/driver.elf" in files and "./npl.kdl" in files
PY
  ok python3 "$BATS_TEST_DIRNAME/spdx_check.py" build/pack/sbom.spdx.json --broken
  says 'each found'
  # What is linked in brings the texts of its licences along.
  for name in Apache-2.0 LLVM-exception ISC; do [ -s build/pack/LICENSES/$name.txt ]; done
}

@test "the kernel's and every driver's own bill of materials is SPDX 2.3" {
  local blob count=0
  for blob in "$RUMPK_SDK"/share/rumpk/registry/rumpk/*/blobs/sha256/*; do
    zstd -tq "$blob" 2>/dev/null || continue
    zstd -dqc "$blob" | tar -xO sbom.spdx.json >sbom.json
    ok python3 "$BATS_TEST_DIRNAME/spdx_check.py" sbom.json
    count=$((count + 1))
  done
  [ "$count" -ge 7 ]
  [ "$count" -eq "$(ls "$RUMPK_SDK/share/rumpk/registry/rumpk" | wc -l)" ]
}

@test "a licence of one's own stands in the bill of materials with its text, and keeps apart in an image" {
  for name in hello other; do
    ok nip new $name
    cd $name
    sed -i 's/license "Apache-2.0"/license "LicenseRef-acme OR Apache-2.0"/' npl.kdl
    refused 5 'LICENSES/LicenseRef-acme.txt is missing' nip pack
    : >LICENSES/LicenseRef-acme.txt
    refused 3 'LICENSES/LicenseRef-acme.txt holds no text' nip pack
    printf 'caf\351\n' >LICENSES/LicenseRef-acme.txt
    refused 3 'LICENSES/LicenseRef-acme.txt holds no text' nip pack
    printf 'Take it, says %s.\n' $name >LICENSES/LicenseRef-acme.txt
    ok nip pack
    ok python3 "$BATS_TEST_DIRNAME/spdx_check.py" build/pack/sbom.spdx.json --broken
    says 'each found'
    cd ..
  done
  new_box
  ok nip add --path ../hello
  ok nip add --path ../other
  ok nip image --arch riscv64
  ok python3 "$BATS_TEST_DIRNAME/spdx_check.py" build/box-riscv64.spdx.json --image build/box-riscv64.elf \
    --licenses build/box-riscv64.licenses.txt
  python3 - <<'PY'
import json
s = json.load(open("build/box-riscv64.spdx.json"))
texts = {e["licenseId"]: e["extractedText"] for e in s["hasExtractedLicensingInfos"]}
for name in ("hello", "other"):
    declared = next(p["licenseDeclared"] for p in s["packages"] if p["name"] == "local/" + name)
    assert texts[declared.split()[0]] == f"Take it, says {name}.\n", (texts, declared)
assert len(texts) == 2, texts
PY
}

@test "foreign code that is compiled in is named with version, licence and the digest of its archive" {
  new_hello
  local digest
  digest=$(sha256sum npl.kdl | cut -d' ' -f1)
  cat >>npl.kdl <<KDL
dependencies {
    component "tiny-aes" version="1.0_2" license="Unlicense" sha256="$digest" origin="https://example.org/tiny-aes.tar.gz"
}
KDL
  refused 5 'the licence text LICENSES/Unlicense.txt is missing' nip pack
  printf 'This is free and unencumbered software\n' >LICENSES/Unlicense.txt
  ok nip pack
  ok python3 "$BATS_TEST_DIRNAME/spdx_check.py" build/pack/sbom.spdx.json
  python3 - "$digest" <<'PY'
import json, sys
s = json.load(open("build/pack/sbom.spdx.json"))
p = next(p for p in s["packages"] if p["name"] == "tiny-aes")
assert p["versionInfo"] == "1.0_2" and p["licenseDeclared"] == "Unlicense", p
assert p["checksums"] == [{"algorithm": "SHA256", "checksumValue": sys.argv[1]}], p
assert p["sourceInfo"] == "https://example.org/tiny-aes.tar.gz", p
assert p["externalRefs"][0]["referenceLocator"] == f"pkg:generic/tiny-aes@1.0_2?checksum=sha256:{sys.argv[1]}", p
assert {"spdxElementId": "SPDXRef-Package", "relationshipType": "STATIC_LINK", "relatedSpdxElement": p["SPDXID"]} in s["relationships"]
PY
  sed -i 's/sha256="../sha256="XY/' npl.kdl
  refused 3 'this is no SHA-256' nip pack
  says '64 hexadecimal digits'
  sed -i 's/sha256="XY/sha256="00/; s/1.0_2/1.0 2/' npl.kdl
  refused 3 'this is no version of a component' nip pack
  sed -i 's/1.0 2/1.0/; s/Unlicense"/Unlicense AND"/' npl.kdl
  refused 3 'the licence expression ends too early' nip pack
}

@test "the source archive is what tar makes of the project, and is named twice in digests" {
  new_hello
  mkdir -p .git build reg/local/x .hidden
  touch .git/x .hidden/y notes.txt~ old-0.1.0.npl reg/rumpk-registry
  ok nip pack
  local archive=build/pack/source.tar digest
  digest=$(b2sum -l 256 $archive | cut -d' ' -f1)
  grep -qx "source tar:$digest" build/pack/digests
  grep -qx "beside $digest $(stat -c %s $archive) source.tar" build/pack/digests
  LC_ALL=C tar -tf $archive >listed
  LC_ALL=C find npl.kdl src LICENSES README* -type f 2>/dev/null | LC_ALL=C sort >expected || true
  diff expected listed
  rm listed expected
  # Each source file stands in the bill of materials with its digest.
  python3 - <<'PY'
import json, hashlib
s = json.load(open("build/pack/sbom.spdx.json"))
files = {f["fileName"]: f for f in s["files"]}
sums = {c["algorithm"]: c["checksumValue"] for c in files["./source.tar/src/main.c"]["checksums"]}
assert sums["SHA256"] == hashlib.sha256(open("src/main.c", "rb").read()).hexdigest()
PY
  cp build/pack/digests "$W/before"
  printf '\n' >>src/main.c
  ok nip pack
  run cmp "$W/before" build/pack/digests
  [ "$status" -eq 1 ]
}

@test "what cannot be in a source archive is named" {
  new_hello
  make_key
  touch 'my notes.txt'
  refused 3 "no source file may be called 'my notes.txt'" nip pack
  says 'out of the project'
  rm 'my notes.txt'
  ln -s /etc/passwd src/link.h
  refused 3 "'src/link.h' is a symbolic link" nip pack
  rm src/link.h
  cp "$HOME/.local/share/rumpk/keys/default.key" src/mine
  refused 4 "'src/mine' is a secret key" nip pack
  printf -- '-----BEGIN OPENSSH PRIVATE KEY-----\nx\n' >src/mine
  refused 4 "'src/mine' is a secret key" nip pack
  [ ! -e build/pack ]
}

@test "a missing licence text is named, and so is the command that adds it" {
  new_hello
  rm LICENSES/Apache-2.0.txt
  refused 5 'the licence text LICENSES/Apache-2.0.txt is missing' nip pack
  says 'help: add it: cp '
  sed -i 's/license "Apache-2.0"/license "MIT OR Apache-2.0"/' npl.kdl
  refused 5 'LICENSES/MIT.txt is missing' nip pack
  says 'add the full text'
}

@test "staged files that changed are not signed" {
  new_hello
  make_key
  refused 5 'nothing has been packed' nip sign
  says "run 'nip pack' first"
  ok nip pack
  printf 'x' >>build/pack/npl.kdl
  refused 3 'has changed since' nip sign
  [ ! -e build/hello-0.1.0.npl ]
}

@test "changed, cut and foreign files are refused" {
  signed_hello
  local npl=build/hello-0.1.0.npl size at
  size=$(stat -c %s $npl)
  for at in 0 5 100 $((size / 2)) $((size - 1)); do
    python3 - "$npl" "$at" <<'PY'
import sys
b = bytearray(open(sys.argv[1], "rb").read())
b[int(sys.argv[2])] ^= 0x10
open("bad.npl", "wb").write(b)
PY
    run nip verify bad.npl
    # The frame is transport only: a change that decodes to the same tar is no change.
    if [ "$status" -eq 0 ]; then
      cmp <(zstd -dcq $npl) <(zstd -dcq bad.npl)
    else
      [ "$status" -ge 3 ] && [ "$status" -le 4 ] && says 'error: '
    fi
  done
  head -c 1000 $npl >cut.npl
  refused 3 'cut.npl' nip verify cut.npl
  : >empty.npl
  refused 3 'neither a package nor an image' nip verify empty.npl
  refused 3 '' nip verify npl.kdl
  refused 5 'no.npl' nip verify no.npl
}

@test "a package of an unknown key is refused until the key is named" {
  signed_hello
  cp build/hello-0.1.0.npl "$W"
  cp "$(public)" "$W/theirs.pub"
  export HOME=$BATS_TEST_TMPDIR/other
  mkdir "$HOME"
  cd "$W"
  refused 4 '' nip verify hello-0.1.0.npl
  says '--key FILE.pub'
  ok nip verify hello-0.1.0.npl --key theirs.pub
  make_key
  refused 4 '' nip verify hello-0.1.0.npl --key default
}

@test "a key that is accepted for one name verifies no other" {
  signed_hello
  cp "$(public)" "$W/theirs.pub"
  cp build/hello-0.1.0.npl "$W"
  export HOME=$BATS_TEST_TMPDIR/other
  mkdir "$HOME"
  cd "$W"
  ok nip new --image box
  cd box
  ok nip key trust acme/clock ../theirs.pub
  refused 4 '' nip verify ../hello-0.1.0.npl
  ok nip key trust 'local/*' ../theirs.pub
  ok nip verify ../hello-0.1.0.npl
  says 'a key that nip.trust.kdl accepts for local/hello'
}
