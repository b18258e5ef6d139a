package model

import (
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
)

// BenchmarkCalls makes the calls of the recorded traces.
func BenchmarkCalls(b *testing.B) {
	m := New(Config{Quirks: kern.Rev1125})
	var sections [][]call.Call
	for _, f := range families {
		tr := recorded(b, "../../sim/replay/testdata/"+f.name+".trace.gz")
		for i := range tr.Sections {
			sections = append(sections, m.callsOf(b, tr.Sections[i].Lines))
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	var r call.Result
	for n := 0; n < b.N; {
		for _, calls := range sections {
			if err := m.Reset(); err != nil {
				b.Fatal(err)
			}
			for i := range calls {
				m.Do(&calls[i], &r)
			}
			if n += len(calls); n >= b.N {
				return
			}
		}
	}
}

func BenchmarkReset(b *testing.B) {
	m := New(Config{})
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Reset(); err != nil {
			b.Fatal(err)
		}
	}
}
