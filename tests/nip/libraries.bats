#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: libraries are chosen minimally, linked, locked and recorded, from registries, local work and
# workspaces; nothing changes without being asked, and no network is needed for what was fetched.
# Method: small libraries in folder registries; results are looked at in the linked drivers.

load common
load libraries

@test "libraries are added, chosen minimally, linked, recorded with licence, and removed" {
  begin
  published ring 1.2.0
  published ring 1.3.0
  published ring 1.4.0
  published ring 2.0.0
  published queue 1.0.0 'ring 1.3'
  driver ring queue
  ok nip add acme/ring@1.2.0 --registry reg
  says 'chosen     acme/ring 1.2.0'
  ok nip add acme/queue
  names_next 'nip build'
  grep -q 'library "acme/queue" "1.0.0" registry="reg" key="RW' npl.kdl
  grep -q 'package "acme/ring" version="1.3.0"' nip.lock
  cp nip.lock "$W/lock"
  ok nip build
  linked ring-1.3.0-here
  linked queue-1.0.0-here
  ok nip tree
  says 'acme/queue 1.0.0'
  ok nip pack
  python3 - <<'PY'
import json
sbom = json.load(open("build/pack/sbom.spdx.json"))
names = {p["name"]: p for p in sbom["packages"]}
assert names["acme/ring"]["versionInfo"] == "1.3.0" and names["acme/ring"]["licenseDeclared"] == "Apache-2.0", names
assert {"libnpl", "llvm-libc", "compiler-rt-builtins", "acme/queue"} <= set(names), names
PY
  cmp nip.lock "$W/lock"
  ok nip remove acme/queue
  absent acme/queue npl.kdl
  grep -q 'package "acme/ring" version="1.2.0"' nip.lock
  [ -e build/deps/acme/queue ]
  uses ring
  ok nip build
  linked ring-1.2.0-here
  [ ! -e build/deps/acme/queue ]
  refused 5 'npl.kdl names no library acme/queue' nip remove acme/queue
  ok nip remove acme/ring
  absent dependencies npl.kdl
  absent acme nip.lock
  no_leftovers . "$HOME"
}

@test "a library that two must sign is locked with both keys, and neither may go missing" {
  make_key a
  make_key b
  A=$(sed -n 2p "$HOME/.local/share/rumpk/keys/a.pub") B=$(sed -n 2p "$HOME/.local/share/rumpk/keys/b.pub")
  printf 'registry "reg" url="file:../reg"\npublisher "acme/*" {\n    key "%s"\n    key "%s"\n    threshold 2\n}\n' "$A" "$B" >"$W/trust"
  library ring 1.2.0
  cp "$W/trust" ring/nip.trust.kdl
  ok nip -C ring publish --registry file:../reg --key a
  driver ring
  refused 4 '1 of the accepted keys have signed' nip add acme/ring --registry reg
  cp -r ../reg ../one
  ok nip sign acme/ring --registry file:../reg --key b
  ok nip add acme/ring --registry reg
  [ "$(grep -c '^    key ' nip.lock)" -eq 2 ]
  grep -q "    key \"$A\"" nip.lock
  grep -q "    key \"$B\"" nip.lock
  cp nip.lock npl.kdl "$W"
  ok nip build --frozen
  linked ring-1.2.0-here
  # One key is enough from now on: the lock stays, and so does what it asks.
  sed -i 's/threshold 2/threshold 1/' nip.trust.kdl
  ok nip build --locked
  cmp nip.lock "$W/nip.lock"
  forget_cache
  rm -r ../reg
  mv ../one ../reg
  refused 3 "nip.lock says that the key $B signed it" nip build
  refused 3 "nip.lock says that the key $B signed it" nip fetch
  for file in nip.lock npl.kdl; do cmp "$W/$file" $file; done
  # A lock of an older nip is completed when two must sign.
  sed -i 's/threshold 1/threshold 2/' nip.trust.kdl
  ok nip sign acme/ring --registry file:../reg --key b
  sed -i "\|$B|d" nip.lock
  refused 3 'would have to change' nip build --locked
  ok nip build
  cmp nip.lock "$W/nip.lock"
}

@test "two classes of one library are refused with both chains and what would fit" {
  begin
  published ring 1.2.0
  published ring 2.0.0
  published queue 1.0.0 'ring 1.2'
  published queue 1.1.0 'ring 2'
  driver queue ring
  ok nip add acme/queue@1.0.0 --registry reg
  cp npl.kdl nip.lock "$W"
  refused 6 'acme/ring would be linked in two versions that do not fit each other, 1.2.0 and 2.0.0' nip add acme/ring@2.0.0
  says 'this project asks for acme/queue 1.0.0, which asks for acme/ring 1.2.0'
  says 'this project asks for acme/ring 2.0.0'
  says 'this would fit: acme/queue 1.1.0, which asks for acme/ring 2'
  cmp npl.kdl "$W/npl.kdl"
  cmp nip.lock "$W/nip.lock"
  ok nip update
  says 'acme/queue 1.0.0 -> 1.1.0'
  grep -q 'package "acme/ring" version="2.0.0"' nip.lock
}

