package namei

import (
	"fmt"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// cachedLookup is memfsLookup behind the name cache.
func cachedLookup(l *kern.Lwp, dvp *vnode.Vnode, cnp *vnode.Componentname) (*vnode.Vnode, error) {
	if vp, found := CacheLookup(l, dvp, cnp); vp != nil {
		return vp, nil
	} else if found {
		return nil, kern.ENOENT
	}
	vp, err := memfsLookup(l, dvp, cnp)
	if cnp.Flags&vnode.ISDOTDOT == 0 && (err == nil || err == kern.ENOENT) {
		CacheEnter(l, dvp, vp, cnp)
	}
	return vp, err
}

// newCachedWorld boots a kernel with a name cache for at most this many names,
// whose file system uses it.
func newCachedWorld(t testing.TB, c hypercall.Config, names int, tree string) (*world, *Cache) {
	w := newWorldSeed(t, c, tree)
	ops := memfsOps
	ops.Lookup = cachedLookup
	w.fs.ops = &ops
	cache := NewCache(w.sys)
	cache.most = names
	w.sys.NameCache = cache
	return w, cache
}

// look looks up one name in dvp, which is locked.
func look(l *kern.Lwp, dvp *vnode.Vnode, op, flags uint32, name string) (*vnode.Vnode, *vnode.Componentname, error) {
	cnp := &vnode.Componentname{Nameiop: op, Flags: flags, Cred: l.Cred, Nameptr: name, Namelen: len(name)}
	vp, err := vnode.VOP_LOOKUP(l, dvp, cnp)
	return vp, cnp, err
}

const last = vnode.ISLASTCN | vnode.MAKEENTRY

// wrong is what Check says.
func wrong(l *kern.Lwp, c *Cache) []string {
	ck := kern.NewCheckup(l, c.Check)
	ck.Begin()
	return ck.End()
}

func (w *world) sound(c *Cache) {
	w.t.Helper()
	if wrong := wrong(w.l, c); wrong != nil {
		w.t.Fatal(strings.Join(wrong, "\n"))
	}
}

// TestCacheLookup is what the cache answers, told by what it counts.
func TestCacheLookup(t *testing.T) {
	long := strings.Repeat("n", vnode.NCHNAMLEN+1)
	w, c := newCachedWorld(t, hypercall.Config{Mode: hypercall.Native}, 100, "/d/\n/d/f\n/d/"+long)
	d := w.vp("/d")
	lockRetry(w.l, d)
	for _, s := range []struct {
		name      string
		op, flags uint32
		want      error
		changed   CacheStats // what has been counted
		len       int        // names in the cache afterwards
	}{
		{"f", lookup, last, nil, CacheStats{Miss: 1}, 1},
		{"f", lookup, last, nil, CacheStats{Goodhits: 1}, 1},
		{"g", lookup, last, kern.ENOENT, CacheStats{Miss: 1}, 2},
		{"g", lookup, last, kern.ENOENT, CacheStats{Neghits: 1}, 2},
		{"g", create, vnode.MAKEENTRY, kern.ENOENT, CacheStats{Neghits: 1}, 2},
		{"g", create, last, kern.EJUSTRETURN, CacheStats{Badhits: 1}, 1},
		{"f", create, last, nil, CacheStats{Goodhits: 1}, 1},
		{"f", remove, vnode.ISLASTCN, nil, CacheStats{Badhits: 1}, 0},
		{"f", lookup, vnode.ISLASTCN, nil, CacheStats{Miss: 1}, 0},
		{long, lookup, last, nil, CacheStats{Long: 1}, 0},
		{".", lookup, last, nil, CacheStats{Miss: 1}, 1},
		{".", lookup, last, nil, CacheStats{Goodhits: 1}, 1},
	} {
		before := c.Stats()
		vp, _, err := look(w.l, d, s.op, s.flags, s.name)
		if vp != nil {
			vp.Rele(w.l)
		}
		after := c.Stats()
		got := CacheStats{
			after.Goodhits - before.Goodhits, after.Neghits - before.Neghits, after.Badhits - before.Badhits, 0,
			after.Miss - before.Miss, after.Long - before.Long, 0, 0,
		}
		if err != s.want || got != s.changed || c.Len(w.l) != s.len {
			t.Errorf("%v: %v, %+v, %d names", s, err, got, c.Len(w.l))
		}
		w.sound(c)
	}
}

// TestCacheWhiteout has a name that does not exist because of a whiteout.
func TestCacheWhiteout(t *testing.T) {
	w, _ := newCachedWorld(t, hypercall.Config{Mode: hypercall.Native}, 100, "/d/")
	d := w.vp("/d")
	lockRetry(w.l, d)
	for _, flags := range []uint32{vnode.ISWHITEOUT, 0} {
		cnp := &vnode.Componentname{Flags: last | flags, Nameptr: "w", Namelen: 1}
		CacheEnter(w.l, d, nil, cnp)
		cnp.Flags = last
		if vp, found := CacheLookup(w.l, d, cnp); vp != nil || !found || cnp.Flags != last|flags {
			t.Errorf("%v %v %#x", vp, found, cnp.Flags)
		}
	}
}

// TestCachePurge forgets names by vnode, by mount, and when a vnode is
// recycled.
func TestCachePurge(t *testing.T) {
	w, c := newCachedWorld(t, hypercall.Config{Mode: hypercall.Native}, 100, "/d/\n/d/e/\n/d/e/f\n/d/g")
	fill := func() {
		for _, path := range []string{"/d/e/f", "/d/g", "/d/none", "/d/e/none"} {
			if err := w.visit(path); err != nil && err != kern.ENOENT {
				t.Fatal(err)
			}
		}
		w.sound(c)
	}
	dvp, e, f := w.vp("/d"), w.vp("/d/e"), w.vp("/d/e/f")
	for _, s := range []struct {
		what  string
		purge func()
		left  int
	}{
		{"nothing", func() {}, 5},
		{"a file", func() { c.Purge(w.l, f) }, 4},
		{"a directory with its parent's name for it", func() { c.Purge(w.l, e) }, 2},
		{"the directory above", func() { c.Purge(w.l, dvp) }, 2},
		{"another mount", func() { c.PurgeVFS(w.l, w.sys.DeadMount) }, 5},
		{"the mount", func() { c.PurgeVFS(w.l, w.fs.mp) }, 0},
		{"recycling", func() { f.Gone(w.l); f = w.vp("/d/e/f") }, 4},
	} {
		fill()
		s.purge()
		w.sound(c)
		if n := c.Len(w.l); n != s.left {
			t.Errorf("purging %s leaves %d names, not %d", s.what, n, s.left)
		}
	}
}

// visit walks along a path.
func (w *world) visit(path string) error {
	nd := Acquire(w.l)
	defer nd.Release(w.l)
	nd.Init(w.l, lookup, follow, path)
	err := nd.Namei(w.l)
	if err == nil {
		nd.Vp.Rele(w.l)
	}
	return err
}

// TestCacheIsBounded enters more names than the cache keeps: it keeps those
// that are asked for.
func TestCacheIsBounded(t *testing.T) {
	w, c := newCachedWorld(t, hypercall.Config{Mode: hypercall.Native}, 20, "/d/\n/d/hot")
	for i := range 200 {
		_ = w.visit("/d/hot")
		before := c.Stats().Goodhits
		if _ = w.visit("/d/hot"); c.Stats().Goodhits == before {
			t.Fatalf("after %d names, the one in use is forgotten", i)
		}
		_ = w.visit(fmt.Sprint("/d/none", i))
		w.sound(c)
	}
	if n := c.Len(w.l); n < 18 || n > 20 {
		t.Errorf("%d names", n)
	}
}

// TestCacheGetcwd goes up by way of the cache: it reads no directory.
func TestCacheGetcwd(t *testing.T) {
	w, c := newCachedWorld(t, hypercall.Config{Mode: hypercall.Native}, 100, "/a/\n/a/b/\n/a/b/c/")
	if err := w.visit("/a/b/./c/."); err != nil {
		t.Fatal(err)
	}
	vp := w.vp("/a/b/c")
	reads := 0
	w.fs.badReaddir = func(*kern.Uio) (bool, error, bool) { reads++; return false, nil, false }
	path := func() string {
		p, err := PathOf(w.l, vp)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	// The root is asked with the operations it was made with, and enters
	// nothing.
	if got := path(); got != "/a/b/c" || reads != 1 || c.Stats().Revhits != 2 {
		t.Errorf("%s, %d reads, %+v", got, reads, c.Stats())
	}
	c.Purge(w.l, vp)
	if got := path(); got != "/a/b/c" || reads != 3 {
		t.Errorf("%s, %d reads", got, reads)
	}
	_ = w.visit("/a/b/c")
	if !VnIsUnder(w.l, vp, w.vp("/a")) || VnIsUnder(w.l, w.vp("/a"), vp) {
		t.Error("what is under what?")
	}
	// Without room for the name the answer is ERANGE either way.
	for range 2 {
		short := newTail(len("/c"))
		if err := getcwdCommon(w.l, vp, w.vp("/a"), short, 10, false); err != kern.ERANGE {
			t.Errorf("%v", err)
		}
		c.Purge(w.l, vp)
	}
	// Who may not search a directory does not learn where it is.
	_ = w.visit("/a/b/c")
	w.at("/a/b/c").deny = vnode.VEXEC
	if _, err := PathOf(w.l, vp); err != kern.EACCES {
		t.Errorf("%v", err)
	}
}

// TestCacheDyingVnodes has the cache asked for a vnode that is about to go:
// it does not wait.
func TestCacheDyingVnodes(t *testing.T) {
	w, c := newCachedWorld(t, hypercall.Config{Mode: hypercall.Deterministic}, 100, "/d/\n/d/f")
	_ = w.visit("/d/f")
	d, f := w.vp("/d"), w.vp("/d/f")
	f.Ref(w.l)
	lockRetry(w.l, f)
	gone := kern.StartLwp(w.k, w.l.Proc, "gone", func(l *kern.Lwp) { f.Gone(l) }) // has the gate, waits for the lock
	for f.Iflag()&vnode.VI_CHANGING == 0 {
		w.l.Point()
	}
	lockRetry(w.l, d)
	cnp := &vnode.Componentname{Flags: last, Nameptr: "f", Namelen: 1}
	if vp, found := CacheLookup(w.l, d, cnp); vp != nil || found || c.Stats().Falsehits != 1 {
		t.Errorf("%v %v %+v", vp, found, c.Stats())
	}
	w.sound(c)
	f.Put(w.l)
	gone.Join(&w.l.Thread)
	CacheEnter(w.l, d, f, cnp) // too late: nobody would purge it
	if vp, found := CacheLookup(w.l, d, cnp); vp != nil || found {
		t.Error("a dead vnode was entered")
	}
	w.sound(c)
}

// TestCacheSchedules has lwps look names up, change the directory, recycle
// vnodes and fill the cache, each in its turn as a seed decides. Whoever has a
// directory locked finds in the cache what the directory has.
func TestCacheSchedules(t *testing.T) {
	var sum CacheStats
	for seed := range uint64(150) {
		w, c := newCachedWorld(t, hypercall.Config{Mode: hypercall.Deterministic, Seed: seed}, 5, "/a/\n/a/b/\n/a/f\n/d/\n/d/x")
		w.k.Hooks = &kern.Hooks{Check: true, Points: true}
		var lwps []*kern.Lwp
		start := func(name string, rounds int, body func(l *kern.Lwp, i int)) {
			lwps = append(lwps, kern.StartLwp(w.k, w.l.Proc, name, func(l *kern.Lwp) {
				for i := range rounds {
					body(l, i)
					if wrong := wrong(l, c); wrong != nil {
						t.Errorf("seed %d: %s: %v", seed, name, wrong)
					}
				}
			}))
		}
		looker := func(dir string) func(*kern.Lwp, int) {
			return func(l *kern.Lwp, i int) {
				d := w.fs.vget(l, w.fs.root.find(dir))
				lockRetry(l, d)
				name := []string{"b", "f", "x", "none", "b", "."}[i%6]
				vp, _, err := look(l, d, lookup, last, name)
				want := nodeOf(d).find(name)
				if name == "." {
					want = nodeOf(d)
				}
				d.Put(l)
				if (vp == nil) != (want == nil) || (vp == nil) != (err == kern.ENOENT) {
					t.Errorf("seed %d: %s in %s: %v, %v", seed, name, dir, vp, err)
				} else if vp != nil {
					vp.Interlock.Enter(l)
					if n, alive := vp.Data.(*node); alive && n != want {
						t.Errorf("seed %d: %s in %s is another", seed, name, dir)
					}
					vp.Interlock.Exit(l)
					vp.Rele(l)
				}
			}
		}
		start("looker", 8, looker("a"))
		start("another", 8, looker("a"))
		start("filler", 8, looker("d"))
		start("changer", 4, func(l *kern.Lwp, i int) {
			a := w.fs.vget(l, w.fs.root.find("a"))
			lockRetry(l, a)
			d, name := nodeOf(a), []string{"b", "f"}[i%2]
			old := w.fs.vget(l, d.find(name))
			d.remove(name)
			c.Purge(l, a)
			d.add(name, w.fs.new(vnode.VDIR))
			a.Put(l)
			old.Gone(l)
		})
		start("recycler", 6, func(l *kern.Lwp, _ int) { _ = w.sys.DrainStep(l) })
		for _, lwp := range lwps {
			lwp.Join(&w.l.Thread)
		}
		w.balanced("the schedule")
		s := c.Stats()
		sum.Goodhits += s.Goodhits
		sum.Neghits += s.Neghits
		sum.Falsehits += s.Falsehits
	}
	if sum.Goodhits == 0 || sum.Neghits == 0 || sum.Falsehits == 0 {
		t.Errorf("not all has happened: %+v", sum)
	}
}

// TestCacheCheckSees breaks the cache in ways that Check is to name.
func TestCacheCheckSees(t *testing.T) {
	for _, s := range []struct {
		name  string
		spoil func(c *Cache, ncp *vnode.Namecache)
		want  string
	}{
		{"forgotten by name", func(c *Cache, ncp *vnode.Namecache) { delete(c.entries, ncp.NameKey) }, "not found by its name"},
		{"off the directory's list", func(_ *Cache, ncp *vnode.Namecache) { ncp.Dvp.Dnclist = nil }, "on the lists"},
		{"off the vnode's list", func(_ *Cache, ncp *vnode.Namecache) { ncp.Vp.Nclist = nil }, "on the lists"},
		{"a broken link", func(_ *Cache, ncp *vnode.Namecache) { ncp.Next[vnode.ByAge] = nil }, "not linked"},
		{"a whiteout that is there", func(_ *Cache, ncp *vnode.Namecache) { ncp.Whiteout = true }, "is a whiteout"},
		{"no directory", func(_ *Cache, ncp *vnode.Namecache) { ncp.Dvp.SetType(vnode.VREG) }, "no directory"},
		{"too many", func(c *Cache, _ *vnode.Namecache) { c.most = 1 }, "more than 1"},
		{"dead", func(_ *Cache, ncp *vnode.Namecache) {
			sys := ncp.Vp.System()
			sys.NameCache = nil // nobody purges
			ncp.Vp.Gone(kern.NewLwp(sys.K, nil, "gone"))
		}, "dead vnode"},
	} {
		w, c := newCachedWorld(t, hypercall.Config{Mode: hypercall.Native}, 100, "/d/\n/d/f\n/d/g")
		f := w.vp("/d/f")
		_ = w.visit("/d/f")
		_ = w.visit("/d/g")
		w.sound(c)
		s.spoil(c, f.Nclist)
		if got := strings.Join(wrong(w.l, c), "\n"); !strings.Contains(got, s.want) {
			t.Errorf("%s: %q", s.name, got)
		}
	}
}

// TestCacheHitAllocatesNothing, nor does entering a name after another was
// dropped.
func TestCacheHitAllocatesNothing(t *testing.T) {
	w, c := newCachedWorld(t, hypercall.Config{Mode: hypercall.Native}, 4, "/d/\n/d/f\n/d/g")
	d, f := w.vp("/d"), w.vp("/d/f")
	lockRetry(w.l, d)
	cnp := &vnode.Componentname{Flags: last, Nameptr: "f", Namelen: 1}
	CacheEnter(w.l, d, f, cnp)
	if n := testing.AllocsPerRun(100, func() {
		vp, _ := CacheLookup(w.l, d, cnp)
		vp.Rele(w.l)
	}); n != 0 {
		t.Errorf("a hit: %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		c.Purge(w.l, f)
		CacheEnter(w.l, d, f, cnp)
	}); n != 0 {
		t.Errorf("purging and entering: %v allocations", n)
	}
}

// BenchmarkCache is what a lookup costs that the cache answers, and one that
// it does not.
func BenchmarkCache(b *testing.B) {
	w, _ := newCachedWorld(b, hypercall.Config{Mode: hypercall.Native}, 1000, "/d/\n/d/f")
	d := w.vp("/d")
	lockRetry(w.l, d)
	CacheEnter(w.l, d, w.vp("/d/f"), &vnode.Componentname{Flags: last, Nameptr: "f", Namelen: 1})
	CacheEnter(w.l, d, nil, &vnode.Componentname{Flags: last, Nameptr: "n", Namelen: 1})
	for _, s := range []struct{ what, name string }{{"hit", "f"}, {"negative hit", "n"}, {"miss", "m"}} {
		b.Run(s.what, func(b *testing.B) {
			b.ReportAllocs()
			cnp := &vnode.Componentname{Flags: last, Nameptr: s.name, Namelen: 1}
			for b.Loop() {
				if vp, _ := CacheLookup(w.l, d, cnp); vp != nil {
					vp.Rele(w.l)
				}
			}
		})
	}
}
