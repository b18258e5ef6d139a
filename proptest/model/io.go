package model

import (
	"math"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
)

// position gives the offset of a read or write of an open file: its own, or of pread and pwrite the one that is asked for.
func (f *file) position(c *call.Call) (off int64, no clause.Cause) {
	if c.Op == call.Read || c.Op == call.Write {
		return f.off, 0
	}
	if f.isConsole() || f.node.isFifo() {
		return 0, clause.NoPosition
	}
	if !f.dead() && !f.node.isDevice() && c.Off < 0 {
		return 0, clause.Negative
	}
	return c.Off, 0
}

// advance moves the file's own offset after a read or write of n bytes.
func (f *file) advance(c *call.Call, n int64) {
	if c.Op == call.Read || c.Op == call.Write {
		f.off += n
	}
}

// read is read and pread.
func (m *Model) read(p *proc, c *call.Call, r *call.Result) clause.Cause {
	f := p.fileOf(c.FD)
	if f == nil {
		return clause.BadFD
	}
	if f.flags&kern.FREAD == 0 {
		return clause.NotReadable
	}
	off, no := f.position(c)
	switch {
	case no != 0:
		return no
	case c.N < 0:
		return clause.BadLength
	case f.dead():
		return clause.Revoked
	case m.fifofs(f.node):
		return m.readFifo(f, c.N, r)
	}
	k := m.look(func() look {
		moved, cause := m.readFrom(f.node, off, c.N, r)
		k := look{no: cause, moved: moved}
		if m.steps != nil {
			k.name = string(r.Data)
		}
		return k
	})
	if k.no == unfinished || c.Op == call.Read && m.pause() {
		return unfinished
	}
	if m.steps != nil {
		r.Data = append(r.Data[:0], k.name...)
	}
	f.advance(c, k.moved)
	r.Ret = k.moved
	return k.no
}

// readFrom reads n bytes of a file. moved is by how much the position moves, even on an error.
func (m *Model) readFrom(n *node, off, count int64, r *call.Result) (moved int64, cause clause.Cause) {
	switch {
	case n.isDir():
		return 0, clause.IsDir
	case n.isDevice():
		if m.isTmpfs() {
			m.accessed(n)
		}
		return readDevice(n, count, r)
	case n.isFifo():
		return 0, clause.EOF
	}
	if count > 0 {
		m.accessed(n)
	}
	if off > n.size && m.has(kern.QuirkReadBeyondEOF) {
		return m.readBeyond(n, off, count, r)
	}
	left := max(n.size-off, 0)
	take := min(count, left)
	if take > call.MaxBuffer {
		return call.MaxBuffer, clause.Fault
	}
	r.Data = m.appendAt(r.Data, n, off, take)
	switch {
	case count == 0:
		return 0, clause.Nothing
	case take == 0:
		return 0, clause.EOF
	case take < count:
		return take, clause.Short
	}
	return take, clause.OK
}

// readBeyond is the quirk of reading behind the end: bytes come as far as the last page goes, and it is an error to want
// more.
func (m *Model) readBeyond(n *node, off, count int64, r *call.Result) (moved int64, cause clause.Cause) {
	if count == 0 {
		return 0, clause.Nothing
	}
	left := max(kern.RoundPage(n.size)-off, 0)
	if count > left {
		return left, clause.BeyondPage
	}
	r.Data = m.appendAt(r.Data, n, off, count)
	return count, clause.Beyond
}

func readDevice(n *node, count int64, r *call.Result) (moved int64, cause clause.Cause) {
	switch {
	case n.rdev == devNull:
		return 0, clause.EOF
	case count > call.MaxBuffer:
		return call.MaxBuffer, clause.Fault
	}
	for i := int64(0); i < count; i++ {
		r.Data = append(r.Data, 0)
	}
	return count, clause.Zeros
}

// write is write and pwrite.
func (m *Model) write(p *proc, c *call.Call, r *call.Result) clause.Cause {
	f := p.fileOf(c.FD)
	if f == nil {
		return clause.BadFD
	}
	if f.flags&kern.FWRITE == 0 {
		return clause.NotWritable
	}
	off, no := f.position(c)
	if no != 0 {
		return no
	}
	count := int64(len(c.Data))
	switch {
	case f.isConsole():
		r.Ret = count
		f.advance(c, 0)
		return clause.Console
	case f.dead() && f.node.isReg() && f.flags&kern.O_APPEND == 0 && tooFar(off, count):
		return clause.TooFar
	case f.dead():
		return clause.Revoked
	case f.node.isDevice():
		if m.isTmpfs() {
			m.modified(f.node)
		}
		r.Ret = count
		f.advance(c, count)
		return clause.Device
	case m.fifofs(f.node):
		return m.writeFifo(f, c.Data, r)
	case f.node.isFifo() && m.appendOnly(f.node, off):
		return clause.AppendOnly
	case f.node.isFifo() && count > 0:
		return clause.FifoPanic
	case f.node.isFifo():
		return clause.Nothing
	}
	return m.writeFile(f, c, r, off)
}

