// SPDX-License-Identifier: Apache-2.0
//
// Goal: an image binds exactly what image.kdl and the packages say, is the same for the same
// inputs, and not one bit of it can change unseen. Method: a small image of three packages; wrong
// definitions with the expected error; every bit of the finished image flipped (every bit of the
// archive's used bytes, and of the file around it).

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rumpk/cap.h>
#include <rumpk/start.h>

#include "image_fixture.h"
#include "nip/elf.h"

static void image_binds_and_verifies(void **state)
{
    (void)state;
    struct fixture_image fixture;
    struct nip_buffer image = {.size = 0}, again = {.size = 0}, text = {.size = 0};
    struct nip_image_report *report = NULL;
    struct nip_error err = {.code = NIP_OK};
    fixture_image_make(&fixture, fixture_image_kdl);
    if (nip_image_build(&fixture.input, &image, &report, &err) != NIP_OK)
        fail_msg("%s", err.message);

    // Providers first, otherwise the order of image.kdl.
    const struct nip_boot *boot = report->boot;
    assert_int_equal(report->package_count, 3);
    assert_string_equal(boot->packages[0].package.name, "rumpk/uart");
    assert_string_equal(boot->packages[1].package.name, "rumpk/blk");
    assert_string_equal(boot->packages[2].package.name, "local/reader");
    assert_int_equal(boot->packages[2].config_size, 8);
    assert_memory_equal(boot->packages[2].config, "blocks=8", 8);
    assert_int_equal(boot->packages[1].grant_count, 2);
    assert_int_equal(boot->packages[1].package.flags, RUMPK_PACKAGE_DMA);
    assert_int_equal(boot->packages[0].package.flags, 0);

    // Two wires: the console has its well-known channel, the other the first free one.
    assert_int_equal(boot->image.wire_count, 2);
    assert_string_equal(boot->wires[0].service, "block");
    assert_int_equal(boot->wires[0].channel, RUMPK_CHANNEL_FIRST_FREE);
    assert_int_equal(boot->wires[0].client, 2);
    assert_int_equal(boot->wires[0].server, 1);
    assert_int_equal(boot->wires[1].channel, RUMPK_CHANNEL_CONSOLE_OUT);
    assert_int_equal(boot->wires[1].arena_count, 0);

    // The archive starts where the kernel says it ends, page-aligned, and is a segment.
    uint64_t end;
    assert_int_equal(nip_elf_find_symbol(image.data, image.size, "image", "__kernel_end", &end,
                                         NULL, &err), NIP_OK);
    assert_int_equal(report->archive_base, end);
    assert_int_equal(report->archive_base % RUMPK_PAGE_SIZE, 0);

    // The same inputs give the same bytes.
    assert_int_equal(nip_image_build(&fixture.input, &again, NULL, &err), NIP_OK);
    assert_int_equal(image.size, again.size);
    assert_memory_equal(image.data, again.data, image.size);

    nip_image_report_print(report, &text);
    assert_non_null(strstr(nip_buffer_text(&text), "DMA          permitted by the owner"));
    assert_non_null(strstr(nip_buffer_text(&text), "read and write the registers"));
    nip_image_report_free(report);

    // Another owner's image is not accepted under this owner's key.
    uint8_t secret[NIP_SECRET_KEY_BYTES], other[NIP_PUBLIC_KEY_BYTES];
    fixture_key(77, secret, other);
    assert_int_equal(nip_image_verify(image.data, image.size, "image", other, NULL, &err),
                     NIP_ERROR_UNTRUSTED);
    assert_int_equal(nip_image_verify(image.data, image.size, "image", NULL, NULL, &err), NIP_OK);
    nip_buffer_free(&text);
    nip_buffer_free(&image);
    nip_buffer_free(&again);
    fixture_image_free(&fixture);
}

