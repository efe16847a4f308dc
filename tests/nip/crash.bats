#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: a fault that nip run reported is led back to function, file and line with everything that was
# inlined, on every architecture, from JSON, from a log, from debug files wherever they are kept; and what
# is not known is said with its reason. Method: a driver that faults in a function that is inlined into
# another one; then reports and debug files that do not fit.

load common

ARCHES='riscv64 aarch64 x86_64'

# A driver that faults in poke(), inlined into work(), which is called.
faulting() {
  new_hello
  cat >src/main.c <<'C'
#include <npl/npl.h>
static inline __attribute__((always_inline)) void poke(volatile int *at)
{
    *at = 1;
}
__attribute__((noinline)) void work(volatile int *at)
{
    poke(at);
}
int npl_main(void)
{
    work((volatile int *)8);
    return 0;
}
C
}

@test "every architecture: function, file and line with what was inlined, from the log and from the JSON" {
  faulting
  for arch in $ARCHES; do
    refused 1 'faulted     local/hello 0.1.0: WRITE' timeout 100 nip run --arch "$arch"
    says 'in poke (src/main.c:4), inlined into work (src/main.c:8); driver.elf+0x'
    says " of $arch, build-id "
    printf '%s\n' "$output" >"$arch.log"
    ok nip crash "$arch.log"
    says "local/hello 0.1.0 ($arch): WRITE at driver.elf+0x"
    says 'in poke at src/main.c:4:'
    says ', inlined'
    says 'in work at src/main.c:8:'
    timeout 100 nip --json run --arch "$arch" >"$arch.json" 2>/dev/null </dev/null || true
    ok nip --json crash "$arch.json"
    [ "$(python3 "$BATS_TEST_DIRNAME/json_check.py" "$BATS_TEST_DIRNAME/../../docs/json.md" <<<"$output")" = nip-crash-1 ]
    python3 -c '
import json, sys
report = json.load(sys.stdin)
(fault,) = report["faults"]
assert report["schema"] == "nip-crash-1" and fault["code"] == "WRITE" and fault["arch"] == sys.argv[1], fault
inner, outer = fault["frames"][:2]
assert inner["function"] == "poke" and inner["line"] == 4 and inner["inlined"] is True, fault
assert outer["function"] == "work" and outer["file"] == "src/main.c" and outer["line"] == 8, fault
assert fault["debug_file"].endswith(".debug") and "trouble" not in fault' "$arch" <<<"$output"
  done
  # One log of several machines, from standard input, in any order, with other lines in between.
  cat x86_64.log <(echo 'driver.elf+0xzz') riscv64.log aarch64.log >all.log
  run nip crash <all.log
  [ "$status" -eq 0 ]
  [ "$(grep -c 'in work at src/main.c:8:' <<<"$output")" -eq 3 ]
}

@test "debug files by build id: a name for each architecture, as debuggers and llvm-symbolizer look for them" {
  faulting
  ok nip build
  [ "$(find build/.build-id -name '*.debug' | wc -l)" -eq 3 ]
  for arch in $ARCHES; do
    id=$(llvm-readelf-19 -n build/$arch/driver.elf | sed -n 's/.*Build ID: //p')
    cmp "build/.build-id/${id:0:2}/${id:2}.debug" build/$arch/driver.debug
    at=$(llvm-nm-19 build/$arch/driver.debug | sed -n 's/ [tT] work$//p')
    llvm-symbolizer-19 --debug-file-directory="$PWD/build" --obj=build/$arch/driver.elf "0x$at" | grep -q '^work'
    ! command -v gdb >/dev/null || [ "$arch" != x86_64 ] ||
      gdb -nx -batch -iex "set debug-file-directory $PWD/build" -ex "info line *0x$at" build/$arch/driver.elf 2>/dev/null | grep -q 'main.c'
  done
  # Another build: the names of the last one go.
  sed -i 's/= 1;/= 2;/' src/main.c
  ok nip build
  [ "$(find build/.build-id -name '*.debug' | wc -l)" -eq 3 ]
  [ ! -e "build/.build-id/${id:0:2}/${id:2}.debug" ]
  no_leftovers .
}

