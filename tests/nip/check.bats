#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: each check of nip check fails for its own reason, and publishing refuses the same. Method: a project
# that passes, with one thing wrong at a time.

load common

thing() {
  ok nip new --template "$1" thing
  cd thing || return 1
}

# only_failure CHECK TEXT [OPTION...]: that check fails on some architecture, no other check does.
only_failure() {
  local check=$1 text=$2
  shift 2
  refused 1 'checks failed' nip check "$@"
  says "$text"
  [ -z "$(grep '^failed' <<<"$output" | grep -v "^failed     $check ")" ] || { echo "$output"; return 1; }
  grep -q "^failed     $check " <<<"$output"
}

# edit_elf FILE CODE: Python on `data`.
edit_elf() {
  python3 - "$1" "$2" <<'PY'
import struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
phoff, = struct.unpack_from("<Q", data, 32)
phnum, = struct.unpack_from("<H", data, 56)
exec(sys.argv[2])
open(sys.argv[1], "wb").write(data)
PY
}

@test "templates pass all checks; sizes are reported, and compared with what is published" {
  make_key
  thing service
  ok nip check
  for check in form abi calls capabilities; do [ "$(grep -c "^passed     $check " <<<"$output")" -eq 3 ]; done
  says 'passed     licence'
  says 'size       riscv64'
  names_next 'nip publish'
  ok nip publish --registry file:../reg
  ok nip size --registry file:../reg
  says '+0 and +0 bytes against 0.1.0'
  says_not 'passed'
  printf 'const char more[20000] = {1};\nconst char *volatile some = more;\n' >>src/main.c
  sed -i 's/    struct greeter greeter = {/    some = more + 1;\n&/; s/#include <string.h>/&\nextern const char more[20000];\nextern const char *volatile some;/' src/main.c
  ok nip check --registry file:../reg
  says 'against 0.1.0'
  nip --json check --registry file:../reg 2>/dev/null | python3 -c '
import json, sys
r = json.load(sys.stdin)
assert r["schema"] == "nip-check-1" and all(i["passed"] for i in r["results"]), r
assert r["published"] == "0.1.0" and len(r["sizes"]) == 3
assert all(s["file"] > s["published_file"] + 15000 for s in r["sizes"]), r["sizes"]'
}

@test "calls: one outside the pledge" {
  make_key
  thing service
  sed -i 's/pledge "stdio" "map"/pledge "stdio"/' npl.kdl
  only_failure calls 'can make the call MAP, and `pledge` leaves out its class "map"'
  says 'add "map" to `pledge`'
  refused 3 'can make the call MAP' nip publish --registry file:../reg
  [ ! -e ../reg/local ]
}

@test "calls: control of a device" {
  thing virtio
  ok nip check
  sed -i 's/ "control"//' npl.kdl
  only_failure calls 'MASK of a device or an interrupt'
}

@test "capabilities: a device and an interrupt that nobody requested" {
  thing virtio
  sed -i '/device "device"/d' npl.kdl
  only_failure capabilities 'the code starts a virtio device, and `request` asks for none'
  cd ..
  rm -r thing
  thing mmio
  sed -i 's/"stdio" "map"/"stdio" "map" "control"/' npl.kdl
  sed -i 's|    int64_t seconds = read_clock();|    struct npl_interrupt interrupt;\n    if (npl_interrupt_open(\&interrupt, "pl031") >= 0)\n        npl_interrupt_unmask(\&interrupt);\n&|' src/main.c
  only_failure capabilities 'the code opens an interrupt, and nothing in `request` brings one'
}

@test "form: a segment that is writable and executable" {
  thing driver
  ok nip build
  edit_elf build/riscv64/driver.elf '
for at in range(phoff, phoff + 56 * phnum, 56):
    kind, flags = struct.unpack_from("<II", data, at)
    if kind == 1 and flags == 5:
        struct.pack_into("<I", data, at + 4, 7)'
  only_failure form 'writable and executable' --no-build
}

@test "abi: built against another abi.txt" {
  thing driver
  ok nip build
  edit_elf build/aarch64/driver.elf '
at = data.find(b"Rumpk\0\0\0")
data[at + 8 + 16] ^= 1'
  only_failure abi 'another abi/abi.txt than that of this SDK' --no-build
}

