package sim

import (
	"strings"

	"rumpvfs/kern"
	"rumpvfs/rumpfs"
)

// EtfsRegister is [Proc.EtfsRegister] of process 1.
func (k *Kernel) EtfsRegister(key, hostpath string, t rumpfs.EtfsType) error {
	return k.init.EtfsRegister(key, hostpath, t)
}

// EtfsRegisterWithsize is [Proc.EtfsRegisterWithsize] of process 1.
func (k *Kernel) EtfsRegisterWithsize(key, hostpath string, t rumpfs.EtfsType, begin, size uint64) error {
	return k.init.EtfsRegisterWithsize(key, hostpath, t, begin, size)
}

// EtfsRemove is [Proc.EtfsRemove] of process 1.
func (k *Kernel) EtfsRemove(key string) error { return k.init.EtfsRemove(key) }

// EtfsRegister maps the file hostpath of the host to the path key of the
// root file system, as what t says. It is no system call: credentials, root
// and working directory do not matter. For the errors see
// [rumpfs.FS.EtfsRegisterWithsize].
func (p *Proc) EtfsRegister(key, hostpath string, t rumpfs.EtfsType) error {
	return p.etfs("etfs_register", key, hostpath, func(l *kern.Lwp) error {
		return p.k.root.EtfsRegister(l, key, hostpath, t)
	})
}

// EtfsRegisterWithsize is EtfsRegister for size bytes of the host file from
// begin on, up to its end if size is [rumpfs.RUMP_ETFS_SIZE_ENDOFF].
func (p *Proc) EtfsRegisterWithsize(key, hostpath string, t rumpfs.EtfsType, begin, size uint64) error {
	return p.etfs("etfs_register_withsize", key, hostpath, func(l *kern.Lwp) error {
		return p.k.root.EtfsRegisterWithsize(l, key, hostpath, t, begin, size)
	})
}

// EtfsRemove ends the mapping of key, whoever uses the file:
// [rumpfs.FS.EtfsRemove].
func (p *Proc) EtfsRemove(key string) error {
	return p.etfs("etfs_remove", key, "", func(l *kern.Lwp) error { return p.k.root.EtfsRemove(l, key) })
}

// etfs makes a call that concerns mappings. Names with a NUL byte, which a C
// caller cannot pass, are EINVAL.
func (p *Proc) etfs(name, key, hostpath string, f func(l *kern.Lwp) error) (err error) {
	l, err := p.enter(name)
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
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
