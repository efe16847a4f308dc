// SPDX-License-Identifier: Apache-2.0
//
// The texts of new projects. nip new replaces {name} and {short} in them.

#ifndef NIP_CLI_TEMPLATE_H
#define NIP_CLI_TEMPLATE_H

// {name}: namespace/name. {short}: name.
struct template_file {
    const char *path; // NULL ends a list
    const char *text;
};

extern const struct template_file template_image[];

#endif
