#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: the members of a workspace decide together: one nip.lock and one nip.trust.kdl at its root, one
# version of a class for all, the same answer from every member and from the root. Method: members at several
# depths that link small libraries; locks compared as bytes; what lies in members is listed.

load common
load libraries

# member FOLDER LIBRARY...: a driver there that calls a function of each library and asks for none yet.
member() {
  local folder=$1
  shift
  mkdir -p "$(dirname "$W/space/$folder")"
  (cd "$(dirname "$W/space/$folder")" && nip -q new "$(basename "$folder")") || return 1
  cd "$W/space/$folder" || return 1
  sed -i 's/"aarch64" "riscv64" "x86_64"/"x86_64"/' npl.kdl
  uses "$@"
  cd "$W/space" || return 1
}

# asks FOLDER "NAME VERSION"...: what its npl.kdl asks for.
asks() {
  local folder=$1
  shift
  { echo 'dependencies {'
    for one in "$@"; do echo "    library \"acme/${one% *}\" \"${one#* }\" registry=\"reg\""; done
    echo '}'; } >>"$W/space/$folder/npl.kdl"
}

# A workspace of two drivers, and the registry that they take libraries from.
space() {
  begin
  published ring 1.2.0
  published ring 1.3.0
  published ring 2.0.0
  published queue 1.0.0 'ring 1.2'
  mkdir "$W/space"
  cd "$W/space" || return 1
  printf 'workspace {\n    member "one"\n    member "deep/*/*"\n}\n' >nip.workspace.kdl
  sed 's,file:../reg,file:../reg,' "$W/trust" >nip.trust.kdl
  member one ring
  member deep/down/two ring queue
}

# plain FOLDER: its driver links nothing.
plain() { (cd "$1" && uses); }

# only_at_root: no member has decisions of its own.
only_at_root() {
  local found
  found=$(find "$W/space" -mindepth 2 \( -name nip.lock -o -name nip.trust.kdl -o -name .nip.pending \))
  [ -z "$found" ] || { echo "in a member: $found"; return 1; }
}

@test "one lock at the root: chosen for all members, the same from each of them, never rewritten" {
  space
  asks one 'ring 1.2'
  asks deep/down/two 'ring 1.3' 'queue 1'
  ok nip build
  says 'built 2 members of the workspace'
  only_at_root
  [ "$(grep -c '^package "acme/ring"' nip.lock)" -eq 1 ]
  grep -q 'package "acme/ring" version="1.3.0"' nip.lock
  grep -aq ring-1.3.0-here one/build/x86_64/driver.elf
  cp nip.lock "$W/lock"
  for place in one deep/down/two; do
    rm -rf $place/build
    ok nip -C $place build --locked
    ok nip -C $place fetch
    ok nip -C $place tree
    says 'acme/ring 1.3.0 (reg)'
    cmp nip.lock "$W/lock"
  done
  # Another computer, another member first.
  cp -r "$W/space" "$W/reg" "$HOME" "$BATS_TEST_TMPDIR/bin" "$BATS_TEST_TMPDIR/tmp"
  rm "$TMPDIR/space/nip.lock"
  ok nip -C "$TMPDIR/space/one" build
  cmp "$TMPDIR/space/nip.lock" "$W/lock"
  rm -rf "$TMPDIR/space" "$TMPDIR/reg" "$TMPDIR/home"
  # What one member asks for changes the answer for all; --locked says so in each of them.
  sed -i 's/"acme\/ring" "1.2"/"acme\/ring" "1.4"/' one/npl.kdl
  refused 3 'nip.lock is no answer' nip -C deep/down/two build --locked
  refused 5 'no version of acme/ring fits 1.4.0 or later in class 1' nip -C deep/down/two build
  says 'the workspace -> local/one 0.1.0'
  cmp nip.lock "$W/lock"
  no_leftovers . "$HOME"
}

@test "without network and registry, in a member and at the root: nothing asks for a socket" {
  space
  asks one 'ring 1.2'
  asks deep/down/two 'queue 1'
  ok nip fetch
  cp nip.lock "$W/lock"
  mv ../reg ../gone
  for place in . one; do
    rm -rf one/build deep/down/two/build
    ASAN_OPTIONS=detect_leaks=0 ok unshare --net --map-root-user strace -f -e trace=socket,connect -o "$W/trace" nip -C $place build --frozen
    absent 'socket(' "$W/trace"
    absent 'connect(' "$W/trace"
    cmp nip.lock "$W/lock"
  done
  forget_cache
  rm -rf one/build
  refused 8 '--offline forbids it' nip -C one build --offline
}

