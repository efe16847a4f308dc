// SPDX-License-Identifier: Apache-2.0
//
// ninep.h: the service protocol's wire: 9P2000 messages (Plan 9 manual, section 5) in arena buffers.
//
// One message is one ring slot (struct rumpk_message_slot) naming an arena buffer. The client owns all
// buffers; a request lends one to the server until the reply names it. The receiver copies a message's
// header fields out once before it believes any of them; the data of Tread and Twrite stay where they are.
// size[4] type[1] tag[2] body; integers little-endian; strings are length[2] and bytes, no NUL.
#ifndef RUMPK_NINEP_H
#define RUMPK_NINEP_H

#include <rumpk/base.h>

enum rumpk_ninep_type {
    RUMPK_TVERSION = 100, RUMPK_RVERSION = 101,
    RUMPK_TATTACH = 104, RUMPK_RATTACH = 105,
    RUMPK_RERROR = 107,
    RUMPK_TFLUSH = 108, RUMPK_RFLUSH = 109,
    RUMPK_TWALK = 110, RUMPK_RWALK = 111,
    RUMPK_TOPEN = 112, RUMPK_ROPEN = 113,
    RUMPK_TREAD = 116, RUMPK_RREAD = 117,
    RUMPK_TWRITE = 118, RUMPK_RWRITE = 119,
    RUMPK_TCLUNK = 120, RUMPK_RCLUNK = 121,
    RUMPK_TSTAT = 124, RUMPK_RSTAT = 125,
};

#define RUMPK_NINEP_VERSION "9P2000"
#define RUMPK_NINEP_NOTAG 0xFFFFu
#define RUMPK_NINEP_NOFID 0xFFFFFFFFu
#define RUMPK_NINEP_HEADER 7u        // size, type, tag
#define RUMPK_NINEP_READ_HEADER 11u  // Rread: header and count[4]; data follow
#define RUMPK_NINEP_WRITE_HEADER 23u // Twrite: header, fid[4], offset[8], count[4]; data follow
#define RUMPK_NINEP_WALK_MAX 16u
#define RUMPK_NINEP_MSIZE_MIN 256u
#define RUMPK_NINEP_QID_SIZE 13u
#define RUMPK_NINEP_OREAD 0u
#define RUMPK_NINEP_OWRITE 1u
#define RUMPK_NINEP_ORDWR 2u
#define RUMPK_NINEP_QTDIR 0x80u
#define RUMPK_NINEP_QTFILE 0x00u

#endif
