// SPDX-License-Identifier: Apache-2.0
//
// Building and verifying images. Building ends by verifying its own result as a stranger would.

#include "nip/image.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "elf_file.h"
#include "image_parts.h"
#include "nip/crypto.h"
#include "nip/digests.h"
#include "nip/elf.h"

static struct nip_image_report *report_new(void)
{
    struct nip_image_report *report = calloc(1, sizeof *report);
    struct nip_image_report_package *packages = calloc(RUMPK_PACKAGES_MAX, sizeof *packages);
    if (!report || !packages) {
        free(report);
        free(packages);
        return NULL;
    }
    report->packages = packages;
    report->refused_package = RUMPK_LEDGER_NO_PACKAGE;
    return report;
}

void nip_image_report_free(struct nip_image_report *report)
{
    if (!report)
        return;
    nip_boot_free(report->boot);
    free(report->packages);
    free(report);
}

uint32_t nip_image_arch(const void *data, size_t size)
{
    struct nip_elf_kernel kernel;
    return nip_elf_check_kernel(data, size, "", &kernel, NULL) == NIP_OK ? kernel.arch : 0;
}

// ---- verify ----

static bool lists_key(const struct nip_boot_package *pinned, const uint8_t key[RUMPK_KEY_SIZE])
{
    for (uint32_t k = 0; k < pinned->key_count; k++)
        if (memcmp(pinned->keys[k].key, key, RUMPK_KEY_SIZE) == 0)
            return true;
    return false;
}

// Is the key of the signature inside one of the publisher's, and none of those the owner's?
static enum nip_code check_keys(const struct nip_image_report *report,
                                const struct nip_boot_package *pinned,
                                const uint8_t publisher_key[RUMPK_KEY_SIZE], const char *file,
                                struct image_verdict *verdict)
{
    if (!lists_key(pinned, publisher_key))
        return image_refuse(verdict, NIP_ERROR_UNTRUSTED, RUMPK_REFUSE_PACKAGE_KEY,
                            "%s: the publisher's key of %s is not one that the boot manifest pins",
                            file, pinned->package.name);
    if ((report->boot->image.flags & RUMPK_IMAGE_DEVELOPMENT) != 0 ||
        !lists_key(pinned, report->owner_key))
        return NIP_OK;
    image_refuse(verdict, NIP_ERROR_KEY, RUMPK_REFUSE_PACKAGE_KEY,
                 "%s: the owner's key of the image is also a publisher's key of %s", file,
                 pinned->package.name);
    nip_error_hint(verdict->err, "who makes packages and who permits them are two: ask the owner "
                                 "for an image signed with a key of its own");
    return NIP_ERROR_KEY;
}

