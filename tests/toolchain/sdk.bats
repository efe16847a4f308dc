# SPDX-License-Identifier: Apache-2.0
#
# Goal: a driver can be built with nothing but the installed SDK, wherever it lies, and what comes out
# has the shape that the kernel demands. Method: copy the SDK to a path with a space, build with
# plain CMake, plain make, Meson and with bare clang + ld.lld, look at the result with readelf.
bats_require_minimum_version 1.5.0
load common.bash

setup_file() {
  mkdir -p "$BATS_FILE_TMPDIR/an sdk"
  cp -a "${RUMPK_SDK:-$BATS_TEST_DIRNAME/../../build/sdk}" "$BATS_FILE_TMPDIR/an sdk/rumpk"
}

setup() {
  sdk="$BATS_FILE_TMPDIR/an sdk/rumpk"
  cd "$BATS_TEST_TMPDIR"
}

@test "bare clang and ld.lld build a driver for each architecture" {
  for arch in "${archs[@]}"; do
    compile "$arch" "$BATS_TEST_DIRNAME/driver/driver.c" "$arch.o"
    link "$arch" "$arch.elf" "$arch.o"
    [ -s "$arch.elf" ]
  done
}

@test "plain CMake builds a driver for each architecture" {
  for arch in "${archs[@]}"; do
    cmake -G Ninja -S "$BATS_TEST_DIRNAME/driver" -B "b $arch" -DCMAKE_BUILD_TYPE=Release \
      "-DCMAKE_TOOLCHAIN_FILE=$sdk/share/rumpk/toolchain/$arch-unknown-rumpk-elf.cmake"
    ninja -C "b $arch"
    llvm-readelf-19 -h "b $arch/driver.elf" | grep -q 'Type: *DYN'
  done
}

@test "plain make builds a driver for each architecture" {
  cp "$BATS_TEST_DIRNAME/driver/driver.c" "$BATS_TEST_DIRNAME/driver/Makefile" .
  for arch in "${archs[@]}"; do
    make "SHARE=$sdk/share/rumpk" ARCH="$arch"
    llvm-readelf-19 -h "$arch/driver.elf" | grep -q 'Type: *DYN'
  done
}

@test "Meson builds a driver for each architecture, the same bytes from two folders" {
  for arch in "${archs[@]}"; do
    cross="$sdk/share/rumpk/toolchain/$arch-unknown-rumpk-elf.meson"
    for folder in one "two longer"; do
      mkdir -p "$folder"
      cp "$BATS_TEST_DIRNAME/driver/driver.c" "$BATS_TEST_DIRNAME/driver/meson.build" "$folder"
      PATH="$sdk/bin:$PATH" meson setup "$folder/$arch" "$folder" --cross-file "$cross"
      PATH="$sdk/bin:$PATH" ninja -C "$folder/$arch"
    done
    llvm-readelf-19 -h "one/$arch/driver.elf" | grep -q 'Type: *DYN'
    llvm-readelf-19 -nW "one/$arch/driver.elf" | grep -q 'Rumpk'
    cmp "one/$arch/driver.elf" "two longer/$arch/driver.elf"
  done
}

@test "one program each for compiler and linker, from PATH, through a link, and by make" {
  mkdir links
  for arch in "${archs[@]}"; do
    local triple=$arch-unknown-rumpk-elf
    compile "$arch" "$BATS_TEST_DIRNAME/driver/driver.c" "$arch.o"
    link "$arch" "$arch.elf" "$arch.o"
    ln -s "$sdk/bin/$triple-clang" "$sdk/bin/$triple-ld" links/
    PATH="$PWD/links:$PATH" CPATH=/usr/include $triple-clang -std=c23 -O2 -Wall -Wextra -Wpedantic -Werror \
      -c "$BATS_TEST_DIRNAME/driver/driver.c" -o "$arch-program.o"
    PATH="$PWD/links:$PATH" $triple-ld -o "$arch-program.elf" "$arch-program.o"
    cmp "$arch.o" "$arch-program.o"
    cmp "$arch.elf" "$arch-program.elf"
  done
}

@test "nip builds a driver for each architecture, the same bytes from two folders" {
  export HOME=$PWD/home XDG_DATA_HOME=$PWD/data
  unset RUMPK_SDK
  mkdir -p home one "two longer"
  for folder in one "two longer"; do
    "$sdk/bin/nip" -C "$folder" new hello
    "$sdk/bin/nip" -C "$folder/hello" build
  done
  for arch in "${archs[@]}"; do
    [ -s "one/hello/build/$arch/driver.elf" ]
    cmp "one/hello/build/$arch/driver.elf" "two longer/hello/build/$arch/driver.elf"
    cmp "one/hello/build/$arch/driver.debug" "two longer/hello/build/$arch/driver.debug"
  done
}

