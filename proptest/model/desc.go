package model

import (
	"math"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
)

// fileOf is the open file of a descriptor, or nil.
func (p *proc) fileOf(fd int32) *file {
	if uint32(fd) >= kern.NOFILE {
		return nil
	}
	return p.table.slots[fd].file
}

// vnodeOf is the open file of a descriptor that must stand for something in a file system.
func (p *proc) vnodeOf(fd int32) (*file, clause.Cause) {
	switch f := p.fileOf(fd); {
	case f == nil:
		return nil, clause.BadFD
	case f.isConsole():
		return nil, clause.NotVnode
	default:
		return f, 0
	}
}

// free is the lowest free descriptor from want on, or -1.
func (t *table) free(want int) int {
	for fd := want; fd < t.top; fd++ {
		if t.slots[fd].file == nil {
			return fd
		}
	}
	if fd := max(want, t.top); fd < kern.NOFILE {
		return fd
	}
	return -1
}

// set makes a free descriptor stand for a file.
func (t *table) set(fd int, f *file, cloexec bool) {
	t.slots[fd] = slot{f, cloexec}
	t.top = max(t.top, fd+1)
	f.refs++
}

// closeFD frees a descriptor that is open. The process loses the locks it has on the file.
func (m *Model) closeFD(p *proc, fd int) {
	f := p.table.slots[fd].file
	p.table.slots[fd] = slot{}
	for t := p.table; t.top > 0 && t.slots[t.top-1].file == nil; {
		t.top--
	}
	if !f.isConsole() && !f.dead() {
		m.locksOf(f.node).clear(lock{pid: p.pid, end: lockEnd})
	}
	if f.refs--; f.refs == 0 {
		m.release(f)
	}
}

// release ends an open file that no descriptor stands for.
func (m *Model) release(f *file) {
	if f.isConsole() {
		return
	}
	if f.flags&kern.FHASLOCK != 0 && !f.dead() {
		m.locksOf(f.node).clear(lock{file: f, end: lockEnd})
	}
	if !f.dead() && m.fifofs(f.node) {
		f.part()
	}
	if !f.dead() || !m.isTmpfs() {
		f.node.opens--
	}
	m.forget(f.node)
}

func (m *Model) close(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	f := p.fileOf(c.FD)
	if f == nil {
		return clause.BadFD
	}
	last := f.refs == 1
	m.closeFD(p, int(c.FD))
	if !last {
		return clause.StillOpen
	}
	return clause.OK
}

func (m *Model) dup(p *proc, c *call.Call, r *call.Result) clause.Cause {
	return p.dup(c.FD, 0, false, r)
}

// dup makes the lowest free descriptor from low on stand for the file of fd.
func (p *proc) dup(fd, low int32, cloexec bool, r *call.Result) clause.Cause {
	f := p.fileOf(fd)
	if f == nil {
		return clause.BadFD
	}
	if uint32(low) >= kern.NOFILE {
		return clause.BadNewFD
	}
	to := p.table.free(int(low))
	if to < 0 {
		return clause.TableFull
	}
	p.table.set(to, f, cloexec)
	r.Ret = int64(to)
	return clause.OK
}

func (m *Model) dup2(p *proc, c *call.Call, r *call.Result) clause.Cause {
	f, to := p.fileOf(c.FD), int32(c.N)
	switch {
	case f == nil:
		return clause.BadFD
	case uint32(to) >= kern.NOFILE:
		return clause.BadNewFD
	case to == c.FD:
		r.Ret = int64(to)
		return clause.Same
	}
	cause := clause.OK
	f.refs++
	if p.table.slots[to].file != nil {
		m.closeFD(p, int(to))
		cause = clause.Replaced
	}
	f.refs--
	p.table.set(int(to), f, false)
	r.Ret = int64(to)
	return cause
}

func (m *Model) fcntl(p *proc, c *call.Call, r *call.Result) clause.Cause {
	switch c.Flags {
	case kern.F_DUPFD:
		return named(clause.DupFD, p.dup(c.FD, int32(c.N), false, r))
	case kern.F_DUPFD_CLOEXEC:
		return named(clause.DupFD, p.dup(c.FD, int32(c.N), true, r))
	case kern.F_CLOSEM:
		return m.closem(p, c.FD)
	case kern.F_MAXFD:
		r.Ret = int64(p.table.top) - 1
		return clause.MaxFD
	}
	f := p.fileOf(c.FD)
	if f == nil {
		return clause.BadFD
	}
	switch {
	case c.IsLock():
		return m.fcntlLock(p, f, c, r)
	case c.Flags < 0:
		return fsCommand(f)
	}
	return m.fcntlFile(p, f, c, r)
}

