#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: the cache can be looked at, checked and made smaller, alone or while others use it, and nothing that
# is not nip's is touched. Method: three versions in it, one fault or bound at a time.

load common

# cached VERSION...: versions of local/hello, fetched into the cache.
cached() {
  new_hello
  make_key
  local version
  for version; do
    sed -i -E "1,3s/version=\"[^\"]*\"/version=\"$version\"/" npl.kdl
    ok nip publish --registry file:../reg
    (cd "$W" && ok nip fetch "local/hello@$version" --registry file:reg)
  done
  cd "$W"
  STORE=$HOME/.cache/nip/npl
}

file_of() {
  sha256sum "$W/hello-$1.npl" | cut -d' ' -f1
}

@test "list, size and verify say what is there; without a cache there is none" {
  ok nip cache size
  says "0 packages, 0 B, in $HOME/.cache/nip"
  [ ! -e "$HOME/.cache" ]
  HOME='' refused 5 'there is no cache: nothing says where it is' nip cache list
  says 'set HOME or NIP_CACHE'
  cached 0.1.0 0.2.0
  ok nip cache list
  says 'local/hello 0.1.0'
  says 'local/hello 0.2.0'
  says '2 packages'
  ok nip cache verify
  says 'every one has the digest that is its name'
  ok nip cache size
  says '2 packages'
}

@test "damage is found, named, and removed when asked; foreign names stay" {
  cached 0.1.0 0.2.0
  file=$STORE/$(file_of 0.1.0)
  printf x | dd of="$file" bs=1 seek=200 conv=notrunc status=none
  : >"$STORE/README"
  mkdir "$STORE/$(printf 'a%.0s' {1..64})"
  ln -s /etc/passwd "$STORE/$(printf 'b%.0s' {1..64})"
  refused 3 '1 of 2 packages in the cache are damaged' nip cache verify
  says "$file"
  says 'nip cache clean --damaged'
  ok nip cache list
  says '3 names there are not nip'
  ok nip cache clean --damaged --dry-run
  says 'would remove 1 package'
  [ -e "$file" ]
  ok nip cache clean --damaged
  says 'removed 1 package'
  [ ! -e "$file" ]
  ok nip cache clean --all
  says 'removed 1 package'
  [ "$(find "$STORE" -mindepth 1 | wc -l)" -eq 3 ]
  [ -e /etc/passwd ]
}

@test "bounds: by age, by size, least recently used first, and what nip.lock names stays" {
  cached 0.1.0 0.2.0 0.3.0
  touch -d '100 days ago' "$STORE/$(file_of 0.2.0)"
  touch -d '50 days ago' "$STORE/$(file_of 0.1.0)"
  ok nip cache clean --older 101
  says 'removed 0 packages'
  ok nip cache clean --older 90
  says 'removed 1 package'
  [ ! -e "$STORE/$(file_of 0.2.0)" ]
  ok nip cache clean --max-size 1GiB
  says 'removed 0 packages'
  ok nip cache clean --max-size "$(($(stat -c %s "$STORE/$(file_of 0.3.0)") + 100))"
  [ ! -e "$STORE/$(file_of 0.1.0)" ]
  [ -e "$STORE/$(file_of 0.3.0)" ]
  new_box
  ok nip add local/hello@0.1.0 --registry file:../reg
  ok nip cache clean --all --keep-locked
  [ -e "$STORE/$(file_of 0.1.0)" ]
  [ ! -e "$STORE/$(file_of 0.3.0)" ]
  # Being used makes it young.
  touch -d '100 days ago' "$STORE/$(file_of 0.1.0)"
  ok nip image --arch riscv64 --offline
  ok nip cache clean --older 1
  [ -e "$STORE/$(file_of 0.1.0)" ]
}

@test "wrong use is refused before anything goes" {
  cached 0.1.0
  refused 2 'what may go from the cache?' nip cache clean
  for bad in x -1 1x 36501 999999999999; do refused 2 "--older does not take '$bad'" nip cache clean --older "$bad"; done
  for bad in x 1TB -1 MiB 1mib 99999999999; do refused 2 "--max-size does not take '$bad'" nip cache clean --max-size "$bad"; done
  refused 5 'there is no nip.lock' nip cache clean --all --keep-locked
  refused 2 "'nip cache' needs a second word" nip cache
  refused 2 "'nip cache' knows no 'clear'" nip cache clear
  says "did you mean 'nip cache clean'?"
  refused 2 "does not take 'more'" nip cache list more
  [ -e "$STORE/$(file_of 0.1.0)" ]
}

@test "others may use it meanwhile: cleaning, fetching and verifying at once" {
  cached 0.1.0
  for i in 1 2 3 4 5 6; do
    nip cache clean --all >"clean$i" 2>&1 3>&- &
    nip fetch local/hello --registry file:reg --out "copy$i" >"fetch$i" 2>&1 3>&- &
    nip cache verify >"verify$i" 2>&1 3>&- &
  done
  for job in $(jobs -p); do wait "$job" || { cat clean* fetch* verify*; return 1; }; done
  for i in 1 2 3 4 5 6; do cmp "copy$i" hello-0.1.0.npl; done
  ok nip cache verify
  no_leftovers "$HOME"
}

@test "a cache that cannot be written is said by clean and no trouble for the rest" {
  [ "$(id -u)" -eq 0 ] || skip 'needs root to become somebody else'
  cached 0.1.0
  chmod a+rx "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR" "$W" "$HOME"
  chmod -R a+rX "$HOME/.cache"
  user() { setpriv --reuid=65534 --regid=65534 --clear-groups env NIP_CACHE="$HOME/.cache/nip" HOME=/nonexistent "$@"; }
  user test -x "$RUMPK_SDK/bin/nip" || skip 'the SDK lies in a folder that others may not enter'
  ok user "$RUMPK_SDK/bin/nip" cache list
  ok user "$RUMPK_SDK/bin/nip" cache verify
  refused 7 "cannot remove $STORE" user "$RUMPK_SDK/bin/nip" cache clean --all
}
