// SPDX-License-Identifier: Apache-2.0
//
// layout.h: the offset of every field of every shared structure. The headers themselves assert sizes and the
// offsets that matter for reading them; this one leaves nothing to the compiler.
#ifndef RUMPK_LAYOUT_H
#define RUMPK_LAYOUT_H

#include <rumpk/systable.h>
#include <rumpk/call.h>
#include <rumpk/cap.h>
#include <rumpk/ring.h>
#include <rumpk/start.h>
#include <rumpk/bkdl.h>
#include <rumpk/archive.h>
#include <rumpk/note.h>
#include <rumpk/ledger.h>

RUMPK_ASSERT_OFFSET(rumpk_systable, magic, 0);
RUMPK_ASSERT_OFFSET(rumpk_systable, abi_version, 4);
RUMPK_ASSERT_OFFSET(rumpk_systable, size, 6);
RUMPK_ASSERT_OFFSET(rumpk_systable, features, 8);
RUMPK_ASSERT_OFFSET(rumpk_systable, calls, 16);
RUMPK_ASSERT_OFFSET(rumpk_systable, meta, 112);
RUMPK_ASSERT_OFFSET(rumpk_systable, timer_hz, 120);
RUMPK_ASSERT_OFFSET(rumpk_systable, boot_ticks, 128);
RUMPK_ASSERT_OFFSET(rumpk_systable, arch, 136);
RUMPK_ASSERT_OFFSET(rumpk_systable, page_size, 140);
RUMPK_ASSERT_OFFSET(rumpk_systable, core_count, 144);
RUMPK_ASSERT_OFFSET(rumpk_systable, slot_count, 148);
RUMPK_ASSERT_OFFSET(rumpk_systable, gate_base, 152);
RUMPK_ASSERT_OFFSET(rumpk_systable, gate_size, 160);
RUMPK_ASSERT_OFFSET(rumpk_systable, ring_slot_size, 164);
RUMPK_ASSERT_OFFSET(rumpk_systable, checkpoint_max, 168);
RUMPK_ASSERT_OFFSET(rumpk_systable, reserved0, 172);
RUMPK_ASSERT_OFFSET(rumpk_systable, reserved, 176);

RUMPK_ASSERT_OFFSET(rumpk_queue_request, memory_slot, 0);
RUMPK_ASSERT_OFFSET(rumpk_queue_request, flags, 4);
RUMPK_ASSERT_OFFSET(rumpk_queue_request, offset, 8);
RUMPK_ASSERT_OFFSET(rumpk_queue_request, length, 16);
RUMPK_ASSERT_OFFSET(rumpk_queue_request, reserved, 20);
RUMPK_ASSERT_OFFSET(rumpk_queue_request, cookie, 24);

RUMPK_ASSERT_OFFSET(rumpk_queue_completion, cookie, 0);
RUMPK_ASSERT_OFFSET(rumpk_queue_completion, written, 8);
RUMPK_ASSERT_OFFSET(rumpk_queue_completion, reserved, 12);

RUMPK_ASSERT_OFFSET(rumpk_device_view, device_id, 0);
RUMPK_ASSERT_OFFSET(rumpk_device_view, vendor_id, 4);
RUMPK_ASSERT_OFFSET(rumpk_device_view, status, 8);
RUMPK_ASSERT_OFFSET(rumpk_device_view, generation, 12);
RUMPK_ASSERT_OFFSET(rumpk_device_view, features_offered, 16);
RUMPK_ASSERT_OFFSET(rumpk_device_view, features_accepted, 24);
RUMPK_ASSERT_OFFSET(rumpk_device_view, queue_count, 32);
RUMPK_ASSERT_OFFSET(rumpk_device_view, config_size, 36);
RUMPK_ASSERT_OFFSET(rumpk_device_view, queue_entries, 40);
RUMPK_ASSERT_OFFSET(rumpk_device_view, reserved, 72);
RUMPK_ASSERT_OFFSET(rumpk_device_view, config, 128);

