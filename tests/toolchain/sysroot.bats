# SPDX-License-Identifier: Apache-2.0
#
# Goal: the foreign libraries are what they claim: right answers, no floating point in the kernel's,
# hard float in the drivers', nothing that the kernel or libnpl does not define.
bats_require_minimum_version 1.5.0
load common.bash

setup() {
  sdk=$RUMPK_SDK
  libs=$RUMPK_TOP/build/kernel-libs
  cd "$BATS_TEST_TMPDIR"
}

@test "the kernel's libsodium gives the known answers" {
  # Only its sodium headers: the rest of that folder would hide the host's C library.
  mkdir include
  cp -R "$libs/x86_64/include/sodium" "$libs/x86_64/include/sodium.h" include/
  gcc -O1 -no-pie -Wall -Wextra -Werror -Iinclude "$BATS_TEST_DIRNAME/vectors.c" \
    "$libs/x86_64/lib/libsodium.a" -Wl,--gc-sections -o vectors
  ./vectors
}

@test "the kernel's libraries use no floating-point or vector register" {
  for arch in "${archs[@]}"; do
    case $arch in
      riscv64) registers='\b(f[ast]?[0-9]+|v[0-9]+),' ;;
      aarch64) registers='\b([qdshv][0-9]+(\.[0-9]*[bhsd])?),' ;;
      x86_64) registers='%([xyz]mm[0-9]|mm[0-9]|st)' ;;
    esac
    for library in libsodium libfdt; do
      llvm-objdump-19 -d --no-show-raw-insn "$libs/$arch/lib/$library.a" >code
      [ "$(wc -l <code)" -gt 500 ]
      run grep -nE "$registers" code
      [ "$status" = 1 ]
    done
    # The same pattern does find them where they are allowed.
    llvm-objdump-19 -d --no-show-raw-insn "$sdk/share/rumpk/sysroot/$arch-unknown-rumpk-elf/lib/libclang_rt.builtins.a" |
      grep -qE "$registers"
  done
}

@test "float ABI: soft for the kernel, hard for drivers" {
  for object in "$libs/riscv64/lib/libsodium.a" "$libs/riscv64/lib/libfdt.a"; do
    llvm-readelf-19 -h "$object" >header
    grep -q "Flags" header
    run ! grep -q "double-float ABI" header
  done
  for library in libc libsodium libclang_rt.builtins libnpl; do
    llvm-readelf-19 -h "$sdk/share/rumpk/sysroot/riscv64-unknown-rumpk-elf/lib/$library.a" |
      grep '^ *Flags' | sort | uniq -c >flags
    [ "$(wc -l <flags)" = 1 ]
    grep -q 'double-float ABI' flags
  done
}

@test "the kernel's libraries ask the kernel for the four mem functions only" {
  for arch in "${archs[@]}"; do
    cat >link.ld <<'LD'
SECTIONS { . = 0x100000; .text : { *(.text*) } .rodata : { *(.rodata* .srodata*) } .data : { *(.data* .sdata*) } .bss : { *(.bss* .sbss*) } }
LD
    cat >use.c <<'C'
#include <libfdt.h>
#include <sodium.h>
int use(unsigned char *bytes);
int use(unsigned char *bytes)
{
    crypto_generichash(bytes, 32, bytes, 9, bytes, 16);
    crypto_shorthash(bytes, bytes, 9, bytes);
    crypto_hash_sha512(bytes, bytes, 9);
    return crypto_sign_verify_detached(bytes, bytes, 9, bytes) + fdt_check_full(bytes, 64) +
           crypto_core_ed25519_is_valid_point(bytes) + fdt_path_offset(bytes, "/cpus");
}
C
    clang-19 --no-default-config "--config=$libs/$arch/kernel.cfg" -Os -isystem "$libs/$arch/include" -c use.c -o use.o
    ld.lld-19 -T link.ld -e use --gc-sections --unresolved-symbols=ignore-all use.o -L "$libs/$arch/lib" -lsodium -lfdt -o use.elf
    run ld.lld-19 -T link.ld -e use --gc-sections use.o -L "$libs/$arch/lib" -lsodium -lfdt -o use.elf
    echo "$output" | sed -nE 's/.*undefined symbol: //p' | sort -u >undefined
    cat undefined
    [ "$(comm -23 undefined <(printf '%s\n' memcmp memcpy memmove memset))" = '' ]
    # Small enough for a kernel that aims below 128 KiB.
    size=$(llvm-size-19 use.elf | awk 'NR == 2 { print $1 + $2 }')
    echo "$arch: $size bytes"
    [ "$size" -lt 49152 ]
  done
}

@test "libnpl defines everything that libc leaves open" {
  for arch in "${archs[@]}"; do
    cat >use.c <<'C'
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
int npl_main(void);
int npl_main(void)
{
    char *bytes = malloc(10);

    assert(bytes != NULL);
    bytes = realloc(bytes, 20);
    printf("%p\n", (void *)bytes);
    puts("end");
    free(bytes);
    free(calloc(2, 3));
    free(aligned_alloc(16, 32));
    if (bytes == NULL)
        abort();
    exit(1);
}
C
    compile "$arch" use.c use.o
    link "$arch" use.elf use.o
  done
}

@test "what libc declares can be linked, on all three alike" {
  for arch in "${archs[@]}"; do
    include=$sdk/share/rumpk/sysroot/$arch-unknown-rumpk-elf/include
    {
      for header in assert ctype errno inttypes limits stdbit stdckdint stdint stdio stdlib string strings; do
        echo "#include <$header.h>"
      done
      echo 'int npl_main(void); extern const void *const table[]; const void *const table[] = {'
      grep -hE '^[a-z_].* [*]?[a-z_A-Z0-9]+\(.*__NOEXCEPT;' "$include"/{ctype,inttypes,stdio,stdlib,string,strings}.h |
        sed -nE 's/^[^(]*[ *]([a-z_A-Z0-9]+)\(.*/\1/p' | sort -u >"$arch.names"
      sed 's/.*/    (const void *)&,/' "$arch.names"
      echo '}; int npl_main(void) { return table[0] == NULL; }'
    } >all.c
    [ "$(wc -l <"$arch.names")" -gt 90 ]
    compile "$arch" all.c all.o -Wno-pedantic
    link "$arch" all.elf all.o
  done
  cmp riscv64.names aarch64.names
  cmp riscv64.names x86_64.names
}
