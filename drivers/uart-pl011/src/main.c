// SPDX-License-Identifier: Apache-2.0
//
// uart-pl011: the console service on an Arm PL011 serial port.
//
// Lines of all clients come merged from npl_stream; this file knows only the chip. Speed is left as
// the firmware set it. While the FIFO is full the driver sleeps until the port's interrupt says
// that half of it is free. No interrupt tells when the port has become idle, which is wanted once,
// at the start: there it looks every millisecond.
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
#define INTERRUPT_TRANSMIT      0x20u // the FIFO has drained to its half
#define INTERRUPTS_ALL          0x7FFu

#define STUCK_MS 1000u // without progress for so long the port counts as stuck

#define EXIT_NO_PORT   1
#define EXIT_NO_MEMORY 2
#define EXIT_STUCK     3

struct port {
    struct npl_registers registers;
    struct npl_interrupt interrupt;
};

static bool is_clear(const struct npl_registers *port, uint32_t flag)
{
    return (npl_reg_read32(port, REG_FLAGS) & flag) == 0;
}

// Section 3.3.6: the line control register is changed only while the port is disabled and idle.
static bool port_init(const struct npl_registers *port)
{
    for (uint32_t pause = 0; !is_clear(port, FLAG_BUSY); pause++) {
        if (pause == STUCK_MS)
            return false;
        npl_sleep_until(npl_deadline_ms(1));
    }
    npl_reg_write32(port, REG_CONTROL, 0);
    npl_reg_write32(port, REG_INTERRUPT_MASK, 0);
    npl_reg_write32(port, REG_INTERRUPT_CLEAR, INTERRUPTS_ALL);
    npl_reg_write32(port, REG_LINE, LINE_8N1_FIFO);
    npl_reg_write32(port, REG_CONTROL, CONTROL_ENABLE_TRANSMIT);
    return true;
}

// Waits until the FIFO takes a byte. False when it does not in time. What an earlier wait left
// behind is cleared before the flag is read: the FIFO crosses its half after that, or is not full.
static bool port_wait(struct port *port)
{
    const struct npl_registers *registers = &port->registers;
    uint64_t deadline = 0;
    int64_t result = RUMPK_OK;

    while (!is_clear(registers, FLAG_TRANSMIT_FULL)) {
        if (result != RUMPK_OK)
            return false;
        if (deadline == 0)
            deadline = npl_deadline_ms(STUCK_MS);
        npl_interrupt_unmask(&port->interrupt);
        npl_reg_write32(registers, REG_INTERRUPT_MASK, INTERRUPT_TRANSMIT);
        result = npl_interrupt_wait(&port->interrupt, deadline);
        npl_reg_write32(registers, REG_INTERRUPT_MASK, 0);
        npl_reg_write32(registers, REG_INTERRUPT_CLEAR, INTERRUPT_TRANSMIT);
    }
    return true;
}

static bool port_write(struct port *port, const char *bytes, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        if (!port_wait(port))
            return false;
        npl_reg_write32(&port->registers, REG_DATA, (uint8_t)bytes[at]);
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
    if (!port_init(&port.registers))
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
