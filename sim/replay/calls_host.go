package replay

import "rumpvfs/sim/script"

// hostPath is parameter i, a path of the host. The null pointer is no path
// that any host has.
func (s *Session) hostPath(a script.Args, i int) string {
	p, _ := a.Path(i, s.home)
	return p
}

func (s *Session) hostWrite(a script.Args) answer {
	data, _ := a.Bytes(1)
	return number(s.host.WriteFile(s.hostPath(a, 0), data))
}

func (s *Session) hostRead(a script.Args) answer {
	data, err := s.host.ReadFile(s.hostPath(a, 0))
	return readData(data, len(data), err)
}

func (s *Session) hostCopy(a script.Args) answer {
	return number(s.host.Copy(s.hostPath(a, 0), s.hostPath(a, 1)))
}

func (s *Session) hostTruncate(a script.Args) answer {
	return done(s.host.Truncate(s.hostPath(a, 0), a.Int64(1)))
}
