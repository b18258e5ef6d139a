package driver

import (
	"encoding/binary"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/gen"
	"rumpvfs/proptest/shrink"
)

// seeds adds inputs that make scripts of several lengths.
func seeds(f *testing.F) {
	for i, n := range []int{1, 30, 300, 2000} {
		src := gen.NewRand(uint64(i), 0)
		var b []byte
		for len(b) < n {
			b = binary.LittleEndian.AppendUint64(b, src.Uint64())
		}
		f.Add(b)
	}
}

// fuzz has the fuzzer choose scripts for kernel and model.
func fuzz(f *testing.F, fs FS, quirks kern.Quirks) {
	seeds(f)
	d, err := New(Config{FS: fs, Quirks: quirks})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := d.Close(); err != nil {
			f.Error(err)
		}
	})
	f.Fuzz(func(t *testing.T, input []byte) {
		fail, err := d.NextFrom(&gen.Bytes{Rest: input})
		if err != nil {
			t.Fatal(err)
		}
		if fail != nil {
			t.Fatalf("%v\n%v", fail, shrink.Minimize(fail.Script, d.Like(fail)))
		}
	})
}

func FuzzRumpfs(f *testing.F)         { fuzz(f, Rumpfs(), kern.Rev1125) }
func FuzzRumpfsFixed(f *testing.F)    { fuzz(f, Rumpfs(), kern.Fixed) }
func FuzzRumpfsReadOnly(f *testing.F) { fuzz(f, ReadOnlyRumpfs(), kern.Rev1125) }
func FuzzTmpfs(f *testing.F)          { fuzz(f, Tmpfs(), kern.Rev1125) }
func FuzzFifoTmpfs(f *testing.F)      { fuzz(f, FifoTmpfs(), kern.Rev1125) }
func FuzzSmallTmpfs(f *testing.F)     { fuzz(f, SmallTmpfs(), kern.Fixed) }

// FuzzQuirks has the fuzzer choose the quirks too: kernel and model agree with any set.
func FuzzQuirks(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, input []byte) {
		src := &gen.Bytes{Rest: input}
		quirks := kern.Quirks(src.Choose(1<<32)) | kern.Quirks(src.Choose(1<<31))<<32
		quirks = (quirks & kern.Rev1125).Without(kern.QuirkSizeForgotten) // which is not modelled
		d, err := New(Config{Quirks: quirks})
		if err != nil {
			t.Fatal(err)
		}
		fail, err := d.NextFrom(src)
		if err != nil {
			t.Fatal(err)
		}
		if fail != nil {
			t.Fatalf("%v: %v", quirks, fail)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzLines writes calls as lines of a script and reads them again.
func FuzzLines(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, input []byte) {
		src := &gen.Bytes{Rest: input}
		g := gen.New(src, gen.Config{})
		for !src.Empty() {
			var c call.Call
			g.Next(&c)
			again, err := call.FromScript(c.Script())
			if again.Proc = c.Proc; err != nil || again != c {
				t.Fatalf("%v is %v, %v", c, again, err)
			}
		}
	})
}
