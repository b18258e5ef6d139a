package scenarios

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/vnode"
)

// A process that waits for ever is only found out if it has no second lwp
// that could end the wait. So the processes of these tests make their calls on
// goroutines, each with the one lwp that its process has; and in kernels that
// are deterministic, processes of one lwp are made below the system calls.

// lockedSize is the size of the file that is locked, bytes.
const lockedSize = 8192

// lockers is how many processes lock it.
const lockers = 10

// locked makes the file to lock.
func locked(t *testing.T, p *sim.Proc) (fd int) {
	t.Helper()
	fd = value[int](t)(p.Open("/mnt/locked", kern.O_RDWR|kern.O_CREAT|kern.O_EXCL|kern.O_TRUNC, 0o666))
	ok(t, p.Ftruncate(fd, lockedSize))
	ok(t, p.Fsync(fd))
	return fd
}

// A locker makes n requests at random for ranges of the file.
type locker struct {
	rnd *rand.Rand
	n   int
}

// requests sends them to lock, which waits, and returns the answers.
func (k locker) requests(lock func(*kern.Flock) error) (answers []error) {
	types := []int16{kern.F_RDLCK, kern.F_WRLCK, kern.F_UNLCK}
	for range k.n {
		answers = append(answers, lock(&kern.Flock{
			Start: k.rnd.Int64N(lockedSize), Len: k.rnd.Int64N(lockedSize), Type: types[k.rnd.IntN(len(types))],
		}))
	}
	return answers
}

// deadlocks counts the requests that would have waited for ever. None may have
// another error.
func deadlocks(t *testing.T, answers [lockers][]error) (n int) {
	t.Helper()
	for i, a := range answers {
		for j, err := range a {
			switch err {
			case nil:
			case kern.EDEADLK:
				n++
			default:
				t.Fatalf("process %d, request %d: %v", i, j, err)
			}
		}
	}
	return n
}

// TestRandlock has ten processes lock and unlock ranges at random, waiting for
// each other. Some are told that waiting would be for ever; none waits so, and
// when all have ended no lock is left.
func TestRandlock(t *testing.T) {
	each(t, func(t *testing.T, fs fileSystem) {
		p := fs.mounted(t, sim.Config{}).Init()
		fd := locked(t, p)
		var answers [lockers][]error
		var wg sync.WaitGroup
		for i := range answers {
			q := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFFDG))
			wg.Go(func() {
				answers[i] = locker{rand.New(rand.NewPCG(0, uint64(i))), 500}.requests(func(fl *kern.Flock) error {
					return q.FcntlLock(fd, kern.F_SETLKW, fl)
				})
				answers[i] = append(answers[i], q.Exit())
			})
		}
		wg.Wait()
		t.Logf("%d requests would have waited for ever", deadlocks(t, answers))
		unlocked(t, p, fd)
	})
}

// unlocked wants nobody else to have a lock any more, and closes the file.
func unlocked(t *testing.T, p *sim.Proc, fd int) {
	t.Helper()
	all := kern.Flock{Type: kern.F_WRLCK}
	ok(t, p.FcntlLock(fd, kern.F_GETLK, &all))
	wants(t, "what is locked in the end", all.Type, kern.F_UNLCK)
	ok(t, p.Close(fd))
}

// TestRandlockSchedules is TestRandlock over many schedules, where waiting for
// ever is seen at once.
func TestRandlockSchedules(t *testing.T) {
	each(t, func(t *testing.T, fs fileSystem) {
		n := 0
		for seed := range uint64(10) {
			t.Run(fmt.Sprint("seed", seed), func(t *testing.T) { n += fs.randlock(t, seed) })
		}
		if n == 0 {
			t.Error("no request would ever have waited for ever")
		}
	})
}

func (fs *fileSystem) randlock(t *testing.T, seed uint64) int {
	t.Helper()
	k := fs.mounted(t, sim.Config{Mode: hypercall.Deterministic, Seed: seed})
	fd := locked(t, k.Init())
	l := lwp(t, k)
	vp := fs.lookup(t, l, k, "locked")
	var answers [lockers][]error
	var lwps [lockers]*kern.Lwp
	for i := range lwps {
		proc := kern.NewProc(k.K, kern.RootCred())
		lwps[i] = kern.StartLwp(k.K, proc, fmt.Sprint("locker", i), func(l *kern.Lwp) {
			lock := func(fl *kern.Flock) error { return advlock(l, vp, fl) }
			answers[i] = locker{rand.New(rand.NewPCG(seed, uint64(i))), 100}.requests(lock)
			answers[i] = append(answers[i], lock(&kern.Flock{Type: kern.F_UNLCK}))
		})
	}
	for _, locker := range lwps {
		locker.Join(&l.Thread)
	}
	vp.Rele(l)
	unlocked(t, k.Init(), fd)
	return deadlocks(t, answers)
}

// advlock is F_SETLKW of the lwp's process, below the descriptors.
func advlock(l *kern.Lwp, vp *vnode.Vnode, fl *kern.Flock) error {
	op := kern.F_SETLK
	if fl.Type == kern.F_UNLCK {
		op = kern.F_UNLCK
	}
	return vnode.VOP_ADVLOCK(l, vp, l.Proc, op, fl, kern.F_POSIX|kern.F_WAIT)
}

// lockf locks n bytes from off on, waiting for them, as the library's lockf
// does: from the descriptor's offset.
func lockf(p *sim.Proc, fd int, typ int16, off, n int64) error {
	if _, err := p.Lseek(fd, off, kern.SEEK_SET); err != nil {
		return err
	}
	return p.FcntlLock(fd, kern.F_SETLKW, &kern.Flock{Type: typ, Whence: kern.SEEK_CUR, Len: n})
}

// TestDeadlock has two processes each hold the byte that the other one wants.
// The second to ask is refused; when it gives up its own byte, the first, which
// still waits, has that.
func TestDeadlock(t *testing.T) {
	each(t, func(t *testing.T, fs fileSystem) {
		p := fs.mounted(t, sim.Config{}).Init()
		ok(t, p.Close(locked(t, p)))
		var procs [2]*sim.Proc
		var fds [2]int
		for i := range procs {
			procs[i] = value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFCFDG))
			fds[i] = value[int](t)(procs[i].Open("/mnt/locked", kern.O_RDWR, 0))
			ok(t, lockf(procs[i], fds[i], kern.F_WRLCK, int64(i), 1))
		}
		errs := make(chan error)
		for i, q := range procs {
			go func() {
				err := lockf(q, fds[i], kern.F_WRLCK, int64(1-i), 1)
				_ = lockf(q, fds[i], kern.F_UNLCK, 0, 0)
				errs <- err
			}()
		}
		got := map[error]int{<-errs: 1}
		got[<-errs]++
		if got[nil] != 1 || got[kern.EDEADLK] != 1 {
			t.Errorf("answers %v, want one success and one EDEADLK", got)
		}
		for i, q := range procs {
			ok(t, q.Close(fds[i]))
			ok(t, q.Exit())
		}
	})
}