// The archive itself: layout, owner's signature, boot manifest; then every package.
static enum nip_code verify_archive(const uint8_t *data, size_t size, const char *file,
                                    struct nip_image_report *report, struct image_verdict *verdict)
{
    struct nip_archive archive;
    enum nip_code code =
        nip_archive_read(data, size, file, &archive, &verdict->refusal, verdict->err);
    if (code != NIP_OK)
        return code;
    if (archive.arch != report->arch)
        return image_refuse(verdict, NIP_ERROR_MISMATCH, RUMPK_REFUSE_ARCHIVE_HEADER,
                            "%s: the boot archive is for %s, the kernel for %s", file,
                            nip_arch_name(archive.arch), nip_arch_name(report->arch));
    if (!nip_verify_prehashed(report->owner_key, archive.manifest, archive.manifest_size,
                              archive.manifest_signature))
        return image_refuse(verdict, NIP_ERROR_SIGNATURE, RUMPK_REFUSE_MANIFEST_SIGNATURE,
                            "%s: the owner's signature does not fit the boot manifest", file);
    verdict->refusal = RUMPK_REFUSE_MANIFEST_FORM;
    code = nip_bkdl_decode_boot(archive.manifest, archive.manifest_size, "boot.bkdl", &report->boot,
                                verdict->err);
    if (code != NIP_OK)
        return code;
    verdict->refusal = RUMPK_REFUSE_NONE;
    const struct nip_boot *boot = report->boot;
    if (boot->image.arch != report->arch)
        return image_refuse(verdict, NIP_ERROR_MISMATCH, RUMPK_REFUSE_MANIFEST_ARCH,
                            "%s: the boot manifest is for another architecture", file);
    if (boot->image.package_count != archive.part_count)
        return image_refuse(verdict, NIP_ERROR_MISMATCH, RUMPK_REFUSE_ARCHIVE_HEADER,
                            "%s: the boot manifest lists %" PRIu32 " packages, the archive holds "
                            "%" PRIu32,
                            file, boot->image.package_count, archive.part_count);
    bool is_loaded_same =
        memcmp(report->loaded_digest, boot->image.loaded_digest, RUMPK_DIGEST_SIZE) == 0;
    if (!is_loaded_same ||
        memcmp(report->kernel_digest, boot->image.kernel_digest, RUMPK_DIGEST_SIZE) != 0)
        return image_refuse(verdict, NIP_ERROR_DIGEST,
                            is_loaded_same ? RUMPK_REFUSE_NONE : RUMPK_REFUSE_KERNEL_DIGEST,
                            "%s: the kernel is not the one that the owner signed", file);
    for (uint32_t i = 0; i < archive.part_count; i++) {
        const struct nip_boot_package *pinned = &boot->packages[i];
        struct nip_image_report_package *package = &report->packages[i];
        report->refused_package = i;
        nip_digests_id(archive.parts[i].digests, archive.parts[i].digests_size,
                       package->package_id);
        if (memcmp(package->package_id, pinned->package.package_id, RUMPK_DIGEST_SIZE) != 0)
            return image_refuse(verdict, NIP_ERROR_DIGEST, RUMPK_REFUSE_PACKAGE_ID,
                                "%s: the digests of %s are not those that the boot manifest pins",
                                file, pinned->package.name);
        code = check_keys(report, pinned, archive.parts[i].publisher_key, file, verdict);
        if (code != NIP_OK)
            return code;
        code = image_check_package(&archive.parts[i], report->arch, package, verdict);
        if (code != NIP_OK) {
            nip_error_prefix(verdict->err, "%s: package %s: ", file, pinned->package.name);
            return code;
        }
        if (strcmp(package->manifest.identity.name, pinned->package.name) != 0)
            return image_refuse(verdict, NIP_ERROR_MISMATCH, RUMPK_REFUSE_PACKAGE_NAME,
                                "%s: the boot manifest names %s, the package is %s", file,
                                pinned->package.name, package->manifest.identity.name);
        if (package->manifest.identity.security_version < pinned->package.security_floor)
            return image_refuse(verdict, NIP_ERROR_UNTRUSTED, RUMPK_REFUSE_SECURITY_FLOOR,
                                "%s: %s is below its security floor", file, pinned->package.name);
        code = image_check_grants(boot, i, package, verdict);
        if (code != NIP_OK)
            return code;
        report->package_count = i + 1;
    }
    code = image_check_wires(boot, report->packages, &report->refused_package, verdict);
    if (code == NIP_OK)
        report->refused_package = RUMPK_LEDGER_NO_PACKAGE;
    return code;
}

static enum nip_code verify_image(const uint8_t *data, size_t size, const char *file,
                                  const uint8_t *owner_key, struct nip_image_report *report,
                                  struct image_verdict *verdict)
{
    struct rumpk_image_header header;
    struct nip_buffer kernel;
    struct nip_elf_kernel info = {.arch = 0};
    const uint8_t *archive = NULL;
    nip_buffer_init(&kernel, 0);
    enum nip_code code = image_split(data, size, file, &header, &archive, &kernel, verdict->err);
    if (code == NIP_OK)
        code = nip_elf_check_kernel(kernel.data, kernel.size, file, &info, verdict->err);
    report->kernel_size = kernel.size;
    if (code == NIP_OK)
        nip_hash_bytes(kernel.data, kernel.size, report->kernel_digest);
    if (code == NIP_OK)
        code = image_loaded_digest(kernel.data, kernel.size, file, report->loaded_digest,
                                   verdict->err);
    nip_buffer_free(&kernel);
    if (code != NIP_OK)
        return code;
    report->arch = info.arch;
    report->kernel_loaded = info.file_size;
    report->archive_base = header.archive_base;
    report->archive_size = header.archive_size;
    report->image_size = size;
    memcpy(report->owner_key, header.owner_key, RUMPK_KEY_SIZE);
    if (owner_key && memcmp(owner_key, header.owner_key, RUMPK_KEY_SIZE) != 0) {
        nip_error_set(verdict->err, NIP_ERROR_UNTRUSTED,
                      "%s: the image belongs to another owner: its key is not the expected one",
                      file);
        nip_error_hint(verdict->err, "Who can replace a whole image can replace the key in it. "
                                     "Get the image, or the owner's key, from a place you trust.");
        return NIP_ERROR_UNTRUSTED;
    }
    if (!nip_key_is_valid(report->owner_key))
        return image_refuse(verdict, NIP_ERROR_KEY, RUMPK_REFUSE_OWNER_KEY,
                            "%s: the image carries no valid owner key", file);
    return verify_archive(archive, (size_t)header.archive_size, file, report, verdict);
}

