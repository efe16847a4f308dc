# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Shared by the suites of this folder: where the SDK copy lies and how a driver is built by hand.
: "${RUMPK_TOP:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}"
: "${RUMPK_SDK:=$RUMPK_TOP/build/sdk}"
archs=(riscv64 aarch64 x86_64)

# The same command lines as docs/ gives to authors. compile ARCH SOURCE OBJECT [FLAGS...]
compile() {
  local arch=$1 source=$2 object=$3
  shift 3
  clang-19 --no-default-config "--config=$sdk/share/rumpk/toolchain/$arch-unknown-rumpk-elf.cfg" \
    -std=c23 -O2 -Wall -Wextra -Wpedantic -Werror "$@" -c "$source" -o "$object"
}

# link ARCH ELF OBJECTS...
link() {
  local triple=$1-unknown-rumpk-elf elf=$2
  shift 2
  ld.lld-19 "@$sdk/share/rumpk/toolchain/$triple.ldflags" -T "$sdk/share/rumpk/toolchain/$triple.ld" \
    -L "$sdk/share/rumpk/sysroot/$triple/lib" -o "$elf" "$@"
}