RUMPK_ASSERT_OFFSET(rumpk_meta_self, fiber, 0);
RUMPK_ASSERT_OFFSET(rumpk_meta_self, spectrum, 4);
RUMPK_ASSERT_OFFSET(rumpk_meta_self, calls, 8);
RUMPK_ASSERT_OFFSET(rumpk_meta_self, switches, 16);
RUMPK_ASSERT_OFFSET(rumpk_meta_self, pledge, 24);

RUMPK_ASSERT_OFFSET(rumpk_meta_cap, type, 0);
RUMPK_ASSERT_OFFSET(rumpk_meta_cap, rights, 4);
RUMPK_ASSERT_OFFSET(rumpk_meta_cap, state, 8);
RUMPK_ASSERT_OFFSET(rumpk_meta_cap, depth, 12);
RUMPK_ASSERT_OFFSET(rumpk_meta_cap, through, 16);
RUMPK_ASSERT_OFFSET(rumpk_meta_cap, derived, 20);
RUMPK_ASSERT_OFFSET(rumpk_meta_cap, size, 24);

RUMPK_ASSERT_OFFSET(rumpk_meta_fiber, fiber, 0);
RUMPK_ASSERT_OFFSET(rumpk_meta_fiber, state, 4);
RUMPK_ASSERT_OFFSET(rumpk_meta_fiber, spectrum, 8);
RUMPK_ASSERT_OFFSET(rumpk_meta_fiber, slots_used, 12);
RUMPK_ASSERT_OFFSET(rumpk_meta_fiber, calls, 16);
RUMPK_ASSERT_OFFSET(rumpk_meta_fiber, switches, 24);
RUMPK_ASSERT_OFFSET(rumpk_meta_fiber, pledge, 32);
RUMPK_ASSERT_OFFSET(rumpk_meta_fiber, checkpoint, 40);
RUMPK_ASSERT_OFFSET(rumpk_meta_fiber, checkpoint_size, 48);
RUMPK_ASSERT_OFFSET(rumpk_meta_fiber, granted, 52);
RUMPK_ASSERT_OFFSET(rumpk_meta_fiber, name, 56);
RUMPK_ASSERT_OFFSET(rumpk_meta_fiber, reserved, 128);

RUMPK_ASSERT_OFFSET(rumpk_meta_ring, slots, 0);
RUMPK_ASSERT_OFFSET(rumpk_meta_ring, filled, 4);
RUMPK_ASSERT_OFFSET(rumpk_meta_ring, epoch, 8);
RUMPK_ASSERT_OFFSET(rumpk_meta_ring, closed, 12);
RUMPK_ASSERT_OFFSET(rumpk_meta_ring, wakes, 16);
RUMPK_ASSERT_OFFSET(rumpk_meta_ring, returns, 24);
RUMPK_ASSERT_OFFSET(rumpk_meta_ring, reserved, 32);

RUMPK_ASSERT_OFFSET(rumpk_interrupt_slot, count, 0);
RUMPK_ASSERT_OFFSET(rumpk_interrupt_slot, ticks, 8);
RUMPK_ASSERT_OFFSET(rumpk_interrupt_slot, reserved, 16);

RUMPK_ASSERT_OFFSET(rumpk_meta_core, timer_interrupts, 0);
RUMPK_ASSERT_OFFSET(rumpk_meta_core, interrupts, 8);
RUMPK_ASSERT_OFFSET(rumpk_meta_core, preemptions, 16);
RUMPK_ASSERT_OFFSET(rumpk_meta_core, slices, 24);
RUMPK_ASSERT_OFFSET(rumpk_meta_core, storms, 32);
RUMPK_ASSERT_OFFSET(rumpk_meta_core, waits, 40);
RUMPK_ASSERT_OFFSET(rumpk_meta_core, quiet_longest, 48);
RUMPK_ASSERT_OFFSET(rumpk_meta_core, points, 56);

