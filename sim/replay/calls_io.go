package replay

import (
	"rumpvfs/kern"
	"rumpvfs/sim/script"
)

// maxBuffer is the largest buffer in bytes that a read gets, however much it
// asks for.
const maxBuffer = 64 << 20

// buffer is memory for n bytes, as far as maxBuffer goes. It is good until
// the next call.
func (s *Session) buffer(n uint64) []byte {
	n = min(n, maxBuffer)
	if uint64(len(s.buf)) < n {
		s.buf = make([]byte, n)
	}
	return s.buf[:n]
}

// readData is the answer of a call that read n bytes into b.
func readData(b []byte, n int, err error) answer {
	if err != nil {
		return answer{err: err}
	}
	return answer{value: int64(n), text: script.FormatData(b[:n])}
}

func (s *Session) read(a script.Args) answer {
	n := uint64(a.Int64(1))
	b := s.buffer(n)
	got, err := s.current.ReadN(fd(a, 0), b, n)
	return readData(b, got, err)
}

func (s *Session) pread(a script.Args) answer {
	n := uint64(a.Int64(1))
	b := s.buffer(n)
	got, err := s.current.PreadN(fd(a, 0), b, n, a.Int64(2))
	return readData(b, got, err)
}

func (s *Session) readlink(a script.Args) answer {
	b := s.buffer(uint64(a.Int64(1)))
	got, err := s.current.Readlink(s.path(a, 0), b)
	return readData(b, got, err)
}

func (s *Session) getdents(a script.Args) answer {
	b := s.buffer(uint64(a.Int64(1)))
	n, err := s.current.Getdents(fd(a, 0), b)
	if err != nil {
		return answer{err: err}
	}
	dir, err := s.current.Fstat(fd(a, 0))
	if err != nil {
		return answer{err: err}
	}
	var entries []kern.Dirent
	for rest := b[:n]; len(rest) > 0; {
		var d kern.Dirent
		if d, rest, err = kern.DecodeDirent(rest); err != nil {
			return answer{err: err}
		}
		entries = append(entries, d)
	}
	return answer{value: int64(n), text: script.FormatDirents(n, entries, &dir, &s.aliases)}
}

func (s *Session) fsyncRange(a script.Args) answer {
	return done(s.current.FsyncRange(fd(a, 0), int(a.Int32(1)), a.Int64(2), a.Int64(3)))
}

func (s *Session) posixFadvise(a script.Args) answer {
	err := s.current.PosixFadvise(fd(a, 0), a.Int64(1), a.Int64(2), int(a.Int32(3)))
	e, ok := err.(kern.Errno)
	if err != nil && !ok {
		return answer{err: err}
	}
	return answer{value: int64(e), text: script.FormatFadvise(e)}
}

func (s *Session) fcntl(a script.Args) answer {
	cmd := int(a.Int32(1))
	if fl, ok := a.Flock(2); ok {
		err := s.current.FcntlLock(fd(a, 0), cmd, &fl)
		if err == nil && cmd == kern.F_GETLK {
			return answer{text: script.FormatFlock(fl)}
		}
		return done(err)
	}
	n, err := s.current.Fcntl(fd(a, 0), cmd, a.Int64(2))
	if err == nil && cmd == kern.F_GETFL {
		return answer{value: int64(n), text: script.FormatFlags(int32(n))}
	}
	return number(n, err)
}
