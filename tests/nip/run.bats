#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Goal: nip run shows what a machine that prints nothing itself did, and the whole first-hour path works on
# every architecture. Method: the emulator, with a limit on everything.

load common

ARCHES='riscv64 aarch64 x86_64'

@test "nip run in a driver project asks for nothing and prints hello" {
  new_hello
  ok timeout 100 nip run
  says 'hello from local/hello'
  says 'ended       local/hello 0.1.0: exit code 0'
  names_next 'nip key new'
  [ "$(stat -c %a "$HOME/.local/share/rumpk/development.key")" = 600 ]
  no_leftovers .
  make_key
  ok timeout 100 nip run
  names_next 'nip publish'
}

@test "the path of the first hour, on every architecture" {
  published_hello
  new_box
  ok nip add local/hello --registry file:../reg
  ok timeout 200 nip run --arch all
  for arch in $ARCHES; do says "$arch: powered off"; done
  [ "$(grep -c '^hello from local/hello' <<<"$output")" -eq 3 ]
  [ "$(grep -c 'ended       local/hello 0.1.0: exit code 0' <<<"$output")" -eq 3 ]
}

@test "a fault is told with function and line, a failing driver with its code; the status says it" {
  new_hello
  sed -i 's|    npl_print.*|    *(volatile int *)8 = 1;|' src/main.c
  for arch in $ARCHES; do
    refused 1 'faulted     local/hello 0.1.0: WRITE' timeout 100 nip run --arch $arch
    says 'in npl_main (src/main.c:8)'
  done
  sed -i 's|    \*(volatile int \*)8 = 1;|    return 7;|' src/main.c
  refused 1 'ended       local/hello 0.1.0: exit code 7' timeout 100 nip run
}

@test "another machine by its name, and names that no machine has" {
  new_hello
  ok timeout 200 nip run --machine q35
  says 'booting    x86_64, q35'
  says 'hello from local/hello'
  says 'x86_64: powered off'
  ok timeout 200 nip run --machine virt-gic3
  says 'aarch64: powered off'
  timeout 100 nip --json run --machine q35 2>said </dev/null | grep -q '"machine": "q35"'
  grep -q 'hello from local/hello' said
  refused 2 "aarch64 has no machine 'q35'" nip run --arch all --machine q35
  says 'one of: virt, virt-gic3, virt-pci'
  refused 2 "riscv64 has no machine 'q35'" nip run --arch riscv64 --machine q35
  says 'one of: virt, virt-pci'
  for name in '' q 'Q35' ../riscv64 "$(printf 'q%.0s' {1..5000})"; do
    refused 2 'has no machine' nip run --arch x86_64 --machine "$name"
    says 'one of: microvm, microvm-pci, q35'
  done
  ok nip new --image box
  cd box
  ok timeout 200 nip image --arch x86_64
  ok timeout 200 nip run build/box-x86_64.elf --machine q35
  says 'booting    x86_64, q35'
  refused 2 "x86_64 has no machine 'virt'" timeout 100 nip run build/box-x86_64.elf --machine virt
}

@test "a pledge in the manifest holds from the first instruction, on every architecture" {
  new_hello
  cat >src/main.c <<'C'
#include <npl/npl.h>
int npl_main(void)
{
    static const char state[1] = "s";
    struct rumpk_meta_self self;
    npl_call(RUMPK_CALL_META, RUMPK_META_SELF, (uintptr_t)&self, sizeof self, 0);
    npl_printf("classes %x, checkpoint %d\n", (unsigned)(self.pledge & RUMPK_PLEDGE_CLASSES),
               (int)npl_call(RUMPK_CALL_CHECKPOINT, (uintptr_t)state, sizeof state, 0, 0));
    return 0;
}
C
  printf 'runtime { pledge "stdio" "map" "control"; restart "never"; budget "2ms" }\n' >>npl.kdl
  ok timeout 200 nip run --arch all
  [ "$(grep -c '^classes 121, checkpoint -7' <<<"$output")" -eq 3 ]
}

@test "the report as JSON" {
  new_hello
  timeout 100 nip --json run --arch riscv64 >out.json 2>said </dev/null
  grep -q 'hello from local/hello' said
  python3 - <<'PY'
import json
r = json.load(open("out.json"))
assert r["schema"] == "nip-run-1"
run = r["runs"][0]
assert run["arch"] == "riscv64" and run["end"] == "powered off" and run["first_driver_us"] > 0
mine = [p for p in run["packages"] if p["name"] == "local/hello"][0]
assert mine["outcome"] == "ended" and mine["started"] is True
PY
}

