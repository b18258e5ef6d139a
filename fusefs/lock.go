//go:build linux

package fusefs

import (
	"math"
	"sync"
	"syscall"

	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/vnode"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// owner is who holds byte-range locks: to the host a process (or rather, its
// table of open files), to the kernel a process of the server's.
type owner struct {
	id    uint64
	proc  *sim.Proc
	pid   uint32          // of the host
	files map[uint64]bool // nodes that it may have locks on
	calls int             // requests that use it
}

// owners are the owners of byte-range locks there are.
type owners struct {
	mu   sync.Mutex
	byID map[uint64]*owner
}

// get returns the owner with a number, made if there is none, for the caller
// to use until put. file is one that it will have locks on, pid what F_GETLK
// shall say.
func (t *owners) get(s *server, id, file uint64, pid uint32) (*owner, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.byID[id]
	if o == nil {
		proc, err := s.proc.Rfork(sim.RUMP_RFCFDG)
		if err != nil {
			return nil, err
		}
		o = &owner{id: id, proc: proc, files: map[uint64]bool{}}
		t.byID[id] = o
	}
	o.pid = pid
	o.files[file] = true
	o.calls++
	return o, nil
}

// find returns the owner with a number if it may have locks on a file, for the
// caller to use until put; nil if not.
func (t *owners) find(id, file uint64) *owner {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.byID[id]
	if o == nil || !o.files[file] {
		return nil
	}
	o.calls++
	return o
}

// put ends the use of o. With unlocked set it has no locks on file any more;
// when it has none at all it goes.
func (t *owners) put(o *owner, file uint64, unlocked bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o.calls--
	if unlocked && o.calls == 0 {
		delete(o.files, file)
	}
	if o.calls == 0 && len(o.files) == 0 {
		delete(t.byID, o.id)
		_ = o.proc.Exit()
	}
}

// hostPid is the number that the host has for the owner of a lock with the
// number pid here; 0 if it is none of the host's.
func (t *owners) hostPid(pid int32) uint32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range t.byID {
		if int32(o.proc.Getpid()) == pid {
			return o.pid
		}
	}
	return 0
}

// exitAll ends all owners.
func (t *owners) exitAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range t.byID {
		_ = o.proc.Exit()
	}
	clear(t.byID)
}

func (t *owners) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byID)
}

// hostEOF is the end of a lock that reaches to the end of the file.
const hostEOF = math.MaxInt64

// flockOf converts a lock from how the host describes it.
func flockOf(lk *fuse.FileLock) kern.Flock {
	fl := kern.Flock{Start: int64(lk.Start), Whence: kern.SEEK_SET}
	if lk.End < hostEOF {
		fl.Len = int64(lk.End - lk.Start + 1)
	}
	switch lk.Typ {
	case syscall.F_RDLCK:
		fl.Type = kern.F_RDLCK
	case syscall.F_WRLCK:
		fl.Type = kern.F_WRLCK
	case syscall.F_UNLCK:
		fl.Type = kern.F_UNLCK
	}
	return fl
}

// GetLk tells of a lock that stands in the way of another.
func (s *server) GetLk(_ <-chan struct{}, in *fuse.LkIn, out *fuse.LkOut) fuse.Status {
	h, err := s.handles.get(in.Fh)
	if err != nil {
		return s.status(err)
	}
	o, err := s.owners.get(s, in.Owner, in.NodeId, in.Lk.Pid)
	if err != nil {
		return s.status(err)
	}
	defer s.owners.put(o, in.NodeId, false)
	fl := flockOf(&in.Lk)
	err = o.proc.Call("fcntl", s.creds.of(&in.InHeader), func(l *kern.Lwp) error {
		return vnode.VOP_ADVLOCK(l, h.vp, l.Proc, kern.F_GETLK, &fl, kern.F_POSIX)
	})
	if err != nil {
		return s.status(err)
	}
	out.Lk = fuse.FileLock{Typ: syscall.F_UNLCK}
	if fl.Type != kern.F_UNLCK {
		out.Lk = s.fileLock(&fl)
	}
	return fuse.OK
}

