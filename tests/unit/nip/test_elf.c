// SPDX-License-Identifier: Apache-2.0
//
// Goal: a driver file is refused for exactly the reason that the kernel would give; kernel files
// are read without surprises. Method: one accepted driver; a table of single changes with the
// expected reason; every cut and every flipped bit of headers, notes and relocations, which may be
// accepted but must never be misread.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "image_fixture.h"
#include "nip/elf.h"

static struct nip_error err;

static enum rumpk_refusal check(const struct nip_buffer *elf, uint32_t arch)
{
    enum rumpk_refusal refusal;
    enum nip_code code = nip_elf_check_driver(elf->data, elf->size, "driver.elf", arch,
                                              RUMPK_ABI_VERSION, NULL, &refusal, &err);
    assert_int_equal(code == NIP_OK, refusal == RUMPK_REFUSE_NONE);
    assert_true(code == NIP_OK || err.message[0] != '\0');
    return refusal;
}

static void good_drivers_are_accepted(void **state)
{
    (void)state;
    for (uint32_t arch = 1; arch <= RUMPK_ARCH_COUNT; arch++) {
        struct nip_buffer elf = {.size = 0};
        struct nip_elf_driver driver;
        fixture_driver(arch, &elf);
        if (nip_elf_check_driver(elf.data, elf.size, "driver.elf", arch, RUMPK_ABI_VERSION,
                                 &driver, NULL, &err) != NIP_OK)
            fail_msg("%s", err.message);
        assert_int_equal(driver.entry, FIXTURE_DRIVER_TEXT);
        assert_int_equal(driver.memory_size, FIXTURE_DRIVER_DATA + 0x2000);
        assert_int_equal(driver.relocation_count, FIXTURE_DRIVER_RELOCATION_COUNT);
        assert_int_equal(driver.note.arch, arch);
        assert_int_equal(check(&elf, arch % RUMPK_ARCH_COUNT + 1), RUMPK_REFUSE_ELF_MACHINE);
        nip_buffer_free(&elf);
    }
}

#define HEADER(member) offsetof(Elf64_Ehdr, member), sizeof(((Elf64_Ehdr *)0)->member)
#define SEGMENT(index, member)                                                         \
    FIXTURE_DRIVER_SEGMENTS + (index) * sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, member), \
        sizeof(((Elf64_Phdr *)0)->member)
#define NOTE(member)                                                      \
    FIXTURE_DRIVER_NOTE + sizeof(Elf64_Nhdr) + 8 + offsetof(struct rumpk_abi_note, member), \
        sizeof(((struct rumpk_abi_note *)0)->member)
#define RELA(index, member)                                                               \
    FIXTURE_DRIVER_RELOCATIONS + (index) * sizeof(Elf64_Rela) + offsetof(Elf64_Rela, member), \
        sizeof(((Elf64_Rela *)0)->member)
#define DYNAMIC(index, part) FIXTURE_DRIVER_RELRO + (index) * sizeof(Elf64_Dyn) + (part) * 8, 8

