#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: whose signature counts is decided by the project alone, and two keys are two keys. Method: one
# package, signed by several, each signature repeated, mislabelled or missing in turn; statements that
# lack one signature; minisign as the other party.

load common

keys() { echo "$HOME/.local/share/rumpk/keys"; }

# signed_hello KEY...: a package of this kind, signed with the first key, further ones beside it.
signed_hello() {
  new_hello
  make_key "$@"
  ok nip pack
  ok nip sign --key "$1"
  F=build/hello-0.1.0.npl
}

# keys_of NAMES...: makes them all.
more_keys() {
  local name
  for name in "$@"; do make_key "$name"; done
}

# image_keys THRESHOLD NAME...: what the image of the last command says about local/hello.
image_keys() {
  local names=() name threshold=$1
  shift
  for name in "$@"; do names+=("$(keys)/$name.pub"); done
  python3 - "$output" "$threshold" "${names[@]}" <<'PYTHON'
import base64, hashlib, json, sys
package = next(p for p in json.loads(sys.argv[1])["image"]["packages"] if p["name"] == "local/hello")
prints = [hashlib.blake2b(base64.b64decode(open(f).read().split("\n")[1])[10:], digest_size=32).hexdigest() for f in sys.argv[3:]]
assert package["threshold"] == int(sys.argv[2]) and sorted(package["keys"]) == sorted(prints), package
assert package["key_fingerprint"] == prints[0], package
PYTHON
}

# accept_two: this project asks for a and b.
accept_two() {
  ok nip key trust local/hello a b --threshold 2
}

@test "a threshold of two is met by two keys, and verify names which ones count" {
  signed_hello a
  more_keys b c
  accept_two
  refused 4 '1 of the accepted keys have signed, and nip.trust.kdl asks for 2' nip verify $F
  says 'signature inside counts'
  ok nip sign $F --key b
  says "signed $F: $F.1.minisig"
  ok nip verify $F
  says '2 of the keys that nip.trust.kdl accepts have signed; it asks for 2'
  cp $F before
  ok nip sign $F --key c
  cmp $F before
  ok nip verify $F
  says 'beside (2)  (unknown key)  does not count: made by no key that is accepted'
  ok nip verify $F --json
  python3 -c 'import json,sys; t = json.loads(sys.argv[1])["package"]["trust"]; assert t["met"] and t["counted"] == 2 and [s["verdict"] for s in t["signatures"]] == ["counts", "counts", "unknown"]' "$output"
}

@test "one key does not become two: signed twice, repeated, renamed, written under another id" {
  signed_hello a
  more_keys b
  accept_two
  refused 6 'this key has signed already' nip sign $F --key a
  [ ! -e $F.1.minisig ]
  # The signature inside, once more beside it.
  zstd -dqc $F | tar -xO digests.minisig >$F.1.minisig
  cp $F.1.minisig $F.2.minisig
  refused 4 'does not count: the same key has signed already' nip verify $F
  # The same bytes of a key under another id.
  python3 - "$(keys)/a.pub" <<'PY'
import base64, sys
blob = bytearray(base64.b64decode(open(sys.argv[1]).read().split("\n")[1]))
blob[2] ^= 0xff
open("twin.pub", "w").write("untrusted comment: x\n" + base64.b64encode(blob).decode() + "\n")
PY
  A=$(sed -n 2p "$(keys)/a.pub") T=$(sed -n 2p twin.pub)
  printf 'publisher "local/hello" {\n    key "%s"\n    key "%s"\n    threshold 2\n}\n' "$A" "$T" >nip.trust.kdl
  refused 3 'under two key ids; ids do not count' nip verify $F
  says ' --> nip.trust.kdl:3:'
  rm nip.trust.kdl
  refused 2 '2 of 1 keys cannot sign' nip key trust local/hello a twin.pub --threshold 2
  [ ! -e nip.trust.kdl ]
}

@test "keys of small or mixed order and other spellings are refused wherever a key is given" {
  new_hello
  weak() { # weak HEX: it is refused as a file and as text
    python3 - "$1" <<'PY' >weak.pub
import base64, sys
print("untrusted comment: x\n" + base64.b64encode(b"Ed" + b"12345678" + bytes.fromhex(sys.argv[1])).decode())
PY
    refused 4 'not in the prime-order group or not canonically encoded' nip key trust local/hello ./weak.pub
    refused 4 'not in the prime-order group or not canonically encoded' nip key trust local/hello "$(sed -n 2p weak.pub)"
  }
  weak 0100000000000000000000000000000000000000000000000000000000000000
  weak 26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05
  weak 992de2a337c4035c5d6aec1d8b0d75efbcd2ab37bdd794be3b3222ebe4aff751
  weak edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
  [ ! -e nip.trust.kdl ]
}

