// SPDX-License-Identifier: Apache-2.0
//
// uart-16550: the console service on a 16550 serial port.
//
// Lines of all clients come merged from npl_stream; this file knows only the chip. Speed is left as
// the firmware set it. The port is polled: it takes 16 bytes each time its transmitter is empty,
// and other drivers run while it is not.
//
// Registers: National Semiconductor PC16550D data sheet, section 8.
#include <npl/npl.h>

enum {
    REG_DATA = 0,       // write: transmitter holding register
    REG_INTERRUPTS = 1, // interrupt enable
    REG_FIFO = 2,       // FIFO control
    REG_LINE = 3,       // line control
    REG_MODEM = 4,      // modem control
    REG_LINE_STATUS = 5,
};

#define FIFO_ENABLE_AND_CLEAR    0x07u
#define LINE_8N1                 0x03u
#define MODEM_DTR_RTS            0x03u
#define STATUS_TRANSMITTER_EMPTY 0x20u

#define FIFO_BYTES 16u
#define POLLS_MAX  64u   // looks before the driver sleeps
#define PAUSES_MAX 1000u // pauses of 1 ms before the port counts as stuck

#define EXIT_NO_PORT   1
#define EXIT_NO_MEMORY 2
#define EXIT_STUCK     3

static void port_init(const struct npl_registers *port)
{
    npl_reg_write8(port, REG_INTERRUPTS, 0);
    npl_reg_write8(port, REG_LINE, LINE_8N1);
    npl_reg_write8(port, REG_FIFO, FIFO_ENABLE_AND_CLEAR);
    npl_reg_write8(port, REG_MODEM, MODEM_DTR_RTS);
}

// Waits until the transmitter takes bytes. False when it does not within about a second.
static bool port_wait(const struct npl_registers *port)
{
    for (uint32_t pause = 0; pause < PAUSES_MAX; pause++) {
        for (uint32_t poll = 0; poll < POLLS_MAX; poll++) {
            if (npl_reg_read8(port, REG_LINE_STATUS) & STATUS_TRANSMITTER_EMPTY)
                return true;
        }
        npl_sleep_until(npl_deadline_ms(1));
    }
    return false;
}

static bool port_write(const struct npl_registers *port, const char *bytes, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        if (at % FIFO_BYTES == 0 && !port_wait(port))
            return false;
        npl_reg_write8(port, REG_DATA, (uint8_t)bytes[at]);
    }
    return true;
}

int npl_main(void)
{
    struct npl_registers port;
    struct npl_stream stream;

    if (npl_registers_open(&port, "uart") < 0)
        return EXIT_NO_PORT;
    if (npl_stream_open(&stream, "console") < 0)
        return EXIT_NO_MEMORY;
    port_init(&port);

    for (;;) {
        size_t size;
        const char *piece = npl_stream_next(&stream, &size);

        if (piece && !port_write(&port, piece, size))
            return EXIT_STUCK;
        // Every client has ended and all its text is out.
        if (!piece && npl_stream_wait(&stream) == RUMPK_E_PEER)
            return 0;
    }
}
