# SPDX-License-Identifier: Apache-2.0
#
# Writes everything that is generated from arch/*.cmake and flags.cmake into one SDK tree:
#   share/rumpk/toolchain/<triple>.{cfg,cmake,ld,ldflags,meson}, share/rumpk/machines/<arch>.kdl,
#   share/rumpk/machines/<arch>-<machine>.kdl for each further machine, and the programs
#   bin/<triple>-clang and bin/<triple>-ld
#
#   cmake -DRUMPK_SDK=<folder> [-DRUMPK_KERNEL_LIBS=<folder>] -P toolchain/generate.cmake
#
# and, where asked, <folder>/<arch>/kernel.cfg with which the kernel's foreign libraries are built.
#
# Plain text in, plain text out: nothing here depends on the machine it runs on, so the files are
# the same bytes on every machine.
cmake_minimum_required(VERSION 3.25)
if(NOT DEFINED RUMPK_SDK)
  message(FATAL_ERROR "generate.cmake: say where the SDK is to be written: -DRUMPK_SDK=<folder>")
endif()
set(here ${CMAKE_CURRENT_LIST_DIR})
set(toolchain_dir ${RUMPK_SDK}/share/rumpk/toolchain)

# The machine that the variables of arch/*.cmake describe now.
macro(write_machine name)
  list(TRANSFORM RUMPK_QEMU_MACHINE_ARGS REPLACE "(.+)" "\"\\1\"" OUTPUT_VARIABLE quoted)
  list(JOIN quoted " " RUMPK_KDL_MACHINE_ARGS)
  configure_file(${here}/templates/machine.kdl.in ${RUMPK_SDK}/share/rumpk/machines/${name}.kdl @ONLY)
endmacro()

# What Meson itself puts in.
foreach(name OUTPUT INPUT)
  set(RUMPK_MESON_${name} "@${name}@")
endforeach()

include(${here}/flags.cmake)
foreach(arch riscv64 aarch64 x86_64)
  include(${here}/arch/${arch}.cmake)
  list(JOIN RUMPK_DRIVER_ARCH_FLAGS "\n" RUMPK_CFG_ARCH_FLAGS)
  list(JOIN RUMPK_DRIVER_FLAGS "\n" RUMPK_CFG_FLAGS)
  set(link_flags -m ${RUMPK_LLD_EMULATION} ${RUMPK_DRIVER_LINK_FLAGS} ${RUMPK_DRIVER_LIBS})
  list(JOIN link_flags "\n" RUMPK_LD_FLAGS)
  foreach(kind cfg ld ldflags cmake meson)
    configure_file(${here}/templates/driver.${kind}.in ${toolchain_dir}/${RUMPK_TRIPLE}.${kind} @ONLY)
  endforeach()
  foreach(program clang ld)
    configure_file(${here}/templates/${program}.sh.in ${RUMPK_SDK}/bin/${RUMPK_TRIPLE}-${program} @ONLY
      FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  endforeach()
  if(DEFINED RUMPK_KERNEL_LIBS)
    list(JOIN RUMPK_KERNEL_ARCH_FLAGS "\n" RUMPK_CFG_ARCH_FLAGS)
    list(JOIN RUMPK_KERNEL_FLAGS "\n" RUMPK_CFG_FLAGS)
    configure_file(${here}/templates/kernel.cfg.in ${RUMPK_KERNEL_LIBS}/${arch}/kernel.cfg @ONLY)
  endif()
  write_machine(${arch})
  foreach(more ${RUMPK_MACHINES_MORE})
    set(RUMPK_MACHINE ${more})
    set(RUMPK_QEMU_MACHINE_ARGS ${RUMPK_QEMU_MACHINE_ARGS_${more}})
    set(RUMPK_QEMU_VIRTIO ${RUMPK_QEMU_VIRTIO_${more}})
    write_machine(${arch}-${more})
  endforeach()
endforeach()
configure_file(${here}/cmake/Platform/Rumpk.cmake ${toolchain_dir}/cmake/Platform/Rumpk.cmake COPYONLY)
