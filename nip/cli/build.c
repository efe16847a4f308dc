// SPDX-License-Identifier: Apache-2.0
//
// From sources to checked drivers: compile what changed, link, split off the debug information,
// check. All architectures at once; see build_unit.h for what "changed" means.

#include "build.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build_parts.h"
#include "build_unit.h"
#include "cleanup.h"
#include "nip/fs.h"
#include "nip/json.h"
#include "process.h"
#include "progress.h"
#include "project.h"

enum { SOURCES_MAX = 512, UNITS_MAX = (SOURCES_MAX + 1) * RUMPK_ARCH_COUNT, LOCK_WAIT_MS = 120000 };

struct build {
    const struct cli *cli;
    struct sdk *sdk;
    const char *folder;
    char root[CLI_PATH_SIZE]; // absolute path of the project
    const struct nip_manifest *manifest;
    const struct libraries *libraries;
    uint32_t arch_mask;
    struct source {
        char *path; // relative to the project
        uint32_t arch_mask;
    } sources[SOURCES_MAX];
    size_t source_count;
    struct build_unit *units;
    size_t unit_count;
    size_t compiled_count, reused_count;
    struct nip_buffer last_output;
    struct progress progress;
};

static bool has_dots(const char *path)
{
    return path[0] == '/' || strcmp(path, "..") == 0 || strncmp(path, "../", 3) == 0 ||
           strstr(path, "/../") != NULL;
}

static int compare_sources(const void *a, const void *b)
{
    return strcmp(((const struct source *)a)->path, ((const struct source *)b)->path);
}

static enum nip_code add_source(struct build *build, const char *name, uint32_t arch_mask,
                                struct nip_error *err)
{
    for (size_t s = 0; s < build->source_count; s++)
        if (strcmp(build->sources[s].path, name) == 0) {
            build->sources[s].arch_mask |= arch_mask;
            return NIP_OK;
        }
    char *copy = build->source_count < SOURCES_MAX ? strdup(name) : NULL;
    if (copy == NULL)
        return nip_error_set(err, NIP_ERROR_LIMIT, "more than %d source files", SOURCES_MAX);
    build->sources[build->source_count++] = (struct source){copy, arch_mask};
    return NIP_OK;
}

static enum nip_code add_pattern(struct build *build, const char *pattern, uint32_t arch_mask,
                                 struct nip_error *err)
{
    if (has_dots(pattern))
        return nip_error_set(err, NIP_ERROR_SCHEMA, "sources \"%s\" leads out of the project",
                             pattern);
    char full[CLI_PATH_SIZE];
    project_path(full, build->root, pattern);
    glob_t found = {0};
    int result = glob(full, GLOB_ERR, NULL, &found);
    if (result != 0 || found.gl_pathc == 0) {
        globfree(&found);
        nip_error_set(err, NIP_ERROR_MISSING, "no source file fits \"%s\"", pattern);
        nip_error_hint(err, "put the source there, or change 'sources' in %s", NIP_MANIFEST_FILE);
        return NIP_ERROR_MISSING;
    }
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < found.gl_pathc; i++)
        code = add_source(build, found.gl_pathv[i] + strlen(build->root) + 1, arch_mask, err);
    globfree(&found);
    return code;
}

static enum nip_code find_root(struct build *build, struct nip_error *err)
{
    char *real = realpath(build->folder, NULL);
    if (real == NULL || strlen(real) >= sizeof build->root - NIP_MANIFEST_TEXT_SIZE - 1) {
        free(real);
        return nip_error_set_errno(err, errno, "cannot find the project in %s", build->folder);
    }
    memcpy(build->root, real, strlen(real) + 1);
    free(real);
    return NIP_OK;
}

