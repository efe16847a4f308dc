// SPDX-License-Identifier: Apache-2.0
//
// Packages and images as text and as JSON.

#ifndef NIP_CLI_REPORT_H
#define NIP_CLI_REPORT_H

#include "check.h"
#include "cli.h"
#include "nip/image.h"
#include "nip/json.h"

// What a package is and asks for. `whose` says whose key signed it, or that this is not known.
void report_package(const struct cli *cli, const struct checked_package *package,
                    const char *whose);
struct nip_json *report_package_json(const struct checked_package *package, const char *whose);

void report_image(const struct cli *cli, const struct nip_image_report *report);
struct nip_json *report_image_json(const struct nip_image_report *report);

// Prints {"schema": ..., KEY: value} on standard output and frees the value.
enum nip_code report_json(const char *schema, const char *key, struct nip_json *json,
                          struct nip_error *err) NIP_MUST_CHECK;

// A string from outside as a JSON value: escaped as for a terminal.
struct nip_json *report_text(const char *text);

#endif
