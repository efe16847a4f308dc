// SPDX-License-Identifier: Apache-2.0
//
// Drivers that CMake, Meson or make builds, once for each architecture, with the SDK's compiler,
// linker and sysroot. The build folder moves:
//
//   build/ARCH/tree ──taken──> build/work/ARCH ──built, complete──> build/ARCH/tree
//
// so it always lies in the same place while programs write to it (they note where they are), and
// what a killed build leaves behind goes with build/work: a folder that may be half-written is
// never built upon. One that was configured with another SDK, other options, tools or libraries is
// thrown away. The programs see nothing of the user's environment but PATH.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "build_foreign.h"
#include "nip/crypto.h"
#include "nip/fs.h"
#include "process.h"
#include "project.h"

enum { KEY_FILE_SIZE_MAX = 64 << 20 };

void build_tree(char *out, size_t size, uint32_t arch)
{
    snprintf(out, size, "build/%s/tree", nip_arch_name(arch));
}

// ---- whether a build folder can be taken again ----

// Which program it is, without starting it.
static void hash_tool(struct nip_hash *hash, const char *path)
{
    struct stat info = {0};
    int64_t numbers[3] = {0};
    if (stat(path, &info) == 0) {
        numbers[0] = info.st_size;
        numbers[1] = info.st_mtim.tv_sec;
        numbers[2] = info.st_mtim.tv_nsec;
    }
    nip_hash_update(hash, path, strlen(path) + 1);
    nip_hash_update(hash, numbers, sizeof numbers);
}

static enum nip_code hash_file(struct nip_hash *hash, const char *path, struct nip_error *err)
{
    struct nip_buffer content = {0};
    uint8_t digest[NIP_DIGEST_SIZE];
    enum nip_code code = nip_fs_read(path, KEY_FILE_SIZE_MAX, &content, err);
    nip_hash_bytes(nip_buffer_text(&content), content.size, digest);
    nip_hash_update(hash, digest, sizeof digest);
    nip_buffer_free(&content);
    return code;
}

// make itself does not look whether the makefile has changed.
static enum nip_code hash_makefiles(const struct foreign *foreign, struct nip_hash *hash,
                                    struct nip_error *err)
{
    struct nip_fs_names names = {0};
    enum nip_code code = nip_fs_list(foreign->task->root, &names, err);
    for (size_t i = 0; code == NIP_OK && i < names.count; i++) {
        char path[CLI_PATH_SIZE];
        const char *name = names.names[i];
        size_t size = strlen(name);
        bool is_makefile = strcmp(name, "Makefile") == 0 || strcmp(name, "makefile") == 0 ||
                           strcmp(name, "GNUmakefile") == 0 ||
                           (size > 3 && strcmp(name + size - 3, ".mk") == 0);
        project_path(path, foreign->task->root, name);
        if (!is_makefile || nip_fs_kind(path) != NIP_FS_FILE)
            continue;
        nip_hash_update(hash, name, size + 1);
        code = hash_file(hash, path, err);
    }
    nip_fs_names_free(&names);
    return code;
}

static enum nip_code compute_key(const struct foreign *foreign, struct side *side,
                                 struct nip_error *err)
{
    const struct build_task *task = foreign->task;
    const struct build_unit *units[] = {&side->configure, &side->build};
    struct nip_hash hash;
    uint8_t digest[NIP_DIGEST_SIZE];
    enum nip_code code = NIP_OK;
    nip_hash_begin(&hash);
    nip_hash_update(&hash, task->sdk->toolchain, strlen(task->sdk->toolchain) + 1);
    nip_hash_update(&hash, task->root, strlen(task->root) + 1);
    hash_tool(&hash, foreign->tool);
    hash_tool(&hash, foreign->ninja);
    for (size_t u = 0; u < 2; u++)
        for (size_t i = 0; i < units[u]->argument_count; i++) {
            const char *word = units[u]->arguments[i];
            // How much is said changes nothing of what is built.
            if (strcmp(word, "-s") != 0 && strcmp(word, "-v") != 0 && strcmp(word, "--quiet") != 0)
                nip_hash_update(&hash, word, strlen(word) + 1);
        }
    for (size_t i = 0; code == NIP_OK && i < task->libraries->count; i++) {
        struct nip_buffer path = {0};
        build_foreign_archive(foreign, i, side->arch, &path);
        nip_hash_update(&hash, nip_buffer_text(&path), path.size);
        code = hash_file(&hash, nip_buffer_text(&path), err);
        nip_buffer_free(&path);
    }
    if (code == NIP_OK && task->manifest->build_system == NIP_BUILD_MAKE)
        code = hash_makefiles(foreign, &hash, err);
    nip_hash_end(&hash, digest);
    nip_digest_text(digest, side->key);
    return code;
}

