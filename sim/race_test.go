package sim_test

import (
	"errors"
	"fmt"
	"hash/fnv"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
)

// TestHammer lets 8 lwps of several processes make all kinds of calls on one
// native kernel at once. Nothing may break, and nothing be left over.
func TestHammer(t *testing.T) {
	few := map[string]string{"RUMP_NVNODES": "32"}
	noPanics := kern.Fixed.With(kern.QuirkRemovedDirCreate).With(kern.QuirkSizeForgotten).With(kern.QuirkDeadFS)
	for seed, c := range []sim.Config{
		{Without: noPanics}, {Without: kern.Rev1125, Params: few}, {Without: kern.Rev1125, Params: few, Mode: hypercall.Checked},
	} {
		k, err := sim.Boot(c)
		if err != nil {
			t.Fatal(err)
		}
		var lwps []*sim.Lwp
		stop := make(chan struct{})
		time.AfterFunc(350*time.Millisecond, func() { close(stop) })
		for i := range 8 {
			p := k.Init()
			if i%4 != 0 { // two lwps are the first process's
				if p, err = p.Rfork(sim.RforkFlags(1 + i%3)); err != nil {
					t.Fatal(err)
				}
			}
			m := &monkey{dice: seeded(uint64(seed*100 + i))}
			body := func(q *sim.Proc) {
				m.p = q
				for more := true; more; {
					m.run(50)
					select {
					case <-stop:
						more = false
					default:
					}
				}
				if q.Getpid() != 1 {
					_ = q.Exit()
				}
			}
			lwps = append(lwps, p.Go(fmt.Sprint("monkey", i), body))
		}
		for _, lwp := range lwps {
			_ = k.Init().Join(lwp) // fails if the kernel has stopped, which is said below
		}
		if err := k.Check(); err != nil {
			t.Error(err)
			if p, ok := err.(*kern.Panic); ok {
				t.Logf("%s", p.Stack)
			}
		}
		if err := k.Shutdown(); err != nil {
			t.Error(err)
		}
	}
}

// TestOneProcManyGoroutines shares a Proc between goroutines: each call gets
// an lwp.
func TestOneProcManyGoroutines(t *testing.T) {
	k := boot(t, sim.Config{})
	p := k.Init()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			m := &monkey{p: p, dice: seeded(uint64(i))}
			m.run(300)
		}()
	}
	wg.Wait()
	if err := k.Err(); err != nil {
		t.Fatal(err)
	}
}

// TestThousandKernels runs a thousand kernels in one program, side by side.
func TestThousandKernels(t *testing.T) {
	const n = 1000
	kernels := make([]*sim.Kernel, n)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := w; i < n; i += 8 {
				k, err := sim.Boot(sim.Config{})
				if err != nil {
					t.Error(err)
					return
				}
				kernels[i] = k
				(&monkey{p: k.Init(), dice: seeded(uint64(i))}).run(30)
				if err := k.Init().Mkdir(fmt.Sprint("/only", i), 0o755); err != nil && i%50 == 0 {
					t.Log(err) // the monkey may have lost its privileges
				}
			}
		}()
	}
	wg.Wait()
	for i, k := range kernels {
		if _, err := k.Init().Stat(fmt.Sprint("/only", (i+1)%n)); err != kern.ENOENT && err != kern.EACCES {
			t.Errorf("kernel %d sees a name of its neighbour: %v", i, err)
		}
		if err := k.Shutdown(); err != nil {
			t.Errorf("kernel %d: %v", i, err)
		}
	}
}

// recorder is a sink that digests the events of a kernel.
type recorder struct {
	text []string
	keep bool
	n    int
	hash interface {
		Write([]byte) (int, error)
		Sum64() uint64
	}
}

func newRecorder() *recorder { return &recorder{hash: fnv.New64a()} }

func (r *recorder) Event(l *kern.Lwp, e *kern.Event) {
	r.n++
	line := fmt.Sprintf("%s %d %s %d %s %v", l.Name(), e.Kind, e.Name, e.Depth, e.Text, e.Err)
	if r.keep {
		r.text = append(r.text, line)
	}
	_, _ = r.hash.Write([]byte(line))
}

