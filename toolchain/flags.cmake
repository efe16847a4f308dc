# SPDX-License-Identifier: Apache-2.0
#
# Compiler and linker flags that are the same on every architecture. Together with one file of
# arch/ this is the whole truth about how code is compiled; the SDK's clang configuration, the
# kernel build and the sysroot recipes all read these lists and add nothing of their own but
# warnings and optimisation.

# The release every flag below was tried with. Debian 12 and 13 carry it unpatched in main.
set(RUMPK_LLVM_MAJOR 19)
set(RUMPK_LLVM_VERSION 19.1.7)
set(RUMPK_QEMU_VERSION 7.2)

# Common to drivers and kernel.
#  - aarch64 and x86_64 emit unwind tables for an OS that clang does not know: nobody unwinds here.
#  - no ident: the .comment section would carry the distribution's build number.
#  - one section per function and object, so that --gc-sections can drop what is unused.
set(RUMPK_COMMON_FLAGS
  -fno-asynchronous-unwind-tables -fno-unwind-tables
  -ffunction-sections -fdata-sections
  -fno-ident -fno-common -fno-stack-protector)

# Drivers: position-independent (the loader places them), one frame never jumps over the guard of
# at least 64 KiB below the stack (-fstack-clash-protection is ignored on bare-metal triples).
set(RUMPK_DRIVER_FRAME_BYTES_MAX 16384)
set(RUMPK_DRIVER_FLAGS ${RUMPK_COMMON_FLAGS}
  -fPIE -fvisibility=hidden
  -Wframe-larger-than=${RUMPK_DRIVER_FRAME_BYTES_MAX} -Werror=frame-larger-than)

# Kernel: linked at one address, no libc, no floating point, small stacks.
# -fno-builtin stays off on purpose: memcpy and friends are recognised and the kernel provides them.
# No frame pointers: debuggers unwind by the debug information, and without them a call takes 2 to 20 % fewer
# instructions and the kernel is a page or two smaller.
set(RUMPK_KERNEL_FRAME_BYTES_MAX 2048)
set(RUMPK_KERNEL_FLAGS ${RUMPK_COMMON_FLAGS}
  -ffreestanding -fno-pic -fno-pie -fno-strict-aliasing -fno-delete-null-pointer-checks
  -fomit-frame-pointer -fno-jump-tables
  -Wframe-larger-than=${RUMPK_KERNEL_FRAME_BYTES_MAX} -Werror=frame-larger-than)

# lld, drivers. -static -pie with --no-dynamic-linker and -z text is what clang calls -static-pie;
# said in full because drivers are always linked by ld.lld itself: clang's x86_64 driver for an
# unknown OS would run the host's gcc instead.
set(RUMPK_DRIVER_LINK_FLAGS
  -static -pie --no-dynamic-linker
  -z text -z separate-code -z noexecstack -z relro -z now -z max-page-size=4096
  --build-id=sha1 --hash-style=gnu --gc-sections --no-undefined --discard-locals
  --orphan-handling=error --fatal-warnings --pack-dyn-relocs=none)
set(RUMPK_DRIVER_LIBS -lnpl -lsodium -lc -lclang_rt.builtins)

# lld, kernel. The linker script is the kernel's own (kernel/).
set(RUMPK_KERNEL_LINK_FLAGS
  -static -no-pie -z separate-code -z noexecstack -z norelro -z max-page-size=4096
  --build-id=sha1 --gc-sections --no-undefined --discard-locals --orphan-handling=error --fatal-warnings
  --no-dynamic-linker)
