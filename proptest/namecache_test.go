package proptest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/gen"
	"rumpvfs/proptest/target"
	"rumpvfs/sim"
	"rumpvfs/tmpfs"
)

// onTmpfs boots a kernel whose first process has a tmpfs for its root. With few vnodes wanted, name cache and free list are
// always full.
func onTmpfs(nvnodes string, cache bool) (*target.Kernel, error) {
	c := sim.Config{Stepped: true, NoNameCache: !cache, Params: map[string]string{"RUMP_NVNODES": nvnodes}}
	return target.New(c, func(p *sim.Proc) error {
		if err := p.Mount(tmpfs.MOUNT_TMPFS, "/tmp", 0, tmpfs.DefaultArgs()); err != nil {
			return err
		}
		if err := p.Chroot("/tmp"); err != nil {
			return err
		}
		return p.Chdir("/")
	})
}

// noGen is a system whose files have no generation numbers, for these are random.
type noGen struct{ call.System }

func (s noGen) Do(c *call.Call, r *call.Result) {
	s.System.Do(c, r)
	r.File.Gen = 0
}

// A recycler is a kernel whose unused vnodes are recycled now and then before a call, and whose name cache must be in order
// after each.
type recycler struct {
	*target.Kernel
	rnd   *rand.Rand
	stats namei.CacheStats // of the kernels that were reset
}

func (k *recycler) Reset() error {
	s := k.Sim.Names.Stats()
	k.stats.Goodhits += s.Goodhits
	k.stats.Neghits += s.Neghits
	k.stats.Badhits += s.Badhits
	k.stats.Revhits += s.Revhits
	k.stats.Long += s.Long
	k.rnd = rand.New(rand.NewPCG(1, 2))
	return k.Kernel.Reset()
}

func (k *recycler) Do(c *call.Call, r *call.Result) {
	l := kern.NewLwp(k.Sim.K, nil, "recycler")
	if k.rnd.IntN(4) == 0 {
		for n := k.rnd.IntN(6); n > 0 && k.Sim.V.DrainStep(l) == nil; n-- {
		}
	}
	noGen{k.Kernel}.Do(c, r)
	if r.Stop == call.Running {
		if err := k.Sim.Check(); err != nil {
			r.Stop = call.Broken
			r.Data = fmt.Append(nil, err)
		}
	}
	l.Exit()
}

// aboutNames are the calls that the name cache has most to do with.
var aboutNames = []call.Op{call.Mkdir, call.Rmdir, call.Rename, call.Unlink, call.Symlink, call.Open, call.Chdir, call.Fchdir,
	call.Getcwd, call.Stat, call.Utimes, call.Times, call.Chmod, call.Seteuid}

// allBut are the calls that are not on the list, or nothing if there is none.
func allBut(list ...call.Op) (rest []call.Op) {
	if list == nil {
		return []call.Op{call.Flock}
	}
	for op := call.None + 1; op < call.NumOps; op++ {
		if !slices.Contains(list, op) {
			rest = append(rest, op)
		}
	}
	return rest
}

// TestNameCacheShowsInNothing makes random calls on a tmpfs with the name cache, whose vnodes may be recycled at any time,
// and on one without: they answer the same.
func TestNameCacheShowsInNothing(t *testing.T) {
	for _, nvnodes := range []string{"1", "12", "1000"} {
		t.Run(nvnodes, func(t *testing.T) {
			t.Parallel()
			with, err := onTmpfs(nvnodes, true)
			if err != nil {
				t.Fatal(err)
			}
			k := &recycler{Kernel: with, rnd: rand.New(rand.NewPCG(1, 2))}
			without, err := onTmpfs(nvnodes, false)
			if err != nil {
				t.Fatal(err)
			}
			plain := noGen{without}
			src := gen.NewRand(seedFrom(), uint64(len(nvnodes)))
			gens := []*gen.Gen{gen.New(src, gen.Config{Leave: allBut()}), gen.New(src, gen.Config{Leave: allBut(aboutNames...)})}
			var ra, rb call.Result
			for total, i := 0, 0; total < callsFrom(20000); i++ {
				g := gens[i%2]
				g.Begin()
				if k.Reset() != nil || plain.Reset() != nil {
					t.Fatal("no reset")
				}
				var calls []call.Call
				for range g.Length() {
					var c call.Call
					g.Next(&c)
					calls = append(calls, c)
					k.Do(&c, &ra)
					plain.Do(&c, &rb)
					if !ra.Equal(&rb) {
						t.Fatalf("with the name cache and without:\n%s", minimal(t, plain, k, calls))
					}
					g.Note(&c, &ra)
					if ra.Stop != call.Running {
						break
					}
				}
				total += len(calls)
			}
			if err := without.Close(); err != nil {
				t.Error(err)
			}
			if err := k.Reset(); err != nil {
				t.Error(err)
			}
			s := k.stats
			all := s.Goodhits > 0 && s.Neghits > 0 && s.Badhits > 0 && s.Revhits > 0 && s.Long > 0
			if !all && nvnodes != "1" && !testing.Short() {
				t.Errorf("not all was tried: %+v", s)
			}
		})
	}
}
