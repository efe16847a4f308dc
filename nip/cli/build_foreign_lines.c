// SPDX-License-Identifier: Apache-2.0
//
// How CMake, Meson and make are called. What is different for each architecture comes from the SDK:
// a toolchain file, a cross file, or two programs by name. What only nip knows is added: where the
// project lies (so that no result says it) and which libraries it is linked with.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_foreign.h"
#include "project.h"

#define MESON_FILE   "nip.meson"
#define DATE_DEFAULT "315532800" // 1980-01-01, as in all that nip writes

// "env -i PATH=... ...": what a build can see is what stands here.
static void add_environment(const struct foreign *foreign, struct build_unit *unit)
{
    const char *root = foreign->task->root, *share = foreign->task->sdk->share;
    const char *path = getenv("PATH"), *date = getenv("SOURCE_DATE_EPOCH");
    size_t prefix_size = strlen(share) - strlen("/share/rumpk");
    build_unit_argument(unit, "%s", foreign->env);
    build_unit_argument(unit, "-i");
    // PREFIX/bin: compiler and linker as one program each.
    build_unit_argument(unit, "PATH=%.*s/bin:%s", (int)prefix_size, share,
                        path != NULL && path[0] != '\0' ? path : "/usr/bin:/bin");
    build_unit_argument(unit, "HOME=%s/" BUILD_WORK_FOLDER "/home", root);
    build_unit_argument(unit, "TMPDIR=%s/" BUILD_WORK_FOLDER "/tmp", root);
    build_unit_argument(unit, "LC_ALL=C.UTF-8");
    build_unit_argument(unit, "TZ=UTC0");
    build_unit_argument(unit, "SOURCE_DATE_EPOCH=%s",
                        date != NULL && date[0] != '\0' ? date : DATE_DEFAULT);
}

static void add_options(const struct foreign *foreign, struct build_unit *unit)
{
    const struct nip_manifest *manifest = foreign->task->manifest;
    for (uint32_t i = 0; i < manifest->build_option_count; i++)
        build_unit_argument(unit, "%s", manifest->build_options[i]);
}

void build_foreign_archive(const struct foreign *foreign, size_t index, uint32_t arch,
                           struct nip_buffer *out)
{
    const char *name = foreign->task->libraries->items[index].name;
    nip_buffer_append_format(out, "%s/" LIBRARIES_FOLDER "/%s/%s/lib%s.a", foreign->task->root,
                             name, nip_arch_name(arch), project_short_name(name));
}

static void append_include(const struct foreign *foreign, size_t index, struct nip_buffer *out)
{
    nip_buffer_append_format(out, "%s/" LIBRARIES_FOLDER "/%s/include", foreign->task->root,
                             foreign->task->libraries->items[index].name);
}

static void compose_cmake(const struct foreign *foreign, struct side *side)
{
    struct build_unit *unit = &side->configure;
    char path[CLI_PATH_SIZE];
    struct nip_buffer includes = {0}, archives = {0};
    sdk_path(foreign->task->sdk, path, "toolchain/%s.cmake", sdk_triple(side->arch));
    build_unit_argument(unit, "%s", foreign->tool);
    build_unit_argument(unit, "-GNinja");
    build_unit_argument(unit, "-S.");
    build_unit_argument(unit, "-B%s", side->work);
    build_unit_argument(unit, "-DCMAKE_TOOLCHAIN_FILE=%s", path);
    build_unit_argument(unit, "-DCMAKE_MAKE_PROGRAM=%s", foreign->ninja);
    build_unit_argument(unit, "-DCMAKE_BUILD_TYPE=RelWithDebInfo");
    build_unit_argument(unit, "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON");
    // What is not in the project is not in its source archive either.
    build_unit_argument(unit, "-DRUMPK_OFFLINE=ON");
    for (size_t i = 0; i < foreign->task->libraries->count; i++) {
        nip_buffer_append_text(&includes, i != 0 ? ";" : "");
        append_include(foreign, i, &includes);
        nip_buffer_append_text(&archives, i != 0 ? ";" : "");
        build_foreign_archive(foreign, i, side->arch, &archives);
    }
    if (includes.size != 0) {
        build_unit_argument(unit, "-DRUMPK_INCLUDES=%s", nip_buffer_text(&includes));
        build_unit_argument(unit, "-DRUMPK_LIBRARIES=%s", nip_buffer_text(&archives));
    }
    nip_buffer_free(&includes);
    nip_buffer_free(&archives);
    add_options(foreign, unit);
}

// A text in a Meson machine file.
static void append_quoted(struct nip_buffer *out, const char *text)
{
    nip_buffer_append_byte(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\')
            nip_buffer_append_byte(out, '\\');
        nip_buffer_append_byte(out, (uint8_t)*text);
    }
    nip_buffer_append_byte(out, '\'');
}

