package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"rumpvfs/fusefs"
	"rumpvfs/sim"
	"rumpvfs/tmpfs"
)

// mountSpec is a file system to be served.
type mountSpec struct {
	fstype, dir string
	tmpfs       tmpfs.Args
	fuse        fusefs.Options
}

// typeRumpfs is the type of the root file system.
const typeRumpfs = "rumpfs"

// specs puts types, options and directories together.
func (f *mountFlags) specs(dirs []string) (all []*mountSpec, err error) {
	types, err := each("-t", f.types, len(dirs))
	if err != nil {
		return nil, err
	}
	options, err := each("-o", f.options, len(dirs))
	if err != nil {
		return nil, err
	}
	for i, dir := range dirs {
		s, err := newSpec(types[i], dir)
		if err == nil {
			err = s.parse(options[i])
		}
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// each makes a list of n values, from one for each or one for all.
func each(flag string, values []string, n int) ([]string, error) {
	switch len(values) {
	case n:
		return values, nil
	case 1:
		all := make([]string, n)
		for i := range all {
			all[i] = values[0]
		}
		return all, nil
	}
	return nil, usageError{fmt.Errorf("mount: %d times %s for %d directories: want one for each or one for all", len(values), flag, n)}
}

// newSpec is a file system whose root is as the directory that it is mounted on.
func newSpec(fstype, dir string) (*mountSpec, error) {
	if fstype != tmpfs.MOUNT_TMPFS && fstype != typeRumpfs {
		return nil, usageError{fmt.Errorf("mount: -t %s: want %s or %s", fstype, tmpfs.MOUNT_TMPFS, typeRumpfs)}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	fi, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if !fi.IsDir() {
		return nil, &os.PathError{Op: "mount", Path: dir, Err: syscall.ENOTDIR}
	}
	st := fi.Sys().(*syscall.Stat_t)
	s := &mountSpec{fstype: fstype, dir: dir}
	s.tmpfs.RootUID, s.tmpfs.RootGID, s.tmpfs.RootMode = st.Uid, st.Gid, st.Mode&0o7777
	s.fuse.Source = fstype
	s.fuse.Private = os.Geteuid() != 0
	return s, nil
}

// parse reads options.
func (s *mountSpec) parse(options string) error {
	for o := range strings.SplitSeq(options, ",") {
		if o == "" {
			continue
		}
		name, value, has := strings.Cut(o, "=")
		err := s.set(name, value, has)
		if err != nil {
			return usageError{fmt.Errorf("mount: option %q: %w", o, err)}
		}
	}
	return nil
}

// set sets the option name.
func (s *mountSpec) set(name, value string, has bool) (err error) {
	if flag := s.flag(name); flag != nil {
		if has {
			return fmt.Errorf("takes no value")
		}
		*flag = true
		return nil
	}
	if s.fstype != tmpfs.MOUNT_TMPFS && name != "cache" {
		return fmt.Errorf("%s does not know it", s.fstype)
	}
	switch name {
	case "cache":
		s.fuse.Cache, err = time.ParseDuration(value)
	case "size":
		s.tmpfs.SizeMax, err = parseSize(value)
	case "nodes":
		s.tmpfs.NodesMax, err = strconv.ParseUint(value, 10, 32)
	case "mode":
		s.tmpfs.RootMode, err = parseID(value, 8, 12)
	case "uid":
		s.tmpfs.RootUID, err = parseID(value, 10, 32)
	case "gid":
		s.tmpfs.RootGID, err = parseID(value, 10, 32)
	default:
		return fmt.Errorf("there is none of that name")
	}
	return err
}

// flag is the option without a value that name names, nil if there is none.
func (s *mountSpec) flag(name string) *bool {
	switch name {
	case "ro":
		return &s.fuse.ReadOnly
	case "private":
		return &s.fuse.Private
	case "dev":
		return &s.fuse.Device
	case "suid":
		return &s.fuse.Setuid
	}
	return nil
}

func parseID(s string, base, bits int) (uint32, error) {
	n, err := strconv.ParseUint(s, base, bits)
	return uint32(n), err
}

// parseSize reads a number of bytes, of 1024, 1024² or 1024³ bytes with k, m
// or g behind it.
func parseSize(s string) (int64, error) {
	shift := 0
	for i, suffix := range []string{"k", "m", "g"} {
		if n, ok := strings.CutSuffix(strings.ToLower(s), suffix); ok {
			s, shift = n, 10*(i+1)
			break
		}
	}
	n, err := strconv.ParseInt(s, 10, 63-shift)
	if err != nil {
		return 0, err
	}
	if n <= 0 {
		return 0, fmt.Errorf("not an amount of memory")
	}
	return n << shift, nil
}

// tmpfsDir is where a tmpfs is mounted in its kernel.
const tmpfsDir = "/mnt"

// serve boots a kernel and serves the file system.
func (s *mountSpec) serve(config sim.Config) (*served, error) {
	k, err := sim.Boot(config)
	if err != nil {
		return nil, err
	}
	path := "/"
	if s.fstype == tmpfs.MOUNT_TMPFS {
		path = tmpfsDir
		if err = k.Init().Mkdir(path, 0o755); err == nil {
			err = k.Init().Mount(s.fstype, path, 0, &s.tmpfs)
		}
	}
	var m *fusefs.Mountpoint
	if err == nil {
		m, err = fusefs.Mount(k, path, s.dir, &s.fuse)
	}
	if err != nil {
		_ = k.Shutdown()
		return nil, err
	}
	return &served{Type: s.fstype, Dir: s.dir, k: k, m: m}, nil
}
