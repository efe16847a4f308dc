#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: whatever cuts a command short (Ctrl-C, a full disk, a folder that cannot be written), what was there
# before is still there, nothing half-made is visible, and the command works again. Method: Ctrl-C after
# many different times, a limit on file size as the full disk, an ordinary user in root's folders.

load common

# cut_everywhere CHECK COMMAND...: interrupted after 5, 10, 20 ... ms until it is fast enough to end by itself.
cut_everywhere() {
  local ms check=$1
  shift
  for ms in 5 10 20 30 50 70 100 150 200 300 400 600 800; do
    interrupt $ms "$@"
    if [ "$status" -ne 0 ]; then
      # 124: timeout had to act. Anything else would be an error of its own.
      [ "$status" -eq 124 ] || { echo "status $status"; echo "$output"; return 1; }
      [ -z "$output" ] || says_not 'runtime error'
    fi
    $check
  done
}

whole_or_nothing() {
  no_leftovers .
  [ ! -e hello ] || { [ -s hello/npl.kdl ] && [ -s hello/src/main.c ] && rm -rf hello; }
}

@test "Ctrl-C during new: a whole project or none" {
  cut_everywhere whole_or_nothing nip new hello
  ok nip new hello
}

box_or_nothing() {
  no_leftovers .
  [ ! -e box ] || { [ -s box/image.kdl ] && [ -s box/nip.lock ] && rm -rf box; }
}

@test "Ctrl-C during new --image: a whole project or none" {
  cut_everywhere box_or_nothing nip new --image box
  ok nip new --image box
}

clean_again() {
  no_leftovers .
  rm -rf build/riscv64/obj
}

@test "Ctrl-C during build: the next build is complete" {
  new_hello
  cut_everywhere clean_again nip build --arch riscv64
  ok nip build
}

# A compiler that writes its temporary file, says so, and does not end when it is asked to.
stuck_compiler() {
  local real
  real=$(command -v clang-19)
  cat >"$BATS_TEST_TMPDIR/bin/clang-19" <<EOF
#!/bin/bash
[ "\$1" = --no-default-config ] || exec "$real" "\$@"
while [ "\$1" != -o ]; do shift; done
echo half >"\${2%.o}-12a146e0.o.tmp"
trap '' TERM INT
echo \$\$ >"$BATS_TEST_TMPDIR/stuck"
exec sleep 600
EOF
  chmod +x "$BATS_TEST_TMPDIR/bin/clang-19"
}

# stop_stuck_build SIGNAL: as soon as its compiler is at work.
stop_stuck_build() {
  nip build --arch riscv64 >"$BATS_TEST_TMPDIR/said" 2>&1 </dev/null 3>&- &
  local pid=$! step
  for ((step = 0; step < 3000; step++)); do
    [ ! -s "$BATS_TEST_TMPDIR/stuck" ] || break
    sleep 0.02
  done
  [ -s "$BATS_TEST_TMPDIR/stuck" ] || { cat "$BATS_TEST_TMPDIR/said"; return 1; }
  kill -s "$1" $pid
  wait $pid || true
}

@test "Ctrl-C with a compiler that does not end: its temporary files go too" {
  new_hello
  stuck_compiler
  stop_stuck_build TERM
  grep -q 'nothing was left half-written' "$BATS_TEST_TMPDIR/said"
  no_leftovers .
  [ ! -e build/work ]
}

@test "what a build that was killed has left goes with the next one" {
  new_hello
  stuck_compiler
  stop_stuck_build KILL
  kill -KILL "$(cat "$BATS_TEST_TMPDIR/stuck")"
  [ -n "$(find build/work -name '*.o.tmp')" ]
  rm "$BATS_TEST_TMPDIR/bin/clang-19"
  ok nip build --arch riscv64
  no_leftovers .
  [ ! -e build/work ]
}

