package sched

import (
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
	"rumpvfs/proptest/model"
	"rumpvfs/sim"
	"rumpvfs/tmpfs"
)

// Rumpfs is a kernel with its root file system, with or without quirks of the reference. Change, if not nil, changes how kernels are booted.
func Rumpfs(quirks kern.Quirks, change func(*sim.Config)) *System {
	config := kernel(quirks, change)
	return &System{
		Name: "rumpfs",
		Boot: func(s hypercall.Scheduler) (*sim.Kernel, error) {
			c := config
			c.Scheduler = s
			return sim.Boot(c)
		},
		Model: model.Config{Quirks: quirks},
	}
}

// Tmpfs is a kernel, without quirks of the reference, that has a tmpfs mounted on /w, where process 0 is.
func Tmpfs(change func(*sim.Config)) *System {
	config := kernel(kern.Fixed, change)
	return &System{
		Name: "tmpfs",
		Boot: func(s hypercall.Scheduler) (*sim.Kernel, error) {
			c := config
			c.Scheduler = s
			k, err := sim.Boot(c)
			if err != nil {
				return nil, err
			}
			if err := mountTmpfs(k.Init()); err != nil {
				_ = k.Shutdown()
				return nil, err
			}
			return k, nil
		},
		Model: model.Config{Quirks: kern.Fixed, Caps: model.Caps{Rename: true, Link: true}},
		Home:  []call.Call{{Op: call.Mkdir, Path: "/w", Mode: 0o755}, {Op: call.Chdir, Path: "/w"}},
		Same:  SameNames, Renumbers: true,
	}
}

func mountTmpfs(p *sim.Proc) error {
	if err := p.Mkdir("/w", 0o755); err != nil {
		return err
	}
	if err := p.Mount(tmpfs.MOUNT_TMPFS, "/w", 0, tmpfs.DefaultArgs()); err != nil {
		return err
	}
	return p.Chdir("/w")
}

// SameNames is a System.Same that compares what file systems agree upon: errors, types, numbers of links, sizes and contents of files.
func SameNames(c *call.Call, got, want *call.Result, because clause.ID) bool {
	switch {
	case got.Stop != want.Stop || !because.Allows(got.Errno):
		return false
	case got.Errno != 0:
		return true
	}
	a, b := &got.File, &want.File
	if (a.Mode^b.Mode)&kern.S_IFMT != 0 || a.Nlink != b.Nlink || a.Mode&kern.S_IFMT == kern.S_IFREG && a.Size != b.Size {
		return false
	}
	return c.Op == call.Getdents || got.Ret == want.Ret && string(got.Data) == string(want.Data)
}

// kernel is a deterministic kernel in which vnode operations are neither checked nor scheduling points: entering a lock is.
func kernel(quirks kern.Quirks, change func(*sim.Config)) sim.Config {
	c := sim.Config{Mode: hypercall.Deterministic, Without: kern.Rev1125 &^ quirks, Unchecked: true, Spares: new(sim.Spares)}
	if change != nil {
		change(&c)
	}
	return c
}
