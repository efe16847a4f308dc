#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: an image holds what its owner accepted, from whom and byte by byte what was accepted, and
# nothing else. Method: image projects whose registry, keys and files change under them.

load common

# A driver that asks for a device and DMA memory, published as acme/probe.
published_probe() {
  cd "$W"
  [ -d probe ] || ok nip new acme/probe
  cd probe
  grep -q '^request' npl.kdl || cat >>npl.kdl <<'KDL'
request {
    device "entropy" virtio=4 queues=1
    dma "buffers" size="4KiB"
}
KDL
  ok nip publish --registry file:../reg "$@"
}

fingerprint() { nip --json key show "${1:-default}" | python3 -c 'import json,sys; print(json.load(sys.stdin)["keys"][0]["fingerprint"])'; }

@test "new --image holds the console driver of every machine, locked" {
  new_box
  names_next 'cd box' || true
  grep -q 'rumpk/uart-16550' image.kdl
  grep -q 'rumpk/uart-pl011' image.kdl
  grep -q 'package "rumpk/kernel"' nip.lock
  ok nip image
  names_next 'nip run'
  [ -s build/box-riscv64.elf ] && [ -s build/box-aarch64.elf ] && [ -s build/box-x86_64.elf ]
}

@test "adding an own package asks nothing, and keeps the file's other text" {
  published_hello
  new_box
  sed -i '1i // a comment of the owner' image.kdl
  cp image.kdl before.kdl
  ok nip add local/hello --registry file:../reg
  says 'signed with your own key'
  names_next 'nip run --arch all'
  head -c "$(stat -c %s before.kdl)" image.kdl | cmp - before.kdl
  grep -q 'registry "reg" url="file:../reg"' nip.trust.kdl
  grep -q '^publisher "local/hello"' nip.trust.kdl
  no_leftovers .
}

@test "adding twice changes nothing" {
  published_hello
  new_box
  ok nip add local/hello --registry file:../reg
  cp image.kdl nip.lock nip.trust.kdl "$W"
  ok nip add local/hello
  says 'nothing that is not granted already'
  ok nip image --arch riscv64
  for file in image.kdl nip.lock nip.trust.kdl; do cmp "$W/$file" $file; done
}

@test "a stranger's key is refused without terminal, unless its fingerprint is given" {
  make_key
  published_probe
  print=$(fingerprint)
  export HOME=$BATS_TEST_TMPDIR/other
  mkdir "$HOME"
  new_box
  cp image.kdl "$W/before"
  refused 4 'signed by a key that this project does not know' nip add acme/probe --registry file:../reg --yes
  says "--trust $print"
  refused 4 'not by the one that --trust names' nip add acme/probe --registry file:../reg --yes --trust "$(tr 0-9a-f 1-9a-f0 <<<"$print")"
  cmp image.kdl "$W/before"
  [ ! -e nip.trust.kdl ] || absent acme nip.trust.kdl
  ok nip add acme/probe --registry file:../reg --yes --trust "$print"
  grep -q '^publisher "acme/probe"' nip.trust.kdl
}

@test "another namespace than local/ is a first use for its own publisher too" {
  make_key
  published_probe
  new_box
  refused 4 'does not know' nip add acme/probe --registry file:../reg --yes
  ok nip key trust 'acme/*' default
  ok nip add acme/probe --registry file:../reg --yes
}

@test "capabilities are shown in words and granted only when accepted" {
  make_key
  published_probe
  new_box
  ok nip key trust 'acme/*' default
  cp image.kdl "$W/before"
  refused 4 'asks for capabilities, and there is no terminal' nip add acme/probe --registry file:../reg
  says 'asks to '
  says '--yes'
  cmp image.kdl "$W/before"
  ok nip add acme/probe --registry file:../reg --yes
  grep -q 'grant "entropy"' image.kdl
  grep -q 'dma #true' image.kdl
}

@test "an update that asks for more shows the difference, and keeps the owner's choices" {
  make_key
  published_probe
  new_box
  ok nip key trust 'acme/*' default
  ok nip add acme/probe --registry file:../reg --yes
  sed -i 's/    dma #true/    dma #true\n    stack-max "64KiB"/' image.kdl
  cd ../probe
  sed -i 's/version="0.1.0"/version="0.2.0"/; s/    dma "buffers"/    memory "scratch" size="8KiB"\n    dma "buffers"/' npl.kdl
  ok nip publish --registry file:../reg
  cd ../box
  refused 4 'asks for capabilities' nip add acme/probe
  says 'scratch'
  says_not 'entropy'
  ok nip add acme/probe --yes
  grep -q 'acme/probe" version="0.2.0"' image.kdl
  grep -q 'grant "scratch"' image.kdl
  grep -q 'stack-max' image.kdl
  [ "$(grep -c acme/probe image.kdl)" -eq 1 ]
  [ "$(grep -c acme/probe nip.lock)" -eq 1 ]
}

