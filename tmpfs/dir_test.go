package tmpfs

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A directory does what a list does that is searched from its beginning: names
// lead to the oldest entry, order is that of making, numbers are not used again.
func TestDirectoryIsAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var d directory
		d.init()
		var list []*dirent
		last := int64(dirseqStart - 1)
		for range rapid.IntRange(0, 200).Draw(t, "steps") {
			name := fmt.Sprint(rapid.IntRange(0, 20).Draw(t, "name"))
			i := -1
			if len(list) > 0 {
				i = rapid.IntRange(-1, len(list)-1).Draw(t, "entry")
			}
			switch {
			case i < 0:
				de := &dirent{name: name}
				d.insert(de)
				if de.seq <= last {
					t.Fatalf("number %d after %d", de.seq, last)
				}
				last = de.seq
				list = append(list, de)
			case rapid.Bool().Draw(t, "rename"):
				d.rename(list[i], name)
			default:
				d.remove(list[i])
				list = slices.Delete(list, i, i+1)
			}
			compare(t, &d, list)
		}
	})
}

// compare compares a directory with a list of its entries.
func compare(t *rapid.T, d *directory, list []*dirent) {
	if d.count != len(list) {
		t.Fatalf("%d entries, want %d", d.count, len(list))
	}
	first := map[string]*dirent{}
	for k, de := range list {
		if first[de.name] == nil {
			first[de.name] = de
		}
		got, at := d.lookupBySeq(de.seq)
		if got != de {
			t.Fatalf("number %d leads to %v", de.seq, got)
		}
		if next, _ := d.from(at + 1); k+1 < len(list) && next != list[k+1] || k+1 == len(list) && next != nil {
			t.Fatalf("behind %q comes %v", de.name, next)
		}
		if k > 0 {
			for seq := list[k-1].seq + 1; seq < de.seq; seq++ { // those of entries that are gone
				if got, _ := d.lookupBySeq(seq); got != nil {
					t.Fatalf("number %d leads to %q", seq, got.name)
				}
			}
		}
	}
	if len(first) != len(d.names) {
		t.Fatalf("%d names, want %d", len(d.names), len(first))
	}
	for name, de := range first {
		if d.names[name] != de {
			t.Fatalf("%q leads to %v, want number %d", name, d.names[name], de.seq)
		}
	}
	want := int64(dirseqEOF)
	if len(list) > 0 {
		want = list[0].seq
	}
	if d.first() != want {
		t.Fatalf("first is %d, want %d", d.first(), want)
	}
}

// What is charged for a name is that of its rounded length.
func TestNameBytes(t *testing.T) {
	for n, want := range map[int]uint64{1: 32, 32: 32, 33: 64, 255: 256} {
		if got := nameBytes(n); got != want {
			t.Errorf("%d bytes for a name of %d, want %d", got, n, want)
		}
	}
}

func BenchmarkDirectoryNext(b *testing.B) {
	var d directory
	d.init()
	for i := range 100_000 {
		d.insert(&dirent{name: fmt.Sprint(i)})
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if de, _ := d.lookupBySeq(dirseqStart + int64(i%100_000)); de == nil {
			b.Fatal(i)
		}
	}
}
