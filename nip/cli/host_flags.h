// SPDX-License-Identifier: Apache-2.0
//
// How the tests on this computer are compiled, for whoever runs them and for editors.

#ifndef NIP_CLI_HOST_FLAGS_H
#define NIP_CLI_HOST_FLAGS_H

#include "nip/manifest.h"
#include "sdk.h"

#define HOST_TEST_PATTERN "test/*.c" // relative to the project

// Gives `add` each word between the compiler and the sources.
void host_flags(const struct sdk *sdk, const struct nip_manifest *manifest,
                void (*add)(void *context, const char *word), void *context);

#endif
