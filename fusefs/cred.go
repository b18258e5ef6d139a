//go:build linux

package fusefs

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"

	"rumpvfs/kern"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// credCache keeps the credentials of the last request of the superuser, whose
// groups decide nothing.
type credCache struct{ root atomic.Pointer[kern.Cred] }

// of returns the credentials that a request is made with. The host sends user
// and group; the other groups are looked up where it tells of processes, and
// are none if the process cannot be seen from here.
func (c *credCache) of(h *fuse.InHeader) *kern.Cred {
	if h.Uid == 0 {
		cred := c.root.Load()
		if cred == nil || cred.EGID != h.Gid {
			cred = newCred(&h.Owner, nil)
			c.root.Store(cred)
		}
		return cred
	}
	return newCred(&h.Owner, groupsOf(h.Pid))
}

func newCred(o *fuse.Owner, groups []uint32) *kern.Cred {
	return &kern.Cred{
		UID: o.Uid, EUID: o.Uid, SvUID: o.Uid,
		GID: o.Gid, EGID: o.Gid, SvGID: o.Gid,
		Groups: groups,
	}
}

// groupsOf returns the supplementary groups of a process of the host.
func groupsOf(pid uint32) []uint32 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil
	}
	return parseGroups(b)
}

// parseGroups finds the groups in the text of /proc/PID/status.
func parseGroups(status []byte) (groups []uint32) {
	for line := range bytes.Lines(status) {
		list, ok := bytes.CutPrefix(line, []byte("Groups:"))
		if !ok {
			continue
		}
		for f := range bytes.FieldsSeq(list) {
			if gid, err := strconv.ParseUint(string(f), 10, 32); err == nil {
				groups = append(groups, uint32(gid))
			}
		}
		break
	}
	return groups
}
