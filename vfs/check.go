package vfs

import (
	"fmt"

	"rumpvfs/kern"
)

// Count counts, in a Checkup, the use of the table by a process, which who
// names, and for the first process the references of the table.
//
// Preconditions: the kernel is at rest.
func (fdp *Filedesc) Count(c *kern.Checkup, who string) {
	c.Count(&fdp.uses, who)
	if c.Counted(&fdp.uses) > 1 {
		return
	}
	for _, ff := range *fdp.dt.Load() {
		if fp := ff.file.Load(); fp != nil {
			fp.countRef(c, who)
		}
	}
}

// countRef counts a reference to an open file, and with the first those that
// the file has.
func (fp *File) countRef(c *kern.Checkup, who string) {
	c.Count(&fp.refs, who)
	if c.Counted(&fp.refs) > 1 {
		return
	}
	c.Add(&fp.sys.tally, 1)
	vp := fp.Vnode()
	if vp == nil {
		return
	}
	vp.HeldBy(c, "open file")
	if fp.Flag()&kern.FWRITE != 0 {
		vp.WrittenBy(c, "open file")
	}
}

// Check verifies a descriptor table and its open files after all references
// were counted. who names the process.
//
// Preconditions: the kernel is at rest.
func (fdp *Filedesc) Check(c *kern.Checkup, who string) {
	if n := c.Counted(&fdp.uses); n != int(fdp.refcnt.Load()) {
		c.Miscounted(who, &fdp.uses, "descriptor table refcnt %d, but %d processes", fdp.refcnt.Load(), n)
	}
	if fdp.settling.Load() != 0 {
		c.Brokenf(who, "%d lwps wait for a descriptor to settle", fdp.settling.Load())
	}
	fdp.lock.Enter(c.L)
	defer fdp.lock.Exit(c.L)
	last := -1
	for fd, ff := range *fdp.dt.Load() {
		used := fdp.used[fd/64]&(1<<(fd%64)) != 0
		if used {
			last = fd
		}
		fp := ff.file.Load()
		switch {
		case used != (fp != nil):
			c.Brokenf(who, "descriptor %d: in use is %v, but open is %v", fd, used, fp != nil)
		case ff.refcnt.Load() != 0 || ff.closing.Load():
			c.Brokenf(who, "descriptor %d: %d calls use it, closing is %v", fd, ff.refcnt.Load(), ff.closing.Load())
		case fp == nil && ff.exclose:
			c.Brokenf(who, "descriptor %d: not open, but close-on-exec", fd)
		}
		if fp != nil {
			fp.check(c)
		}
	}
	if last != fdp.last {
		c.Brokenf(who, "descriptor %d is the last in use, but the table says %d", last, fdp.last)
	}
}

func (fp *File) check(c *kern.Checkup) {
	if n := c.Counted(&fp.refs); n != int(fp.count.Load()) {
		c.Miscounted(fp, &fp.refs, "%d references, but %d descriptors", fp.count.Load(), n)
	}
	if (fp.Type == DTYPE_VNODE) != (fp.Vnode() != nil) || fp.Ops == nil || fp.Cred == nil {
		c.Brokenf(fp, "is half made")
	}
}

// KernelState describes the open file.
func (fp *File) KernelState() string {
	s := fmt.Sprintf("file type %d count %d flag %#x", fp.Type, fp.count.Load(), fp.Flag())
	if vp := fp.Vnode(); vp != nil {
		s += " " + vp.KernelState()
	}
	return s
}

// Check verifies the number of open files and the free list, after all
// references were counted.
//
// Preconditions: the kernel is at rest.
func (s *System) Check(c *kern.Checkup) {
	s.fileLock.Enter(c.L)
	defer s.fileLock.Exit(c.L)
	free := 0
	for fp := s.freeFile; fp != nil; fp = fp.next {
		free++
		if fp.count.Load() != 0 || fp.Vnode() != nil {
			c.Brokenf(fp, "is on the free list, but in use")
		}
	}
	open := s.OpenFiles()
	if n := c.Counted(&s.tally); n != open {
		c.Brokenf("open files", "there are %d, but descriptors lead to %d", open, n)
	}
	if s.made != open+free {
		c.Brokenf("open files", "%d were made, but %d are open and %d free", s.made, open, free)
	}
}
