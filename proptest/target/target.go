// Package target makes a kernel of package sim a [call.System].
package target

import (
	"errors"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/sim"
	"rumpvfs/sim/script"
)

// An inode is what aliases are given to: the device, 0 if it equals the inode's own number, and that number.
type inode struct{ dev, ino uint64 }

// A Kernel is a kernel that executes calls.
type Kernel struct {
	// Sim is the kernel that runs now. Reset replaces it.
	Sim *sim.Kernel

	config  sim.Config
	spares  *sim.Spares // from one boot to the next, nil if they are not its own
	prepare func(*sim.Proc) error
	procs   []*sim.Proc // by number; nil has exited
	inodes  map[inode]uint32
	devices map[uint64]uint32
	booted  int64 // seconds since 1970
	buf     []byte
	groups  []uint32
	held    []byte // data of a call that writes
}

// New boots a kernel. prepare, if not nil, is called with its first process after every boot, to mount what is to be
// tested and go there.
func New(c sim.Config, prepare func(*sim.Proc) error) (*Kernel, error) {
	k := &Kernel{config: c, prepare: prepare, inodes: map[inode]uint32{}, devices: map[uint64]uint32{}}
	if c.Spares == nil {
		k.spares = new(sim.Spares)
		k.config.Spares = k.spares
	}
	return k, k.boot()
}

// Of makes a target of a kernel that runs already. It cannot be Reset.
func Of(k *sim.Kernel) *Kernel {
	return &Kernel{
		Sim: k, procs: []*sim.Proc{k.Init()}, inodes: map[inode]uint32{}, devices: map[uint64]uint32{},
		booted: k.Sys.Now().Unix() - bootTime,
	}
}

// Lwp is the target as one lwp sees it: calls of process proc are made on p, which is an lwp of that process. Several such
// views may be used at a time in a deterministic kernel, each by its own lwp; none may make or end processes.
func (k *Kernel) Lwp(proc uint8, p *sim.Proc) *Kernel {
	view := *k
	view.procs = append([]*sim.Proc(nil), k.procs...)
	view.procs[proc] = p
	view.buf, view.groups, view.held = nil, nil, nil
	return &view
}

// bootTime is how many seconds booting takes at most.
const bootTime = 5

func (k *Kernel) boot() (err error) {
	if k.Sim, err = sim.Boot(k.config); err != nil {
		return err
	}
	k.procs = append(k.procs[:0], k.Sim.Init())
	clear(k.inodes)
	clear(k.devices)
	k.booted = k.Sim.Sys.Now().Unix() - bootTime
	if k.prepare != nil {
		return k.prepare(k.procs[0])
	}
	return nil
}

// Reset shuts the kernel down and boots another. The error says what the first has left over.
func (k *Kernel) Reset() error {
	if err := k.Sim.Shutdown(); err != nil {
		return err
	}
	return k.boot()
}

// Err says why the kernel has stopped, nil if it has not.
func (k *Kernel) Err() error { return k.Sim.Err() }

// Close shuts the kernel down.
func (k *Kernel) Close() error {
	err := k.Sim.Shutdown()
	if k.spares != nil {
		k.spares.Close()
	}
	return err
}

// Check verifies every invariant of the kernel, as [sim.Kernel.Check] does, unless it has stopped.
func (k *Kernel) Check() error {
	if k.Sim.Err() != nil {
		return nil
	}
	return k.Sim.Check()
}

// Proc is the process with a number, or nil.
func (k *Kernel) Proc(n uint8) *sim.Proc {
	if int(n) < len(k.procs) {
		return k.procs[n]
	}
	return nil
}

// NoticesWaits implements [call.Waiter]: a deterministic kernel knows that nobody can go on.
func (k *Kernel) NoticesWaits() bool { return k.config.Mode == hypercall.Deterministic }

// Do makes a call.
func (k *Kernel) Do(c *call.Call, r *call.Result) {
	r.Reset()
	p := k.Proc(c.Proc)
	if p == nil || c.Op == call.Exit && c.Proc == 0 {
		r.Fail(kern.ESRCH)
		return
	}
	if err := k.do(p, c, r); err != nil {
		failed(r, err)
	}
}

// failed makes r what the error of a call says.
func failed(r *call.Result, err error) {
	if e, ok := err.(kern.Errno); ok {
		r.Fail(e)
		return
	}
	var panicked *kern.Panic
	var blocked hypercall.Blocked
	r.Fail(0)
	switch {
	case errors.As(err, &panicked):
		r.Stop = call.Panic
	case errors.As(err, &blocked):
		r.Stop = call.Blocked
	default:
		r.Stop = call.Broken
		r.Data = append(r.Data, err.Error()...)
	}
}