RUMPK_ASSERT_OFFSET(rumpk_meta_run, run_ticks, 0);
RUMPK_ASSERT_OFFSET(rumpk_meta_run, strikes, 8);
RUMPK_ASSERT_OFFSET(rumpk_meta_run, slices, 12);
RUMPK_ASSERT_OFFSET(rumpk_meta_run, budget, 16);
RUMPK_ASSERT_OFFSET(rumpk_meta_run, throttled, 24);
RUMPK_ASSERT_OFFSET(rumpk_meta_run, lent, 28);

RUMPK_ASSERT_OFFSET(rumpk_meta_wake, count, 0);
RUMPK_ASSERT_OFFSET(rumpk_meta_wake, longest, 8);
RUMPK_ASSERT_OFFSET(rumpk_meta_wake, buckets, 16);

RUMPK_ASSERT_OFFSET(rumpk_cap_info, slot, 0);
RUMPK_ASSERT_OFFSET(rumpk_cap_info, type, 4);
RUMPK_ASSERT_OFFSET(rumpk_cap_info, rights, 8);
RUMPK_ASSERT_OFFSET(rumpk_cap_info, detail, 12);
RUMPK_ASSERT_OFFSET(rumpk_cap_info, base, 16);
RUMPK_ASSERT_OFFSET(rumpk_cap_info, size, 24);
RUMPK_ASSERT_OFFSET(rumpk_cap_info, name, 32);

RUMPK_ASSERT_OFFSET(rumpk_ring_header, magic, 0);
RUMPK_ASSERT_OFFSET(rumpk_ring_header, version, 4);
RUMPK_ASSERT_OFFSET(rumpk_ring_header, slot_size, 8);
RUMPK_ASSERT_OFFSET(rumpk_ring_header, slot_count, 12);
RUMPK_ASSERT_OFFSET(rumpk_ring_header, epoch, 16);
RUMPK_ASSERT_OFFSET(rumpk_ring_header, closed, 20);
RUMPK_ASSERT_OFFSET(rumpk_ring_header, size, 24);
RUMPK_ASSERT_OFFSET(rumpk_ring_header, reserved, 32);

RUMPK_ASSERT_OFFSET(rumpk_ring_consumer, tail, 0);
RUMPK_ASSERT_OFFSET(rumpk_ring_consumer, waiting, 4);
RUMPK_ASSERT_OFFSET(rumpk_ring_consumer, reserved, 8);

RUMPK_ASSERT_OFFSET(rumpk_ring_producer, head, 0);
RUMPK_ASSERT_OFFSET(rumpk_ring_producer, waiting, 4);
RUMPK_ASSERT_OFFSET(rumpk_ring_producer, reserved, 8);

RUMPK_ASSERT_OFFSET(rumpk_stream_slot, length, 0);
RUMPK_ASSERT_OFFSET(rumpk_stream_slot, flags, 1);
RUMPK_ASSERT_OFFSET(rumpk_stream_slot, bytes, 2);

RUMPK_ASSERT_OFFSET(rumpk_message_slot, sequence, 0);
RUMPK_ASSERT_OFFSET(rumpk_message_slot, buffer, 8);
RUMPK_ASSERT_OFFSET(rumpk_message_slot, length, 12);
RUMPK_ASSERT_OFFSET(rumpk_message_slot, reserved, 16);

RUMPK_ASSERT_OFFSET(rumpk_channel, id, 0);
RUMPK_ASSERT_OFFSET(rumpk_channel, style, 4);
RUMPK_ASSERT_OFFSET(rumpk_channel, role, 8);
RUMPK_ASSERT_OFFSET(rumpk_channel, request_slot, 12);
RUMPK_ASSERT_OFFSET(rumpk_channel, reply_slot, 16);
RUMPK_ASSERT_OFFSET(rumpk_channel, arena_slot, 20);
RUMPK_ASSERT_OFFSET(rumpk_channel, arena_count, 24);
RUMPK_ASSERT_OFFSET(rumpk_channel, arena_size, 28);
RUMPK_ASSERT_OFFSET(rumpk_channel, service, 32);
RUMPK_ASSERT_OFFSET(rumpk_channel, peer, 64);
RUMPK_ASSERT_OFFSET(rumpk_channel, reserved, 136);

