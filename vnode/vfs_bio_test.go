package vnode

import (
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

var detConfig = hypercall.Config{Mode: hypercall.Deterministic, Seed: 7}

// newWrite returns a buffer that writes n bytes of vp.
func newWrite(l *kern.Lwp, vp *Vnode, n int) *Buf {
	vp.Startoutput(l, 1)
	return newTransfer(l, vp, n, B_WRITE)
}

func newTransfer(l *kern.Lwp, vp *Vnode, n int, flags uint32) *Buf {
	bp := GetIOBuf(l, vp)
	bp.Flags, bp.Cflags = flags, BC_BUSY
	bp.Data = make([]byte, n)
	bp.Bufsize, bp.Bcount, bp.Resid = n, n, n
	return bp
}

// finish completes a transfer as a driver does.
func finish(l *kern.Lwp, bp *Buf, err error) {
	bp.Resid, bp.Error = 0, err
	Biodone(l, bp)
}

func (t *toyKernel) numoutput(vp *Vnode) int {
	vp.Interlock.Enter(t.l)
	defer vp.Interlock.Exit(t.l)
	return vp.Numoutput()
}

// Who waits for a transfer goes on when the driver is done with it, and gets
// its error.
func TestBiowait(t *testing.T) {
	for seed := range uint64(20) {
		for _, want := range []error{nil, kern.EIO} {
			k := newToyKernel(t, hypercall.Config{Mode: hypercall.Deterministic, Seed: seed}, Config{Stepped: true})
			vp := k.find(1)
			bp := newWrite(k.l, vp, 512)
			driver := kern.StartLwp(k.k, k.l.Proc, "driver", func(l *kern.Lwp) { finish(l, bp, want) })
			if err := Biowait(k.l, bp); err != want {
				t.Errorf("Biowait: %v, want %v", err, want)
			}
			if n := k.numoutput(vp); n != 0 {
				t.Errorf("%d writes in progress", n)
			}
			PutIOBuf(k.l, bp)
			driver.Join(&k.l.Thread)
			vp.Rele(k.l)
			k.end()
		}
	}
}

// A delayed write is not waited for.
func TestBiowaitDelayed(t *testing.T) {
	k := newStory(t)
	bp := k.sys.GetIOBuf(k.l)
	if bp.Dev != kern.NODEV || bp.Vp != nil || !bp.IsWrite() || bp.IsRead() {
		t.Errorf("fresh buffer %+v", bp)
	}
	bp.Cflags, bp.Oflags = BC_BUSY, BO_DELWRI
	if err := Biowait(k.l, bp); err != nil {
		t.Error(err)
	}
	PutIOBuf(k.l, bp)
}

// Iodone is called once and owns the buffer; the flag that says so may be set.
func TestBiodoneCallout(t *testing.T) {
	k := newStory(t)
	for _, flags := range []uint32{B_READ, B_READ | B_ASYNC | B_COWDONE} {
		bp := k.sys.GetIOBuf(k.l)
		bp.Flags, bp.Cflags = flags, BC_BUSY
		called := 0
		bp.Iodone = func(l *kern.Lwp, got *Buf) {
			called++
			if got != bp || got.Iodone != nil || got.Oflags&BO_DONE == 0 || got.Flags&B_COWDONE != 0 {
				t.Errorf("in Iodone: %+v", got)
			}
			if got.Objlock.Owned(l) {
				t.Error("the lock is held in Iodone")
			}
		}
		Biodone(k.l, bp)
		if called != 1 {
			t.Errorf("called %d times", called)
		}
		mustPanic(t, "biodone2 already", func() { Biodone(k.l, bp) })
		bp.Objlock.Exit(k.l)
		PutIOBuf(k.l, bp)
	}
}

func mustPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if p, ok := recover().(*kern.Panic); !ok || p.Msg != want {
			t.Errorf("panic %v, want %q", p, want)
		}
	}()
	f()
}

// releases is a buffer cache that only takes buffers back.
type releases struct {
	BufferCache
	released []*Buf
}

func (c *releases) Brelse(_ *kern.Lwp, bp *Buf, _ uint32) { c.released = append(c.released, bp) }

// An asynchronous transfer without Iodone goes back to the cache.
func TestBiodoneAsync(t *testing.T) {
	k := newStory(t)
	cache := &releases{}
	k.sys.Cache = cache
	bp := k.sys.GetIOBuf(k.l)
	bp.Flags = B_READ | B_ASYNC
	Biodone(k.l, bp)
	if len(cache.released) != 1 || cache.released[0] != bp {
		t.Errorf("released %v", cache.released)
	}
	PutIOBuf(k.l, bp)
	k.sys.Cache = nil
}

