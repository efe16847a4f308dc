#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: a new project builds as it stands, only what changed is compiled, and each mistake is answered
# with its place and its repair. Method: the real compiler of the SDK on small projects.

load common

@test "new makes a project that builds for all three, and names the next command" {
  ok nip new hello
  names_next 'cd hello && nip run'
  for file in npl.kdl src/main.c README.md .gitignore LICENSES/Apache-2.0.txt; do
    [ -s "hello/$file" ]
  done
  cd hello
  ok nip build
  names_next 'nip run'
  for arch in riscv64 aarch64 x86_64; do
    [ -s build/$arch/driver.elf ] && [ -s build/$arch/driver.debug ]
  done
  python3 -c 'import json; c = json.load(open("build/compile_commands.json")); assert c[0]["file"] == "src/main.c"'
  no_leftovers .
}

@test "new refuses a name that is taken or malformed" {
  ok nip new hello
  refused 6 "there is a 'hello' in this folder already" nip new hello
  says 'help: '
  refused 3 "cannot be the name of a package" nip new Hello
  refused 3 "cannot be the name of a package" nip new a/b/c
  refused 3 "cannot be the name of a package" nip new "$(printf 'x%.0s' {1..80})"
  refused 2 "needs NAME" nip new
}

@test "a name with a namespace is kept" {
  ok nip new acme/clock
  grep -q 'package "acme/clock"' clock/npl.kdl
}

@test "build compiles what changed by content, and nothing else" {
  new_hello
  ok nip build -v
  [ "$(grep -c ' -c src/main.c ' <<<"$output")" -eq 3 ]
  touch src/main.c
  ok nip build -v
  says_not ' -c src/main.c '
  says 'up to date'
  printf '#define WORD "one"\n' >src/word.h
  sed -i '1i #include "word.h"' src/main.c
  ok nip build --arch riscv64 -v
  [ "$(grep -c ' -c src/main.c ' <<<"$output")" -eq 1 ]
  printf '#define WORD "two"\n' >src/word.h
  ok nip build --arch riscv64 -v
  [ "$(grep -c ' -c src/main.c ' <<<"$output")" -eq 1 ]
  ok nip build --arch riscv64 -v
  says_not ' -c src/main.c '
}

@test "a damaged result is built again" {
  new_hello
  ok nip build --arch riscv64
  cp build/riscv64/driver.elf good
  printf 'x' >>build/riscv64/driver.elf
  ok nip build --arch riscv64
  cmp good build/riscv64/driver.elf
  rm build/riscv64/driver.debug
  ok nip build --arch riscv64
  [ -s build/riscv64/driver.debug ]
}

@test "two builds in different folders are identical" {
  new_hello
  ok nip build
  mkdir -p "$W/some where/else"
  cp -r "$W/hello" "$W/some where/else/hello"
  cd "$W/some where/else/hello"
  rm -rf build
  (umask 077; TZ=Asia/Tokyo LC_ALL=C nip build >/dev/null)
  for arch in riscv64 aarch64 x86_64; do
    cmp "$W/hello/build/$arch/driver.elf" build/$arch/driver.elf
    cmp "$W/hello/build/$arch/driver.debug" build/$arch/driver.debug
    cmp "$W/hello/build/$arch/obj/src/main.c.o" build/$arch/obj/src/main.c.o
  done
}

@test "a compiler error shows the compiler's words and fails the build" {
  new_hello
  sed -i 's/return 0/retrun 0/' src/main.c
  refused 1 "compiling src/main.c for" nip build
  says "src/main.c:9:"
  no_leftovers .
}

@test "the host's headers are out of reach, and a user's clang configuration changes nothing" {
  new_hello
  sed -i '1i #include <sys/socket.h>' src/main.c
  refused 1 "'sys/socket.h' file not found" nip build --arch x86_64
  CPATH=/usr/include:/usr/include/x86_64-linux-gnu C_INCLUDE_PATH=/usr/include CCC_OVERRIDE_OPTIONS='# O0' \
    refused 1 "'sys/socket.h' file not found" nip build --arch x86_64
  sed -i '1d' src/main.c
  ok nip build --arch x86_64
  cp build/x86_64/driver.elf good
  mkdir -p "$HOME/.config/clang"
  echo '-DEVIL -O0' >"$HOME/.config/clang/x86_64-unknown-rumpk-elf.cfg"
  rm -rf build
  ok nip build --arch x86_64
  cmp good build/x86_64/driver.elf
}

@test "manifest mistakes are shown with place, line and caret" {
  new_hello
  sed -i 's/    kind "driver"/    kind "drivr"/' npl.kdl
  refused 3 ' --> npl.kdl:3:' nip build
  says 'kind "drivr"'
  says '^'
  sed -i 's/"drivr"/"driver"/; s/license/licence/' npl.kdl
  refused 3 ' --> npl.kdl:6:' nip build
  says 'licen'
  sed -i 's/licence/license/; s/abi 1/abi 1 {/' npl.kdl
  refused 3 ' --> npl.kdl:' nip build
}

@test "a missing source, a missing manifest, the wrong kind of folder" {
  new_hello
  mv src/main.c kept
  refused 5 'no source file fits' nip build
  cd "$W"
  refused 5 'there is no npl.kdl in this folder' nip build
  says 'nip new hello'
  ok nip new --image box
  cd box
  refused 5 'this folder is an image project' nip build
  cd ../hello
  refused 5 'this folder is a driver project' nip image
}

