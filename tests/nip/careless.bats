#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: whoever is new or careless is told what was wrong, where, what was expected and what to do. Method: each
# command with what it was not made for: wrong folders, wrong files, swapped words, no home, nowhere to write. Every error
# must bring a line of help.

load common

teardown() {
  [ ! -d "$W/small" ] || umount "$W/small" 2>/dev/null || true
}

# helped STATUS TEXT COMMAND...: refused, with a line of help.
helped() {
  refused "$@"
  says 'help: '
}

@test "the wrong folder: what is missing, and where a project is" {
  for command in build test check size pack sign publish; do
    helped 5 'there is no npl.kdl in this folder' nip $command
    says 'nip new hello'
  done
  for command in run tree outdated audit update "add a/b" "remove a/b"; do
    # shellcheck disable=SC2086
    helped 5 'there is neither npl.kdl nor image.kdl in this folder' nip $command
  done
  helped 5 'there is no image.kdl in this folder' nip image
  new_hello
  helped 5 'there is no npl.kdl in this folder' nip -C src build
  says 'a project is in ..: go there, or nip -C .. COMMAND'
  mkdir -p src/deep
  helped 5 'there is no npl.kdl' nip -C src/deep pack
  says 'a project is in ../..'
  helped 5 'this folder is a driver project; the command is for image projects' nip image
}

@test "files of every wrong kind, given to every command that reads one" {
  new_hello
  make_key
  ok nip pack
  ok nip sign
  cd "$W"
  mkdir folder
  ln -s nowhere broken
  head -c 3000 /dev/urandom >noise
  : >empty
  printf '\xff\xfe bad' >bytes
  cp hello/npl.kdl text
  : >$'new\nline'
  mkfifo pipe
  for command in verify inspect rebuild sign "diff hello/build/hello-0.1.0.npl" run; do
    # shellcheck disable=SC2086
    for file in folder broken noise empty bytes text hello $'new\nline' pipe nothing hello/build/riscv64/driver.elf ''; do
      run nip $command "$file" </dev/null
      [[ $status =~ ^[1-9]$|^10$ ]] || { echo "status $status: $command '$file'"; echo "$output"; return 1; }
      says 'error: '
      says 'help: '
      says_not 'Get the file again from where it came'
    done
  done
  helped 7 'folder is a folder, and a file is expected' nip verify folder
  helped 5 'broken is a symbolic link that leads nowhere' nip verify broken
  helped 5 'the name of a file is empty' nip verify ''
  helped 3 'noise is neither a package nor an image' nip verify noise
  helped 3 'driver.elf' nip verify hello/build/riscv64/driver.elf
  says 'it is an ELF file and no image'
  helped 7 'hello is a folder' nip inspect hello
  says 'it is a project'
  helped 2 'hello is a folder, and a finished image is expected' nip run hello
  says 'nip -C hello run'
  helped 7 'folder is a folder' nip fmt folder
  says 'nip fmt takes KDL files'
}

@test "swapped, missing and misspelt words" {
  helped 2 "does not take 'file:reg'" nip fetch local/hello file:reg
  says 'a registry is named with --registry file:reg'
  helped 2 "does not take 'a/b@1.0.0'" nip yank file:reg a/b@1.0.0
  says 'a registry is named with --registry file:reg'
  helped 2 "option '-C' needs a value" nip -C
  helped 2 "unknown option '--josn'" nip --josn version
  says 'did you mean --json?'
  new_hello
  helped 2 "unknown architecture 'arm'" nip build --arch arm
  says "did you mean 'aarch64'?"
  helped 2 "unknown architecture 'amd64'" nip build --arch amd64
  says "did you mean 'x86_64'?"
  helped 2 "unknown architecture 'sparc'" nip build --arch sparc
  says 'riscv64, aarch64, x86_64'
}

@test "no home, a home that cannot be used, nowhere to write" {
  new_hello
  for command in "key new --no-password" "key show" "run --arch riscv64"; do
    # shellcheck disable=SC2086
    helped 5 'neither XDG_DATA_HOME nor HOME says where keys are kept' env -u HOME nip $command
    says 'set HOME to your home folder'
  done
  ok env -u HOME nip build
  HOME=/proc run nip key new --no-password
  [ "$status" -ne 0 ]
  says 'cannot make the folder /proc/.local'
  says 'XDG_DATA_HOME'
  make_key
  ok nip publish --registry file:../reg
  run nip fetch local/hello --registry file:../reg --out nowhere/file </dev/null
  [ "$status" -eq 5 ]
  says '--out FILE'
  for command in version "key show" "search" "cache list" "search --json" help "help errors"; do
    # shellcheck disable=SC2086
    run bash -c "nip $command >/dev/full" </dev/null
    [ "$status" -eq 7 ]
    says 'cannot write to standard output'
    says 'what was shown is not complete'
    # shellcheck disable=SC2086
    run bash -c "nip $command >&-" </dev/null
    [ "$status" -eq 7 ]
  done
}

@test "a disk that is full at every size: the error says so and what was there stays" {
  [ "$(id -u)" -eq 0 ] || skip 'needs root to mount'
  new_hello
  make_key
  mkdir "$W/small"
  mount -t tmpfs -o size=256k tmpfs "$W/small" 2>/dev/null || skip 'mounting is not possible here'
  full=0
  for kib in 0 16 40 80 120 160 200 240; do
    rm -rf "$W"/small/*
    head -c "${kib}k" /dev/zero >"$W/small/filler"
    run nip publish --registry "file:$W/small/reg" </dev/null
    rm -rf build/*.npl
    if [ "$status" -eq 0 ]; then
      ok nip search --registry "file:$W/small/reg"
      continue
    fi
    full=$((full + 1))
    [ "$status" -eq 7 ]
    says 'No space left on device'
    says 'help: '
    no_leftovers "$W/small"
  done
  [ "$full" -ge 1 ]
}

@test "two nips at once in one project and one home" {
  new_hello
  nip build >one 2>&1 3>&- &
  nip build >two 2>&1 3>&- &
  nip key new --no-password a >three 2>&1 3>&- &
  nip key new --no-password a >four 2>&1 3>&- &
  failed=0
  for job in $(jobs -p); do wait "$job" || failed=$((failed + 1)); done
  [ "$failed" -eq 1 ] # of one key, one is made
  grep -q "there is a key 'a' already\|File exists" three four
  ok nip build
  ok nip doctor
}
