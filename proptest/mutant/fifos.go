package mutant

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// fifos are bugs about the fifos of a tmpfs, where there is fifofs.
func fifos() []Mutant {
	list := []Mutant{
		{Name: "fifo-open-waits", What: "Who opens a fifo waits for the other side, O_NONBLOCK or not.", Waits: true, vector: fifoOpenWaits},
		{Name: "fifo-open-drains", What: "A reader who opens a fifo loses what is in it.", Waits: true, vector: fifoOpenDrains},
		{Name: "fifo-reader-alone", What: "Who opens a fifo for both does not count as a writer.", Waits: true, vector: fifoReaderAlone},
		{Name: "fifo-end-again", What: "Reading a fifo that has no writer is EAGAIN.", vector: fifoEndAgain},
		{Name: "fifo-short-drains", What: "What a read of a fifo leaves in it is lost.", Waits: true, vector: fifoShortDrains},
		{Name: "fifo-write-splits", What: "Of few bytes as many are written to a fifo as there is room for.", Waits: true, vector: fifoWriteSplits},
		{Name: "fifo-write-half", What: "More than 2048 bytes that are written to a fifo are cut off there.", Waits: true, vector: fifoWriteHalf},
		{Name: "fifo-write-unread", What: "Writing to a fifo that nobody reads any more is EAGAIN.", vector: fifoWriteUnread},
		{Name: "fifo-write-nothing", What: "Writing nothing to a fifo works although nobody reads it.", vector: fifoWriteNothing},
		{Name: "fifo-atime", What: "Reading a fifo leaves its time of access.", vector: fifoAtime},
		{Name: "fifo-mtime", What: "Writing to a fifo leaves its time of modification.", vector: fifoMtime},
		{Name: "fifo-locks", What: "A fifo can be locked.", vector: fifoLocks},
		{Name: "fifo-pipe-buf", What: "PIPE_BUF is the size of the whole fifo.", vector: fifoPipeBuf},
		{Name: "fifo-revoke", What: "Revoking a fifo that is open leaves it so.", Waits: true, vector: fifoRevoke},
	}
	for i := range list {
		list[i].Fifofs = true
	}
	return list
}

// opening puts f around the opening of fifos.
func (v *vector) opening(f func(l *kern.Lwp, a *vnode.OpenArgs) error) {
	v.Ops.Open = func(l *kern.Lwp, vp *vnode.Vnode, mode int, cred *kern.Cred) error {
		return f(l, &vnode.OpenArgs{Vp: vp, Mode: mode, Cred: cred})
	}
}

// drain reads a fifo that is open to read until it is empty.
func (v *vector) drain(l *kern.Lwp, vp *vnode.Vnode, cred *kern.Cred) {
	var iov [1][]byte
	var uio kern.Uio
	uio.InitUio(&iov, make([]byte, kern.PAGE_SIZE), 0, kern.UIO_READ)
	_ = v.was.Read(l, vp, &uio, vnode.IO_NDELAY, cred)
}

// waitless reports whether a transfer does not wait.
func waitless(ioflag int) bool { return ioflag&vnode.IO_NDELAY != 0 }

func fifoOpenWaits(v *vector) {
	v.opening(func(l *kern.Lwp, a *vnode.OpenArgs) error {
		a.Mode &^= kern.O_NONBLOCK
		return v.was.Call(l, a)
	})
}

func fifoOpenDrains(v *vector) {
	v.opening(func(l *kern.Lwp, a *vnode.OpenArgs) error {
		err := v.was.Call(l, a)
		if err == nil && a.Mode&kern.FREAD != 0 {
			v.drain(l, a.Vp, a.Cred)
		}
		return err
	})
}

func fifoReaderAlone(v *vector) {
	alone := func(mode int) int {
		if mode&kern.FREAD != 0 {
			mode &^= kern.FWRITE
		}
		return mode
	}
	v.opening(func(l *kern.Lwp, a *vnode.OpenArgs) error {
		if a.Mode&kern.FWRITE != 0 {
			a.Mode |= kern.O_NONBLOCK // as a writer it would not wait
		}
		a.Mode = alone(a.Mode)
		return v.was.Call(l, a)
	})
	v.Ops.Close = func(l *kern.Lwp, vp *vnode.Vnode, fflag int, cred *kern.Cred) error {
		return v.was.Call(l, &vnode.CloseArgs{Vp: vp, Fflag: alone(fflag), Cred: cred})
	}
}

func fifoEndAgain(v *vector) {
	v.read(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		n := uio.Resid
		err := v.was.Read(l, vp, uio, ioflag, cred)
		if err == nil && n > 0 && uio.Resid == n && waitless(ioflag) {
			err = kern.EWOULDBLOCK
		}
		return err
	})
}

func fifoShortDrains(v *vector) {
	v.read(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		n := uio.Resid
		err := v.was.Read(l, vp, uio, ioflag, cred)
		if err == nil && n > 0 && uio.Resid == 0 {
			v.drain(l, vp, cred)
		}
		return err
	})
}

func fifoWriteSplits(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		n := uio.Resid
		err := v.was.Write(l, vp, uio, ioflag, cred)
		for less := n - 1; err == kern.EWOULDBLOCK && n <= kern.PIPE_BUF && less > 0; less-- {
			uio.Resid = less
			err = v.was.Write(l, vp, uio, ioflag, cred)
			uio.Resid += n - less
		}
		return err
	})
}

func fifoWriteHalf(v *vector) {
	const half = 2048
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		more := max(uio.Resid-half, 0)
		uio.Resid -= more
		err := v.was.Write(l, vp, uio, ioflag, cred)
		uio.Resid += more
		return err
	})
}

func fifoWriteUnread(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		err := v.was.Write(l, vp, uio, ioflag, cred)
		if err == kern.EPIPE {
			err = kern.EWOULDBLOCK
		}
		return err
	})
}

func fifoWriteNothing(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		n := uio.Resid
		err := v.was.Write(l, vp, uio, ioflag, cred)
		if n == 0 {
			err = nil
		}
		return err
	})
}

func fifoAtime(v *vector) {
	v.read(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		return v.was.Default(l, &vnode.ReadArgs{Vp: vp, Uio: uio, Ioflag: ioflag, Cred: cred})
	})
}

func fifoMtime(v *vector) {
	v.write(func(l *kern.Lwp, vp *vnode.Vnode, uio *kern.Uio, ioflag int, cred *kern.Cred) error {
		return v.was.Default(l, &vnode.WriteArgs{Vp: vp, Uio: uio, Ioflag: ioflag, Cred: cred})
	})
}

func fifoLocks(v *vector) {
	v.Ops.Advlock = func(*kern.Lwp, *vnode.Vnode, any, int, *kern.Flock, int) error { return nil }
}

func fifoPipeBuf(v *vector) {
	v.Ops.Pathconf = func(l *kern.Lwp, vp *vnode.Vnode, name int) (int64, error) {
		a := vnode.PathconfArgs{Vp: vp, Name: name}
		err := v.was.Call(l, &a)
		if name == kern.PC_PIPE_BUF {
			a.Retval = kern.PAGE_SIZE
		}
		return a.Retval, err
	}
}

func fifoRevoke(v *vector) {
	v.Ops.Revoke = func(*kern.Lwp, *vnode.Vnode, int) error { return nil }
}