@test "unknown options, commands and architectures name the nearest right one" {
  refused 2 "unknown option '--vrebose'" nip build --vrebose
  says 'did you mean --verbose?'
  refused 2 "unknown command 'biuld'" nip biuld
  says "did you mean 'nip build'?"
  new_hello
  refused 2 "unknown architecture 'riscv'" nip build --arch riscv
  says "did you mean 'riscv64'?"
  refused 2 "unknown architecture 'sparc'" nip build --arch sparc
  says 'one of: riscv64, aarch64, x86_64, all'
  refused 2 'needs a value' nip build --arch
  refused 2 "'nip key' needs a second word" nip key
  refused 2 "--color does not take 'blue'" nip --color blue help
  refused 5 'cannot work in folder' nip -C nowhere build
}

@test "every command has help with examples; man page and exit codes come from the same table" {
  ok nip help
  for command in new build run 'key new' 'key show' 'key trust' pack sign verify inspect publish fetch \
    'registry repair' add image; do
    # shellcheck disable=SC2086
    ok nip $command --help
    says "Usage: nip $command"
    says 'Examples:'
  done
  ok nip help exit-codes
  says 'not trusted'
  ok nip help errors
  says 'UNTRUSTED'
  ok nip help man
  says '.SH COMMANDS'
  ok nip --version
  ok nip version
  says 'clang-19'
}

@test "a missing compiler is named with the package that brings it" {
  new_hello
  mkdir "$W/empty"
  ln -s "$NIP" "$W/empty/nip"
  PATH=$W/empty refused 7 'the program clang-19 is not on PATH' "$W/empty/nip" build
  says 'apt-get install clang-19'
}

@test "a missing SDK says how to find one" {
  new_hello
  RUMPK_SDK=$W/nowhere refused 5 'and there is no SDK' nip build
  says 'it must be the folder that holds bin/nip and share/rumpk'
}

@test "colours only where they are wanted, and foreign text never reaches the terminal raw" {
  run nip --color always nonsense
  run nip --color always verify missing.npl
  [[ "$output" == *$'\e[1;31m'* ]]
  NO_COLOR=1 run nip verify missing.npl
  [[ "$output" != *$'\e'* ]]
  run nip verify $'evil\e[31mname.npl'
  [[ "$output" != *$'\e'* ]]
}

@test "sources and flags of one architecture are built for that one only" {
  new_hello
  mkdir src/riscv64
  cat >src/riscv64/extra.S <<'S'
#ifndef ONLY_RISCV
#error "the flags of the architecture are missing"
#endif
    .section .rodata.extra
    .global extra
extra:
    .asciz "extra of riscv64"
S
  cat >src/main.c <<'C'
#include <npl/npl.h>
#ifdef ONLY_RISCV
extern const char extra[];
#else
static const char extra[] = "common";
#endif
int npl_main(void)
{
    npl_print(extra);
    return 0;
}
C
  printf 'build {\n    arch "riscv64" { sources "src/riscv64/*.S"; flags "-DONLY_RISCV=1" }\n}\n' >>npl.kdl
  ok nip build
  grep -q 'extra of riscv64' build/riscv64/driver.elf
  [ ! -e build/aarch64/obj/src/riscv64 ]
  absent 'extra of riscv64' build/x86_64/driver.elf
  sed -i 's/arch "riscv64" {/arch "riscv46" {/' npl.kdl
  refused 3 "unknown \`arch\`" nip build
  says 'npl.kdl:15:10'
  says "Did you mean \`riscv64\`"
}

@test "docs/manifest.md is what the tables say" {
  ok nip help manifest
  diff -u "$BATS_TEST_DIRNAME/../../docs/manifest.md" <(nip help manifest)
}

@test "fmt lays out the manifests of a folder and keeps comments; --check only says so" {
  refused 5 'there is nothing to lay out here' nip fmt
  new_hello
  ok nip fmt --check
  cp npl.kdl before
  sed -i 's/^    kind/ kind/; s/version=/version  =  /; $a\\n\n\n// the end' npl.kdl
  cp npl.kdl untidy
  refused 1 '1 of 1 files should be laid out' nip fmt --check
  says 'npl.kdl is laid out differently'
  cmp npl.kdl untidy
  ok nip fmt
  says 'laid out   npl.kdl'
  diff <(cat before; printf '\n// the end\n') npl.kdl
  echo 'package {' >npl.kdl
  refused 3 'npl.kdl:1:9' nip fmt
  [ "$(cat npl.kdl)" = 'package {' ]
  ok nip fmt untidy
  cmp untidy <(cat before; printf '\n// the end\n')
}

@test "every template builds for all three, is laid out, and can be published" {
  make_key
  for template in driver service virtio mmio library; do
    ok nip new --template $template "my-$template"
    cd "my-$template"
    absent '{name}\|{short}' npl.kdl
    ok nip fmt --check
    ok nip publish --registry file:../reg
    says "published  local/my-$template 0.1.0"
    cd ..
  done
  refused 2 "there is no template 'x'" nip new --template x y
  says 'one of: driver, library, mmio, service, virtio'
  refused 2 'exclude each other' nip new --image --template mmio y
  [ ! -e y ]
}
