package replay

import (
	"rumpvfs/kern"
	"rumpvfs/sim/script"
	"rumpvfs/vnode"
)

// mount mounts. Of the options datalen is the kernel's: so many bytes of data
// that nobody has decoded, none for 0. The others are arguments of file systems
// that take any, which rumpfs does not.
func (s *Session) mount(a script.Args) answer {
	fstype, _ := a.Text(0)
	var data any
	if n, _ := a.Option("datalen"); n != 0 {
		// A length too long is refused before its bytes are looked at.
		data = make(vnode.MountData, min(uint64(n), kern.VFS_MAX_MOUNT_DATA+1))
	}
	return done(s.current.Mount(fstype, s.path(a, 1), int(a.Int32(2)), data))
}
