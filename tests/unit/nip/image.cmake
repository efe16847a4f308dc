# SPDX-License-Identifier: Apache-2.0
#
# Unit tests of manifests, images and what a kernel reports.

nip_unit_test(image image_fixture.c)