static void each_change_has_its_reason(void **state)
{
    (void)state;
    enum { R, TEXT, RELRO, DATA, DYN, NOTES, GNU_RELRO, STACK };
    static const struct {
        size_t offset, size;
        uint64_t value;
        enum rumpk_refusal refusal;
    } table[] = {
        {HEADER(e_ident[EI_MAG1]), 'X', RUMPK_REFUSE_ELF_HEADER},
        {HEADER(e_ident[EI_CLASS]), ELFCLASS32, RUMPK_REFUSE_ELF_HEADER},
        {HEADER(e_ident[EI_DATA]), ELFDATA2MSB, RUMPK_REFUSE_ELF_HEADER},
        {HEADER(e_ident[EI_OSABI]), ELFOSABI_LINUX, RUMPK_REFUSE_ELF_HEADER},
        {HEADER(e_type), ET_EXEC, RUMPK_REFUSE_ELF_HEADER},
        {HEADER(e_version), 2, RUMPK_REFUSE_ELF_HEADER},
        {HEADER(e_ehsize), 32, RUMPK_REFUSE_ELF_HEADER},
        {HEADER(e_phentsize), 32, RUMPK_REFUSE_ELF_HEADER},
        {HEADER(e_machine), EM_X86_64, RUMPK_REFUSE_ELF_MACHINE},
        {HEADER(e_phoff), 72, RUMPK_REFUSE_ELF_BOUNDS},
        {HEADER(e_phoff), UINT64_MAX - 8, RUMPK_REFUSE_ELF_BOUNDS},
        {HEADER(e_phnum), 0, RUMPK_REFUSE_ELF_BOUNDS},
        {HEADER(e_phnum), 17, RUMPK_REFUSE_ELF_BOUNDS},
        {HEADER(e_entry), FIXTURE_DRIVER_DATA, RUMPK_REFUSE_ELF_ENTRY},
        {HEADER(e_entry), FIXTURE_DRIVER_TEXT + 64, RUMPK_REFUSE_ELF_ENTRY},
        {HEADER(e_entry), UINT64_MAX, RUMPK_REFUSE_ELF_ENTRY},
        {SEGMENT(TEXT, p_offset), 0x2000, RUMPK_REFUSE_ELF_ALIGNMENT},
        {SEGMENT(TEXT, p_align), 0x2000, RUMPK_REFUSE_ELF_ALIGNMENT},
        {SEGMENT(TEXT, p_flags), PF_R | PF_W | PF_X, RUMPK_REFUSE_ELF_WX},
        {SEGMENT(TEXT, p_flags), PF_X, RUMPK_REFUSE_ELF_SEGMENT},
        {SEGMENT(TEXT, p_flags), 0xF0000005, RUMPK_REFUSE_ELF_SEGMENT},
        {SEGMENT(TEXT, p_flags), PF_R, RUMPK_REFUSE_ELF_ENTRY},
        {SEGMENT(TEXT, p_memsz), 65, RUMPK_REFUSE_ELF_BOUNDS},
        {SEGMENT(TEXT, p_memsz), 0, RUMPK_REFUSE_ELF_BOUNDS},
        {SEGMENT(TEXT, p_filesz), 1 << 20, RUMPK_REFUSE_ELF_BOUNDS},
        {SEGMENT(DATA, p_memsz), UINT64_MAX, RUMPK_REFUSE_ELF_BOUNDS},
        {SEGMENT(DATA, p_memsz), 16 << 20, RUMPK_REFUSE_ELF_SIZE},
        {SEGMENT(R, p_memsz), 0x1001, RUMPK_REFUSE_ELF_BOUNDS},
        {SEGMENT(R, p_filesz), 0x40, RUMPK_REFUSE_ELF_BOUNDS},
        {SEGMENT(RELRO, p_memsz), 0x1001, RUMPK_REFUSE_ELF_OVERLAP},
        {SEGMENT(DYN, p_offset), 0x2008, RUMPK_REFUSE_ELF_DYNAMIC},
        {SEGMENT(DYN, p_filesz), 8, RUMPK_REFUSE_ELF_DYNAMIC},
        {SEGMENT(DYN, p_filesz), 16, RUMPK_REFUSE_ELF_DYNAMIC},
        {SEGMENT(DYN, p_filesz), 65 * 16, RUMPK_REFUSE_ELF_DYNAMIC},
        {SEGMENT(DYN, p_type), PT_INTERP, RUMPK_REFUSE_ELF_SEGMENT},
        {SEGMENT(DYN, p_type), PT_TLS, RUMPK_REFUSE_ELF_SEGMENT},
        {SEGMENT(NOTES, p_filesz), 0x4000, RUMPK_REFUSE_ELF_BOUNDS},
        {SEGMENT(NOTES, p_filesz), 60, RUMPK_REFUSE_NOTE_MISSING},
        {SEGMENT(NOTES, p_filesz), 0, RUMPK_REFUSE_NOTE_MISSING},
        {SEGMENT(GNU_RELRO, p_vaddr), FIXTURE_DRIVER_TEXT, RUMPK_REFUSE_ELF_SEGMENT},
        {SEGMENT(GNU_RELRO, p_vaddr), FIXTURE_DRIVER_RELRO + 8, RUMPK_REFUSE_ELF_SEGMENT},
        {SEGMENT(STACK, p_flags), PF_R | PF_W | PF_X, RUMPK_REFUSE_ELF_WX},
        {SEGMENT(STACK, p_type), PT_NOTE, RUMPK_REFUSE_NONE}, // an empty one, at the start
        {FIXTURE_DRIVER_NOTE, 4, UINT32_MAX, RUMPK_REFUSE_NOTE_MISSING},
        {FIXTURE_DRIVER_NOTE + 4, 4, UINT32_MAX, RUMPK_REFUSE_NOTE_MISSING},
        {FIXTURE_DRIVER_NOTE + 4, 4, 44, RUMPK_REFUSE_NOTE_MISSING},
        {FIXTURE_DRIVER_NOTE + 8, 4, 2, RUMPK_REFUSE_NOTE_MISSING},
        {FIXTURE_DRIVER_NOTE + 12, 1, 'L', RUMPK_REFUSE_NOTE_MISSING},
        {NOTE(abi_version), RUMPK_ABI_VERSION + 1, RUMPK_REFUSE_NOTE_ABI},
        {NOTE(systable_size), 248, RUMPK_REFUSE_NOTE_ABI},
        {NOTE(arch), RUMPK_ARCH_AARCH64, RUMPK_REFUSE_NOTE_ARCH},
        {NOTE(profile), 2, RUMPK_REFUSE_NOTE_PROFILE},
        {DYNAMIC(3, 0), DT_NEEDED, RUMPK_REFUSE_ELF_DYNAMIC},
        {DYNAMIC(3, 0), DT_TEXTREL, RUMPK_REFUSE_ELF_DYNAMIC},
        {DYNAMIC(3, 0), DT_JMPREL, RUMPK_REFUSE_ELF_DYNAMIC},
        {DYNAMIC(3, 0), DT_RELA, RUMPK_REFUSE_ELF_DYNAMIC},
        {DYNAMIC(3, 1), DF_1_NODELETE, RUMPK_REFUSE_ELF_DYNAMIC},
        {DYNAMIC(0, 1), 0x2fff8, RUMPK_REFUSE_ELF_DYNAMIC},
        {DYNAMIC(0, 1), UINT64_MAX, RUMPK_REFUSE_ELF_DYNAMIC},
        {DYNAMIC(1, 1), 25, RUMPK_REFUSE_ELF_DYNAMIC},
        {DYNAMIC(1, 1), UINT64_MAX - 15, RUMPK_REFUSE_ELF_DYNAMIC},
        {DYNAMIC(2, 1), 16, RUMPK_REFUSE_ELF_DYNAMIC},
        {RELA(0, r_info), 2, RUMPK_REFUSE_ELF_RELOCATION},
        {RELA(0, r_info), (UINT64_C(1) << 32) + 3, RUMPK_REFUSE_ELF_RELOCATION},
        {RELA(0, r_offset), FIXTURE_DRIVER_TEXT, RUMPK_REFUSE_ELF_RELOCATION},
        {RELA(1, r_offset), FIXTURE_DRIVER_DATA + 4, RUMPK_REFUSE_ELF_RELOCATION},
        {RELA(1, r_offset), FIXTURE_DRIVER_DATA + 0x2000, RUMPK_REFUSE_ELF_RELOCATION},
        {RELA(1, r_offset), UINT64_MAX - 7, RUMPK_REFUSE_ELF_RELOCATION},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct nip_buffer elf = {.size = 0};
        fixture_driver(RUMPK_ARCH_RISCV64, &elf);
        memcpy(elf.data + table[i].offset, &table[i].value, table[i].size);
        enum rumpk_refusal refusal = check(&elf, RUMPK_ARCH_RISCV64);
        if (refusal != table[i].refusal)
            fail_msg("change %zu: refusal %d instead of %d: %s", i, (int)refusal,
                     (int)table[i].refusal, err.message);
        nip_buffer_free(&elf);
    }
}

