#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: long work shows how far it is on a terminal, and plain lines elsewhere. Method: progress.py on pseudo
# terminals, and pipes.

load common

# A compiler that does its work only when the file `go` is there.
waiting_compiler() {
  local real
  real=$(command -v clang-19)
  cat >"$BATS_TEST_TMPDIR/bin/clang-19" <<EOF
#!/bin/bash
[ "\$1" = --no-default-config ] || exec "$real" "\$@"
: >"$W/hello/waits"
while [ ! -e "$W/hello/go" ]; do sleep 0.02; done
exec "$real" "\$@"
EOF
  chmod +x "$BATS_TEST_TMPDIR/bin/clang-19"
}

@test "on terminals of all widths, resized, interrupted, and where none is wanted" {
  new_hello
  waiting_compiler
  unset NO_COLOR
  ok timeout 850 python3 "$BATS_TEST_DIRNAME/progress.py" "$W/hello"
}

@test "in a pipe: plain lines, no escape sequence, in every command that works long" {
  published_hello
  cd "$W" && ok nip new --image box && cd box
  for command in "-C ../hello build" "-C ../hello pack" "add local/hello --registry file:../reg" "fetch" "image" "search" \
    "cache verify" "fetch local/hello --registry file:../reg"; do
    # shellcheck disable=SC2086
    ok env TERM=xterm nip $command
    if grep -q $'[\e\r]' <<<"$output"; then echo "$command: $output"; return 1; fi
  done
}
