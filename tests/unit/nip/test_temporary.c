// SPDX-License-Identifier: Apache-2.0
//
// Goal: a temporary is removed when its process is dead and never before; a folder is replaced as a
// whole. Method: children that die while they hold one, and one that lives.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/stat.h>

#include "scratch.h"

// A child that makes a temporary folder with a file in it, and then waits to be killed.
static pid_t start_holder(void)
{
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct nip_buffer path = {0};
        struct nip_fs_lock lock;
        if (nip_fs_make_temporary_folder("result", &path, &lock, NULL) != NIP_OK ||
            chdir(nip_buffer_text(&path)) != 0)
            _exit(1);
        write_text("inside", "x");
        if (mkdir("deep", 0700) != 0 || write(ends[1], "r", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    close(ends[1]);
    return child;
}

static void only_the_dead_are_swept_up(void **state)
{
    (void)state;
    char folder[SCRATCH_PATH_SIZE];
    scratch_enter(folder);
    // Names that look alike, and what nip never made.
    assert_true(shell("touch .result.nip-abcdef .nip-abcdef .result.nip-abcde result.nip-abcdef "
                      ".a.b.nip-ABC123 .profile && ln -s .profile .link.nip-abcdef && "
                      "mkfifo .fifo.nip-abcdef"));
    pid_t holder = start_holder();
    nip_fs_sweep(".");
    assert_true(shell("test \"$(ls -A | grep -v '^.result.nip-......$' | sort | tr '\\n' ' ')\" = "
                      "'.fifo.nip-abcdef .link.nip-abcdef .nip-abcdef .profile .result.nip-abcde "
                      "result.nip-abcdef '"));
    assert_true(shell("test -d .result.nip-*/deep && ! test -e .result.nip-abcdef"));
    kill(holder, SIGKILL);
    assert_int_equal(waitpid(holder, NULL, 0), holder);
    // Whoever writes in the folder sweeps.
    assert_int_equal(nip_fs_write("other", "1", 1, 0644, NULL), NIP_OK);
    assert_true(shell("test $(ls -d .result.nip-*) = .result.nip-abcde"));
    scratch_leave(folder);
}

static void a_folder_gives_way_as_a_whole(void **state)
{
    (void)state;
    char folder[SCRATCH_PATH_SIZE];
    scratch_enter(folder);
    for (int round = 0; round < 2; round++) {
        struct nip_buffer path = {0}, file = {0};
        struct nip_fs_lock lock;
        assert_int_equal(nip_fs_make_temporary_folder("result", &path, &lock, NULL), NIP_OK);
        nip_buffer_append_format(&file, "%s/file%d", nip_buffer_text(&path), round);
        write_text(nip_buffer_text(&file), "x");
        assert_int_equal(nip_fs_replace_folder(nip_buffer_text(&path), "result", NULL), NIP_OK);
        nip_fs_unlock(&lock);
        nip_buffer_free(&path);
        nip_buffer_free(&file);
    }
    assert_true(shell("test \"$(ls -A . result | tr '\\n' ' ')\" = '.: result  result: file1 '"));
    assert_int_equal(nip_fs_replace_folder("none", "result", NULL), NIP_ERROR_MISSING);
    assert_true(shell("test -e result/file1"));
    scratch_leave(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_dead_are_swept_up),
        cmocka_unit_test(a_folder_gives_way_as_a_whole),
    };
    return cmocka_run_group_tests_name("temporary", tests, NULL, NULL);
}