static void kernel_has_no_key_before(void **state)
{
    (void)state;
    struct fixture_image fixture;
    struct nip_buffer image = {.size = 0};
    struct nip_error err = {.code = NIP_OK};
    fixture_image_make(&fixture, fixture_image_kdl);
    assert_int_equal(nip_image_build(&fixture.input, &image, NULL, &err), NIP_OK);
    assert_null(memmem(fixture.kernel.data, fixture.kernel.size, fixture.input.owner_key, 32));
    uint8_t *first = memmem(image.data, image.size, fixture.input.owner_key, 32);
    assert_non_null(first);
    size_t rest = image.size - (size_t)(first + 32 - image.data);
    assert_null(memmem(first + 32, rest, fixture.input.owner_key, 32));

    // An image is no kernel: nothing is put into it a second time.
    struct nip_buffer twice = {.size = 0};
    fixture.input.kernel = image.data;
    fixture.input.kernel_size = image.size;
    assert_int_equal(nip_image_build(&fixture.input, &twice, NULL, &err), NIP_ERROR_FORMAT);
    assert_int_equal(twice.size, 0);
    nip_buffer_free(&twice);
    nip_buffer_free(&image);
    fixture_image_free(&fixture);
}

#define IMAGE "image \"local/box\" version=\"0.1.0\"\n"
#define READER "package \"local/reader\" version=\"0.1.0\" registry=\"reg\"\n"
#define UART "package \"rumpk/uart\" version=\"0.1.0\" registry=\"sdk\" { grant \"uart\" }\n"
#define BLK(block) "package \"rumpk/blk\" version=\"0.1.0\" registry=\"sdk\" {" block "}\n"
#define GRANTS "grant \"disk\"; grant \"buffers\"; dma #true"

static void wrong_definitions_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *kdl;
        enum nip_code code;
        uint32_t line;
        const char *message, *hint;
    } table[] = {
        {IMAGE READER UART BLK("grant \"disk\"; dma #true"), NIP_ERROR_CONSENT, 4,
         "does not grant it", "grant \"buffers\""},
        {IMAGE READER UART BLK("grant \"disk\"; grant \"buffers\""), NIP_ERROR_CONSENT, 4,
         "no permission for DMA", "dma #true"},
        {IMAGE READER UART BLK(GRANTS "; grant \"disks\""), NIP_ERROR_SCHEMA, 4,
         "requests nothing called \"disks\"", "`disk`"},
        {IMAGE READER UART BLK("grant \"disk\" size=4096; grant \"buffers\"; dma #true"),
         NIP_ERROR_SCHEMA, 4, "`size` is for memory", ""},
        {IMAGE READER UART BLK("grant \"disk\"; grant \"buffers\" size=\"1MiB\"; dma #true"),
         NIP_ERROR_SCHEMA, 4, "only 65536 requested", ""},
        {IMAGE READER UART BLK(GRANTS "; spectrum \"photon\""), NIP_ERROR_SCHEMA, 4,
         "stricter than", ""},
        {IMAGE READER UART BLK(GRANTS "; stack-max \"16KiB\""), NIP_ERROR_SCHEMA, 4,
         "more than image.kdl allows", ""},
        {IMAGE READER UART BLK(GRANTS) "wire \"block\" from=\"rumpk/uart\" to=\"rumpk/blk\"\n",
         NIP_ERROR_SCHEMA, 5, "rumpk/uart needs no service \"block\"", ""},
        {IMAGE READER UART BLK(GRANTS) "wire \"block\" from=\"local/reader\" to=\"rumpk/uart\"\n",
         NIP_ERROR_SCHEMA, 5, "does not provide \"block\"", ""},
        {IMAGE READER UART BLK(GRANTS)
             "wire \"console\" from=\"local/reader\" to=\"rumpk/uart\" buffers=2\n",
         NIP_ERROR_SCHEMA, 5, "is a stream", ""},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct fixture_image fixture;
        struct nip_buffer image = {.size = 0};
        struct nip_error err = {.code = NIP_OK};
        fixture_image_make(&fixture, table[i].kdl);
        enum nip_code code = nip_image_build(&fixture.input, &image, NULL, &err);
        if (code != table[i].code || err.line != table[i].line ||
            !strstr(err.message, table[i].message) || !strstr(err.hint, table[i].hint))
            fail_msg("case %zu: code %s line %u: %s [%s]", i, nip_error_name(code), err.line,
                     err.message, err.hint);
        assert_int_equal(image.size, 0);
        nip_buffer_free(&image);
        fixture_image_free(&fixture);
    }
}

