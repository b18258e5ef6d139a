package namei

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// remover takes /a/b out of /a, lets its vnode die and puts a new directory
// in its place, over and over.
func (w *world) remover(l *kern.Lwp, times int) {
	for range times {
		a := w.fs.vget(l, w.fs.root.names[0].n)
		lockRetry(l, a)
		d := nodeOf(a)
		old := w.fs.vget(l, d.names[0].n)
		c := w.fs.new(vnode.VDIR)
		c.add("c", w.fs.new(vnode.VREG))
		lockRetry(l, old) // parent before child
		d.remove("b")
		vnode.VOP_UNLOCK(l, old)
		vnode.VOP_UNLOCK(l, a)
		old.Gone(l)
		lockRetry(l, a)
		d.add("b", c)
		a.Put(l)
	}
}

// TestRaceWithRemoval has one lwp walk to /a/b/c, into ".." of /a/b and up
// from there, while another replaces /a/b: under every schedule a walk finds
// what is there or ENOENT, and nothing stays behind.
func TestRaceWithRemoval(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(150) {
		w := newWorldSeed(t, hypercall.Config{Mode: hypercall.Deterministic, Seed: seed}, "/a/\n/a/b/\n/a/b/c")
		w.k.Hooks = &kern.Hooks{Check: true, Points: true}
		var got []string
		walker := kern.StartLwp(w.k, w.l.Proc, "walker", func(l *kern.Lwp) {
			for i := range 6 {
				path := []string{"/a/b/c", "/a/b/..", "/a/b/../../a"}[i%3]
				nd := Acquire(l)
				nd.Init(l, lookup, both, path)
				err := nd.Namei(l)
				if err != nil {
					got = append(got, path+" "+err.(kern.Errno).Name())
				} else {
					got = append(got, path+" found")
					drop(l, nd.Dvp, nd.Vp)
					nd.Vp.Put(l)
				}
				nd.Release(l)
			}
		})
		other := kern.StartLwp(w.k, w.l.Proc, "remover", func(l *kern.Lwp) { w.remover(l, 4) })
		walker.Join(&w.l.Thread)
		other.Join(&w.l.Thread)
		for _, g := range got {
			seen[g]++
			if !strings.HasSuffix(g, " found") && !strings.HasSuffix(g, " ENOENT") {
				t.Fatalf("seed %d: %s", seed, g)
			}
		}
		w.balanced("the race")
	}
	for _, g := range []string{"/a/b/c found", "/a/b/c ENOENT", "/a/b/.. found", "/a/b/.. ENOENT"} {
		if seen[g] == 0 {
			t.Errorf("never seen: %s in %v", g, seen)
		}
	}
}

// TestRaceWithChdir has lwps of one process walk and ask for the working
// directory while another changes it.
func TestRaceWithChdir(t *testing.T) {
	for seed := range uint64(50) {
		w := newWorldSeed(t, hypercall.Config{Mode: hypercall.Deterministic, Seed: seed}, "/a/\n/a/f\n/b/\n/b/f")
		w.k.Hooks = &kern.Hooks{Points: true}
		var paths []string
		lwps := []*kern.Lwp{
			kern.StartLwp(w.k, w.l.Proc, "mover", func(l *kern.Lwp) {
				for _, dir := range []string{"/a", "/b", "/a", "/b"} {
					vp, err := ChdirLookup(l, dir)
					if err != nil {
						panic(err)
					}
					w.cwdi.Chdir(l, vp)
				}
			}),
			kern.StartLwp(w.k, w.l.Proc, "asker", func(l *kern.Lwp) {
				for range 4 {
					path, err := Getcwd(l, 100)
					if err != nil {
						panic(err)
					}
					paths = append(paths, path)
					if vp, err := Simple(l, "f", NSM_FOLLOW_NOEMULROOT); err == nil {
						vp.Rele(l)
					} else if !errors.Is(err, kern.ENOENT) {
						panic(err)
					}
				}
			}),
		}
		for _, l := range lwps {
			l.Join(&w.l.Thread)
		}
		for _, path := range paths {
			if !slices.Contains([]string{"/", "/a", "/b"}, path) {
				t.Fatalf("seed %d: getcwd %s", seed, path)
			}
		}
	}
}

// TestHammer is the race on threads that run at the same time.
func TestHammer(t *testing.T) {
	w := newWorld(t, hypercall.Native, "/a/\n/a/b/\n/a/b/c\n/l -> a/b/../b\n/m/ = fs1\n/m/x")
	failed := make([]error, 4)
	var lwps []*kern.Lwp
	for i := range failed {
		lwps = append(lwps, kern.StartLwp(w.k, w.l.Proc, "walker", func(l *kern.Lwp) {
			for n := range 300 {
				path := []string{"/a/b/c", "/l/..", "/m/../a/b", "/m/x"}[(i+n)%4]
				if vp, err := Simple(l, path, NSM_FOLLOW_NOEMULROOT); err == nil {
					vp.Rele(l)
				} else if err != kern.ENOENT || path == "/m/x" {
					failed[i] = err
				}
			}
		}))
	}
	lwps = append(lwps, kern.StartLwp(w.k, w.l.Proc, "remover", func(l *kern.Lwp) { w.remover(l, 100) }))
	for _, l := range lwps {
		l.Join(&w.l.Thread)
	}
	if err := errors.Join(failed...); err != nil {
		t.Error(err)
	}
	w.balanced("hammering")
}
