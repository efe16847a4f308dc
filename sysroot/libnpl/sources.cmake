# SPDX-License-Identifier: Apache-2.0
#
# The sources of libnpl, relative to this folder. The sysroot build compiles the first two lists for
# each triple (with RUMPK_ABI_TEXT_HASH, see README.md); the host build compiles the first and third.
set(LIBNPL_SOURCES
  src/client.c
  src/client_directory.c
  src/console.c
  src/dma.c
  src/heap.c
  src/interrupt.c
  src/reg.c
  src/result.c
  src/ring.c
  src/service.c
  src/service_message.c
  src/start.c
  src/stream.c
  src/virtio.c
  src/wire.c)
set(LIBNPL_TARGET_SOURCES
  src/entry.c
  src/libc_hooks.c)
set(LIBNPL_HOST_SOURCES
  host/machine.c
  host/disk.c
  host/allow.c
  host/kernel.c)