static void providers_must_be_exactly_one(void **state)
{
    (void)state;
    struct fixture_image fixture;
    struct nip_buffer image = {.size = 0};
    struct nip_error err = {.code = NIP_OK};

    // None: the uart is left out of the image.
    fixture_image_make(&fixture, fixture_image_kdl);
    fixture.resolved[1].is_present = false;
    assert_int_equal(nip_image_build(&fixture.input, &image, NULL, &err), NIP_ERROR_CONFLICT);
    assert_non_null(strstr(err.message, "no package for riscv64 provides it"));
    assert_non_null(strstr(err.hint, "Candidates: none"));
    fixture_image_free(&fixture);

    // Two: a second uart under another name. Listed, and settled by one line.
    static const char two[] =
        IMAGE READER UART BLK(GRANTS)
        "package \"rumpk/uart-two\" version=\"0.1.0\" registry=\"sdk\" {\n"
        "    grant \"uart\" index=1\n}\n";
    static const char wire[] = "wire \"console\" from=\"local/reader\" to=\"rumpk/uart-two\"\n";
    struct fixture_package second;
    fixture_package_make(&second, "rumpk/uart-two",
                         "request { registers \"uart\" compatible=\"ns16550a\" }\n"
                         "provides { service \"console\" 1 style=\"stream\" }",
                         RUMPK_ARCH_RISCV64, 2);
    for (int round = 0; round < 3; round++) {
        char text[2000];
        // 0: ambiguous; 1: wired; 2: wired, but both want the same device
        snprintf(text, sizeof text, "%s%s", two, round ? wire : "");
        if (round == 2)
            memcpy(strstr(text, "index=1"), "index=0", 7);
        fixture_image_make(&fixture, text);
        struct nip_image_package resolved[4];
        memcpy(resolved, fixture.resolved, sizeof fixture.resolved);
        resolved[3] = (struct nip_image_package){.is_present = true, .part = second.part};
        fixture.input.packages = resolved;
        enum nip_code code = nip_image_build(&fixture.input, &image, NULL, &err);
        if (round == 1) {
            assert_int_equal(code, NIP_OK);
        } else {
            assert_int_equal(code, NIP_ERROR_CONFLICT);
            assert_non_null(strstr(round == 0 ? err.hint : err.message,
                                   round == 0 ? "rumpk/uart 0.1.0, rumpk/uart-two 0.1.0"
                                              : "one and the same device"));
        }
        nip_buffer_free(&image);
        fixture_image_free(&fixture);
    }
    fixture_package_free(&second);
}