// crowd runs lwps monkeys, each n calls, on a deterministic kernel and
// returns what the calls returned. The kernel must be clean in the end.
func crowd(t *testing.T, c sim.Config, seed uint64, lwps, n int, of []deed) string {
	t.Helper()
	c.Mode = hypercall.Deterministic
	c.Seed = seed
	c.CheckLocks = true
	k, err := sim.Boot(c)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	p := k.Init()
	var all []*sim.Lwp
	for i := range lwps {
		child, err := p.Rfork(sim.RUMP_RFFDG)
		if err != nil {
			t.Fatal(err)
		}
		m := &monkey{dice: seeded(seed*10 + uint64(i)), waits: true, deeds: of}
		m.log = func(s string) { log.WriteString(s + "\n") }
		all = append(all, child.Go(fmt.Sprint("lwp", i), func(q *sim.Proc) {
			m.p = q
			m.run(n)
			_ = q.Exit()
		}))
	}
	stopped := false
	for _, q := range all {
		err := p.Join(q)
		var panicked *kern.Panic
		if errors.As(err, &panicked) && known(panicked, kern.Rev1125&^c.Without) {
			stopped = true
			break
		}
		if err != nil {
			t.Errorf("seed %d: %v\n%s", seed, err, log.String())
			break
		}
	}
	if !stopped {
		if err := k.Check(); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
	if err := k.Shutdown(); err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
	return log.String()
}

// namesOnly are the calls that find, make and remove names, and wait for each
// other most.
var namesOnly = only("open", "close", "mkdir", "rmdir", "unlink", "symlink", "stat", "lstat", "chdir", "getcwd", "setlkw", "dup2", "rename")

func only(names ...string) (some []deed) {
	for _, d := range deeds {
		for _, name := range names {
			if d.name == name {
				some = append(some, d)
			}
		}
	}
	return some
}

// TestSchedules looks for deadlocks, leaks and broken promises in as many
// interleavings as there is time for.
func TestSchedules(t *testing.T) {
	seeds := uint64(150)
	if testing.Short() {
		seeds = 30
	}
	for seed := range seeds {
		of := deeds
		if seed%4 != 0 {
			of = namesOnly
		}
		c := sim.Config{Params: map[string]string{"RUMP_NVNODES": "8"}}
		if seed%2 != 0 {
			c.Without = kern.Rev1125
		}
		crowd(t, c, seed, 3, 60, of)
		if t.Failed() {
			return
		}
	}
}

// TestDeterminism: the same seed gives the same run, on any number of
// processors; another seed gives another one.
func TestDeterminism(t *testing.T) {
	run := func(seed uint64) (events uint64, calls string) {
		r := newRecorder()
		calls = crowd(t, sim.Config{Hooks: &kern.Hooks{Check: true, Points: true, Sink: r}}, seed, 4, 40, deeds)
		return r.hash.Sum64(), calls
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	events, calls := run(1)
	for i := range 100 {
		runtime.GOMAXPROCS([]int{1, 2, 8}[i%3])
		e, c := run(1)
		if c != calls {
			t.Fatalf("run %d: the calls return something else", i)
		}
		if e != events {
			t.Fatalf("run %d: other events", i)
		}
	}
	differ := 0
	for seed := range uint64(10) {
		if e, _ := run(2 + seed); e != events {
			differ++
		}
	}
	if differ != 10 {
		t.Errorf("%d of 10 other seeds give the same run", 10-differ)
	}
}

// TestSameCallsOtherSchedules: what the lwps do is the same, the seed alone
// decides in which order.
func TestSameCallsOtherSchedules(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(20) {
		k := boot(t, sim.Config{Mode: hypercall.Deterministic, Seed: seed})
		var order strings.Builder
		p := k.Init()
		var all []*sim.Lwp
		for i := range 3 {
			all = append(all, p.Go("walker", func(p *sim.Proc) {
				for range 4 {
					_, _ = p.Stat("/tmp")
					fmt.Fprint(&order, i)
				}
			}))
		}
		for _, q := range all {
			if err := p.Join(q); err != nil {
				t.Fatal(err)
			}
		}
		seen[order.String()] = true
	}
	if len(seen) < 10 {
		t.Errorf("20 seeds give only %d interleavings", len(seen))
	}
}
