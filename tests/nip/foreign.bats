#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: a driver that CMake, Meson or make builds is in every respect a package like any other, on every
# architecture; what the build system cannot know nip tells it, and nothing else of its surroundings gets
# in. Method: projects fresh from their templates, built by the real programs, booted, rebuilt; then a
# mistake of each kind, and builds that are cut short.

load common

SYSTEMS='cmake meson make'
ARCHES='riscv64 aarch64 x86_64'

# from_system SYSTEM [TEMPLATE]: a project "thing", and into it.
from_system() {
  cd "$W" || return 1
  rm -rf thing
  ok nip new --build "$1" --template "${2:-driver}" thing
  cd thing || return 1
}

# compiled: how often the compiler was called for src/main.c in $output of a verbose build.
compiled() {
  grep -v '^/usr/bin/env ' <<<"$output" | grep -c -- ' -c .*src/main\.c' || true
}

@test "each build system: three architectures, up to date by itself, only what changed is made again" {
  for system in $SYSTEMS; do
    from_system "$system"
    ok nip fmt --check
    ok nip build
    says "building   with $system"
    names_next 'nip run'
    for arch in $ARCHES; do
      says "built      $(printf %-8s "$arch") build/$arch/driver.elf"
      [ -s build/$arch/driver.elf ] && [ -s build/$arch/driver.debug ] && [ -d build/$arch/tree ]
      cp build/$arch/driver.elf "$W/$arch.elf"
    done
    no_leftovers .
    [ ! -e build/work ]
    python3 - <<'PY'
import json, os
(entry,) = json.load(open("build/compile_commands.json"))
assert os.path.isdir(entry["directory"]), entry
assert os.path.samefile(os.path.join(entry["directory"], entry["file"]), "src/main.c"), entry
words = entry.get("command") or " ".join(entry["arguments"])
assert "/clang-19 " in words and "build/work" not in words.replace("build/work/aarch64/src", ""), words
PY
    ok nip build -v
    [ "$(grep -c '^up to date' <<<"$output")" -eq 3 ]
    [ "$(compiled)" -eq 0 ]
    sed -i 's/hello from/greetings from/' src/main.c
    ok nip build --arch riscv64 -v
    [ "$(compiled)" -eq 1 ]
    says 'built      riscv64'
    cmp build/x86_64/driver.elf "$W/x86_64.elf"
    grep -q 'greetings from' build/riscv64/driver.elf
    rm build/riscv64/driver.debug
    printf 'x' >>build/riscv64/driver.elf
    ok nip build --arch riscv64
    [ -s build/riscv64/driver.debug ]
    ok nip check
    [ -s build/aarch64/driver.debug ]
  done
}

@test "each build system: boots on every architecture, and a fault is told with function and line" {
  local pair
  for pair in cmake:riscv64 meson:aarch64 make:x86_64; do
    from_system "${pair%:*}"
    ok timeout 300 nip run --arch all
    [ "$(grep -c '^hello from local/thing' <<<"$output")" -eq 3 ]
    sed -i 's|    npl_print.*|    *(volatile int *)8 = 1;|' src/main.c
    refused 1 'faulted     local/thing 0.1.0: WRITE' timeout 100 nip run --arch "${pair#*:}"
    says 'in npl_main (src/main.c:8)'
  done
}