static enum nip_code find_sources(struct build *build, struct nip_error *err)
{
    // Pattern characters in the path of the project itself would be taken for a pattern.
    if (strpbrk(build->root, "*?[\\") != NULL)
        return nip_error_set(err, NIP_ERROR_NAME,
                             "the path of the project, %s, has one of the "
                             "characters * ? [ \\ in it",
                             build->root);
    enum nip_code code = NIP_OK;
    const struct nip_manifest *manifest = build->manifest;
    for (uint32_t i = 0; code == NIP_OK && i < manifest->source_count; i++)
        code = add_pattern(build, manifest->sources[i], manifest->identity.arch_mask, err);
    for (uint32_t i = 0; i < manifest->arch_build_count; i++) {
        const struct nip_manifest_arch_build *part = &manifest->arch_builds[i];
        for (uint32_t k = 0; code == NIP_OK && k < part->source_count; k++)
            code = add_pattern(build, part->sources[k], part->arch_mask, err);
    }
    qsort(build->sources, build->source_count, sizeof build->sources[0], compare_sources);
    return code;
}

static char *format_text(const char *format, ...)
{
    char *text = NULL;
    va_list list;
    va_start(list, format);
    if (vasprintf(&text, format, list) < 0)
        text = NULL;
    va_end(list);
    return text;
}

