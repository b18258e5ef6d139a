package vfs

import (
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

// TestCheckSees breaks each invariant of a descriptor table with two
// descriptors of one file, and of the list of free files, on purpose: it is
// named.
func TestCheckSees(t *testing.T) {
	type table struct {
		*Filedesc
		s  *System
		l  *kern.Lwp
		fp *File
	}
	slot := func(k *table, fd int) *fdfile { return (*k.dt.Load())[fd] }
	for _, c := range []struct {
		name string
		harm func(k *table)
		want string // "" for nothing
	}{
		{"nothing", func(*table) {}, ""},
		{"shared table", func(k *table) { k.Share() }, "pid 1: descriptor table refcnt 2, but 1 processes (pid 1)"},
		{"settling", func(k *table) { k.settling.Add(1) }, "1 lwps wait for a descriptor to settle"},
		{"half open", func(k *table) { _, _ = k.Alloc(k.l, 0) }, "descriptor 2: in use is true, but open is false"},
		{"in use by a call", func(k *table) { k.Get(k.l, 1) }, "descriptor 1: 1 calls use it, closing is false"},
		{"close-on-exec", func(k *table) { slot(k, 5).exclose = true }, "descriptor 5: not open, but close-on-exec"},
		{"last descriptor", func(k *table) { k.last = 0 }, "descriptor 1 is the last in use, but the table says 0"},
		{"references to a file", func(k *table) { k.fp.Ref() }, "file type 2 count 3 flag 0x1: 3 references, but 2 descriptors (pid 1, pid 1)"},
		{"half made", func(k *table) { k.fp.Cred = nil }, "is half made"},
		{"free file", func(k *table) { k.s.freeFile.Ref() }, "is on the free list, but in use"},
		{"number of open files", func(k *table) { k.s.nfiles.Add(1) }, "open files: there are 2, but descriptors lead to 1"},
		{"number of files", func(k *table) { k.s.made++ }, "open files: 3 were made, but 1 are open and 1 free"},
	} {
		t.Run(c.name, func(t *testing.T) {
			kernel := kern.NewKernel(hypercall.NewSystem(hypercall.Config{}), kern.Fixed)
			k := &table{s: NewSystem(kernel, nil), l: kern.NewLwp(kernel, kern.NewProc(kernel, kern.RootCred()), "test")}
			k.Filedesc = k.s.NewFiledesc(kern.NOFILE)
			var fd [2]int
			var err error
			if k.fp, fd[0], err = k.AllocFile(k.l); err != nil {
				t.Fatal(err)
			}
			spare, half, err := k.AllocFile(k.l)
			if err != nil {
				t.Fatal(err)
			}
			k.Abort(k.l, spare, half)
			k.fp.Attach(DTYPE_MISC, ConsoleOps{}, nil, kern.FREAD)
			k.Affix(k.l, k.fp, fd[0])
			if _, err = k.Dup(k.l, k.fp, 0, false); err != nil {
				t.Fatal(err)
			}
			c.harm(k)
			ck := kern.NewCheckup(k.l, func(ck *kern.Checkup) { k.Count(ck, "pid 1") })
			ck.Begin()
			k.Check(ck, "pid 1")
			k.s.Check(ck)
			if broken := strings.Join(ck.End(), "\n"); c.want == "" && broken != "" || !strings.Contains(broken, c.want) {
				t.Errorf("broken: %q, want %q", broken, c.want)
			}
		})
	}
}
