package genfs_test

import (
	"testing"

	"rumpvfs/genfs"
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

const (
	owner, group     = 10, 20
	stranger, others = 11, 21
)

// people are all the ways to stand to a file of owner and group.
var people = []struct {
	name           string
	cred           kern.Cred
	own, eff, supp bool // is owner; has the group as effective, supplementary
}{
	{"root", kern.Cred{}, false, false, false},
	{"owner", kern.Cred{EUID: owner, EGID: others}, true, false, false},
	{"owner in the group", kern.Cred{EUID: owner, EGID: group}, true, true, false},
	{"owner also in the group", kern.Cred{EUID: owner, EGID: others, Groups: []uint32{5, group}}, true, false, true},
	{"group", kern.Cred{EUID: stranger, EGID: group}, false, true, false},
	{"also in the group", kern.Cred{EUID: stranger, EGID: others, Groups: []uint32{group}}, false, false, true},
	{"other", kern.Cred{EUID: stranger, EGID: others}, false, false, false},
	{"owner by real uid only", kern.Cred{UID: owner, GID: group, EUID: stranger, EGID: others}, false, false, false},
}

// TestCanAccess goes through all modes, wants and people. The rule it checks
// against is spelled out bit by bit.
func TestCanAccess(t *testing.T) {
	for _, who := range people {
		for mode := uint32(0); mode <= kern.ALLPERMS; mode++ {
			for want := 0; want < 8; want++ {
				allowed := true
				for _, b := range []struct {
					want              int
					user, group, rest uint32
				}{
					{vnode.VREAD, kern.S_IRUSR, kern.S_IRGRP, kern.S_IROTH},
					{vnode.VWRITE, kern.S_IWUSR, kern.S_IWGRP, kern.S_IWOTH},
					{vnode.VEXEC, kern.S_IXUSR, kern.S_IXGRP, kern.S_IXOTH},
				} {
					bit := b.rest
					if who.own {
						bit = b.user
					} else if who.eff || who.supp {
						bit = b.group
					}
					if want&b.want != 0 && mode&bit == 0 {
						allowed = false
					}
				}
				err := genfs.CanAccess(vnode.VREG, mode, owner, group, want, &who.cred)
				if (err == nil) != allowed || err != nil && err != kern.EACCES {
					t.Fatalf("%s, mode %#o, want %o: %v", who.name, mode, want, err)
				}
			}
		}
	}
}

func TestAccessAction(t *testing.T) {
	for _, c := range []struct {
		mode     int
		t        vnode.Vtype
		fileMode uint32
		want     kern.Action
	}{
		{0, vnode.VREG, 0, 0},
		{vnode.VREAD, vnode.VREG, 0666, kern.KAUTH_VNODE_READ_DATA},
		{vnode.VWRITE, vnode.VREG, 0, kern.KAUTH_VNODE_WRITE_DATA},
		{vnode.VEXEC, vnode.VREG, 0666, kern.KAUTH_VNODE_EXECUTE},
		{vnode.VEXEC, vnode.VREG, 0010, kern.KAUTH_VNODE_EXECUTE | kern.KAUTH_VNODE_IS_EXEC},
		{vnode.VEXEC, vnode.VDIR, 0, kern.KAUTH_VNODE_EXECUTE | kern.KAUTH_VNODE_IS_EXEC},
		{vnode.VREAD | vnode.VWRITE, vnode.VREG, 0001,
			kern.KAUTH_VNODE_READ_DATA | kern.KAUTH_VNODE_WRITE_DATA | kern.KAUTH_VNODE_IS_EXEC},
	} {
		if got := genfs.AccessAction(c.mode, c.t, c.fileMode); got != c.want {
			t.Errorf("AccessAction(%o, %v, %o) = %#x, want %#x", c.mode, c.t, c.fileMode, got, c.want)
		}
	}
	// Together with the superuser's rule: root executes only what somebody may.
	root := kern.RootCred()
	for _, c := range []struct {
		fileMode uint32
		want     error
	}{{0600, kern.EACCES}, {0601, nil}} {
		err := kern.AuthorizeVnode(root, genfs.AccessAction(vnode.VEXEC, vnode.VREG, c.fileMode),
			genfs.CanAccess(vnode.VREG, c.fileMode, owner, group, vnode.VEXEC, root))
		wantErr(t, "root executes", err, c.want)
	}
}

func TestCanChmod(t *testing.T) {
	for _, who := range people {
		for _, typ := range []vnode.Vtype{vnode.VREG, vnode.VDIR, vnode.VLNK} {
			for bits := uint32(0); bits < 8; bits++ {
				mode := bits<<9 | 0644
				var want error
				switch {
				case !who.own:
					want = kern.EPERM
				case mode&kern.S_ISTXT != 0 && typ != vnode.VDIR:
					want = kern.EFTYPE
				case mode&kern.S_ISGID != 0 && !who.supp: // the effective group does not count
					want = kern.EPERM
				}
				if err := genfs.CanChmod(typ, &who.cred, owner, group, mode); err != want {
					t.Errorf("%s, %v, mode %#o: %v, want %v", who.name, typ, mode, err, want)
				}
			}
		}
	}
}

func TestCanChown(t *testing.T) {
	for _, who := range people {
		for _, uid := range []uint32{0, owner, stranger} {
			for _, gid := range []uint32{0, 5, group, others} {
				var want error = kern.EPERM
				if who.own && uid == owner {
					member := gid == who.cred.EGID
					for _, g := range who.cred.Groups {
						member = member || g == gid
					}
					if gid == group || member {
						want = nil
					}
				}
				if err := genfs.CanChown(&who.cred, owner, group, uid, gid); err != want {
					t.Errorf("%s to %d:%d: %v, want %v", who.name, uid, gid, err, want)
				}
			}
		}
	}
}

func TestCanChflags(t *testing.T) {
	for _, who := range people {
		for _, typ := range []vnode.Vtype{vnode.VREG, vnode.VDIR, vnode.VCHR, vnode.VBLK, vnode.VFIFO} {
			for _, sys := range []bool{false, true} {
				var want error = kern.EPERM
				if who.own && !sys && typ != vnode.VCHR && typ != vnode.VBLK {
					want = nil
				}
				if err := genfs.CanChflags(&who.cred, typ, owner, sys); err != want {
					t.Errorf("%s, %v, system flags %v: %v, want %v", who.name, typ, sys, err, want)
				}
			}
		}
	}
}

func TestCanSticky(t *testing.T) {
	for _, c := range []struct {
		uid  uint32
		want error
	}{{owner, nil}, {stranger, nil}, {0, kern.EPERM}, {12, kern.EPERM}} {
		wantErr(t, "sticky", genfs.CanSticky(&kern.Cred{EUID: c.uid}, owner, stranger), c.want)
	}
}

// Who may set times, and use extended attributes, hangs on VOP_ACCESS too.
func TestCanByAccess(t *testing.T) {
	m := newMachine(t, hypercall.Config{})
	vp := m.open(t, "")
	for _, access := range []error{nil, kern.EACCES, kern.EROFS} {
		m.fs.access = access
		for _, who := range people {
			for _, now := range []uint32{0, vnode.VA_UTIMES_NULL} {
				want := access
				switch {
				case who.own:
					want = nil
				case now == 0:
					want = kern.EPERM
				}
				if err := genfs.CanChtimes(m.l, vp, now, owner, &who.cred); err != want {
					t.Errorf("%s sets times, now %v, access %v: %v, want %v", who.name, now, access, err, want)
				}
			}
		}
		for attr, want := range map[string]error{
			"user.x": access, "syste": access, "": access,
			"system": kern.EPERM, "SYSTEM.x": kern.EPERM, "systematic": kern.EPERM,
		} {
			if err := genfs.CanExtattr(m.l, m.l.Cred, vnode.VREAD, vp, attr); err != want {
				t.Errorf("extended attribute %q, access %v: %v, want %v", attr, access, err, want)
			}
		}
	}
}