enum nip_code build_foreign_meson_file(const struct foreign *foreign, const struct side *side,
                                       struct nip_error *err)
{
    struct nip_buffer text = {0}, part = {0};
    char path[CLI_PATH_SIZE], name[96];
    snprintf(name, sizeof name, "%s/" MESON_FILE, side->work);
    nip_buffer_append_format(&text, "[binaries]\nrumpk-ld = ['%s-ld'", sdk_triple(side->arch));
    for (size_t i = 0; i < foreign->task->libraries->count; i++) {
        nip_buffer_clear(&part);
        build_foreign_archive(foreign, i, side->arch, &part);
        nip_buffer_append_text(&text, ", ");
        append_quoted(&text, nip_buffer_text(&part));
    }
    nip_buffer_append_text(&text, "]\n[built-in options]\n"
                                  "c_args = ['-ffile-prefix-map=../../..=/source'");
    for (size_t i = 0; i < foreign->task->libraries->count; i++) {
        nip_buffer_clear(&part);
        nip_buffer_append_text(&part, "-I");
        append_include(foreign, i, &part);
        nip_buffer_append_text(&text, ", ");
        append_quoted(&text, nip_buffer_text(&part));
    }
    nip_buffer_clear(&part);
    nip_buffer_append_format(&part, "-ffile-prefix-map=%s=/source", foreign->task->root);
    nip_buffer_append_text(&text, ", ");
    append_quoted(&text, nip_buffer_text(&part));
    nip_buffer_append_text(&text, "]\n");
    nip_buffer_free(&part);
    enum nip_code code = nip_buffer_check(&text, name, err);
    project_path(path, foreign->task->root, name);
    if (code == NIP_OK)
        code = project_write_file(path, text.data, text.size, 0644, err);
    nip_buffer_free(&text);
    return code;
}

static void compose_meson(const struct foreign *foreign, struct side *side)
{
    struct build_unit *unit = &side->configure;
    char path[CLI_PATH_SIZE];
    sdk_path(foreign->task->sdk, path, "toolchain/%s.meson", sdk_triple(side->arch));
    build_unit_argument(unit, "%s", foreign->tool);
    build_unit_argument(unit, "setup");
    build_unit_argument(unit, "--cross-file=%s", path);
    build_unit_argument(unit, "--cross-file=%s/" MESON_FILE, side->work);
    build_unit_argument(unit, "--buildtype=debugoptimized");
    build_unit_argument(unit, "--wrap-mode=nodownload");
    add_options(foreign, unit);
    build_unit_argument(unit, "%s", side->work);
    build_unit_argument(unit, ".");
}

// `value` as a word for the shell in a recipe: quoted, and `$` doubled for make.
static void append_recipe_word(struct nip_buffer *out, const char *prefix, const char *value)
{
    nip_buffer_append_format(out, " '%s", prefix);
    for (; *value != '\0'; value++)
        if (*value == '\'')
            nip_buffer_append_text(out, "'\\''");
        else if (*value == '$')
            nip_buffer_append_text(out, "$$");
        else
            nip_buffer_append_byte(out, (uint8_t)*value);
    nip_buffer_append_byte(out, '\'');
}

static void compose_make(const struct foreign *foreign, struct side *side)
{
    struct build_unit *unit = &side->build;
    struct nip_buffer compiler = {0}, linker = {0}, part = {0};
    const char *triple = sdk_triple(side->arch);
    nip_buffer_append_format(&compiler, "%s-clang", triple);
    nip_buffer_append_format(&linker, "%s-ld", triple);
    nip_buffer_append_format(&part, "%s=/source", foreign->task->root);
    append_recipe_word(&compiler, "-ffile-prefix-map=", nip_buffer_text(&part));
    for (size_t i = 0; i < foreign->task->libraries->count; i++) {
        nip_buffer_clear(&part);
        append_include(foreign, i, &part);
        append_recipe_word(&compiler, "-I", nip_buffer_text(&part));
        nip_buffer_clear(&part);
        build_foreign_archive(foreign, i, side->arch, &part);
        append_recipe_word(&linker, "", nip_buffer_text(&part));
    }
    build_unit_argument(unit, "%s", foreign->tool);
    if (!foreign->task->cli->is_verbose)
        build_unit_argument(unit, "-s");
    build_unit_argument(unit, "--no-print-directory");
    // A target whose recipe failed is not there, whatever the makefile says.
    build_unit_argument(unit, "--eval=.DELETE_ON_ERROR:");
    build_unit_argument(unit, "ARCH=%s", nip_arch_name(side->arch));
    build_unit_argument(unit, "OUT=%s", side->work);
    build_unit_argument(unit, "CC=%s", nip_buffer_text(&compiler));
    build_unit_argument(unit, "LD=%s", nip_buffer_text(&linker));
    build_unit_argument(unit, "AR=%s", foreign->task->sdk->ar);
    add_options(foreign, unit);
    nip_buffer_free(&compiler);
    nip_buffer_free(&linker);
    nip_buffer_free(&part);
}

static void compose_ninja(const struct foreign *foreign, struct side *side)
{
    struct build_unit *unit = &side->build;
    build_unit_argument(unit, "%s", foreign->ninja);
    build_unit_argument(unit, foreign->task->cli->is_verbose ? "-v" : "--quiet");
    build_unit_argument(unit, "-C%s", side->work);
}

void build_foreign_compose(const struct foreign *foreign, struct side *side)
{
    add_environment(foreign, &side->configure);
    add_environment(foreign, &side->build);
    if (foreign->task->manifest->build_system == NIP_BUILD_CMAKE)
        compose_cmake(foreign, side);
    else if (foreign->task->manifest->build_system == NIP_BUILD_MESON)
        compose_meson(foreign, side);
    if (foreign->task->manifest->build_system == NIP_BUILD_MAKE)
        compose_make(foreign, side);
    else
        compose_ninja(foreign, side);
}