// Moves the build folder of the last time to where it is worked in, or removes it.
static enum nip_code take_tree(const struct foreign *foreign, struct side *side,
                               struct nip_error *err)
{
    char key[CLI_PATH_SIZE], tree[CLI_PATH_SIZE], work[CLI_PATH_SIZE], made[CLI_PATH_SIZE];
    struct nip_buffer noted = {0};
    struct nip_error cause = {0};
    project_path(key, foreign->task->root, side->key_path);
    project_path(tree, foreign->task->root, side->tree);
    project_path(work, foreign->task->root, side->work);
    bool is_same = !foreign->task->from_nothing && nip_fs_kind(tree) == NIP_FS_FOLDER &&
                   nip_fs_kind(key) == NIP_FS_FILE &&
                   nip_fs_read(key, NIP_DIGEST_TEXT_SIZE, &noted, &cause) == NIP_OK &&
                   nip_buffer_equals(&noted, side->key, strlen(side->key));
    nip_buffer_free(&noted);
    if (is_same) {
        side->has_tree = side->is_clean = true;
        enum nip_code code = build_rename(foreign->task->root, side->tree, side->work, err);
        // The result is made anew each time: what is there afterwards is what is described now.
        if (code == NIP_OK &&
            snprintf(made, sizeof made, "%.4000s/%s", work, foreign->result) < (int)sizeof made)
            code = nip_fs_remove_tree(made, err);
        return code;
    }
    enum nip_code code = nip_fs_remove_tree(tree, err);
    if (code == NIP_OK)
        code = nip_fs_make_folders(work, NULL, err);
    if (code == NIP_OK && foreign->task->manifest->build_system == NIP_BUILD_MESON)
        code = build_foreign_meson_file(foreign, side, err);
    return code;
}

// And back. The key goes first: without a folder it means nothing.
static enum nip_code put_tree(const struct foreign *foreign, const struct side *side,
                              struct nip_error *err)
{
    char key[CLI_PATH_SIZE];
    project_path(key, foreign->task->root, side->key_path);
    enum nip_code code = project_write_file(key, side->key, strlen(side->key), 0644, err);
    return code == NIP_OK ? build_rename(foreign->task->root, side->work, side->tree, err) : code;
}

// ---- running ----

static void relay(struct foreign *foreign, const struct nip_buffer *output)
{
    // The same words for three architectures are said once.
    if (output->size == 0 || nip_buffer_equals(&foreign->last_output, output->data, output->size))
        return;
    cli_relay(foreign->task->cli, nip_buffer_text(output));
    nip_buffer_clear(&foreign->last_output);
    nip_buffer_append(&foreign->last_output, output->data, output->size);
}

static void configured(struct process_job *job, void *context)
{
    struct foreign *foreign = context;
    if (job->status != 0 || foreign->task->cli->is_verbose ||
        strstr(nip_buffer_text(&job->output), "arning") != NULL)
        relay(foreign, &job->output);
}

// What Ninja says although nothing is the matter: that there was nothing to do, or what CMake or
// Meson said when a changed description was read again.
static bool is_chatter(const struct nip_buffer *output)
{
    static const char *const beginnings[] = {"ninja: no work to do.", "-- Configuring done",
                                             "The Meson build system", "Cleaning... 0 files."};
    const char *text = nip_buffer_text(output);
    bool is_known = false;
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++)
        is_known = is_known || strncmp(text, beginnings[i], strlen(beginnings[i])) == 0;
    return is_known && strstr(text, "arning") == NULL && strstr(text, "note: ") == NULL;
}

static void built(struct process_job *job, void *context)
{
    struct foreign *foreign = context;
    if (job->status != 0 || foreign->task->cli->is_verbose || !is_chatter(&job->output))
        relay(foreign, &job->output);
}

static struct build_unit *step_of(struct side *side, bool is_configure)
{
    return is_configure ? &side->configure : &side->build;
}