@test "each build system: the same package in another folder and other surroundings, and rebuilt" {
  local pair
  make_key
  for pair in cmake:riscv64 meson:aarch64 make:x86_64; do
    from_system "${pair%:*}"
    sed -i "s/^    arch .*/    arch \"${pair#*:}\"/" npl.kdl
    ok nip pack
    cp build/pack/digests "$W/digests"
    ok nip sign
    ok nip rebuild build/thing-0.1.0.npl
    says 'equal: local/thing 0.1.0'
    mkdir -p "$W/some where"
    rm -rf "$W/some where/else"
    cp -r "$W/thing" "$W/some where/else"
    cd "$W/some where/else"
    # What was built for another folder is not taken; variables that change builds do not get through.
    (umask 077; TZ=Asia/Tokyo LC_ALL=C CFLAGS=-DEVIL=1 LDFLAGS=--evil CC=false MAKEFLAGS=-n CPATH=/nonexistent \
      CMAKE_GENERATOR=Nonsense C_INCLUDE_PATH=/usr/include nip pack >"$W/said" 2>&1) || { cat "$W/said"; false; }
    diff "$W/digests" build/pack/digests
    [[ "$(tar -tf build/pack/source.tar)" == *src/main.c* ]]
    [[ "$(tar -tf build/pack/source.tar)" != *build/* ]]
  done
}

@test "each build system: a library, and a driver that is linked with it" {
  make_key
  for system in $SYSTEMS; do
    cd "$W"
    ok nip new --build "$system" --template library "crc-$system"
    cd "crc-$system"
    sed -i 's/^    arch .*/    arch "x86_64"/' npl.kdl
    ok nip publish --registry file:../reg
    ok nip build
    says "up to date x86_64   build/x86_64/libcrc-$system.a"
  done
  for system in $SYSTEMS; do
    from_system "$system"
    sed -i 's/^    arch .*/    arch "x86_64"/' npl.kdl
    ok nip add "local/crc-$system" --registry file:../reg
    cat >src/main.c <<'C'
#include <checksum.h>
#include <npl/npl.h>
int npl_main(void)
{
    npl_printf("checksum %u\n", (unsigned)checksum_of("abc", 3));
    return 0;
}
C
    ok timeout 100 nip run --arch x86_64
    says 'checksum '
  done
}

@test "the tests of such a project: on this computer by nip, in the emulator what the build system made" {
  from_system cmake service
  ok timeout 300 nip test --arch riscv64
  says 'compiled by nip; what cmake builds runs in the emulator'
  says 'passed     host            a_client_is_served'
  says 'kernel.riscv64'
  says ' 0 failed'
  from_system make
  ok timeout 300 nip test --arch riscv64
  says 'nothing on this computer: there is no test/*.c'
  says 'boots alone'
}

@test "options reach the build system, and other options begin anew" {
  cat >"$W/expected.c" <<'C'
#include <npl/npl.h>
int npl_main(void)
{
#ifdef LOUD
    npl_print("LOUD AND CLEAR\n");
#endif
    return 0;
}
C
  for system in $SYSTEMS; do
    from_system "$system"
    cp "$W/expected.c" src/main.c
    ok nip build --arch riscv64
    absent 'LOUD AND CLEAR' build/riscv64/driver.elf
    case $system in
      cmake)
        printf 'option(LOUD "")\nif(LOUD)\n  target_compile_definitions(driver PRIVATE LOUD=1)\nendif()\n' >>CMakeLists.txt
        option=-DLOUD=ON ;;
      meson)
        printf "option('loud', type: 'boolean', value: false)\n" >meson_options.txt
        sed -i "s|^objects|if get_option('loud')\n  add_project_arguments('-DLOUD=1', language: 'c')\nendif\n&|" meson.build
        option=-Dloud=true ;;
      make) option='CFLAGS=-O2 -DLOUD=1' ;;
    esac
    sed -i "s|^build .*|build \"$system\" {\n    options \"$option\"\n}|" npl.kdl
    ok nip build --arch riscv64 -v
    grep -q 'LOUD AND CLEAR' build/riscv64/driver.elf
    says "$option"
    says '/usr/bin/env -i PATH='
    sed -i '/options/d' npl.kdl
    ok nip build --arch riscv64
    absent 'LOUD AND CLEAR' build/riscv64/driver.elf
  done
}

@test "a changed makefile is built by from the start" {
  from_system make
  ok nip build --arch riscv64
  sed -i 's/^CFLAGS ?= /&-DCHANGED /' Makefile
  ok nip build --arch riscv64 -v
  [ "$(compiled)" -eq 1 ]
  says '-DCHANGED'
}

@test "mistakes are told in the words of the build system, with its folder and the exact command" {
  for system in $SYSTEMS; do
    from_system "$system"
    ok nip build --arch riscv64
    cp build/riscv64/driver.elf "$W/good.elf"
    sed -i 's/return 0/retrun 0/' src/main.c
    refused 1 "building with $system for riscv64 failed" nip build --arch riscv64
    says 'src/main.c:9:'
    says 'its build folder is now build/riscv64/tree'
    cmp build/riscv64/driver.elf "$W/good.elf"
    no_leftovers .
    [ ! -e build/work ]
    sed -i 's/retrun 0/return 0/' src/main.c
    ok nip build --arch riscv64
    # The result under another name: the one of the last build is not taken for it.
    case $system in
      cmake) sed -i 's/(driver/(other/' CMakeLists.txt ;;
      meson) sed -i "s/'driver.elf'/'other.elf'/g" meson.build ;;
      make) sed -i 's/driver\.elf/other.elf/' Makefile ;;
    esac
    refused 1 "$system has made no driver.elf for riscv64" nip build --arch riscv64
    says 'it must lie at the top of the build folder, which is now build/riscv64/tree'
    [ -d build/riscv64/tree ]
  done
  from_system cmake
  echo 'find_package(Nonsense REQUIRED)' >>CMakeLists.txt
  refused 1 'setting up the build with cmake for riscv64 failed' nip build --arch riscv64
  says 'Could not find a package configuration file provided by "Nonsense"'
  [ ! -e build/riscv64/tree ]
}

