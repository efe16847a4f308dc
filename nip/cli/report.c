// SPDX-License-Identifier: Apache-2.0
//
// Reports. JSON has a "schema" that changes when a field changes its meaning.

#include "report.h"

#include <string.h>

#include "nip/escape.h"
#include "nip/imagedef.h"

struct nip_json *report_text(const char *text)
{
    struct nip_buffer escaped = {0};
    nip_escape_append(&escaped, text, strlen(text));
    struct nip_json *json = nip_json_make_text(nip_buffer_text(&escaped));
    nip_buffer_free(&escaped);
    return json;
}

static struct nip_json *digest_json(const uint8_t digest[NIP_DIGEST_SIZE])
{
    char text[NIP_DIGEST_TEXT_SIZE];
    nip_digest_text(digest, text);
    return nip_json_make_text(text);
}

static void key_text(const uint8_t key[NIP_PUBLIC_KEY_BYTES], char out[NIP_DIGEST_TEXT_SIZE])
{
    struct nip_public_key public = {0};
    memcpy(public.key, key, sizeof public.key);
    nip_public_key_fingerprint(&public, out);
}

static void arch_list(uint32_t mask, char *out, size_t out_size)
{
    out[0] = '\0';
    for (uint32_t arch = 1; arch <= RUMPK_ARCH_COUNT; arch++)
        if ((mask & RUMPK_ARCH_BIT(arch)) != 0) {
            size_t used = strlen(out);
            snprintf(out + used, out_size - used, "%s%s", used != 0 ? " " : "",
                     nip_arch_name(arch));
        }
}

static void print_services(const struct cli *cli, const char *word,
                           const struct rumpk_bkdl_service *services, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        cli_print(cli, "%s service \"%s\" %u (%s)%s", word, services[i].name,
                  (unsigned)services[i].version, nip_style_name(services[i].style),
                  services[i].optional != 0 ? ", can do without" : "");
}

void report_package(const struct cli *cli, const struct checked_package *package, const char *whose)
{
    const struct nip_manifest *manifest = &package->manifest;
    const struct nip_digests *digests = nip_package_digests(package->package);
    char id[NIP_DIGEST_TEXT_SIZE], archs[64], fingerprint[NIP_DIGEST_TEXT_SIZE], size[32];
    nip_digest_text(nip_package_id(package->package), id);
    arch_list(manifest->identity.arch_mask, archs, sizeof archs);
    nip_public_key_fingerprint(nip_package_key(package->package), fingerprint);
    cli_print(cli, "%s %s (%s)", manifest->identity.name, manifest->identity.version,
              nip_kind_name(manifest->identity.kind));
    if (manifest->description[0] != '\0')
        cli_print(cli, "  %s", manifest->description);
    cli_print(cli, "  package id        %s", id);
    cli_print(cli, "  signed by         %s", whose);
    cli_print(cli, "  key fingerprint   %s", fingerprint);
    cli_print(cli, "  security-version  %u", (unsigned)manifest->identity.security_version);
    cli_print(cli, "  needs ABI         %u", (unsigned)manifest->identity.abi_version);
    cli_print(cli, "  architectures     %s", archs);
    cli_print(cli, "  licence           %s", manifest->license);
    cli_print(cli, "  toolchain         %s", digests->toolchain);
    for (uint32_t i = 0; i < manifest->request_count; i++) {
        struct nip_buffer words = {0};
        nip_manifest_request_words(&manifest->requests[i], &words);
        cli_print(cli, "  asks to %s", nip_buffer_text(&words));
        nip_buffer_free(&words);
    }
    print_services(cli, "  offers", manifest->provides, manifest->provides_count);
    print_services(cli, "  needs", manifest->needs, manifest->needs_count);
    for (size_t i = 0; i < digests->file_count; i++)
        cli_print(cli, "  %10s  %s", cli_size_text(digests->files[i].size, size),
                  digests->files[i].path);
    for (size_t i = 0; i < digests->beside_count; i++)
        cli_print(cli, "  %10s  %s (delivered beside the package)",
                  cli_size_text(digests->besides[i].size, size), digests->besides[i].path);
}

