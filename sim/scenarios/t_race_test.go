package scenarios

import (
	"fmt"
	"slices"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
)

// A racer makes calls over and over and says which answers it may get.
type racer struct {
	name string
	call func(p *sim.Proc) error
	may  []error
}

// race runs every racer in an lwp of its own, all of one process that stands
// in /mnt, and returns how often each answer came to whom.
func (fs *fileSystem) race(t *testing.T, c sim.Config, rounds int, racers []racer) map[string]int {
	t.Helper()
	k := fs.mounted(t, c)
	p := value[*sim.Proc](t)(k.Init().Rfork(sim.RUMP_RFCFDG))
	ok(t, p.Chdir("/mnt"))
	answers := make([][]error, len(racers))
	lwps := make([]*sim.Lwp, len(racers))
	for i, r := range racers {
		lwps[i] = p.Go(fmt.Sprint(r.name, i), func(p *sim.Proc) {
			for range rounds {
				answers[i] = append(answers[i], r.call(p))
			}
		})
	}
	for _, lwp := range lwps {
		ok(t, k.Init().Join(lwp))
	}
	ok(t, p.Exit())
	count := map[string]int{}
	for i, r := range racers {
		for _, err := range answers[i] {
			if !slices.Contains(r.may, err) {
				t.Errorf("seed %d: %s: %v", c.Seed, r.name, err)
			}
			count[fmt.Sprint(r.name, ": ", err)]++
		}
	}
	return count
}

// overSchedules runs a race on deterministic kernels with many seeds, and on
// goroutines. Over all, each answer that is named must have come.
func (fs *fileSystem) overSchedules(t *testing.T, racers []racer, come ...string) {
	t.Helper()
	total := map[string]int{}
	add := func(c sim.Config, rounds int) {
		t.Run(fmt.Sprint("seed", c.Seed, "rounds", rounds), func(t *testing.T) {
			for answer, n := range fs.race(t, c, rounds, racers) {
				total[answer] += n
			}
		})
	}
	for seed := range uint64(30) {
		add(sim.Config{Mode: hypercall.Deterministic, Seed: seed}, 20)
	}
	add(sim.Config{}, 200)
	for _, answer := range come {
		if total[answer] == 0 {
			t.Errorf("never came %q; %v", answer, total)
		}
	}
}

// renamed is what racing renames may and, over all, must answer.
func (fs *fileSystem) renamed() (may []error, come string) {
	if fs.renames {
		return []error{nil, kern.ENOENT}, "rename: <nil>"
	}
	return []error{kern.EOPNOTSUPP, kern.ENOENT}, "rename: " + kern.EOPNOTSUPP.Error()
}

func rename(p *sim.Proc) error { return p.Rename("test1", "test2") }

// several returns n racers of a kind.
func several(n int, r racer) []racer { return slices.Repeat([]racer{r}, n) }

// TestRenamerace has eight lwps create and remove a file that eight others
// rename, over another, all the time.
func TestRenamerace(t *testing.T) {
	each(t, func(t *testing.T, fs fileSystem) {
		may, come := fs.renamed()
		racers := several(8, racer{"create", func(p *sim.Proc) error {
			fd, err := p.Open("test1", kern.O_WRONLY|kern.O_CREAT|kern.O_TRUNC, 0o666)
			if err != nil {
				return err
			}
			_ = p.Unlink("test1") // somebody else may have done so
			return p.Close(fd)
		}, []error{nil, kern.EEXIST}})
		racers = append(racers, several(8, racer{"rename", rename, may})...)
		fs.overSchedules(t, racers, "create: <nil>", come)
	})
}

// TestRenameraceDirs makes and removes a directory that is renamed all the
// time. Nobody else makes it, so making it never fails.
func TestRenameraceDirs(t *testing.T) {
	each(t, func(t *testing.T, fs fileSystem) {
		may, come := fs.renamed()
		racers := []racer{
			{"mkdir", func(p *sim.Proc) error {
				err := p.Mkdir("test1", 0o777)
				_ = p.Rmdir("test1") // unless it was renamed
				return err
			}, []error{nil}},
			{"rename", rename, may},
		}
		fs.overSchedules(t, racers, "mkdir: <nil>", come)
	})
}

// TestRmdirrace has one lwp make the directory that another removes.
func TestRmdirrace(t *testing.T) {
	racers := []racer{
		{"mkdir", func(p *sim.Proc) error { return p.Mkdir("test", 0o755) }, []error{nil, kern.EEXIST}},
		{"rmdir", func(p *sim.Proc) error { return p.Rmdir("test") }, []error{nil, kern.ENOENT}},
	}
	each(t, func(t *testing.T, fs fileSystem) {
		fs.overSchedules(t, racers, "mkdir: <nil>", "mkdir: "+kern.EEXIST.Error(), "rmdir: <nil>", "rmdir: "+kern.ENOENT.Error())
	})
}
