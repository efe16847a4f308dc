// SPDX-License-Identifier: Apache-2.0
//
// The version of the tool: of this release of the whole SDK.

#ifndef NIP_CLI_VERSION_H
#define NIP_CLI_VERSION_H

#define NIP_VERSION "0.1.0"

#endif
