package sched

import (
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
)

// A Universe is what programs are made of: calls, and trees in which they are made. All trees have a file f, open as descriptor 3, and a directory d,
// open as 4. In the end every name is looked at.
type Universe struct {
	Trees [][]call.Call
	Calls []call.Call
	After []call.Call
}

// Names is the universe of names: 25 calls that make, find, remove and change files and directories of few names, in 5 trees.
func Names() Universe {
	u := universe()
	u.Calls = []call.Call{
		{Op: call.Mkdir, Path: "a", Mode: 0o755}, {Op: call.Mkdir, Path: "d/a", Mode: 0o700},
		{Op: call.Rmdir, Path: "a"}, {Op: call.Rmdir, Path: "d"}, {Op: call.Rmdir, Path: "d/a"},
		{Op: call.Unlink, Path: "a"}, {Op: call.Unlink, Path: "d/a"}, {Op: call.Unlink, Path: "f"},
		{Op: call.Symlink, Path: "d/a", Path2: "../f"}, {Op: call.Mkfifo, Path: "a", Mode: 0o600},
		{Op: call.Open, Path: "a", Flags: kern.O_RDWR | kern.O_CREAT, Mode: 0o644},
		{Op: call.Open, Path: "d/a", Flags: kern.O_RDWR | kern.O_CREAT | kern.O_EXCL, Mode: 0o600},
		{Op: call.Open, Path: "l/a", Flags: kern.O_RDONLY},
		{Op: call.Open, Path: "f", Flags: kern.O_RDWR | kern.O_TRUNC},
		{Op: call.Lstat, Path: "d/a"}, {Op: call.Stat, Path: "l/../a"}, {Op: call.Readlink, Path: "l", N: 16},
		{Op: call.Chmod, Path: "d/a", Mode: 0o711}, {Op: call.Truncate, Path: "f", Size: 2},
		{Op: call.Write, FD: 3, Data: "xy"}, {Op: call.Read, FD: 3, N: 3}, {Op: call.Getdents, FD: 4, N: 512},
		{Op: call.Chdir, Path: "d/a"}, {Op: call.Fstat, FD: 4}, {Op: call.Getcwd, N: 64},
	}
	return u
}

// Moves is the universe of a file system with renames and links: 25 calls, of them 11 renames and links within and between directories.
func Moves() Universe {
	u := universe()
	u.Calls = []call.Call{
		{Op: call.Rename, Path: "a", Path2: "b"}, {Op: call.Rename, Path: "b", Path2: "a"},
		{Op: call.Rename, Path: "a", Path2: "d/a"}, {Op: call.Rename, Path: "d/a", Path2: "a"},
		{Op: call.Rename, Path: "d", Path2: "b"}, {Op: call.Rename, Path: "f", Path2: "d/a"}, {Op: call.Rename, Path: "d", Path2: "a/d"},
		{Op: call.Rename, Path: "d/a", Path2: "d/b"},
		{Op: call.Link, Path: "f", Path2: "a"}, {Op: call.Link, Path: "f", Path2: "d/a"}, {Op: call.Link, Path: "a", Path2: "d/b"},
		{Op: call.Unlink, Path: "a"}, {Op: call.Unlink, Path: "d/a"}, {Op: call.Unlink, Path: "f"},
		{Op: call.Mkdir, Path: "a", Mode: 0o755}, {Op: call.Mkdir, Path: "d/a", Mode: 0o755},
		{Op: call.Rmdir, Path: "a"}, {Op: call.Rmdir, Path: "d"}, {Op: call.Rmdir, Path: "d/a"},
		{Op: call.Lstat, Path: "d/a"}, {Op: call.Stat, Path: "l/../a"}, {Op: call.Lstat, Path: "b"},
		{Op: call.Open, Path: "d/a", Flags: kern.O_RDWR | kern.O_CREAT, Mode: 0o644}, {Op: call.Chdir, Path: "d/a"}, {Op: call.Getcwd, N: 64},
	}
	return u
}

// universe is what all universes have in common.
func universe() (u Universe) {
	file := func(path, data string) []call.Call {
		return []call.Call{
			{Op: call.Open, Path: path, Flags: kern.O_RDWR | kern.O_CREAT, Mode: 0o644}, {Op: call.Write, FD: 3, Data: data},
			{Op: call.Close, FD: 3},
		}
	}
	start := []call.Call{{Op: call.Mkdir, Path: "d", Mode: 0o755}}
	start = append(start, file("f", "0123456")...)
	open := []call.Call{{Op: call.Open, Path: "f", Flags: kern.O_RDWR}, {Op: call.Open, Path: "d", Flags: kern.O_RDONLY}}
	dir := func(path string) []call.Call { return []call.Call{{Op: call.Mkdir, Path: path, Mode: 0o755}} }
	link := func(path, to string) []call.Call { return []call.Call{{Op: call.Symlink, Path: path, Path2: to}} }
	for _, more := range [][][]call.Call{
		{},
		{file("a", "a"), file("d/a", "da"), link("l", "d")},
		{dir("a"), dir("d/a"), link("l", "d/a")},
		{dir("a"), dir("a/d"), file("d/a", "da"), link("l", "a/d")},
		{file("a", ""), dir("d/a"), file("d/a/b", "dab"), link("l", "l")},
	} {
		tree := append([]call.Call(nil), start...)
		for _, calls := range more {
			tree = append(tree, calls...)
		}
		u.Trees = append(u.Trees, append(tree, open...))
	}
	for _, path := range []string{"a", "b", "d", "d/a", "d/b", "d/a/b", "a/d", "f", "l"} {
		u.After = append(u.After, call.Call{Op: call.Lstat, Path: path})
	}
	u.After = append(u.After, call.Call{Op: call.Pread, FD: 3, N: 16})
	return u
}

// Pairs is how many programs Pair can make.
func (u *Universe) Pairs() int { return len(u.Trees) * len(u.Calls) * (len(u.Calls) + 1) / 2 }

// Pair is the ith of all programs of two lwps that make one call each. Which of two calls is whose makes no difference.
func (u *Universe) Pair(i int) *Program {
	tree := u.Trees[i%len(u.Trees)]
	i /= len(u.Trees)
	second := 0
	for i > second {
		second++
		i -= second
	}
	return Forked(tree, u.After, u.Calls[i:i+1], u.Calls[second:second+1])
}

// Random is a program of so many lwps with up to most calls each, drawn by seed.
func (u *Universe) Random(seed uint64, lwps, most int) *Program {
	g := rng(seed)
	lists := make([][]call.Call, lwps)
	for i := range lists {
		for range 1 + g.below(most) {
			lists[i] = append(lists[i], u.Calls[g.below(len(u.Calls))])
		}
	}
	return Forked(u.Trees[g.below(len(u.Trees))], u.After, lists...)
}
