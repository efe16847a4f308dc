#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: what is published can be fetched by anybody and replaced by nobody; no registry is trusted.
# Method: folder registries, changed behind nip's back.

load common

# another VERSION: the version of the project in this folder becomes VERSION.
another() { sed -i "s/version=\"[^\"]*\"/version=\"$1\"/" npl.kdl; }

@test "publish builds, packs, signs, creates the registry, and names the next command" {
  new_hello
  make_key
  ok nip publish --registry file:../reg
  says 'created    registry file:../reg (freshness none'
  says 'published  local/hello 0.1.0'
  names_next 'cd .. && nip new --image box'
  skopeo inspect --raw oci:../reg/local/hello:0.1.0 | python3 -c 'import json,sys; assert json.load(sys.stdin)["artifactType"] == "application/vnd.rumpk.npl.v1"'
  no_leftovers . ../reg
}

@test "publish without a key makes nothing and names the repair" {
  new_hello
  refused 5 "there is no secret key 'default'" nip publish --registry file:../reg
  says 'nip key new'
  [ ! -e ../reg ]
}

@test "a version that exists is never replaced" {
  published_hello
  cp -r ../reg ../before
  refused 6 'is in file:../reg already, and a version is never replaced' nip publish --registry file:../reg
  says 'raise version in npl.kdl'
  diff -r ../before ../reg
  another 0.2.0
  ok nip publish --registry file:../reg
}

@test "publish takes a package that was signed before" {
  new_hello
  ok nip pack
  minisign -GW -p ../mini.pub -s ../mini.key >/dev/null
  minisign -S -s ../mini.key -t 'npl 1 local/hello 0.1.0' -m build/pack/digests -x ../sig >/dev/null </dev/null
  ok nip sign --import ../sig --key ../mini.pub
  ok nip publish --registry file:../reg --key ../mini.pub
  says_not 'signed     '
}

@test "addresses: a foreign folder, a file, another scheme, no scheme, an unknown alias, none" {
  new_hello
  make_key
  mkdir ../photos
  echo x >../photos/cat.jpg
  refused 6 'photos' nip publish --registry file:../photos
  [ "$(ls -A ../photos)" = cat.jpg ]
  refused 6 'is not a folder' nip publish --registry file:npl.kdl
  refused 8 'reaches registries that are folders' nip publish --registry https://example.org/reg
  refused 2 'write --registry file:../reg' nip publish --registry ../reg
  refused 5 "there is no registry with the alias 'work'" nip publish --registry work
  says 'known here: sdk'
  refused 2 'which registry?' nip publish
  refused 5 'there is no registry at file:../missing' nip fetch local/hello --registry file:../missing
}

@test "fetch checks before it writes, and never replaces a file" {
  published_hello
  cd "$W"
  ok nip fetch local/hello --registry file:reg
  ok nip verify hello-0.1.0.npl
  refused 6 '' nip fetch local/hello --registry file:reg
  says '--out FILE'
  ok nip fetch local/hello@0.1.0 --registry file:reg --out other.npl
  cmp hello-0.1.0.npl other.npl
  refused 5 'has no version 9.0.0' nip fetch local/hello@9.0.0 --registry file:reg
  says 'it has: 0.1.0'
  refused 5 'local/nothing' nip fetch local/nothing --registry file:reg
  refused 3 'is no package name' nip fetch hello --registry file:reg
}

@test "fetch takes the highest release, by order of versions and not of letters" {
  new_hello
  make_key
  for version in 0.9.0 0.10.0 0.11.0-rc.1; do
    another $version
    ok nip publish --registry file:../reg
  done
  cd "$W"
  ok nip fetch local/hello --registry file:reg
  [ -e hello-0.10.0.npl ]
}