@test "a line that is there is widened or replaced only when that is said" {
  signed_hello a
  more_keys b
  ok nip key trust local/hello a
  cp nip.trust.kdl before
  refused 6 'accepts other keys for local/hello already' nip key trust local/hello b
  says '--statement FILE'
  says '--replace --reason TEXT'
  refused 2 '--replace needs --reason' nip key trust local/hello b --replace
  refused 2 'two different things' nip key trust local/hello b --replace --add
  refused 2 'does not take' nip key trust local/hello b --add --threshold 0
  refused 2 '3 of 2 keys cannot sign' nip key trust local/hello b --add --threshold 3
  cmp nip.trust.kdl before
  ok nip key trust local/hello b --add --threshold 2
  says '2 of these 2 must sign'
  refused 2 'how many of them must sign?' nip key trust local/other a b
  ok nip key trust local/hello b --replace --reason 'a is lost; read b over the phone'
  grep -q 'reason "a is lost; read b over the phone"' nip.trust.kdl
  grep -q 'revoked "local/hello" key=' nip.trust.kdl
  refused 4 'not signed by any of the' nip verify $F
}

@test "a registry hands out further signatures, and add asks for the threshold" {
  signed_hello a
  more_keys b c
  ok nip publish --registry file:../reg --key a
  new_box
  accept_two
  refused 4 '1 of the accepted keys have signed' nip add local/hello --registry file:../reg
  [ -z "$(grep local/hello image.kdl)" ]
  ok nip sign local/hello --registry file:../reg --key c
  refused 4 '1 of the accepted keys have signed' nip add local/hello --registry file:../reg
  ok nip sign local/hello@0.1.0 --registry file:../reg --key b
  refused 6 'this key has signed already' nip sign local/hello --registry file:../reg --key b
  ok nip add local/hello --registry file:../reg
  # What was counted is kept, so that the threshold is met without the registry too, and asked again.
  ok nip image --arch riscv64
  mv ../reg ../away
  ok nip image --arch riscv64 --offline
  rm -r "$HOME/.cache/nip/signatures"
  refused 4 '1 of the accepted keys have signed' nip image --arch riscv64 --offline
  mv ../away ../reg
  # An OCI tool finds them as what refers to the package.
  digest=$(skopeo inspect --raw oci:../reg/local/hello:0.1.0 | sha256sum | cut -c1-64)
  skopeo inspect --raw "oci:../reg/local/hello:sha256-$digest" | python3 -c 'import json,sys; m = json.load(sys.stdin)["manifests"]; m = [x["artifactType"][22:] for x in m]; assert sorted(m) == ["beside.v1", "signature.v1", "signature.v1"], m'
  # The index is a cache of this too.
  cp ../reg/local/hello/index.json before
  rm ../reg/local/hello/index.json
  ok nip registry repair file:../reg
  cmp before ../reg/local/hello/index.json
  # A damaged one is noticed.
  blob=$(grep -l 'npl signature' -r ../reg/local/hello/blobs | head -1)
  printf X | dd of="$blob" bs=1 seek=3 conv=notrunc status=none
  refused 3 'damaged' nip fetch local/hello --registry file:../reg
  [ ! -e hello-0.1.0.npl ]
}

# locked_keys [NAMES...]: the lock names exactly the keys of these users for local/hello.
locked_keys() {
  local name
  for name in "$@"; do sed -n 2p "$(keys)/$name.pub"; done | sort >"$W/wanted"
  sed -n '/^package "local\/hello"/,/^}/s/^    key "\(.*\)"$/\1/p' nip.lock | sort | diff "$W/wanted" -
}