// do makes a call of a process that there is. What it answers is in r unless there is an error.
func (k *Kernel) do(p *sim.Proc, c *call.Call, r *call.Result) error {
	switch c.Op {
	case call.Open, call.Openat, call.Close, call.Dup, call.Dup2, call.Fcntl, call.Flock, call.PosixFadvise:
		return descriptor(p, c, r)
	case call.Read, call.Pread, call.Write, call.Pwrite, call.Lseek, call.Getdents, call.Readlink, call.Getcwd:
		return k.transfer(p, c, r)
	case call.Stat, call.Lstat, call.Fstat, call.Fstatat, call.Times:
		return k.stat(p, c, r)
	case call.Rfork, call.Exit:
		return k.process(p, c, r)
	case call.Umask, call.Setuid, call.Seteuid, call.Setgid, call.Setegid, call.Setgroups, call.Getids, call.Getpid:
		return k.identity(p, c, r)
	case call.Statvfs1, call.Fstatvfs1, call.Getvfsstat, call.Pathconf, call.Fpathconf:
		return about(p, c, r)
	}
	return plain(p, c)
}

// ret stores what a call returns.
func ret[N int | int64](r *call.Result, n N, err error) error {
	r.Ret = int64(n)
	return err
}

// plain makes a call that answers 0.
func plain(p *sim.Proc, c *call.Call) error {
	switch c.Op {
	case call.Mkdir:
		return p.Mkdir(c.Path, c.Mode)
	case call.Mkdirat:
		return p.Mkdirat(int(c.FD), c.Path, c.Mode)
	case call.Rmdir:
		return p.Rmdir(c.Path)
	case call.Unlink:
		return p.Unlink(c.Path)
	case call.Unlinkat:
		return p.Unlinkat(int(c.FD), c.Path, int(c.Flags))
	case call.Symlink:
		return p.Symlink(c.Path2, c.Path)
	case call.Link:
		return p.Link(c.Path, c.Path2)
	case call.Rename:
		return p.Rename(c.Path, c.Path2)
	case call.Mknod:
		return p.Mknod(c.Path, c.Mode, kern.Dev(c.N))
	case call.Mkfifo:
		return p.Mkfifo(c.Path, c.Mode)
	case call.Undelete:
		return p.Undelete(c.Path)
	case call.Access:
		return p.Access(c.Path, int(int32(c.Mode)))
	case call.Truncate:
		return p.Truncate(c.Path, c.Size)
	case call.Ftruncate:
		return p.Ftruncate(int(c.FD), c.Size)
	case call.Fsync:
		return p.Fsync(int(c.FD))
	case call.Fdatasync:
		return p.Fdatasync(int(c.FD))
	case call.FsyncRange:
		return p.FsyncRange(int(c.FD), int(c.Flags), c.Off, c.Size)
	case call.Sync:
		return p.Sync()
	case call.Chdir:
		return p.Chdir(c.Path)
	case call.Fchdir:
		return p.Fchdir(int(c.FD))
	case call.Chroot:
		return p.Chroot(c.Path)
	case call.Fchroot:
		return p.Fchroot(int(c.FD))
	case call.Getfh:
		_, err := p.Getfh(c.Path)
		return err
	case call.Revoke:
		return p.Revoke(c.Path)
	}
	return attribute(p, c)
}

// attribute changes a file's attributes.
func attribute(p *sim.Proc, c *call.Call) error {
	fd := int(c.FD)
	switch c.Op {
	case call.Chmod:
		return p.Chmod(c.Path, c.Mode)
	case call.Lchmod:
		return p.Lchmod(c.Path, c.Mode)
	case call.Fchmod:
		return p.Fchmod(fd, c.Mode)
	case call.Chown:
		return p.Chown(c.Path, c.UID, c.GID)
	case call.Lchown:
		return p.Lchown(c.Path, c.UID, c.GID)
	case call.Fchown:
		return p.Fchown(fd, c.UID, c.GID)
	case call.Chflags:
		return p.Chflags(c.Path, uint32(c.Flags))
	case call.Lchflags:
		return p.Lchflags(c.Path, uint32(c.Flags))
	case call.Fchflags:
		return p.Fchflags(fd, uint32(c.Flags))
	case call.Utimes:
		return p.Utimes(c.Path, timevals(c))
	case call.Lutimes:
		return p.Lutimes(c.Path, timevals(c))
	case call.Futimes:
		return p.Futimes(fd, timevals(c))
	}
	return kern.ENOSYS
}