RUMPK_ASSERT_OFFSET(rumpk_start, magic, 0);
RUMPK_ASSERT_OFFSET(rumpk_start, size, 4);
RUMPK_ASSERT_OFFSET(rumpk_start, systable, 8);
RUMPK_ASSERT_OFFSET(rumpk_start, abi_version, 16);
RUMPK_ASSERT_OFFSET(rumpk_start, fiber, 20);
RUMPK_ASSERT_OFFSET(rumpk_start, spectrum, 24);
RUMPK_ASSERT_OFFSET(rumpk_start, instance, 28);
RUMPK_ASSERT_OFFSET(rumpk_start, image_base, 32);
RUMPK_ASSERT_OFFSET(rumpk_start, image_size, 40);
RUMPK_ASSERT_OFFSET(rumpk_start, stack_base, 48);
RUMPK_ASSERT_OFFSET(rumpk_start, stack_size, 56);
RUMPK_ASSERT_OFFSET(rumpk_start, heap_base, 64);
RUMPK_ASSERT_OFFSET(rumpk_start, heap_size, 72);
RUMPK_ASSERT_OFFSET(rumpk_start, checkpoint_base, 80);
RUMPK_ASSERT_OFFSET(rumpk_start, checkpoint_size, 88);
RUMPK_ASSERT_OFFSET(rumpk_start, cap_count, 92);
RUMPK_ASSERT_OFFSET(rumpk_start, caps_offset, 96);
RUMPK_ASSERT_OFFSET(rumpk_start, channel_count, 100);
RUMPK_ASSERT_OFFSET(rumpk_start, channels_offset, 104);
RUMPK_ASSERT_OFFSET(rumpk_start, config_offset, 108);
RUMPK_ASSERT_OFFSET(rumpk_start, config_size, 112);
RUMPK_ASSERT_OFFSET(rumpk_start, core, 116);
RUMPK_ASSERT_OFFSET(rumpk_start, reserved1, 120);
RUMPK_ASSERT_OFFSET(rumpk_start, reserved2, 128);
RUMPK_ASSERT_OFFSET(rumpk_start, name, 136);
RUMPK_ASSERT_OFFSET(rumpk_start, version, 208);

RUMPK_ASSERT_OFFSET(rumpk_bkdl_opening, title, 0);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_opening, size, 16);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_opening, records, 20);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_opening, reserved, 24);

RUMPK_ASSERT_OFFSET(rumpk_bkdl_record, tag, 0);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_record, size, 4);

RUMPK_ASSERT_OFFSET(rumpk_bkdl_identity, name, 0);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_identity, version, 72);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_identity, security_version, 144);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_identity, abi_version, 148);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_identity, kind, 152);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_identity, arch_mask, 156);

RUMPK_ASSERT_OFFSET(rumpk_bkdl_runtime, spectrum, 0);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_runtime, flags, 4);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_runtime, stack_size, 8);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_runtime, heap_size, 16);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_runtime, pledge, 24);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_runtime, budget_us, 32);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_runtime, restart, 36);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_runtime, restart_limit, 40);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_runtime, restart_window_s, 44);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_runtime, reserved, 48);

RUMPK_ASSERT_OFFSET(rumpk_bkdl_match, bus, 0);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_match, device_id, 4);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_match, vendor_id, 8);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_match, class_code, 12);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_match, compatible, 16);

RUMPK_ASSERT_OFFSET(rumpk_bkdl_request, name, 0);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_request, type, 32);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_request, rights, 36);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_request, bus, 40);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_request, device_id, 44);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_request, queues, 48);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_request, optional, 52);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_request, size, 56);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_request, compatible, 64);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_request, vendor_id, 128);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_request, class_code, 132);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_request, bar, 136);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_request, reserved, 140);

RUMPK_ASSERT_OFFSET(rumpk_bkdl_service, name, 0);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_service, version, 32);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_service, style, 36);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_service, optional, 40);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_service, clients, 44);