@test "nip.lock names every key that met the threshold, and each of them must still have signed" {
  signed_hello a
  more_keys b c
  ok nip sign $F --key b
  ok nip publish --registry file:../reg --key a
  new_box
  accept_two
  ok nip add local/hello --registry file:../reg
  locked_keys a b
  ok nip image --arch riscv64
  cp nip.lock "$W/two"
  # The image's own manifest names them too, and how many had to sign.
  cp build/box-riscv64.elf "$W/two.elf"
  ok nip verify "$W/two.elf"
  says 'local/hello 0.1.0  2 of the keys '
  ok nip verify "$W/two.elf" --json
  image_keys 2 a b
  ok nip inspect "$W/two.elf"
  says 'keys         2 of these 2 must sign'
  ok nip image --arch riscv64 --report
  says 'keys         2 of these 2 must sign'
  # One more that signs later changes no lock, with a full cache or an empty one.
  ok nip sign local/hello --registry file:../reg --key c
  ok nip key trust local/hello c --add --threshold 2
  forget_cache
  ok nip image --arch riscv64 --locked
  cmp nip.lock "$W/two"
  # Where the project asks for one more, one more is noted; --locked says so first.
  ok nip key trust local/hello c --replace --reason test
  ok nip image --arch riscv64 --locked
  cmp nip.lock "$W/two"
  rm nip.trust.kdl
  ok nip key trust local/hello a b c --threshold 3
  printf 'registry "reg" url="file:../reg"\n' >>nip.trust.kdl
  refused 3 'nip.lock would have to change, and --locked forbids it' nip image --arch riscv64 --locked
  cmp nip.lock "$W/two"
  ok nip image --arch riscv64
  locked_keys a b c
  ok nip diff "$W/two.elf" build/box-riscv64.elf
  says '- keys: keys that must have signed: 2 -> 3'
  ok nip --color always diff build/box-riscv64.elf "$W/two.elf"
  says $'\e[1;31m  + keys: keys that must have signed: 3 -> 2'
  # The owner of an image is not one of its publishers, first or second.
  refused 4 "also the publisher's key of local/hello" nip image --arch riscv64 --key a
  refused 4 "also the publisher's key of local/hello" nip image --arch riscv64 --key b
  ok nip diff "$W/two" nip.lock
  says '~ keys: now signed with the key'
  ok nip diff "$W/two" nip.lock --json
  python3 -c 'import json,sys; c = json.loads(sys.argv[1])["diff"]["changes"]; assert len(c) == 1 and "now signed with the key" in json.dumps(c), c' "$output"
  # Asking for fewer again takes no name out.
  cp nip.lock "$W/three"
  sed -i 's/threshold 3/threshold 2/' nip.trust.kdl
  ok nip image --arch riscv64 --locked
  cmp nip.lock "$W/three"
  # A lock of an older nip names the one inside: completed, or with --locked refused.
  awk -v key="$(sed -n 2p "$(keys)/a.pub")" '/^package/ {hello = /local\/hello/} !(hello && /^    key /) || index($0, key)' "$W/two" >nip.lock
  locked_keys a
  refused 3 'would have to change' nip image --arch riscv64 --locked
  ok nip image --arch riscv64
  locked_keys a b c
}

@test "a signature that the lock names and that is gone is missed, offline too" {
  signed_hello a
  more_keys b c
  ok nip sign $F --key b
  ok nip publish --registry file:../reg --key a
  cp -r ../reg ../two
  ok nip sign local/hello --registry file:../reg --key c
  new_box
  ok nip key trust local/hello a b c --threshold 2
  ok nip add local/hello --registry file:../reg
  locked_keys a b c
  cp nip.lock nip.trust.kdl image.kdl "$W"
  ok nip image --arch riscv64 --offline
  forget_cache
  rm -r ../reg
  mv ../two ../reg
  refused 3 "nip.lock says that the key $(sed -n 2p "$(keys)/c.pub") signed it" nip image --arch riscv64
  says 'a signature does not go away by itself'
  refused 3 'nip.lock says that the key' nip image --arch riscv64 --locked
  refused 3 'nip.lock says that the key' nip fetch
  run nip audit
  says 'nip.lock says that the key'
  for file in nip.lock nip.trust.kdl image.kdl; do cmp "$W/$file" $file; done
  # The cache holds two of the three that the lock names.
  sed -i "\|$(sed -n 2p "$(keys)/c.pub")|d" nip.lock
  ok nip fetch
  cp "$W/nip.lock" .
  refused 3 "run 'nip fetch' once without --offline" nip image --arch riscv64 --offline
  # Another name than that of who signed, when one key is asked for.
  sed -i 's/threshold 2/threshold 1/' nip.trust.kdl
  refused 3 'nip.lock says that the key' nip image --arch riscv64
  # A set is written in one way.
  python3 - <<'PY'
lines = open("nip.lock").read().split("\n")
keys = [i for i, line in enumerate(lines) if line.startswith("    key ")]
pair = next((a, b) for a, b in zip(keys, keys[1:]) if b == a + 1)
lines[pair[0]], lines[pair[1]] = lines[pair[1]], lines[pair[0]]
open("nip.lock", "w").write("\n".join(lines))
PY
  refused 3 'expected: a public key, greater than the one before it, and at most 8' nip image --arch riscv64
  says ' --> nip.lock:'
}

