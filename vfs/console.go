package vfs

import (
	"rumpvfs/kern"
)

// ConsoleOps are the operations of the open file that a kernel's first
// process has as descriptors 0 to 2: what is written goes to the machine's
// console, there is nothing to read.
//
//netbsd:sys/rump/librump/rumpkern/cons.c rumpcons_fileops
type ConsoleOps struct{}

// Read finds nothing.
func (ConsoleOps) Read(*kern.Lwp, *File, *kern.Uio, int) error { return nil }

// Write prints.
//
//netbsd:sys/rump/librump/rumpkern/cons.c rumpcons_write
func (ConsoleOps) Write(l *kern.Lwp, _ *File, uio *kern.Uio, _ int) error {
	var buf [kern.PAGE_SIZE]byte
	for uio.Resid > 0 {
		n := min(int64(len(buf)), uio.Resid)
		if err := uio.Move(buf[:n]); err != nil {
			return err
		}
		l.K.Sys.ConsoleWrite(buf[:n])
	}
	return nil
}

// TIOCGETA is the ioctl by which programs ask whether a file is a terminal.
const TIOCGETA = 0x402c7413

// Ioctl says that the console is a terminal, and no more.
//
//netbsd:sys/rump/librump/rumpkern/cons.c rumpcons_ioctl
func (ConsoleOps) Ioctl(_ *kern.Lwp, _ *File, com uint64, _ any) error {
	if com == TIOCGETA {
		return nil
	}
	return kern.ENOTTY
}

// Fcntl allows F_SETFL and nothing else.
//
//netbsd:sys/kern/kern_descrip.c fnullop_fcntl
func (ConsoleOps) Fcntl(_ *kern.Lwp, _ *File, com uint32, _ any) error {
	if com == kern.F_SETFL {
		return nil
	}
	return kern.EOPNOTSUPP
}

// Poll reports nothing.
//
//netbsd:sys/kern/kern_descrip.c fnullop_poll
func (ConsoleOps) Poll(*kern.Lwp, *File, int) (int, error) { return 0, nil }

// Stat describes a character device that nobody else may touch, as old as
// the kernel.
//
//netbsd:sys/rump/librump/rumpkern/cons.c rumpcons_stat
func (ConsoleOps) Stat(l *kern.Lwp, _ *File, sb *kern.Stat) error {
	t := l.K.Boottime
	*sb = kern.Stat{Mode: 0o600 | kern.S_IFCHR, Atim: t, Mtim: t, Ctim: t, Birthtim: t}
	return nil
}

// Close has nothing to close.
func (ConsoleOps) Close(*kern.Lwp, *File) error { return nil }