RUMPK_ASSERT_OFFSET(rumpk_bkdl_image, name, 0);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_image, version, 72);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_image, kernel_digest, 144);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_image, loaded_digest, 176);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_image, arch, 208);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_image, flags, 212);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_image, package_count, 216);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_image, wire_count, 220);

RUMPK_ASSERT_OFFSET(rumpk_bkdl_package, name, 0);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_package, package_id, 72);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_package, security_floor, 104);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_package, threshold, 108);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_package, spectrum, 112);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_package, flags, 116);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_package, stack_max, 120);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_package, heap_max, 128);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_package, spawner, 136);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_package, restart, 140);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_package, pledge, 144);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_package, budget_us, 152);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_package, restart_limit, 156);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_package, restart_window_s, 160);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_package, reserved, 164);

RUMPK_ASSERT_OFFSET(rumpk_bkdl_key, key, 0);

RUMPK_ASSERT_OFFSET(rumpk_bkdl_grant, name, 0);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_grant, type, 32);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_grant, rights, 36);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_grant, bus, 40);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_grant, device_id, 44);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_grant, index, 48);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_grant, reserved, 52);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_grant, size, 56);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_grant, compatible, 64);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_grant, vendor_id, 128);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_grant, class_code, 132);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_grant, bar, 136);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_grant, reserved_2, 140);

RUMPK_ASSERT_OFFSET(rumpk_bkdl_wire, service, 0);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_wire, channel, 32);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_wire, style, 36);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_wire, client, 40);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_wire, server, 44);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_wire, slots, 48);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_wire, arena_count, 52);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_wire, arena_size, 56);
RUMPK_ASSERT_OFFSET(rumpk_bkdl_wire, start, 60);

RUMPK_ASSERT_OFFSET(rumpk_archive_header, magic, 0);
RUMPK_ASSERT_OFFSET(rumpk_archive_header, size, 8);
RUMPK_ASSERT_OFFSET(rumpk_archive_header, entry_count, 16);
RUMPK_ASSERT_OFFSET(rumpk_archive_header, arch, 20);
RUMPK_ASSERT_OFFSET(rumpk_archive_header, manifest_offset, 24);
RUMPK_ASSERT_OFFSET(rumpk_archive_header, manifest_size, 32);
RUMPK_ASSERT_OFFSET(rumpk_archive_header, manifest_signature, 40);
RUMPK_ASSERT_OFFSET(rumpk_archive_header, reserved, 104);

RUMPK_ASSERT_OFFSET(rumpk_archive_entry, digests_offset, 0);
RUMPK_ASSERT_OFFSET(rumpk_archive_entry, digests_size, 8);
RUMPK_ASSERT_OFFSET(rumpk_archive_entry, bkdl_offset, 16);
RUMPK_ASSERT_OFFSET(rumpk_archive_entry, bkdl_size, 24);
RUMPK_ASSERT_OFFSET(rumpk_archive_entry, elf_offset, 32);
RUMPK_ASSERT_OFFSET(rumpk_archive_entry, elf_size, 40);
RUMPK_ASSERT_OFFSET(rumpk_archive_entry, publisher_key, 48);
RUMPK_ASSERT_OFFSET(rumpk_archive_entry, signature, 80);
RUMPK_ASSERT_OFFSET(rumpk_archive_entry, reserved, 144);

RUMPK_ASSERT_OFFSET(rumpk_image_header, owner_key, 0);
RUMPK_ASSERT_OFFSET(rumpk_image_header, archive_base, 32);
RUMPK_ASSERT_OFFSET(rumpk_image_header, archive_size, 40);
RUMPK_ASSERT_OFFSET(rumpk_image_header, reserved, 48);

RUMPK_ASSERT_OFFSET(rumpk_call_note, call, 0);
RUMPK_ASSERT_OFFSET(rumpk_call_note, operation, 4);

RUMPK_ASSERT_OFFSET(rumpk_abi_note, abi_version, 0);
RUMPK_ASSERT_OFFSET(rumpk_abi_note, arch, 4);
RUMPK_ASSERT_OFFSET(rumpk_abi_note, profile, 8);
RUMPK_ASSERT_OFFSET(rumpk_abi_note, systable_size, 12);
RUMPK_ASSERT_OFFSET(rumpk_abi_note, abi_text, 16);