@test "publish takes along what lies beside the package" {
  signed_hello a
  more_keys b
  ok nip sign $F --key b
  cp $F.1.minisig $F.3.minisig
  sed -i 's/0\.1\.0/9.9.9/' $F.3.minisig
  ok nip publish --registry file:../reg --key a
  says "attached   $F.1.minisig"
  says "$F.3.minisig is over another package"
  new_box
  accept_two
  ok nip add local/hello --registry file:../reg
}

@test "minisign checks ours and makes theirs: packages, further signatures, statements" {
  signed_hello a
  minisign -GW -p m.pub -s m.key >/dev/null
  more_keys b
  ok nip sign $F --key b
  zstd -dqc $F | tar -xO digests >digests
  minisign -Vm digests -x $F.1.minisig -p "$(keys)/b.pub" >/dev/null
  minisign -S -s m.key -t 'npl 1 local/hello 0.1.0' -m digests -x theirs >/dev/null </dev/null
  refused 2 'which key made theirs?' nip sign $F --import theirs
  refused 4 '' nip sign $F --import theirs --key b
  ok nip sign $F --import theirs --key ./m.pub
  minisign -S -s m.key -t 'npl 1 local/hello 0.1.1' -m digests -x wrong >/dev/null </dev/null
  refused 4 'minisign -S -t "npl 1 local/hello 0.1.0"' nip sign $F --import wrong --key ./m.pub
  ok nip key trust local/hello a ./m.pub --threshold 2
  ok nip verify $F
  # A statement.
  ok nip key rotate local/hello --new b --new ./m.pub
  S=local-hello.rotation-1
  minisign -Vm $S -x $S.1.minisig -p "$(keys)/b.pub" >/dev/null
  refused 4 'is not signed by the new key' nip verify $S
  minisign -S -s m.key -t 'npl rotation 1 local/hello 1' -m $S -x theirs >/dev/null </dev/null
  ok nip sign $S --import theirs --key ./m.pub
  refused 4 'is signed by 1 of the keys that count now; 2 must sign' nip verify $S
  ok nip sign $S --key a
  ok nip verify $S
  ok nip key trust --statement $S
}

@test "a rotation is followed once, in order, and what was locked before stays valid" {
  signed_hello a
  more_keys b c
  ok nip publish --registry file:../reg --key a
  new_box
  ok nip add local/hello --registry file:../reg
  cp nip.trust.kdl before
  ok nip key rotate local/hello --old a --new b
  S=local-hello.rotation-1
  sed 's/serial 1/serial 2/' $S >changed
  for n in 1 2; do cp $S.$n.minisig changed.$n.minisig; done
  refused 4 '' nip key trust --statement changed
  rm $S.1.minisig
  refused 4 '' nip key trust --statement $S
  cmp before nip.trust.kdl
  ok nip sign $S --key a
  ok nip key trust --statement $S
  says 'rotation 1, 1 key(s), 1 must sign'
  grep -q 'rotation 1' nip.trust.kdl
  refused 3 'is not newer than rotation 1' nip key trust --statement $S
  # The package that nip.lock holds is still taken; anything else signed with the old key is not.
  ok nip image --arch riscv64
  (cd ../hello && sed -i 's/version="0.1.0"/version="0.2.0"/' npl.kdl && nip -q publish --registry file:../reg --key a)
  refused 4 'is not among the packages that stay valid' nip add local/hello@0.2.0 --registry file:../reg
  (cd ../hello && sed -i 's/version="0.2.0"/version="0.3.0"/' npl.kdl && nip -q publish --registry file:../reg --key b)
  ok nip add local/hello@0.3.0 --registry file:../reg
  # One that skips a step says so.
  ok nip key rotate local/hello --old c --new a --serial 3
  refused 3 'starts from other keys than nip.trust.kdl accepts' nip key trust --statement local-hello.rotation-3
}