// Parts of a master may complete in any order, and the master with the last.
func TestNestiobuf(t *testing.T) {
	const part = 512
	for _, c := range []struct {
		name    string
		order   []int // in which the parts complete; 3 is what the owner skips
		fail    int   // part with an error, -1 for none
		short   int   // part that is transferred in part, -1 for none
		want    error //
		read    bool  //
		skipErr error // of what is skipped
	}{
		{"in order", []int{0, 1, 2, 3}, -1, -1, nil, true, nil},
		{"backwards", []int{3, 2, 1, 0}, -1, -1, nil, false, nil},
		{"with an error", []int{1, 0, 3, 2}, 1, -1, kern.ENXIO, false, nil},
		{"with an error in the last", []int{3, 0, 1, 2}, 2, -1, kern.ENXIO, true, nil},
		{"short", []int{0, 1, 2, 3}, -1, 0, kern.EIO, true, nil},
		{"unmapped", []int{0, 1, 2, 3}, -1, -1, kern.ENOSPC, false, kern.ENOSPC},
	} {
		k := newToyKernel(t, detConfig, Config{Stepped: true})
		vp := k.find(1)
		var mbp *Buf
		if c.read {
			mbp = newTransfer(k.l, vp, 4*part, B_READ)
		} else {
			mbp = newWrite(k.l, vp, 4*part)
		}
		var parts []*Buf
		for i := range 3 {
			bp := GetIOBuf(k.l, vp)
			Nestiobuf(k.l, mbp, bp, i*part, part)
			if &bp.Data[0] != &mbp.Data[i*part] || bp.IsRead() != c.read {
				t.Errorf("%s: part %d is no part", c.name, i)
			}
			parts = append(parts, bp)
		}
		driver := kern.StartLwp(k.k, k.l.Proc, "driver", func(l *kern.Lwp) {
			for _, i := range c.order {
				if mbp.Oflags&BO_DONE != 0 {
					t.Errorf("%s: done before part %d", c.name, i)
				}
				if i == 3 {
					NestiobufDone(l, mbp, 0, kern.EDOM) // of no bytes says nothing
					NestiobufDone(l, mbp, part, c.skipErr)
					continue
				}
				if i == c.fail {
					parts[i].Error = kern.ENXIO
				}
				parts[i].Resid = 0
				if i == c.short {
					parts[i].Resid = 1
				}
				Biodone(l, parts[i])
			}
		})
		if err := Biowait(k.l, mbp); err != c.want {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if wantResid := map[bool]int{true: 0, false: 4 * part}[c.want == nil]; mbp.Resid != wantResid {
			t.Errorf("%s: residue %d, want %d", c.name, mbp.Resid, wantResid)
		}
		driver.Join(&k.l.Thread)
		if n := k.numoutput(vp); n != 0 {
			t.Errorf("%s: %d writes in progress", c.name, n)
		}
		PutIOBuf(k.l, mbp)
		vp.Rele(k.l)
		k.end()
	}
}

// Waitoutput returns with the last of the writes.
func TestWaitoutput(t *testing.T) {
	k := newToyKernel(t, detConfig, Config{Stepped: true})
	vp := k.find(1)
	done := 0
	for range 3 {
		bp := newWrite(k.l, vp, 512)
		bp.Iodone = PutIOBuf
		kern.StartLwp(k.k, k.l.Proc, "driver", func(l *kern.Lwp) {
			l.Point()
			done++
			finish(l, bp, nil)
		})
	}
	vp.Interlock.Enter(k.l)
	vp.Waitoutput(k.l)
	if done != 3 || vp.Numoutput() != 0 {
		t.Errorf("%d of 3 done, %d in progress", done, vp.Numoutput())
	}
	vp.Interlock.Exit(k.l)
	vp.Rele(k.l)
	for range 10 {
		k.l.Point()
	}
	k.end()
}

// Output that nobody started cannot end.
func TestNegativeNumoutput(t *testing.T) {
	k := newStory(t)
	vp := k.find(1)
	bp := newTransfer(k.l, vp, 512, B_WRITE)
	mustPanic(t, `kernel diagnostic assertion "vp->v_numoutput >= 0" failed`, func() { Biodone(k.l, bp) })
	vp.numoutput = 0
	vp.Interlock.Exit(k.l)
	PutIOBuf(k.l, bp)
	vp.Rele(k.l)
}

// Buffers are used again, as if new.
func TestBufPool(t *testing.T) {
	k := newStory(t)
	vp := k.find(1)
	bp := newTransfer(k.l, vp, 512, B_READ|B_ASYNC)
	bp.Error, bp.Private, bp.Blkno, bp.Oflags = kern.EIO, k, 7, BO_DONE
	PutIOBuf(k.l, bp)
	again := k.sys.GetIOBuf(k.l)
	if again != bp {
		t.Error("not used again")
	}
	if again.Error != nil || again.Private != nil || again.Blkno != 0 || again.Flags|again.Oflags|again.Cflags != 0 ||
		again.Vp != nil || again.Data != nil || again.Bcount != 0 || again.Iodone != nil {
		t.Errorf("left over: %+v", again)
	}
	PutIOBuf(k.l, again)
	if n := testing.AllocsPerRun(100, func() { PutIOBuf(k.l, GetIOBuf(k.l, vp)) }); n != 0 {
		t.Errorf("%v allocations a buffer", n)
	}
	vp.Rele(k.l)
}

func TestBufList(t *testing.T) {
	k := newStory(t)
	vp := k.find(1)
	if vp.HasDirtyBufs() {
		t.Error("dirty buffers of a new vnode")
	}
	bufs := []*Buf{new(Buf), new(Buf), new(Buf)}
	for _, bp := range bufs {
		vp.dirtyblk.insert(bp)
	}
	for _, i := range []int{1, 0, 2} {
		if !vp.HasDirtyBufs() || bufs[i].onList != &vp.dirtyblk {
			t.Errorf("buffer %d is not on the list", i)
		}
		vp.dirtyblk.remove(bufs[i])
	}
	if vp.HasDirtyBufs() || bufs[0].onList != nil {
		t.Error("the list is not empty")
	}
	vp.Rele(k.l)
}
