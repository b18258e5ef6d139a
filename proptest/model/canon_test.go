package model

import (
	"bytes"
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/gen"
	"rumpvfs/sim/script"
)

// after is a model after the lines of a script.
func after(t *testing.T, quirks kern.Quirks, lines string) *Model {
	t.Helper()
	m := New(Config{Quirks: quirks, Caps: Caps{Link: true, Rename: true}})
	s, err := script.Parse("test", []byte(strings.ReplaceAll(lines, "; ", "\n")))
	if err != nil {
		t.Fatal(err)
	}
	rd := call.NewReader()
	var r call.Result
	for i := range s.Sections {
		for _, l := range s.Sections[i].Lines {
			c, ok, err := rd.Call(l.Call)
			if err != nil {
				t.Fatal(err)
			}
			if ok {
				m.Do(&c, &r)
				rd.Note(l.Call, &c, &r)
			}
		}
	}
	return m
}

// TestSameState compares the states that two scripts lead to.
func TestSameState(t *testing.T) {
	swap := func(name string) string {
		switch name {
		case "a":
			return "b"
		case "b":
			return "a"
		}
		return name
	}
	const file = `open "/a" O_CREAT|O_RDWR 0644; `
	for _, c := range []struct {
		a, b   string
		rename func(string) string // of a's names
		same   bool
	}{
		{`getpid`, `stat "/tmp"; getcwd; umask 022`, nil, true},
		{`getpid`, `umask 077`, nil, false},
		{`mkdir "/a" 0755; rmdir "/a"`, `getpid`, nil, true},
		{`mkdir "/a" 0755; mkdir "/b" 0755`, `mkdir "/b" 0755; mkdir "/a" 0755`, nil, false}, // getdents tells
		{`mkdir "/a" 0755; mkdir "/b" 0755`, `mkdir "/b" 0755; mkdir "/a" 0755`, swap, true},
		{`symlink "b/x" "/a"`, `symlink "a/x" "/b"`, swap, true},
		{`symlink "bb" "/a"`, `symlink "aa" "/b"`, swap, false},
		{`mkdir "/a" 0755; stat "/a"; mkdir "/b" 0755`, `mkdir "/a" 0755; mkdir "/b" 0755; stat "/b"`, nil, true},
		{`mkdir "/a" 0755`, `mkdir "/a" 0700`, nil, false},
		{file + `close 3`, `mknod "/a" S_IFREG|0644`, nil, true},
		{file, file + `dup 3`, nil, false},
		{file + `dup 3`, file + `open "/a" O_RDWR`, nil, false},
		{file + `dup 3; close 3; dup 4`, file + `dup 3`, nil, true},
		{file + `lseek 3 1 SEEK_SET`, file, nil, false},
		{file + `pwrite 3 "x" 40000`, file + `ftruncate 3 40001`, nil, false},
		{file + `pwrite 3 "x" 40000; pwrite 3 "\x00" 40000`, file + `ftruncate 3 40001`, nil, true},
		{file + `write 3 "xy"; lseek 3 0 SEEK_SET`, file + `pwrite 3 "xy" 0`, nil, true},
		{file + `pwrite 3 "xy" 0; ftruncate 3 1`, file + `pwrite 3 "xz" 0; ftruncate 3 1`, nil, true},
		{file + `unlink "/a"; close 3`, `getpid`, nil, true},
		{file + `unlink "/a"`, file + `unlink "/a"; revoke "/a"`, nil, true},
		{file, file + `revoke "/a"`, nil, false},
		{file + `flock 3 LOCK_EX`, file + `flock 3 LOCK_SH`, nil, false},
		{file + `flock 3 LOCK_EX; flock 3 LOCK_UN`, file, nil, true},
		{file + `fcntl 3 F_SETLK F_WRLCK SEEK_SET 0 4`, file + `fcntl 3 F_SETLK F_WRLCK SEEK_SET 0 5`, nil, false},
		{file + `fcntl 3 F_SETLK F_WRLCK SEEK_SET 0 4; close 3`, file + `close 3`, nil, true},
		{`open "/dev/null" O_RDWR; flock 3 LOCK_EX`, `open "/dev/null" O_RDWR`, nil, false},
		{`mkdir "/a" 0755; open "/" O_RDONLY; getdents 3 20`, `mkdir "/a" 0755; open "/" O_RDONLY; getdents 3 200`, nil, false},
		{`mkdir "/a" 0755; open "/" O_RDONLY; getdents 3 30`, `mkdir "/b" 0755; rmdir "/b"; mkdir "/a" 0755; open "/" O_RDONLY; getdents 3 30`, nil, true},
		{`mkdir "/a" 0755; link "/a" "/b"`, `mkdir "/a" 0755`, nil, true},
		{file + `link "/a" "/b"; unlink "/a"; rename "/b" "/a"`, file, nil, true},
		{`p1 = rfork COPY; exit`, `getpid`, nil, false}, // the next process has another number
		{`p1 = rfork COPY; exit`, `p1 = rfork CLEAR; exit`, nil, true},
		{`utimes "/tmp" 1 0 1 0`, `utimes "/tmp" NULL`, nil, false},
	} {
		a, b := after(t, kern.Fixed, c.a).AppendState(nil, c.rename), after(t, kern.Fixed, c.b).AppendState(nil, nil)
		if bytes.Equal(a, b) != c.same {
			t.Errorf("%s\nand %s:\n%x\n%x\nwant same: %v", c.a, c.b, a, b, c.same)
		}
	}
}

