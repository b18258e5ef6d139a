package gen

import (
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
)

// scripts makes n scripts of up to 300 calls, all of which succeed.
func scripts(src Source, c Config, n int) (list [][]call.Call) {
	g := New(src, c)
	for range n {
		g.Begin()
		var script []call.Call
		for range min(g.Length(), 300) {
			var k call.Call
			g.Next(&k)
			script = append(script, k)
			r := call.Result{Ret: 3}
			g.Note(&k, &r)
		}
		list = append(list, script)
	}
	return list
}

// TestAllCallsCome checks that scripts together have all calls, and that most scripts have not.
func TestAllCallsCome(t *testing.T) {
	var seen [call.NumOps]int
	partial := 0
	list := scripts(NewRand(1, 0), Config{}, 300)
	for _, script := range list {
		var here [call.NumOps]bool
		for _, c := range script {
			if !here[c.Op] {
				here[c.Op] = true
				seen[c.Op]++
			}
		}
		if !here[call.Open] || !here[call.Stat] || !here[call.Fcntl] || !here[call.Rename] {
			partial++
		}
	}
	for o := call.None + 1; o < call.NumOps; o++ {
		if seen[o] == 0 {
			t.Errorf("no script has %v", o)
		}
	}
	if partial < len(list)/4 {
		t.Errorf("only %d of %d scripts are without common calls", partial, len(list))
	}
}

// TestConfig leaves calls out and keeps to a number of processes.
func TestConfig(t *testing.T) {
	for _, script := range scripts(NewRand(2, 0), Config{Leave: []call.Op{call.Unlink, call.Rfork}, Procs: 1}, 50) {
		for _, c := range script {
			if c.Op == call.Unlink || c.Op == call.Rfork || c.Proc != 0 {
				t.Fatalf("p%d %v", c.Proc, c)
			}
		}
	}
	most := uint8(0)
	for _, script := range scripts(NewRand(2, 0), Config{Procs: 3}, 50) {
		for _, c := range script {
			most = max(most, c.Proc)
		}
	}
	if most != 2 {
		t.Errorf("process %d calls", most)
	}
}

// TestCorners checks that what is at a limit comes, in paths and numbers.
func TestCorners(t *testing.T) {
	seen := map[string]bool{}
	for _, script := range scripts(NewRand(3, 0), Config{}, 2000) {
		for _, c := range script {
			seen["null"] = seen["null"] || c.Path == call.NullPath
			seen["empty"] = seen["empty"] || c.Op == call.Mkdir && c.Path == ""
			seen["long path"] = seen["long path"] || len(c.Path) >= kern.MAXPATHLEN
			seen["longest path"] = seen["longest path"] || len(c.Path) == kern.MAXPATHLEN-1
			seen["negative"] = seen["negative"] || c.Off < 0
			seen["far"] = seen["far"] || c.Off > 1<<60
			seen["no fd"] = seen["no fd"] || c.FD == kern.NOFILE
			seen["nobody"] = seen["nobody"] || c.Op == call.Chown && c.UID == ^uint32(0)
			seen["17 groups"] = seen["17 groups"] || c.Op == call.Setgroups && len(c.Data) == 4*17
		}
	}
	for _, what := range []string{"null", "empty", "long path", "longest path", "negative", "far", "no fd", "nobody", "17 groups"} {
		if !seen[what] {
			t.Errorf("no call has %s", what)
		}
	}
}

// TestSources checks that sources keep to their range, that one seed is one sequence, and that bytes end in zeros.
func TestSources(t *testing.T) {
	a, b, other := NewRand(4, 0), NewRand(4, 0), NewRand(4, 1)
	differ := 0
	for n := 1; n < 2000; n++ {
		x := a.Choose(n)
		if y := b.Choose(n); x != y || x < 0 || x >= n {
			t.Fatalf("of %d: %d and %d", n, x, y)
		}
		if x != other.Choose(n) {
			differ++
		}
	}
	if differ < 1500 {
		t.Errorf("streams differ %d times only", differ)
	}
	src := &Bytes{Rest: []byte{1, 2, 3, 4, 5}}
	if src.Choose(1) != 0 || src.Choose(256) != 1 || src.Choose(1<<16) != 2<<8|3 || src.Empty() || src.Choose(3) != 4%3 || src.Choose(300) != 5 || !src.Empty() || src.Choose(9) != 0 {
		t.Errorf("%v left", src.Rest)
	}
}

// BenchmarkNext makes calls.
func BenchmarkNext(b *testing.B) {
	g := New(NewRand(1, 0), Config{})
	var c call.Call
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%200 == 0 {
			g.Begin()
		}
		g.Next(&c)
	}
}
