#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: a reviewer sees in words what a change lets somebody do. Method: two versions of one package,
# two trust files, two locks and two images that differ in what the words must name.

load common

@test "two packages: capabilities, services, sizes, files, sources and keys; growth in red" {
  new_hello
  make_key
  make_key other
  ok nip pack
  ok nip sign
  cp build/hello-0.1.0.npl ../a.npl
  sed -i 's/version="0.1.0"/version="0.2.0"/' npl.kdl
  printf 'request { memory "scratch" size="64KiB" }\nprovides { service "echo" 1 style="stream" clients=1 }\n' >>npl.kdl
  printf 'int extra(void);\nint extra(void)\n{\n    return 1;\n}\n' >src/extra.c
  ok nip pack
  ok nip sign --key other
  cp build/hello-0.2.0.npl ../b.npl
  cd ..
  ok nip diff a.npl b.npl
  says '~ identity: version: "0.1.0" -> "0.2.0"'
  says '+ capabilities: asks to hold 64KiB of memory as "scratch"'
  says '+ services: now offers service "echo" 1 (stream)'
  says 'signed with another key'
  says 'new source file src/extra.c'
  says_not $'\e'
  run nip --color always diff a.npl b.npl
  says $'\e[1;31m  + capabilities: asks to hold'
  ok nip diff b.npl a.npl
  says '- capabilities: no longer asks to hold 64KiB of memory'
  ok nip diff a.npl a.npl
  says 'no difference'
  ok nip diff a.npl b.npl --json
  python3 -c 'import json,sys; r = json.loads(sys.argv[1]); d = r["diff"]; assert r["schema"] == "nip-diff-1" and d["of"] == "package" and d["grown"] >= 3 and {"keys", "capabilities", "services", "sources"} <= {c["area"] for c in d["changes"]}' "$output"
  head -c 5000 b.npl >c.npl
  refused 3 'c.npl' nip diff a.npl c.npl
}

@test "two images: what the new one lets its packages do" {
  published_hello
  printf 'request { memory "scratch" size="64KiB" }\n' >>npl.kdl
  sed -i 's/version="0.1.0"/version="0.2.0"/' npl.kdl
  ok nip publish --registry file:../reg
  new_box
  ok nip add local/hello@0.1.0 --registry file:../reg
  ok nip image --arch riscv64
  cp build/box-riscv64.elf ../old.elf
  cp nip.lock ../old.lock
  ok nip add local/hello@0.2.0 --registry file:../reg --yes
  ok nip image --arch riscv64
  ok nip diff ../old.elf build/box-riscv64.elf
  says 'local/hello:'
  says '+ capabilities: may now hold 64KiB of memory as "scratch"'
  run nip --color always diff ../old.elf build/box-riscv64.elf
  says $'\e[1;31m  + capabilities: may now hold 64KiB of memory as "scratch"'
  ok nip diff ../old.lock nip.lock
  says '~ packages: version: 0.1.0 -> 0.2.0'
  says '+ capabilities: asks for other capabilities'
  refused 2 'are of different kinds (lock, image)' nip diff nip.lock build/box-riscv64.elf
}

@test "two trust files, as a reviewer of a pull request meets them" {
  make_key a
  make_key b
  ok nip new --image box
  cd box
  touch before
  ok nip key trust 'acme/*' a b --threshold 2
  cp nip.trust.kdl after
  ok nip diff before after
  says 'now accepts the key'
  says 'keys that must sign: 2'
  ok nip key trust 'acme/*' b --replace --reason 'a is lost'
  ok nip diff after nip.trust.kdl
  says '+ keys: keys that must sign: 2 -> 1'
  says '- keys: no longer accepts the key'
  says 'is revoked: a is lost; 0 package(s) stay valid'
  refused 5 'missing' nip diff missing after
  printf '{' >broken
  refused 3 'nip diff takes packages' nip diff after broken
}
