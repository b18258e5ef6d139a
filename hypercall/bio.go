package hypercall

// BIOOp says what BIO does: READ or WRITE, and SYNC to have what was written on storage before it is done.
type BIOOp int

const (
	BIOREAD  BIOOp = 0x01
	BIOWRITE BIOOp = 0x02
	BIOSYNC  BIOOp = 0x04
)

// BIO does one block transfer between b and the host file fd at byte off, and calls done with the number of bytes moved and the error. The
// transfer is over when BIO returns. As in the reference, a failure to sync after a write that went well is not reported.
//
//netbsd:lib/librumpuser/rumpuser_bio.c rumpuser_bio, dobio
func (s *System) BIO(t *Thread, fd int, op BIOOp, b []byte, off int64, done func(n int, err error)) {
	t.Point()
	if op&BIOREAD != 0 {
		done(s.host.ReadAt(fd, b, off))
		return
	}
	n, err := s.host.WriteAt(fd, b, off)
	if err == nil && op&BIOSYNC != 0 {
		s.host.Sync(fd, SyncWRITE|SyncSYNC, off, int64(n))
	}
	done(n, err)
}
