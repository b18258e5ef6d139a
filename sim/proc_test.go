package sim_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
)

// TestRfork shows what a child shares with its parent.
func TestRfork(t *testing.T) {
	k := boot(t, sim.Config{})
	p := k.Init()
	wants(t, "process 1", p.Getpid(), 1)
	wants(t, "its kernel", p.Kernel(), k)
	fd := create(t, p, "/f", "0123456789")
	ok(t, p.Mkdir("/d", 0o755))
	ok(t, p.Chdir("/d"))
	value[int](t)(p.Fcntl(fd, kern.F_SETFD, kern.FD_CLOEXEC))

	copied := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFFDG))
	empty := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFCFDG))
	shared := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFSHFD))
	for i, c := range []*sim.Proc{copied, empty, shared} {
		wants(t, "pid", c.Getpid(), 2+i)
		wants(t, "cwd", value[string](t)(c.Getcwd()), "/d")
	}
	_, err := p.Rfork(0)
	check(t, "no such flags", err, kern.EINVAL)
	wants(t, "processes", len(k.Procs()), 4)

	// A copied descriptor shares the open file, not the descriptor.
	value[int64](t)(p.Lseek(fd, 4, kern.SEEK_SET))
	wants(t, "offset", value[int64](t)(copied.Lseek(fd, 0, kern.SEEK_CUR)), 4)
	wants(t, "close on exec", value[int](t)(copied.Fcntl(fd, kern.F_GETFD, 0)), kern.FD_CLOEXEC)
	ok(t, copied.Close(fd))
	_, err = p.Fstat(fd)
	check(t, "closed in the copy only", err, nil)

	_, err = empty.Fstat(0)
	check(t, "not even a console", err, kern.EBADF)
	wants(t, "the lowest", value[int](t)(empty.Open("/f", kern.O_RDONLY, 0)), 0)

	extra := value[int](t)(shared.Dup(fd))
	_, err = p.Fstat(extra)
	check(t, "a shared table", err, nil)
	ok(t, shared.Exit())
	_, err = p.Fstat(extra)
	check(t, "stays with the other", err, nil)

	// The working directory and the credentials are the child's own.
	ok(t, copied.Chdir("/"))
	wants(t, "cwd", value[string](t)(p.Getcwd()), "/d")
	ok(t, copied.Setuid(7))
	wants(t, "credentials", p.Cred().UID, 0)
	grandchild := value[*sim.Proc](t)(copied.Rfork(sim.RUMP_RFFDG))
	wants(t, "inherited", grandchild.Cred().EUID, 7)
	wants(t, "no pid is used again", grandchild.Getpid(), 5)
}

// TestLargeTableCopied copies a table that has grown.
func TestLargeTableCopied(t *testing.T) {
	p := boot(t, sim.Config{}).Init()
	value[int](t)(p.Dup2(0, 100))
	child := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFFDG))
	wants(t, "F_MAXFD", value[int](t)(child.Fcntl(0, kern.F_MAXFD, 0)), 100)
	_, err := child.Fstat(100)
	check(t, "fstat", err, nil)
}

func TestExit(t *testing.T) {
	k := boot(t, sim.Config{})
	p := k.Init()
	child := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFCFDG))
	fd := create(t, child, "/f", "")
	ok(t, child.FcntlLock(fd, kern.F_SETLK, &kern.Flock{Type: kern.F_WRLCK}))
	mine := value[int](t)(p.Open("/f", kern.O_RDWR, 0))
	check(t, "held", p.FcntlLock(mine, kern.F_SETLK, &kern.Flock{Type: kern.F_WRLCK}), kern.EAGAIN)
	ok(t, child.Exit())
	check(t, "released by exit", p.FcntlLock(mine, kern.F_SETLK, &kern.Flock{Type: kern.F_WRLCK}), nil)
	wants(t, "processes", len(k.Procs()), 1)
	check(t, "exit", child.Exit(), kern.ESRCH)
	_, err := child.Stat("/")
	check(t, "stat", err, kern.ESRCH)
	_, err = child.Open("/", kern.O_RDONLY, 0)
	check(t, "open", err, kern.ESRCH)
	_, err = child.Rfork(sim.RUMP_RFFDG)
	check(t, "rfork", err, kern.ESRCH)
}

