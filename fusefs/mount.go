//go:build linux

package fusefs

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"time"

	"rumpvfs/sim"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// Options say how a directory is served. The zero Options are for the host's
// superuser: everybody may come in, and set-id bits and device numbers are
// only shown.
type Options struct {
	// Cache is how long the host may go by names and attributes that it was
	// told, and by its own idea of who may use them. With 0 it asks each time.
	Cache time.Duration
	// Private keeps everybody out but the user that the server runs as, the
	// superuser included. Without /dev/fuse being for everybody
	// (user_allow_other in fuse.conf) others than root need it.
	Private bool
	// Device lets the host open the devices that it sees, by their numbers,
	// and Setuid lets it mind set-id bits. Root only.
	Device, Setuid bool
	// ReadOnly keeps the host from writing. The kernel's own mount stays as
	// it is.
	ReadOnly bool
	// Source is what the host shows as what is mounted; by default "rumpvfs".
	Source string
	// Logger is told when the kernel stops; nil for the standard logger.
	Logger *log.Logger
}

// A Mountpoint is a directory of a kernel that is served at a directory of the
// host. Its methods may be called by several goroutines.
type Mountpoint struct {
	dir  string
	fs   *server
	srv  *fuse.Server
	done chan struct{} // closed when nobody is served any more
}

// fsName is the name of the type of file system, which the host shows after
// "fuse.".
const fsName = "rumpvfs"

// Mount serves the directory path of k, which must be a native kernel, at dir.
// As root it needs nothing but /dev/fuse, as somebody else fusermount3 too. It
// returns when dir can be used.
//
// The mount has to be ended before the kernel is shut down: with Unmount, or by
// somebody who unmounts dir. If the kernel panics every request from then on is
// answered with EIO.
func Mount(k *sim.Kernel, path, dir string, o *Options) (*Mountpoint, error) {
	if o == nil {
		o = &Options{}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	fs, err := newServer(k, path, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	m := &Mountpoint{dir: dir, fs: fs, done: make(chan struct{})}
	if m.srv, err = fuse.NewServer(fs, dir, mountOptions(o)); err != nil {
		fs.OnUnmount()
		return nil, fmt.Errorf("mounting on %s: %w", dir, err)
	}
	go func() {
		m.srv.Serve()
		close(m.done)
	}()
	if err := m.srv.WaitMount(); err != nil {
		return nil, errors.Join(err, m.Unmount())
	}
	return m, nil
}

// mountOptions are what go-fuse is to do.
func mountOptions(o *Options) *fuse.MountOptions {
	mo := &fuse.MountOptions{
		Name: fsName, FsName: o.Source, AllowOther: !o.Private,
		EnableLocks: true, DisableXAttrs: true, MaxWrite: 1 << 20,
		// The host truncates as it opens, and leaves it to the server to take
		// set-id bits off files that are written.
		ExtraCapabilities: fuse.CAP_ATOMIC_O_TRUNC | fuse.CAP_HANDLE_KILLPRIV_V2,
		Logger:            log.New(io.Discard, "", 0), // it reports requests that it does not know, such as O_TMPFILE
		DirectMountStrict: os.Geteuid() == 0,
		// The host opens fifos, sockets and devices without asking, so it has
		// to check permissions too.
		Options: []string{"default_permissions"},
	}
	if mo.FsName == "" {
		mo.FsName = fsName
	}
	for option, on := range map[string]bool{
		"dev": o.Device, "suid": o.Setuid, "ro": o.ReadOnly,
	} {
		if on {
			mo.Options = append(mo.Options, option)
		}
	}
	return mo
}

// Dir returns the directory of the host.
func (m *Mountpoint) Dir() string { return m.dir }

// Done is closed when the mount has ended, whoever ended it.
func (m *Mountpoint) Done() <-chan struct{} { return m.done }

// Unmount ends the mount, and waits until what the host had of the kernel is
// given back. EBUSY if programs of the host use it; then it goes on.
func (m *Mountpoint) Unmount() error {
	select {
	case <-m.done:
		return nil
	default:
	}
	if err := m.srv.Unmount(); err != nil {
		return fmt.Errorf("unmounting %s: %w", m.dir, err)
	}
	<-m.done
	return nil
}

// Detach takes the mount out of the host's names, as a lazy unmount does.
// Programs that use it go on; Done is closed when the last has ended.
func (m *Mountpoint) Detach() error { return Unmount(m.dir, true) }

// Stats are figures of a mount.
type Stats struct {
	Requests uint64 // so far
	Nodes    int    // files that the host knows, the root among them
	Lookups  uint64 // how many times it was told of them, less what it forgot
	Handles  int    // files and directories open
	Owners   int    // who holds or asks for byte-range locks
}

// Stats returns figures of the mount as they are now.
func (m *Mountpoint) Stats() Stats { return m.fs.stats() }

func (s *server) stats() Stats {
	st := Stats{Requests: s.requests.Load(), Handles: s.handles.count(), Owners: s.owners.count()}
	st.Nodes, st.Lookups = s.nodes.count()
	return st
}