static enum nip_code add_compile(struct build *build, uint32_t arch, const char *source,
                                 struct nip_error *err)
{
    struct build_unit *unit = &build->units[build->unit_count++];
    const char *name = nip_arch_name(arch);
    char path[CLI_PATH_SIZE];
    unit->arch = arch;
    unit->source = strdup(source);
    unit->output = format_text("build/%s/obj/%s.o", name, source);
    unit->work = format_text(BUILD_WORK_FOLDER "/%s/%s.o", name, source);
    unit->dependencies = format_text("build/%s/obj/%s.d", name, source);
    unit->work_dependencies = format_text(BUILD_WORK_FOLDER "/%s/%s.d", name, source);
    unit->key = format_text("build/%s/obj/%s.key", name, source);
    if (unit->output == NULL || unit->work == NULL || unit->dependencies == NULL ||
        unit->work_dependencies == NULL || unit->key == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the build");
    build_unit_argument(unit, "%s", build->sdk->clang);
    build_unit_argument(unit, "--no-default-config");
    sdk_path(build->sdk, path, "toolchain/%s.cfg", sdk_triple(arch));
    build_unit_argument(unit, "--config=%s", path);
    build_unit_input(unit, path);
    build_unit_argument(unit, "-ffile-prefix-map=%s=/source", build->root);
    static const char *const defaults[] = {"-O2", "-g", "-Wall", "-Wextra"};
    size_t length = strlen(source);
    if (length < 2 || strcmp(source + length - 2, ".S") != 0)
        build_unit_argument(unit, "-std=c23");
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
        build_unit_argument(unit, "%s", defaults[i]);
    project_path(path, build->root, "include");
    if (nip_fs_kind(path) == NIP_FS_FOLDER)
        build_unit_argument(unit, "-Iinclude");
    for (size_t i = 0; i < build->libraries->count; i++)
        build_unit_argument(unit, "-I" LIBRARIES_FOLDER "/%s/include",
                            build->libraries->items[i].name);
    for (uint32_t i = 0; i < build->manifest->flag_count; i++)
        build_unit_argument(unit, "%s", build->manifest->flags[i]);
    for (uint32_t i = 0; i < build->manifest->arch_build_count; i++) {
        const struct nip_manifest_arch_build *part = &build->manifest->arch_builds[i];
        for (uint32_t k = 0; (part->arch_mask & RUMPK_ARCH_BIT(arch)) != 0 && k < part->flag_count;
             k++)
            build_unit_argument(unit, "%s", part->flags[k]);
    }
    build_unit_argument(unit, "-MD");
    build_unit_argument(unit, "-MF");
    build_unit_argument(unit, "%s", unit->work_dependencies);
    build_unit_argument(unit, "-c");
    build_unit_argument(unit, "%s", source);
    build_unit_argument(unit, "-o");
    build_unit_argument(unit, "%s", unit->work);
    return build_unit_check(unit, err);
}

static enum nip_code add_link(struct build *build, uint32_t arch, struct nip_error *err)
{
    struct build_unit *unit = &build->units[build->unit_count++];
    const char *name = nip_arch_name(arch), *triple = sdk_triple(arch);
    char path[CLI_PATH_SIZE];
    unit->arch = arch;
    // What is noted is the stripped driver, for that is what stays.
    unit->output = format_text("build/%s/driver.elf", name);
    unit->work = format_text(BUILD_WORK_FOLDER "/%s/driver.linked", name);
    unit->key = format_text("build/%s/driver.key", name);
    build_unit_argument(unit, "%s", build->sdk->lld);
    sdk_path(build->sdk, path, "toolchain/%s.ldflags", triple);
    build_unit_argument(unit, "@%s", path);
    build_unit_input(unit, path);
    build_unit_argument(unit, "-T");
    sdk_path(build->sdk, path, "toolchain/%s.ld", triple);
    build_unit_argument(unit, "%s", path);
    build_unit_input(unit, path);
    sdk_path(build->sdk, path, "sysroot/%s/lib", triple);
    build_unit_argument(unit, "-L%s", path);
    build_unit_argument(unit, "-o");
    build_unit_argument(unit, "%s", unit->work != NULL ? unit->work : "");
    for (size_t i = 0; i < build->source_count; i++) {
        if ((build->sources[i].arch_mask & RUMPK_ARCH_BIT(arch)) == 0)
            continue;
        build_unit_argument(unit, "build/%s/obj/%s.o", name, build->sources[i].path);
        build_unit_input(unit, unit->arguments[unit->argument_count - 1]);
    }
    // In the order of names: the linker takes from an archive whatever anything before or after it
    // needs.
    for (size_t i = 0; i < build->libraries->count; i++) {
        const struct library *library = &build->libraries->items[i];
        build_unit_argument(unit, LIBRARIES_FOLDER "/%s/%s/lib%s.a", library->name, name,
                            project_short_name(library->name));
        build_unit_input(unit, unit->arguments[unit->argument_count - 1]);
    }
    return build_unit_check(unit, err);
}

// A library: the object files in one archive, with dates and owners of zero.
static enum nip_code add_archive(struct build *build, uint32_t arch, struct nip_error *err)
{
    struct build_unit *unit = &build->units[build->unit_count++];
    const char *name = nip_arch_name(arch);
    const char *short_name = project_short_name(build->manifest->identity.name);
    unit->arch = arch;
    unit->output = format_text("build/%s/lib%s.a", name, short_name);
    unit->work = format_text(BUILD_WORK_FOLDER "/%s/lib%s.a", name, short_name);
    unit->key = format_text("build/%s/lib%s.key", name, short_name);
    build_unit_argument(unit, "%s", build->sdk->ar);
    build_unit_argument(unit, "qcsD");
    build_unit_argument(unit, "%s", unit->work != NULL ? unit->work : "");
    for (size_t i = 0; i < build->source_count; i++) {
        if ((build->sources[i].arch_mask & RUMPK_ARCH_BIT(arch)) == 0)
            continue;
        build_unit_argument(unit, "build/%s/obj/%s.o", name, build->sources[i].path);
        build_unit_input(unit, unit->arguments[unit->argument_count - 1]);
    }
    return build_unit_check(unit, err);
}

// Another one is done: shows which.
static void step(struct build *build, const struct build_unit *unit)
{
    char what[CLI_PATH_SIZE];
    snprintf(what, sizeof what, "%s (%s)", unit->source != NULL ? unit->source : unit->output,
             nip_arch_name(unit->arch));
    progress_step(&build->progress, what);
}

static void job_done(struct process_job *job, void *context)
{
    struct build *build = context;
    for (size_t i = 0; i < build->unit_count; i++)
        if ((const char *const *)build->units[i].arguments == job->argv)
            step(build, &build->units[i]);
    // The same warning for three architectures is one warning.
    if (job->output.size != 0 &&
        !nip_buffer_equals(&build->last_output, job->output.data, job->output.size)) {
        cli_relay(build->cli, nip_buffer_text(&job->output));
        nip_buffer_clear(&build->last_output);
        nip_buffer_append(&build->last_output, job->output.data, job->output.size);
    }
}

static enum nip_code make_work_folder(const struct build *build, const struct build_unit *unit,
                                      struct nip_error *err)
{
    char path[CLI_PATH_SIZE];
    project_path(path, build->root, unit->work);
    char *slash = strrchr(path, '/');
    if (slash != NULL)
        *slash = '\0';
    return nip_fs_make_folders(path, NULL, err);
}

// Runs the units [first, first + count) that are stale, all at once.
static enum nip_code run_units(struct build *build, size_t first, size_t count,
                               struct nip_error *err)
{
    struct process_job *jobs = calloc(count, sizeof *jobs);
    size_t *owners = calloc(count, sizeof *owners);
    if (jobs == NULL || owners == NULL) {
        free(jobs);
        free(owners);
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the build");
    }
    size_t job_count = 0;
    enum nip_code code = NIP_OK;
    for (size_t i = first; code == NIP_OK && i < first + count; i++) {
        struct build_unit *unit = &build->units[i];
        if (!unit->is_stale)
            continue;
        code = make_work_folder(build, unit, err);
        owners[job_count] = i;
        jobs[job_count].argv = (const char *const *)unit->arguments;
        jobs[job_count++].folder = build->root;
        struct nip_buffer line = {0};
        process_line((const char *const *)unit->arguments, &line);
        cli_detail(build->cli, "%s", nip_buffer_text(&line));
        nip_buffer_free(&line);
    }
    if (code == NIP_OK)
        code = process_run_jobs(jobs, job_count, process_parallel(), job_done, build, err);
    for (size_t i = 0; i < job_count; i++) {
        struct build_unit *unit = &build->units[owners[i]];
        if (code == NIP_OK && jobs[i].is_done && jobs[i].status != 0) {
            code = nip_error_set(err, NIP_ERROR_BUILD, "%s %s for %s failed",
                                 unit->source != NULL ? "compiling" : "linking",
                                 unit->source != NULL ? unit->source : "the driver",
                                 nip_arch_name(unit->arch));
            nip_error_hint(err, "the reason stands above; --verbose shows the exact command");
        }
        nip_buffer_free(&jobs[i].output);
    }
    // What was compiled stays compiled, whatever became of the others.
    for (size_t i = 0; i < job_count; i++) {
        struct build_unit *unit = &build->units[owners[i]];
        if (unit->source == NULL || !jobs[i].is_done || jobs[i].status != 0)
            continue;
        struct nip_error cause = {0};
        enum nip_code kept = build_unit_publish(unit, build->root, &cause);
        if (kept == NIP_OK)
            kept = build_unit_note(unit, build->root, build->sdk->toolchain, &cause);
        if (code == NIP_OK && kept != NIP_OK) {
            code = kept;
            *err = cause;
        }
    }
    free(jobs);
    free(owners);
    return code;
}

static enum nip_code link_all(struct build *build, size_t first, struct nip_error *err)
{
    size_t count = build->unit_count - first;
    for (size_t i = first; i < build->unit_count; i++) {
        struct build_unit *unit = &build->units[i];
        char debug[CLI_PATH_SIZE], name[64];
        build_unit_examine(unit, build->root, build->sdk->toolchain);
        snprintf(name, sizeof name, "build/%s/driver.debug", nip_arch_name(unit->arch));
        project_path(debug, build->root, name);
        unit->is_stale = unit->is_stale || nip_fs_kind(debug) != NIP_FS_FILE;
    }
    enum nip_code code = run_units(build, first, count, err);
    for (size_t i = first; code == NIP_OK && i < build->unit_count; i++) {
        struct build_unit *unit = &build->units[i];
        if (unit->is_stale)
            code = build_split(build->cli, build->sdk, build->root, unit->arch, unit->work, err);
        if (code == NIP_OK)
            code = build_check_driver(build->cli, build->folder, build->manifest, unit->arch,
                                      unit->is_stale, err);
        if (code == NIP_OK && unit->is_stale)
            code = build_unit_note(unit, build->root, build->sdk->toolchain, err);
    }
    return code;
}

static enum nip_code archive_all(struct build *build, size_t first, struct nip_error *err)
{
    for (size_t i = first; i < build->unit_count; i++)
        build_unit_examine(&build->units[i], build->root, build->sdk->toolchain);
    enum nip_code code = run_units(build, first, build->unit_count - first, err);
    for (size_t i = first; code == NIP_OK && i < build->unit_count; i++) {
        struct build_unit *unit = &build->units[i];
        if (unit->is_stale)
            code = build_rename(build->root, unit->work, unit->output, err);
        if (code == NIP_OK && unit->is_stale)
            code = build_unit_note(unit, build->root, build->sdk->toolchain, err);
        if (code == NIP_OK)
            cli_say(build->cli, "%s %-8s %s", unit->is_stale ? "built     " : "up to date",
                    nip_arch_name(unit->arch), unit->output);
    }
    return code;
}

// One entry per source, for the first architecture: an editor wants one view of a file.
static enum nip_code write_commands(struct build *build, size_t count, struct nip_error *err)
{
    struct nip_json *list = nip_json_make_array();
    for (size_t i = 0; i < count; i++) {
        struct build_unit *unit = &build->units[i];
        if (unit->arch != build->units[0].arch)
            continue;
        struct nip_json *entry = nip_json_make_object(), *arguments = nip_json_make_array();
        nip_json_put_text(entry, "directory", build->root);
        nip_json_put_text(entry, "file", unit->source);
        nip_json_put_text(entry, "output", unit->output);
        for (size_t a = 0; a < unit->argument_count; a++)
            nip_json_append(arguments, nip_json_make_text(unit->arguments[a]));
        nip_json_put(entry, "arguments", arguments);
        nip_json_append(list, entry);
    }
    return build_write_commands(build->sdk, build->root, build->manifest, list, err);
}

// For a build system that does not write them itself: as if nip compiled the sources that the
// manifest names. It need not name any.
static enum nip_code guess_commands(struct build *build, struct nip_error *err)
{
    struct nip_error cause = {0};
    enum nip_code code = NIP_OK;
    if (find_sources(build, &cause) != NIP_OK)
        return NIP_OK;
    for (size_t a = 0; a < RUMPK_ARCH_COUNT; a++) {
        if ((build->arch_mask & RUMPK_ARCH_BIT(arch_all[a])) == 0)
            continue;
        for (size_t s = 0; code == NIP_OK && s < build->source_count; s++)
            code = add_compile(build, arch_all[a], build->sources[s].path, err);
        break;
    }
    return code == NIP_OK ? write_commands(build, build->unit_count, err) : code;
}

// By the build system that the manifest names.
static enum nip_code run_foreign(struct build *build, bool from_nothing, struct nip_error *err)
{
    const struct build_task task = {build->cli,       build->sdk,      build->folder,
                                    build->root,      build->manifest, build->libraries,
                                    build->arch_mask, from_nothing};
    enum nip_code code = build_foreign(&task, err);
    if (code == NIP_OK && build->manifest->build_system == NIP_BUILD_MAKE)
        code = guess_commands(build, err);
    return code;
}

static enum nip_code run_own(struct build *build, struct nip_error *err)
{
    bool is_library = build->manifest->identity.kind == RUMPK_KIND_LIBRARY;
    enum nip_code code = find_sources(build, err);
    for (size_t a = 0; code == NIP_OK && a < RUMPK_ARCH_COUNT; a++)
        for (size_t s = 0; code == NIP_OK && s < build->source_count; s++)
            if ((build->arch_mask & build->sources[s].arch_mask & RUMPK_ARCH_BIT(arch_all[a])) != 0)
                code = add_compile(build, arch_all[a], build->sources[s].path, err);
    size_t compile_count = build->unit_count;
    for (size_t a = 0; code == NIP_OK && a < RUMPK_ARCH_COUNT; a++)
        if ((build->arch_mask & RUMPK_ARCH_BIT(arch_all[a])) != 0)
            code = is_library ? add_archive(build, arch_all[a], err)
                              : add_link(build, arch_all[a], err);
    for (size_t i = 0; code == NIP_OK && i < compile_count; i++) {
        build_unit_examine(&build->units[i], build->root, build->sdk->toolchain);
        if (build->units[i].is_stale)
            build->compiled_count++;
        else
            build->reused_count++;
    }
    if (code == NIP_OK)
        code = write_commands(build, compile_count, err);
    if (code == NIP_OK && build->compiled_count != 0)
        cli_say(build->cli, "compiling %zu of %zu files", build->compiled_count, compile_count);
    // Whoever compiles something links it too, for every architecture.
    if (build->compiled_count != 0) {
        progress_begin(&build->progress, build->cli, "building",
                       build->compiled_count + build->unit_count - compile_count);
        progress_step(&build->progress, "");
    }
    if (code == NIP_OK)
        code = run_units(build, 0, compile_count, err);
    if (code == NIP_OK)
        code = is_library ? archive_all(build, compile_count, err)
                          : link_all(build, compile_count, err);
    progress_end(&build->progress);
    return code;
}

static enum nip_code run_build(struct build *build, bool from_nothing, struct nip_error *err)
{
    enum nip_code code = find_root(build, err);
    if (code == NIP_OK)
        code = build->manifest->build_system != NIP_BUILD_OWN
                   ? run_foreign(build, from_nothing, err)
                   : run_own(build, err);
    if (code == NIP_OK && build->manifest->identity.kind == RUMPK_KIND_DRIVER)
        code = build_link_debug(build->root, build->manifest->identity.arch_mask, err);
    return code;
}

// What the compiler would read from the environment: a package is built with what stands in it.
static void clear_environment(void)
{
    static const char *const names[] = {"CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH", "COMPILER_PATH",
                                        "CCC_OVERRIDE_OPTIONS"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unsetenv(names[i]);
}

enum nip_code build_driver(const struct cli *cli, struct sdk *sdk, const char *folder,
                           const struct nip_manifest *manifest, uint32_t arch_mask,
                           bool from_nothing, struct libraries *libraries, struct nip_error *err)
{
    struct build build = {.cli = cli,
                          .sdk = sdk,
                          .folder = folder,
                          .manifest = manifest,
                          .libraries = libraries,
                          .arch_mask = arch_mask & manifest->identity.arch_mask};
    if (build.arch_mask != arch_mask) {
        nip_error_set(err, NIP_ERROR_USAGE, "%s is not made for every architecture asked for",
                      manifest->identity.name);
        nip_error_hint(err, "add it to 'arch' in %s, or choose with --arch", NIP_MANIFEST_FILE);
        return NIP_ERROR_USAGE;
    }
    char path[CLI_PATH_SIZE];
    project_path(path, folder, "build");
    clear_environment();
    enum nip_code code = sdk_find_tools(sdk, err);
    if (code == NIP_OK)
        code = nip_fs_make_folders(path, NULL, err);
    if (code == NIP_OK)
        code = libraries_prepare(cli, folder, manifest, libraries, err);
    struct nip_fs_lock lock = NIP_FS_LOCK_NONE;
    project_path(path, folder, "build/lock");
    if (code == NIP_OK)
        code = nip_fs_lock(path, LOCK_WAIT_MS, &lock, err);
    if (code != NIP_OK)
        return code;
    // Programs that a build system started may outlive a nip that was killed: they hold the lock
    // too, so that nobody else builds where they still write.
    if (manifest->build_system != NIP_BUILD_OWN)
        fcntl(lock.descriptor, F_SETFD, 0);
    // Also what a build that was killed has left there: this one holds the lock.
    char work[CLI_PATH_SIZE];
    project_path(work, folder, BUILD_WORK_FOLDER);
    cleanup_add_path(work);
    code = nip_fs_remove_tree(work, err);
    if (code == NIP_OK)
        build.units = calloc(UNITS_MAX, sizeof *build.units);
    if (code == NIP_OK)
        code = build.units != NULL ? run_build(&build, from_nothing, err)
                                   : nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    cleanup_remove_path(work);
    nip_fs_unlock(&lock);
    for (size_t i = 0; i < build.unit_count; i++)
        build_unit_free(&build.units[i]);
    for (size_t i = 0; i < build.source_count; i++)
        free(build.sources[i].path);
    free(build.units);
    nip_buffer_free(&build.last_output);
    return code;
}