@test "providers of what a driver needs come from the SDK, with a disk" {
  ok nip new reader
  cd reader
  sed -i 's/    service "console".*/&\n    service "block" 1 style="service"/' npl.kdl
  head -c 65536 /dev/urandom >disk.img
  ok timeout 100 nip run --disk disk.img --arch riscv64
  says 'rumpk/virtio-blk'
  sed -i 's/service "block" 1/service "blokc" 1/' npl.kdl
  refused 6 'nothing in the SDK offers it' timeout 100 nip run --arch riscv64
}

@test "disks of zero or odd size, and ones that are not there" {
  new_hello
  : >empty.img
  head -c 1000 /dev/zero >odd.img
  refused 3 'has 0 bytes; a disk is a whole number of sectors' nip run --disk empty.img
  refused 3 'has 1000 bytes' nip run --disk odd.img
  refused 5 'there is no disk file no.img' nip run --disk no.img
}

@test "a missing emulator, a wrong memory size, a wrong time" {
  new_hello
  refused 2 "--memory does not take 'lots'" nip run --memory lots
  refused 2 "--timeout does not take '0'" nip run --timeout 0
  mkdir "$W/tools"
  for tool in clang-19 ld.lld-19 llvm-objcopy-19 llvm-ar-19 nip; do ln -s "$(command -v $tool)" "$W/tools/$tool"; done
  PATH=$W/tools refused 7 'qemu-system-riscv64' "$W/tools/nip" run --arch riscv64
  says 'apt-get install'
}

@test "a machine that would end before nip listens is heard all the same" {
  new_hello
  ok nip build
  # nip stands still for two seconds from the moment that the emulator starts.
  cat >"$BATS_TEST_TMPDIR/bin/qemu-system-x86_64" <<SH
#!/bin/sh
kill -STOP \$PPID
(sleep 2; kill -CONT \$PPID) >/dev/null 2>&1 3>&- &
exec $(command -v qemu-system-x86_64) "\$@"
SH
  chmod +x "$BATS_TEST_TMPDIR/bin/qemu-system-x86_64"
  ok timeout 100 nip run --arch x86_64
  says 'powered off'
}

@test "a machine that does not end is ended by the time limit and by Ctrl-C" {
  published_hello
  new_box
  sed -i 's/on-idle "power-off"/on-idle "stay"/' image.kdl
  ok nip add local/hello --registry file:../reg
  ok timeout 100 nip run --arch x86_64 --timeout 3
  says 'stopped by the time limit'
  says 'ended       local/hello 0.1.0: exit code 0'
  run timeout -s INT 5 nip run --arch x86_64
  says 'stopped by Ctrl-C'
  says 'ended       local/hello 0.1.0'
  no_leftovers .
  [ -z "$(pgrep -u "$(id -u)" -f "$TMPDIR" || true)" ]
}

@test "a finished image boots as it is, and its kernel judges a changed one" {
  published_hello
  new_box
  ok nip add local/hello --registry file:../reg
  ok nip image --arch x86_64
  ok timeout 100 nip run build/box-x86_64.elf
  says 'hello from local/hello'
  # One bit in the driver of local/hello, as the archive holds it.
  python3 - <<'PY'
image = bytearray(open("build/box-x86_64.elf", "rb").read())
at = image.index(b"hello from local/hello")
image[at] ^= 1
open("bad.elf", "wb").write(image)
PY
  refused 1 'refused     local/hello' timeout 100 nip run bad.elf
  says 'ELF_DIGEST'
  says 'this image is not valid, and its kernel will judge it'
  refused 3 'is no image' nip run image.kdl
}

@test "--gdb waits for a debugger before the first instruction" {
  new_hello
  ok nip build --arch riscv64
  (timeout 60 nip run --arch riscv64 --gdb --timeout 30 >said 2>&1 </dev/null || true) &
  for _ in {1..100}; do
    grep -q '127.0.0.1:1234' said 2>/dev/null && break
    sleep 0.2
  done
  # A debugger's first words: asked why it stopped, the guest answers; then it is let go.
  python3 - <<'PY'
import socket, time
for attempt in range(50):
    try:
        s = socket.create_connection(("127.0.0.1", 1234), timeout=10)
        break
    except OSError:
        time.sleep(0.2)
def packet(text): return b"$" + text + b"#%02x" % (sum(text) % 256)
s.sendall(packet(b"?"))
answer = b""
while b"#" not in answer:
    answer += s.recv(1024)
assert b"$T" in answer or b"$S" in answer, answer
s.sendall(b"+" + packet(b"c"))
time.sleep(2)
PY
  wait
  grep -q 'hello from local/hello' said
}
