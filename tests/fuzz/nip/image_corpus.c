// SPDX-License-Identifier: Apache-2.0
//
// Writes accepted inputs for the fuzzers of manifests and images. Usage: nip_image_corpus FOLDER
// NAME

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image_fixture.h"
#include "nip/fs.h"
#include "must.h"

static const char *corpus;

static void write_seed(const char *name, const void *data, size_t size)
{
    struct nip_error err = {.code = NIP_OK};
    char *path = nip_fs_join(corpus, name);
    MUST(path != NULL);
    MUST(nip_fs_write(path, data, size, 0644, &err) == NIP_OK);
    free(path);
}

static const char manifest_text[] =
    "package \"rumpk/virtio-blk\" version=\"0.1.0-rc.1\" {\n"
    "    kind \"driver\"\n    security-version 7\n    abi 1\n    license \"Apache-2.0 OR MIT\"\n"
    "    description \"virtio block device as a service\"\n    arch \"aarch64\" \"x86_64\"\n}\n"
    "build { sources \"src/*.c\" \"more/*.c\"; flags \"-O2\" }\n"
    "runtime { spectrum \"matter\"; stack 65536; heap \"1MiB\" }\n"
    "match { virtio 2; compatible \"ns16550a\" }\n"
    "request {\n    device \"disk\" virtio=2 queues=2 optional=#true\n"
    "    registers \"uart\" compatible=\"ns16550a\"\n    dma \"buffers\" size=\"128KiB\"\n"
    "    memory \"scratch\" size=8192\n}\n"
    "provides { service \"block\" 1 style=\"service\" clients=4 }\n"
    "needs { service \"console\" 1 style=\"stream\" optional=#true }\n";

static const char wires_text[] =
    "image \"local/box\" version=\"0.1.0\" { on-idle \"stay\" }\n"
    "package \"local/a\" version=\"1.0.0\" path=\"../a\" {\n"
    "    arch \"riscv64\"; grant \"m\" size=\"8KiB\"; grant \"d\" index=3\n"
    "    spectrum \"void\"; stack-max \"64KiB\"; heap-max 0; config \"x=1\\ny=2\"\n}\n"
    "package \"local/b\" version=\"1.0.0\" registry=\"reg\"\n"
    "wire \"block\" from=\"local/a\" to=\"local/b\" slots=16 buffers=8 buffer-size=\"16KiB\"\n";

int main(int argc, char **argv)
{
    MUST(argc == 3);
    corpus = argv[1];
    const char *wanted = argv[2];
    struct fixture_image fixture;
    struct nip_error err = {.code = NIP_OK};
    struct nip_buffer image = {.size = 0}, boot = {.size = 0};
    struct nip_image_report *report = NULL;
    fixture_image_make(&fixture, fixture_image_kdl);
    MUST(nip_image_build(&fixture.input, &image, &report, &err) == NIP_OK);
    if (strcmp(wanted, "manifest") == 0) {
        write_seed("npl.kdl", manifest_text, sizeof manifest_text - 1);
        write_seed("image.kdl", fixture_image_kdl, strlen(fixture_image_kdl));
        write_seed("wires.kdl", wires_text, sizeof wires_text - 1);
    } else if (strcmp(wanted, "bkdl") == 0) {
        for (size_t i = 0; i < FIXTURE_PACKAGE_COUNT; i++)
            write_seed(i == 0 ? "reader" : i == 1 ? "uart" : "blk", fixture.packages[i].bkdl.data,
                       fixture.packages[i].bkdl.size);
        MUST(nip_bkdl_encode_boot(report->boot, &boot, &err) == NIP_OK);
        write_seed("boot", boot.data, boot.size);
    } else {
        write_seed("image", image.data, image.size);
        write_seed("driver", fixture.packages[0].elf[0].data, fixture.packages[0].elf[0].size);
        write_seed("archive", image.data + (image.size - report->archive_size - 4 * 56),
                   report->archive_size);
    }
    nip_image_report_free(report);
    nip_buffer_free(&image);
    nip_buffer_free(&boot);
    fixture_image_free(&fixture);
    return 0;
}
