# SPDX-License-Identifier: Apache-2.0
#
# Unit tests of manifests, images and what a kernel reports.

nip_unit_test(manifest)
nip_unit_test(spdx)
nip_unit_test(bkdl image_fixture.c)
nip_unit_test(elf image_fixture.c)
nip_unit_test(elf_calls calls_fixture.c)
nip_unit_test(archive)
nip_unit_test(image image_fixture.c)
nip_unit_test(ledger)

# nip beside the kernel's own loader. The kernel's headers are seen by one file only.
nip_unit_test(agreement image_fixture.c kernel_judge.c)
set_source_files_properties(kernel_judge.c PROPERTIES
    COMPILE_OPTIONS "-std=gnu2x;-Wno-attributes;-I${CMAKE_SOURCE_DIR}/kernel/include")
target_link_libraries(test_nip_agreement PRIVATE kernel_load_host)

# Exhaustive: tens of thousands of signature checks under the sanitizers.
set_tests_properties(unit.nip.image unit.nip.agreement PROPERTIES TIMEOUT 900)
