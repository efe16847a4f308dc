// SPDX-License-Identifier: Apache-2.0
//
// dump.c: prints the whole ABI as text: names, numbers, sentences, sizes and offsets. The output is
// kept in abi/abi.txt and compared by a test, so a change of the ABI is a visible difference in
// review. Its hash is in the ABI note of every driver.
//
//   rumpk-abi-dump > abi/abi.txt
#include "dump_list.h"
#include <inttypes.h>
#include <stdio.h>

static void print_number(const char *name, uint64_t value)
{
    printf("  %s %" PRIu64 " 0x%" PRIx64 "\n", name, value, value);
}

// Line feeds of a string are shown as \n, so that one name stays one line.
static void print_string(const char *name, const char *text)
{
    printf("  %s \"", name);
    for (; *text; text++) {
        if (*text == '\n')
            printf("\\n");
        else
            putchar(*text);
    }
    printf("\"\n");
}

static void print_item(const char *prefix, const char *name, int64_t value, const char *sentence)
{
    printf("  %s%s %" PRId64 " \"%s\"\n", prefix, name, value, sentence);
}

#define DUMP_SECTION(header)             printf("%s\n", header);
#define DUMP_NUMBER(name)                print_number(#name, (uint64_t)(name));
#define DUMP_STRING(name)                print_string(#name, name);
#define DUMP_ENUM(name)                  printf(" enum %s\n", #name);
#define DUMP_VALUE(name)                 printf("  %s %d\n", #name, (int)(name));
#define DUMP_ITEM(name, value, sentence) print_item(prefix, #name, (value), sentence);
#define DUMP_LIST(list, text)      \
    {                              \
        const char *prefix = text; \
        list(DUMP_ITEM)            \
    }
#define DUMP_STRUCT(name) \
    printf(" struct %s size %zu align %zu\n", #name, sizeof(struct name), _Alignof(struct name));
#define DUMP_FIELD(owner, name)                                                                \
    printf("  %zu +%zu %s\n", offsetof(struct owner, name), sizeof(((struct owner *)0)->name), \
           #name);

int main(void)
{
    printf("Rumpk ABI, version %u. Made by abi/dump.c; structures: offset +size name.\n",
           RUMPK_ABI_VERSION);
    ABI_NAMES(DUMP_SECTION, DUMP_NUMBER, DUMP_STRING, DUMP_ENUM, DUMP_VALUE, DUMP_LIST, DUMP_STRUCT,
              DUMP_FIELD)
    return ferror(stdout) || fflush(stdout) != 0;
}
