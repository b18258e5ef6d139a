package replay

import (
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/sim/script"
)

// stat is the answer of the calls that give a file's attributes.
func (s *Session) stat(st kern.Stat, err error) answer {
	if err != nil {
		return answer{err: err}
	}
	return answer{text: script.FormatStat(&st, &s.aliases)}
}

func (s *Session) fstatat(a script.Args) answer {
	return s.stat(s.current.Fstatat(fd(a, 0), s.path(a, 1), int(a.Int32(2))))
}

func (s *Session) times(a script.Args) answer {
	st, err := s.current.Lstat(s.path(a, 0))
	if err != nil {
		return answer{err: err}
	}
	return answer{text: script.FormatTimes(&st)}
}

// timevals are the times that are parameter 1, nil for the null pointer.
func timevals(a script.Args) *[2]sim.Timeval {
	at, mt, ok := a.Times(1)
	if !ok {
		return nil
	}
	return &[2]sim.Timeval{{Sec: at.Sec, Usec: int64(at.Usec)}, {Sec: mt.Sec, Usec: int64(mt.Usec)}}
}

func (s *Session) access(a script.Args) answer {
	return done(s.current.Access(s.path(a, 0), int(a.Int32(1))))
}

func (s *Session) fchown(a script.Args) answer {
	return done(s.current.Fchown(fd(a, 0), a.Uint32(1), a.Uint32(2)))
}

func (s *Session) mknod(a script.Args) answer {
	return done(s.current.Mknod(s.path(a, 0), a.Uint32(1), kern.Dev(a.Int64(2))))
}

// statvfs is the answer of the calls about one mounted file system.
func statvfs(sb kern.Statvfs, err error) answer {
	if err != nil {
		return answer{err: err}
	}
	return answer{text: script.FormatStatvfs(&sb)}
}

func (s *Session) getvfsstat(script.Args) answer {
	list, err := s.current.Getvfsstat(kern.ST_WAIT)
	if err != nil {
		return answer{err: err}
	}
	return answer{value: int64(len(list)), text: script.FormatMounts(list)}
}

func (s *Session) getfh(a script.Args) answer {
	_, err := s.current.Getfh(s.path(a, 0))
	return done(err)
}
