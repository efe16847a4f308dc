// SPDX-License-Identifier: Apache-2.0
//
// crash: reports of faults, in JSON or in a log. What is found is what its fields may be, and
// written down as nip run does it is found again, the same.

#include <inttypes.h>
#include <string.h>

#include "fuzz.h"
#include "must.h"
#include "nip/buffer.h"
#include "nip/crash.h"
#include "nip/manifest.h"

static struct nip_crash crash, again;

static void check_fault(const struct nip_crash_fault *fault)
{
    struct nip_error err = {.code = NIP_OK};
    struct nip_version version;
    struct nip_buffer line = {.size = 0};
    uint32_t arch;
    size_t id_size = strlen(fault->build_id);
    MUST(fault->name[0] == '\0' || nip_name_is_valid(fault->name, strlen(fault->name)));
    MUST(fault->version[0] == '\0' ||
         nip_version_parse(fault->version, strlen(fault->version), &version));
    MUST(fault->arch[0] == '\0' || nip_arch_from_name(fault->arch, &arch));
    MUST(id_size % 2 == 0 && strspn(fault->build_id, "0123456789abcdef") == id_size);
    MUST(strspn(fault->fault, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == strlen(fault->fault));
    if (!fault->has_offset || fault->name[0] == '\0' || fault->version[0] == '\0' ||
        fault->arch[0] == '\0' || fault->fault[0] == '\0' || id_size == 0)
        return;
    FUZZ_ACCEPTED();
    nip_buffer_append_format(&line,
                             "  faulted     %s %s: %s: words; in f (a.c:1); driver.elf+0x%" PRIx64
                             " of %s, build-id %s\n",
                             fault->name, fault->version, fault->fault, fault->offset, fault->arch,
                             fault->build_id);
    MUST(nip_crash_scan(nip_buffer_text(&line), line.size, "line", &again, &err) == NIP_OK);
    MUST(again.count == 1 && again.dropped == 0);
    MUST(memcmp(&again.faults[0], fault, sizeof *fault) == 0);
    nip_buffer_free(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nip_error err = {.code = NIP_OK};
    if (nip_crash_scan((const char *)data, size, "report", &crash, &err) != NIP_OK) {
        MUST(err.message[0] != '\0');
        return 0;
    }
    MUST(crash.count > 0 && crash.count <= NIP_CRASH_FAULTS_MAX);
    for (size_t i = 0; i < crash.count; i++)
        check_fault(&crash.faults[i]);
    return 0;
}