@test "the lock is the answer until it is none: locked, frozen, offline, yanked, older holes" {
  begin
  published ring 1.2.0
  driver ring
  ok nip add acme/ring --registry reg
  published ring 1.3.0
  cd "$W/hello"
  cp nip.lock "$W/lock"
  ok nip build
  cmp nip.lock "$W/lock"
  mv ../reg ../gone
  ok nip build --frozen
  rm -rf build
  # Neither the registry nor a network: nothing even asks for a socket.
  ASAN_OPTIONS=detect_leaks=0 ok unshare --net --map-root-user strace -f -e trace=socket,connect -o "$W/trace" nip build --offline --locked
  absent 'socket(' "$W/trace"
  absent 'connect(' "$W/trace"
  linked ring-1.2.0-here
  cmp nip.lock "$W/lock"
  forget_cache
  rm -rf build
  refused 8 '--offline forbids it' nip build --offline
  mv ../gone ../reg
  ok nip fetch
  names_next 'nip build --offline'
  ok nip build --frozen
  # Another computer: another folder, another home, another tool run.
  mkdir "$W/other"
  cp -r "$W/hello" "$W/other/hello"
  cp -r "$W/reg" "$W/other/reg"
  rm "$W/other/hello/nip.lock"
  ok env HOME="$W/other" nip -C "$W/other/hello" build
  cmp "$W/other/hello/nip.lock" "$W/lock"
  # What the manifest asks for is not what the lock has.
  sed -i 's/"acme\/ring" "1.2.0"/"acme\/ring" "1.3.0"/' npl.kdl
  refused 3 'nip.lock is no answer to what npl.kdl asks for, and --locked forbids changing it' nip build --locked
  cmp nip.lock "$W/lock"
  ok nip build
  linked ring-1.3.0-here
  # A yanked version stays where it is locked, with a warning.
  ok nip yank acme/ring@1.3.0 --registry reg --reason 'loses requests'
  ok nip build
  says 'warning: acme/ring 1.3.0 is yanked: loses requests'
  rm nip.lock
  refused 5 'no version of acme/ring fits 1.3.0 or later in class 1' nip build
  says '1.3.0 (yanked)'
  SECURITY=2 published ring 1.4.0
  cd "$W/hello"
  ok nip build
  says 'acme/ring 1.3.0 is yanked; 1.4.0 is taken instead'
  sed -i 's/"acme\/ring" "1.3.0"/"acme\/ring" "1.2.0"/' npl.kdl
  refused 4 'has security-version 1; this project has accepted 2 already' nip add acme/ring@1.2.0
}

@test "local work stands for a library: add --path, overrides, workspaces, circles" {
  begin
  published ring 1.2.0
  library ring 1.2.5
  driver ring
  ok nip add --path ../ring
  grep -q 'override "acme/ring" path="../ring"' nip.workspace.kdl
  grep -q 'library "acme/ring" "1.2.5"' npl.kdl
  grep -q 'path "../ring"' nip.lock
  ok nip build
  linked ring-1.2.5-here
  sed -i 's/1.2.5-here/1.2.5-edited/' ../ring/src/ring.c
  ok nip build --offline --locked
  linked ring-1.2.5-edited
  refused 4 '' nip publish --registry file:../reg
  says 'acme/ring'
  rm nip.workspace.kdl
  sed -i 's/"1.2.5"/"1.2" registry="reg"/' npl.kdl
  ok nip build
  linked ring-1.2.0-here
  grep -q 'registry "reg"' nip.lock
  # A workspace: members are found by pattern, stand for their names, and are built together.
  cd "$W"
  printf 'workspace {\n    member "ring"\n    member "hel*"\n}\n' >nip.workspace.kdl
  rm hello/nip.lock
  refused 6 'nip.trust.kdl is of the time before this project was a member of the workspace' nip build
  sed s,../reg,reg, hello/nip.trust.kdl >nip.trust.kdl
  rm hello/nip.trust.kdl
  ok nip build
  says 'member     hello'
  says 'member     ring'
  says 'built 2 members'
  cd hello
  linked ring-1.2.5-edited
  cd ..
  printf 'workspace {\n    member "none"\n}\n' >nip.workspace.kdl
  refused 5 'no project fits member "none"' nip build
  printf 'workspace {\n    member "../up"\n}\n' >nip.workspace.kdl
  refused 3 'a member is a folder below the one of this file' nip build
  printf 'workspace {\n    member "a*"\n}\noverride "acme/b" path="b"\n' >nip.workspace.kdl
  library a 1.0.0 'b 1'
  library b 1.0.0 'a 1'
  printf 'workspace {\n    member "a"\n    member "b"\n}\n' >nip.workspace.kdl
  refused 6 'needs itself' nip -C a build
}

