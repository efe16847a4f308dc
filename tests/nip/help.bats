#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: help, man pages, completions and explanations say what this nip can do, all of it, and foreign text
# never steers a terminal. Method: everything is made from one table, so it is asked about every entry; the
# shells themselves try the completions.

load common

# The commands, one per line, as the overview lists them.
commands() {
  nip help | sed -nE 's/^  ([a-z]+( [a-z]+)?)  +[A-Z].*/\1/p'
}

@test "every command has help with usage and a man page that is clean roff" {
  ok nip help man-pages man1
  [ "$(commands | wc -l)" -ge 20 ]
  while read -r name; do
    # shellcheck disable=SC2086
    ok nip help $name
    says "Usage: nip $name"
    page=man1/nip-${name// /-}.1
    [ -s "$page" ]
    # shellcheck disable=SC2086
    ok nip help man $name
    [ "$output" = "$(cat "$page")" ]
  done < <(commands)
  for page in man1/*.1; do
    warnings=$(LC_ALL=C.UTF-8 MANWIDTH=80 man -l --warnings=all "$page" 2>&1 >/dev/null)
    [ -z "$warnings" ] || { echo "$page: $warnings"; return 1; }
  done
  LC_ALL=C.UTF-8 man -l man1/nip-key-trust.1 | col -b | grep -q -- '--threshold'
  ok nip help man
  says 'nip\-key\-rotate'
  refused 2 'needs a folder' nip help man-pages
  refused 2 "unknown command 'nothing'" nip help man nothing
  for file in share/man/man1/nip-publish.1 share/bash-completion/completions/nip share/zsh/site-functions/_nip \
    share/fish/vendor_completions.d/nip.fish; do
    [ -s "$RUMPK_SDK/$file" ]
  done
}

@test "every error is explained with an example, and has an exit code that is documented" {
  ok nip help exit-codes
  codes=$output
  ok nip help errors
  names=$(sed -nE 's/^  ([A-Z]+) +[0-9]+  .*/\1/p' <<<"$output")
  [ "$(wc -l <<<"$names")" -ge 28 ]
  for name in $names; do
    ok nip help errors "$name"
    says "$name (exit code "
    says 'When:'
    says 'For example:'
    says '  error: '
    says 'What to do:'
    code=$(sed -nE '1s/.*exit code ([0-9]+).*/\1/p' <<<"$output")
    grep -qE "^ +$code  " <<<"$codes"
  done
  ok nip help errors untrusted
  refused 2 "there is no error named 'UNTRUSTD'" nip help errors UNTRUSTD
  says "did you mean 'nip help errors UNTRUSTED'?"
}

@test "every exit code has an error that gives it, and the man page names it" {
  ok nip help errors
  errors=$output
  ok nip help exit-codes
  codes=$(sed -nE 's/^ +([0-9]+)  .*/\1/p' <<<"$output")
  [ "$(tr '\n' ' ' <<<"$codes")" = '0 1 2 3 4 5 6 7 8 9 10 11 130 ' ]
  ok nip help man
  manual=$(sed -n '/^.SH "EXIT STATUS"/,/^.SH ENVIRONMENT/p' <<<"$output")
  for code in $codes; do
    grep -qE "(^|[ ;])$code [a-z]" <<<"$manual" || { echo "not in the man page: $code"; return 1; }
    [ "$code" -eq 0 ] || [ "$code" -eq 130 ] || grep -qE "^  [A-Z]+ +$code  " <<<"$errors" || { echo "no error gives $code"; return 1; }
  done
}

@test "bash completes commands, second words, options and values" {
  ok nip completion bash
  printf '%s\n' "$output" >nip.bash
  bash -n nip.bash
  cat >try.bash <<'SH'
source ./nip.bash
complete_line() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _nip; echo "${COMPREPLY[*]}"; }
complete_line nip pub
complete_line nip key r
complete_line nip key trust --th
complete_line nip -C somewhere --color ""
complete_line nip build --arch aa
complete_line nip publish --reg
complete_line nip help err
complete_line nip inspect ""
SH
  ok bash try.bash
  [ "${lines[0]}" = publish ]
  [[ "${lines[1]}" == *revoke* && "${lines[1]}" == *rotate* ]]
  [ "${lines[2]}" = --threshold ]
  [ "${lines[3]}" = 'auto always never' ]
  [ "${lines[4]}" = aarch64 ]
  [ "${lines[5]}" = --registry ]
  [ "${lines[6]}" = errors ]
  [ "${#lines[@]}" -eq 7 ] # a file: left to the shell
}

