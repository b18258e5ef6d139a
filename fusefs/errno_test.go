//go:build linux

package fusefs

import (
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"rumpvfs/kern"
)

// Every number of the kernel has one of the host, of the same name wherever
// the host has the name.
func TestErrnos(t *testing.T) {
	byName := map[string]syscall.Errno{}
	for n := syscall.Errno(1); n < 200; n++ {
		if name := unix.ErrnoName(n); name != "" {
			byName[name] = n
		}
	}
	byName["EOPNOTSUPP"], byName["EDEADLK"], byName["EWOULDBLOCK"] = syscall.EOPNOTSUPP, syscall.EDEADLK, syscall.EAGAIN
	byName["ENOTSUP"] = syscall.ENOTSUP
	other := map[kern.Errno]syscall.Errno{
		kern.EPROCLIM: syscall.EAGAIN, kern.EBADRPC: syscall.EPROTO, kern.ERPCMISMATCH: syscall.EPROTO,
		kern.EPROGUNAVAIL: syscall.EPROTO, kern.EPROGMISMATCH: syscall.EPROTO, kern.EPROCUNAVAIL: syscall.EPROTO,
		kern.ENOSYS: syscall.EOPNOTSUPP, kern.EFTYPE: syscall.EINVAL, kern.EAUTH: syscall.EACCES,
		kern.ENEEDAUTH: syscall.EACCES, kern.ENOATTR: syscall.ENODATA,
	}
	for e := kern.Errno(1); e <= kern.ELAST; e++ {
		want, ok := other[e]
		if !ok {
			want = byName[e.Name()]
		}
		if got := hostErrno(e); got != want || got == 0 {
			t.Errorf("%s is %d (%v) to the host, want %d", e.Name(), int(got), got, int(want))
		}
	}
	for _, e := range []kern.Errno{kern.EJUSTRETURN, kern.ERESTART, kern.ELAST + 1} {
		if got := hostErrno(e); got != syscall.EIO {
			t.Errorf("%v is %v to the host, want EIO", e, got)
		}
	}
}
