// SPDX-License-Identifier: Apache-2.0
//
// nip image: from image.kdl to one bootable file per architecture.

#include <stdlib.h>
#include <string.h>

#include "bill.h"
#include "commands.h"
#include "imaging.h"
#include "keystore.h"
#include "progress.h"
#include "project.h"
#include "providers.h"
#include "report.h"

// The bill of materials and the licences appear first: an image without them is never there.
static enum nip_code write_image(struct cli *cli, const struct imaging *imaging,
                                 const struct nip_buffer *image,
                                 const struct nip_image_report *report, struct nip_error *err)
{
    char sbom[CLI_PATH_SIZE], licenses[CLI_PATH_SIZE];
    char file[CLI_PATH_SIZE], size[32];
    const char *arch = nip_arch_name(report->arch), *out = cli_option(cli, "out");
    if (out != NULL)
        snprintf(file, sizeof file, "%s", out);
    else
        snprintf(file, sizeof file, "build/%s-%s.elf", project_short_name(report->boot->image.name),
                 arch);
    enum nip_code code = bill_write(imaging, report->arch, file, image, sbom, licenses, err);
    if (code == NIP_OK)
        code = project_write_file(file, image->data, image->size, 0644, err);
    if (code == NIP_OK)
        cli_say(cli, "made       %s (%s, %u packages%s)", file, cli_size_text(image->size, size),
                (unsigned)report->package_count,
                (report->boot->image.flags & RUMPK_IMAGE_DEVELOPMENT) != 0 ? ", development" : "");
    if (code == NIP_OK)
        cli_detail(cli, "made       %s\nmade       %s", sbom, licenses);
    return code;
}

static enum nip_code make_images(struct cli *cli, struct decisions *decisions,
                                 const struct imaging *imaging, const struct nip_secret_key *owner,
                                 uint32_t mask, struct nip_error *err)
{
    struct nip_json *list = nip_json_make_array();
    struct progress progress;
    enum nip_code code = NIP_OK;
    progress_begin(&progress, cli, "images", (size_t)__builtin_popcount(mask));
    for (size_t a = 0; code == NIP_OK && a < RUMPK_ARCH_COUNT; a++) {
        if ((mask & RUMPK_ARCH_BIT(arch_all[a])) == 0)
            continue;
        struct nip_buffer image = {0};
        struct nip_image_report *report = NULL;
        progress_step(&progress, nip_arch_name(arch_all[a]));
        code = imaging_build(imaging, &decisions->sdk, owner, arch_all[a], &image, &report, err);
        if (code == NIP_ERROR_CONFLICT)
            providers_suggest(cli, decisions, imaging, arch_all[a], err);
        if (code == NIP_OK)
            code = write_image(cli, imaging, &image, report, err);
        if (code == NIP_OK && cli->is_json)
            nip_json_append(list, report_image_json(report));
        else if (code == NIP_OK && cli_flag(cli, "report"))
            report_image(cli, report);
        nip_image_report_free(report);
        nip_buffer_free(&image);
    }
    progress_end(&progress);
    if (code == NIP_OK && cli->is_json)
        return report_json("nip-images-1", "images", list, err);
    nip_json_free(list);
    return code;
}

enum nip_code command_image(struct cli *cli, struct nip_error *err)
{
    struct decisions decisions = {0};
    struct nip_imagedef *imagedef = NULL;
    struct nip_lock *lock = NULL;
    struct project_lock held = PROJECT_LOCK_NONE;
    struct nip_secret_key owner = {0};
    const char *key_name = cli_option(cli, "key");
    uint32_t mask = 0;
    struct imaging *imaging = calloc(1, sizeof *imaging);
    enum nip_code code = imaging != NULL
                             ? arch_mask_parse(cli, &mask, err)
                             : nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    if (code == NIP_OK && cli_option(cli, "out") != NULL && (mask & (mask - 1)) != 0)
        code = nip_error_set(err, NIP_ERROR_USAGE,
                             "--out names one file, and several images are "
                             "asked for");
    if (code == NIP_OK)
        code = project_require(PROJECT_IMAGE, err);
    if (code == NIP_OK)
        code = project_lock(&held, err);
    if (code == NIP_OK)
        code = project_read_image(".", &imagedef, err);
    if (code == NIP_OK)
        code = project_read_lock(".", &lock, NULL, err);
    if (code == NIP_OK)
        code = decisions_load(&decisions, err);
    if (code == NIP_OK && key_name != NULL)
        code = keystore_unlock(key_name, &owner, err);
    if (code == NIP_OK)
        code =
            imaging_resolve(cli, &decisions, imagedef, lock, cli_flag(cli, "relock"), imaging, err);
    if (code == NIP_OK)
        code = project_check_lock(".", lock, err);
    if (code == NIP_OK && cli_option(cli, "out") != NULL && mask == 0) {
        code = nip_error_set(err, NIP_ERROR_USAGE,
                             "--out names one file, and --arch does not say "
                             "for which architecture");
        nip_error_hint(err, "nip image --arch riscv64 --out FILE");
    }
    if (code == NIP_OK)
        code = make_images(cli, &decisions, imaging, key_name != NULL ? &owner : NULL,
                           mask != 0 ? mask : imaging->arch_mask, err);
    if (code == NIP_OK)
        code = project_write_lock(".", lock, err);
    if (code == NIP_OK) {
        if (key_name == NULL)
            cli_say(cli, "signed with your development key: not for release (--key NAME signs as "
                         "the owner)");
        else if (decisions.sdk.is_development)
            cli_say(cli, "this SDK was built here from source, so the image is marked "
                         "'development'");
        cli_next(cli, "nip run --arch all");
    }
    project_unlock(&held);
    nip_wipe(&owner, sizeof owner);
    imaging_free(imaging);
    decisions_free(&decisions);
    nip_imagedef_free(imagedef);
    free(lock);
    return code;
}
