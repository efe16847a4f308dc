# SPDX-License-Identifier: Apache-2.0
#
# Unit tests of manifests, images and what a kernel reports.

nip_unit_test(manifest)
nip_unit_test(bkdl image_fixture.c)
nip_unit_test(elf image_fixture.c)
nip_unit_test(archive)
nip_unit_test(image image_fixture.c)
nip_unit_test(ledger)