registry_whole() {
  no_leftovers . ../reg
  if [ -e ../reg/local/hello/index.json ]; then
    skopeo inspect --raw oci:../reg/local/hello:0.1.0 >/dev/null
    ok nip registry repair file:../reg
    rm -rf ../reg
  fi
  rm -rf build/pack build/*.npl
}

@test "Ctrl-C during publish: a whole version or none" {
  new_hello
  make_key
  ok nip build
  cut_everywhere registry_whole nip publish --registry file:../reg
  rm -rf ../reg
  ok nip publish --registry file:../reg
}

image_as_before_or_added() {
  no_leftovers .
  ok nip image --arch riscv64
  cp "$W"/before/* .
}

@test "Ctrl-C during add: the project stays usable" {
  published_hello
  new_box
  mkdir "$W/before"
  cp image.kdl nip.lock nip.trust.kdl "$W/before"
  cut_everywhere image_as_before_or_added nip add local/hello --registry file:../reg
  ok nip add local/hello --registry file:../reg
}

image_whole() {
  no_leftovers .
  [ ! -e build/box-riscv64.elf ] || ok nip verify build/box-riscv64.elf
  rm -rf build
}

@test "Ctrl-C during image: a whole image or none" {
  new_box
  cut_everywhere image_whole nip image --arch riscv64
}

no_machine_left() {
  no_leftovers .
  [ -z "$(pgrep -f "$TMPDIR" || true)" ]
}

@test "Ctrl-C during run leaves no emulator and no file" {
  new_hello
  ok nip build
  for ms in 50 100 200 300 400 500 600 800; do
    interrupt $ms nip run --arch riscv64
    no_machine_left
  done
}

@test "Ctrl-C at a password prompt gives the terminal back its echo" {
  timeout 600 python3 - <<'PY'
import os, pty, signal, sys, termios, time
pid, fd = pty.fork()
if pid == 0:
    os.execvp("nip", ["nip", "key", "new"])
seen = b""
while b"password" not in seen:
    seen += os.read(fd, 1024)
while termios.tcgetattr(fd)[3] & termios.ECHO:
    time.sleep(0.01)
os.write(fd, b"\x03")
status = os.waitpid(pid, 0)[1]
assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT, status
assert termios.tcgetattr(fd)[3] & termios.ECHO
PY
  [ ! -e "$HOME/.local/share/rumpk/keys/default.key" ]
}

@test "a full disk: the error says so, and nothing half-written is visible" {
  published_hello
  new_box
  ok nip image --arch riscv64
  cp build/box-riscv64.elf "$W/before.elf"
  run bash -c 'ulimit -f 40; exec nip image --arch riscv64' </dev/null
  [ "$status" -eq 7 ]
  says 'error: '
  cmp build/box-riscv64.elf "$W/before.elf"
  no_leftovers .
  cd "$W/hello"
  cp -r ../reg ../before
  sed -i 's/0\.1\.0/0.2.0/' npl.kdl
  run bash -c 'ulimit -f 8; exec nip publish --registry file:../reg' </dev/null
  [ "$status" -ne 0 ]
  says 'error: '
  diff -r ../before ../reg
}

@test "folders that cannot be written are refused with their names" {
  [ "$(id -u)" -eq 0 ] || skip 'needs root to become somebody else'
  published_hello
  chmod 755 "$BATS_TEST_TMPDIR" "$W"
  user() { HOME=/nonexistent XDG_DATA_HOME=$BATS_TEST_TMPDIR/nobody setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
  user test -x "$RUMPK_SDK/bin/nip" || skip 'the SDK lies in a folder that others may not enter'
  refused 7 "$W" user "$RUMPK_SDK/bin/nip" -C "$W" new other || refused 7 'other' user "$RUMPK_SDK/bin/nip" -C "$W" new other
  refused 7 'build' user "$RUMPK_SDK/bin/nip" build
}

@test "output that nobody can take is an error, not a success" {
  run bash -c 'nip help >/dev/full'
  [ "$status" -eq 7 ]
  says 'cannot write to standard output'
}

@test "changes that a dead nip left behind are completed, or refused when they are damaged" {
  new_box
  cp image.kdl nip.lock "$W"
  { cat image.kdl; echo '// later'; } >new.kdl
  { printf 'nip-pending 1\nimage.kdl %s\n' "$(stat -c %s new.kdl)"; cat new.kdl; printf '\nend\n'; } >.nip.pending
  printf '%s\n' "$(b2sum -l 256 .nip.pending | cut -d' ' -f1)" >>.nip.pending
  cp .nip.pending "$W/pending"
  rm new.kdl
  ok nip version
  [ ! -e .nip.pending ]
  grep -q '// later' image.kdl
  cp "$W/image.kdl" .
  for change in 's/later/lately/' 's/image.kdl/other.kdl/' 's/^end$/end2/' '$d'; do
    sed "$change" "$W/pending" >.nip.pending
    refused 3 'is damaged' nip version
    says 'then delete .nip.pending'
    cmp image.kdl "$W/image.kdl"
    [ ! -e other.kdl ]
  done
}
