// SPDX-License-Identifier: Apache-2.0
//
// Tests of a package, on this computer and in the emulator.
//
//   test/*.c         one program with cmocka and the package's sources, linked with the host build
//   of
//                    libnpl, under AddressSanitizer and UBSan; its cases are the suite "host"
//   test/kernel/X.c  a driver of its own, wired to every service that the package provides; passes
//                    when npl_main returns 0. With X.kdl beside it, that is its manifest
//   (nothing)        a driver is booted alone all the same: it must not be refused, fault or fail

#ifndef NIP_CLI_TESTING_H
#define NIP_CLI_TESTING_H

#include "cli.h"
#include "nip/manifest.h"
#include "resolve.h"

struct test_case {
    char suite[32]; // "host", "kernel.riscv64"
    char name[128];
    bool passed;
    double seconds; // of a case in the emulator; 0: not measured
    char *output;   // of a case that failed, else NULL
};

struct test_report {
    struct test_case *cases;
    size_t count, failed_count;
};

// NULL without memory. `output` is copied, and kept for failures only.
struct test_case *test_report_add(struct test_report *report, const char *suite, const char *name,
                                  bool passed, const char *output);
void test_report_free(struct test_report *report);

// What was found, as text or JSON; and as JUnit's XML to `junit` unless that is NULL.
enum nip_code test_report_show(const struct cli *cli, const struct nip_manifest *manifest,
                               const struct test_report *report, const char *junit,
                               struct nip_error *err) NIP_MUST_CHECK;

// NIP_OK when all could be run, whatever came of it: that stands in the report.
enum nip_code testing_host(const struct cli *cli, struct sdk *sdk,
                           const struct nip_manifest *manifest, struct test_report *report,
                           struct nip_error *err) NIP_MUST_CHECK;
enum nip_code testing_kernel(const struct cli *cli, struct decisions *decisions,
                             const struct nip_manifest *manifest, uint32_t arch_mask,
                             struct test_report *report, struct nip_error *err) NIP_MUST_CHECK;

#endif