@test "what the manifest may say of a build system, and names that none has" {
  from_system cmake
  sed -i 's/^build "cmake"/build "cmkae"/' npl.kdl
  refused 3 ' --> npl.kdl:15:7' nip build
  says "Did you mean \`cmake\`"
  sed -i 's/^build .*/build { options "-DX=1" }/' npl.kdl
  refused 3 "\`options\` are for a build system, and none is named" nip build
  says ' --> npl.kdl:15:1'
  sed -i 's/^build .*/build "make" { arch "riscv64" { flags "-DX" } }/' npl.kdl
  refused 3 "an \`arch\` block is for nip's own build" nip build
  cd "$W"
  refused 2 "--build does not take 'cmakes'" nip new --build cmakes other
  says "did you mean 'cmake'?"
  refused 2 'one of: cmake, meson, make' nip new --build scons-and-more other
  refused 2 '--image and --build exclude each other' nip new --image --build make other
  [ ! -e other ]
}

@test "a build system that is not installed is named with the package that brings it" {
  mkdir "$W/tools"
  for tool in clang-19 ld.lld-19 llvm-objcopy-19 llvm-ar-19 env; do ln -s "$(command -v $tool)" "$W/tools/$tool"; done
  ln -s "$NIP" "$W/tools/nip"
  for system in $SYSTEMS; do
    from_system "$system"
    PATH=$W/tools refused 7 "the program $system is not on PATH" "$W/tools/nip" build
    says "apt-get install $system"
    ln -s "$(command -v "$system")" "$W/tools/$system"
    [ "$system" = make ] || PATH=$W/tools refused 7 'the program ninja is not on PATH' "$W/tools/nip" build
    says 'apt-get install'
  done
}

good_as_before() {
  no_leftovers .
  [ ! -e build/work ]
  [ ! -e build/riscv64/driver.elf ] || cmp build/riscv64/driver.elf "$W/good.elf"
  rm -rf build/riscv64/tree
}

@test "Ctrl-C at many moments leaves nothing half-written, and the next build is complete" {
  for system in $SYSTEMS; do
    from_system "$system"
    ok nip build --arch riscv64
    cp build/riscv64/driver.elf "$W/good.elf"
    rm -rf build
    for ms in 10 50 200 600; do
      interrupt $ms nip build --arch riscv64
      [ "$status" -eq 0 ] || [ "$status" -eq 124 ] || { echo "status $status"; echo "$output"; return 1; }
      says_not 'runtime error'
      good_as_before
    done
    ok nip build --arch riscv64
    cmp build/riscv64/driver.elf "$W/good.elf"
  done
}

@test "Ctrl-C ends what a build system started in a process group of its own, and what will not end" {
  from_system make
  cat >"$W/stray.py" <<'PY'
import os, signal, sys, time
os.setpgid(0, 0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with open(sys.argv[2], "w") as f:
    f.write(f"{os.getpid()}\n")
while True:
    os.makedirs(sys.argv[1] + "/late", exist_ok=True)
    time.sleep(0.001)
PY
  printf "\$(OUT)/driver.elf:\n\tpython3 %s \$(OUT) %s\n" "$W/stray.py" "$W/stray" >Makefile
  nip build --arch riscv64 >"$W/said" 2>&1 </dev/null 3>&- &
  local pid=$! step status=0
  for ((step = 0; step < 3000; step++)); do
    [ ! -s "$W/stray" ] || break
    sleep 0.02
  done
  [ -s "$W/stray" ] || { cat "$W/said"; return 1; }
  kill -TERM $pid
  wait $pid || status=$?
  if kill -KILL "$(cat "$W/stray")" 2>/dev/null; then echo 'still at work'; return 1; fi
  [ "$status" -eq 143 ]
  grep -q 'nothing was left half-written' "$W/said"
  no_leftovers .
  [ ! -e build/work ]
}

@test "nip killed outright: its half-written folder is never built upon, and waits for nobody" {
  from_system make
  ok nip build --arch riscv64
  cp build/riscv64/driver.elf "$W/good.elf"
  sleep 0.01
  touch src/main.c
  cat >"$BATS_TEST_TMPDIR/bin/clang-19" <<EOF
#!/bin/bash
[ "\$1" = --no-default-config ] || exec "$(command -v clang-19)" "\$@"
while [ "\$1" != -o ]; do shift; done
echo half >"\$2"
echo \$\$ >"$BATS_TEST_TMPDIR/stuck"
exec sleep 600
EOF
  chmod +x "$BATS_TEST_TMPDIR/bin/clang-19"
  nip build --arch riscv64 >"$W/said" 2>&1 </dev/null 3>&- &
  local pid=$! step
  for ((step = 0; step < 3000; step++)); do
    [ ! -s "$BATS_TEST_TMPDIR/stuck" ] || break
    sleep 0.02
  done
  [ -s "$BATS_TEST_TMPDIR/stuck" ] || { cat "$W/said"; return 1; }
  kill -KILL $pid
  wait $pid || true
  [ "$(cat build/work/riscv64/src/main.o)" = half ]
  kill "$(cat "$BATS_TEST_TMPDIR/stuck")"
  rm "$BATS_TEST_TMPDIR/bin/clang-19"
  ok nip build --arch riscv64
  cmp build/riscv64/driver.elf "$W/good.elf"
  [ ! -e build/work ]
}