// One step of every side that needs it, all at once.
static enum nip_code run_step(struct foreign *foreign, bool is_configure, struct nip_error *err)
{
    struct process_job jobs[RUMPK_ARCH_COUNT] = {0};
    struct side *owners[RUMPK_ARCH_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < foreign->side_count; i++) {
        struct side *side = &foreign->sides[i];
        struct build_unit *unit = step_of(side, is_configure);
        if (is_configure && side->has_tree)
            continue;
        struct nip_buffer line = {0};
        process_line((const char *const *)unit->arguments, &line);
        cli_detail(foreign->task->cli, "%s", nip_buffer_text(&line));
        nip_buffer_free(&line);
        owners[count] = side;
        side->is_clean = false;
        jobs[count++] = (struct process_job){.argv = (const char *const *)unit->arguments,
                                             .folder = foreign->task->root,
                                             .has_children = true};
    }
    enum nip_code code = process_run_jobs(jobs, count, process_parallel(),
                                          is_configure ? configured : built, foreign, err);
    for (size_t i = 0; i < count; i++) {
        // A tool that ended by itself has left its folder in order, whatever it found.
        owners[i]->is_clean =
            jobs[i].status < 128 && (is_configure ? jobs[i].is_done && jobs[i].status == 0 : true);
        if (code == NIP_OK && jobs[i].is_done && jobs[i].status != 0) {
            const char *arch = nip_arch_name(owners[i]->arch);
            code = nip_error_set(err, NIP_ERROR_BUILD, "%s with %s for %s failed",
                                 is_configure ? "setting up the build" : "building",
                                 foreign->system, arch);
            if (is_configure)
                nip_error_hint(err, "the reason stands above; --verbose shows the exact command");
            else
                nip_error_hint(err,
                               "the reason stands above; its build folder is now build/%s/tree; "
                               "--verbose shows the exact commands",
                               arch);
        }
        nip_buffer_free(&jobs[i].output);
    }
    return code;
}

// ---- what came out ----

static enum nip_code require_output(const struct foreign *foreign, const struct side *side,
                                    const char *name, char out[96], struct nip_error *err)
{
    char path[CLI_PATH_SIZE];
    snprintf(out, 96, "%.40s/%.50s", side->work, name);
    project_path(path, foreign->task->root, out);
    if (nip_fs_kind(path) == NIP_FS_FILE)
        return NIP_OK;
    nip_error_set(err, NIP_ERROR_BUILD, "%s has made no %s for %s", foreign->system, name,
                  nip_arch_name(side->arch));
    nip_error_hint(err,
                   "it must lie at the top of the build folder, which is now %s; 'nip new --build "
                   "%s NAME' shows how",
                   side->tree, foreign->system);
    return NIP_ERROR_BUILD;
}

