package replay

import (
	"rumpvfs/rumpfs"
	"rumpvfs/sim/script"
)

// etfsType is what a word of the language says a host file is mapped as.
func etfsType(word string) rumpfs.EtfsType {
	return map[string]rumpfs.EtfsType{
		"REG": rumpfs.RUMP_ETFS_REG, "BLK": rumpfs.RUMP_ETFS_BLK, "CHR": rumpfs.RUMP_ETFS_CHR,
		"DIR": rumpfs.RUMP_ETFS_DIR, "DIR_SUBDIRS": rumpfs.RUMP_ETFS_DIR_SUBDIRS,
	}[word]
}

func (s *Session) etfsRegister(a script.Args) answer {
	return done(s.current.EtfsRegister(s.hostPath(a, 0), s.hostPath(a, 1), etfsType(a.Word(2))))
}

func (s *Session) etfsRegisterWithsize(a script.Args) answer {
	return done(s.current.EtfsRegisterWithsize(s.hostPath(a, 0), s.hostPath(a, 1), etfsType(a.Word(2)),
		uint64(a.Int64(3)), uint64(a.Int64(4))))
}

func (s *Session) etfsRemove(a script.Args) answer {
	return done(s.current.EtfsRemove(s.hostPath(a, 0)))
}
