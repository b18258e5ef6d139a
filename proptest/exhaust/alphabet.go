package exhaust

import (
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
)

// Alphabet is the calls that scripts are made of: over the names and the paths of two of them, and over what goes astray
// among them, such as "..", slashes behind and symbolic links. Descriptor 3 is the one that is read and written. Exchanging
// names gives calls that are in it again.
func Alphabet(names ...string) []call.Call {
	a := &alphabet{names: names}
	for _, x := range names {
		for _, y := range names {
			a.pairs = append(a.pairs, [2]string{x, y})
		}
	}
	a.makes()
	a.removes()
	a.moves()
	a.opens()
	a.looks()
	a.goes()
	a.descriptors()
	return a.calls
}

type alphabet struct {
	names []string
	pairs [][2]string
	calls []call.Call
}

func (a *alphabet) add(c call.Call) { a.calls = append(a.calls, c) }

// paths adds a call for every path of one name or two.
func (a *alphabet) paths(c call.Call) {
	a.each(c, "", "")
	for _, p := range a.pairs {
		c.Path = p[0] + "/" + p[1]
		a.add(c)
	}
}

// each adds a call for every name, with something before and behind it.
func (a *alphabet) each(c call.Call, before, behind string) {
	for _, n := range a.names {
		c.Path = before + n + behind
		a.add(c)
	}
}

// at adds a call for each of some paths.
func (a *alphabet) at(c call.Call, paths ...string) {
	for _, p := range paths {
		c.Path = p
		a.add(c)
	}
}

func (a *alphabet) makes() {
	mkdir := call.Call{Op: call.Mkdir, Mode: 0o755}
	a.paths(mkdir)
	a.each(mkdir, "", "/")
	a.at(mkdir, ".", "..")
	create := call.Call{Op: call.Mknod, Mode: kern.S_IFREG | 0o644}
	a.paths(create)
	a.each(create, "", "/")
	a.each(call.Call{Op: call.Mknod, Mode: kern.S_IFWHT}, "", "")
	symlink := call.Call{Op: call.Symlink}
	for _, p := range a.pairs { // to oneself, too
		symlink.Path, symlink.Path2 = p[0], p[1]
		a.add(symlink)
	}
	for _, symlink.Path2 = range []string{".", ".."} {
		a.each(symlink, "", "")
	}
	for _, p := range a.pairs { // from one directory into another
		if p[0] != p[1] {
			a.add(call.Call{Op: call.Symlink, Path: p[0] + "/" + p[0], Path2: "../" + p[1]})
		}
	}
}

func (a *alphabet) removes() {
	a.paths(call.Call{Op: call.Rmdir})
	a.each(call.Call{Op: call.Rmdir}, "", "/")
	a.at(call.Call{Op: call.Rmdir}, ".", "..")
	a.paths(call.Call{Op: call.Unlink})
	a.each(call.Call{Op: call.Unlink}, "", "/")
	a.each(call.Call{Op: call.Undelete}, "", "")
}

func (a *alphabet) moves() {
	for _, p := range a.pairs {
		a.add(call.Call{Op: call.Rename, Path: p[0], Path2: p[1]})
		if p[0] != p[1] {
			a.add(call.Call{Op: call.Link, Path: p[0], Path2: p[1]})
			a.add(call.Call{Op: call.Rename, Path: p[0], Path2: p[1] + "/" + p[0]})
			a.add(call.Call{Op: call.Link, Path: p[0], Path2: p[1] + "/" + p[1]})
		}
	}
}

func (a *alphabet) opens() {
	for _, flags := range []int32{kern.O_RDWR | kern.O_CREAT | kern.O_EXCL, kern.O_WRONLY | kern.O_TRUNC, kern.O_RDONLY,
		kern.O_RDWR | kern.O_APPEND, kern.O_RDONLY | kern.O_NOFOLLOW | kern.O_DIRECTORY} {
		a.each(call.Call{Op: call.Open, Flags: flags, Mode: 0o644}, "", "")
	}
	a.each(call.Call{Op: call.Open, Flags: kern.O_RDWR | kern.O_CREAT, Mode: 0o644}, "", "/")
	a.each(call.Call{Op: call.Openat, FD: 3, Flags: kern.O_RDWR | kern.O_CREAT, Mode: 0o600}, "", "")
	a.each(call.Call{Op: call.Unlinkat, FD: 3}, "", "")
	a.each(call.Call{Op: call.Unlinkat, FD: 3, Flags: kern.AT_REMOVEDIR}, "", "")
}

func (a *alphabet) looks() {
	a.paths(call.Call{Op: call.Lstat})
	a.paths(call.Call{Op: call.Stat})
	a.each(call.Call{Op: call.Stat}, "", "/..")
	a.each(call.Call{Op: call.Stat}, "", "/.")
	a.each(call.Call{Op: call.Stat}, "../", "")
	a.each(call.Call{Op: call.Lstat}, "", "/")
	a.at(call.Call{Op: call.Stat}, "..", "/", "")
	a.each(call.Call{Op: call.Readlink, N: 1024}, "", "")
	a.each(call.Call{Op: call.Access, Mode: kern.W_OK | kern.X_OK}, "", "")
}

func (a *alphabet) goes() {
	a.each(call.Call{Op: call.Chdir}, "", "")
	a.at(call.Call{Op: call.Chdir}, "..", "/")
	a.each(call.Call{Op: call.Chroot}, "", "")
	a.add(call.Call{Op: call.Getcwd, N: 1024})
	a.add(call.Call{Op: call.Seteuid, UID: 100})
	a.add(call.Call{Op: call.Seteuid})
	a.each(call.Call{Op: call.Chmod, Mode: 0}, "", "")
	a.each(call.Call{Op: call.Chmod, Mode: 0o1777}, "", "")
	a.each(call.Call{Op: call.Truncate, Size: 3}, "", "")
}

func (a *alphabet) descriptors() {
	for _, c := range []call.Call{{Op: call.Close}, {Op: call.Write, Data: "xy"}, {Op: call.Read, N: 4}, {Op: call.Pread, N: 1, Off: 1},
		{Op: call.Lseek}, {Op: call.Lseek, Off: 5}, {Op: call.Ftruncate}, {Op: call.Fstat}, {Op: call.Getdents, N: 512}, {Op: call.Getdents, N: 20},
		{Op: call.Fchdir}, {Op: call.Dup}} {
		c.FD = 3
		a.add(c)
	}
	a.add(call.Call{Op: call.Read, FD: 4, N: 4})
}
