# SPDX-License-Identifier: Apache-2.0
#
# Fuzzers of manifests, packed manifests and images. The corpus is made by the fixture of the unit tests.

add_executable(nip_image_corpus image_corpus.c
    ${CMAKE_SOURCE_DIR}/tests/unit/nip/image_fixture.c)
target_compile_definitions(nip_image_corpus PRIVATE _GNU_SOURCE)
target_include_directories(nip_image_corpus PRIVATE ${CMAKE_SOURCE_DIR}/tests/unit/nip ${CMAKE_SOURCE_DIR}/tests/fuzz)
target_link_libraries(nip_image_corpus PRIVATE libnip)

foreach(name manifest bkdl image)
    rumpk_fuzz(${name} ${name}.c LINK libnip_fuzz CORPUS nip_image_corpus)
endforeach()

# What `nip check` reads: the records of calls in a debug file, and the licence expression of a manifest.
add_executable(nip_check_corpus check_corpus.c ${CMAKE_SOURCE_DIR}/tests/unit/nip/calls_fixture.c)
target_include_directories(nip_check_corpus PRIVATE ${CMAKE_SOURCE_DIR}/tests/unit/nip ${CMAKE_SOURCE_DIR}/tests/fuzz)
target_link_libraries(nip_check_corpus PRIVATE libnip)
foreach(name calls spdx)
    rumpk_fuzz(${name} ${name}.c LINK libnip_fuzz CORPUS nip_check_corpus)
endforeach()
