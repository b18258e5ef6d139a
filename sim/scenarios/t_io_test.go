package scenarios

import (
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
)

// TestReadFault reads a byte into memory that is not there. That is EFAULT,
// and afterwards the file is as good as before.
func TestReadFault(t *testing.T) {
	each(t, func(t *testing.T, fs fileSystem) {
		p := fs.mounted(t, sim.Config{Mode: hypercall.Deterministic}).Init()
		ok(t, p.Close(create(t, p, "/mnt/file", "{")))
		fd := value[int](t)(p.Open("/mnt/file", kern.O_RDONLY|kern.O_SYNC|kern.O_RSYNC, 0))
		_, err := p.ReadN(fd, nil, 1)
		wants(t, "read", err, error(kern.EFAULT))
		b := make([]byte, 2)
		wants(t, "read after that", value[int](t)(p.Read(fd, b)), 1)
		wants(t, "the byte", b[0], '{')
		ok(t, p.Close(fd))
	})
}
