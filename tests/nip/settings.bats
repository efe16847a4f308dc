#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: the user's settings count where nothing nearer says otherwise, mistakes in them are shown with their
# place, and the result of no command depends on them. Method: one setting at a time, beside an option, the environment and
# a project that say something else.

load common

# settings LINE...: become the user's.
settings() {
  mkdir -p "$HOME/.config/nip"
  printf '%s\n' "$@" >"$HOME/.config/nip/config.kdl"
}

@test "docs/config.md is what the tables say" {
  ok nip help config
  diff -u "$BATS_TEST_DIRNAME/../../docs/config.md" <(nip help config)
}

@test "a mistake stops what works with settings, with place and caret; doctor shows it" {
  settings 'jobs 2' 'colour "never"'
  refused 3 'this file has nothing of this name' nip new hello
  says "$HOME/.config/nip/config.kdl:2:1"
  says '2 | colour "never"'
  says '  | ^^^^^^'
  says "Did you mean \`color\`?"
  [ ! -e hello ]
  ok nip help
  ok nip version
  ok nip completion bash
  run nip doctor
  [ "$status" -eq 7 ]
  says "bad      settings     $HOME/.config/nip/config.kdl:2: this file has nothing of this name"
  settings 'key "nobody"' 'jobs 3' 'color "never"' 'progress "never"' "registry \"work\" url=\"file:$W/reg\""
  ok nip doctor
  says "config.kdl; key nobody; color never; progress never; jobs 3"
  says "warning  settings     there is no secret key 'nobody'"
  says "warning  registry work"
}

@test "where the file is: NIP_CONFIG, XDG_CONFIG_HOME, HOME; what cannot be read is said" {
  settings 'bad'
  mkdir -p xdg/nip
  echo 'worse' >xdg/nip/config.kdl
  echo 'worst' >named
  refused 3 'bad' nip cache size
  XDG_CONFIG_HOME=$W/xdg refused 3 'worse' nip cache size
  XDG_CONFIG_HOME=$W/xdg NIP_CONFIG=$W/named refused 3 'worst' nip cache size
  NIP_CONFIG='' ok nip cache size
  XDG_CONFIG_HOME=relative refused 3 'bad' nip cache size
  NIP_CONFIG=$W/nothing refused 5 "$W/nothing" nip cache size
  says "these are your settings; 'nip help config'"
  mkdir folder
  NIP_CONFIG=$W/folder refused 7 "$W/folder" nip cache size
  head -c 70000 /dev/zero >big
  NIP_CONFIG=$W/big refused 10 "$W/big" nip cache size
  HOME='' ok nip doctor
}

@test "color: option, then environment, then settings" {
  unset NO_COLOR
  settings 'color "always"'
  colored() { "$@" 2>&1 </dev/null | grep -q $'\e\['; }
  colored nip nonsense
  if NO_COLOR=1 colored nip nonsense; then return 1; fi
  if TERM=dumb colored nip nonsense; then return 1; fi
  if colored nip nonsense --color never; then return 1; fi
  if colored nip --color never nonsense; then return 1; fi
  NO_COLOR=1 colored nip --color always new hello --template nothing
}

@test "key: what signs, unless --key says otherwise; never an image unasked" {
  new_hello
  make_key next
  refused 5 "there is no secret key 'default'" nip publish --registry file:../reg
  says '--key NAME (next)'
  settings 'key "next"'
  ok nip pack
  ok nip sign
  ok nip verify build/hello-0.1.0.npl
  says 'your own key next'
  settings 'key "gone"'
  refused 5 "there is no secret key 'gone'" nip sign
  ok nip sign --key next
  settings "key \"$HOME/.local/share/rumpk/keys/next.key\""
  ok nip sign
  settings 'key "next"'
  new_box
  ok nip image --arch riscv64
  says 'signed with your development key'
}

@test "registry: an alias for every project, written into the one that uses it; the project's own comes first" {
  published_hello
  settings "registry \"work\" url=\"file:$W/reg\""
  new_box
  ok nip add local/hello
  grep -qF "registry \"work\" url=\"file:$W/reg\"" nip.trust.kdl
  NIP_CONFIG='' ok nip image --arch riscv64
  cd "$W" && ok nip new --image other && cd other
  printf 'registry "work" url="file:../elsewhere"\n' >nip.trust.kdl
  refused 5 'there is no registry at file:../elsewhere' nip add local/hello --registry work
  settings "registry \"work\" url=\"file:$W/reg\"" "registry \"second\" url=\"file:$W/reg2\""
  : >nip.trust.kdl
  refused 2 'which registry?' nip add local/hello
  says 'known here: sdk, work, second'
  refused 5 "no registry with the alias 'third'" nip add local/hello --registry third
}

@test "jobs: so many compilers at once, no more; the option wins; the result is the same" {
  new_hello
  for i in 1 2 3 4 5; do echo "int extra_$i(void);int extra_$i(void){return $i;}" >src/extra$i.c; done
  # A compiler that notes how many of it are at work.
  local real
  real=$(command -v clang-19)
  cat >"$BATS_TEST_TMPDIR/bin/clang-19" <<EOF
#!/bin/bash
[ "\$1" = --no-default-config ] || exec "$real" "\$@"
mkdir -p "$W/at-work" && : >"$W/at-work/\$\$"
ls "$W/at-work" | wc -l >>"$W/counts"
"$real" "\$@"
status=\$?
rm "$W/at-work/\$\$"
exit \$status
EOF
  chmod +x "$BATS_TEST_TMPDIR/bin/clang-19"
  settings 'jobs 1'
  ok nip build
  [ "$(sort -n "$W/counts" | tail -1)" -eq 1 ]
  sha256sum build/*/driver.elf >"$W/sums"
  rm -rf build "$W/counts"
  ok nip build --jobs 2
  [ "$(sort -n "$W/counts" | tail -1)" -le 2 ]
  sha256sum -c --quiet "$W/sums"
  for bad in 0 65 -1 x 4x ''; do refused 2 "--jobs does not take '$bad'" nip build "--jobs=$bad"; done
  ok nip -j 2 build
  refused 2 "option '-j' needs a value" nip build -j
}

@test "cache: NIP_CACHE, then the settings, then XDG_CACHE_HOME" {
  published_hello
  new_box
  mkdir "$W/empty"
  settings "cache \"$W/mine\""
  ok env XDG_CACHE_HOME="$W/xdg" nip add local/hello --registry file:../reg
  [ -n "$(ls "$W/mine/npl")" ]
  [ ! -e "$W/xdg" ]
  [ ! -e "$HOME/.cache/nip/npl" ]
  NIP_CACHE=$W/named ok nip image --arch riscv64
  [ -n "$(ls "$W/named/npl")" ]
  NIP_CACHE=relative ok nip cache size
  says "in $W/mine"
}