static void keys_and_floors_are_kept(void **state)
{
    (void)state;
    struct fixture_image fixture;
    struct nip_buffer image = {.size = 0};
    struct nip_error err = {.code = NIP_OK};
    fixture_image_make(&fixture, fixture_image_kdl);
    fixture.resolved[0].security_floor = 2;
    assert_int_equal(nip_image_build(&fixture.input, &image, NULL, &err), NIP_ERROR_UNTRUSTED);
    fixture.resolved[0].security_floor = 0;

    // Owner and publisher may only be the same with a development key.
    fixture.owner_seed = 2;
    uint8_t secret[NIP_SECRET_KEY_BYTES];
    fixture_key(2, secret, fixture.input.owner_key);
    assert_int_equal(nip_image_build(&fixture.input, &image, NULL, &err), NIP_ERROR_KEY);
    fixture.input.is_development = true;
    assert_int_equal(nip_image_build(&fixture.input, &image, NULL, &err), NIP_OK);
    nip_buffer_clear(&image);

    // A signing function that used another key is noticed.
    fixture.owner_seed = 3;
    assert_int_equal(nip_image_build(&fixture.input, &image, NULL, &err), NIP_ERROR_SIGNATURE);
    fixture.owner_seed = 2;

    // A package whose driver is not the signed one never gets in.
    fixture.packages[1].elf[RUMPK_ARCH_RISCV64 - 1].data[FIXTURE_DRIVER_TEXT] ^= 1;
    assert_int_equal(nip_image_build(&fixture.input, &image, NULL, &err), NIP_ERROR_DIGEST);
    nip_buffer_free(&image);
    fixture_image_free(&fixture);
}

static void add_signers(struct nip_image_package *package, unsigned count)
{
    uint8_t secret[NIP_SECRET_KEY_BYTES];
    for (unsigned i = 0; i < count; i++)
        fixture_key(40 + (int)i, secret, package->signers[package->signer_count++].key);
}

// What another tool might sign: the manifest says that the image is for release.
static enum nip_code sign_as_release(void *context, const void *data, size_t size,
                                     uint8_t signature[RUMPK_SIGNATURE_SIZE], struct nip_error *err)
{
    struct rumpk_bkdl_image *image =
        (void *)((uint8_t *)(uintptr_t)data + sizeof(struct rumpk_bkdl_opening) +
                 sizeof(struct rumpk_bkdl_record));
    image->flags &= ~RUMPK_IMAGE_DEVELOPMENT;
    return fixture_sign(context, data, size, signature, err);
}

// Goal: the boot manifest lists every key that signed and how many had to. Method: the signers of
// one package made more and fewer, ruled out by image.kdl, or the owner; and manifests of that kind
// read by nip and by the kernel's loader.
static void thresholds_are_written(void **state)
{
    (void)state;
    struct fixture_image fixture;
    struct nip_buffer image = {.size = 0}, words = {.size = 0};
    struct nip_image_report *report = NULL;
    struct nip_error err = {.code = NIP_OK};
    fixture_image_make(&fixture, fixture_image_kdl);
    struct nip_image_package *package = &fixture.resolved[0];

    // Two of three, the one inside not named again: three keys, the one inside first.
    package->threshold = 2;
    add_signers(package, 2);
    assert_int_equal(nip_image_build(&fixture.input, &image, &report, &err), NIP_OK);
    const char *name = fixture.input.imagedef->packages[0].name;
    uint32_t at = 0;
    while (strcmp(report->boot->packages[at].package.name, name) != 0)
        at++;
    const struct nip_boot_package *bound = &report->boot->packages[at];
    assert_int_equal(bound->package.threshold, 2);
    assert_int_equal(bound->key_count, 3);
    assert_memory_equal(bound->keys[0].key, report->packages[at].publisher_key, RUMPK_KEY_SIZE);
    assert_memory_equal(bound->keys[1].key, package->signers[0].key, RUMPK_KEY_SIZE);
    nip_image_report_print(report, &words);
    assert_non_null(strstr(nip_buffer_text(&words), "2 of these 3 must sign"));
    nip_image_report_free(report);
    nip_buffer_clear(&image);

    // As many as fit; one more must have signed than have.
    add_signers(package, 1);
    package->threshold = 5;
    assert_int_equal(nip_image_build(&fixture.input, &image, NULL, &err), NIP_ERROR_UNTRUSTED);
    assert_non_null(strstr(err.message, "5 keys must have signed"));

    // image.kdl rules one out: the rest is not enough.
    struct nip_imagedef *imagedef = fixture.imagedef;
    package->threshold = 2;
    package->signer_count = 1;
    memcpy(imagedef->packages[0].keys[0].key, package->part.publisher_key, RUMPK_KEY_SIZE);
    imagedef->packages[0].key_count = 1;
    assert_int_equal(nip_image_build(&fixture.input, &image, NULL, &err), NIP_ERROR_UNTRUSTED);
    imagedef->packages[0].keys[1] = package->signers[0];
    imagedef->packages[0].key_count = 2;
    assert_int_equal(nip_image_build(&fixture.input, &image, NULL, &err), NIP_OK);
    nip_buffer_clear(&image);

    // The owner is no second publisher.
    memcpy(package->signers[0].key, fixture.input.owner_key, RUMPK_KEY_SIZE);
    imagedef->packages[0].key_count = 0;
    assert_int_equal(nip_image_build(&fixture.input, &image, NULL, &err), NIP_ERROR_KEY);
    fixture.input.is_development = true;
    assert_int_equal(nip_image_build(&fixture.input, &image, NULL, &err), NIP_OK);
    nip_buffer_clear(&image);

    // An owner who signs such an image as one for release with another tool: nip sees it.
    fixture.input.sign = sign_as_release;
    assert_int_equal(nip_image_build(&fixture.input, &image, NULL, &err), NIP_ERROR_KEY);
    assert_non_null(strstr(err.message, "is also a publisher's key"));
    nip_buffer_free(&words);
    nip_buffer_free(&image);
    fixture_image_free(&fixture);
}

