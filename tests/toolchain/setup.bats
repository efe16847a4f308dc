# SPDX-License-Identifier: Apache-2.0
#
# Goal: the set-up says clearly what is wrong, leaves nothing half-written and is quick when there is
# nothing to do. Method: the real script in a copy of the tree with a cache of its own for whole runs;
# its parts (script/lib) one by one where the cause cannot be produced on a healthy machine.
bats_require_minimum_version 1.5.0
load common.bash

setup() {
  cd "$BATS_TEST_TMPDIR"
  tree="$BATS_TEST_TMPDIR/a clone"
  real_cache=${XDG_CACHE_HOME:-$HOME/.cache}
}

# A copy of what is needed to make the foreign libraries, and a cache that has them already.
copy_tree() {
  mkdir -p "$tree"
  cp -a "$RUMPK_TOP"/{CMakeLists.txt,CMakePresets.json,LICENSE,script,toolchain,sysroot,abi,nip} "$tree/"
  export XDG_CACHE_HOME="$BATS_TEST_TMPDIR/cache"
  mkdir -p "$XDG_CACHE_HOME/rumpk/built"
  find "$real_cache/rumpk/built" \( -name '*.tar' -o -name '*.sha256' \) -exec cp -a {} "$XDG_CACHE_HOME/rumpk/built/" \;
}

# The parts of the set-up, with the variables that the script gives them.
load_parts() {
  top=$RUMPK_TOP setup=$BATS_TEST_TMPDIR/setup logs=$BATS_TEST_TMPDIR/log cache=$BATS_TEST_TMPDIR/cache
  verbose=0 with_packages=1 unchanged=0 changed=0 current_step=
  mkdir -p "$setup" "$logs" "$cache"
  cd "$RUMPK_TOP"
  for part in console steps sources packages build; do
    . "script/lib/$part"
  done
}

@test "an unknown option is refused with the usage, exit 2" {
  run -2 "$RUMPK_TOP/script/setup" --fast
  [[ $output == *'unknown option "--fast"'*'usage: script/setup'* ]]
}

@test "--help prints the usage and does nothing" {
  run -0 "$RUMPK_TOP/script/setup" --help
  [[ $output == usage:* ]]
}

@test "another system is refused by name" {
  load_parts
  printf 'ID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04 LTS"\n' >"$BATS_TEST_TMPDIR/os"
  run -1 check_machine "$BATS_TEST_TMPDIR/os"
  [[ $output == *'Ubuntu 24.04 LTS'*'Debian 12'* ]]
  printf 'ID=debian\nVERSION_ID="13"\nPRETTY_NAME="Debian GNU/Linux 13"\n' >"$BATS_TEST_TMPDIR/os"
  run -1 check_machine "$BATS_TEST_TMPDIR/os"
  run -1 check_machine "$BATS_TEST_TMPDIR/nothing"
  [[ $output == *'an unknown system'* ]]
  run -0 check_machine /etc/os-release
}

@test "a folder that cannot be written is named" {
  run -1 env XDG_CACHE_HOME=/proc/nowhere "$RUMPK_TOP/script/setup"
  [[ $output == *'cannot write to /proc/nowhere/rumpk'* ]]
}

@test "missing packages are listed, not installed, with --no-packages" {
  load_parts
  dpkg-query() { printf 'installed %s\n' $(wanted_packages | grep -v -e skopeo -e minisign); }
  with_packages=0
  run -1 install_packages
  [[ $output == *'minisign skopeo'*'apt-get install'* ]]
}

