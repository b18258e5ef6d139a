package model

import (
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
)

// How many bytes a fifo holds, and for how many there must be room before more than there is room for are written in part.
const (
	fifoRoom = 4096
	fifoPart = 2048
)

// A fifo is what those share who have a file of that type open, where there is a file system of fifos (Caps.Fifos). It comes
// with the first of them and goes, with what is in it, with the last.
type fifo struct {
	readers, writers int // open files
	data             []byte
	end              bool     // the last writer has gone; with quirk fifo-eof, and no read has said so
	owner            [2]int64 // process that F_SETOWN of a reader, or of a writer, has named last
}

// Whose owner is asked for.
const (
	readSide = iota
	writeSide
)

// fifofs reports whether a file is a fifo that can be used as one.
func (m *Model) fifofs(n *node) bool { return n.isFifo() && m.config.Caps.Fifos }

// nonblock reports whether calls on an open file do not wait.
func (f *file) nonblock() bool { return f.flags&kern.FNONBLOCK != 0 }

func (f *file) reads() bool  { return f.flags&kern.FREAD != 0 }
func (f *file) writes() bool { return f.flags&kern.FWRITE != 0 }

// join counts an open file among those who use the fifo that it is.
func (f *file) join() {
	if f.node.fifo == nil {
		f.node.fifo = new(fifo)
	}
	p := f.node.fifo
	if f.reads() {
		p.readers++
	}
	if f.writes() {
		p.writers++
		p.end = false
	}
}

// part undoes join.
func (f *file) part() {
	p := f.node.fifo
	if f.reads() {
		p.readers--
	}
	if f.writes() {
		p.writers--
		p.end = p.writers == 0
	}
	if p.readers+p.writers == 0 {
		f.node.fifo = nil
	}
}

// meet says why a fifo, which f has joined, is not open yet: one opens it together with somebody on the other side. A reader
// does without if there is something to read, or an end. Who does not want to wait may read from nobody, not write to nobody.
func (f *file) meet() clause.Cause {
	p := f.node.fifo
	switch {
	case f.writes() && p.readers == 0 && f.nonblock():
		return clause.NoReader
	case f.writes() && p.readers == 0:
		return clause.AwaitsReader
	case f.reads() && p.writers == 0 && len(p.data) == 0 && !p.end && !f.nonblock():
		return clause.AwaitsWriter
	}
	return 0
}

// readFifo takes what there is out of a fifo. Without anything in it, it is at its end if it has no writer.
func (m *Model) readFifo(f *file, count int64, r *call.Result) clause.Cause {
	m.accessed(f.node)
	p := f.node.fifo
	switch {
	case count == 0:
		return clause.Nothing
	case len(p.data) == 0 && p.writers > 0 && f.nonblock():
		return clause.NoData
	case len(p.data) == 0 && p.writers > 0:
		return clause.AwaitsData
	case len(p.data) == 0 && !p.end && !f.nonblock() && m.has(kern.QuirkFifoEOF):
		return clause.EndTold
	case len(p.data) == 0:
		p.end = p.end && !m.has(kern.QuirkFifoEOF)
		return clause.EOF
	}
	take := min(int(min(count, fifoRoom)), len(p.data))
	r.Data = append(r.Data, p.data[:take]...)
	r.Ret = int64(take)
	p.data = append(p.data[:0], p.data[take:]...)
	if int64(take) < count {
		return clause.Short
	}
	return clause.OK
}

// writeFifo puts data into a fifo: all of it, or as much as there is room for if that is much.
func (m *Model) writeFifo(f *file, data string, r *call.Result) clause.Cause {
	m.modified(f.node)
	p := f.node.fifo
	if p.readers == 0 {
		return clause.BrokenPipe
	}
	put := len(data)
	if room := fifoRoom - len(p.data); room < put {
		if put = room; room < fifoPart {
			put = 0
		}
	}
	p.data = append(p.data, data[:put]...)
	r.Ret = int64(put)
	switch {
	case len(data) == 0:
		return clause.Nothing
	case put == len(data):
		return clause.OK
	case !f.nonblock():
		return clause.AwaitsRoom
	case put == 0:
		return clause.NoRoom
	}
	return clause.InPart
}

// fifoOwner is F_GETOWN and F_SETOWN of a fifo.
func (m *Model) fifoOwner(f *file, c *call.Call, r *call.Result) clause.Cause {
	p := f.node.fifo
	if c.Flags == kern.F_GETOWN {
		r.Ret = p.owner[readSide]
		if f.writes() {
			r.Ret = p.owner[writeSide]
		}
		return clause.GetOwner
	}
	pid := int64(int32(c.N))
	switch {
	case pid < 0:
		return clause.NoGroup
	case pid > 0 && !m.isProcess(pid):
		return clause.NoSuchOwner
	}
	if f.reads() {
		p.owner[readSide] = pid
	}
	if f.writes() {
		p.owner[writeSide] = pid
	}
	return clause.SetOwner
}

func (m *Model) isProcess(pid int64) bool {
	for i := range m.procs {
		if m.procs[i].here && m.procs[i].pid == pid {
			return true
		}
	}
	return false
}

// fifoLimit is a limit of fifos.
func fifoLimit(name int32) (int64, bool) {
	switch name {
	case kern.PC_LINK_MAX:
		return kern.LINK_MAX, true
	case kern.PC_PIPE_BUF:
		return kern.PIPE_BUF, true
	case kern.PC_CHOWN_RESTRICTED, kern.PC_SYNC_IO:
		return 1, true
	}
	return 0, false
}
