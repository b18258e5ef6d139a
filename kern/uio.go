package kern

// UioRW says which way a transfer goes.
type UioRW int

const (
	UIO_READ  UioRW = iota // from the kernel to the uio's memory
	UIO_WRITE              // from the uio's memory to the kernel
)

// Uio describes a transfer between the kernel and somebody's memory.
type Uio struct {
	Iov    [][]byte // what is left of the memory
	Offset int64    // in the file, bytes
	Resid  int64    // bytes left; if Iov holds less, the rest is not mapped
	RW     UioRW
	System bool // the memory is the kernel's own (UIO_SYSSPACE)
}

// InitUio makes u a transfer of the single buffer b at offset off, storing
// the iovec in iov so that nothing is allocated.
func (u *Uio) InitUio(iov *[1][]byte, b []byte, off int64, rw UioRW) {
	iov[0] = b
	*u = Uio{Iov: iov[:], Offset: off, Resid: int64(len(b)), RW: rw}
}

// Move transfers up to len(buf) bytes between buf and the uio, no more than the
// residue, and advances offset and residue. It is EFAULT if the memory ends
// before the residue.
//
//netbsd:sys/kern/subr_copy.c uiomove
func (u *Uio) Move(buf []byte) error {
	buf = buf[:min(int64(len(buf)), max(u.Resid, 0))]
	for len(buf) > 0 {
		if len(u.Iov) == 0 {
			return EFAULT
		}
		iov := u.Iov[0]
		if len(iov) == 0 {
			u.Iov = u.Iov[1:]
			continue
		}
		var n int
		if u.RW == UIO_READ {
			n = copy(iov, buf)
		} else {
			n = copy(buf, iov)
		}
		u.Iov[0] = iov[n:]
		u.Resid -= int64(n)
		u.Offset += int64(n)
		buf = buf[n:]
	}
	return nil
}
