package namei

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

func (w *world) getcwd(n uint64) string {
	w.t.Helper()
	path, err := Getcwd(w.l, n)
	w.balanced("getcwd")
	if err != nil {
		var e kern.Errno
		errors.As(err, &e)
		return e.Name()
	}
	return path
}

// chdir is chdir(2).
func (w *world) chdir(path string) {
	w.t.Helper()
	vp, err := ChdirLookup(w.l, path)
	if err != nil {
		w.t.Fatalf("chdir %s: %v", path, err)
	}
	w.cwdi.Chdir(w.l, vp)
	w.rebase()
}

func TestGetcwd(t *testing.T) {
	w := testWorld(t)
	for _, path := range []string{"/", "/d", "/d/e", "/m", "/m/sub", "/m/sub/deep"} {
		w.chdir(path)
		if got := w.getcwd(1024); got != path {
			t.Errorf("in %s: %s", path, got)
		}
	}
	w.chdir("/ld/../ld/e")
	for n, want := range map[uint64]string{
		5: "/d/e", 4: "ERANGE", 2: "ERANGE", 1: "ERANGE", 0: "ERANGE", 1 << 31: "ERANGE", 1 << 32: "ERANGE", 1 << 30: "/d/e", 1<<64 - 1: "ERANGE",
	} {
		if got := w.getcwd(n); got != want {
			t.Errorf("getcwd %d: %s, want %s", n, got, want)
		}
	}
	w.chdir("/")
	if got := w.getcwd(2); got != "/" {
		t.Errorf("the root in two bytes: %s", got)
	}
}

func TestGetcwdDeep(t *testing.T) {
	name := strings.Repeat("n", 200)
	w := newWorld(t, hypercall.Native, "")
	for range 30 {
		n := w.fs.new(vnode.VDIR)
		nodeOf(w.cwdi.Cdir).add(name, n)
		w.chdir(name)
		path := ""
		for d := n; d.parent != nil; d = d.parent {
			path += "/" + name
		}
		want := path
		if len(path)+1 > 4*kern.MAXPATHLEN {
			want = "ERANGE"
		}
		if got := w.getcwd(1 << 20); got != want {
			t.Fatalf("%d deep: %.20q... (%d)", len(path)/201, got, len(got))
		}
	}
}

// TestGetcwdManyNames has the directory's name in a later block.
func TestGetcwdManyNames(t *testing.T) {
	w := newWorld(t, hypercall.Native, "")
	for range 100 {
		w.fs.root.add(strings.Repeat("x", 100), w.fs.new(vnode.VREG))
	}
	w.fs.root.add("here", w.fs.new(vnode.VDIR))
	w.chdir("/here")
	if got := w.getcwd(100); got != "/here" {
		t.Error(got)
	}
}

func TestGetcwdChroot(t *testing.T) {
	w := testWorld(t)
	w.chdir("/m/sub/deep")
	w.cwdi.ChangeRoot(w.l, w.vp("/m"))
	w.rebase()
	if got := w.getcwd(100); got != "/sub/deep" {
		t.Errorf("below the root of a mount: %s", got)
	}
	w.cwdi.ChangeRoot(w.l, w.vp("/m/sub"))
	w.rebase()
	if got := w.getcwd(100); got != "/deep" {
		t.Errorf("below the middle of a mount: %s", got)
	}
	w.cwdi.ChangeRoot(w.l, w.vp("/d"))
	w.rebase()
	if got := w.getcwd(100); got != "/" {
		t.Errorf("chroot to a place that is not above: %s", got)
	}
	w.cwdi.Chdir(w.l, w.vp("/m"))
	w.rebase()
	if got := w.getcwd(100); got != "ENOENT" {
		t.Errorf("outside of the root: %s", got)
	}
}

