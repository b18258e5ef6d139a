package sim

import (
	"strings"

	"rumpvfs/kern"
	"rumpvfs/rumpfs"
)

// EtfsRegister maps the file hostpath of the host to the path key of the
// root file system, as what t says: [rumpfs.FS.EtfsRegisterWithsize].
func (k *Kernel) EtfsRegister(key, hostpath string, t rumpfs.EtfsType) error {
	return k.etfs("etfs_register", key, hostpath, func(l *kern.Lwp) error {
		return k.root.EtfsRegister(l, key, hostpath, t)
	})
}

// EtfsRegisterWithsize is EtfsRegister for size bytes of the host file from
// begin on, up to its end if size is [rumpfs.RUMP_ETFS_SIZE_ENDOFF].
func (k *Kernel) EtfsRegisterWithsize(key, hostpath string, t rumpfs.EtfsType, begin, size uint64) error {
	return k.etfs("etfs_register_withsize", key, hostpath, func(l *kern.Lwp) error {
		return k.root.EtfsRegisterWithsize(l, key, hostpath, t, begin, size)
	})
}

// EtfsRemove ends the mapping of key, whoever uses the file:
// [rumpfs.FS.EtfsRemove].
func (k *Kernel) EtfsRemove(key string) error {
	return k.etfs("etfs_remove", key, "", func(l *kern.Lwp) error { return k.root.EtfsRemove(l, key) })
}

// etfs makes a call of process 1 that concerns mappings. Names with a NUL
// byte, which a C caller cannot pass, are EINVAL.
func (k *Kernel) etfs(name, key, hostpath string, f func(l *kern.Lwp) error) (err error) {
	l, err := k.init.enter(name)
	if err != nil {
		return err
	}
	defer k.init.leave(l, &err)
	if strings.IndexByte(key, 0) >= 0 || strings.IndexByte(hostpath, 0) >= 0 {
		return kern.EINVAL
	}
	return f(l)
}

// moduleBase is where a kernel of the reference's machine and release looks
// for modules.
const moduleBase = "/stand/amd64/6.99.43/modules"

// mapModules maps the host directory RUMP_MODULEBASE. As in the reference, 0
// or nothing stands for none, and if the host has no such directory the
// kernel does without.
//
//netbsd:sys/rump/librump/rumpvfs/rump_vfs.c RUMP_COMPONENT
func (k *Kernel) mapModules() {
	if dir, _ := k.Sys.Param("RUMP_MODULEBASE"); dir != "" && dir[0] != '0' {
		_ = k.EtfsRegister(moduleBase, dir, rumpfs.RUMP_ETFS_DIR_SUBDIRS)
	}
}