func timevals(c *call.Call) *[2]sim.Timeval {
	if c.Null {
		return nil
	}
	return &[2]sim.Timeval{{Sec: c.Arg[0], Usec: c.Arg[1]}, {Sec: c.Arg[2], Usec: c.Arg[3]}}
}

func descriptor(p *sim.Proc, c *call.Call, r *call.Result) error {
	fd := int(c.FD)
	switch c.Op {
	case call.Open:
		n, err := p.Open(c.Path, int(c.Flags), c.Mode)
		return ret(r, n, err)
	case call.Openat:
		n, err := p.Openat(fd, c.Path, int(c.Flags), c.Mode)
		return ret(r, n, err)
	case call.Close:
		return p.Close(fd)
	case call.Dup:
		n, err := p.Dup(fd)
		return ret(r, n, err)
	case call.Dup2:
		n, err := p.Dup2(fd, int(int32(c.N)))
		return ret(r, n, err)
	case call.Flock:
		return p.Flock(fd, int(c.Flags))
	case call.PosixFadvise:
		return p.PosixFadvise(fd, c.Off, c.Size, int(c.Flags))
	}
	if !c.IsLock() {
		n, err := p.Fcntl(fd, int(c.Flags), c.N)
		return ret(r, n, err)
	}
	fl := kern.Flock{Type: int16(c.Arg[0]), Whence: int16(c.Arg[1]), Start: c.Arg[2], Len: c.Arg[3]}
	err := p.FcntlLock(fd, int(c.Flags), &fl)
	if err == nil && c.Flags == kern.F_GETLK {
		if fl.Type == kern.F_UNLCK {
			fl.Pid = 0
		}
		r.Lock = fl
	}
	return err
}

// memory is n bytes that nobody uses.
func (k *Kernel) memory(n int) []byte {
	if len(k.buf) < n {
		k.buf = make([]byte, n)
	}
	return k.buf[:n]
}

func (k *Kernel) transfer(p *sim.Proc, c *call.Call, r *call.Result) (err error) {
	fd, n := int(c.FD), 0
	switch c.Op {
	case call.Write, call.Pwrite:
		k.held = append(k.held[:0], c.Data...)
		if c.Op == call.Write {
			n, err = p.Write(fd, k.held)
		} else {
			n, err = p.Pwrite(fd, k.held, c.Off)
		}
		return ret(r, n, err)
	case call.Lseek:
		off, err := p.Lseek(fd, c.Off, int(c.Flags))
		return ret(r, off, err)
	case call.Getdents:
		return k.getdents(p, c, r)
	case call.Getcwd:
		path, err := p.GetcwdN(uint64(c.N))
		r.Data = append(r.Data, path...)
		return ret(r, len(path)+1, err)
	}
	b := k.memory(c.Buffer())
	switch c.Op {
	case call.Read:
		n, err = p.ReadN(fd, b, uint64(c.N))
	case call.Pread:
		n, err = p.PreadN(fd, b, uint64(c.N), c.Off)
	default:
		n, err = p.Readlink(c.Path, b)
	}
	if err == nil {
		r.Data = append(r.Data, b[:n]...)
	}
	return ret(r, n, err)
}

func (k *Kernel) getdents(p *sim.Proc, c *call.Call, r *call.Result) error {
	b := k.memory(c.Buffer())
	n, err := p.Getdents(int(c.FD), b)
	if err != nil || n == 0 {
		return ret(r, n, err)
	}
	dir, err := p.Fstat(int(c.FD))
	for rest := b[:n]; err == nil && len(rest) > 0; {
		reclen := int(rest[8]) | int(rest[9])<<8
		namlen := int(rest[10]) | int(rest[11])<<8
		if reclen < kern.DirentReclen(namlen) || reclen > len(rest) {
			r.Stop, r.Data = call.Broken, append(r.Data[:0], "a directory entry is malformed"...)
			return nil
		}
		ino := uint64(0)
		for i := range 8 {
			ino |= uint64(rest[i]) << (8 * i)
		}
		r.Data = append(r.Data, rest[12], 0, 0, 0, 0, byte(namlen), byte(namlen>>8))
		alias := k.inode(dir.Dev, dir.Ino, ino)
		at := len(r.Data) - 6
		r.Data[at], r.Data[at+1], r.Data[at+2], r.Data[at+3] = byte(alias), byte(alias>>8), byte(alias>>16), byte(alias>>24)
		r.Data = append(r.Data, rest[13:13+namlen]...)
		rest = rest[reclen:]
	}
	return ret(r, n, err)
}