static struct nip_json *requests_json(const struct nip_manifest *manifest)
{
    struct nip_json *list = nip_json_make_array();
    for (uint32_t i = 0; i < manifest->request_count; i++) {
        struct nip_json *item = nip_json_make_object();
        struct nip_buffer words = {0};
        nip_manifest_request_words(&manifest->requests[i], &words);
        nip_json_put(item, "name", report_text(manifest->requests[i].name));
        nip_json_put(item, "words", report_text(nip_buffer_text(&words)));
        nip_json_put_bool(item, "optional", manifest->requests[i].optional != 0);
        nip_json_append(list, item);
        nip_buffer_free(&words);
    }
    return list;
}

static struct nip_json *services_json(const struct rumpk_bkdl_service *services, uint32_t count)
{
    struct nip_json *list = nip_json_make_array();
    for (uint32_t i = 0; i < count; i++) {
        struct nip_json *item = nip_json_make_object();
        nip_json_put(item, "name", report_text(services[i].name));
        nip_json_put_u64(item, "version", services[i].version);
        nip_json_put_text(item, "style", nip_style_name(services[i].style));
        nip_json_append(list, item);
    }
    return list;
}

static struct nip_json *archs_json(uint32_t mask)
{
    struct nip_json *list = nip_json_make_array();
    for (uint32_t arch = 1; arch <= RUMPK_ARCH_COUNT; arch++)
        if ((mask & RUMPK_ARCH_BIT(arch)) != 0)
            nip_json_append(list, nip_json_make_text(nip_arch_name(arch)));
    return list;
}

static void put_manifest(struct nip_json *object, const struct nip_manifest *manifest)
{
    nip_json_put(object, "name", report_text(manifest->identity.name));
    nip_json_put(object, "version", report_text(manifest->identity.version));
    nip_json_put_text(object, "kind", nip_kind_name(manifest->identity.kind));
    nip_json_put_u64(object, "security_version", manifest->identity.security_version);
    nip_json_put_u64(object, "abi", manifest->identity.abi_version);
    nip_json_put(object, "arch", archs_json(manifest->identity.arch_mask));
    nip_json_put(object, "requests", requests_json(manifest));
    nip_json_put(object, "provides", services_json(manifest->provides, manifest->provides_count));
    nip_json_put(object, "needs", services_json(manifest->needs, manifest->needs_count));
}

struct nip_json *report_package_json(const struct checked_package *package, const char *whose)
{
    const struct nip_digests *digests = nip_package_digests(package->package);
    struct nip_json *root = nip_json_make_object(), *files = nip_json_make_array();
    char fingerprint[NIP_DIGEST_TEXT_SIZE];
    nip_public_key_fingerprint(nip_package_key(package->package), fingerprint);
    put_manifest(root, &package->manifest);
    nip_json_put(root, "description", report_text(package->manifest.description));
    nip_json_put(root, "license", report_text(package->manifest.license));
    nip_json_put(root, "id", digest_json(nip_package_id(package->package)));
    nip_json_put(root, "signed_by", report_text(whose));
    nip_json_put_text(root, "key_fingerprint", fingerprint);
    nip_json_put(root, "toolchain", report_text(digests->toolchain));
    nip_json_put_u64(root, "size", package->npl.size);
    nip_json_put(root, "sha256", digest_json(package->sha256));
    for (size_t i = 0; i < digests->file_count; i++) {
        struct nip_json *file = nip_json_make_object();
        nip_json_put_text(file, "path", digests->files[i].path);
        nip_json_put_u64(file, "size", digests->files[i].size);
        nip_json_put(file, "digest", digest_json(digests->files[i].digest));
        nip_json_append(files, file);
    }
    nip_json_put(root, "files", files);
    return root;
}

void report_image(const struct cli *cli, const struct nip_image_report *report)
{
    struct nip_buffer text = {0};
    nip_image_report_print(report, &text);
    if (text.size != 0 && text.data[text.size - 1] == '\n')
        text.data[--text.size] = '\0';
    cli_print(cli, "%s", nip_buffer_text(&text));
    nip_buffer_free(&text);
}

