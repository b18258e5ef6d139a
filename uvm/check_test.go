package uvm

import (
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

// TestCheckSees breaks each invariant of an object with two pages, and of the
// queues of pages, on purpose: it is named.
func TestCheckSees(t *testing.T) {
	type memory struct {
		machine
		f    *memFile
		a, b *Page
	}
	for _, c := range []struct {
		name string
		harm func(k *memory)
		want string // "" for nothing
	}{
		{"nothing", func(*memory) {}, ""},
		{"object of a page", func(k *memory) { k.a.Object = &Object{} }, "page at 0x0 belongs to another object"},
		{"place of a page", func(k *memory) { k.a.Offset = PAGE_SIZE }, "page at 0x1000 is in another's place"},
		{"end", func(k *memory) { k.f.size = PAGE_SIZE }, "page at 0x1000 lies beyond the end, 0x1000"},
		{"busy page", func(k *memory) { k.a.Flags |= PG_BUSY }, "page at 0x0 is not idle, flags 0x9"},
		{"number of pages", func(k *memory) { k.f.npages++ }, "npages 3, but it has 2 pages"},
		{"pages of objects", func(k *memory) { k.inObject.Add(1) }, "page queues: 3 pages in objects, but 2 were found"},
		{"page queue", func(k *memory) { k.lru.remove(k.a) }, "2 pages in objects, but 1 in the page queue"},
		{"links of the page queue", func(k *memory) { k.b.prev = nil }, "the queue is broken before page offset 0x1000"},
		{"tail of the page queue", func(k *memory) { k.lru.tail = k.a }, "the queue does not end with its tail"},
		{"wrong queue", func(k *memory) { k.lru.remove(k.a); k.free.insertTail(k.a) }, "a page is in the wrong queue: page offset 0x0"},
		{"free list", func(k *memory) { k.nfree++ }, "2 free pages, but 1 on the free list"},
		{"memory in use", func(k *memory) { k.physmem.Store(0) }, "0 bytes of memory in use are less than the pages"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := boot(t, hypercall.Native, Config{MemLimit: MinMemLimit, StepDaemon: true})
			k := &memory{machine: m, f: newFile(m, "")}
			k.f.size = 2 * PAGE_SIZE
			k.f.Interlock.Enter(m.l)
			k.a = k.f.PageAlloc(m.l, 0, 0)
			k.b = k.f.PageAlloc(m.l, PAGE_SIZE, 0)
			k.f.PageFree(m.l, k.f.PageAlloc(m.l, 2*PAGE_SIZE, 0))
			PageUnbusy(m.l, []*Page{k.a, k.b})
			k.a.Flags, k.b.Flags = PG_CLEAN, PG_CLEAN
			k.f.Interlock.Exit(m.l)
			c.harm(k)
			ck := kern.NewCheckup(m.l, func(*kern.Checkup) {})
			ck.Begin()
			k.f.Interlock.Enter(m.l)
			k.f.Check(ck, k.f, k.f.size)
			k.f.Interlock.Exit(m.l)
			m.System.Check(ck)
			if broken := strings.Join(ck.End(), "\n"); c.want == "" && broken != "" || !strings.Contains(broken, c.want) {
				t.Errorf("broken: %q, want %q", broken, c.want)
			}
		})
	}
}
