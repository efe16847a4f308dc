#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: what a project depends on is chosen once, locked for every architecture, and stays the same on
# every machine; no registry is needed for what was fetched. Method: folder registries, the network
# taken away, locks compared as bytes.

load common

another() { sed -i "s/version=\"[^\"]*\"/version=\"$1\"/" npl.kdl; }

@test "a yanked version is not newly selected and stays where it is locked" {
  published_hello
  another 0.2.0
  ok nip publish --registry file:../reg
  refused 2 'which version of local/hello?' nip yank local/hello --registry file:../reg
  refused 5 'has no version 0.3.0' nip yank local/hello@0.3.0 --registry file:../reg
  refused 3 'this cannot be a reason' nip yank local/hello@0.2.0 --registry file:../reg --reason $'two\nlines'
  ok nip yank local/hello@0.2.0 --registry file:../reg --reason 'says goodbye'
  says 'local/hello 0.2.0 is yanked in file:../reg'
  ok nip yank local/hello@0.2.0 --registry file:../reg --reason 'says goodbye'
  says 'was yanked already'
  new_box
  ok nip add local/hello --registry file:../reg
  says 'added local/hello 0.1.0'
  ok nip add local/hello@0.2.0
  says 'updated local/hello 0.2.0'
  ok nip image --arch riscv64
  ok nip -C ../hello yank local/hello@0.2.0 --undo --registry file:../reg
  says 'is no longer yanked'
  ok nip -C ../hello yank local/hello@0.1.0 --registry file:../reg
  ok nip -C ../hello yank local/hello@0.2.0 --registry file:../reg
  refused 5 'every version of local/hello in file:../reg is yanked' nip fetch local/hello --registry file:../reg
  says 'local/hello@0.2.0'
  no_leftovers . ../reg
}

@test "images are made of the cache with --offline, and the lock stays as it is with --locked" {
  published_hello
  new_box
  ok nip add local/hello --registry file:../reg
  ok nip image
  cp nip.lock "$W/lock"
  mv ../reg ../gone
  ok nip image --frozen
  ok nip image --offline --arch riscv64
  cmp nip.lock "$W/lock"
  sed -i '/^package "local\/hello"/,/^}/d' nip.lock
  refused 8 "the registry 'reg' is needed for local/hello, and --offline forbids it" nip image --offline
  says "run 'nip fetch' once"
  mv ../gone ../reg
  cp nip.lock "$W/short"
  rm build/*.elf
  refused 3 'nip.lock would have to change, and --locked forbids it' nip image --locked
  [ ! -e build/box-riscv64.elf ]
  cmp nip.lock "$W/short"
  ok nip image
  cmp nip.lock "$W/lock"
  # Without the cache, and with a damaged one.
  for file in "$HOME"/.cache/nip/npl/*; do echo x >>"$file"; done
  ok nip image --arch riscv64
  mv ../reg ../gone
  ok nip image --arch riscv64 --offline
  forget_cache
  refused 8 '--offline forbids it' nip image --arch riscv64 --offline
}
