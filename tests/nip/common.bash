# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What every test of nip starts from: a user of its own with an empty home, an empty folder to work in,
# nip under the sanitizers (NIP) with the installed SDK (RUMPK_SDK). Both come from ctest.

setup() {
  : "${NIP:?the nip to test}" "${RUMPK_SDK:?the installed SDK}"
  W=$BATS_TEST_TMPDIR/work
  export HOME=$BATS_TEST_TMPDIR/home
  export TMPDIR=$BATS_TEST_TMPDIR/tmp
  mkdir -p "$W" "$HOME" "$TMPDIR" "$BATS_TEST_TMPDIR/bin"
  ln -s "$NIP" "$BATS_TEST_TMPDIR/bin/nip"
  export PATH=$BATS_TEST_TMPDIR/bin:$PATH RUMPK_SDK NO_COLOR=1
  export ASAN_OPTIONS=abort_on_error=0:exitcode=99
  unset XDG_DATA_HOME XDG_CACHE_HOME XDG_CONFIG_HOME NIP_CACHE NIP_CONFIG NIP_PASSWORD SOURCE_DATE_EPOCH
  cd "$W" || return 1
}

# interrupt MS COMMAND...: run, with Ctrl-C after MS milliseconds. Without the leak check at the end of the program: that stops
# every thread, so an interrupt in just that moment can stay unanswered.
interrupt() {
  local ms=$1
  shift
  ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 run timeout -s INT "0.$(printf '%03d' "$ms")" "$@" </dev/null
}

# ok COMMAND...: it succeeds, and no sanitizer spoke.
ok() {
  run "$@" </dev/null
  [ "$status" -eq 0 ] || { echo "status $status from: $*"; echo "$output"; return 1; }
}

# refused STATUS TEXT COMMAND...: it fails with that exit status, says TEXT, and says what to do next.
refused() {
  local wanted=$1 text=$2
  shift 2
  run "$@" </dev/null
  [ "$status" -eq "$wanted" ] || { echo "status $status, wanted $wanted, from: $*"; echo "$output"; return 1; }
  says "$text"
  says 'error: '
}

says() {
  [[ "$output" == *"$1"* ]] || { echo "missing in the output: $1"; echo "$output"; return 1; }
}

says_not() {
  [[ "$output" != *"$1"* ]] || { echo "should not be in the output: $1"; echo "$output"; return 1; }
}

# absent PATTERN FILE: (a plain "! grep" would not fail a test)
absent() {
  if grep -n "$1" "$2"; then
    echo "should not be in $2: $1"
    return 1
  fi
}

# The next command is named by the last line.
names_next() {
  [[ "${lines[-1]}" == "next: $1"* ]] || { echo "last line: ${lines[-1]}"; return 1; }
}

# no_leftovers FOLDER...: no temporary file of nip is there.
no_leftovers() {
  local found
  found=$(find "$@" "$TMPDIR" \( -name '.*.nip-??????' -o -name 'nip-*' -o -name '*.tmp*' \) ! -path '*/LICENSES/*' 2>/dev/null || true)
  [ -z "$found" ] || { echo "left behind: $found"; return 1; }
}

new_hello() {
  ok nip new hello
  cd "$W/hello" || return 1
}

make_key() {
  ok nip key new "$@" --no-password
}

published_hello() {
  new_hello
  make_key
  ok nip publish --registry file:../reg
}

# What was fetched before is fetched again.
forget_cache() {
  rm -rf "$HOME/.cache"
}

new_box() {
  cd "$W" || return 1
  ok nip new --image box
  cd "$W/box" || return 1
}