// named gives success a name of its own.
func named(name, cause clause.Cause) clause.Cause {
	if cause == clause.OK {
		return name
	}
	return cause
}

func (m *Model) closem(p *proc, fd int32) clause.Cause {
	if fd < 0 {
		return clause.BadFD
	}
	for i := p.table.top - 1; i >= int(fd); i-- {
		if p.table.slots[i].file != nil {
			m.closeFD(p, i)
		}
	}
	return clause.CloseM
}

// fsCommand is an fcntl that is passed to the file system, which has none.
func fsCommand(f *file) clause.Cause {
	if !f.isConsole() && f.dead() {
		return clause.Ignored
	}
	return clause.NoCommand
}

func (m *Model) fcntlFile(p *proc, f *file, c *call.Call, r *call.Result) clause.Cause {
	s := &p.table.slots[c.FD]
	switch c.Flags {
	case kern.F_GETFD:
		if s.cloexec {
			r.Ret = kern.FD_CLOEXEC
		}
		return clause.GetFD
	case kern.F_SETFD:
		s.cloexec = c.N&kern.FD_CLOEXEC != 0
		return clause.SetFD
	case kern.F_GETNOSIGPIPE:
		if f.flags&kern.FNOSIGPIPE != 0 {
			r.Ret = 1
		}
		return clause.GetNoSigpipe
	case kern.F_SETNOSIGPIPE:
		f.flags &^= kern.FNOSIGPIPE
		if c.N != 0 {
			f.flags |= kern.FNOSIGPIPE
		}
		return clause.SetNoSigpipe
	case kern.F_GETFL:
		r.Ret = int64(kern.OFLAGS(f.flags))
		return clause.GetFL
	case kern.F_SETFL:
		return f.setFlags(int32(c.N))
	case kern.F_GETOWN, kern.F_SETOWN:
		if !f.isConsole() && !f.dead() && m.fifofs(f.node) {
			return m.fifoOwner(f, c, r)
		}
		return f.noOwner()
	}
	return clause.BadCommand
}

// setFlags changes status flags, as far as the file knows of that.
func (f *file) setFlags(flags int32) clause.Cause {
	want := kern.FFLAGS(flags) & kern.FCNTLFLAGS
	changed := (want^f.flags)&(kern.FNONBLOCK|kern.FASYNC) != 0
	switch {
	case f.isConsole() && changed:
		return clause.NoIoctl
	case f.isConsole():
	case f.dead() && changed && !f.node.isReg():
		return clause.RevokedFD
	case f.dead():
	case !f.node.isDevice() && f.node.id == 0:
		return clause.NoSetFlags
	case !f.node.isDevice():
	case changed:
		return clause.NoDevIoctl
	}
	f.flags = f.flags&^kern.FCNTLFLAGS | want
	return clause.SetFL
}

// noOwner says why nobody can be told of what happens to a file.
func (f *file) noOwner() clause.Cause {
	switch {
	case f.isConsole():
		return clause.NoIoctl
	case f.dead():
		return clause.RevokedFD
	case f.node.isDevice():
		return clause.NoDevIoctl
	case f.node.id != 0:
		return clause.PassThrough
	}
	return clause.NoOwner
}

func (m *Model) fadvise(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	if c.Size < 0 || c.Size > 0 && (c.Off < 0 || c.Size > math.MaxInt64-c.Off) {
		return clause.BadRange
	}
	f := p.fileOf(c.FD)
	switch {
	case f == nil:
		return clause.BadFD
	case f.isConsole():
		return clause.NotVnode
	case c.Flags < kern.POSIX_FADV_NORMAL || c.Flags > kern.POSIX_FADV_NOREUSE:
		return clause.BadAdvice
	case c.Flags == kern.POSIX_FADV_DONTNEED && f.dead() && f.node.isReg() && wholePages(c.Off, c.Size):
		return clause.RevokedFD
	}
	return clause.OK
}

// wholePages reports whether a range has any; 0 bytes go on for ever.
func wholePages(off, n int64) bool {
	end := off + n
	if n == 0 {
		end = math.MaxInt64
	}
	first := kern.RoundPage(off)
	return first >= off && first < kern.TruncPage(end)
}