@test "no network: the file, its hash and the folder to put it into are named; nothing is left" {
  load_parts
  debian_mirrors() { echo http://127.0.0.1:9/debian; }
  run -1 source_fetch sodium
  [[ $output == *'cannot fetch libsodium_1.0.18.orig.tar.gz'*d59323c6b712a1519a5daf710b68f5e7fde57040845ffec53850911f10a5d4f4*"$cache/sources/"* ]]
  [ "$(find "$cache/sources" -type f | wc -l)" = 0 ]
}

@test "a source that somebody put into the cache is taken if its hash is right, and not otherwise" {
  load_parts
  debian_mirrors() { echo http://127.0.0.1:9/debian; }
  toolchain_pins=$BATS_TEST_TMPDIR/tree/toolchain
  mkdir -p "$toolchain_pins" "$cache/sources"
  cd "$BATS_TEST_TMPDIR/tree"
  echo content >"$cache/sources/x.tar"
  echo "x x.tar $(sha256sum <"$cache/sources/x.tar" | cut -c1-64) 8 pool/x" >toolchain/pins
  run -0 source_fetch x
  [[ $output == *found* ]]
  rm "$cache/sources/x.tar.ok"
  echo other >"$cache/sources/x.tar"
  run -1 source_fetch x
}

@test "the machine's mirrors are found in both notations, disabled and foreign ones are not" {
  load_parts
  mirrors=$(debian_mirrors)
  [ -n "$mirrors" ]
  mkdir "$BATS_TEST_TMPDIR/apt"
  cat >"$BATS_TEST_TMPDIR/apt/a.sources" <<'S'
# comment
Types: deb
URIs: http://one.example/debian
 http://two.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://off.example/debian
Suites: bookworm
Enabled: no

Types: deb
URIs: http://foreign.example/node
Suites: nodistro
S
  cat >"$BATS_TEST_TMPDIR/apt/sources.list" <<'S'
deb [arch=amd64 signed-by=/x] http://three.example/debian bookworm main
deb http://foreign.example/apt cloud-sdk main
# deb http://comment.example/debian bookworm main
S
  found=$(debian_mirrors "$BATS_TEST_TMPDIR/apt/a.sources" "$BATS_TEST_TMPDIR/apt/sources.list" | tr '\n' ' ')
  echo "$found"
  [ "$found" = 'http://one.example/debian http://two.example/debian http://three.example/debian ' ]
}

@test "a failed step names itself, shows the end of its log and where the log is" {
  load_parts
  broken() {
    seq 100
    false
    echo 'never reached'
  }
  # In a shell of its own: under "run" alone, -e has no effect, as in any condition.
  export -f broken step step_is_done step_failed say_step now_ms human_size human_time
  export setup logs cache verbose unchanged
  run -1 bash -euc 'step broken key broken'
  [[ $output == *'step "broken" failed'*'100'*"$logs/broken.log"* ]]
  [[ $output != *'never reached'* ]]
  [ ! -e "$setup/out/broken" ]
  [ ! -e "$setup/stamp/broken" ]
}

@test "a step is skipped when its key is the same, and done again after an interruption" {
  load_parts
  make_file() { echo run >>"$BATS_TEST_TMPDIR/runs"; echo result >"$step_out/file"; }
  step made one make_file
  step made one make_file
  [ "$(wc -l <"$BATS_TEST_TMPDIR/runs")" = 1 ]
  step made two make_file
  [ "$(wc -l <"$BATS_TEST_TMPDIR/runs")" = 2 ]
  # Killed between output and stamp: the old stamp is gone, so the step is not taken for done.
  rm "$setup/stamp/made"
  step made two make_file
  [ "$(wc -l <"$BATS_TEST_TMPDIR/runs")" = 3 ]
  [ "$(cat "$setup/out/made/file")" = result ]
}

@test "a damaged cache entry is noticed and made again" {
  load_parts
  make_file() { echo run >>"$BATS_TEST_TMPDIR/runs"; echo result >"$step_out/file"; }
  step made one make_file cache
  rm -rf "$setup/out/made" "$setup/stamp/made"
  step made one make_file cache
  [ "$(wc -l <"$BATS_TEST_TMPDIR/runs")" = 1 ]
  [ "$(cat "$setup/out/made/file")" = result ]
  rm -rf "$setup/out/made" "$setup/stamp/made"
  printf x | dd of="$cache/built/made-one.tar" bs=1 seek=600 conv=notrunc status=none
  step made one make_file cache
  [ "$(wc -l <"$BATS_TEST_TMPDIR/runs")" = 2 ]
}

@test "a full disk is told before anything is done" {
  load_parts
  df() { printf 'Filesystem 1024-blocks Used Available Capacity Mounted\n/dev/x 100 90 1000 99%% /\n'; }
  run -1 check_folders
  [[ $output == *'MiB are free'*'Free some space'* ]]
}

@test "a second clone takes everything from the cache; two set-ups at once are both right; a third has nothing to do" {
  copy_tree
  "$tree/script/setup" --no-packages --no-kernel >first 2>&1 &
  "$tree/script/setup" --no-packages --no-kernel >second 2>&1 || cat first second
  wait $!
  cat first second
  grep -q 'from the cache' first second
  run ! grep -qE '^  (libc|sodium|fdt)-[a-z0-9_]+ +built' first second
  for part in toolchain machines sysroot/x86_64-unknown-rumpk-elf/lib/libc.a; do
    [ -e "$tree/build/sdk/share/rumpk/$part" ]
  done
  start=$SECONDS
  run -0 "$tree/script/setup" --no-packages --no-kernel
  [[ $output == *'Nothing to do'*'export PATH='* ]]
  [ $((SECONDS - start)) -lt 10 ]
}

@test "an interrupted set-up says so, keeps the old SDK and goes on the next time" {
  copy_tree
  (cd "$tree" && script/setup --no-packages --no-kernel) >log 2>&1
  before=$(cd "$tree/build/sdk" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
  sed -i '1i execute_process(COMMAND sleep 30)' "$tree/toolchain/generate.cmake"
  # In a session of its own, so that the interrupt reaches it as it does from a terminal.
  setsid bash -c 'trap - INT; exec "$0" --no-packages --no-kernel' "$tree/script/setup" >interrupted 2>&1 &
  sleep 2
  kill -TERM -$!
  wait $! || status=$?
  cat interrupted
  [ "${status:-0}" != 0 ]
  grep -q 'stopped in step "toolchain"' interrupted
  after=$(cd "$tree/build/sdk" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
  [ "$before" = "$after" ]
  sed -i 1d "$tree/toolchain/generate.cmake"
  run -0 "$tree/script/setup" --no-packages --no-kernel
  [[ $output == *'The SDK is in'* ]]
}
