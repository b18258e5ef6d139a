package blkdev

import (
	"strings"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// TestCacheCheckSees breaks each invariant of a cache with two blocks of a
// device, a clean and a dirty one, on purpose: it is named.
func TestCacheCheckSees(t *testing.T) {
	for _, c := range []struct {
		name string
		harm func(c *Cache, h *header)
		want string // "" for nothing
	}{
		{"nothing", func(*Cache, *header) {}, ""},
		{"being written", func(c *Cache, _ *header) { c.writing++ }, "buffer cache: 1 buffers are being written"},
		{"number of buffers", func(c *Cache, _ *header) { c.nbuf++ }, "buffer cache: 3 buffers, but 2 in the queues"},
		{"memory", func(c *Cache, _ *header) { c.bufmem++ }, "buffers have 1025 bytes, but those in the queues 1024"},
		{"index", func(c *Cache, h *header) { c.blocks[blockKey{h.Vp, 99}] = h }, "3 blocks in the index, but 2 buffers of vnodes"},
		{"queue", func(_ *Cache, h *header) { h.queue = BQ_AGE }, "queue 1 is broken here"},
		{"end of a queue", func(c *Cache, _ *header) { c.queues[BQ_LRU].last = nil }, "queue 1 does not end with its last"},
		{"owned", func(_ *Cache, h *header) { h.Cflags |= vnode.BC_BUSY }, "somebody owns it"},
		{"references", func(_ *Cache, h *header) { h.refcnt++ }, "2 references"},
		{"not indexed", func(c *Cache, h *header) { delete(c.blocks, blockKey{h.Vp, h.Lblkno}) }, "the index leads elsewhere"},
		{"invalid", func(_ *Cache, h *header) { h.Cflags |= vnode.BC_INVAL }, "is invalid, or belongs to no vnode, but not both"},
		{"memory of a buffer", func(_ *Cache, h *header) { h.Data = h.Data[1:] }, "has 511 bytes of memory, not 512"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t, setup{quirks: kern.Fixed})
			vp := m.disk("/disk", make([]byte, 8192))
			var first *header
			for blkno := range int64(2) {
				bp, err := m.cache.Bread(m.l, vp, blkno, kern.DEV_BSIZE)
				if err != nil {
					t.Fatal(err)
				}
				if blkno == 0 {
					first = headerOf(bp)
					m.cache.Brelse(m.l, bp, 0)
				} else {
					m.cache.Bdwrite(m.l, bp)
				}
			}
			c.harm(m.cache, first)
			if broken := strings.Join(m.broken(), "\n"); c.want == "" && broken != "" || !strings.Contains(broken, c.want) {
				t.Errorf("broken: %q, want %q", broken, c.want)
			}
		})
	}
}