// writeFile writes to a regular file.
func (m *Model) writeFile(f *file, c *call.Call, r *call.Result, off int64) clause.Cause {
	n, count := f.node, int64(len(c.Data))
	appends := f.flags&kern.O_APPEND != 0
	if appends {
		off = n.size
	}
	switch {
	case tooFar(off, count):
		return clause.TooFar
	case m.appendOnly(n, off):
		return clause.AppendOnly
	case count == 0 && !m.has(kern.QuirkZeroWriteGrows):
		return clause.Nothing
	}
	grows, hole := off+count > n.size, off > n.size
	if grows && !m.resize(n, off+count) {
		if appends && c.Op == call.Write && count > 0 {
			f.off = off
		}
		return clause.NoSpace
	}
	if count == 0 {
		if grows {
			return clause.Grown
		}
		return clause.Nothing
	}
	m.writeAt(n, off, c.Data)
	m.dropSetID(n, f.super)
	m.modified(n)
	r.Ret = count
	if appends && c.Op == call.Write {
		f.off = off + count
	} else {
		f.advance(c, count)
	}
	switch {
	case appends:
		return clause.Appended
	case hole:
		return clause.Hole
	case grows:
		return clause.Extended
	}
	return clause.OK
}

// appendOnly reports whether file flags keep from writing there.
func (m *Model) appendOnly(n *node, off int64) bool {
	return n.flags&kern.APPEND != 0 && off != n.size && !m.has(kern.QuirkFileFlags) && !m.isTmpfs()
}

// tooFar reports whether so many bytes would reach beyond the largest offset.
func tooFar(off, count int64) bool { return uint64(off)+uint64(count) > math.MaxInt64 }

// dropSetID takes the set-id bits from a file that somebody without privilege has changed.
func (m *Model) dropSetID(n *node, super bool) {
	if !super && !m.has(kern.QuirkSetIDKept) {
		n.mode &^= kern.S_ISUID | kern.S_ISGID
	}
}

func (m *Model) lseek(p *proc, c *call.Call, r *call.Result) clause.Cause {
	f := p.fileOf(c.FD)
	if f == nil {
		return clause.BadFD
	}
	if f.isConsole() || f.node.isFifo() {
		return clause.NoPosition
	}
	off := c.Off
	switch c.Flags {
	case kern.SEEK_SET:
	case kern.SEEK_CUR:
		off += f.off
	case kern.SEEK_END:
		if f.dead() {
			return clause.RevokedFD
		}
		off += m.sizeOf(f.node)
	default:
		return clause.BadWhence
	}
	if off < 0 && !f.dead() && !f.node.isDevice() {
		return clause.Negative
	}
	f.off, r.Ret = off, off
	return clause.OK
}

func (m *Model) truncate(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	if no := m.find(p, c.Path, follow); no != 0 {
		return no
	}
	n := m.w.node
	if n.isDir() {
		return clause.IsDir
	}
	if no := m.may(&p.cred, n, write).because(clause.Permission, clause.Protected); no != 0 {
		return no
	}
	return m.setSize(p.cred.isRoot(), n, c.Size)
}

func (m *Model) ftruncate(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	f, no := p.vnodeOf(c.FD)
	if no != 0 {
		return no
	}
	switch {
	case f.flags&kern.FWRITE == 0:
		return clause.NotWritable
	case f.dead() && (c.Size >= 0 || m.has(kern.QuirkTruncateMinusOne)):
		return clause.RevokedFD
	}
	return m.setSize(f.super, f.node, c.Size)
}

// setSize is what truncating does to a file of any type.
func (m *Model) setSize(super bool, n *node, size int64) clause.Cause {
	switch {
	case size < 0 && !m.has(kern.QuirkTruncateMinusOne):
		return clause.Negative
	case !n.isReg():
		return clause.NoSize
	case size == -1:
		return clause.MinusOne
	case n.flags&(kern.IMMUTABLE|kern.APPEND) != 0 && !m.has(kern.QuirkFileFlags):
		return clause.Protected
	case m.isTmpfs() && size < 0:
		return clause.Negative
	case m.isTmpfs() && size == n.size:
		return clause.OK
	case size < 0 || !m.resize(n, size):
		return clause.NoSpace
	}
	m.dropSetID(n, super)
	m.modified(n)
	return clause.OK
}

// fsync is fsync, fdatasync and fsync_range.
func (m *Model) fsync(p *proc, c *call.Call, _ *call.Result) clause.Cause {
	f, no := p.vnodeOf(c.FD)
	if no != 0 {
		return no
	}
	if c.Op == call.Fsync {
		return clause.OK
	}
	if f.flags&kern.FWRITE == 0 {
		return clause.NotWritable
	}
	if c.Op == call.Fdatasync {
		return clause.OK
	}
	switch c.Flags & (kern.FDATASYNC | kern.FFILESYNC) {
	case kern.FDATASYNC, kern.FFILESYNC:
	default:
		return clause.BadFlags
	}
	if c.Size != 0 && c.Off+c.Size < c.Off {
		return clause.BadRange
	}
	return clause.OK
}

func (m *Model) sync(*proc, *call.Call, *call.Result) clause.Cause { return clause.OK }
