// SPDX-License-Identifier: Apache-2.0
//
// nip test: all tests of a package, one summary.

#include "commands.h"
#include "project.h"
#include "testing.h"

enum nip_code command_test(struct cli *cli, struct nip_error *err)
{
    struct decisions decisions = {0};
    struct nip_manifest manifest;
    struct test_report report = {0};
    uint32_t mask = 0;
    bool only_host = cli_flag(cli, "host");
    enum nip_code code = arch_mask_parse(cli, &mask, err);
    if (code == NIP_OK && only_host && mask != 0)
        code = nip_error_set(err, NIP_ERROR_USAGE, "--host and --arch exclude each other");
    if (code == NIP_OK)
        code = project_require(PROJECT_PACKAGE, err);
    if (code == NIP_OK)
        code = project_read_manifest(".", &manifest, err);
    if (code == NIP_OK && (mask & ~manifest.identity.arch_mask) != 0 && mask != ARCH_MASK_ALL)
        code =
            nip_error_set(err, NIP_ERROR_USAGE, "%s is not made for every architecture asked for",
                          manifest.identity.name);
    if (code == NIP_OK)
        code = decisions_load(&decisions, err);
    if (code == NIP_OK)
        code = testing_host(cli, &decisions.sdk, &manifest, &report, err);
    if (code == NIP_OK && (mask == 0 || mask == ARCH_MASK_ALL))
        mask = manifest.identity.arch_mask;
    if (code == NIP_OK && !only_host && manifest.identity.kind == RUMPK_KIND_DRIVER)
        code = testing_kernel(cli, &decisions, &manifest, mask, &report, err);
    if (code == NIP_OK && report.count == 0) {
        code = nip_error_set(err, NIP_ERROR_MISSING, "there is nothing to test");
        nip_error_hint(err,
                       "put tests for this computer into test/*.c; 'nip new --template service "
                       "NAME' shows how");
    }
    if (code == NIP_OK)
        code = test_report_show(cli, &manifest, &report, cli_option(cli, "junit"), err);
    if (code == NIP_OK && report.failed_count != 0) {
        code = nip_error_set(err, NIP_ERROR_FAILED, "%zu of %zu tests failed", report.failed_count,
                             report.count);
        nip_error_hint(err, "what they said stands above");
    } else if (code == NIP_OK) {
        cli_next(cli, "nip check");
    }
    test_report_free(&report);
    decisions_free(&decisions);
    return code;
}
