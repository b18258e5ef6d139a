package replay

import (
	"maps"

	"rumpvfs/sim"
	"rumpvfs/sim/script"
)

func (s *Session) getcwd(a script.Args) answer {
	path, err := s.current.GetcwdN(uint64(a.Int64(0)))
	if err != nil {
		return answer{err: err}
	}
	return answer{value: int64(len(path) + 1), text: script.FormatCwd(path)}
}

func (s *Session) umask(a script.Args) answer {
	old, err := s.current.Umask(a.Uint32(0))
	if err != nil {
		return answer{err: err}
	}
	return answer{value: int64(old), text: script.FormatUmask(old)}
}

func (s *Session) getids(script.Args) answer {
	return answer{text: script.FormatIDs(s.current.Cred())}
}

func (s *Session) rfork(a script.Args) answer {
	flags := map[string]sim.RforkFlags{
		"COPY": sim.RUMP_RFFDG, "CLEAR": sim.RUMP_RFCFDG, "SHARE": sim.RUMP_RFSHFD,
	}
	child, err := s.current.Rfork(flags[a.Word(0)])
	if err != nil {
		return answer{err: err}
	}
	s.current = child
	return answer{text: script.FormatRfork(int32(child.Getpid()))}
}

func (s *Session) switchTo(a script.Args) answer {
	s.current = s.procs[a.Word(0)]
	return answer{text: script.FormatSwitch(int32(s.current.Getpid()))}
}

func (s *Session) exit(script.Args) answer {
	if err := s.current.Exit(); err != nil {
		return answer{err: err}
	}
	maps.DeleteFunc(s.procs, func(_ string, p *sim.Proc) bool { return p == s.current })
	s.current = s.procs["p0"]
	return answer{text: script.FormatExit()}
}
