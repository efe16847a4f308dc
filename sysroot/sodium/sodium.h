// SPDX-License-Identifier: Apache-2.0
//
// libsodium as kernel and drivers see it: the verify-only subset that sysroot/sodium/build makes.
// Same names as the library of the host, so that portable code is compiled against either. There
// is no sodium_init(): nothing here needs it.
#ifndef RUMPK_SODIUM_H
#define RUMPK_SODIUM_H

#include <sodium/core.h>
#include <sodium/crypto_core_ed25519.h>
#include <sodium/crypto_generichash.h>
#include <sodium/crypto_generichash_blake2b.h>
#include <sodium/crypto_hash_sha512.h>
#include <sodium/crypto_shorthash.h>
#include <sodium/crypto_shorthash_siphash24.h>
#include <sodium/crypto_sign.h>
#include <sodium/crypto_sign_ed25519.h>
#include <sodium/crypto_verify_16.h>
#include <sodium/crypto_verify_32.h>
#include <sodium/crypto_verify_64.h>
#include <sodium/utils.h>

#endif
