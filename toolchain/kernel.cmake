# SPDX-License-Identifier: Apache-2.0
#
# CMake toolchain file of the kernel; RUMPK_ARCH chooses the architecture (see CMakePresets.json):
#   cmake -S . -B build/riscv64 -DCMAKE_TOOLCHAIN_FILE=toolchain/kernel.cmake -DRUMPK_ARCH=riscv64
#
# Flags come from flags.cmake and arch/<arch>.cmake alone. For the kernel's own CMakeLists:
#   RUMPK_ARCH, RUMPK_TRIPLE, RUMPK_KERNEL_ADDRESS (for the link script)
#   RUMPK_KERNEL_LIBS_DIR   include/ and lib/ with libsodium.a and libfdt.a, made by script/setup
if(NOT DEFINED RUMPK_ARCH)
  message(FATAL_ERROR "say which architecture: -DRUMPK_ARCH=riscv64, aarch64 or x86_64")
endif()
if(NOT EXISTS ${CMAKE_CURRENT_LIST_DIR}/arch/${RUMPK_ARCH}.cmake)
  message(FATAL_ERROR "unknown architecture '${RUMPK_ARCH}': it is riscv64, aarch64 or x86_64")
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES RUMPK_ARCH)
include(${CMAKE_CURRENT_LIST_DIR}/flags.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/arch/${RUMPK_ARCH}.cmake)

set(CMAKE_SYSTEM_NAME Rumpk)
set(CMAKE_SYSTEM_PROCESSOR ${RUMPK_ARCH})
list(APPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR}/cmake)
get_filename_component(rumpk_top ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
set(RUMPK_KERNEL_LIBS_DIR ${rumpk_top}/build/kernel-libs/${RUMPK_ARCH})

find_program(RUMPK_CLANG NAMES clang-${RUMPK_LLVM_MAJOR} REQUIRED)
find_program(RUMPK_LLD NAMES ld.lld-${RUMPK_LLVM_MAJOR} REQUIRED)
find_program(RUMPK_AR NAMES llvm-ar-${RUMPK_LLVM_MAJOR} REQUIRED)
find_program(RUMPK_RANLIB NAMES llvm-ranlib-${RUMPK_LLVM_MAJOR} REQUIRED)
find_program(RUMPK_OBJCOPY NAMES llvm-objcopy-${RUMPK_LLVM_MAJOR} REQUIRED)
mark_as_advanced(RUMPK_CLANG RUMPK_LLD RUMPK_AR RUMPK_RANLIB RUMPK_OBJCOPY)
set(CMAKE_C_COMPILER ${RUMPK_CLANG})
set(CMAKE_ASM_COMPILER ${RUMPK_CLANG})
set(CMAKE_LINKER ${RUMPK_LLD})
set(CMAKE_AR ${RUMPK_AR})
set(CMAKE_RANLIB ${RUMPK_RANLIB})
set(CMAKE_OBJCOPY ${RUMPK_OBJCOPY})
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

list(JOIN RUMPK_KERNEL_FLAGS " " rumpk_flags)
list(JOIN RUMPK_KERNEL_ARCH_FLAGS " " rumpk_arch_flags)
set(rumpk_flags "--no-default-config --target=${RUMPK_TRIPLE} ${rumpk_arch_flags} ${rumpk_flags}")
string(APPEND rumpk_flags " -nostdlibinc -isystem \"${RUMPK_KERNEL_LIBS_DIR}/include\"")
string(APPEND rumpk_flags " \"-ffile-prefix-map=${rumpk_top}=/rumpk\"")
set(CMAKE_C_FLAGS_INIT "${rumpk_flags}")
set(CMAKE_ASM_FLAGS_INIT "${rumpk_flags}")
list(JOIN RUMPK_KERNEL_LINK_FLAGS " " RUMPK_LINK_LINE)
string(PREPEND RUMPK_LINK_LINE "-m ${RUMPK_LLD_EMULATION} ")
string(APPEND RUMPK_LINK_LINE " -L \"${RUMPK_KERNEL_LIBS_DIR}/lib\"")

set(CMAKE_FIND_ROOT_PATH ${RUMPK_KERNEL_LIBS_DIR})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
