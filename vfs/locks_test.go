package vfs_test

import (
	"fmt"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/sim"
)

// fork makes a process with the same files.
func fork(t *testing.T, p *sim.Proc) *sim.Proc {
	t.Helper()
	q, err := p.Rfork(sim.RUMP_RFFDG)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func openFile(t *testing.T, p *sim.Proc) int {
	t.Helper()
	fd, err := p.Open("/f", kern.O_RDWR|kern.O_CREAT, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

func lock(p *sim.Proc, fd, cmd int, start, n int64) error {
	return p.FcntlLock(fd, cmd, &kern.Flock{Type: kern.F_WRLCK, Start: start, Len: n})
}

// TestWaitForExit: whoever waits for a lock gets it when its owner exits or
// closes the file.
func TestWaitForExit(t *testing.T) {
	seeds(t, 40, func(t *testing.T, c sim.Config) {
		k := boot(t, c)
		p := k.Init()
		fd := openFile(t, p)
		owner := fork(t, p)
		if err := lock(owner, fd, kern.F_SETLK, 0, 0); err != nil {
			t.Fatal(err)
		}
		var got []string
		for i := range 3 {
			fork(t, p).Go("waiter", func(q *sim.Proc) {
				if err := lock(q, fd, kern.F_SETLKW, 0, 0); err != nil {
					t.Error(err)
				}
				got = append(got, fmt.Sprint(i))
				if err := q.Close(fd); err != nil {
					t.Error(err)
				}
			})
		}
		k.Run()
		if len(got) != 0 {
			t.Errorf("%v did not wait", got)
		}
		end := owner.Exit
		if c.Seed%2 == 0 {
			end = func() error { return owner.Close(fd) }
		}
		if err := end(); err != nil {
			t.Error(err)
		}
		k.Run()
		if len(got) != 3 {
			t.Errorf("only %v got the lock", got)
		}
	})
}

// TestSetlkwDeadlock: of two processes that lock two bytes crosswise one is
// told, and when it lets go the other has what it wants.
func TestSetlkwDeadlock(t *testing.T) {
	k := boot(t, sim.Config{})
	p := k.Init()
	fd := openFile(t, p)
	procs := []*sim.Proc{fork(t, p), fork(t, p)}
	for i, q := range procs {
		if err := lock(q, fd, kern.F_SETLK, int64(i), 1); err != nil {
			t.Fatal(err)
		}
	}
	errs := make(chan error, len(procs))
	for i, q := range procs {
		go func() {
			err := lock(q, fd, kern.F_SETLKW, int64(1-i), 1)
			_ = q.Close(fd)
			errs <- err
		}()
	}
	got := map[error]int{<-errs: 1}
	got[<-errs]++
	if got[kern.EDEADLK] != 1 || got[nil] != 1 {
		t.Errorf("errors %v", got)
	}
}

// TestNoDeadlockWithLwpsToSpare: in a process of two lwps one may wait for
// what only the other can end.
func TestNoDeadlockWithLwpsToSpare(t *testing.T) {
	seeds(t, 20, func(t *testing.T, c sim.Config) {
		k := boot(t, c)
		p := k.Init()
		fd := openFile(t, p)
		q := fork(t, p)
		if err := lock(p, fd, kern.F_SETLK, 0, 1); err != nil {
			t.Fatal(err)
		}
		if err := lock(q, fd, kern.F_SETLK, 1, 1); err != nil {
			t.Fatal(err)
		}
		var got []string
		wait := func(p *sim.Proc, start int64) {
			p.Go("waits", func(p *sim.Proc) {
				err := lock(p, fd, kern.F_SETLKW, start, 1)
				got = append(got, fmt.Sprint(start, " ", err))
			})
			k.Run()
		}
		wait(q, 0)
		wait(p, 1) // the circle is closed
		if len(got) != 0 {
			t.Errorf("%v did not wait", got)
		}
		if err := q.FcntlLock(fd, kern.F_SETLK, &kern.Flock{Type: kern.F_UNLCK, Start: 1, Len: 1}); err != nil {
			t.Error(err)
		}
		k.Run()
		if err := p.FcntlLock(fd, kern.F_SETLK, &kern.Flock{Type: kern.F_UNLCK}); err != nil {
			t.Error(err)
		}
		k.Run()
		if strings.Join(got, ", ") != "1 <nil>, 0 <nil>" {
			t.Errorf("got %v", got)
		}
	})
}

// TestCloseWhileWaiting: a descriptor on which an lwp waits for a lock is
// closed when it has got it.
func TestCloseWhileWaiting(t *testing.T) {
	seeds(t, 20, func(t *testing.T, c sim.Config) {
		k := boot(t, c)
		p := k.Init()
		owner := fork(t, p)
		fd, theirs := openFile(t, p), openFile(t, owner)
		if err := lock(owner, theirs, kern.F_SETLK, 0, 0); err != nil {
			t.Fatal(err)
		}
		var done []string
		p.Go("waits", func(q *sim.Proc) {
			done = append(done, fmt.Sprint("lock ", lock(q, fd, kern.F_SETLKW, 0, 1)))
		})
		k.Run()
		p.Go("closes", func(q *sim.Proc) {
			done = append(done, fmt.Sprint("close ", q.Close(fd)))
		})
		k.Run()
		if len(done) != 0 {
			t.Errorf("%v is done", done)
		}
		if _, err := p.Fstat(fd); err != kern.EBADF {
			t.Errorf("half closed: %v", err)
		}
		if err := owner.Close(theirs); err != nil {
			t.Error(err)
		}
		k.Run()
		if len(done) != 2 || strings.Join(done, ", ") != "lock <nil>, close <nil>" && strings.Join(done, ", ") != "close <nil>, lock <nil>" {
			t.Errorf("done: %v", done)
		}
		// The lock went with the descriptor.
		fl := kern.Flock{Type: kern.F_WRLCK}
		if err := owner.FcntlLock(openFile(t, owner), kern.F_GETLK, &fl); err != nil || fl.Type != kern.F_UNLCK {
			t.Errorf("left: %+v, %v", fl, err)
		}
	})
}