enum nip_code nip_image_verify(const void *data, size_t size, const char *file,
                               const uint8_t owner_key[RUMPK_KEY_SIZE],
                               struct nip_image_report **report, struct nip_error *err)
{
    if (report)
        *report = NULL;
    struct nip_image_report *made = report_new();
    if (!made)
        return nip_error_set(err, NIP_ERROR_MEMORY, "no memory for a report");
    struct image_verdict verdict = {.err = err};
    enum nip_code code = verify_image(data, size, file, owner_key, made, &verdict);
    made->refusal = verdict.refusal;
    if (report)
        *report = made;
    else
        nip_image_report_free(made);
    return code;
}

// ---- build ----

// Which packages of image.kdl are part of this image; each of them verified.
static enum nip_code select_packages(const struct nip_image_input *input,
                                     struct nip_image_report_package *packages, uint32_t *order,
                                     uint32_t *count, struct nip_error *err)
{
    const struct nip_imagedef *imagedef = input->imagedef;
    *count = 0;
    for (uint32_t i = 0; i < imagedef->package_count; i++) {
        const struct nip_imagedef_package *package = &imagedef->packages[i];
        bool is_wanted =
            package->arch_mask == 0 || (package->arch_mask & RUMPK_ARCH_BIT(input->arch)) != 0;
        if (!input->packages[i].is_present)
            continue;
        if (!is_wanted)
            return nip_error_set(err, NIP_ERROR_INTERNAL, "%s is not for %s", package->name,
                                 nip_arch_name(input->arch));
        struct image_verdict verdict = {.err = err};
        enum nip_code code =
            image_check_package(&input->packages[i].part, input->arch, &packages[i], &verdict);
        if (code != NIP_OK) {
            nip_error_prefix(err, "package %s: ", package->name);
            return code;
        }
        order[(*count)++] = i;
    }
    return NIP_OK;
}

static enum nip_code sign_and_join(const struct nip_image_input *input, struct nip_archive *archive,
                                   const struct nip_boot *boot, struct nip_buffer *out,
                                   struct nip_error *err)
{
    struct nip_buffer manifest, bytes;
    nip_buffer_init(&manifest, RUMPK_BKDL_BOOT_SIZE_MAX + RUMPK_PAGE_SIZE);
    nip_buffer_init(&bytes, RUMPK_ARCHIVE_SIZE_MAX);
    enum nip_code code = nip_bkdl_encode_boot(boot, &manifest, err);
    if (code == NIP_OK)
        code = input->sign(input->sign_context, manifest.data, manifest.size,
                           archive->manifest_signature, err);
    if (code == NIP_OK) {
        archive->manifest = manifest.data;
        archive->manifest_size = manifest.size;
        code = nip_archive_write(archive, &bytes, err);
    }
    if (code == NIP_OK)
        code = image_join(input->kernel, input->kernel_size, input->owner_key, bytes.data,
                          bytes.size, out, err);
    nip_buffer_free(&bytes);
    nip_buffer_free(&manifest);
    return code;
}

