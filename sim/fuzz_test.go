package sim_test

import (
	"errors"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
)

// knownPanics are panics that the reference shows as well, by the beginning of
// their message, and the quirk that a kernel without them is without. Besides
// there is "undefined: " and the name of a quirk.
var knownPanics = []struct {
	text  string
	quirk kern.Quirk
}{
	{`kernel diagnostic assertion "vp->v_type == VREG`, kern.QuirkFifoIO},
	{`could not find directory entry: ..`, kern.QuirkRemovedDirCreate}, // rmdir(".."), as the directory it is in goes
	{`dead fs operation used`, kern.QuirkDeadFS},
	{`genfs_getpages: past eof`, kern.QuirkSizeForgotten},
}

func known(p *kern.Panic, set kern.Quirks) bool {
	for _, k := range knownPanics {
		if strings.HasPrefix(p.Msg, k.text) && set.Has(k.quirk) {
			return true
		}
	}
	for _, q := range kern.AllQuirks() {
		if p.Msg == "undefined: "+q.String() && set.Has(q) {
			return true
		}
	}
	return false
}

// abuse makes the calls that b stands for on a kernel that checks every
// vnode operation, and requires that it survives them with nothing left over.
func abuse(t *testing.T, b []byte) {
	t.Helper()
	c := sim.Config{Mode: hypercall.Deterministic, MemLimit: 1 << 20, Params: map[string]string{"RUMP_NVNODES": "16"}}
	d := &dice{bytes: b}
	how := d.below(8)
	if how&1 != 0 {
		c.Without = kern.Rev1125
	}
	c.Seed = uint64(d.below(256))
	k, err := sim.Boot(c)
	if err != nil {
		t.Fatal(err)
	}
	var log []string
	first := &monkey{p: k.Init(), dice: d, absurd: true, fifos: how&2 != 0, waits: how&4 != 0}
	monkeys := []*monkey{first}
	first.log = func(s string) { log = append(log, s) }
	for !d.over() && k.Err() == nil {
		m := pick(d, monkeys)
		if d.below(64) == 63 && len(monkeys) < 4 {
			child, err := m.p.Rfork(sim.RforkFlags(d.below(5)))
			if err == nil {
				monkeys = append(monkeys, &monkey{p: child, dice: d, absurd: true, fifos: m.fifos, waits: m.waits, log: m.log})
			}
			continue
		}
		m.run(1)
	}
	reason := k.Err()
	err = k.Shutdown()
	var p *kern.Panic
	switch {
	case errors.As(reason, &p):
		if !known(p, kern.Rev1125&^c.Without) {
			t.Errorf("%v\n%s\n%s", p, p.Stack, strings.Join(log, "\n"))
		}
	case errors.As(reason, &hypercall.Blocked{}):
		if !first.waits {
			t.Errorf("%v\n%s", reason, strings.Join(log, "\n"))
		}
	case err != nil:
		t.Errorf("%v\n%s", err, strings.Join(log, "\n"))
	}
}

func FuzzCalls(f *testing.F) {
	for seed := range uint64(20) {
		d := seeded(seed)
		b := make([]byte, 400)
		for i := range b {
			b[i] = byte(d.below(256))
		}
		f.Add(b)
	}
	f.Fuzz(abuse)
}

// TestAbuse is FuzzCalls with longer runs of seeded bytes.
func TestAbuse(t *testing.T) {
	for seed := range uint64(60) {
		d := seeded(1000 + seed)
		b := make([]byte, 3000)
		for i := range b {
			b[i] = byte(d.below(256))
		}
		abuse(t, b)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