@test "zsh and fish take their completions" {
  nip completion zsh >_nip
  zsh -n _nip
  zsh -fc 'autoload -Uz compinit; compinit -u -d ./dump; source ./_nip; print -r -- ${_comps[nip]}' >said
  grep -qx _nip said
  nip completion fish >nip.fish
  fish --no-execute nip.fish
  fish --no-config -c 'source nip.fish; complete -C "nip key ro"' | grep -q rotate
  fish --no-config -c 'source nip.fish; complete -C "nip pu"' | grep -q publish
  fish --no-config -c 'source nip.fish; complete -C "nip key trust --thr"' | grep -q -- --threshold
  refused 2 "there is no completion for 'csh'" nip completion csh
}

@test "doctor: good, a missing tool, an SDK that is not there, a key that others may read" {
  ok nip doctor
  says 'all is well'
  says 'toolchain'
  ok nip doctor --json
  python3 -c 'import json,sys; r = json.loads(sys.argv[1]); assert r["schema"] == "nip-doctor-1" and {f["finding"] for f in r["findings"]} == {"good"}' "$output"
  mkdir empty
  PATH=$W/empty run "$NIP" doctor
  [ "$status" -eq 7 ]
  says 'bad      toolchain'
  says 'apt-get install clang-19'
  says 'warning  qemu-system-riscv64'
  RUMPK_SDK=$W/nowhere run nip doctor
  [ "$status" -eq 7 ]
  says 'bad      SDK'
  make_key
  chmod 640 "$HOME/.local/share/rumpk/keys/default.key"
  run nip doctor
  [ "$status" -eq 7 ]
  says 'chmod 600'
}

@test "doctor in a project looks at its files and registries" {
  published_hello
  new_box
  ok nip add local/hello --registry file:../reg
  ok nip doctor
  says 'registry reg'
  says 'file:../reg, 1 package(s)'
  mv ../reg ../away
  ok nip doctor
  says 'there is no registry at file:../reg'
  says 'usable; see the warnings'
  echo 'allow "everything"' >>nip.trust.kdl
  run nip doctor
  [ "$status" -eq 7 ]
  says 'bad      project'
}

# No escape character, no C1 control, no direction override reached the output.
harmless() {
  if LC_ALL=C grep -qP '\x1b|\x9b|\xe2\x80\xae' <<<"$output"; then
    echo "a foreign byte got through:"
    cat -v <<<"$output"
    return 1
  fi
}

@test "escape sequences in names, reasons, descriptions and registries are shown, never sent" {
  evil=$'\e[31m\e]0;owned\a\xe2\x80\xae'
  run nip verify "$evil.npl"
  harmless
  run nip "$evil"
  harmless
  run nip fetch "local/$evil" --registry file:reg
  harmless
  run nip publish --registry "file:$evil"
  harmless
  run nip key show "$evil"
  harmless
  make_key a
  make_key b
  ok nip new --image box
  cd box
  ok nip key trust local/hello a
  ok nip key trust local/hello b --replace --reason "$evil"
  cp nip.trust.kdl after
  : >before
  ok nip diff before after
  harmless
  says '\u{202e}'
  ok nip diff before after --json
  harmless
  printf 'publisher "%s" key="x"\n' "$evil" >nip.trust.kdl
  run nip image
  [ "$status" -ne 0 ]
  harmless
  # What a registry says, whoever wrote it.
  cd "$W"
  mkdir -p reg/local/hello/blobs/sha256
  printf 'rumpk-registry 1\nfreshness none\n' >reg/rumpk-registry
  printf '{"schemaVersion":2,"manifests":[{"%b":1}]}' "$evil" >reg/local/hello/index.json
  run nip fetch local/hello --registry file:reg
  [ "$status" -ne 0 ]
  harmless
  printf '{"schemaVersion":2,"manifests":[%b]}' "$evil" >reg/local/hello/index.json
  run nip fetch local/hello --registry file:reg
  [ "$status" -ne 0 ]
  harmless
  run nip registry repair file:reg
  harmless
}