@test "a dependency is a library from one place, signed by the key its author knew" {
  begin
  published ring 1.2.0
  published queue 1.0.0 'ring 1.2'
  driver ring
  cp npl.kdl "$W/npl.kdl"
  refused 5 "there is no registry with the alias 'work'" nip add acme/ring --registry work
  refused 5 'no version 9.0.0 of acme/ring' nip add acme/ring@9.0.0 --registry reg
  refused 3 'is a driver; a package links libraries' nip add rumpk/virtio-blk
  echo 'dependencies { library "rumpk/virtio-rng" "0.1" registry="sdk"; }' >>npl.kdl
  refused 3 'rumpk/virtio-rng is a driver and cannot be linked' nip build
  cp "$W/npl.kdl" npl.kdl
  echo 'dependencies { library "acme/ring" "0"; }' >>npl.kdl
  refused 3 'npl.kdl:' nip build
  cp "$W/npl.kdl" npl.kdl
  echo 'dependencies { library "acme/none" "1" registry="reg"; }' >>npl.kdl
  refused 5 'acme/none' nip build
  cp "$W/npl.kdl" npl.kdl
  # The author of the project built against another key than the one the registry's package has.
  echo 'registry "reg" url="file:../reg"' >nip.trust.kdl
  make_key second
  other=$(nip key show second --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["keys"][0]["key"])')
  echo "dependencies { library \"acme/ring\" \"1\" registry=\"reg\" key=\"$other\"; }" >>npl.kdl
  refused 4 'accepts no key for acme/ring' nip build
  refused 4 'was built against another key' nip fetch
  [ ! -e nip.lock ]
  cp "$W/trust" nip.trust.kdl
  ok nip build
}

@test "eight nips at once in one project and one cache" {
  begin
  published ring 1.2.0
  published queue 1.0.0 'ring 1.2'
  driver ring queue
  ok nip add acme/queue --registry reg
  uses queue
  cp nip.lock "$W/lock"
  rm -rf build
  forget_cache
  for i in 1 2 3 4 5 6 7 8; do nip build >"$W/log.$i" 2>&1 & done
  for i in 1 2 3 4 5 6 7 8; do wait -n || { cat "$W"/log.*; false; }; done
  linked queue-1.0.0-here
  cmp nip.lock "$W/lock"
  no_leftovers . "$HOME"
}

@test "an image brings its bill of materials and its licences along" {
  begin
  published ring 1.2.0
  driver ring
  ok nip add acme/ring --registry reg
  ok nip publish --registry file:../reg
  new_box
  ok nip add local/hello --registry file:../reg --yes
  ok nip image
  for arch in riscv64 x86_64; do
    ok python3 "$BATS_TEST_DIRNAME/spdx_check.py" build/box-$arch.spdx.json --image build/box-$arch.elf \
      --licenses build/box-$arch.licenses.txt
  done
  # Everything that is linked in, and every source file, with digests.
  python3 - "$BATS_TEST_DIRNAME/../../toolchain/pins" <<'PY'
import json, sys
sbom = json.load(open("build/box-riscv64.spdx.json"))
names = {p["name"] for p in sbom["packages"]}
assert {"local/box", "rumpk/kernel", "local/hello", "acme/ring", "libnpl", "llvm-libc", "compiler-rt-builtins"} <= names, names
# The kernel's own: version, digest of the source archive, licence, and where that came from.
pins = {p.split()[0]: p.split() for p in open(sys.argv[1]) if p[0] not in "#\n"}
for name, pin, version, licence in (("libsodium", "sodium", "1.0.18", "ISC"), ("libfdt", "dtc", "1.7.2", "BSD-2-Clause")):
    found = [p for p in sbom["packages"] if p["name"] == name and p["SPDXID"].startswith("SPDXRef-P0-")]
    assert len(found) == 1 and (found[0]["versionInfo"], found[0]["licenseDeclared"]) == (version, licence), found
    assert found[0]["checksums"] == [{"algorithm": "SHA256", "checksumValue": pins[pin][2]}], found
    assert pins[pin][1] in found[0]["sourceInfo"], found
    assert found[0]["externalRefs"][0]["referenceLocator"] == f"pkg:generic/{name}@{version}?checksum=sha256:{pins[pin][2]}"
files = {f["fileName"]: f for f in sbom["files"]}
assert "./source.tar/src/main.c" in files and files["./source.tar/src/main.c"]["checksums"], files.keys()
assert "rumpk/uart-pl011" not in names
PY
  grep -q '^local/hello 0.1.0: Apache-2.0$' build/box-riscv64.licenses.txt
  grep -q '^rumpk/kernel ' build/box-riscv64.licenses.txt
  [ "$(grep -c 'TERMS AND CONDITIONS FOR USE' build/box-riscv64.licenses.txt)" -ge 1 ]
  cp build/box-riscv64.spdx.json "$W/first.json"
  rm -rf build
  ok nip image --arch riscv64
  cmp build/box-riscv64.spdx.json "$W/first.json"
}