RUMPK_ASSERT_OFFSET(rumpk_ledger_record, sequence, 0);
RUMPK_ASSERT_OFFSET(rumpk_ledger_record, kind, 4);
RUMPK_ASSERT_OFFSET(rumpk_ledger_record, code, 6);
RUMPK_ASSERT_OFFSET(rumpk_ledger_record, ticks, 8);
RUMPK_ASSERT_OFFSET(rumpk_ledger_record, package, 16);
RUMPK_ASSERT_OFFSET(rumpk_ledger_record, fiber, 20);
RUMPK_ASSERT_OFFSET(rumpk_ledger_record, pc, 24);
RUMPK_ASSERT_OFFSET(rumpk_ledger_record, address, 32);
RUMPK_ASSERT_OFFSET(rumpk_ledger_record, detail, 40);
RUMPK_ASSERT_OFFSET(rumpk_ledger_record, image_base, 48);
RUMPK_ASSERT_OFFSET(rumpk_ledger_record, reserved0, 56);
RUMPK_ASSERT_OFFSET(rumpk_ledger_record, package_id, 64);
RUMPK_ASSERT_OFFSET(rumpk_ledger_record, name, 96);
RUMPK_ASSERT_OFFSET(rumpk_ledger_record, reserved1, 168);
RUMPK_ASSERT_OFFSET(rumpk_ledger_record, previous, 192);
RUMPK_ASSERT_OFFSET(rumpk_ledger_record, hash, 224);

RUMPK_ASSERT_OFFSET(rumpk_ledger, magic, 0);
RUMPK_ASSERT_OFFSET(rumpk_ledger, capacity, 8);
RUMPK_ASSERT_OFFSET(rumpk_ledger, count, 12);
RUMPK_ASSERT_OFFSET(rumpk_ledger, dropped, 16);
RUMPK_ASSERT_OFFSET(rumpk_ledger, reserved, 20);
RUMPK_ASSERT_OFFSET(rumpk_ledger, records, 64);

RUMPK_ASSERT_OFFSET(rumpk_boot_record, magic, 0);
RUMPK_ASSERT_OFFSET(rumpk_boot_record, stage, 8);
RUMPK_ASSERT_OFFSET(rumpk_boot_record, cause, 12);
RUMPK_ASSERT_OFFSET(rumpk_boot_record, arch, 16);
RUMPK_ASSERT_OFFSET(rumpk_boot_record, package, 20);
RUMPK_ASSERT_OFFSET(rumpk_boot_record, pc, 24);
RUMPK_ASSERT_OFFSET(rumpk_boot_record, address, 32);
RUMPK_ASSERT_OFFSET(rumpk_boot_record, detail, 40);
RUMPK_ASSERT_OFFSET(rumpk_boot_record, timer_hz, 48);
RUMPK_ASSERT_OFFSET(rumpk_boot_record, ticks, 56);
RUMPK_ASSERT_OFFSET(rumpk_boot_record, memory_size, 184);
RUMPK_ASSERT_OFFSET(rumpk_boot_record, systable_physical, 192);
RUMPK_ASSERT_OFFSET(rumpk_boot_record, kernel_start, 200);
RUMPK_ASSERT_OFFSET(rumpk_boot_record, kernel_end, 208);
RUMPK_ASSERT_OFFSET(rumpk_boot_record, pages_total, 216);
RUMPK_ASSERT_OFFSET(rumpk_boot_record, pages_free, 224);
RUMPK_ASSERT_OFFSET(rumpk_boot_record, console, 232);
RUMPK_ASSERT_OFFSET(rumpk_boot_record, reserved, 240);

// The one structure that asserts no size: a header of 64 bytes and its records.
RUMPK_ASSERT_SIZE(rumpk_ledger, 64 + RUMPK_LEDGER_CAPACITY * 256);

#endif
