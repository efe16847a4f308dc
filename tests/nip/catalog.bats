#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: search, info and owner show what is known, and never show as known what is not: an unverified package says
# nothing of itself, a key that only a registry names is called so, yanks are hints. Method: a registry with two
# publishers, one of them known; then one lie of the registry at a time.

load common

# described TEXT: the package of this folder says it.
described() {
  sed -i "s|description \".*\"|description \"$1\"|" npl.kdl
}

# Two packages of two users: ours (local/hello, with the key 'default') and a stranger's (acme/clock).
two_publishers() {
  new_hello
  described 'greets the world'
  make_key
  ok nip publish --registry file:../reg
  cd "$W"
  ok nip new acme/clock
  cd clock
  described 'tells the time'
  export XDG_DATA_HOME=$W/stranger
  make_key
  STRANGER=$(nip key show --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["keys"][0]["fingerprint"])')
  ok nip publish --registry file:../reg
  cp "$W/stranger/rumpk/keys/default.pub" "$W/clock.pub"
  unset XDG_DATA_HOME
  cd "$W"
}

field() { # field PYTHON: of the JSON in $output
  python3 -c "import json,sys; r = json.loads(sys.argv[1]); print(($1))" "$output"
}

@test "search: every word, in name or description, in every registry that is known" {
  two_publishers
  ok nip search --registry file:reg
  says 'local/hello 0.1.0'
  says 'greets the world'
  says 'your own key default'
  says 'acme/clock 0.1.0'
  says "a key that nobody here vouches for, fingerprint $STRANGER"
  ok nip search GREETS hello --registry file:reg
  says 'local/hello'
  says_not 'acme/clock'
  ok nip search greets clock --registry file:reg
  says 'nothing fits in the 1 registry'
  ok nip search virtio block
  says 'rumpk/virtio-blk'
  says 'the key of this SDK'
  new_box
  printf 'registry "ours" url="file:../reg"\nregistry "gone" url="file:../nothing"\n' >nip.trust.kdl
  ok nip search clock
  says "warning: the registry 'gone' is left out: there is no registry at file:../nothing"
  says 'acme/clock 0.1.0  (ours)'
  ok nip key trust acme/clock "$W/clock.pub"
  ok nip search clock
  says 'a key that nip.trust.kdl accepts for it'
  ok nip key revoke acme/clock "$W/clock.pub" --reason stolen
  ok nip search clock
  says 'a key that is revoked here'
  refused 5 'there is no registry at file:../nothing' nip search --registry gone
  refused 2 "'../reg' is neither an alias nor an address" nip search --registry ../reg
  ok nip search --offline clock
  says "the registry 'ours' is left out"
}

