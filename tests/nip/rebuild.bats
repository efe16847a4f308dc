#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: nip rebuild says equal exactly when the package is what its source gives, says what differs, and
# says why it cannot tell. Method: packages whose list was changed before they were signed.

load common

packed_hello() {
  new_hello
  make_key
  ok nip pack
}

# relist SED-PROGRAM: changes build/pack/digests and signs that.
relist() {
  sed -i "$1" build/pack/digests
  ok nip sign
}

@test "a package is what its source gives, wherever and whenever it was built" {
  new_hello
  make_key
  SOURCE_DATE_EPOCH=1000000000 ok nip pack
  ok nip sign
  mkdir "$W/elsewhere"
  cp build/hello-0.1.0.npl "$W/elsewhere"
  cp build/pack/source.tar "$W/elsewhere/hello-0.1.0.source.tar"
  ok nip rebuild build/hello-0.1.0.npl
  says 'equal: local/hello 0.1.0, package id '
  rm -rf "$W/hello"
  cd "$W/elsewhere"
  ok nip rebuild hello-0.1.0.npl
  says 'equal: '
  ok nip -q rebuild --json hello-0.1.0.npl
  echo "$output" | sed -n '/^{/,$p' | python3 -c 'import json,sys; r = json.load(sys.stdin); assert r["schema"] == "nip-rebuild-1" and r["rebuild"]["equal"] is True and r["rebuild"]["differences"] == []'
  no_leftovers .
  [ "$(ls)" = "$(printf 'hello-0.1.0.npl\nhello-0.1.0.source.tar')" ]
}

@test "neither network nor home is needed" {
  packed_hello
  ok nip sign
  chmod 700 "$HOME"
  if ! unshare -rn true 2>/dev/null; then skip 'no user namespaces here'; fi
  ASAN_OPTIONS=detect_leaks=0 ok env HOME=/nonexistent unshare -rn strace -f -e trace=socket,connect -o "$W/trace" \
    nip rebuild build/hello-0.1.0.npl --key "$HOME/.local/share/rumpk/keys/default.pub"
  says 'equal: '
  absent 'socket(' "$W/trace"
  absent 'connect(' "$W/trace"
}

@test "what differs is listed" {
  packed_hello
  printf 'more\n' >>build/pack/LICENSES/Apache-2.0.txt
  local path=build/pack/LICENSES/Apache-2.0.txt
  relist "s|^file [0-9a-f]* [0-9]* LICENSES/Apache-2.0.txt|file $(b2sum -l 256 $path | cut -d' ' -f1) $(stat -c %s $path) LICENSES/Apache-2.0.txt|"
  refused 3 'is not what its source gives: 1 difference(s)' nip rebuild build/hello-0.1.0.npl
  says "LICENSES/Apache-2.0.txt: $(stat -c %s $path) bytes"
  says 'help: do not use it before'
  run nip -q rebuild --json build/hello-0.1.0.npl
  [ "$status" -eq 3 ]
  says '"equal": false'
}

@test "a driver that other source gave is found" {
  packed_hello
  cp -r build/pack "$W/pack"
  printf 'int more;\n' >>src/main.c
  ok nip pack
  # The new binaries under the old source.
  cp "$W/pack/source.tar" build/pack/source.tar
  local old new
  old=$(sed -n 's/^source tar://p' "$W/pack/digests")
  new=$(sed -n 's/^source tar://p' build/pack/digests)
  relist "s/$new [0-9]*/$old $(stat -c %s build/pack/source.tar)/; s/^source tar:$new/source tar:$old/"
  refused 3 'is not what its source gives' nip rebuild build/hello-0.1.0.npl
  says 'riscv64/driver.elf: '
}

