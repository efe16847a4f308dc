// SPDX-License-Identifier: Apache-2.0
//
// From a project to a signed package: collect, stage, sign.
//
//   build/pack/digests               the list that the signature covers
//   build/pack/...                   every file that it names, beside files too
//   build/SHORTNAME-VERSION.npl      the signed package

#ifndef NIP_CLI_PACKING_H
#define NIP_CLI_PACKING_H

#include "check.h"
#include "cli.h"
#include "nip/pack.h"
#include "sdk.h"

// Builds the project in `folder` for `arch_mask` (0: all of the package) and collects its package.
// Needs no key. `with_source`: list a source archive too (nip/source.h); without it `digests` says
// `source none`. The caller frees both with nip_pack_free() and nip_buffer_free(), also after a
// failure.
enum nip_code packing_collect(const struct cli *cli, struct sdk *sdk, const char *folder,
                              const struct nip_manifest *manifest, bool with_source,
                              struct nip_pack *pack, struct nip_buffer *digests,
                              struct nip_error *err) NIP_MUST_CHECK;
// Puts what was collected to folder/build/pack, replacing what was there as a whole.
enum nip_code packing_stage(const struct cli *cli, const char *folder, const struct nip_pack *pack,
                            const struct nip_buffer *digests, struct nip_error *err) NIP_MUST_CHECK;
// Reads build/pack again and checks it against its digests.
enum nip_code packing_load(const char *folder, struct nip_pack *pack, struct nip_buffer *digests,
                           struct nip_digests *parsed, struct nip_error *err) NIP_MUST_CHECK;

// Signs and puts together; the result has been opened and checked.
enum nip_code packing_sign(const struct nip_pack *pack, const struct nip_buffer *digests,
                           const char *name, const char *version, const struct nip_secret_key *key,
                           struct checked_package *package, struct nip_error *err) NIP_MUST_CHECK;
// The same with a signature that exists already; `keys` are those that may have made it.
enum nip_code packing_put_signature(const struct nip_pack *pack, const struct nip_buffer *digests,
                                    const struct nip_signature *signature,
                                    const struct key_list *keys, struct checked_package *package,
                                    struct nip_error *err) NIP_MUST_CHECK;

// folder/build/SHORTNAME-VERSION.npl
void packing_file(char *out, const char *folder, const char *name, const char *version);

#endif