@test "search and info: what a registry has changed says nothing of itself" {
  two_publishers
  index=reg/acme/clock/index.json
  cp -r reg whole
  blob=reg/acme/clock/blobs/sha256/$(sha256sum clock/build/clock-0.1.0.npl | cut -d' ' -f1)
  printf x | dd of="$blob" bs=1 seek=3000 conv=notrunc status=none
  ok nip search --registry file:reg
  says 'acme/clock 0.1.0'
  says 'not verified:'
  says_not 'tells the time'
  ok nip search clock --json --registry file:reg
  [ "$(field 'r["packages"][0]["standing"], r["packages"][0].get("description")')" = "('unverified', None)" ]
  refused 3 'is damaged' nip info acme/clock --registry file:reg
  # Its keys are gone, or other ones: then nobody can say who has signed.
  rm -rf reg && cp -r whole reg
  rm reg/acme/clock/publishers/*
  ok nip search clock --registry file:reg
  says 'not verified:'
  refused 4 'acme/clock 0.1.0' nip info acme/clock --registry file:reg
  says "name the publisher's with --key"
  ok nip info acme/clock --registry file:reg --key clock.pub
  says 'tells the time'
  # One package under the name of another.
  rm -rf reg && cp -r whole reg
  rm -rf reg/acme/clock && cp -r reg/local/hello reg/acme/clock
  ok nip search --registry file:reg
  says_not 'acme/clock 0.1.0  (reg)
  greets'
  says 'not verified:'
  [ -e "$index" ]
}

@test "info: the facts of a package, from lock, registry, file and folder" {
  two_publishers
  cd clock
  sed -i 's/0\.1\.0/0.2.0/' npl.kdl
  XDG_DATA_HOME=$W/stranger ok nip publish --registry file:../reg
  cd "$W"
  ok nip yank acme/clock@0.1.0 --registry file:reg --reason 'is late'
  ok nip info acme/clock --registry file:reg
  says 'acme/clock 0.2.0 (driver)'
  says 'a key that nothing here vouches for, only its registry'
  says "key fingerprint   $STRANGER"
  says '0.1.0 ('
  says ', yanked: is late'
  says 'the word of the registry reg'
  says 'runs '
  says 'restart '
  ok nip info acme/clock@0.1.0 --registry file:reg
  says 'acme/clock 0.1.0 (driver)'
  ok nip info acme/clock --registry file:reg --json
  [ "$(field 'r["info"]["known_key"], r["info"]["source"], [v["yanked"] for v in r["info"]["hints"]["versions"]]')" = "(False, 'registry', [True, False])" ]
  refused 5 'has no version 0.3.0 of acme/clock' nip info acme/clock@0.3.0 --registry file:reg
  says 'it has: 0.1.0, 0.2.0'
  refused 5 'no registry that is known here has acme/clock' nip info acme/clock
  says 'nip search clock'
  refused 3 "'clock' is no package name" nip info clock
  # A file: verified by what is known here, or by the key that is named.
  refused 4 'clock-0.2.0.npl' nip info clock/build/clock-0.2.0.npl
  says 'nip info clock/build/clock-0.2.0.npl --key FILE.pub'
  ok nip info clock/build/clock-0.2.0.npl --key clock.pub
  says 'the key that was asked for'
  refused 5 'nothing.npl' nip info nothing.npl
  # What nip.lock names, also without its registry.
  new_box
  ok nip add local/hello --registry file:../reg
  ok nip info local/hello
  says 'in nip.lock       0.1.0'
  mv ../reg ../away
  ok nip info local/hello
  says 'warning: what the registry says is not shown'
  says 'greets the world'
  ok nip image --arch riscv64
  refused 3 'is an image, no package' nip info ./build/box-riscv64.elf
  mv ../away ../reg
  ok nip remove local/hello
  ok nip add --path ../hello --yes
  ok nip info local/hello
  says 'nobody: local work in ../hello, built each time'
  printf 'registry "one" url="file:../reg"\nregistry "two" url="file:%s"\n' "$W/reg" >nip.trust.kdl
  refused 6 '2 registries have acme/clock' nip info acme/clock
  says '--registry one or --registry two'
}

@test "owner: project, lock and registries are kept apart" {
  two_publishers
  ok nip owner acme/clock --registry file:reg
  says 'this project (nip.trust.kdl): nothing is said about acme/clock'
  says 'a hint, it decides nothing'
  says "fingerprint $STRANGER"
  says 'has signed 0.1.0'
  says 'nip key rotate acme/clock'
  ok nip owner local/hello --registry file:reg
  says 'your key default'
  new_box
  ok nip add acme/clock --registry file:../reg --trust "$STRANGER" --yes
  ok nip owner acme/clock
  says 'the line for acme/clock): 1 of these 1 must have signed'
  says 'nip.lock, version 0.1.0: accepted under'
  # A key that the registry makes up owns nothing.
  make_key liar
  cp "$HOME/.local/share/rumpk/keys/liar.pub" ../reg/acme/clock/publishers/"$(printf 'a%.0s' {1..64})".pub
  ok nip owner acme/clock --json
  [ "$(field 'len(r["owner"]["trust"]["keys"]), sorted((k["here"], k["has_signed"]) for k in r["owner"]["registries"][0]["keys"])')" = \
    "(1, [('accepted', True), ('unknown', False)])" ]
  ok nip key revoke acme/clock "$W/clock.pub" --reason stolen --keep-locked
  ok nip owner acme/clock
  says 'revoked here, for acme/clock: stolen'
  refused 2 'a name has owners, a version has none' nip owner acme/clock@0.1.0
  refused 3 'is no package name' nip owner clock
  ok nip owner acme/nothing
  says 'no registry that is known here has acme/nothing'
}
