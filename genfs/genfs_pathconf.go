package genfs

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// Pathconf tells the limits of a file in a file system that has those of the
// system: names of KERNEL_NAME_MAX bytes, links, large files. EINVAL for a name
// that is none of a limit.
func Pathconf(_ *kern.Lwp, _ *vnode.Vnode, name int) (int64, error) {
	switch name {
	case kern.PC_LINK_MAX:
		return kern.LINK_MAX, nil
	case kern.PC_NAME_MAX:
		return kern.KERNEL_NAME_MAX, nil
	case kern.PC_PATH_MAX:
		return kern.PATH_MAX, nil
	case kern.PC_PIPE_BUF:
		return kern.PIPE_BUF, nil
	case kern.PC_CHOWN_RESTRICTED, kern.PC_NO_TRUNC, kern.PC_SYNC_IO, kern.PC_2_SYMLINKS:
		return 1, nil
	case kern.PC_FILESIZEBITS:
		return 64, nil
	case kern.PC_SYMLINK_MAX:
		return kern.MAXPATHLEN - 1, nil
	}
	return 0, kern.EINVAL
}