# readelf prints: Type Offset VirtAddr PhysAddr FileSiz MemSiz Flg Align
segments() {
  llvm-readelf-19 -lW "$1" | sed -nE 's/^  (LOAD|DYNAMIC|NOTE|GNU_RELRO|GNU_STACK|INTERP|TLS|[A-Z_]+) +(0x[0-9a-f]+) (0x[0-9a-f]+) (0x[0-9a-f]+) (0x[0-9a-f]+) (0x[0-9a-f]+) ([RWE ]{3}) (0x[0-9a-f]+)$/\1 \2 \3 \4 \5 \6 \7 \8/p'
}

@test "segments: page-aligned, offset = address, four rights, never writable and executable" {
  for arch in "${archs[@]}"; do
    compile "$arch" "$BATS_TEST_DIRNAME/driver/driver.c" "$arch.o" -g
    link "$arch" "$arch.elf" "$arch.o"
    segments "$arch.elf" >segments
    cat segments
    [ "$(grep -c ^LOAD segments)" = 4 ]
    [ "$(cut -d' ' -f1 segments | sort -u | tr '\n' ' ')" = 'DYNAMIC GNU_RELRO GNU_STACK LOAD NOTE ' ]
    grep ^LOAD segments | while read -r _ offset address physical file_size memory_size flags; do
      [ $((offset % 4096)) = 0 ]
      [ $((offset)) = $((address)) ]
      [ $((address)) = $((physical)) ]
      [ $((file_size)) -le $((memory_size)) ]
      [ $((file_size)) -gt 0 ]
      case $flags in *W*E*) false ;; esac
      [ "${flags##* }" = 0x1000 ]
    done
    rights=$(grep ^LOAD segments | cut -d' ' -f7- | sed 's/ *0x1000//; s/ //g' | tr '\n' ' ')
    [ "$rights" = 'R RE RW RW ' ]
    [ "$(grep ^LOAD segments | head -1 | cut -d' ' -f3)" = 0x0000000000000000 ]
    grep -q '^GNU_STACK .*RW ' segments
  done
}

@test "relocations are relative ones in writable or RELRO segments only" {
  for arch in "${archs[@]}"; do
    compile "$arch" "$BATS_TEST_DIRNAME/driver/driver.c" "$arch.o"
    link "$arch" "$arch.elf" "$arch.o"
    first_writable=$(segments "$arch.elf" | grep '^LOAD.* RW ' | head -1 | cut -d' ' -f3)
    llvm-readelf-19 -rW "$arch.elf" | grep -E '^[0-9a-f]{16} ' >relocations
    [ -s relocations ]
    [ "$(grep -vc _RELATIVE relocations)" = 0 ]
    while read -r address _; do
      [ $((0x$address)) -ge $((first_writable)) ]
    done <relocations
    llvm-readelf-19 -dW "$arch.elf" >dynamic
    grep -q RELACOUNT dynamic
    run ! grep -qE 'TEXTREL|NEEDED|JMPREL' dynamic
  done
}

@test "the ABI note stands in a note segment, followed by the build id" {
  for arch in "${archs[@]}"; do
    compile "$arch" "$BATS_TEST_DIRNAME/driver/driver.c" "$arch.o"
    link "$arch" "$arch.elf" "$arch.o"
    llvm-readelf-19 -nW "$arch.elf" >notes
    grep -q 'Rumpk' notes
    grep -q 'Build ID: [0-9a-f]\{40\}' notes
  done
}

@test "objects and drivers are the same bytes from two folders" {
  for arch in "${archs[@]}"; do
    for folder in one "two longer"; do
      mkdir -p "$folder/src"
      cp "$BATS_TEST_DIRNAME/driver/"* "$folder/src/"
      (cd "$folder" && compile "$arch" src/driver.c driver.o -g "-ffile-prefix-map=$PWD=/source" &&
        link "$arch" driver.elf driver.o)
      cmake -G Ninja -S "$folder/src" -B "$folder/$arch" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
        "-DCMAKE_TOOLCHAIN_FILE=$sdk/share/rumpk/toolchain/$arch-unknown-rumpk-elf.cmake"
      ninja -C "$folder/$arch"
    done
    cmp one/driver.o "two longer/driver.o"
    cmp one/driver.elf "two longer/driver.elf"
    cmp "one/$arch/driver.elf" "two longer/$arch/driver.elf"
  done
}