// inode is the alias of the file ino on the device of a file whose numbers are dev and own.
func (k *Kernel) inode(dev, own, ino uint64) uint32 {
	if dev == own {
		dev = 0
	}
	key := inode{dev, ino}
	n := k.inodes[key]
	if n == 0 {
		n = uint32(len(k.inodes)) + 1
		k.inodes[key] = n
	}
	return n
}

func (k *Kernel) stat(p *sim.Proc, c *call.Call, r *call.Result) (err error) {
	var st kern.Stat
	switch c.Op {
	case call.Stat:
		st, err = p.Stat(c.Path)
	case call.Fstat:
		st, err = p.Fstat(int(c.FD))
	case call.Fstatat:
		st, err = p.Fstatat(int(c.FD), c.Path, int(c.Flags))
	default:
		st, err = p.Lstat(c.Path)
	}
	switch {
	case err != nil:
		return err
	case c.Op == call.Times:
		r.Times = [2]kern.Timespec{k.moment(st.Atim), k.moment(st.Mtim)}
	default:
		r.File = k.file(&st)
	}
	return nil
}

func (k *Kernel) file(st *kern.Stat) call.File {
	f := call.File{
		Mode: st.Mode, Nlink: st.Nlink, UID: st.UID, GID: st.GID, Flags: st.FileFlags, Gen: st.Gen, Size: st.Size,
		Blocks: st.Blocks, Blksize: st.Blksize, Ino: k.inode(st.Dev, st.Ino, st.Ino), Rdev: st.Rdev,
	}
	if st.Dev == st.Ino {
		return f
	}
	if f.Dev = k.devices[st.Dev]; f.Dev == 0 {
		f.Dev = uint32(len(k.devices)) + 1
		k.devices[st.Dev] = f.Dev
	}
	return f
}

// moment is a time stamp, or call.Recent if the clock has said so since the kernel was booted.
func (k *Kernel) moment(ts kern.Timespec) kern.Timespec {
	if ts.Sec >= k.booted && ts.Sec <= k.Sim.Sys.Now().Unix() {
		return kern.Timespec{Sec: call.Recent}
	}
	return ts
}

func (k *Kernel) process(p *sim.Proc, c *call.Call, r *call.Result) error {
	if c.Op == call.Exit {
		k.procs[c.Proc] = nil
		return p.Exit()
	}
	child, err := p.Rfork(sim.RforkFlags(c.Flags))
	if err != nil {
		return err
	}
	k.procs = append(k.procs, child)
	r.Ret = int64(child.Getpid())
	return nil
}

func (k *Kernel) identity(p *sim.Proc, c *call.Call, r *call.Result) error {
	switch c.Op {
	case call.Umask:
		old, err := p.Umask(c.Mode)
		return ret(r, int64(old), err)
	case call.Setuid:
		return p.Setuid(c.UID)
	case call.Seteuid:
		return p.Seteuid(c.UID)
	case call.Setgid:
		return p.Setgid(c.GID)
	case call.Setegid:
		return p.Setegid(c.GID)
	case call.Setgroups:
		k.groups = c.AppendGroups(k.groups[:0])
		return p.Setgroups(k.groups...)
	case call.Getids:
		r.Data = append(r.Data, script.FormatIDs(p.Cred())...)
		return nil
	}
	r.Ret = int64(p.Getpid())
	return nil
}

// about tells about file systems.
func about(p *sim.Proc, c *call.Call, r *call.Result) error {
	var sb kern.Statvfs
	var err error
	switch c.Op {
	case call.Pathconf:
		n, err := p.Pathconf(c.Path, int(c.Flags))
		return ret(r, n, err)
	case call.Fpathconf:
		n, err := p.Fpathconf(int(c.FD), int(c.Flags))
		return ret(r, n, err)
	case call.Getvfsstat:
		list, err := p.Getvfsstat(kern.ST_WAIT)
		r.Data = append(r.Data, script.FormatMounts(list)...)
		return ret(r, len(list), err)
	case call.Statvfs1:
		sb, err = p.Statvfs1(c.Path, int(c.Flags))
	default:
		sb, err = p.Fstatvfs1(int(c.FD), int(c.Flags))
	}
	if err == nil {
		r.Data = append(r.Data, script.FormatStatvfs(&sb)...)
	}
	return err
}
