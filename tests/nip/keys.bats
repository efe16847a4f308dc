#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: secret keys stay secret, and every way in which one cannot be used is told apart. Method: keys
# with and without password; a pseudo terminal where a person would type.

load common

keys() { echo "$HOME/.local/share/rumpk/keys"; }

# typed ANSWERS COMMAND...: runs it on a terminal, typing one line per answer when it asks.
typed() {
  local answers=$1
  shift
  run timeout 120 python3 - "$answers" "$@" <<'PY'
import os, pty, sys, select
answers, command = sys.argv[1].split("|"), sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
seen, asked = b"", 0
while True:
    try:
        data = os.read(fd, 4096)
    except OSError:
        break
    if not data:
        break
    seen += data
    tail = seen.rsplit(b"\n", 1)[-1].rstrip()
    if answers and answers[0] and (tail.endswith(b":") or tail.endswith(b"]")):
        asked += 1
        os.write(fd, answers.pop(0).encode() + b"\n")
        seen += b"\n"
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.write(seen.decode("utf-8", "replace").replace("\r", ""))
print("ASKED", asked)
sys.exit(status)
PY
}

@test "a key without password warns loudly, is private, and is shown" {
  ok nip key new --no-password
  says 'THE SECRET KEY'
  names_next 'nip publish'
  [ "$(stat -c %a "$(keys)/default.key")" = 600 ]
  [ "$(stat -c %a "$(keys)")" = 700 ]
  ok nip key show
  says 'default'
  says 'fingerprint'
  ok nip key show --json
  echo "$output" | python3 -c 'import json,sys; r = json.load(sys.stdin); assert r["schema"] == "nip-keys-1" and len(r["keys"][0]["fingerprint"]) == 64'
}

@test "a key is never replaced; without keys the next command is named" {
  ok nip key show
  names_next 'nip key new'
  make_key
  refused 6 "there is a key 'default' already" nip key new --no-password
  says 'choose another name'
  make_key owner
  refused 3 'cannot be the name of a key' nip key new 'Bad Name' --no-password
}

@test "without terminal and variable a password cannot be asked for" {
  refused 4 'there is no terminal to ask on' nip key new
  says 'NIP_PASSWORD'
  [ ! -e "$(keys)" ]
}

@test "signing without a key names the command that makes one" {
  new_hello
  ok nip pack
  refused 5 "there is no secret key 'default'" nip sign
  says 'nip key new'
  refused 5 "there is no secret key 'work'" nip sign --key work
  says 'nip key new work'
}

@test "a secret key that others may read is refused" {
  make_key
  new_hello
  ok nip pack
  chmod 644 "$(keys)/default.key"
  refused 4 'may be read by others (mode 644, expected 600)' nip sign
  says 'chmod 600'
}

@test "a damaged key file is refused" {
  make_key
  new_hello
  ok nip pack
  printf 'untrusted comment: x\nAAAA\n' >"$(keys)/default.key"
  refused 4 "key" nip sign
}

@test "an encrypted key: right password, wrong password, asked once, and not left in the environment" {
  export NIP_PASSWORD='correct horse'
  ok nip key new
  says_not 'NOT ENCRYPTED'
  absent 'NOT ENCRYPTED' "$(keys)/default.key"
  new_hello
  # A compiler that writes down its environment: the password must be gone by then.
  mkdir "$W/bin"
  printf '#!/bin/sh\nenv >>"%s/seen"\nexec /usr/bin/clang-19 "$@"\n' "$W" >"$W/bin/clang-19"
  chmod +x "$W/bin/clang-19"
  PATH=$W/bin:$PATH ok nip publish --registry file:../reg
  [ -s "$W/seen" ]
  absent 'horse\|NIP_PASSWORD' "$W/seen"
  NIP_PASSWORD=wrong refused 4 'password' nip sign
  unset NIP_PASSWORD
  refused 4 'there is no terminal to ask on' nip sign
  typed 'correct horse' nip sign
  [ "$status" -eq 0 ]
  says 'ASKED 1'
  says_not 'correct horse'
}

@test "too little memory for the key is said before any time is spent" {
  export NIP_PASSWORD='correct horse'
  ok nip key new
  new_hello
  ok nip pack
  # The sanitizers reserve terabytes of addresses: this one needs the installed nip.
  run bash -c "ulimit -v 600000; exec '$RUMPK_SDK/bin/nip' sign" </dev/null
  [ "$status" -eq 10 ]
  says 'needs 1024 MiB of memory'
  says 'ulimit -v'
}

@test "two passwords that differ make no key" {
  typed 'one|two' nip key new
  [ "$status" -eq 4 ]
  says 'the two passwords differ'
  [ ! -e "$(keys)/default.key" ]
}

@test "key trust writes one line, once" {
  make_key
  ok nip new --image box
  cd box
  ok nip key trust 'acme/*' default
  ok nip key trust 'acme/*' "$(keys)/default.pub"
  [ "$(grep -c '^publisher "acme/\*"' nip.trust.kdl)" -eq 1 ]
  refused 3 'is no package name' nip key trust 'acme' default
  refused 5 'is no key, no key file' nip key trust acme/x nobody
  cd "$W"
  refused 5 'there is neither npl.kdl nor image.kdl' nip key trust acme/x default
}

@test "mistakes in nip.trust.kdl are shown with their place" {
  ok nip new --image box
  cd box
  echo 'publisher "acme/*" key="RWQ"' >nip.trust.kdl
  refused 4 ' --> nip.trust.kdl:1:24' nip image
  echo 'registry "sdk" url="file:x"' >nip.trust.kdl
  refused 3 "always means the SDK's own registry" nip image
  echo 'allow "everything"' >nip.trust.kdl
  refused 3 "expected 'registry', 'publisher' or 'revoked'" nip image
}