@test "objects are the same bytes with the SDK in two places" {
  cp -a "$sdk" "$BATS_TEST_TMPDIR/elsewhere"
  for arch in "${archs[@]}"; do
    compile "$arch" "$BATS_TEST_DIRNAME/driver/driver.c" here.o -g
    sdk="$BATS_TEST_TMPDIR/elsewhere" compile "$arch" "$BATS_TEST_DIRNAME/driver/driver.c" there.o -g
    cmp here.o there.o
  done
}

@test "headers of the host are out of reach" {
  for header in unistd.h sys/socket.h linux/types.h bits/types.h features.h archive.h gnu/stubs.h; do
    echo "#include <$header>" >leak.c
    for arch in "${archs[@]}"; do
      run ! compile "$arch" leak.c leak.o
      [[ $output == *"'$header' file not found"* ]]
    done
  done
  # And nothing but the SDK and clang's own folder is searched at all.
  : >empty.c
  for arch in "${archs[@]}"; do
    compile "$arch" empty.c empty.o -v 2>&1 | sed -n '/search starts here/,/^End of search/p' | grep '^ ' >folders
    [ "$(wc -l <folders)" = 2 ]
    grep -qF "/sysroot/$arch-unknown-rumpk-elf/include" folders
    grep -qE '/lib/clang/19/include$' folders
  done
}

@test "a clang configuration of the same name in the user's folder changes nothing" {
  mkdir -p home/.config/clang .llvm
  for arch in "${archs[@]}"; do
    triple=$arch-unknown-rumpk-elf
    compile "$arch" "$BATS_TEST_DIRNAME/driver/driver.c" before.o
    for folder in home/.config home/.config/clang home/.llvm home; do
      mkdir -p "$folder"
      echo '--this-flag-does-not-exist' | tee "$folder/$triple.cfg" "$folder/clang.cfg" >"$folder/clang-19.cfg"
    done
    cp home/$triple.cfg .
    HOME=$PWD/home XDG_CONFIG_HOME=$PWD/home/.config compile "$arch" "$BATS_TEST_DIRNAME/driver/driver.c" after.o
    cmp before.o after.o
  done
}

@test "a thread-local variable is refused with a sentence" {
  echo 'int npl_main(void); static _Thread_local volatile int counter; int npl_main(void) { return ++counter; }' >tls.c
  for arch in "${archs[@]}"; do
    compile "$arch" tls.c tls.o
    run ! link "$arch" tls.elf tls.o
    [[ $output == *"thread-local variables are not available to drivers"* ]]
  done
}

@test "a frame above 16 KiB is an error" {
  cat >frame.c <<'C'
void use(char *);
int npl_main(void);
int npl_main(void) { char big[20000]; use(big); return big[0]; }
C
  for arch in "${archs[@]}"; do
    run ! compile "$arch" frame.c frame.o
    [[ $output == *"stack frame size"* ]]
  done
}

@test "a missing main function is refused by name" {
  echo 'int nothing; ' >empty.c
  for arch in "${archs[@]}"; do
    compile "$arch" empty.c empty.o
    run ! link "$arch" empty.elf empty.o
    [[ $output == *npl_main* ]]
  done
}

@test "VERSION names release, compiler and emulator" {
  grep -qxE 'rumpk-sdk [0-9]+\.[0-9]+\.[0-9]+' "$sdk/share/rumpk/VERSION"
  grep -qx 'llvm 19.1.7' "$sdk/share/rumpk/VERSION"
  grep -qxE 'qemu [0-9.]+' "$sdk/share/rumpk/VERSION"
}

@test "no file of the SDK names the folder it was built in" {
  # Where a path begins: a clone may lie in a folder whose name is part of others ("/src").
  local begin='(?<![\w./-])'
  run ! env LC_ALL=C grep -rIlP "$begin$RUMPK_TOP/" "$sdk/share/rumpk"
  # Archives are binary: look inside them too.
  for library in "$sdk"/share/rumpk/sysroot/*/lib/*.a "$sdk"/share/rumpk/host/lib/*.a; do
    run ! env LC_ALL=C grep -qaP "$begin$RUMPK_TOP/" "$library"
  done
}
