// SPDX-License-Identifier: Apache-2.0
//
// ninep_l.h: the numbers of 9P2000.L that the bridge speaks: the messages of 9P2000 that it keeps,
// those that it adds, and the values that they carry, which are Linux's on every machine.
#ifndef NINEP_L_H
#define NINEP_L_H

// T-message n is answered by n + 1, or by Rlerror.
enum ninep_l_type {
    L_RLERROR = 7,
    L_TSTATFS = 8,
    L_TLOPEN = 12,
    L_TLCREATE = 14,
    L_TSYMLINK = 16,
    L_TMKNOD = 18,
    L_TRENAME = 20,
    L_TGETATTR = 24,
    L_TSETATTR = 26,
    L_TREADDIR = 40,
    L_TFSYNC = 50,
    L_TLINK = 70,
    L_TMKDIR = 72,
    L_TRENAMEAT = 74,
    L_TUNLINKAT = 76,
    L_TVERSION = 100,
    L_TAUTH = 102,
    L_TATTACH = 104,
    L_TFLUSH = 108,
    L_TWALK = 110,
    L_TREAD = 116,
    L_TWRITE = 118,
    L_TCLUNK = 120,
    L_TREMOVE = 122,
};

#define L_VERSION      "9P2000.L"
#define L_NOFID        0xFFFFFFFFu
#define L_HEADER       7u
#define L_READ_HEADER  11u // also of Rreaddir
#define L_WRITE_HEADER 23u
#define L_IO_HEADER    24u // what clients count for the header of any read or write
#define L_MSIZE_MIN    512u
#define L_WALK_MAX     16u
#define L_QT_DIRECTORY 0x80u

#define L_ENOENT       2u
#define L_EIO          5u
#define L_EBADF        9u
#define L_EACCES       13u
#define L_ENOTDIR      20u
#define L_EISDIR       21u
#define L_EINVAL       22u
#define L_EMFILE       24u
#define L_EROFS        30u
#define L_ENAMETOOLONG 36u
#define L_EPROTO       71u
#define L_EOPNOTSUPP   95u

#define L_O_ACCESS    3u // 0 read, 1 write, 2 both
#define L_O_DIRECTORY 0200000u

#define L_GETATTR_BASIC 0x7FFu
#define L_S_DIRECTORY   0040000u
#define L_S_REGULAR     0100000u
#define L_DT_DIRECTORY  4u
#define L_DT_REGULAR    8u
#define L_STATFS_MAGIC  0x01021997u

#endif