// TestExitWakes: who waits for a lock gets it when the holder exits, and the
// waits of others end in the order of their coming.
func TestExitWakes(t *testing.T) {
	k := boot(t, sim.Config{Mode: hypercall.Deterministic, Pick: func(int) int { return 0 }})
	p := k.Init()
	holder := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFCFDG))
	fd := create(t, holder, "/f", "")
	ok(t, holder.FcntlLock(fd, kern.F_SETLKW, &kern.Flock{Type: kern.F_WRLCK}))
	var order []int
	var all []*sim.Lwp
	for i := range 3 {
		q := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFCFDG))
		all = append(all, q.Go("waiter", func(q *sim.Proc) {
			fd, _ := q.Open("/f", kern.O_RDWR, 0)
			check(t, "F_SETLKW", q.FcntlLock(fd, kern.F_SETLKW, &kern.Flock{Type: kern.F_WRLCK}), nil)
			order = append(order, i)
			check(t, "exit", q.Exit(), nil)
		}))
	}
	k.Run()
	wants(t, "all wait", len(order), 0)
	ok(t, holder.Exit())
	for _, q := range all {
		ok(t, p.Join(q))
	}
	wants(t, "in order", fmt.Sprint(order), "[0 1 2]")
}

// TestExitOfBusyProcess: the last lwp to leave the kernel turns off the light.
func TestExitOfBusyProcess(t *testing.T) {
	k := boot(t, sim.Config{Mode: hypercall.Deterministic})
	p := k.Init()
	holder := create(t, p, "/f", "")
	ok(t, p.FcntlLock(holder, kern.F_SETLK, &kern.Flock{Type: kern.F_WRLCK}))
	child := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFCFDG))
	var got, later error
	lwp := child.Go("sleeper", func(q *sim.Proc) {
		fd, _ := q.Open("/f", kern.O_RDWR, 0)
		got = q.FcntlLock(fd, kern.F_SETLKW, &kern.Flock{Type: kern.F_WRLCK})
		_, later = q.Fstat(fd)
	})
	k.Run()
	ok(t, child.Exit())
	wants(t, "still there", len(k.Procs()), 2)
	ok(t, p.Close(holder))
	ok(t, p.Join(lwp))
	check(t, "the call in progress", got, nil)
	check(t, "the next", later, kern.ESRCH)
	wants(t, "gone", len(k.Procs()), 1)
	// Its lock went with it.
	fd := value[int](t)(p.Open("/f", kern.O_RDWR, 0))
	check(t, "F_SETLK", p.FcntlLock(fd, kern.F_SETLK, &kern.Flock{Type: kern.F_WRLCK}), nil)
}

// TestDeadlock: two processes that want each other's lock.
func TestDeadlock(t *testing.T) {
	k := boot(t, sim.Config{Mode: hypercall.Deterministic, Seed: 3})
	p := k.Init()
	a, b := create(t, p, "/a", ""), create(t, p, "/b", "")
	var errs []error
	var all []*sim.Lwp
	for _, order := range [][2]int{{a, b}, {b, a}} {
		q := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFFDG))
		all = append(all, q.Go("philosopher", func(q *sim.Proc) {
			for _, fd := range order {
				errs = append(errs, q.FcntlLock(fd, kern.F_SETLKW, &kern.Flock{Type: kern.F_WRLCK}))
			}
			_ = q.Exit()
		}))
	}
	for _, q := range all {
		ok(t, p.Join(q))
	}
	n := 0
	for _, err := range errs {
		if err == kern.EDEADLK {
			n++
		}
	}
	if n > 1 || len(errs) != 4 {
		t.Errorf("locks answer %v", errs)
	}
}

// TestBlocked: a wait that can never end stops the kernel.
func TestBlocked(t *testing.T) {
	k := boot(t, sim.Config{Mode: hypercall.Deterministic})
	p := k.Init()
	ok(t, p.Flock(create(t, p, "/f", ""), kern.LOCK_EX))
	_, err := p.Open("/f", kern.O_RDONLY|kern.O_EXLOCK, 0)
	var b hypercall.Blocked
	if !errors.As(err, &b) || len(b.Waiting) != 1 || !strings.Contains(b.Waiting[0], "lockf") {
		t.Fatalf("open: %v, want a wait for lockf", err)
	}
	_, again := p.Stat("/")
	wants(t, "later calls", again.Error(), err.Error())
	wants(t, "Err", k.Err().Error(), err.Error())
}

