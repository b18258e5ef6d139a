package tmpfs_test

import (
	"fmt"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/tmpfs"
)

// renameErrors are what renames may answer while others do the same.
var renameErrors = map[error]bool{nil: true, kern.ENOENT: true, kern.EINVAL: true, kern.ENOTEMPTY: true, kern.EEXIST: true}

// shuffle moves files and directories between a and b, both ways, and directories into
// each other; lwp i of n. What it makes it takes away.
func shuffle(t *testing.T, p *sim.Proc, i, rounds int) {
	check := func(call string, err error) {
		if !renameErrors[err] {
			t.Errorf("lwp %d: %s: %v", i, call, err)
		}
	}
	from, to := "/t/a", "/t/b"
	if i%2 == 1 {
		from, to = to, from
	}
	for r := range rounds {
		check("file", p.Rename(from+"/f", to+"/f"))
		check("directory", p.Rename(from+"/d", to+"/d"))
		check("into it", p.Rename(from+"/x", to+"/d/x"))
		check("out of it", p.Rename(to+"/d/x", to+"/x"))
		check("the whole", p.Rename("/t/a", fmt.Sprintf("/t/b/%d", r%2)))
		check("back", p.Rename(fmt.Sprintf("/t/b/%d", r%2), "/t/a"))
		_, err := p.Stat(from + "/d/../f")
		if err != nil && err != kern.ENOENT {
			t.Errorf("lwp %d: stat: %v", i, err)
		}
	}
}

// Renames in both directions neither wait for each other nor lose anything.
func TestRenameBothWays(t *testing.T) {
	const rounds = 150
	w := newWorld(t, tmpfs.DefaultArgs())
	shuffled(w, rounds)
}

func TestRenameBothWaysInAnyOrder(t *testing.T) {
	for seed := range uint64(20) {
		w := bootWorld(t, sim.Config{Mode: hypercall.Deterministic, Seed: seed}, tmpfs.DefaultArgs())
		shuffled(w, 3)
	}
}

// shuffled lets 4 lwps shuffle, and looks whether all is still there.
func shuffled(w *world, rounds int) {
	w.Helper()
	w.ok(w.p.Chdir("/"))
	for _, dir := range []string{"/t/a", "/t/b", "/t/a/d", "/t/a/x"} {
		w.ok(w.p.Mkdir(dir, 0o755))
	}
	w.write("/t/a/f", "f")
	var lwps []*sim.Lwp
	for i := range 4 {
		lwps = append(lwps, w.p.Go(fmt.Sprint("lwp", i), func(p *sim.Proc) { shuffle(w.T, p, i, rounds) }))
	}
	for _, l := range lwps {
		w.ok(w.p.Join(l))
	}
	files, dirs := 0, 0
	for _, name := range w.tree("/t") {
		if name[len(name)-1] == '/' {
			dirs++
		} else {
			files++
		}
	}
	if files != 1 || dirs != 4 {
		w.Errorf("%d files and %d directories: %q", files, dirs, w.tree("/t"))
	}
}