@test "a changed blob is refused" {
  published_hello
  cd "$W"
  blob=reg/local/hello/blobs/sha256/$(sha256sum hello/build/hello-0.1.0.npl | cut -d" " -f1)
  printf '\xff' | dd of="$blob" bs=1 seek=3000 conv=notrunc status=none
  refused 3 '' nip fetch local/hello --registry file:reg
  [ ! -e hello-0.1.0.npl ]
}

@test "a package under a foreign version is refused" {
  published_hello
  cd "$W"
  # The registry claims that 0.1.0 is 7.0.0: the blob is valid, the manifest lies.
  python3 - <<'PY'
import hashlib, json, os
base = "reg/local/hello"
index = json.load(open(base + "/index.json"))
old = index["manifests"][0]
text = open(base + "/blobs/sha256/" + old["digest"][7:]).read().replace('"0.1.0"', '"7.0.0"')
digest = hashlib.sha256(text.encode()).hexdigest()
open(base + "/blobs/sha256/" + digest, "w").write(text)
old.update(digest="sha256:" + digest, size=len(text))
old["annotations"]["org.opencontainers.image.ref.name"] = "7.0.0"
json.dump(index, open(base + "/index.json", "w"), separators=(",", ":"))
PY
  refused 3 '' nip fetch local/hello@7.0.0 --registry file:reg
}

@test "repair rebuilds the index from the manifests" {
  published_hello
  another 0.2.0
  ok nip publish --registry file:../reg
  cd "$W"
  cp reg/local/hello/index.json before
  rm reg/local/hello/index.json
  ok nip registry repair file:reg
  says '1 packages looked at, 1 repaired'
  cmp before reg/local/hello/index.json
  ok nip registry repair file:reg
  says '1 packages looked at, 0 repaired'
}

@test "sixteen publishers of sixteen versions at once all succeed" {
  new_hello
  make_key
  ok nip build
  for i in {1..16}; do
    cp -r "$W/hello" "$W/h$i"
    (cd "$W/h$i" && another 0.1.$i)
  done
  for i in {1..16}; do
    nip -q -C "$W/h$i" publish --registry file:../reg >"$W/log$i" 2>&1 &
  done
  wait
  cd "$W"
  for i in {1..16}; do
    skopeo inspect --raw oci:reg/local/hello:0.1.$i >/dev/null
  done
  # What belongs beside each of them is there too.
  [ "$(grep -o '"sha256-[0-9a-f]*"' reg/local/hello/index.json | sort -u | wc -l)" -eq 16 ]
  for i in 1 16; do ok nip fetch local/hello@0.1.$i --registry file:reg --source; done
}

@test "of sixteen publishers of one version exactly one succeeds" {
  new_hello
  make_key
  ok nip build
  for i in {1..16}; do
    cp -r "$W/hello" "$W/h$i"
    echo "// $i" >>"$W/h$i/src/main.c"
  done
  for i in {1..16}; do
    (s=0; nip -q -C "$W/h$i" publish --registry file:../reg >"$W/log$i" 2>&1 || s=$?; echo $s >"$W/status$i") &
  done
  wait
  [ "$(cat "$W"/status* | grep -cx 0)" -eq 1 ]
  [ "$(cat "$W"/status* | grep -cx 6)" -eq 15 ]
  cd "$W"
  ok nip fetch local/hello --registry file:reg
}

@test "security-version rises by one at most" {
  published_hello
  another 0.2.0
  sed -i 's/security-version 1/security-version 3/' npl.kdl
  refused 3 'security-version goes from 1' nip publish --registry file:../reg
  says 'write security-version 2'
  sed -i 's/security-version 3/security-version 2/' npl.kdl
  ok nip publish --registry file:../reg
}

@test "an older security-version is not taken back" {
  published_hello
  another 0.2.0
  sed -i 's/security-version 1/security-version 2/' npl.kdl
  ok nip publish --registry file:../reg
  new_box
  ok nip add local/hello --registry file:../reg
  refused 4 'has security-version 1; this project has accepted 2 already' nip add local/hello@0.1.0
}
