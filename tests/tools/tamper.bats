#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: nip-tamper does what it says, and nip refuses each of its images, but the copy. Method: one image
# with a driver, every verb and every part of it; nip verify names the reason.

load ../nip/common

box() {
  published_hello
  make_key stranger
  make_key owner
  new_box
  ok nip add local/hello --registry file:../reg
  ok nip image --arch riscv64 --key owner
  KEYS=$HOME/.local/share/rumpk/keys
  cp build/box-riscv64.elf "$W/good.elf"
  cd "$W"
}

# tampered TEXT VERB...: the changed image is refused by nip verify, which says TEXT.
tampered() {
  local text=$1
  shift
  ok "$TAMPER" good.elf bad.elf "$@"
  run nip verify bad.elf </dev/null
  [ "$status" -ne 0 ] || { echo "accepted: $*"; return 1; }
  says "$text"
}

@test "every changed place is refused for its own reason; the copy is the same file" {
  box
  ok "$TAMPER" good.elf same.elf copy
  cmp good.elf same.elf
  ok nip verify same.elf
  tampered 'digests of local/hello' flip local/hello digests 3
  tampered 'npl.bkdl is not the signed one' flip local/hello bkdl 40
  tampered 'driver.elf is not the signed one' flip local/hello elf 4096 0x80
  tampered "publisher's key" flip local/hello key 31
  tampered "publisher's signature" flip local/hello signature 0
  tampered 'must be zero' flip local/hello padding 0
  tampered 'boot archive' flip local/hello entry 0
  tampered "owner's signature" flip boot manifest 100
  tampered "owner's signature" flip boot signature 63
  tampered 'must be zero' flip boot padding 0
  tampered 'boot archive' flip boot header 0
  tampered 'owner' flip boot owner-key 0
  tampered 'not the one that the owner signed' flip boot kernel 4100
  tampered "publisher's key" resign local/hello "$KEYS/stranger.key"
  tampered 'digests of' swap local/hello rumpk/uart-16550
}

@test "another driver, signed all the way, is judged as a file" {
  box
  "$TAMPER" good.elf same.elf replace-elf local/hello hello/build/riscv64/driver.elf \
    "$KEYS/default.key" "$KEYS/owner.key"
  cmp good.elf same.elf # the same file and the same keys: signing is deterministic
  printf '\1' | dd of=hello/build/riscv64/driver.elf bs=1 seek=16 conv=notrunc status=none
  tampered 'static-pie' replace-elf local/hello hello/build/riscv64/driver.elf \
    "$KEYS/stranger.key" "$KEYS/owner.key"
}

@test "wrong use is refused" {
  box
  refused_tool() { run "$TAMPER" "$@"; [ "$status" -ne 0 ] || return 1; }
  refused_tool good.elf bad.elf
  refused_tool good.elf bad.elf flip local/nobody elf 0
  refused_tool good.elf bad.elf flip local/hello nothing 0
  refused_tool good.elf bad.elf flip local/hello elf 99999999
  refused_tool good.elf bad.elf flip local/hello elf 0 0
  refused_tool good.elf bad.elf resign local/hello "$KEYS/default.key"
  refused_tool /dev/null bad.elf copy
  [ ! -e bad.elf ]
}