// fileLock converts a lock to how the host describes it.
func (s *server) fileLock(fl *kern.Flock) fuse.FileLock {
	lk := fuse.FileLock{Start: uint64(fl.Start), End: hostEOF, Typ: syscall.F_RDLCK}
	if fl.Len != 0 {
		lk.End = uint64(fl.Start + fl.Len - 1)
	}
	if fl.Type == kern.F_WRLCK {
		lk.Typ = syscall.F_WRLCK
	}
	if fl.Pid > 0 {
		lk.Pid = s.owners.hostPid(fl.Pid)
	}
	return lk
}

// SetLk sets or releases a lock, or says that it would have to wait.
func (s *server) SetLk(cancel <-chan struct{}, in *fuse.LkIn) fuse.Status {
	return s.setlk(cancel, in, 0)
}

// SetLkw is SetLk, and waits.
func (s *server) SetLkw(cancel <-chan struct{}, in *fuse.LkIn) fuse.Status {
	return s.setlk(cancel, in, kern.F_WAIT)
}

func (s *server) setlk(cancel <-chan struct{}, in *fuse.LkIn, how int) fuse.Status {
	h, err := s.handles.get(in.Fh)
	if err != nil {
		return s.status(err)
	}
	fl := flockOf(&in.Lk)
	op := kern.F_SETLK
	if fl.Type == kern.F_UNLCK {
		op = kern.F_UNLCK
	}
	if in.LkFlags&fuse.LK_FLOCK != 0 {
		return s.doAs("flock", s.creds.of(&in.InHeader), func(l *kern.Lwp) error {
			if how&kern.F_WAIT != 0 {
				defer s.interruptible(l, cancel)()
			}
			return vnode.VOP_ADVLOCK(l, h.vp, h, op, &fl, how|kern.F_FLOCK)
		})
	}
	o, err := s.owners.get(s, in.Owner, in.NodeId, in.Lk.Pid)
	if err != nil {
		return s.status(err)
	}
	err = o.proc.Call("fcntl", s.creds.of(&in.InHeader), func(l *kern.Lwp) error {
		if how&kern.F_WAIT != 0 {
			defer s.interruptible(l, cancel)()
		}
		return vnode.VOP_ADVLOCK(l, h.vp, l.Proc, op, &fl, how|kern.F_POSIX)
	})
	s.owners.put(o, in.NodeId, op == kern.F_UNLCK && fl.Start == 0 && fl.Len == 0)
	return s.status(err)
}

// Flush is told that a program closes a descriptor of a file: its byte-range
// locks on the file go, as POSIX has it.
func (s *server) Flush(_ <-chan struct{}, in *fuse.FlushIn) fuse.Status {
	h, err := s.handles.get(in.Fh)
	if err != nil {
		return s.status(err)
	}
	s.requests.Add(1)
	o := s.owners.find(in.LockOwner, in.NodeId)
	if o == nil {
		return fuse.OK
	}
	err = o.proc.Call("close", nil, func(l *kern.Lwp) error {
		fl := kern.Flock{Type: kern.F_UNLCK, Whence: kern.SEEK_SET}
		return vnode.VOP_ADVLOCK(l, h.vp, l.Proc, kern.F_UNLCK, &fl, kern.F_POSIX)
	})
	s.owners.put(o, in.NodeId, true)
	return s.status(err)
}

// interruptible lets the host interrupt l, by closing cancel, until the
// function that it returns was called.
func (s *server) interruptible(l *kern.Lwp, cancel <-chan struct{}) (end func()) {
	done := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		select {
		case <-cancel:
			s.doAs("kill", nil, func(by *kern.Lwp) error {
				l.Interrupt(by)
				return nil
			})
		case <-done:
		}
	})
	return func() {
		close(done)
		watcher.Wait()
		l.ClearInterrupt()
	}
}