// TestClone makes random calls on a model and on a clone that takes over in the middle: both answer alike, come to the same
// state, and do not disturb each other.
func TestClone(t *testing.T) {
	for _, quirks := range []kern.Quirks{kern.Rev1125, kern.Fixed} {
		config := Config{Quirks: quirks, Caps: Caps{Link: true, Rename: true}}
		m, whole, reused := New(config), New(config), New(Config{})
		g := gen.New(gen.NewRand(5, uint64(quirks)), gen.Config{})
		for script := range 150 {
			g.Begin()
			_, _ = m.Reset(), whole.Reset()
			var calls []call.Call
			var r, want call.Result
			for range 150 {
				var c call.Call
				g.Next(&c)
				m.Do(&c, &r)
				g.Note(&c, &r)
				calls = append(calls, c)
			}
			half := len(calls) / 2
			for i := range calls[:half] {
				whole.Do(&calls[i], &want)
			}
			reused.CopyFrom(whole)
			clone := whole.Clone()
			kept := whole.AppendState(nil, nil)
			for _, copied := range []*Model{reused, clone} {
				for i := half; i < len(calls); i++ {
					copied.Do(&calls[i], &r)
				}
				if got, want := copied.AppendState(nil, nil), m.AppendState(nil, nil); !bytes.Equal(got, want) {
					t.Fatalf("script %d: a copy came to another state:\n%x\n%x", script, got, want)
				}
			}
			if got := whole.AppendState(nil, nil); !bytes.Equal(got, kept) {
				t.Fatalf("script %d: what a copy did changed the state:\n%x\n%x", script, got, kept)
			}
			clone.CopyFrom(whole)
			for i := half; i < len(calls); i++ {
				whole.Do(&calls[i], &want)
				clone.Do(&calls[i], &r)
				if !r.Equal(&want) || clone.Last != whole.Last {
					t.Fatalf("script %d: %v => %s, on a copy %s", script, calls[i], want.Format(&calls[i]), r.Format(&calls[i]))
				}
			}
		}
	}
}

func BenchmarkAppendState(b *testing.B) {
	m, s := busy(b), []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		s = m.AppendState(s[:0], nil)
	}
	b.ReportMetric(float64(len(s)), "bytes")
}

func BenchmarkCopyFrom(b *testing.B) {
	m := busy(b)
	c := m.Clone()
	b.ReportAllocs()
	for b.Loop() {
		c.CopyFrom(m)
	}
}

func BenchmarkClone(b *testing.B) {
	m := busy(b)
	b.ReportAllocs()
	for b.Loop() {
		m.Clone()
	}
}

// busy is a model with a few files.
func busy(b *testing.B) *Model {
	m := New(Config{Quirks: kern.Fixed})
	var r call.Result
	for _, c := range []call.Call{{Op: call.Mkdir, Path: "/a", Mode: 0o755}, {Op: call.Mkdir, Path: "/a/b", Mode: 0o755},
		{Op: call.Symlink, Path: "/b", Path2: "a"}, {Op: call.Open, Path: "/a/a", Flags: kern.O_CREAT | kern.O_RDWR},
		{Op: call.Write, FD: 3, Data: "data"}} {
		if m.Do(&c, &r); r.Errno != 0 {
			b.Fatal(c, r.Errno)
		}
	}
	return m
}