static struct nip_json *image_package_json(const struct nip_image_report *report, uint32_t index)
{
    const struct nip_image_report_package *package = &report->packages[index];
    const struct nip_boot_package *boot = &report->boot->packages[index];
    struct nip_json *item = nip_json_make_object(), *grants = nip_json_make_array();
    struct nip_json *keys = nip_json_make_array();
    char fingerprint[NIP_DIGEST_TEXT_SIZE];
    for (uint32_t i = 0; i < boot->key_count; i++) {
        key_text(boot->keys[i].key, fingerprint);
        nip_json_append(keys, nip_json_make_text(fingerprint));
    }
    key_text(package->publisher_key, fingerprint);
    put_manifest(item, &package->manifest);
    nip_json_put(item, "id", digest_json(package->package_id));
    nip_json_put_text(item, "key_fingerprint", fingerprint);
    nip_json_put(item, "keys", keys);
    nip_json_put_u64(item, "threshold", boot->package.threshold);
    nip_json_put_u64(item, "elf_size", package->elf_size);
    nip_json_put_u64(item, "memory_size", package->memory_size);
    nip_json_put_text(item, "spectrum", nip_spectrum_name(boot->package.spectrum));
    nip_json_put_u64(item, "security_floor", boot->package.security_floor);
    nip_json_put_bool(item, "dma", (boot->package.flags & RUMPK_PACKAGE_DMA) != 0);
    for (uint32_t i = 0; i < boot->grant_count; i++)
        nip_json_append(grants, report_text(boot->grants[i].name));
    nip_json_put(item, "grants", grants);
    struct nip_buffer calls = {0};
    nip_pledge_words(boot->package.pledge, &calls);
    nip_json_put_text(item, "calls", nip_buffer_text(&calls));
    nip_buffer_free(&calls);
    nip_json_put_u64(item, "budget_us", boot->package.budget_us);
    nip_json_put_text(item, "restart", nip_restart_name(boot->package.restart));
    nip_json_put_u64(item, "restart_limit", boot->package.restart_limit);
    nip_json_put_u64(item, "restart_window_s", boot->package.restart_window_s);
    return item;
}

struct nip_json *report_image_json(const struct nip_image_report *report)
{
    struct nip_json *root = nip_json_make_object(), *packages = nip_json_make_array();
    struct nip_json *wires = nip_json_make_array();
    const struct rumpk_bkdl_image *image = &report->boot->image;
    char fingerprint[NIP_DIGEST_TEXT_SIZE];
    key_text(report->owner_key, fingerprint);
    nip_json_put(root, "name", report_text(image->name));
    nip_json_put(root, "version", report_text(image->version));
    nip_json_put_text(root, "arch", nip_arch_name(report->arch));
    nip_json_put_bool(root, "development", (image->flags & RUMPK_IMAGE_DEVELOPMENT) != 0);
    nip_json_put_text(root, "owner_fingerprint", fingerprint);
    nip_json_put(root, "kernel_digest", digest_json(report->kernel_digest));
    nip_json_put_u64(root, "kernel_size", report->kernel_size);
    nip_json_put_u64(root, "kernel_loaded", report->kernel_loaded);
    nip_json_put_u64(root, "archive_size", report->archive_size);
    nip_json_put_u64(root, "image_size", report->image_size);
    for (uint32_t i = 0; i < report->package_count; i++)
        nip_json_append(packages, image_package_json(report, i));
    for (uint32_t i = 0; i < image->wire_count; i++) {
        const struct rumpk_bkdl_wire *wire = &report->boot->wires[i];
        struct nip_json *item = nip_json_make_object();
        nip_json_put(item, "service", report_text(wire->service));
        if (wire->client < report->package_count && wire->server < report->package_count) {
            nip_json_put(item, "client",
                         report_text(report->packages[wire->client].manifest.identity.name));
            nip_json_put(item, "server",
                         report_text(report->packages[wire->server].manifest.identity.name));
        }
        nip_json_put_u64(item, "channel", wire->channel);
        nip_json_append(wires, item);
    }
    nip_json_put(root, "packages", packages);
    nip_json_put(root, "wires", wires);
    return root;
}

enum nip_code report_json(const char *schema, const char *key, struct nip_json *json,
                          struct nip_error *err)
{
    struct nip_json *root = nip_json_make_object();
    struct nip_buffer text = {0};
    nip_json_put_text(root, "schema", schema);
    nip_json_put(root, key, json);
    enum nip_code code = nip_json_print(root, true, &text, err);
    if (code == NIP_OK)
        printf("%s\n", nip_buffer_text(&text));
    nip_buffer_free(&text);
    nip_json_free(root);
    return code;
}
