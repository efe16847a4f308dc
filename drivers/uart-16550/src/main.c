// SPDX-License-Identifier: Apache-2.0
//
// uart-16550: the console service on a 16550 serial port.
//
// Lines of all clients come merged from npl_stream; this file knows only the chip. Speed is left as
// the firmware set it. The port takes 16 bytes each time its transmitter is empty; while it is not,
// the driver sleeps until the port's interrupt says so.
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

#define INTERRUPT_TRANSMITTER_EMPTY 0x02u
#define FIFO_ENABLE_AND_CLEAR       0x07u
#define LINE_8N1                    0x03u
#define MODEM_DTR_RTS_OUT2          0x0Bu // OUT2 lets the interrupt out of the chip on a PC
#define STATUS_TRANSMITTER_EMPTY    0x20u

#define FIFO_BYTES 16u
#define STUCK_MS   1000u // without an interrupt for so long the port counts as stuck

#define EXIT_NO_PORT   1
#define EXIT_NO_MEMORY 2
#define EXIT_STUCK     3

struct port {
    struct npl_registers registers;
    struct npl_interrupt interrupt;
};

static void port_init(const struct npl_registers *port)
{
    npl_reg_write8(port, REG_INTERRUPTS, 0);
    npl_reg_write8(port, REG_LINE, LINE_8N1);
    npl_reg_write8(port, REG_FIFO, FIFO_ENABLE_AND_CLEAR);
    npl_reg_write8(port, REG_MODEM, MODEM_DTR_RTS_OUT2);
}

static bool is_empty(const struct port *port)
{
    return npl_reg_read8(&port->registers, REG_LINE_STATUS) & STATUS_TRANSMITTER_EMPTY;
}

// Waits until the transmitter takes bytes. False when it does not in time.
static bool port_wait(struct port *port)
{
    uint64_t deadline = npl_deadline_ms(STUCK_MS);
    int64_t result = RUMPK_OK;

    while (!is_empty(port) && result == RUMPK_OK) {
        // The line first: the port asks at once when it has become empty meanwhile.
        npl_interrupt_unmask(&port->interrupt);
        npl_reg_write8(&port->registers, REG_INTERRUPTS, INTERRUPT_TRANSMITTER_EMPTY);
        result = npl_interrupt_wait(&port->interrupt, deadline);
        npl_reg_write8(&port->registers, REG_INTERRUPTS, 0);
    }
    return result == RUMPK_OK || is_empty(port);
}

static bool port_write(struct port *port, const char *bytes, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        if (at % FIFO_BYTES == 0 && !port_wait(port))
            return false;
        npl_reg_write8(&port->registers, REG_DATA, (uint8_t)bytes[at]);
    }
    return true;
}

int npl_main(void)
{
    struct port port;
    struct npl_stream stream;

    if (npl_registers_open(&port.registers, "uart") < 0 ||
        npl_interrupt_open(&port.interrupt, "uart") < 0)
        return EXIT_NO_PORT;
    if (npl_stream_open(&stream, "console") < 0)
        return EXIT_NO_MEMORY;
    port_init(&port.registers);

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