@test "a revocation: by a statement with the threshold, or by a person with a reason" {
  signed_hello a
  more_keys b
  ID=$(nip inspect $F | sed -n 's/.*package id *//p')
  accept_two
  refused 2 'say why' nip key revoke local/hello a
  refused 2 '--keep does not take' nip key revoke local/hello a --keep 12 --reason x
  ok nip sign $F --key b
  ok nip verify $F
  ok nip key revoke local/hello a --keep "$ID" --out gone
  refused 4 'is signed by 1 of the keys that count now; 2 must sign' nip key trust --statement gone
  ok nip sign gone --key b
  ok nip inspect gone
  says "keep $ID"
  ok nip key trust --statement gone
  says '1 package(s) stay valid'
  ok nip verify $F
  says 'revoked key, but this package stays valid'
  # Whatever a person adds can only take more away.
  ok nip key revoke 'local/*' a --reason 'the laptop is gone'
  grep -q 'reason="the laptop is gone"' nip.trust.kdl
  refused 4 'not signed by any of the' nip verify $F
}

@test "statements that are damaged or of another kind are refused with their place" {
  signed_hello a
  ok nip key trust local/hello a
  make_key b
  ok nip key rotate local/hello --new b --out s
  refused 6 's' nip key rotate local/hello --new b --out s
  sed 's/threshold 1/threshold 01/' s >bad
  refused 3 'is not written in the one way' nip verify bad
  sed 's/threshold 1/treshold 1/' s >bad
  refused 3 ' --> bad:4' nip verify bad
  sed 's/rotation 1/rotation 2/' s >bad
  refused 3 'this nip knows version 1' nip verify bad
  refused 3 '' nip key trust --statement npl.kdl
  refused 2 'is named twice' nip key rotate local/hello --new b --new b
  refused 2 'which keys before' nip key rotate acme/x --new b
  refused 5 'has no line for' nip -C "$PWD" key trust --statement "$(nip -q key rotate local/x --old a --new b --out x; echo x)"
}

@test "first use: asks nobody in a pipe, takes the right fingerprint only, never a revoked key" {
  new_hello
  sed -i 's|local/hello|acme/hello|' npl.kdl
  make_key
  ok nip publish --registry file:../reg
  FP=$(nip key show default | sed -n 's/.*fingerprint //p')
  new_box
  refused 4 'there is no terminal to ask on' nip add acme/hello --registry file:../reg
  says "--trust $FP"
  refused 4 'not by the one that --trust names' nip add acme/hello --registry file:../reg --trust "${FP/?/0}x"
  [ ! -e nip.trust.kdl ] || absent acme nip.trust.kdl
  ok nip key revoke 'acme/*' default --reason 'read about it'
  refused 4 'says is revoked' nip add acme/hello --registry file:../reg --trust "$FP"
  rm nip.trust.kdl
  ok nip add acme/hello --registry file:../reg --trust "$FP"
  grep -q 'publisher "acme/hello" key=' nip.trust.kdl
}

@test "the development key is private, silent, and not for publishing or release" {
  new_hello
  ok nip run --arch riscv64
  D=$HOME/.local/share/rumpk/development.key
  [ "$(stat -c %a "$D")" = 600 ]
  says_not 'development.key'
  cp npl.kdl local.kdl
  sed -i 's|local/hello|acme/hello|' npl.kdl
  refused 4 'the development key is not for publishing acme/hello' nip publish --registry file:../reg --key "$D"
  [ ! -e ../reg/acme ]
  cp local.kdl npl.kdl
  ok nip publish --registry file:../reg --key "$D"
  more_keys owner
  new_box
  ok nip inspect ../hello/build/hello-0.1.0.npl
  says 'your development key (not for release)'
  ok nip fetch local/hello --registry file:../reg --trust "$(nip inspect ../hello/build/hello-0.1.0.npl --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["package"]["key_fingerprint"])')"
  ok nip add local/hello --registry file:../reg --trust "$(nip inspect ../hello/build/hello-0.1.0.npl --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["package"]["key_fingerprint"])')"
  refused 4 'development key: not for release' nip image --arch riscv64 --key owner
  chmod 644 "$D"
  refused 4 'may be read by others' nip -C ../hello run --arch riscv64
}

@test "who publishes is not who owns the image" {
  published_hello
  new_box
  ok nip add local/hello --registry file:../reg
  refused 4 "also the publisher's key of local/hello" nip image --arch riscv64 --key default
  says 'nip key new owner'
}
