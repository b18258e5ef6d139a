package sim_test

import (
	"testing"

	"rumpvfs/kern"
	"rumpvfs/sim"
)

// TestHotCallsDoNotAllocate: warm files are used without a single
// allocation.
func TestHotCallsDoNotAllocate(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	ok(t, p.Mkdir("/d", 0o755))
	fd := create(t, p, "/d/f", string(make([]byte, 1<<16)))
	dir := value[int](t)(p.Open("/d", kern.O_RDONLY, 0))
	ok(t, p.Symlink("d/f", "/l"))
	b := make([]byte, 4096)
	for name, call := range map[string]func() error{
		"stat":      func() error { _, err := p.Stat("/d/f"); return err },
		"lstat":     func() error { _, err := p.Lstat("/l"); return err },
		"not there": func() error { _, _ = p.Stat("/d/none"); return nil },
		"fstat":     func() error { _, err := p.Fstat(fd); return err },
		"access":    func() error { return p.Access("/d/f", kern.R_OK) },
		"open and close": func() error {
			fd, err := p.Open("/d/f", kern.O_RDWR, 0)
			if err != nil {
				return err
			}
			return p.Close(fd)
		},
		"openat and close": func() error {
			fd, err := p.Openat(dir, "f", kern.O_RDONLY, 0)
			if err != nil {
				return err
			}
			return p.Close(fd)
		},
		"dup and close": func() error {
			fd, err := p.Dup(fd)
			if err != nil {
				return err
			}
			return p.Close(fd)
		},
		"pread":    func() error { _, err := p.Pread(fd, b, 8192); return err },
		"pwrite":   func() error { _, err := p.Pwrite(fd, b, 8192); return err },
		"lseek":    func() error { _, err := p.Lseek(fd, 0, kern.SEEK_END); return err },
		"readlink": func() error { _, err := p.Readlink("/l", b); return err },
		"getdents": func() error {
			if _, err := p.Lseek(dir, 0, kern.SEEK_SET); err != nil {
				return err
			}
			_, err := p.Getdents(dir, b)
			return err
		},
		"chdir":   func() error { return p.Chdir("/d") },
		"umask":   func() error { _, err := p.Umask(0); return err },
		"F_GETFL": func() error { _, err := p.Fcntl(fd, kern.F_GETFL, 0); return err },
	} {
		ok(t, call())
		if n := testing.AllocsPerRun(100, func() {
			if err := call(); err != nil {
				t.Error(name, err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