enum nip_code nip_image_build(const struct nip_image_input *input, struct nip_buffer *out,
                              struct nip_image_report **report, struct nip_error *err)
{
    if (report)
        *report = NULL;
    if (out->size != 0)
        return nip_error_set(err, NIP_ERROR_INTERNAL, "an image is not appended to anything");
    struct nip_image_report_package *packages = calloc(RUMPK_PACKAGES_MAX, sizeof *packages);
    struct nip_boot *boot = nip_boot_new();
    struct nip_archive *archive = calloc(1, sizeof *archive);
    uint32_t order[RUMPK_PACKAGES_MAX], count = 0;
    struct nip_elf_kernel kernel;
    enum nip_code code = NIP_OK;
    if (!packages || !boot || !archive)
        code = nip_error_set(err, NIP_ERROR_MEMORY, "no memory for an image");

    // Is this a kernel for the architecture that is asked for?
    if (code == NIP_OK)
        code = nip_elf_check_kernel(input->kernel, input->kernel_size, "the kernel", &kernel, err);
    if (code == NIP_OK && kernel.arch != input->arch)
        code = nip_error_set(err, NIP_ERROR_MISMATCH, "the kernel is for %s, expected %s",
                             nip_arch_name(kernel.arch), nip_arch_name(input->arch));
    if (code == NIP_OK && !nip_key_is_valid(input->owner_key))
        code = nip_error_set(err, NIP_ERROR_KEY, "the owner's key is not valid");

    // Which packages, what may each of them do, and who serves whom?
    if (code == NIP_OK)
        code = select_packages(input, packages, order, &count, err);
    if (code == NIP_OK)
        code = image_bind(input, packages, order, count, boot, err);

    if (code == NIP_OK) {
        nip_hash_bytes(input->kernel, input->kernel_size, boot->image.kernel_digest);
        code = image_loaded_digest(input->kernel, input->kernel_size, "the kernel",
                                   boot->image.loaded_digest, err);
    }
    if (code == NIP_OK) {
        archive->arch = input->arch;
        archive->part_count = count;
        for (uint32_t k = 0; k < count; k++)
            archive->parts[k] = input->packages[order[k]].part;
        code = sign_and_join(input, archive, boot, out, err);
    }
    // Would a stranger accept it? This also catches a signing function that used another key.
    if (code == NIP_OK)
        code = nip_image_verify(out->data, out->size, "the image", input->owner_key, report, err);
    if (code != NIP_OK) {
        nip_buffer_clear(out);
        if (report) {
            nip_image_report_free(*report);
            *report = NULL;
        }
    }
    free(archive);
    nip_boot_free(boot);
    free(packages);
    return code;
}

// ---- report ----

static void print_digest(const char *what, const uint8_t digest[RUMPK_DIGEST_SIZE],
                         struct nip_buffer *out)
{
    char text[NIP_DIGEST_TEXT_SIZE];
    nip_digest_text(digest, text);
    nip_buffer_append_format(out, "%s%s\n", what, text);
}

// A key is shown by its fingerprint, as 'nip key show' does.
static void print_key(const char *what, const uint8_t key[RUMPK_KEY_SIZE], struct nip_buffer *out)
{
    uint8_t fingerprint[RUMPK_DIGEST_SIZE];
    nip_hash_bytes(key, RUMPK_KEY_SIZE, fingerprint);
    print_digest(what, fingerprint, out);
}

static void print_limits(const struct rumpk_bkdl_package *package, struct nip_buffer *out)
{
    nip_buffer_append_text(out, "  calls        ");
    nip_pledge_words(package->pledge, out);
    if (package->budget_us != 0)
        nip_buffer_append_format(out, "; budget %" PRIu32 " us", package->budget_us);
    nip_buffer_append_format(out, "; restart %s", nip_restart_name(package->restart));
    if (package->restart != RUMPK_RESTART_NEVER)
        nip_buffer_append_format(out, ", at most %" PRIu32 " in %" PRIu32 " s",
                                 package->restart_limit, package->restart_window_s);
    nip_buffer_append_byte(out, '\n');
}