@test "tree, why, outdated, audit; updates of an image show what grew; remove takes wires along" {
  begin
  published ring 1.2.0
  published queue 1.0.0 'ring 1.2'
  driver ring queue
  ok nip add acme/queue --registry reg
  ok nip add acme/ring
  ok nip tree
  says 'local/hello 0.1.0'
  says 'acme/ring 1.2.0 (reg)'
  ok nip why acme/ring
  says 'local/hello 0.1.0 -> acme/queue 1.0.0 -> acme/ring [1.2 or later]'
  says 'local/hello 0.1.0 -> acme/ring [1.2.0 or later]'
  refused 5 'acme/none is no part of this project' nip why acme/none
  for command in tree outdated audit 'why acme/ring'; do
    # shellcheck disable=SC2086
    ok nip $command --json
    python3 -c 'import json,sys; assert json.load(sys.stdin)["schema"].startswith("nip-")' <<<"$output"
  done
  ok nip outdated
  says 'nothing newer is known'
  ok nip audit
  says 'nothing is known against any package'
  SECURITY=2 published ring 1.3.0
  published ring 2.0.0
  cd "$W/hello"
  ok nip outdated
  [[ "$output" == *acme/ring*1.2.0*1.3.0*2.0.0* ]]
  ok nip yank acme/queue@1.0.0 --registry reg --reason 'forgets'
  run nip audit </dev/null
  [ "$status" -eq 1 ]
  says 'acme/queue 1.0.0: forgets'
  says '1.3.0 has security-version 2, this one 1'
  # The registry serves other bytes under the same version.
  rm -rf ../reg/acme/queue
  echo '// other' >>../queue/src/queue.c
  ok nip -C ../queue publish --registry file:../reg
  run nip audit </dev/null
  [ "$status" -eq 1 ]
  says 'other bytes under this version'
  rm -rf ../reg/acme/queue
  run nip audit </dev/null
  says 'does not have it any more'

  # An image: nothing that grew is taken without being accepted.
  cd "$W"
  rm -rf hello
  new_hello
  ok nip publish --registry file:../reg
  new_box
  ok nip add local/hello --registry file:../reg
  ok nip update
  says 'nothing newer of the same class'
  cd ../hello
  sed -i 's/version="0.1.0"/version="0.1.1"/' npl.kdl
  printf 'runtime { heap "256KiB"; }\nrequest { memory "m" size="64KiB"; }\n' >>npl.kdl
  ok nip publish --registry file:../reg
  cd ../box
  ok nip outdated
  says 'local/hello'
  cp image.kdl nip.lock "$W"
  refused 4 'asks for capabilities' nip update
  says 'asks for a heap of 262144 bytes (before: 65536)'
  cmp image.kdl "$W/image.kdl"
  cmp nip.lock "$W/nip.lock"
  ok nip update local/hello --yes
  grep -q 'package "local/hello" version="0.1.1"' image.kdl
  ok nip tree
  says 'service console 1'
  ok nip why rumpk/uart-16550
  says 'local/hello 0.1.1 -> rumpk/uart-16550 [service console 1]'
  printf '\nwire "console" from="local/hello" to="rumpk/uart-16550"\n' >>image.kdl
  ok nip remove local/hello
  says 'and its wires'
  absent local/hello image.kdl
  absent local/hello nip.lock
  absent wire image.kdl
  ok nip image --arch riscv64
  refused 5 'image.kdl has no package local/hello' nip remove local/hello
  ok nip fetch
  ok nip image --arch riscv64 --frozen
}

@test "the first-party drivers are a workspace" {
  cp -r "$BATS_TEST_DIRNAME/../../drivers" "$W/drivers"
  rm -rf "$W"/drivers/*/build
  cd "$W/drivers"
  ok nip build --arch riscv64
  says 'member     virtio-blk'
  says 'built 6 members of the workspace'
  [ -e virtio-blk/build/riscv64/driver.elf ]
}
