// SPDX-License-Identifier: Apache-2.0
//
// dump_list.h: every name of the ABI, header by header, for dump.c. tests/abi checks that no name of the
// headers is missing here. Architecture-dependent names (RUMPK_ARCH, RUMPK_SYSTABLE_ADDRESS) and macros with
// arguments are not listed.
#ifndef RUMPK_ABI_DUMP_LIST_H
#define RUMPK_ABI_DUMP_LIST_H

#include <rumpk/abi.h>

// SECTION(header) NUMBER(name) STRING(name) VALUE(enum, name) LIST(enum, list, prefix)
// STRUCT(name) FIELD(struct, name)
#define ABI_NAMES(SECTION, NUMBER, STRING, ENUM, VALUE, LIST, STRUCT, FIELD) \
    SECTION("base.h") \
    NUMBER(RUMPK_ABI_VERSION) NUMBER(RUMPK_ARCH_RISCV64) NUMBER(RUMPK_ARCH_AARCH64) \
    NUMBER(RUMPK_ARCH_X86_64) NUMBER(RUMPK_ARCH_COUNT) NUMBER(RUMPK_PAGE_SIZE) \
    NUMBER(RUMPK_NAME_SIZE) NUMBER(RUMPK_VERSION_SIZE) NUMBER(RUMPK_LABEL_SIZE) \
    NUMBER(RUMPK_COMPATIBLE_SIZE) NUMBER(RUMPK_DIGEST_SIZE) NUMBER(RUMPK_KEY_SIZE) \
    NUMBER(RUMPK_SIGNATURE_SIZE) NUMBER(RUMPK_SPECTRUM_PHOTON) NUMBER(RUMPK_SPECTRUM_MATTER) \
    NUMBER(RUMPK_SPECTRUM_GRAVITY) NUMBER(RUMPK_SPECTRUM_VOID) NUMBER(RUMPK_SPECTRUM_COUNT) \
    SECTION("systable.h") \
    NUMBER(RUMPK_SYSTABLE_MAGIC) NUMBER(RUMPK_SYSTABLE_SIZE) \
    NUMBER(RUMPK_SYSTABLE_ADDRESS_RISCV64) NUMBER(RUMPK_SYSTABLE_ADDRESS_AARCH64) \
    NUMBER(RUMPK_SYSTABLE_ADDRESS_X86_64) NUMBER(RUMPK_CALL_COUNT) NUMBER(RUMPK_FEATURE_ISOLATION) \
    NUMBER(RUMPK_FEATURE_SYSTABLE_ALIAS) NUMBER(RUMPK_FEATURE_DEVELOPMENT) \
    NUMBER(RUMPK_GATE_STUB_SIZE) \
    ENUM(rumpk_call) \
    LIST(RUMPK_CALLS, "RUMPK_CALL_") \
    VALUE(RUMPK_CALL_META) \
    STRUCT(rumpk_systable) \
    FIELD(rumpk_systable, magic) FIELD(rumpk_systable, abi_version) FIELD(rumpk_systable, size) \
    FIELD(rumpk_systable, features) FIELD(rumpk_systable, calls) FIELD(rumpk_systable, meta) \
    FIELD(rumpk_systable, timer_hz) FIELD(rumpk_systable, boot_ticks) \
    FIELD(rumpk_systable, arch) FIELD(rumpk_systable, page_size) \
    FIELD(rumpk_systable, core_count) FIELD(rumpk_systable, slot_count) \
    FIELD(rumpk_systable, gate_base) FIELD(rumpk_systable, gate_size) \
    FIELD(rumpk_systable, ring_slot_size) FIELD(rumpk_systable, checkpoint_max) \
    FIELD(rumpk_systable, reserved0) FIELD(rumpk_systable, reserved) \
    SECTION("result.h") \
    ENUM(rumpk_result) \
    LIST(RUMPK_RESULTS, "RUMPK_") \
    ENUM(rumpk_fault) \
    LIST(RUMPK_FAULTS, "RUMPK_FAULT_") \
    SECTION("call.h") \
    NUMBER(RUMPK_NOW) NUMBER(RUMPK_FOREVER) NUMBER(RUMPK_QUEUE_BATCH_MAX) \
    NUMBER(RUMPK_QUEUE_DEVICE_WRITES) NUMBER(RUMPK_QUEUE_CHAINED) NUMBER(RUMPK_DEVICE_CONFIG_MAX) \
    NUMBER(RUMPK_DEVICE_QUEUE_MAX) NUMBER(RUMPK_QUEUE_ENTRIES_MAX) NUMBER(RUMPK_MASK_RIGHTS) \
    NUMBER(RUMPK_MASK_FEATURES) NUMBER(RUMPK_MASK_IRQ_UNMASK) NUMBER(RUMPK_MASK_IRQ_MASK) \
    NUMBER(RUMPK_TICK_NOW) NUMBER(RUMPK_WAIT_MAX) \
    NUMBER(RUMPK_META_VERSION) NUMBER(RUMPK_META_FEATURES) NUMBER(RUMPK_META_START) \
    NUMBER(RUMPK_META_SELF) NUMBER(RUMPK_META_CAP) NUMBER(RUMPK_META_FIBER) NUMBER(RUMPK_META_RING) \
    NUMBER(RUMPK_META_BOOT) NUMBER(RUMPK_META_LEDGER) NUMBER(RUMPK_CHECKPOINT_MAX) NUMBER(RUMPK_CAP_STATE_LIVE) \
    NUMBER(RUMPK_CAP_STATE_MAPPED) NUMBER(RUMPK_REVOKE_SELF) NUMBER(RUMPK_PLEDGE_STDIO) \
    NUMBER(RUMPK_PLEDGE_RPATH) NUMBER(RUMPK_PLEDGE_WPATH) NUMBER(RUMPK_PLEDGE_INET) \
    NUMBER(RUMPK_PLEDGE_EXEC) NUMBER(RUMPK_PLEDGE_MAP) NUMBER(RUMPK_PLEDGE_GRANT) \
    NUMBER(RUMPK_PLEDGE_STATE) NUMBER(RUMPK_PLEDGE_CONTROL) NUMBER(RUMPK_PLEDGE_CLASSES) \
    NUMBER(RUMPK_META_CORE) NUMBER(RUMPK_META_RUN) NUMBER(RUMPK_META_WAKE) \
    NUMBER(RUMPK_WAKE_BUCKETS) \
    STRUCT(rumpk_queue_request) \
    FIELD(rumpk_queue_request, memory_slot) FIELD(rumpk_queue_request, flags) \
    FIELD(rumpk_queue_request, offset) FIELD(rumpk_queue_request, length) \
    FIELD(rumpk_queue_request, reserved) FIELD(rumpk_queue_request, cookie) \
    STRUCT(rumpk_queue_completion) \
    FIELD(rumpk_queue_completion, cookie) FIELD(rumpk_queue_completion, written) \
    FIELD(rumpk_queue_completion, reserved) \
    STRUCT(rumpk_device_view) \
    FIELD(rumpk_device_view, device_id) FIELD(rumpk_device_view, vendor_id) \
    FIELD(rumpk_device_view, status) FIELD(rumpk_device_view, generation) \
    FIELD(rumpk_device_view, features_offered) FIELD(rumpk_device_view, features_accepted) \
    FIELD(rumpk_device_view, queue_count) FIELD(rumpk_device_view, config_size) \
    FIELD(rumpk_device_view, queue_entries) FIELD(rumpk_device_view, reserved) \
    FIELD(rumpk_device_view, config) \
    STRUCT(rumpk_meta_self) \
    FIELD(rumpk_meta_self, fiber) FIELD(rumpk_meta_self, spectrum) FIELD(rumpk_meta_self, calls) \
    FIELD(rumpk_meta_self, switches) FIELD(rumpk_meta_self, pledge) \
    STRUCT(rumpk_meta_cap) \
    FIELD(rumpk_meta_cap, type) FIELD(rumpk_meta_cap, rights) FIELD(rumpk_meta_cap, state) \
    FIELD(rumpk_meta_cap, depth) FIELD(rumpk_meta_cap, through) FIELD(rumpk_meta_cap, derived) \
    FIELD(rumpk_meta_cap, size) \
    ENUM(rumpk_fiber_state) \
    LIST(RUMPK_FIBER_STATES, "RUMPK_FIBER_STATE_") \
    STRUCT(rumpk_meta_fiber) \
    FIELD(rumpk_meta_fiber, fiber) FIELD(rumpk_meta_fiber, state) \
    FIELD(rumpk_meta_fiber, spectrum) FIELD(rumpk_meta_fiber, slots_used) \
    FIELD(rumpk_meta_fiber, calls) FIELD(rumpk_meta_fiber, switches) \
    FIELD(rumpk_meta_fiber, pledge) FIELD(rumpk_meta_fiber, checkpoint) \
    FIELD(rumpk_meta_fiber, checkpoint_size) FIELD(rumpk_meta_fiber, granted) \
    FIELD(rumpk_meta_fiber, name) FIELD(rumpk_meta_fiber, reserved) \
    STRUCT(rumpk_meta_ring) \
    FIELD(rumpk_meta_ring, slots) FIELD(rumpk_meta_ring, filled) \
    FIELD(rumpk_meta_ring, epoch) FIELD(rumpk_meta_ring, closed) \
    FIELD(rumpk_meta_ring, wakes) FIELD(rumpk_meta_ring, returns) \
    FIELD(rumpk_meta_ring, reserved) \
    STRUCT(rumpk_meta_core) \
    FIELD(rumpk_meta_core, timer_interrupts) FIELD(rumpk_meta_core, interrupts) \
    FIELD(rumpk_meta_core, preemptions) FIELD(rumpk_meta_core, slices) \
    FIELD(rumpk_meta_core, storms) FIELD(rumpk_meta_core, waits) \
    FIELD(rumpk_meta_core, quiet_longest) FIELD(rumpk_meta_core, points) \
    STRUCT(rumpk_meta_run) \
    FIELD(rumpk_meta_run, run_ticks) FIELD(rumpk_meta_run, strikes) \
    FIELD(rumpk_meta_run, slices) FIELD(rumpk_meta_run, budget) \
    FIELD(rumpk_meta_run, throttled) FIELD(rumpk_meta_run, lent) \
    STRUCT(rumpk_meta_wake) \
    FIELD(rumpk_meta_wake, count) FIELD(rumpk_meta_wake, longest) \
    FIELD(rumpk_meta_wake, buckets) \
    SECTION("cap.h") \
    NUMBER(RUMPK_SLOT_COUNT) NUMBER(RUMPK_SLOT_NONE) NUMBER(RUMPK_CAP_TYPE_COUNT) \
    NUMBER(RUMPK_RIGHT_READ) NUMBER(RUMPK_RIGHT_WRITE) NUMBER(RUMPK_RIGHT_DMA) \
    NUMBER(RUMPK_RIGHT_CONTROL) NUMBER(RUMPK_RIGHT_GRANT) NUMBER(RUMPK_RIGHTS_ALL) \
    NUMBER(RUMPK_DERIVATION_DEPTH_MAX) NUMBER(RUMPK_GRANTS_PER_RING_MAX) \
    ENUM(rumpk_cap_type) \
    LIST(RUMPK_CAP_TYPES, "RUMPK_CAP_") \
    STRUCT(rumpk_cap_info) \
    FIELD(rumpk_cap_info, slot) FIELD(rumpk_cap_info, type) FIELD(rumpk_cap_info, rights) \
    FIELD(rumpk_cap_info, detail) FIELD(rumpk_cap_info, base) FIELD(rumpk_cap_info, size) \
    FIELD(rumpk_cap_info, name) \
    SECTION("ring.h") \
    NUMBER(RUMPK_RING_MAGIC) NUMBER(RUMPK_RING_SLOT_SIZE) NUMBER(RUMPK_RING_SLOTS_MIN) \
    NUMBER(RUMPK_RING_SLOTS_MAX) NUMBER(RUMPK_RING_CONSUMER_OFFSET) \
    NUMBER(RUMPK_RING_PRODUCER_OFFSET) NUMBER(RUMPK_RING_SLOTS_OFFSET) \
    NUMBER(RUMPK_RING_PRODUCER_GONE) NUMBER(RUMPK_RING_CONSUMER_GONE) \
    STRUCT(rumpk_ring_header) \
    FIELD(rumpk_ring_header, magic) FIELD(rumpk_ring_header, version) \
    FIELD(rumpk_ring_header, slot_size) FIELD(rumpk_ring_header, slot_count) \
    FIELD(rumpk_ring_header, epoch) FIELD(rumpk_ring_header, closed) \
    FIELD(rumpk_ring_header, size) FIELD(rumpk_ring_header, reserved) \
    STRUCT(rumpk_ring_consumer) \
    FIELD(rumpk_ring_consumer, tail) FIELD(rumpk_ring_consumer, waiting) \
    FIELD(rumpk_ring_consumer, reserved) \
    STRUCT(rumpk_ring_producer) \
    FIELD(rumpk_ring_producer, head) FIELD(rumpk_ring_producer, waiting) \
    FIELD(rumpk_ring_producer, reserved) \
    STRUCT(rumpk_stream_slot) \
    FIELD(rumpk_stream_slot, length) FIELD(rumpk_stream_slot, flags) \
    FIELD(rumpk_stream_slot, bytes) \
    STRUCT(rumpk_interrupt_slot) \
    FIELD(rumpk_interrupt_slot, count) FIELD(rumpk_interrupt_slot, ticks) \
    FIELD(rumpk_interrupt_slot, reserved) \
    STRUCT(rumpk_message_slot) \
    FIELD(rumpk_message_slot, sequence) FIELD(rumpk_message_slot, buffer) \
    FIELD(rumpk_message_slot, length) FIELD(rumpk_message_slot, reserved) \
    SECTION("ninep.h") \
    NUMBER(RUMPK_NINEP_NOTAG) NUMBER(RUMPK_NINEP_NOFID) NUMBER(RUMPK_NINEP_HEADER) \
    NUMBER(RUMPK_NINEP_READ_HEADER) NUMBER(RUMPK_NINEP_WRITE_HEADER) NUMBER(RUMPK_NINEP_WALK_MAX) \
    NUMBER(RUMPK_NINEP_MSIZE_MIN) NUMBER(RUMPK_NINEP_QID_SIZE) NUMBER(RUMPK_NINEP_OREAD) \
    NUMBER(RUMPK_NINEP_OWRITE) NUMBER(RUMPK_NINEP_ORDWR) NUMBER(RUMPK_NINEP_QTDIR) \
    NUMBER(RUMPK_NINEP_QTFILE) \
    STRING(RUMPK_NINEP_VERSION) \
    ENUM(rumpk_ninep_type) \
    VALUE(RUMPK_TVERSION) VALUE(RUMPK_RVERSION) VALUE(RUMPK_TATTACH) VALUE(RUMPK_RATTACH) \
    VALUE(RUMPK_RERROR) VALUE(RUMPK_TFLUSH) VALUE(RUMPK_RFLUSH) VALUE(RUMPK_TWALK) \
    VALUE(RUMPK_RWALK) VALUE(RUMPK_TOPEN) VALUE(RUMPK_ROPEN) VALUE(RUMPK_TREAD) VALUE(RUMPK_RREAD) \
    VALUE(RUMPK_TWRITE) VALUE(RUMPK_RWRITE) VALUE(RUMPK_TCLUNK) VALUE(RUMPK_RCLUNK) \
    VALUE(RUMPK_TSTAT) VALUE(RUMPK_RSTAT) \
    SECTION("start.h") \
    NUMBER(RUMPK_START_MAGIC) NUMBER(RUMPK_CHANNEL_NET_RX) NUMBER(RUMPK_CHANNEL_NET_TX) \
    NUMBER(RUMPK_CHANNEL_CONSOLE_IN) NUMBER(RUMPK_CHANNEL_CONSOLE_OUT) NUMBER(RUMPK_CHANNEL_VFS) \
    NUMBER(RUMPK_CHANNEL_FIRST_FREE) NUMBER(RUMPK_STYLE_STREAM) NUMBER(RUMPK_STYLE_SERVICE) \
    NUMBER(RUMPK_ROLE_CLIENT) NUMBER(RUMPK_ROLE_SERVER) \
    STRUCT(rumpk_channel) \
    FIELD(rumpk_channel, id) FIELD(rumpk_channel, style) FIELD(rumpk_channel, role) \
    FIELD(rumpk_channel, request_slot) FIELD(rumpk_channel, reply_slot) \
    FIELD(rumpk_channel, arena_slot) FIELD(rumpk_channel, arena_count) \
    FIELD(rumpk_channel, arena_size) FIELD(rumpk_channel, service) FIELD(rumpk_channel, peer) \
    FIELD(rumpk_channel, reserved) \
    STRUCT(rumpk_start) \
    FIELD(rumpk_start, magic) FIELD(rumpk_start, size) FIELD(rumpk_start, systable) \
    FIELD(rumpk_start, abi_version) FIELD(rumpk_start, fiber) FIELD(rumpk_start, spectrum) \
    FIELD(rumpk_start, instance) FIELD(rumpk_start, image_base) FIELD(rumpk_start, image_size) \
    FIELD(rumpk_start, stack_base) FIELD(rumpk_start, stack_size) FIELD(rumpk_start, heap_base) \
    FIELD(rumpk_start, heap_size) FIELD(rumpk_start, checkpoint_base) \
    FIELD(rumpk_start, checkpoint_size) FIELD(rumpk_start, cap_count) \
    FIELD(rumpk_start, caps_offset) FIELD(rumpk_start, channel_count) \
    FIELD(rumpk_start, channels_offset) FIELD(rumpk_start, config_offset) \
    FIELD(rumpk_start, config_size) FIELD(rumpk_start, core) FIELD(rumpk_start, reserved1) \
    FIELD(rumpk_start, reserved2) FIELD(rumpk_start, name) FIELD(rumpk_start, version) \
    SECTION("bkdl.h") \
    NUMBER(RUMPK_BKDL_TITLE_SIZE) NUMBER(RUMPK_BKDL_PACKAGE_SIZE_MAX) \
    NUMBER(RUMPK_BKDL_BOOT_SIZE_MAX) NUMBER(RUMPK_PACKAGES_MAX) NUMBER(RUMPK_REQUESTS_MAX) \
    NUMBER(RUMPK_MATCHES_MAX) NUMBER(RUMPK_SERVICES_MAX) NUMBER(RUMPK_KEYS_MAX) \
    NUMBER(RUMPK_WIRES_MAX) NUMBER(RUMPK_CONFIG_MAX) NUMBER(RUMPK_STACK_MIN) \
    NUMBER(RUMPK_STACK_MAX) NUMBER(RUMPK_HEAP_MAX) NUMBER(RUMPK_DMA_MAX) NUMBER(RUMPK_KIND_DRIVER) \
    NUMBER(RUMPK_KIND_LIBRARY) NUMBER(RUMPK_KIND_KERNEL) NUMBER(RUMPK_BUS_NONE) \
    NUMBER(RUMPK_BUS_VIRTIO) NUMBER(RUMPK_BUS_COMPATIBLE) NUMBER(RUMPK_BUS_PCI) \
    NUMBER(RUMPK_PCI_VENDOR_MAX) NUMBER(RUMPK_PCI_BARS) NUMBER(RUMPK_RESTART_NEVER) \
    NUMBER(RUMPK_RESTART_ON_FAULT) NUMBER(RUMPK_RESTART_ALWAYS) NUMBER(RUMPK_RESTART_LIMIT_MAX) \
    NUMBER(RUMPK_RESTART_WINDOW_S_MAX) NUMBER(RUMPK_BUDGET_US_MAX) \
    NUMBER(RUMPK_IMAGE_DEVELOPMENT) \
    NUMBER(RUMPK_IMAGE_STAY_ON_IDLE) NUMBER(RUMPK_PACKAGE_DMA) \
    NUMBER(RUMPK_PACKAGE_DELEGATE) NUMBER(RUMPK_PACKAGE_OBSERVE) NUMBER(RUMPK_PACKAGE_FLAGS) \
    NUMBER(RUMPK_START_AFTER_OR_REFUSE) NUMBER(RUMPK_START_AFTER_OR_WAIT) NUMBER(RUMPK_START_AT_ONCE) \
    NUMBER(RUMPK_START_MODES) NUMBER(RUMPK_ARENA_COUNT_MAX) \
    NUMBER(RUMPK_ARENA_SIZE_MAX) \
    STRING(RUMPK_BKDL_TITLE_PACKAGE) \
    STRING(RUMPK_BKDL_TITLE_BOOT) \
    ENUM(rumpk_bkdl_tag) \
    VALUE(RUMPK_BKDL_IDENTITY) VALUE(RUMPK_BKDL_RUNTIME) VALUE(RUMPK_BKDL_MATCH) \
    VALUE(RUMPK_BKDL_REQUEST) VALUE(RUMPK_BKDL_PROVIDES) VALUE(RUMPK_BKDL_NEEDS) \
    VALUE(RUMPK_BKDL_IMAGE) VALUE(RUMPK_BKDL_PACKAGE) VALUE(RUMPK_BKDL_KEY) \
    VALUE(RUMPK_BKDL_GRANT) VALUE(RUMPK_BKDL_CONFIG) VALUE(RUMPK_BKDL_WIRE) \
    STRUCT(rumpk_bkdl_opening) \
    FIELD(rumpk_bkdl_opening, title) FIELD(rumpk_bkdl_opening, size) \
    FIELD(rumpk_bkdl_opening, records) FIELD(rumpk_bkdl_opening, reserved) \
    STRUCT(rumpk_bkdl_record) \
    FIELD(rumpk_bkdl_record, tag) FIELD(rumpk_bkdl_record, size) \
    STRUCT(rumpk_bkdl_identity) \
    FIELD(rumpk_bkdl_identity, name) FIELD(rumpk_bkdl_identity, version) \
    FIELD(rumpk_bkdl_identity, security_version) FIELD(rumpk_bkdl_identity, abi_version) \
    FIELD(rumpk_bkdl_identity, kind) FIELD(rumpk_bkdl_identity, arch_mask) \
    STRUCT(rumpk_bkdl_runtime) \
    FIELD(rumpk_bkdl_runtime, spectrum) FIELD(rumpk_bkdl_runtime, flags) \
    FIELD(rumpk_bkdl_runtime, stack_size) FIELD(rumpk_bkdl_runtime, heap_size) \
    FIELD(rumpk_bkdl_runtime, pledge) FIELD(rumpk_bkdl_runtime, budget_us) \
    FIELD(rumpk_bkdl_runtime, restart) FIELD(rumpk_bkdl_runtime, restart_limit) \
    FIELD(rumpk_bkdl_runtime, restart_window_s) FIELD(rumpk_bkdl_runtime, reserved) \
    STRUCT(rumpk_bkdl_match) \
    FIELD(rumpk_bkdl_match, bus) FIELD(rumpk_bkdl_match, device_id) \
    FIELD(rumpk_bkdl_match, vendor_id) FIELD(rumpk_bkdl_match, class_code) \
    FIELD(rumpk_bkdl_match, compatible) \
    STRUCT(rumpk_bkdl_request) \
    FIELD(rumpk_bkdl_request, name) FIELD(rumpk_bkdl_request, type) \
    FIELD(rumpk_bkdl_request, rights) FIELD(rumpk_bkdl_request, bus) \
    FIELD(rumpk_bkdl_request, device_id) FIELD(rumpk_bkdl_request, queues) \
    FIELD(rumpk_bkdl_request, optional) FIELD(rumpk_bkdl_request, size) \
    FIELD(rumpk_bkdl_request, compatible) FIELD(rumpk_bkdl_request, vendor_id) \
    FIELD(rumpk_bkdl_request, class_code) FIELD(rumpk_bkdl_request, bar) \
    FIELD(rumpk_bkdl_request, reserved) \
    STRUCT(rumpk_bkdl_service) \
    FIELD(rumpk_bkdl_service, name) FIELD(rumpk_bkdl_service, version) \
    FIELD(rumpk_bkdl_service, style) FIELD(rumpk_bkdl_service, optional) \
    FIELD(rumpk_bkdl_service, clients) \
    STRUCT(rumpk_bkdl_image) \
    FIELD(rumpk_bkdl_image, name) FIELD(rumpk_bkdl_image, version) \
    FIELD(rumpk_bkdl_image, kernel_digest) FIELD(rumpk_bkdl_image, loaded_digest) FIELD(rumpk_bkdl_image, arch) \
    FIELD(rumpk_bkdl_image, flags) FIELD(rumpk_bkdl_image, package_count) \
    FIELD(rumpk_bkdl_image, wire_count) \
    STRUCT(rumpk_bkdl_package) \
    FIELD(rumpk_bkdl_package, name) FIELD(rumpk_bkdl_package, package_id) \
    FIELD(rumpk_bkdl_package, security_floor) FIELD(rumpk_bkdl_package, threshold) \
    FIELD(rumpk_bkdl_package, spectrum) FIELD(rumpk_bkdl_package, flags) \
    FIELD(rumpk_bkdl_package, stack_max) FIELD(rumpk_bkdl_package, heap_max) \
    FIELD(rumpk_bkdl_package, spawner) FIELD(rumpk_bkdl_package, restart) \
    FIELD(rumpk_bkdl_package, pledge) FIELD(rumpk_bkdl_package, budget_us) \
    FIELD(rumpk_bkdl_package, restart_limit) FIELD(rumpk_bkdl_package, restart_window_s) \
    FIELD(rumpk_bkdl_package, reserved) \
    STRUCT(rumpk_bkdl_key) \
    FIELD(rumpk_bkdl_key, key) \
    STRUCT(rumpk_bkdl_grant) \
    FIELD(rumpk_bkdl_grant, name) FIELD(rumpk_bkdl_grant, type) FIELD(rumpk_bkdl_grant, rights) \
    FIELD(rumpk_bkdl_grant, bus) FIELD(rumpk_bkdl_grant, device_id) \
    FIELD(rumpk_bkdl_grant, index) FIELD(rumpk_bkdl_grant, reserved) \
    FIELD(rumpk_bkdl_grant, size) FIELD(rumpk_bkdl_grant, compatible) \
    FIELD(rumpk_bkdl_grant, vendor_id) FIELD(rumpk_bkdl_grant, class_code) \
    FIELD(rumpk_bkdl_grant, bar) FIELD(rumpk_bkdl_grant, reserved_2) \
    STRUCT(rumpk_bkdl_wire) \
    FIELD(rumpk_bkdl_wire, service) FIELD(rumpk_bkdl_wire, channel) \
    FIELD(rumpk_bkdl_wire, style) FIELD(rumpk_bkdl_wire, client) FIELD(rumpk_bkdl_wire, server) \
    FIELD(rumpk_bkdl_wire, slots) FIELD(rumpk_bkdl_wire, arena_count) \
    FIELD(rumpk_bkdl_wire, arena_size) FIELD(rumpk_bkdl_wire, start) \
    SECTION("archive.h") \
    NUMBER(RUMPK_ARCHIVE_SIZE_MAX) NUMBER(RUMPK_DIGESTS_SIZE_MAX) NUMBER(RUMPK_ELF_SIZE_MAX) \
    STRING(RUMPK_ARCHIVE_MAGIC) \
    STRING(RUMPK_IMAGE_SECTION) \
    STRUCT(rumpk_archive_header) \
    FIELD(rumpk_archive_header, magic) FIELD(rumpk_archive_header, size) \
    FIELD(rumpk_archive_header, entry_count) FIELD(rumpk_archive_header, arch) \
    FIELD(rumpk_archive_header, manifest_offset) FIELD(rumpk_archive_header, manifest_size) \
    FIELD(rumpk_archive_header, manifest_signature) FIELD(rumpk_archive_header, reserved) \
    STRUCT(rumpk_archive_entry) \
    FIELD(rumpk_archive_entry, digests_offset) FIELD(rumpk_archive_entry, digests_size) \
    FIELD(rumpk_archive_entry, bkdl_offset) FIELD(rumpk_archive_entry, bkdl_size) \
    FIELD(rumpk_archive_entry, elf_offset) FIELD(rumpk_archive_entry, elf_size) \
    FIELD(rumpk_archive_entry, publisher_key) FIELD(rumpk_archive_entry, signature) \
    FIELD(rumpk_archive_entry, reserved) \
    STRUCT(rumpk_image_header) \
    FIELD(rumpk_image_header, owner_key) FIELD(rumpk_image_header, archive_base) \
    FIELD(rumpk_image_header, archive_size) FIELD(rumpk_image_header, reserved) \
    SECTION("note.h") \
    NUMBER(RUMPK_NOTE_OWNER_SIZE) NUMBER(RUMPK_NOTE_TYPE_ABI) \
    NUMBER(RUMPK_NOTE_TYPE_CALL) NUMBER(RUMPK_PROFILE_HARD_FLOAT) \
    STRING(RUMPK_NOTE_OWNER) \
    STRUCT(rumpk_call_note) \
    FIELD(rumpk_call_note, call) FIELD(rumpk_call_note, operation) \
    STRUCT(rumpk_abi_note) \
    FIELD(rumpk_abi_note, abi_version) FIELD(rumpk_abi_note, arch) \
    FIELD(rumpk_abi_note, profile) FIELD(rumpk_abi_note, systable_size) \
    FIELD(rumpk_abi_note, abi_text) \
    SECTION("ledger.h") \
    NUMBER(RUMPK_LEDGER_MAGIC) NUMBER(RUMPK_LEDGER_CAPACITY) NUMBER(RUMPK_LEDGER_HASHED) \
    NUMBER(RUMPK_LEDGER_NO_PACKAGE) NUMBER(RUMPK_BOOT_MAGIC) \
    ENUM(rumpk_ledger_kind) \
    LIST(RUMPK_LEDGER_KINDS, "RUMPK_LEDGER_") \
    ENUM(rumpk_refusal) \
    LIST(RUMPK_REFUSALS, "RUMPK_REFUSE_") \
    ENUM(rumpk_boot_stage) \
    LIST(RUMPK_BOOT_STAGES, "RUMPK_BOOT_") \
    ENUM(rumpk_boot_cause) \
    LIST(RUMPK_BOOT_CAUSES, "RUMPK_BOOT_CAUSE_") \
    STRUCT(rumpk_ledger_record) \
    FIELD(rumpk_ledger_record, sequence) FIELD(rumpk_ledger_record, kind) \
    FIELD(rumpk_ledger_record, code) FIELD(rumpk_ledger_record, ticks) \
    FIELD(rumpk_ledger_record, package) FIELD(rumpk_ledger_record, fiber) \
    FIELD(rumpk_ledger_record, pc) FIELD(rumpk_ledger_record, address) \
    FIELD(rumpk_ledger_record, detail) FIELD(rumpk_ledger_record, image_base) \
    FIELD(rumpk_ledger_record, reserved0) FIELD(rumpk_ledger_record, package_id) \
    FIELD(rumpk_ledger_record, name) FIELD(rumpk_ledger_record, reserved1) \
    FIELD(rumpk_ledger_record, previous) FIELD(rumpk_ledger_record, hash) \
    STRUCT(rumpk_ledger) \
    FIELD(rumpk_ledger, magic) FIELD(rumpk_ledger, capacity) FIELD(rumpk_ledger, count) \
    FIELD(rumpk_ledger, dropped) FIELD(rumpk_ledger, reserved) FIELD(rumpk_ledger, records) \
    STRUCT(rumpk_boot_record) \
    FIELD(rumpk_boot_record, magic) FIELD(rumpk_boot_record, stage) \
    FIELD(rumpk_boot_record, cause) FIELD(rumpk_boot_record, arch) \
    FIELD(rumpk_boot_record, package) FIELD(rumpk_boot_record, pc) \
    FIELD(rumpk_boot_record, address) FIELD(rumpk_boot_record, detail) \
    FIELD(rumpk_boot_record, timer_hz) FIELD(rumpk_boot_record, ticks) \
    FIELD(rumpk_boot_record, memory_size) FIELD(rumpk_boot_record, systable_physical) \
    FIELD(rumpk_boot_record, kernel_start) FIELD(rumpk_boot_record, kernel_end) \
    FIELD(rumpk_boot_record, pages_total) FIELD(rumpk_boot_record, pages_free) \
    FIELD(rumpk_boot_record, console) FIELD(rumpk_boot_record, reserved)

#endif
