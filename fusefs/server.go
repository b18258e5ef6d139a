//go:build linux

package fusefs

import (
	"errors"
	"log"
	"sync"
	"sync/atomic"
	"time"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/sim"
	"rumpvfs/vnode"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// server answers the requests of one mount. What it has no method for, the
// embedded one answers with ENOSYS: extended attributes, which no file system
// here has, fallocate, copy_file_range, lseek for holes. The host then does not
// ask again, tells its programs that this is not supported, or does without.
type server struct {
	fuse.RawFileSystem
	proc  *sim.Proc // whose calls the requests are
	log   *log.Logger
	cache time.Duration // how long the host may believe what it was told

	nodes   nodes
	handles handles
	owners  owners
	rootgen uint64 // of the mount that the root directory is in

	requests atomic.Uint64
	stopped  sync.Once // the end of the kernel has been told
	creds    credCache

	mu   sync.Mutex
	idle []*sim.Proc // lwps that no request uses
}

// errMode is the error for a kernel that requests cannot come into at any time.
var errMode = errors.New("fusefs: only a native kernel can be served")

// newServer makes the server of the directory path of k.
func newServer(k *sim.Kernel, path string, o *Options) (*server, error) {
	if k.Sys.Mode() == hypercall.Deterministic {
		return nil, errMode
	}
	proc, err := k.Init().Rfork(sim.RUMP_RFCFDG)
	if err != nil {
		return nil, err
	}
	s := &server{RawFileSystem: fuse.NewDefaultRawFileSystem(), proc: proc, cache: o.Cache, log: o.Logger}
	if s.log == nil {
		s.log = log.Default()
	}
	err = proc.Call("mount", nil, func(l *kern.Lwp) error { return s.setRoot(l, path) })
	if err != nil {
		_ = proc.Exit()
		return nil, err
	}
	return s, nil
}

// setRoot makes path the root directory.
func (s *server) setRoot(l *kern.Lwp, path string) error {
	path, err := namei.Copyin(path)
	if err != nil {
		return err
	}
	nd := namei.Acquire(l)
	defer nd.Release(l)
	nd.Init(l, vnode.LOOKUP, vnode.FOLLOW, path)
	if err := nd.Namei(l); err != nil {
		return err
	}
	if nd.Vp.Type() != vnode.VDIR {
		nd.Vp.Rele(l)
		return kern.ENOTDIR
	}
	s.rootgen = nd.Vp.Mount().Gen()
	s.nodes.init(nd.Vp)
	s.handles.open = map[uint64]*handle{}
	s.owners.byID = map[uint64]*owner{}
	return nil
}

// String names the type of file system for the host.
func (s *server) String() string { return "rumpvfs" }

// do runs a request: f, as a call with the credentials of who makes it.
func (s *server) do(name string, h *fuse.InHeader, f func(l *kern.Lwp) error) fuse.Status {
	return s.doAs(name, s.creds.of(h), f)
}

func (s *server) doAs(name string, cred *kern.Cred, f func(l *kern.Lwp) error) fuse.Status {
	s.requests.Add(1)
	p := s.lwp()
	err := p.Call(name, cred, f)
	s.mu.Lock()
	s.idle = append(s.idle, p)
	s.mu.Unlock()
	return s.status(err)
}

// lwp takes an lwp that is in no call.
func (s *server) lwp() *sim.Proc {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.idle)
	if n == 0 {
		return s.proc.Newlwp()
	}
	p := s.idle[n-1]
	s.idle = s.idle[:n-1]
	return p
}

// status is how the host is told of err. A kernel that has stopped is told of
// in the log, once, and answers EIO.
func (s *server) status(err error) fuse.Status {
	if err == nil {
		return fuse.OK
	}
	e, ok := err.(kern.Errno)
	if !ok {
		s.stopped.Do(func() { s.log.Printf("rumpvfs: the kernel has stopped, all requests are answered with EIO: %v", err) })
		return fuse.EIO
	}
	if e == kern.ESRCH { // no call on a file gives it: the process, or the kernel, is gone
		return fuse.EIO
	}
	return fuse.Status(hostErrno(e))
}

// OnUnmount gives up what the host has not: nobody asks any more.
func (s *server) OnUnmount() {
	// A kernel that has stopped holds nothing that is worth anything.
	_ = s.proc.Call("unmount", nil, func(l *kern.Lwp) error {
		for _, h := range s.handles.takeAll() {
			_ = h.close(l)
		}
		for _, vp := range s.nodes.forgetAll() {
			vp.Rele(l)
		}
		return nil
	})
	s.owners.exitAll()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.idle {
		p.Releaselwp()
	}
	s.idle = nil
	_ = s.proc.Exit()
}

// Forget takes back that the host knows a file.
func (s *server) Forget(id, n uint64) {
	vp := s.nodes.forget(id, n)
	if vp == nil {
		return
	}
	s.doAs("forget", nil, func(l *kern.Lwp) error {
		vp.Rele(l)
		return nil
	})
}

// StatFs tells how much room there is.
func (s *server) StatFs(_ <-chan struct{}, in *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	return s.do("statvfs", in, func(l *kern.Lwp) error {
		vp, err := s.nodes.get(in.NodeId)
		if err != nil {
			return err
		}
		var sb kern.Statvfs
		if err := vnode.VFS_STATVFS(l, vp.Mount(), &sb); err != nil {
			return err
		}
		*out = fuse.StatfsOut{
			Blocks: sb.Blocks, Bfree: sb.Bfree, Bavail: sb.Bavail, Files: sb.Files, Ffree: sb.Ffree,
			Bsize: uint32(sb.Bsize), Frsize: uint32(sb.Frsize), NameLen: uint32(sb.Namemax),
		}
		return nil
	})
}
