package replay

import (
	"rumpvfs/kern"
	"rumpvfs/sim/script"
	"rumpvfs/tmpfs"
	"rumpvfs/vnode"
)

// mount mounts. The option datalen stands for so many bytes of data that
// nobody has decoded, none for 0; the others are tmpfs's.
func (s *Session) mount(a script.Args) answer {
	fstype, _ := a.Text(0)
	return done(s.current.Mount(fstype, s.path(a, 1), int(a.Int32(2)), mountData(fstype, a)))
}

func mountData(fstype string, a script.Args) any {
	n, given := a.Option("datalen")
	switch {
	case n != 0:
		// A length too long is refused before its bytes are looked at.
		return make(vnode.MountData, min(uint64(n), kern.VFS_MAX_MOUNT_DATA+1))
	case given || fstype != tmpfs.MOUNT_TMPFS:
		return nil
	}
	args := tmpfs.DefaultArgs()
	if v, ok := a.Option("size"); ok {
		args.SizeMax = v
	}
	if v, ok := a.Option("nodes"); ok {
		args.NodesMax = uint64(v)
	}
	for _, o := range []struct {
		name  string
		field *uint32
	}{{"mode", &args.RootMode}, {"uid", &args.RootUID}, {"gid", &args.RootGID}} {
		if v, ok := a.Option(o.name); ok {
			*o.field = uint32(v)
		}
	}
	return args
}
