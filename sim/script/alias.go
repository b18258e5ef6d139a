package script

import (
	"strconv"

	"rumpvfs/kern"
)

// Aliases number the inodes and devices of one section in the order in which
// they are seen, because the kernel's own numbers say nothing. The zero value
// is ready for use.
type Aliases struct {
	inodes  map[inode]int
	devices map[uint64]int
}

// An inode is a file's identity. Files whose device equals their own number
// all have ownDevice.
type inode struct {
	dev       uint64
	ownDevice bool
	ino       uint64
}

// device says how numbers of files on the device of st are told apart.
func device(st *kern.Stat) inode {
	if st.Dev == st.Ino {
		return inode{ownDevice: true}
	}
	return inode{dev: st.Dev}
}

// inode is the alias of the file ino on the device of dir, "i1" for the first
// one seen.
func (a *Aliases) inode(dir *kern.Stat, ino uint64) string {
	key := device(dir)
	key.ino = ino
	if a.inodes == nil {
		a.inodes = map[inode]int{}
	}
	n, seen := a.inodes[key]
	if !seen {
		n = len(a.inodes) + 1
		a.inodes[key] = n
	}
	return "i" + strconv.Itoa(n)
}

// device is the alias of the device of st, "d1" for the first one seen, or
// "ino" if it equals the file's own number.
func (a *Aliases) device(st *kern.Stat) string {
	if st.Dev == st.Ino {
		return "ino"
	}
	if a.devices == nil {
		a.devices = map[uint64]int{}
	}
	n, seen := a.devices[st.Dev]
	if !seen {
		n = len(a.devices) + 1
		a.devices[st.Dev] = n
	}
	return "d" + strconv.Itoa(n)
}