static void print_package(const struct nip_image_report *report, uint32_t number,
                          struct nip_buffer *out)
{
    const struct nip_image_report_package *package = &report->packages[number];
    const struct nip_boot_package *bound = &report->boot->packages[number];
    const struct rumpk_bkdl_identity *identity = &package->manifest.identity;
    nip_buffer_append_format(out, "package %" PRIu32 "      %s %s\n", number, identity->name,
                             identity->version);
    print_digest("  id           ", package->package_id, out);
    print_key("  publisher    ", package->publisher_key, out);
    for (uint32_t i = 0; i < bound->key_count; i++)
        if (memcmp(bound->keys[i].key, package->publisher_key, RUMPK_KEY_SIZE) != 0)
            print_key("  also         ", bound->keys[i].key, out);
    nip_buffer_append_format(out, "  keys         %" PRIu32 " of these %" PRIu32 " must sign\n",
                             bound->package.threshold, bound->key_count);
    nip_buffer_append_format(out,
                             "  security     version %" PRIu32 ", floor %" PRIu32 "\n"
                             "  runs as      %s; driver %" PRIu64 " bytes, %" PRIu64
                             " in memory; stack %" PRIu64 ", heap %" PRIu64 "\n",
                             identity->security_version, bound->package.security_floor,
                             nip_spectrum_name(bound->package.spectrum), package->elf_size,
                             package->memory_size, package->manifest.runtime.stack_size,
                             package->manifest.runtime.heap_size);
    print_limits(&bound->package, out);
    for (uint32_t i = 0; i < bound->grant_count; i++) {
        struct rumpk_bkdl_request granted =
            *nip_manifest_request(&package->manifest, bound->grants[i].name);
        granted.size = bound->grants[i].size;
        granted.optional = 0;
        nip_buffer_append_text(out, "  may          ");
        nip_manifest_request_words(&granted, out);
        if (bound->grants[i].index)
            nip_buffer_append_format(out, ", number %" PRIu32, bound->grants[i].index);
        nip_buffer_append_byte(out, '\n');
    }
    if (bound->package.flags & RUMPK_PACKAGE_DMA)
        nip_buffer_append_text(out, "  DMA          permitted by the owner. The kernel checks "
                                    "every address of its virtio queues.\n");
    if (bound->package.flags & RUMPK_PACKAGE_DELEGATE)
        nip_buffer_append_text(
            out, "  delegate     permitted by the owner: it may grant what it is given "
                 "to its peers: memory, registers, rings, queues, interrupts.\n");
    if (bound->package.flags & RUMPK_PACKAGE_OBSERVE)
        nip_buffer_append_text(out,
                               "  observe      permitted by the owner: it may see statistics and "
                               "faults of the others.\n");
    if (bound->package.spawner)
        nip_buffer_append_text(out, "  on demand    not started at boot.\n");
    if (bound->config_size)
        nip_buffer_append_format(out, "  config       %" PRIu32 " bytes\n", bound->config_size);
}

void nip_image_report_print(const struct nip_image_report *report, struct nip_buffer *out)
{
    if (!report->boot)
        return;
    const struct nip_boot *boot = report->boot;
    nip_buffer_append_format(out, "image          %s %s for %s, %" PRIu64 " bytes%s\n",
                             boot->image.name, boot->image.version, nip_arch_name(report->arch),
                             report->image_size,
                             boot->image.flags & RUMPK_IMAGE_DEVELOPMENT ? ", development" : "");
    print_key("owner          ", report->owner_key, out);
    nip_buffer_append_format(out, "kernel         %" PRIu64 " bytes, %" PRIu64 " loaded\n",
                             report->kernel_size, report->kernel_loaded);
    print_digest("  digest       ", report->kernel_digest, out);
    nip_buffer_append_format(out, "boot archive   %" PRIu64 " bytes at %#" PRIx64 "\n",
                             report->archive_size, report->archive_base);
    nip_buffer_append_format(out, "when idle      %s\n",
                             boot->image.flags & RUMPK_IMAGE_STAY_ON_IDLE ? "stays" : "powers off");
    for (uint32_t i = 0; i < report->package_count; i++)
        print_package(report, i, out);
    for (uint32_t i = 0; i < boot->image.wire_count; i++) {
        const struct rumpk_bkdl_wire *wire = &boot->wires[i];
        nip_buffer_append_format(out, "wire           %s -> %s: %s (%s), %" PRIu32 " slots",
                                 boot->packages[wire->client].package.name,
                                 boot->packages[wire->server].package.name, wire->service,
                                 nip_style_name(wire->style), wire->slots);
        if (wire->arena_count)
            nip_buffer_append_format(out, ", %" PRIu32 " buffers of %" PRIu32 " bytes",
                                     wire->arena_count, wire->arena_size);
        nip_buffer_append_byte(out, '\n');
    }
}
