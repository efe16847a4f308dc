// SPDX-License-Identifier: Apache-2.0
//
// uart-pl011: the console service on an Arm PL011 serial port.
//
// Lines of all clients come merged from npl_stream; this file knows only the chip. Speed is left as
// the firmware set it. The port is polled, and other drivers run while its FIFO is full.
//
// Registers: PrimeCell UART (PL011) Technical Reference Manual, ARM DDI 0183, section 3.2. The tree
// states no register spacing, so they are numbered by their byte offsets.
#include <npl/npl.h>

enum {
    REG_DATA = 0x00,
    REG_FLAGS = 0x18,
    REG_LINE = 0x2C,
    REG_CONTROL = 0x30,
    REG_INTERRUPT_MASK = 0x38,
    REG_INTERRUPT_CLEAR = 0x44,
};

#define FLAG_TRANSMIT_FULL      0x20u
#define FLAG_BUSY               0x08u
#define LINE_8N1_FIFO           0x70u
#define CONTROL_ENABLE_TRANSMIT 0x101u
#define INTERRUPTS_ALL          0x7FFu

#define POLLS_MAX  64u   // looks before the driver sleeps
#define PAUSES_MAX 1000u // pauses of 1 ms before the port counts as stuck

#define EXIT_NO_PORT   1
#define EXIT_NO_MEMORY 2
#define EXIT_STUCK     3

// Waits until none of `flags` is set. False when that does not happen within about a second.
static bool port_wait(const struct npl_registers *port, uint32_t flags)
{
    for (uint32_t pause = 0; pause < PAUSES_MAX; pause++) {
        for (uint32_t poll = 0; poll < POLLS_MAX; poll++) {
            if ((npl_reg_read32(port, REG_FLAGS) & flags) == 0)
                return true;
        }
        npl_sleep_until(npl_deadline_ms(1));
    }
    return false;
}

// Section 3.3.6: the line control register is changed only while the port is disabled and idle.
static bool port_init(const struct npl_registers *port)
{
    if (!port_wait(port, FLAG_BUSY))
        return false;
    npl_reg_write32(port, REG_CONTROL, 0);
    npl_reg_write32(port, REG_INTERRUPT_MASK, 0);
    npl_reg_write32(port, REG_INTERRUPT_CLEAR, INTERRUPTS_ALL);
    npl_reg_write32(port, REG_LINE, LINE_8N1_FIFO);
    npl_reg_write32(port, REG_CONTROL, CONTROL_ENABLE_TRANSMIT);
    return true;
}

static bool port_write(const struct npl_registers *port, const char *bytes, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        if (!port_wait(port, FLAG_TRANSMIT_FULL))
            return false;
        npl_reg_write32(port, REG_DATA, (uint8_t)bytes[at]);
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
    if (!port_init(&port))
        return EXIT_STUCK;

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
