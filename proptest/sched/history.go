package sched

import (
	"fmt"
	"strings"

	"rumpvfs/proptest/call"
)

// A Done is a call that was made: who made it, what came of it, and when it began and ended. The moments of a history are all different.
type Done struct {
	Lwp         int // -1 is process 0, before and after the lwps
	Call        *call.Call
	Result      call.Result
	Begin, Over int

	want answer // what the checker is to take for its answer
}

// A History is what happened in a run, in the order in which calls began.
type History struct {
	Calls []Done
	clock int
	lwps  int
}

func (h *History) reset(lwps int) { h.Calls, h.clock, h.lwps = h.Calls[:0], 0, lwps }

// begin notes that a call begins, and gives its index.
func (h *History) begin(lwp int, c *call.Call) int {
	n := len(h.Calls)
	if n < cap(h.Calls) {
		h.Calls = h.Calls[:n+1]
	} else {
		h.Calls = append(h.Calls, Done{})
	}
	d := &h.Calls[n]
	d.Lwp, d.Call, d.Begin, d.Over, d.want = lwp, c, h.clock, -1, ownAnswer
	d.Result.Reset()
	h.clock++
	return n
}

// over notes that a call has ended.
func (h *History) over(n int, r *call.Result) {
	d := &h.Calls[n]
	data := append(d.Result.Data[:0], r.Data...)
	d.Result = *r
	d.Result.Data = data
	d.Over = h.clock
	h.clock++
}

// complete reports whether all calls have ended.
func (h *History) complete() bool {
	for i := range h.Calls {
		if h.Calls[i].Over < 0 {
			return false
		}
	}
	return true
}

// digest is a number that two histories share if they have the same calls with the same results, and of each two calls the same
// one, or none, was over when the other began.
func (h *History) digest() uint64 {
	d := digest(offset)
	for lwp := -1; lwp < h.lwps; lwp++ {
		for i := range h.Calls {
			if c := &h.Calls[i]; c.Lwp == lwp {
				d.add(uint64(lwp))
				d.add(h.before(c))
				d.result(&c.Result)
			}
		}
	}
	return uint64(d)
}

// before tells which calls were over when c began: how many of each lwp, four bits each for the first lwps, mixed for the others.
func (h *History) before(c *Done) (n uint64) {
	for i := range h.Calls {
		if o := &h.Calls[i]; o.Over < c.Begin {
			n += 1 << (4 * uint(o.Lwp+1) % 61)
		}
	}
	return n
}

func (d *digest) result(r *call.Result) {
	d.add(uint64(r.Errno)<<8 | uint64(r.Stop))
	d.add(uint64(r.Ret))
	d.add(uint64(r.File.Mode)<<32 | uint64(r.File.Nlink))
	d.add(uint64(r.File.UID)<<32 | uint64(r.File.GID))
	d.add(uint64(r.File.Size))
	d.add(uint64(r.File.Ino)<<32 | uint64(r.File.Flags))
	d.add(uint64(r.File.Blocks))
	d.add(uint64(r.Times[0].Sec))
	d.add(uint64(r.Times[1].Sec))
	d.add(uint64(r.Lock.Start))
	d.add(uint64(r.Lock.Len))
	d.add(uint64(r.Lock.Type)<<32 | uint64(uint32(r.Lock.Pid)))
	d.bytes(r.Data)
}

// digest is the hash of Fowler, Noll and Vo, a word at a time.
type digest uint64

const (
	offset = 14695981039346656037
	prime  = 1099511628211
)

func (d *digest) add(x uint64) {
	*d = (*d ^ digest(x)) * prime
	*d ^= *d >> 29
}

func (d *digest) bytes(b []byte) {
	d.add(uint64(len(b)))
	for _, x := range b {
		d.add(uint64(x))
	}
}

// who is the letter of the lwp, or "-" for process 0.
func (d *Done) who() string {
	if d.Lwp < 0 {
		return "-"
	}
	return lwpName(d.Lwp)
}

// String shows calls and results in the order in which they began, with the moments.
func (h *History) String() string {
	var b strings.Builder
	for i := range h.Calls {
		c := &h.Calls[i]
		result := "(not over)"
		if c.Over >= 0 {
			result = c.Result.Format(c.Call)
		}
		fmt.Fprintf(&b, "%s %3d..%-3d %s => %s\n", c.who(), c.Begin, c.Over, c.Call, result)
	}
	return b.String()
}