@test "what is not granted is not built, and no DMA without permission" {
  make_key
  published_probe
  new_box
  ok nip key trust 'acme/*' default
  ok nip add acme/probe --registry file:../reg --yes
  cp image.kdl "$W/kept"
  sed -i '/grant "entropy"/d' image.kdl
  refused 4 'entropy' nip image --arch riscv64
  cp "$W/kept" image.kdl
  sed -i '/dma #true/d' image.kdl
  refused 4 '' nip image --arch riscv64
  [ ! -e build/box-riscv64.elf ]
}

@test "a need without a provider is an error that says what to add" {
  published_hello
  cd "$W"
  mkdir box && cd box
  printf 'image "local/box" version="0.1.0"\n' >image.kdl
  ok nip add local/hello --registry file:../reg
  refused 6 'console' nip image --arch riscv64
  says 'nip add rumpk/uart-16550'
  ok nip add rumpk/uart-16550 --yes
  ok nip image --arch riscv64
}

@test "the lock is compared with what the registry gives" {
  published_hello
  new_box
  ok nip add local/hello --registry file:../reg
  ok nip image --arch riscv64
  # The publisher's registry is made again with other bytes under the same version.
  rm -rf ../reg
  echo '// other' >>../hello/src/main.c
  ok nip -C ../hello publish --registry file:../reg
  ok nip image --arch riscv64
  forget_cache
  refused 3 'has another package id than nip.lock names' nip image --arch riscv64
  refused 3 'is not the package of that name and version' nip add local/hello
}

@test "a new publisher key is refused" {
  published_hello
  new_box
  ok nip add local/hello --registry file:../reg
  rm -rf ../reg
  make_key second
  ok nip -C ../hello publish --registry file:../reg --key second
  forget_cache
  refused 4 '' nip image --arch riscv64
  says 'nip key trust local/hello'
}

@test "a package that nip.trust.kdl does not accept is refused, also by hand" {
  published_hello
  new_box
  printf '\npackage "local/hello" version="0.1.0" registry="reg"\n' >>image.kdl
  printf 'registry "reg" url="file:../reg"\n' >>nip.trust.kdl
  refused 4 'nip.trust.kdl accepts no key for local/hello' nip image --arch riscv64
  says 'nip add local/hello --registry reg'
  sed -i 's/registry="reg"/registry="work"/' image.kdl
  refused 5 "there is no registry with the alias 'work'" nip image --arch riscv64
}

@test "a missing lock is made again, a removed package leaves it" {
  published_hello
  new_box
  ok nip add local/hello --registry file:../reg
  cp nip.lock "$W/lock"
  rm nip.lock
  ok nip image --arch riscv64
  cmp nip.lock "$W/lock"
  sed -i '/package "local\/hello"/,/^}/d' image.kdl
  ok nip image --arch riscv64
  absent local/hello nip.lock
}

@test "another SDK is noticed" {
  new_box
  sed -i 's/^sdk "rumpk-/sdk "other-/' nip.lock
  refused 3 'was made with the SDK other-' nip image --arch riscv64
  says '--relock'
  ok nip image --arch riscv64 --relock
  ok nip image --arch riscv64
}

@test "local work: add --path builds it each time and pins nothing" {
  new_hello
  new_box
  ok nip add --path ../hello
  grep -q 'path="../hello"' image.kdl
  grep -q 'path "../hello"' nip.lock
  ok nip image --arch riscv64 --report
  says 'development'
  make_key owner
  refused 4 'cannot be part of an image for release' nip image --arch riscv64 --key owner
  refused 5 'there is no driver project in ../nothing' nip add --path ../nothing
  refused 2 'no name and no --registry' nip add local/x --path ../hello
}

@test "the owner's key signs; it must not be a publisher's" {
  published_hello
  new_box
  ok nip add local/hello --registry file:../reg
  refused 4 "is also the publisher's key of local/hello" nip image --arch riscv64 --key default
  says 'nip key new owner'
  make_key owner
  ok nip image --arch riscv64 --key owner
  ok nip verify build/box-riscv64.elf --key owner
  refused 4 '' nip verify build/box-riscv64.elf --key default
  ok nip inspect build/box-riscv64.elf --json
  echo "$output" | python3 -c 'import json,sys; i = json.load(sys.stdin)["image"]; assert i["name"] == "local/box" and len(i["packages"]) == 2'
}

