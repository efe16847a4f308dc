#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: docs/json.md is what programs get. Method: every reporting command, its actual output compared with the
# page; every schema in the sources stands there.

load common

DOC=$BATS_TEST_DIRNAME/../../docs/json.md
CHECK=$BATS_TEST_DIRNAME/json_check.py

# fits SCHEMA COMMAND...: standard output is one report of that schema.
fits() {
  local schema=$1 seen
  shift
  "$@" >report.json 2>errors </dev/null || { echo "failed: $*"; cat errors; return 1; }
  seen=$(python3 "$CHECK" "$DOC" <report.json 2>&1) || { echo "$* --> $seen"; cat report.json; return 1; }
  [ "$seen" = "$schema" ] || { echo "$*: $seen, not $schema"; return 1; }
}

@test "every schema of the sources is documented, and none else" {
  ok python3 "$CHECK" "$DOC" --sources "$BATS_TEST_DIRNAME"/../../nip/cli/*.c
}

@test "the checker finds what is missing, added or of another type" {
  for bad in '{"schema":"nip-keys-1"}' '{"schema":"nip-keys-1","keys":[],"more":1}' '{"schema":"nip-keys-1","keys":{}}' \
    '{"schema":"nip-keys-2","keys":[]}' '{"schema":"nip-keys-1","keys":[{"name":"a","key":"b","fingerprint":"c"}]}'; do
    run python3 "$CHECK" "$DOC" <<<"$bad"
    [ "$status" -ne 0 ] || { echo "accepted: $bad"; return 1; }
  done
  python3 "$CHECK" "$DOC" <<<'{"schema":"nip-keys-1","keys":[]}'
}

@test "reports of keys, packages, statements of difference, doctor and rebuild" {
  published_hello
  fits nip-keys-1 nip key show --json
  fits nip-inspect-1 nip inspect build/hello-0.1.0.npl --json
  ok nip key trust local/hello default
  fits nip-inspect-1 nip verify build/hello-0.1.0.npl --json
  fits nip-diff-1 nip diff build/hello-0.1.0.npl build/hello-0.1.0.npl --json
  fits nip-doctor-1 nip doctor --json
  fits nip-check-1 nip check --json
  fits nip-size-1 nip size --json
  fits nip-rebuild-1 nip rebuild build/hello-0.1.0.npl --json
}

@test "every command stands in the table, with schemas that are on the page" {
  nip help | sed -nE 's/^  ([a-z]+( [a-z]+)?)  +[A-Z].*/\1/p' | sort >commands
  sed -nE 's/^\| `nip ([a-z ]+)` \| .*/\1/p' "$DOC" | sort >listed
  diff -u commands listed
  sed -nE 's/^\| `nip [a-z ]+` \| (.*) \|$/\1/p' "$DOC" | grep -oE 'nip-[a-z]+-[0-9]+' | sort -u >named
  sed -nE 's/^```json (nip-[a-z]+-[0-9]+)$/\1/p' "$DOC" | sort -u >shown
  diff -u named shown
}

# silent COMMAND...: it works, and with --json standard output stays empty.
silent() {
  "$@" --json >out 2>errors </dev/null || { echo "failed: $*"; cat errors; return 1; }
  [ ! -s out ] || { echo "on standard output: $*"; cat out; return 1; }
}

@test "commands without a report leave standard output empty" {
  make_key
  make_key next
  silent nip new hello
  cd hello
  silent nip build
  fits nip-pack-1 nip pack --json
  silent nip sign
  silent nip publish --registry file:../reg
  sed -i 's/0\.1\.0/0.2.0/' npl.kdl
  silent nip publish --registry file:../reg
  silent nip key rotate local/hello --old default --new next
  fits nip-statement-1 nip inspect local-hello.rotation-1 --json
  cd "$W"
  silent nip fetch local/hello --registry file:reg
  silent nip new --image box
  cd box
  silent nip add local/hello@0.1.0 --registry file:../reg --yes
  silent nip update --yes
  silent nip fetch
  silent nip key trust 'acme/*' next
  silent nip key revoke 'acme/*' next --reason old
  fits nip-statement-1 nip verify ../hello/local-hello.rotation-1 --json
  silent nip yank local/hello@0.1.0 --registry file:../reg
  silent nip remove local/hello
}

@test "reports of registries and the cache" {
  published_hello
  (cd "$W" && ok nip fetch local/hello --registry file:reg)
  fits nip-fmt-1 nip fmt --check --json
  fits nip-version-1 nip version --json
  fits nip-repair-1 nip registry repair file:../reg --json
  fits nip-keys-1 nip key new another --no-password --json
  fits nip-search-1 nip search --json
  fits nip-info-1 nip info local/hello --registry file:../reg --json
  fits nip-info-1 nip info build/hello-0.1.0.npl --json
  fits nip-owner-1 nip owner local/hello --registry file:../reg --json
  fits nip-cache-1 nip cache list --json
  fits nip-cache-1 nip cache size --json
  fits nip-cache-1 nip cache verify --json
  fits nip-clean-1 nip cache clean --all --json
}

@test "reports of images, machines, trees and locks" {
  published_hello
  new_box
  cp nip.lock before.lock
  ok nip add local/hello --registry file:../reg
  ok nip -C .. new --template service svc
  fits nip-test-1 nip -C ../svc test --host --json
  fits nip-images-1 nip image --arch riscv64 --json
  fits nip-inspect-1 nip inspect build/box-riscv64.elf --json
  fits nip-run-1 nip run --arch riscv64 --json
  fits nip-diff-1 nip diff before.lock nip.lock --json
  fits nip-tree-1 nip tree --json
  fits nip-why-1 nip why local/hello --json
  fits nip-info-1 nip info local/hello --json
  fits nip-owner-1 nip owner local/hello --json
  ok nip remove local/hello
  ok nip add --path ../svc --yes
  fits nip-info-1 nip info local/svc --json
  fits nip-outdated-1 nip outdated --json
  fits nip-audit-1 nip audit --json
}
