// SPDX-License-Identifier: Apache-2.0
//
// Runs as a driver of its own beside {name} in the emulator, wired to all that it provides. The
// test passes when npl_main returns 0.
#include <npl/npl.h>
#include <string.h>

int npl_main(void)
{
    struct npl_client client;
    char text[16] = {0};
    int64_t fid;

    if (npl_client_connect(&client, "{short}") != 0)
        return 1;
    fid = npl_client_open(&client, "/greeting", RUMPK_NINEP_OREAD);
    if (fid < 0 || npl_client_read(&client, fid, 0, text, sizeof(text)) != 6)
        return 2;
    return strcmp(text, "hello\n") == 0 ? 0 : 3;
}