@test "add, update, remove, why, tree, outdated and audit, in a member and at the root" {
  space
  rm nip.trust.kdl
  FINGERPRINT=$(nip key show | grep -o '[0-9a-f]\{64\}')
  # An address is given from where one stands, and noted from where the trust file is.
  ok nip -C deep/down/two add acme/queue --registry file:../../../../reg --trust "$FINGERPRINT"
  grep -q 'registry "reg" url="file:../reg"' nip.trust.kdl
  ok nip -C one add acme/ring@1.2.0 --trust "$FINGERPRINT"
  only_at_root
  make_key other
  ok nip key trust 'else/*' other
  ok nip -C one key trust 'more/*' other
  for name in 'else/\*' 'more/\*'; do grep -q "publisher \"$name\"" nip.trust.kdl; done
  refused 2 'in which member?' nip add acme/ring
  refused 2 'in which member?' nip remove acme/ring
  says 'nip -C MEMBER remove NAME'
  ok nip tree
  says 'member     deep/down/two'
  says 'acme/queue 1.0.0 (reg)'
  nip tree --json 2>/dev/null | python3 -c '
import json, sys
names = [p["name"] for p in json.load(sys.stdin)["packages"]]
assert names.count("acme/ring") == 2 and "local/one" in names and "local/two" in names, names'
  ok nip why acme/ring
  says 'local/two 0.1.0 -> acme/queue 1.0.0 -> acme/ring [1.2 or later]'
  says 'local/one 0.1.0 -> acme/ring [1.2.0 or later]'
  refused 5 'is no part of any member' nip why acme/none
  for place in . one; do
    ok nip -C $place outdated
    [[ "$output" == *acme/ring*1.2.0*1.3.0*2.0.0* ]]
    ok nip -C $place audit
    says 'nothing is known against any package'
  done
  ok nip update acme/ring
  says 'member     one'
  says_not 'member     deep'
  grep -q '"acme/ring" "1.3.0"' one/npl.kdl
  refused 5 'no member of the workspace asks for acme/none' nip update acme/none
  ok nip update
  ok nip -C deep/down/two remove acme/queue
  absent acme/queue nip.lock
  grep -q 'package "acme/ring" version="1.3.0"' nip.lock
  ok nip -C one remove acme/ring
  absent acme nip.lock
  only_at_root
  no_leftovers . "$HOME"
}

@test "two classes: fine in two members, refused in one, by its name; nothing changes" {
  space
  asks one 'ring 2'
  asks deep/down/two 'queue 1'
  ok nip build
  [ "$(grep -c '^package "acme/ring"' nip.lock)" -eq 2 ]
  grep -aq ring-2.0.0-here one/build/x86_64/driver.elf
  cp nip.lock "$W/lock"
  cp deep/down/two/npl.kdl "$W/npl.kdl"
  refused 6 'member deep/down/two: acme/ring would be linked in two versions' nip -C deep/down/two add acme/ring@2.0.0 --registry reg
  cmp nip.lock "$W/lock"
  cmp deep/down/two/npl.kdl "$W/npl.kdl"
  # A change of one member that breaks another is refused too.
  published queue 1.1.0 'ring 2'
  cd "$W/space"
  sed -i '/dependencies/,$d' deep/down/two/npl.kdl
  asks deep/down/two 'queue 1' 'ring 1.2'
  ok nip build
  cp nip.lock "$W/lock"
  refused 6 'member deep/down/two: acme/ring would be linked in two versions' nip -C one add acme/queue@1.1.0 --registry reg
  cmp nip.lock "$W/lock"
  absent acme/queue one/npl.kdl
}

@test "members contradict each other about a registry, a name, or what can be linked" {
  space
  asks one 'ring 1.2'
  cp one/npl.kdl "$W/npl.kdl"
  asks deep/down/two 'ring 1.2'
  sed -i 's/registry="reg"/registry="work"/' one/npl.kdl
  refused 6 "takes acme/ring from the registry" nip build
  says 'a name belongs to one registry'
  cp "$W/npl.kdl" one
  sed -i 's/local\/one/local\/two/' one/npl.kdl
  refused 6 'local/two is in two places of the workspace' nip build
  cp "$W/npl.kdl" one
  echo 'override "local/one" path="elsewhere"' >>nip.workspace.kdl
  refused 6 'local/one is in two places of the workspace' nip build
  sed -i '/^override/d' nip.workspace.kdl
  sed -i 's/acme\/ring" "1.2/local\/two" "0.1/' one/npl.kdl
  refused 3 'local/two is a driver and cannot be linked' nip build
  [ ! -e nip.lock ]
}

@test "decisions of the time before are refused, with what to do, until they are moved" {
  space
  asks one 'ring 1.2'
  plain deep/down/two
  mv nip.trust.kdl one/nip.trust.kdl
  echo 'lock 0' >one/nip.lock
  refused 6 'one/nip.lock is of the time before this project was a member of the workspace' nip build
  says 'members share nip.lock: remove one/nip.lock'
  refused 6 'nip.lock is of the time before' nip -C one fetch
  rm one/nip.lock
  refused 6 'nip.trust.kdl is of the time before' nip -C one build
  says 'move the lines that are still wanted there'
  [ ! -e nip.lock ]
  mv one/nip.trust.kdl .
  ok nip -C one build
  only_at_root
}