static void two_notes_are_refused(void **state)
{
    (void)state;
    struct nip_buffer elf = {.size = 0};
    const size_t size = sizeof(Elf64_Nhdr) + 8 + sizeof(struct rumpk_abi_note);
    const uint64_t doubled = 2 * size;
    fixture_driver(RUMPK_ARCH_RISCV64, &elf);
    memcpy(elf.data + FIXTURE_DRIVER_NOTE + size, elf.data + FIXTURE_DRIVER_NOTE, size);
    memcpy(elf.data + FIXTURE_DRIVER_SEGMENTS + 5 * sizeof(Elf64_Phdr) +
               offsetof(Elf64_Phdr, p_filesz),
           &doubled, sizeof doubled);
    assert_int_equal(check(&elf, RUMPK_ARCH_RISCV64), RUMPK_REFUSE_NOTE_MISSING);
    nip_buffer_free(&elf);
}

static void hostile_files_are_survived(void **state)
{
    (void)state;
    struct nip_buffer elf = {.size = 0};
    fixture_driver(RUMPK_ARCH_AARCH64, &elf);
    // An allocation of exactly the size, so that reading one byte too far is seen.
    for (size_t size = 0; size < elf.size; size += size < 0x800 ? 1 : 61) {
        uint8_t *cut = malloc(size ? size : 1);
        memcpy(cut, elf.data, size);
        assert_int_not_equal(nip_elf_check_driver(cut, size, "cut", RUMPK_ARCH_AARCH64, 0, NULL,
                                                  NULL, NULL), NIP_OK);
        free(cut);
    }
    for (size_t bit = 0; bit < 0x800 * 8; bit++) {
        elf.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        check(&elf, RUMPK_ARCH_AARCH64);
        elf.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(check(&elf, 0), RUMPK_REFUSE_ARCH);
    assert_int_equal(check(&elf, 4), RUMPK_REFUSE_ARCH);
    nip_buffer_free(&elf);
}

static void kernels_are_read(void **state)
{
    (void)state;
    for (uint32_t arch = 1; arch <= RUMPK_ARCH_COUNT; arch++) {
        struct nip_buffer elf = {.size = 0};
        struct nip_elf_kernel kernel;
        uint64_t address, size, offset;
        fixture_kernel(arch, &elf);
        if (nip_elf_check_kernel(elf.data, elf.size, "kernel.elf", &kernel, &err) != NIP_OK)
            fail_msg("%s", err.message);
        assert_int_equal(kernel.arch, arch);
        assert_int_equal(kernel.memory_end, kernel.memory_start + 0x4800);
        assert_int_equal(kernel.header_offset, 0x2000);
        assert_int_equal(nip_elf_find_symbol(elf.data, elf.size, "k", "rumpk_ledger", &address,
                                             &size, &err), NIP_OK);
        assert_int_equal(address, kernel.memory_start + 0x2100);
        assert_int_equal(size, 0x10000);
        assert_int_equal(nip_elf_find_symbol(elf.data, elf.size, "k", "rumpk_ledge", NULL, NULL,
                                             &err), NIP_ERROR_MISSING);
        assert_int_equal(nip_elf_find_section(elf.data, elf.size, "k", ".rumpk.image", &address,
                                              &offset, &size, &err), NIP_OK);
        assert_int_equal(size, 64);
        for (size_t cut = 0; cut < elf.size; cut += 7) {
            uint8_t *bytes = malloc(cut ? cut : 1);
            memcpy(bytes, elf.data, cut);
            assert_int_not_equal(nip_elf_check_kernel(bytes, cut, "cut", &kernel, NULL), NIP_OK);
            assert_int_not_equal(nip_elf_find_symbol(bytes, cut, "cut", "rumpk_ledger", &address,
                                                     NULL, NULL), NIP_OK);
            free(bytes);
        }
        // A driver is no kernel.
        nip_buffer_clear(&elf);
        fixture_driver(arch, &elf);
        assert_int_equal(nip_elf_check_kernel(elf.data, elf.size, "k", &kernel, &err),
                         NIP_ERROR_FORMAT);
        nip_buffer_free(&elf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_drivers_are_accepted), cmocka_unit_test(each_change_has_its_reason),
        cmocka_unit_test(two_notes_are_refused),     cmocka_unit_test(hostile_files_are_survived),
        cmocka_unit_test(kernels_are_read),
    };
    return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}