@test "another source archive, none, and another SDK are told apart" {
  packed_hello
  ok nip sign
  cp build/pack/source.tar "$W/other.tar"
  printf 'x' >>"$W/other.tar"
  refused 3 'is not the source archive that' nip rebuild build/hello-0.1.0.npl --source "$W/other.tar"
  cp build/hello-0.1.0.npl "$W/alone.npl"
  refused 5 'pack/source.tar' nip rebuild "$W/alone.npl"
  says '--source FILE'
  relist 's/^toolchain .*/toolchain rumpk-9.9.9/'
  refused 3 'not rebuildable here: ' nip rebuild build/hello-0.1.0.npl
  says 'was built with rumpk-9.9.9'
  ok nip fetch rumpk/kernel --out "$W/kernel.npl"
  refused 3 'records no source archive (source none)' nip rebuild "$W/kernel.npl"
  refused 3 '' nip rebuild npl.kdl
}

@test "a registry delivers source and debug files as they were signed; a published package is rebuilt from them" {
  published_hello
  mkdir "$W/away"
  cd "$W/away"
  ok nip rebuild local/hello@0.1.0 --registry file:../reg
  says 'equal: local/hello 0.1.0'
  ok nip fetch local/hello --registry file:../reg --source --debug
  [ "$(ls)" = "$(printf 'hello-0.1.0.%s\n' aarch64-driver.debug npl riscv64-driver.debug source.tar x86_64-driver.debug)" ]
  cmp hello-0.1.0.source.tar "$W/hello/build/pack/source.tar"
  cmp hello-0.1.0.riscv64-driver.debug "$W/hello/build/pack/riscv64/driver.debug"
  ok nip rebuild hello-0.1.0.npl
  says 'equal: '
  # All files or none, and none is replaced.
  rm hello-0.1.0.npl hello-0.1.0.source.tar
  refused 6 'aarch64-driver.debug' nip fetch local/hello --registry file:../reg --debug
  [ ! -e hello-0.1.0.npl ]
  refused 2 'of one package: which?' nip fetch --source
  # The layout stays readable for others, and complete when it is copied or its index lost.
  skopeo inspect --raw oci:../reg/local/hello:0.1.0 >/dev/null
  manifest=$(grep -l vnd.rumpk.beside.v1.file ../reg/local/hello/blobs/sha256/* | head -1)
  python3 - "$manifest" ../reg/local/hello/blobs/sha256 <<'PY'
import hashlib, json, os, sys
manifest = json.load(open(sys.argv[1]))
assert manifest["artifactType"] == "application/vnd.rumpk.beside.v1" and manifest["subject"]["digest"].startswith("sha256:")
titles = [layer["annotations"]["org.opencontainers.image.title"] for layer in manifest["layers"]]
assert titles == ["aarch64/driver.debug", "riscv64/driver.debug", "source.tar", "x86_64/driver.debug"], titles
for layer in manifest["layers"]:
    data = open(os.path.join(sys.argv[2], layer["digest"][7:]), "rb").read()
    assert len(data) == layer["size"] and hashlib.sha256(data).hexdigest() == layer["digest"][7:]
PY
  cp ../reg/local/hello/index.json "$W/index"
  rm ../reg/local/hello/index.json
  ok nip registry repair file:../reg
  cmp "$W/index" ../reg/local/hello/index.json
  # Something else under the same name is refused before a byte of it is unpacked; without it the package is as before.
  source=../reg/local/hello/blobs/sha256/$(sha256sum "$W/hello/build/pack/source.tar" | cut -d' ' -f1)
  printf 'x' | dd of="$source" bs=1 seek=700 conv=notrunc status=none
  refused 3 'is damaged' nip rebuild local/hello@0.1.0 --registry file:../reg
  rm "$source"
  refused 5 '--source FILE' nip rebuild local/hello@0.1.0 --registry file:../reg
  ok nip rebuild local/hello@0.1.0 --registry file:../reg --source "$W/hello/build/pack/source.tar"
  ok nip fetch local/hello --registry file:../reg --out again.npl
  ok nip fetch rumpk/virtio-blk --source
  ok nip rebuild rumpk/virtio-blk
  says 'equal: rumpk/virtio-blk'
  no_leftovers . ../reg
}
