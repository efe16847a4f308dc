#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: nip test runs what a package brings, tells what failed and why, and writes it for programs. Method:
# projects fresh from their templates, then with a mistake of each kind.

load common

from_template() {
  ok nip new --template "$1" thing
  cd thing || return 1
}

@test "the service template passes its tests here and on every architecture" {
  from_template service
  ok timeout 300 nip test --junit build/tests.xml
  says 'passed     host            a_client_is_served'
  for arch in aarch64 riscv64 x86_64; do says "kernel.$arch"; done
  says '5 tests, 0 failed'
  names_next 'nip check'
  python3 - <<'PY'
import xml.etree.ElementTree as tree
suite = tree.parse("build/tests.xml").getroot()
assert suite.get("tests") == "5" and suite.get("failures") == "0", suite.attrib
assert {case.get("classname") for case in suite} == {"host", "kernel.aarch64", "kernel.riscv64", "kernel.x86_64"}
PY
  no_leftovers .
}

@test "the other templates pass theirs" {
  for template in driver virtio mmio library; do
    from_template $template
    ok timeout 300 nip test --arch riscv64
    says ' 0 failed'
    cd ..
    rm -rf thing
  done
}

@test "a case that fails, a program that dies, and memory misuse are told with what they said" {
  from_template service
  sed -i 's/"hello\\n") != 0)/"hallo\\n") != 0)/' test/test_service.c
  refused 1 '1 of 2 tests failed' nip test --host
  says 'failed     host            a_client_is_served'
  says 'passed     host            without_a_client_it_ends'
  run nip --json test --host --junit build/tests.xml </dev/null
  [ "$status" -eq 1 ]
  grep -q '<failure>' build/tests.xml
  nip --json test --host 2>/dev/null | python3 -c '
import json, sys
r = json.load(sys.stdin)
assert r["schema"] == "nip-test-1" and r["failed"] == 1 and r["passed"] == 1
assert [c["case"] for c in r["cases"] if not c["passed"]] == ["a_client_is_served"]'
  sed -i 's/"hallo/"hello/; s|    struct greeter greeter = {|    char *wild = malloc(4); wild[4] = 1; free(wild);\n&|' test/test_service.c src/main.c
  sed -i 's/#include <string.h>/#include <stdlib.h>\n#include <string.h>/' src/main.c
  refused 1 'tests failed' nip test --host
  says 'runtime error: store to address'
}

@test "a test in the emulator that fails or faults is told; its manifest may be its own" {
  from_template service
  sed -i 's/"hello\\n") == 0/"hallo\\n") == 0/' test/kernel/greet.c
  refused 1 '1 of 3 tests failed' timeout 200 nip test --arch riscv64
  says 'ended local/test-greet: exit code 3'
  sed -i 's|    return strcmp.*|    *(volatile int *)8 = 1;\n    return 0;|' test/kernel/greet.c
  refused 1 '1 of 3 tests failed' timeout 200 nip test --arch riscv64
  says 'faulted local/test-greet: WRITE'
  rm test/kernel/greet.c
  printf '#include <npl/npl.h>\nint npl_main(void) { return 0; }\n' >test/kernel/quiet.c
  cat >test/kernel/quiet.kdl <<'K'
package "local/test-quiet" version="0.1.0" {
    kind "driver"; security-version 1; abi 1; license "Apache-2.0"; arch "riscv64" "aarch64" "x86_64"
}
runtime { heap "8KiB" }
K
  ok timeout 200 nip test --arch riscv64
  says 'quiet'
  mv test/kernel/quiet.c test/kernel/Quiet.c
  refused 3 'a test cannot be called test/kernel/Quiet.c' timeout 200 nip test --arch riscv64
}

@test "a project without tests, and test code that does not compile" {
  from_template library
  rm -r test
  refused 5 'there is nothing to test' nip test
  mkdir test
  echo 'int main(void) { return x; }' >test/test_a.c
  refused 1 'compiling the tests failed' nip test
  says 'undeclared identifier'
  [ ! -e build/test/host/tests ]
  refused 2 'exclude each other' nip test --host --arch riscv64
}