@test "the source has gone on: what was packed is found in the cache, or in a folder that is named" {
  faulting
  refused 1 'faulted' timeout 100 nip run --arch riscv64
  printf '%s\n' "$output" >run.log
  ok nip pack
  cp -r build/pack "$W/kept"
  cp build/riscv64/driver.debug "$W/alone.debug"
  sed -i 's/^int npl_main/\n\n\n&/; s/= 1;/= 2;/' src/main.c
  ok nip pack
  ok nip crash run.log
  says 'in work at src/main.c:8:'
  rm -rf "$HOME/.cache"
  refused 1 'the place of 1 of 1 faults is not known' nip crash run.log
  says 'no debug file has the build id '
  says '--debug'
  for place in "$W/kept" "$W/alone.debug"; do
    ok nip crash run.log --debug "$W" --debug "$place"
    says 'in work at src/main.c:8:'
  done
  refused 5 'there is no nowhere' nip crash run.log --debug nowhere
  # Debug files that claim another build id, or are none, are not believed.
  mkdir -p "$W/false/riscv64"
  cp build/riscv64/driver.debug "$W/false/riscv64/driver.debug"
  echo junk >"$W/false/driver.debug"
  refused 1 'the place of 1 of 1 faults is not known' nip crash run.log --debug "$W/false"
}

@test "somebody else's published package: its debug files come out of the registry" {
  faulting
  make_key
  refused 1 'faulted' timeout 100 nip run --arch aarch64
  printf '%s\n' "$output" >"$W/run.log"
  ok nip publish --registry file:../reg
  rm -rf "$HOME/.cache" "$W/hello"
  mkdir "$W/elsewhere"
  cd "$W/elsewhere"
  refused 1 'the place of 1 of 1 faults is not known' nip crash ../run.log
  ok nip fetch local/hello --registry file:../reg --debug
  ok nip crash ../run.log
  says 'in work at src/main.c:8:'
  forget_cache
  ok nip crash ../run.log --debug .
  says 'in work at src/main.c:8:'
}

@test "reports that say too little, too much, or nothing" {
  refused 5 'there is no fault in standard input' nip crash
  echo 'all is well' >quiet.log
  refused 5 'there is no fault in quiet.log' nip crash quiet.log
  says "give what 'nip run'"
  refused 5 'missing.log' nip crash missing.log
  echo '{"schema": "nip-inspect-1"}' >other.json
  refused 3 'other.json is not what' nip crash other.json
  echo '{"schema": ' >broken.json
  refused 3 'broken.json' nip crash broken.json
  echo 'faulted local/x 1.0.0: WRITE: ...; driver.elf+0x10 of riscv64' >old.log
  refused 1 'the place of 1 of 1 faults is not known' nip crash old.log
  says 'local/x 1.0.0 (riscv64): WRITE at driver.elf+0x10'
  says 'says no build id'
  cat >outside.json <<'J'
{"schema": "nip-run-1", "runs": [{"arch": "x86_64", "packages": [
  {"name": "local/x", "version": "1.0.0", "outcome": "faulted", "code": "EXECUTE", "build_id": "00112233"},
  {"name": "local/y", "version": "1.0.0", "outcome": "started"}]}]}
J
  refused 1 'the place of 1 of 1 faults is not known' nip crash outside.json
  says 'it was not in its own code'
  printf 'faulted local/\e[31mx 1.0.0: WRITE: driver.elf+0x10, build-id ../../../etc/passwd\n' >evil.log
  refused 1 'the place of 1 of 1 faults is not known' nip crash evil.log
  says_not $'\e'
  says 'a driver 1.0.0: WRITE at driver.elf+0x10'
  for i in {1..1030}; do echo "driver.elf+0x$i build-id 0011223344"; done >many.log
  refused 1 'the place of 1024 of 1024 faults is not known' nip crash many.log
  says '6 more faults were not looked at'
}

@test "names in a debug file that somebody else made reach the terminal escaped; without a symbolizer it is named" {
  faulting
  sed -i 's/void work/void work(volatile int *at) __asm__("wo\\033[31mrk");\n__attribute__((noinline)) void work/' src/main.c
  refused 1 'faulted' timeout 100 nip run --arch x86_64
  says_not $'\e'
  printf '%s\n' "$output" >run.log
  ok nip crash run.log
  says_not $'\e'
  mkdir "$W/tools"
  ln -s "$NIP" "$W/tools/nip"
  PATH=$W/tools refused 1 'is not known' "$W/tools/nip" crash run.log
  says 'the program llvm-symbolizer-19 is not on PATH'
  says 'apt-get install llvm-19'
}