// Checking costs about a millisecond, so every bit is flipped where bits matter, and of long runs
// of equal bytes (empty parts of pages) one bit per byte of the first and last 16 and of every 61st
// byte.
static bool is_in_long_run(const uint8_t *data, size_t size, size_t at)
{
    if (at < 16 || at + 16 >= size)
        return false;
    for (size_t i = at - 16; i <= at + 16; i++)
        if (data[i] != data[at])
            return false;
    return true;
}

static void every_flipped_bit_is_refused(void **state)
{
    (void)state;
    struct fixture_image fixture;
    struct nip_buffer image = {.size = 0};
    struct nip_error err = {.code = NIP_OK};
    fixture_image_make(&fixture, fixture_image_kdl);
    // One package keeps the image small.
    fixture.resolved[0].is_present = fixture.resolved[2].is_present = false;
    assert_int_equal(nip_image_build(&fixture.input, &image, NULL, &err), NIP_OK);
    size_t count = 0;
    for (size_t at = 0; at < image.size; at++) {
        bool is_run = is_in_long_run(image.data, image.size, at);
        if (is_run && at % 61 != 0)
            continue;
        for (int bit = 0; bit < (is_run ? 1 : 8); bit++) {
            image.data[at] ^= (uint8_t)(1 << bit);
            if (nip_image_verify(image.data, image.size, "image", fixture.input.owner_key, NULL,
                                 NULL) == NIP_OK)
                fail_msg("byte %zu bit %d changed and nothing noticed", at, bit);
            image.data[at] ^= (uint8_t)(1 << bit);
            count++;
        }
    }
    assert_int_equal(nip_image_verify(image.data, image.size, "image", NULL, NULL, NULL), NIP_OK);
    for (size_t size = 0; size < image.size; size += size < 512 || size > image.size - 512 ? 1 : 97)
        assert_int_not_equal(nip_image_verify(image.data, size, "image", NULL, NULL, NULL), NIP_OK);
    assert_true(count > 10000);
    print_message("%zu single-bit changes refused\n", count);
    nip_buffer_free(&image);
    fixture_image_free(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(image_binds_and_verifies),
        cmocka_unit_test(kernel_has_no_key_before),
        cmocka_unit_test(wrong_definitions_are_refused),
        cmocka_unit_test(providers_must_be_exactly_one),
        cmocka_unit_test(keys_and_floors_are_kept),
        cmocka_unit_test(thresholds_are_written),
        cmocka_unit_test(every_flipped_bit_is_refused),
    };
    return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