@test "members that link each other and what is published: local work has a path from the root" {
  space
  mkdir lib
  sed -i 's/member "one"/member "one"\n    member "lib\/*"/' nip.workspace.kdl
  rm -r "$W/ring"
  library ring 1.2.5
  mv "$W/ring" lib/ring
  asks one 'ring 1.2'
  asks deep/down/two 'queue 1'
  ok nip build
  says 'built 3 members'
  grep -q 'path "lib/ring"' nip.lock
  grep -aq ring-1.2.5-here one/build/x86_64/driver.elf
  grep -aq ring-1.2.5-here deep/down/two/build/x86_64/driver.elf
  cp nip.lock "$W/lock"
  ok nip -C one build --frozen
  cmp nip.lock "$W/lock"
  # What links local work is not published; another member is.
  refused 4 'acme/ring' nip -C one publish --registry file:../../reg
  sed -i '/dependencies/,$d' deep/down/two/npl.kdl
  plain deep/down/two
  ok nip -C deep/down/two publish --registry reg
  ok nip -C lib/ring publish --registry file:../../../reg
  [ -e ../reg/local/two/index.json ]
  only_at_root
}

@test "images are members like others: what one of them holds another one keeps" {
  space
  sed -i 's/member "one"/member "*"/' nip.workspace.kdl
  asks one 'ring 1.3'
  plain deep/down/two
  ok nip build
  ok nip -C one publish --registry reg
  for box in box boxes; do
    ok nip new --image $box
    [ ! -e $box/nip.lock ]
    ok nip -C $box add local/one --registry reg --yes
  done
  ok nip -C box add --path ../deep/down/two --yes
  grep -q 'path "deep/down/two"' nip.lock
  ok nip -C box image --arch x86_64
  ok nip -C boxes image --arch x86_64 --locked
  for name in acme/ring local/one rumpk/kernel rumpk/uart-16550; do grep -q "^package \"$name\"" nip.lock; done
  cp nip.lock "$W/lock"
  ok nip build --locked
  ok nip -C one update
  cmp nip.lock "$W/lock"
  ok nip -C boxes remove local/one
  cmp nip.lock "$W/lock"
  ok nip -C box remove local/one
  absent 'local/one' nip.lock
  grep -q '^package "acme/ring"' nip.lock
  ok nip -C box remove local/two
  absent 'deep/down/two' nip.lock
  ok nip update
  ok nip fetch
  ok nip build --locked
  only_at_root
}

# pending CONTENT-FILE NAME...: changes that a dead nip left behind at the root, one content for all.
pending() {
  local content=$1 size
  size=$(stat -c %s "$content")
  shift
  { echo 'nip-pending 1'
    for name in "$@"; do printf '%s %s\n' "$name" "$size"; cat "$content"; echo; done
    echo end; } >.nip.pending
  b2sum -l 256 .nip.pending | cut -d' ' -f1 >>.nip.pending
}

@test "what a dead nip left behind is completed from every member; hostile leftovers change nothing" {
  space
  asks one 'ring 1.2'
  plain deep/down/two
  ok nip build
  { cat one/npl.kdl; echo '// later'; } >"$W/later"
  pending "$W/later" one/npl.kdl deep/down/two/npl.kdl
  cp deep/down/two/npl.kdl "$W/two.kdl"
  (cd deep/down/two && ok nip version)
  [ ! -e .nip.pending ]
  for place in one deep/down/two; do cmp $place/npl.kdl "$W/later"; done
  cp "$W/two.kdl" deep/down/two/npl.kdl
  find . -type f ! -path '*/build/*' -exec sha256sum {} + | sort >"$W/before"
  mkdir "$W/elsewhere"
  ln -s "$W/elsewhere" away
  for name in ../elsewhere/npl.kdl /etc/npl.kdl deep/npl.kdl one/../one/npl.kdl ./one/npl.kdl away/npl.kdl one/src/main.c \
    one/nip.lock nip.workspace.kdl 'one/npl.kdl ' ''; do
    pending "$W/later" "$name"
    (cd one && refused 3 'is damaged' nip version)
  done
  pending "$W/later" one/npl.kdl one/npl.kdl
  refused 3 'is damaged' nip version
  pending "$W/later" one/npl.kdl
  cp .nip.pending "$W/pending"
  for size in $(seq 0 37 "$(stat -c %s "$W/pending")"); do
    head -c "$size" "$W/pending" >.nip.pending
    refused 3 'is damaged' nip version
  done
  # Not a file of this user: a link, a folder, a FIFO, somebody else's.
  rm .nip.pending
  ln -s "$W/pending" .nip.pending
  refused 4 'is no file that nip has written' nip version
  rm .nip.pending
  mkdir .nip.pending
  refused 4 'is no file that nip has written' nip version
  rmdir .nip.pending
  mkfifo .nip.pending
  refused 4 'is no file that nip has written' nip version
  rm .nip.pending
  if [ "$(id -u)" -eq 0 ]; then
    # Files of root are trusted by everybody, those of others by nobody else.
    cp "$W/pending" .nip.pending
    chown 65534 .nip.pending
    refused 4 'belongs to another user' nip version
  fi
  rm -f .nip.pending away
  find . -type f ! -path '*/build/*' -exec sha256sum {} + | sort >"$W/after"
  diff "$W/before" "$W/after"
}
