#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: a new project opened in an editor has no errors, whatever builds it: the driver's sources are seen as
# the SDK's compiler sees them, the tests as nip test compiles them. Method: clangd itself, on every file of
# a fresh project of each template and each build system, in a path with a space.

load common

# clangd_is_content FILE...: no error, by the commands that nip build has written.
clangd_is_content() {
  local file
  for file; do
    clangd-19 --check="$file" >"$W/clangd.log" 2>&1 || { echo "$file"; grep '^E' "$W/clangd.log"; return 1; }
    grep -q 'All checks completed, 0 errors' "$W/clangd.log"
    grep -qE 'Compile command (from CDB|inferred from [^ ]+) is:' "$W/clangd.log"
  done
}

@test "every template: sources, headers and tests" {
  mkdir "$W/a b"
  cd "$W/a b"
  for template in driver service virtio mmio library; do
    ok nip new --template $template p-$template
    cd p-$template
    ok nip build
    find src include test -name '*.[ch]' >"$W/files" 2>/dev/null || true
    [ -s "$W/files" ]
    while read -r file; do clangd_is_content "$file"; done <"$W/files"
    cd ..
  done
}

@test "every build system: sources and tests" {
  mkdir "$W/a b"
  cd "$W/a b"
  for system in cmake meson make; do
    ok nip new --build $system --template service p-$system
    cd p-$system
    ok nip build --arch riscv64
    clangd_is_content src/main.c test/test_service.c
    cd ..
  done
}

@test "a mistake is seen at its line" {
  new_hello
  ok nip build --arch riscv64
  sed -i 's/return 0/retrun 0/' src/main.c
  run clangd-19 --check=src/main.c
  [ "$status" -ne 0 ]
  says 'Line 9: use of undeclared identifier'
}