func TestGetcwdTrouble(t *testing.T) {
	in := func(dir string, want string, prepare func(w *world)) {
		t.Helper()
		w := testWorld(t)
		w.chdir(dir)
		prepare(w)
		w.rebase()
		if got := w.getcwd(100); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	in("/d/e", "ENOENT", func(w *world) { w.at("/d").remove("e") })
	in("/d/e", "ENOENT", func(w *world) { w.fs.root.remove("d") })
	in("/d/e", "EACCES", func(w *world) { w.at("/d/e").deny = vnode.VEXEC })
	in("/d/e", "/d/e", func(w *world) { w.at("/d/e").deny = vnode.VREAD })
	in("/d/e", "EACCES", func(w *world) { w.at("/d").deny = vnode.VREAD })
	in("/d/e", "/d/e", func(w *world) { w.fs.root.deny = vnode.VREAD })
	in("/d/e", "EIO", func(w *world) { w.fs.lockErr[w.at("/d")] = kern.EIO })
	in("/d/e", "EIO", func(w *world) { w.at("/d/e").ino = 0 })
	in("/d/e", "ENOENT", func(w *world) {
		w.at("/d/e").ino = 99
		w.at("/d").names[1].n = &node{fs: w.fs, ino: 98} // ".." leads up, but no name down
	})
	in("/d/e", "EBADF", func(w *world) {
		vp := w.vp("/d/e")
		vp.Gone(w.l)
	})
	in("/d/e", "ENOTDIR", func(w *world) { w.cwdi.Chdir(w.l, w.vp("/tty")) })
	in("/d", "ENOENT", func(w *world) { // below a root that nothing leads to
		other := w.mount("other", nil)
		w.cwdi.Chdir(w.l, other.vget(w.l, other.root))
	})
}

func TestGetcwdReaddir(t *testing.T) {
	type answer struct {
		eof bool
		err error
		n   int64 // bytes
	}
	block := (&kern.Dirent{Fileno: 77, Type: kern.DT_DIR, Name: "x"}).Append(nil)
	torn := append([]byte(nil), block...)
	binary.LittleEndian.PutUint16(torn[8:], 15)
	short := append([]byte(nil), block...)
	binary.LittleEndian.PutUint16(short[10:], 400)
	for _, c := range []struct {
		what    string
		answers []answer
		block   []byte
		want    string
	}{
		{"forgotten offsets, then the truth", []answer{{err: kern.EINVAL}, {err: kern.EINVAL}, {err: kern.EINVAL}}, nil, "/d"},
		{"forgotten offsets for ever", []answer{{err: kern.EINVAL}, {err: kern.EINVAL}, {err: kern.EINVAL}, {err: kern.EINVAL}}, nil, "EINVAL"},
		{"forgotten offsets at the end", []answer{{eof: true, err: kern.EINVAL}}, nil, "ENOENT"},
		{"a failure", []answer{{err: kern.EIO}}, nil, "EIO"},
		{"no progress", []answer{{}}, nil, "ENOENT"},
		{"another name", []answer{{n: int64(len(block))}}, block, "/d"},
		{"half an entry", []answer{{n: 10}}, block, "EINVAL"},
		{"an entry that is too short", []answer{{n: int64(len(block))}}, torn, "EINVAL"},
		{"an entry that is longer than the block", []answer{{n: int64(len(block)) - 1}}, block, "EINVAL"},
		{"a name that is longer than its entry", []answer{{n: int64(len(block))}}, short, "EINVAL"},
	} {
		w := testWorld(t)
		w.chdir("/d")
		w.fs.badReaddir = func(uio *kern.Uio) (bool, error, bool) {
			if len(c.answers) == 0 {
				return false, nil, false
			}
			a := c.answers[0]
			c.answers = c.answers[1:]
			uio.Move(c.block[:a.n])
			if a.n > 0 {
				uio.Offset = 0
			}
			return a.eof, a.err, true
		}
		if got := w.getcwd(100); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}

// TestGetcwdWhiteout has a whiteout with the directory's number.
func TestGetcwdWhiteout(t *testing.T) {
	w := testWorld(t)
	w.chdir("/d")
	wht := (&kern.Dirent{Fileno: w.at("/d").ino, Type: kern.DT_WHT, Name: "w"}).Append(nil)
	first := true
	w.fs.badReaddir = func(uio *kern.Uio) (eof bool, err error, done bool) {
		done, first = first, false
		if done {
			uio.Move(wht)
			uio.Offset = 0
		}
		return false, nil, done
	}
	if got := w.getcwd(100); got != "/d" {
		t.Error(got)
	}
}

func TestPathOf(t *testing.T) {
	w := testWorld(t)
	w.cwdi.ChangeRoot(w.l, w.vp("/m")) // does not matter
	deep := w.vp("/m/sub/deep")
	gone := w.vp("/d/e")
	w.at("/d").remove("e")
	w.rebase()
	if path, err := PathOf(w.l, deep); path != "/m/sub/deep" || err != nil {
		t.Errorf("%q, %v", path, err)
	}
	if path, err := PathOf(w.l, gone); err != kern.ENOENT {
		t.Errorf("of a removed directory: %q, %v", path, err)
	}
	w.balanced("PathOf")
}

func TestVnIsUnder(t *testing.T) {
	w := testWorld(t)
	for _, c := range []struct {
		lower, upper string
		want         bool
	}{
		{"/", "/", true}, {"/d", "/", true}, {"/d/e", "/d", true}, {"/d", "/d/e", false}, {"/d", "/m", false},
		{"/m", "/", true}, {"/m/sub/deep", "/m", true}, {"/m/sub/deep", "/m/sub", true}, {"/m/sub", "/m/sub/deep", false},
	} {
		lower, upper := w.vp(c.lower), w.vp(c.upper)
		if got := VnIsUnder(w.l, lower, upper); got != c.want {
			t.Errorf("%s under %s: %v", c.lower, c.upper, got)
		}
		lower.Rele(w.l)
		upper.Rele(w.l)
		w.balanced("isunder")
	}
	d := w.vp("/d")
	if !VnIsUnder(w.l, d, nil) {
		t.Error("/d is not under the root of the process")
	}
	// Nobody looks further up than 512 directories.
	deep := w.at("/m/sub/deep")
	for range kern.MAXPATHLEN / 2 {
		deep = deep.add("x", deep.fs.new(vnode.VDIR))
	}
	vp := deep.fs.vget(w.l, deep)
	if !VnIsUnder(w.l, vp, d) {
		t.Error("513 directories were looked at")
	}
}

func TestProcIsUnder(t *testing.T) {
	w := testWorld(t)
	with := func(root string) *kern.Lwp {
		p := kern.NewProc(w.k, kern.RootCred())
		cwdi := w.cwdi.Copy(w.l)
		if root != "" {
			cwdi.Rdir = w.vp(root)
		}
		p.Cwdi = cwdi
		return kern.NewLwp(w.k, p, root)
	}
	none, d, e := with(""), with("/d"), with("/d/e")
	for _, c := range []struct {
		p1, p2 *kern.Lwp
		want   bool
	}{
		{none, none, true}, {none, d, false}, {d, none, true}, {d, d, true}, {e, d, true}, {d, e, false},
	} {
		if got := ProcIsUnder(c.p2, c.p1.Proc); got != c.want {
			t.Errorf("%s under %s: %v", c.p1.Name(), c.p2.Name(), got)
		}
	}
}

func TestSetStatvfsInfo(t *testing.T) {
	w := testWorld(t)
	mp := w.at("/m").fs.mp
	long := strings.Repeat("x", kern.VFS_MNAMELEN-2)
	set := func(onp, fromp, name string, want error) {
		t.Helper()
		if err := SetStatvfsInfo(w.l, onp, fromp, name, mp); err != want {
			t.Errorf("%.10s %.10s: %v", onp, fromp, err)
		}
		w.balanced("set_statvfs_info")
	}
	is := func(on, from, name string) {
		t.Helper()
		if s := &mp.Stat; s.Mntonname != on || s.Mntfromname != from || s.Fstypename != name {
			t.Errorf("%q from %q type %q", s.Mntonname, s.Mntfromname, s.Fstypename)
		}
	}
	set("/m", "fs1", "memfs", nil)
	is("/m", "fs1", "memfs")
	set("", "", strings.Repeat("y", 40), nil)
	is("/m", "fs1", strings.Repeat("y", kern.VFS_NAMELEN-1))
	set(long+"x", "fs1", "memfs", kern.ENAMETOOLONG)
	set("/m", long+"x", "memfs", kern.ENAMETOOLONG)
	set(long, long, "memfs", nil)
	is(long, long, "memfs")
	w.cwdi.ChangeRoot(w.l, w.vp("/d/e"))
	w.rebase()
	set("/m", "fs1", "memfs", nil)
	is("/d/e/m", "fs1", "memfs")
	set(long, "fs1", "memfs", kern.ENAMETOOLONG)
	w.at("/d").remove("e")
	set("/m", "fs1", "memfs", kern.ENOENT)
}

// TestSetStatvfsInfoLongRoot has a root whose path leaves no room.
func TestSetStatvfsInfoLongRoot(t *testing.T) {
	w := newWorld(t, hypercall.Native, "")
	d := w.fs.root
	for range 11 {
		d = d.add(strings.Repeat("n", 92), w.fs.new(vnode.VDIR))
	}
	w.cwdi.ChangeRoot(w.l, w.fs.vget(w.l, d))
	if err := SetStatvfsInfo(w.l, "/m", "", "memfs", w.fs.mp); err != nil || len(w.fs.mp.Stat.Mntonname) != kern.VFS_MNAMELEN-1 {
		t.Errorf("%v, %d bytes", err, len(w.fs.mp.Stat.Mntonname))
	}
}

func TestMagicLinks(t *testing.T) {
	w := newWorld(t, hypercall.Native, "/l -> x\n/i386/\n/i386/f")
	m := &MagicLinks{
		MachineArch: "x86_64", Machine: "amd64", Hostname: "hal", Domainname: "dom", Ostype: "NetBSD", Osrelease: "6.99.47",
		KernelIdent: "RUMP", EmulationTag: "netbsd",
	}
	cred := &kern.Cred{UID: 1, EUID: 4294967295, GID: 3, EGID: 4}
	for in, want := range map[string]string{
		"plain":                        "plain",
		"@machine":                     "amd64",
		"/a/@machine/b":                "/a/amd64/b",
		"@machine_arch/@machine":       "x86_64/amd64",
		"@machines":                    "@machines",
		"@machin":                      "@machin",
		"x@{machine}y":                 "xamd64y",
		"x@machine":                    "xamd64",
		"@hostname":                    "hal",
		"@domainname/@ostype":          "dom/NetBSD",
		"@osrelease":                   "6.99.47",
		"@emul/@kernel_ident":          "netbsd/RUMP",
		"@uid/@ruid/@gid/@rgid":        "4294967295/1/4/3",
		"@":                            "@",
		"a@/b":                         "a@/b",
		"@{":                           "@{",
		"@{}":                          "@{}",
		"@{foo}":                       "@{foo}",
		"@{machine":                    "@{machine",
		"@{foo}/@machine":              "@{foo}/@{machine", // the brace is still expected
		"@{foo}/@machine}/@machine":    "@{foo}/amd64/amd64",
		"@{machine}@{ostype}/@machine": "amd64NetBSD/amd64",
	} {
		if got, err := m.substitute(append(make([]byte, 0, kern.MAXPATHLEN), in...), cred, kern.Rev1125); string(got) != want || err != nil {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	for n, want := range map[int]error{7: nil, 8: kern.ENAMETOOLONG} {
		m.Machine = strings.Repeat("m", n)
		if _, err := m.substitute([]byte(strings.Repeat("x", 1015)+"/@machine"), cred, kern.Rev1125); err != want {
			t.Errorf("%d bytes: %v", 1016+n, err)
		}
	}
	over := append(make([]byte, 0, kern.MAXPATHLEN), "@machine/"+strings.Repeat("x", 1014)...)
	m.Machine = strings.Repeat("m", 20)
	if msg := panics(func() { m.substitute(over, cred, kern.Rev1125) }); msg != "undefined: magic-symlink-overflow" {
		t.Errorf("a replacement that pushes the rest out: %s", msg)
	}
	if _, err := m.substitute(append(over[:0], "@machine/"+strings.Repeat("x", 1014)...), cred, kern.Fixed); err != kern.ENAMETOOLONG {
		t.Errorf("the same without the quirk: %v", err)
	}

	w.at("/l").target = "@machine/f"
	if got := w.walk(lookup, follow, "/l"); got != "ENOENT" {
		t.Errorf("magic without being asked: %s", got)
	}
	w.cwdi.Magic = &MagicLinks{Machine: "i386"}
	if got := w.walk(lookup, follow, "/l"); got != "root:/i386/f" {
		t.Errorf("magic: %s", got)
	}
	w.cwdi.Magic.Machine = strings.Repeat("m", kern.MAXPATHLEN)
	if got := w.walk(lookup, follow, "/l"); got != "ENAMETOOLONG" {
		t.Errorf("too much magic: %s", got)
	}
	w.cwdi.Magic.Machine = ""
	if got := w.walk(lookup, follow, "/l"); got != "ENOENT" {
		t.Errorf("\"\" and /f: %s", got)
	}
	w.at("/l").target = "@machine"
	if got := w.walk(lookup, leaf|follow, "/i386/../l"); got != "root:/*" {
		t.Errorf("a link that becomes empty: %s", got)
	}
}
