// SPDX-License-Identifier: Apache-2.0
//
// Goal: clients read the greeting, replace it and see the count; a greeting that is too long is
// refused with words. Method: driver and clients in the simulated machine of npl/host.h.
#include <npl/host.h>
#include <npl/npl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int client_main(void)
{
    struct npl_client client;
    char text[80] = {0};
    int64_t fid;

    if (npl_client_connect(&client, "{short}") != 0)
        return 1;
    fid = npl_client_open(&client, "/greeting", RUMPK_NINEP_ORDWR);
    if (fid < 0 || npl_client_read(&client, fid, 0, text, sizeof(text)) != 6 ||
        strcmp(text, "hello\n") != 0)
        return 2;
    if (npl_client_write(&client, fid, 0, text, 70) >= 0)
        return 3;
    if (npl_client_write(&client, fid, 0, "good day\n", 9) != 9 ||
        npl_client_read(&client, fid, 0, text, sizeof(text)) != 9)
        return 4;
    fid = npl_client_open(&client, "/count", RUMPK_NINEP_OREAD);
    return fid > 0 && npl_client_read(&client, fid, 0, text, sizeof(text)) == 2 ? 0 : 5;
}

static void a_client_is_served(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct host_machine *machine = host_machine_new(seed);
        struct host_service_wire wire = {
            .service = "{short}",
            .server = host_fiber_add(machine, "{name}", npl_main),
            .client = host_fiber_add(machine, "test/client", client_main),
            .slots = 8,
            .buffer_count = 4,
            .buffer_size = 1024,
        };
        int64_t code = -1;

        host_wire_service(machine, &wire);
        assert_true(host_run(machine, 100000));
        assert_true(host_fiber_ended(machine, wire.client, &code));
        assert_int_equal(code, 0);
        assert_true(host_fiber_ended(machine, wire.server, &code));
        assert_int_equal(code, 0);
        host_machine_free(machine);
    }
}

static void without_a_client_it_ends(void **state)
{
    struct host_machine *machine = host_machine_new(1);
    int64_t code = -1;

    (void)state;
    host_fiber_add(machine, "{name}", npl_main);
    assert_true(host_run(machine, 1000));
    assert_true(host_fiber_ended(machine, 0, &code));
    assert_int_equal(code, 0);
    host_machine_free(machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_is_served),
        cmocka_unit_test(without_a_client_it_ends),
    };

    return cmocka_run_group_tests_name("{name}", tests, NULL, NULL);
}