// TestJoinBlocked: lwps that wait for each other are named.
func TestJoinBlocked(t *testing.T) {
	k := boot(t, sim.Config{Mode: hypercall.Deterministic})
	p := k.Init()
	fd := create(t, p, "/f", "")
	ok(t, p.Flock(fd, kern.LOCK_EX))
	lwp := p.Go("stuck", func(p *sim.Proc) {
		fd, _ := p.Open("/f", kern.O_RDONLY, 0)
		_ = p.Flock(fd, kern.LOCK_SH)
	})
	err := p.Join(lwp)
	var b hypercall.Blocked
	if !errors.As(err, &b) || !strings.Contains(err.Error(), "stuck: lockf") {
		t.Fatalf("join: %v", err)
	}
}

// TestDup2HalfOpen: dup2 to a descriptor that another lwp is about to open
// waits for it, and for ever if need be.
func TestDup2HalfOpen(t *testing.T) {
	for _, released := range []bool{true, false} {
		k := boot(t, sim.Config{Mode: hypercall.Deterministic})
		p := k.Init()
		fd := create(t, p, "/f", "")
		ok(t, p.Flock(fd, kern.LOCK_EX))
		opened := -1
		p.Go("opener", func(p *sim.Proc) { opened, _ = p.Open("/f", kern.O_RDONLY|kern.O_SHLOCK, 0) })
		k.Run()
		wants(t, "waits", opened, -1)
		if released {
			q := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFSHFD))
			q.Go("releaser", func(q *sim.Proc) { _ = q.Flock(fd, kern.LOCK_UN) })
		}
		_, err := p.Dup2(0, fd+1)
		if released {
			check(t, "dup2", err, nil)
			wants(t, "opened before", opened, fd+1)
			wants(t, "and replaced", value[kern.Stat](t)(p.Fstat(fd+1)).Mode, kern.S_IFCHR|0o600)
		} else if !errors.As(err, &hypercall.Blocked{}) {
			t.Errorf("dup2: %v, want to be blocked", err)
		}
	}
}

// TestSharedProc lets two goroutines wait in the same process.
func TestSharedProc(t *testing.T) {
	k := boot(t, sim.Config{})
	p := k.Init()
	fd := create(t, p, "/f", "")
	other := value[int](t)(p.Open("/f", kern.O_RDWR, 0))
	ok(t, p.Flock(fd, kern.LOCK_EX))
	done := make(chan error)
	go func() { done <- p.Flock(other, kern.LOCK_EX) }()
	time.Sleep(time.Millisecond)
	value[kern.Stat](t)(p.Stat("/")) // while the other sleeps in the kernel
	ok(t, p.Flock(fd, kern.LOCK_UN))
	ok(t, <-done)
}

// TestPanicEverywhere: one lwp's panic ends the sleep of the others.
func TestPanicEverywhere(t *testing.T) {
	k := boot(t, sim.Config{})
	p := k.Init()
	fifo := mkfifo(t, p)
	fd := create(t, p, "/f", "")
	ok(t, p.Flock(fd, kern.LOCK_EX))
	var begun, wg sync.WaitGroup
	var errs [4]error
	for i := range errs {
		q := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFCFDG))
		begun.Add(1)
		wg.Add(1)
		q.Go("sleeper", func(q *sim.Proc) {
			begun.Done()
			defer wg.Done()
			_, errs[i] = q.Open("/f", kern.O_RDONLY|kern.O_SHLOCK, 0)
		})
	}
	begun.Wait()                 // an lwp that has not begun when the kernel stops never does
	time.Sleep(time.Millisecond) // by then most are asleep; who is not hears of the panic as well
	_, err := p.Write(fifo, []byte("x"))
	wg.Wait()
	for _, e := range errs {
		if e != err {
			t.Errorf("open: %v, want %v", e, err)
		}
	}
}

func mkfifo(t testing.TB, p *sim.Proc) (fd int) {
	t.Helper()
	ok(t, p.Mkfifo("/fifo", 0o666))
	return value[int](t)(p.Open("/fifo", kern.O_RDWR, 0))
}

// TestRunawayLwps: Shutdown ends lwps that do not care what their calls say.
func TestRunawayLwps(t *testing.T) {
	k, err := sim.Boot(sim.Config{})
	ok(t, err)
	p := k.Init()
	started := make(chan bool)
	ended := false
	p.Go("runaway", func(p *sim.Proc) {
		defer func() { ended = true }()
		started <- true
		for {
			_, _ = p.Stat("/")
		}
	})
	<-started
	if err := k.Shutdown(); err == nil || !strings.Contains(err.Error(), "runaway") {
		t.Errorf("shutdown: %v, want it to name the lwp", err)
	}
	wants(t, "deferred functions run", ended, true)
}