@test "licence: the text of an identifier is missing" {
  thing driver
  sed -i 's/license "Apache-2.0"/license "Apache-2.0 OR MIT"/' npl.kdl
  only_failure licence 'LICENSES/MIT.txt is missing'
}

@test "records of calls that are none are refused" {
  thing driver
  ok nip build
  edit_elf build/riscv64/driver.debug '
at = data.find(b"\x06\0\0\0\x08\0\0\0\x02\0\0\0Rumpk\0\0\0")
data[at + 20] = 99'
  refused 3 'begins no record of a call' nip check --no-build
}

@test "interface: a published structure that grows within one class of versions" {
  command -v abidiff >/dev/null || skip 'abidiff is not installed'
  make_key
  thing library
  cat >>include/checksum.h <<'H'
struct checksum_state { uint32_t first; };
void checksum_add(struct checksum_state *state, uint32_t value);
H
  printf 'void checksum_add(struct checksum_state *state, uint32_t value) { state->first += value; }\n' >>src/checksum.c
  sed -i 's/0\.1\.0/1.0.0/' npl.kdl
  ok nip publish --registry file:../reg
  sed -i 's/1\.0\.0/1.1.0/' npl.kdl
  printf 'uint32_t checksum_more(void);\n' >>include/checksum.h
  printf 'uint32_t checksum_more(void) { return 1; }\n' >>src/checksum.c
  ok nip check --registry file:../reg
  [ "$(grep -c '^passed     interface ' <<<"$output")" -eq 3 ]
  sed -i 's/{ uint32_t first; }/{ uint32_t first, second; }/' include/checksum.h
  only_failure interface 'it differs from 1.0.0, of the same class of versions' --registry file:../reg
  # Publishing says what changed and refuses; nothing is written.
  cp -r ../reg ../before
  refused 3 'it differs from 1.0.0, of the same class' nip publish --registry file:../reg
  says "type size changed from 32 to 64"
  says 'begin a new class of versions'
  diff -r ../before ../reg
  # A function that is gone, an architecture that is gone.
  sed -i 's/{ uint32_t first, second; }/{ uint32_t first; }/' include/checksum.h
  cp include/checksum.h src/checksum.c npl.kdl ..
  sed -i '/checksum_add/d' include/checksum.h src/checksum.c
  refused 3 'it differs from 1.0.0' nip publish --registry file:../reg
  says "checksum_add"
  cp ../checksum.h include
  cp ../checksum.c src
  sed -i 's/ "x86_64"//' npl.kdl
  refused 3 'interface, x86_64: it was made for this architecture in 1.0.0' nip publish --registry file:../reg
  cp ../npl.kdl .
  diff -r ../before ../reg
  # Without abidiff nothing is compared, so nothing is published; the first of a class needs none.
  mkdir ../tools
  ln -s /usr/bin/* ../tools
  rm ../tools/abidiff
  PATH=$BATS_TEST_TMPDIR/bin:$W/tools refused 7 'the program abidiff is not on PATH' nip publish --registry file:../reg
  says 'apt-get install abigail-tools'
  PATH=$BATS_TEST_TMPDIR/bin:$W/tools ok nip check --registry file:../reg
  says 'interfaces are not compared'
  diff -r ../before ../reg
  ok nip publish --registry file:../reg
  # A fix of an older line is compared with that line, a later class with nothing.
  sed -i 's/1\.1\.0/2.0.0/' npl.kdl
  sed -i 's/{ uint32_t first; }/{ uint32_t first, second; }/' include/checksum.h
  ok nip check --registry file:../reg
  PATH=$BATS_TEST_TMPDIR/bin:$W/tools ok nip publish --registry file:../reg
  sed -i 's/2\.0\.0/1.1.1/' npl.kdl
  refused 3 'it differs from 1.1.0' nip publish --registry file:../reg
  # What was signed by somebody whom nobody here knows is no measure.
  mv "$HOME/.local/share/rumpk/keys" ../keys
  make_key
  sed -i 's/1\.1\.1/2.1.0/' npl.kdl
  refused 4 '' nip publish --registry file:../reg
  says 'the interface of local/thing 2.0.0 cannot be compared'
}
