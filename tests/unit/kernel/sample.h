// SPDX-License-Identifier: Apache-2.0
//
// sample.h: a small, fully valid boot archive, made from the ABI headers alone (not by nip: two
// writers that agree are worth more than one). Tests change it and see the change refused. Keys
// come from fixed seeds: public test data.
#ifndef SAMPLE_H
#define SAMPLE_H

#include <rumpk/abi.h>
#include <stdint.h>

#define SAMPLE_ARCH     RUMPK_ARCH_RISCV64
#define SAMPLE_PACKAGES 2u
#define SAMPLE_SIZE_MAX (256u * 1024u)

// Pages of the sample driver file: headers, code, relocated constants, data.
#define SAMPLE_ELF_SIZE (4u * 4096u)
#define SAMPLE_TEXT     4096u
#define SAMPLE_RELRO    8192u
#define SAMPLE_DATA     12288u

struct sample {
    uint8_t *bytes; // page-aligned
    uint64_t size;
    uint8_t owner_key[RUMPK_KEY_SIZE];
    uint8_t publisher_key[RUMPK_KEY_SIZE];
};

struct sample_options {
    void (*change_elf)(uint8_t *elf);                      // before it is digested
    void (*change_bkdl)(uint8_t *bkdl, uint32_t size);     // npl.bkdl, before it is digested
    void (*change_digests)(char *text, uint32_t size_max); // before it is signed and pinned
    void (*change_boot)(uint8_t *boot, uint32_t size);     // boot.bkdl, before it is signed
    // Keys pinned for package 0, a letter each: p the publisher's, o the owner's, others a
    // stranger's; NULL: p, and a threshold of 1.
    const char *keys;
    uint32_t threshold;
    uint32_t image_flags; // RUMPK_IMAGE_*
};

// Makes the archive (of package 0 the options change the parts). Free with sample_free.
void sample_make(struct sample *sample, const struct sample_options *options);
void sample_free(struct sample *sample);

// The sample driver file alone.
void sample_elf(uint8_t elf[SAMPLE_ELF_SIZE]);
// npl.bkdl of the sample package; returns its size.
uint32_t sample_bkdl(uint8_t *out, uint32_t number);

#endif
