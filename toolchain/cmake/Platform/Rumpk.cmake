# SPDX-License-Identifier: Apache-2.0
#
# What CMake has to know about the system name "Rumpk": static archives only, executables are
# linked by ld.lld itself (clang's x86_64 driver would hand them to the host's gcc). The toolchain
# file sets RUMPK_LLD and RUMPK_LINK_LINE.
set(CMAKE_EXECUTABLE_SUFFIX ".elf")
set(CMAKE_STATIC_LIBRARY_PREFIX "lib")
set(CMAKE_STATIC_LIBRARY_SUFFIX ".a")
set_property(GLOBAL PROPERTY TARGET_SUPPORTS_SHARED_LIBS FALSE)
foreach(lang C ASM)
  set(CMAKE_${lang}_LINK_EXECUTABLE
    "<CMAKE_LINKER> ${RUMPK_LINK_LINE} <LINK_FLAGS> -o <TARGET> <OBJECTS> <LINK_LIBRARIES>")
endforeach()