// The step from what the build system made to what nip packs, as a unit that knows when it is
// stale.
static enum nip_code finish(const struct foreign *foreign, struct side *side, struct nip_error *err)
{
    const struct build_task *task = foreign->task;
    const char *arch = nip_arch_name(side->arch), *name = foreign->result;
    bool is_library = task->manifest->identity.kind == RUMPK_KIND_LIBRARY;
    char made[96], path[CLI_PATH_SIZE];
    enum nip_code code = require_output(foreign, side, name, made, err);
    if (code != NIP_OK)
        return code;
    struct build_unit *unit = calloc(1, sizeof *unit);
    if (unit == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the build");
    unit->arch = side->arch;
    build_unit_argument(unit, "foreign");
    build_unit_input(unit, made);
    if (asprintf(&unit->output, "build/%s/%s", arch, name) < 0 ||
        asprintf(&unit->key, "build/%s/%s.key", arch, is_library ? name : "driver") < 0)
        unit->is_out_of_memory = true;
    unit->work = strdup(made);
    code = build_unit_check(unit, err);
    if (code == NIP_OK)
        build_unit_examine(unit, task->root, task->sdk->toolchain);
    snprintf(path, sizeof path, "%s/build/%s/driver.debug", task->root, arch);
    unit->is_stale = unit->is_stale || (!is_library && nip_fs_kind(path) != NIP_FS_FILE);
    if (code == NIP_OK && unit->is_stale && is_library) {
        struct nip_buffer content = {0};
        char from[CLI_PATH_SIZE], to[CLI_PATH_SIZE];
        project_path(from, task->root, made);
        project_path(to, task->root, unit->output);
        code = nip_fs_read(from, KEY_FILE_SIZE_MAX, &content, err);
        if (code == NIP_OK)
            code = project_write_file(to, content.data, content.size, 0644, err);
        nip_buffer_free(&content);
    } else if (code == NIP_OK && unit->is_stale) {
        code = build_split(task->cli, task->sdk, task->root, side->arch, made, err);
    }
    if (code == NIP_OK && is_library)
        cli_say(task->cli, "%s %-8s %s", unit->is_stale ? "built     " : "up to date", arch,
                unit->output);
    else if (code == NIP_OK)
        code = build_check_driver(task->cli, task->folder, task->manifest, side->arch,
                                  unit->is_stale, err);
    if (code == NIP_OK && unit->is_stale)
        code = build_unit_note(unit, task->root, task->sdk->toolchain, err);
    build_unit_free(unit);
    free(unit);
    return code;
}

// ---- all of it ----

static enum nip_code find_tools(struct foreign *foreign, struct nip_error *err)
{
    const char *const package = foreign->system;
    enum nip_code code = process_find("env", "coreutils", foreign->env, sizeof foreign->env, err);
    if (code == NIP_OK)
        code = process_find(foreign->system, package, foreign->tool, sizeof foreign->tool, err);
    if (code == NIP_OK && foreign->task->manifest->build_system != NIP_BUILD_MAKE)
        code = process_find("ninja", "ninja-build", foreign->ninja, sizeof foreign->ninja, err);
    return code;
}

static enum nip_code add_side(struct foreign *foreign, uint32_t arch, size_t parallel,
                              struct nip_error *err)
{
    struct side *side = &foreign->sides[foreign->side_count++];
    enum nip_code code = NIP_OK;
    side->arch = arch;
    snprintf(side->work, sizeof side->work, BUILD_WORK_FOLDER "/%s", nip_arch_name(arch));
    build_tree(side->tree, sizeof side->tree, arch);
    snprintf(side->key_path, sizeof side->key_path, "build/%s/tree.key", nip_arch_name(arch));
    build_foreign_compose(foreign, side);
    if (code == NIP_OK)
        code = compute_key(foreign, side, err);
    build_unit_argument(&side->build, "-j%zu", parallel);
    if (code == NIP_OK && (side->configure.is_out_of_memory || side->build.is_out_of_memory))
        code = nip_error_set(err, NIP_ERROR_LIMIT, "too many options for %s", foreign->system);
    return code == NIP_OK ? take_tree(foreign, side, err) : code;
}

static enum nip_code prepare(struct foreign *foreign, struct nip_error *err)
{
    const struct build_task *task = foreign->task;
    char path[CLI_PATH_SIZE];
    size_t side_count = 0, job_count = process_parallel();
    for (size_t a = 0; a < RUMPK_ARCH_COUNT; a++)
        side_count += (task->arch_mask & RUMPK_ARCH_BIT(arch_all[a])) != 0;
    size_t parallel = side_count != 0 ? (job_count + side_count - 1) / side_count : job_count;
    project_path(path, task->root, BUILD_WORK_FOLDER "/tmp");
    enum nip_code code = find_tools(foreign, err);
    if (code == NIP_OK)
        code = nip_fs_make_folders(path, NULL, err);
    for (size_t a = 0; code == NIP_OK && a < RUMPK_ARCH_COUNT; a++)
        if ((task->arch_mask & RUMPK_ARCH_BIT(arch_all[a])) != 0)
            code = add_side(foreign, arch_all[a], parallel, err);
    return code;
}

enum nip_code build_foreign(const struct build_task *task, struct nip_error *err)
{
    struct foreign *foreign = calloc(1, sizeof *foreign);
    if (foreign == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the build");
    foreign->task = task;
    foreign->system = nip_build_system_name(task->manifest->build_system);
    if (task->manifest->identity.kind == RUMPK_KIND_LIBRARY)
        snprintf(foreign->result, sizeof foreign->result, "lib%.32s.a",
                 project_short_name(task->manifest->identity.name));
    else
        snprintf(foreign->result, sizeof foreign->result, "driver.elf");
    cli_say(task->cli, "building   with %s", foreign->system);
    enum nip_code code = prepare(foreign, err);
    if (code == NIP_OK && task->manifest->build_system != NIP_BUILD_MAKE)
        code = run_step(foreign, true, err);
    if (code == NIP_OK)
        code = run_step(foreign, false, err);
    for (size_t i = 0; code == NIP_OK && i < foreign->side_count; i++)
        code = finish(foreign, &foreign->sides[i], err);
    // What was built stays, whatever became of the others.
    for (size_t i = 0; i < foreign->side_count; i++) {
        struct side *side = &foreign->sides[i];
        struct nip_error cause = {0};
        enum nip_code kept = side->is_clean ? put_tree(foreign, side, &cause) : NIP_OK;
        if (code == NIP_OK && kept != NIP_OK) {
            code = kept;
            *err = cause;
        }
        build_unit_free(&side->configure);
        build_unit_free(&side->build);
    }
    if (code == NIP_OK && task->manifest->build_system != NIP_BUILD_MAKE)
        code = build_foreign_commands(task, foreign->sides[0].arch, err);
    nip_buffer_free(&foreign->last_output);
    free(foreign);
    return code;
}