@test "images are the same bytes on every run and in every folder" {
  published_hello
  new_box
  make_key owner
  ok nip add local/hello --registry file:../reg
  ok nip image --key owner
  mkdir "$W/b"
  cp -r "$W/box" "$W/reg" "$W/b/"
  cd "$W/b/box"
  rm -rf build
  (umask 077; TZ=Asia/Tokyo nip image --key owner >/dev/null)
  for arch in riscv64 aarch64 x86_64; do cmp build/box-$arch.elf "$W/box/build/box-$arch.elf"; done
}

@test "any changed byte of an image is refused" {
  new_box
  ok nip image --arch x86_64
  size=$(stat -c %s build/box-x86_64.elf)
  for at in 16 100 $((size / 4)) $((size / 2)) $((size - 300)) $((size - 5000)) $((size - 20000)); do
    python3 - build/box-x86_64.elf "$at" <<'PY'
import sys
b = bytearray(open(sys.argv[1], "rb").read())
b[int(sys.argv[2])] ^= 1
open("bad.elf", "wb").write(b)
PY
    run nip verify bad.elf
    [ "$status" -ne 0 ] && [ "$status" -lt 11 ]
    says 'error: '
  done
}

@test "mistakes in image.kdl are shown with their place" {
  new_box
  sed -i 's/on-idle "power-off"/on-idle "explode"/' image.kdl
  refused 3 ' --> image.kdl:3:' nip image
  says '^'
  sed -i 's/on-idle "explode"/on-ilde "stay"/' image.kdl
  refused 3 ' --> image.kdl:3:' nip image
  says 'on-idle'
}

@test "one image can be written where one wants it" {
  new_box
  ok nip image --arch x86_64 --out ../x.elf
  ok nip verify ../x.elf
  refused 2 '--out names one file' nip image --out ../y.elf
  refused 2 '--out names one file' nip image --arch all --out ../y.elf
  ok nip image --arch riscv64 --json
  echo "$output" | sed -n '/^{/,$p' | python3 -c 'import json,sys; assert json.load(sys.stdin)["images"][0]["arch"] == "riscv64"'
}

@test "two adds at once lose nothing" {
  make_key
  for name in one two three four; do
    cd "$W"
    ok nip new $name
    cd $name
    ok nip publish --registry file:../reg
  done
  new_box
  for name in one two three four; do
    nip -q add local/$name --registry file:../reg >"$W/log.$name" 2>&1 </dev/null &
  done
  wait
  for name in one two three four; do
    grep -q "local/$name" image.kdl
    grep -q "local/$name" nip.lock
    grep -q "local/$name" nip.trust.kdl
  done
  [ "$(grep -c '^registry ' nip.trust.kdl)" -eq 1 ]
}

@test "the owner narrows calls, time and restarts; the report says what holds" {
  published_hello
  sed -i 's/version="0.1.0"/version="0.2.0"/' npl.kdl
  echo 'runtime { pledge "stdio" "map"; budget "800us"; restart "always" limit=5 window="30s"; }' >>npl.kdl
  ok nip publish --registry file:../reg
  new_box
  ok nip add local/hello@0.2.0 --registry file:../reg
  ok nip image --arch riscv64 --report
  says 'calls        stdio map; budget 800 us; restart always, at most 5 in 30 s'
  sed -i '/^package "local\/hello"/a\    pledge "stdio" "exec"\n    budget "300us"\n    restart "never"\n    delegate #true' image.kdl
  ok nip image --arch riscv64 --report
  says 'calls        stdio; budget 300 us; restart never'
  nip image --arch riscv64 --json 2>/dev/null >"$W/report.json"
  python3 -c '
import json, sys
package = [p for p in json.load(open(sys.argv[1]))["images"][0]["packages"] if p["name"] == "local/hello"][0]
assert (package["calls"], package["budget_us"], package["restart"]) == ("stdio", 300, "never"), package' "$W/report.json"
  # An update keeps every choice of the owner.
  sed -i 's/version="0.2.0"/version="0.2.1"/' ../hello/npl.kdl
  ok nip -C ../hello publish --registry file:../reg
  ok nip update
  grep -q 'package "local/hello" version="0.2.1"' image.kdl
  for line in 'pledge "stdio" "exec"' 'budget "300us"' 'restart "never"' 'delegate #true'; do grep -q "^    $line$" image.kdl; done
  sed -i 's/budget "300us"/budget "900us"/' image.kdl
  refused 3 'budget 900us is more than the 800us that local/hello requests' nip image --arch riscv64
  says 'image.kdl:'
  sed -i 's/budget "900us"/budget "1us"/; s/pledge "stdio" "exec"/pledge "stdoi"/' image.kdl
  refused 3 'stdoi' nip image --arch riscv64
  says 'stdio'
}
