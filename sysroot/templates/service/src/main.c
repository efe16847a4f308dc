// SPDX-License-Identifier: Apache-2.0
//
// {name}: serves two files. /greeting holds a text that clients may replace; /count says, in one
// digit, how often it was read.
#include <npl/npl.h>
#include <string.h>

#define GREETING_MAX 64u

struct greeter {
    char greeting[GREETING_MAX];
    size_t size;
    unsigned count;
};

static int64_t greeting_read(void *context, struct npl_request *request)
{
    struct greeter *greeter = context;

    if (request->offset == 0)
        greeter->count++;
    return npl_service_read_text(request, greeter->greeting, greeter->size);
}

static int64_t greeting_write(void *context, struct npl_request *request)
{
    struct greeter *greeter = context;

    if (request->offset != 0 || request->count > GREETING_MAX) {
        request->error = "a greeting has at most 64 bytes";
        return RUMPK_E_ARGUMENT;
    }
    memcpy(greeter->greeting, request->data, request->count);
    greeter->size = request->count;
    return request->count;
}

static int64_t count_read(void *context, struct npl_request *request)
{
    const struct greeter *greeter = context;
    const char text[] = {(char)('0' + greeter->count % 10), '\n'};

    return npl_service_read_text(request, text, sizeof(text));
}

static const struct npl_file files[] = {
    {.name = "greeting",
     .mode = NPL_FILE_READ | NPL_FILE_WRITE,
     .read = greeting_read,
     .write = greeting_write},
    {.name = "count", .mode = NPL_FILE_READ, .read = count_read},
};

int npl_main(void)
{
    struct greeter greeter = {.greeting = "hello\n", .size = 6};
    struct npl_service service;
    int64_t result =
        npl_service_open(&service, "{short}", files, sizeof(files) / sizeof(files[0]), &greeter);

    if (result == RUMPK_E_SLOT) {
        npl_print("{short}: nobody uses the service in this image\n");
        return 0;
    }
    if (result < 0) {
        npl_printf("{short}: cannot serve: %s\n", npl_result_text(result));
        return 1;
    }
    for (;;) {
        int64_t handled = npl_service_poll(&service);

        if (handled == RUMPK_E_PEER)
            return 0;
        if (handled == 0)
            (void)npl_service_wait(&service, NULL, 0, RUMPK_FOREVER);
    }
}
