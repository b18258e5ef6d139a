package namei

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// SetStatvfsInfo writes into a mount's statistics what it is: the type of the
// file system, where it is mounted as seen from the kernel's root, and what
// from. An empty onp or fromp leaves that as it is. ENAMETOOLONG if one does not
// fit, and what getcwd returns for the root of the process.
//
// Preconditions: l holds no vnode lock; nobody else uses mp.
//
//netbsd:sys/kern/vfs_subr.c set_statvfs_info
func SetStatvfsInfo(l *kern.Lwp, onp, fromp, vfsname string, mp *vnode.Mount) error {
	sfs := &mp.Stat
	sfs.Fstypename = vfsname[:min(len(vfsname), kern.VFS_NAMELEN-1)]
	if onp != "" {
		name, err := mountedOn(l, onp)
		if err != nil {
			return err
		}
		sfs.Mntonname = name
	}
	if fromp != "" {
		if len(fromp)+1 > kern.VFS_MNAMELEN-1 {
			return kern.ENAMETOOLONG
		}
		sfs.Mntfromname = fromp
	}
	return nil
}

// mountedOn returns onp, which is below the root of the process, as it is
// called below the root of the kernel.
func mountedOn(l *kern.Lwp, onp string) (string, error) {
	const room = kern.VFS_MNAMELEN - 1
	cwdi := cwdinfoOf(l.Proc)
	cwdi.lock.REnter(l)
	root := ""
	if cwdi.Rdir != nil {
		t := newTail(kern.MAXPATHLEN)
		if err := getcwdCommon(l, cwdi.Rdir, rootvnode(cwdi.Rdir), t, kern.MAXPATHLEN/2, false); err != nil {
			cwdi.lock.Exit(l)
			return "", err
		}
		root = t.String()
	}
	cwdi.lock.Exit(l)
	if len(root) >= room {
		return root[:room], nil
	}
	if len(root)+len(onp)+1 > room {
		return "", kern.ENAMETOOLONG
	}
	return root + onp, nil
}
