package sim

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"rumpvfs/blkdev"
	"rumpvfs/fifofs"
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/namei"
	"rumpvfs/rumpfs"
	"rumpvfs/specfs"
	"rumpvfs/tmpfs"
	"rumpvfs/uvm"
	"rumpvfs/vfs"
	"rumpvfs/vnode"
)

// Config says what kernel to boot. The zero Config is a native kernel with
// every quirk of rumpfs 1.125, on a purely in-memory host.
type Config struct {
	// Mode is how lwps run: hypercall.Native on goroutines,
	// hypercall.Checked so too, with the order of locks and the contracts of
	// vnode operations verified, hypercall.Deterministic one at a time in an
	// order that Seed fixes.
	Mode hypercall.Mode
	Seed uint64
	// CheckLocks verifies the order of locks, with a hypercall.LockChecker,
	// in a deterministic kernel too. What that finds is a kernel panic.
	CheckLocks bool
	// Pick chooses among n runnable lwps in place of Seed, Scheduler among
	// their threads in place of both.
	Pick      func(n int) int
	Scheduler hypercall.Scheduler
	// Spares are what kernels before have left for this one, nil for nothing.
	// Kernels that share them run one at a time.
	Spares *Spares

	// Without are the quirks that this kernel does without: none for
	// rumpfs 1.125 as it was, kern.Rev1125 (all there are) for a kernel
	// that behaves as POSIX and its authors meant.
	Without kern.Quirks

	Host     hypercall.Host // nil: a new in-memory host
	MemLimit int64          // logical bytes of file data; 0: 4 GiB
	Console  io.Writer      // what is written to descriptors 0 to 2; nil discards
	Epoch    time.Time      // when a deterministic kernel's clock begins

	// Faults make calls to the host fail; see hypercall.FaultHost, which
	// the machine's host is if there are any.
	Faults []hypercall.Fault

	// Params are the rump kernel's environment: RUMP_NVNODES, RUMP_MEMLIMIT,
	// RUMP_BLKFAIL, RUMP_BLKFAIL_SEED, RUMP_BLKSECTSHIFT, and
	// RUMP_MODULEBASE, a host directory to map where modules are looked for.
	Params map[string]string

	// Hooks watch the kernel from its boot on. A kernel that is not native
	// checks the contract of every vnode operation even without.
	Hooks *kern.Hooks
	// Unchecked is a deterministic kernel without Hooks that checks nothing
	// and that others enter only where it takes a lock or waits.
	Unchecked bool
	// Wrap, if set, is given the operation vector of each new vnode and returns
	// the one that the vnode shall have: see vnode.Config.
	Wrap func(*vnode.Ops) *vnode.Ops
	// FileSystems make what can be mounted besides rumpfs and tmpfs, at boot.
	FileSystems []func(*kern.Kernel, *vnode.System) vnode.VFSOps
	// Stepped starts no kernel threads: background work is done when a
	// test steps it.
	Stepped bool

	// Fifofs boots with fifofs: fifos of file systems other than rumpfs can
	// be opened. The kernel whose answers were recorded has none.
	Fifofs bool
	// NoNameCache boots without the name cache. No call answers otherwise
	// for it.
	NoNameCache bool
}

// Kernel is a running kernel.
type Kernel struct {
	K   *kern.Kernel
	Sys *hypercall.System
	UVM *uvm.System
	V   *vnode.System
	F   *vfs.System

	Blk   *blkdev.Rumpblk // block devices that are files of the host
	Cache *blkdev.Cache   // the buffer cache
	Names *namei.Cache    // the name cache, nil for none

	procLock kern.Mutex
	procs    []*Proc     // procLock: processes, the first is pid 1
	down     atomic.Bool // Shutdown has come to its end
	init     *Proc
	root     *rumpfs.FS
	fifo     *vnode.Ops // of fifos of file systems other than rumpfs
	devsw    *blkdev.Devsw
	spec     *specfs.System
	checkup  *kern.Checkup // made by the first Check
	checked  bool          // a checker is told of locks
}

var procLockClass = hypercall.LockClass{Name: "proc_lock", Rank: 850}

// Boot boots a kernel: rumpfs is mounted as root, with /dev, /tmp, /dev/null
// and /dev/zero in it, and process 1 runs as root in "/".
//
//netbsd:sys/rump/librump/rumpvfs/rump_vfs.c RUMP_COMPONENT
func Boot(c Config) (k *Kernel, err error) {
	nvnodes, memlimit, err := c.params()
	if err != nil {
		return nil, err
	}
	if k, err = c.wire(nvnodes, memlimit); err != nil {
		return nil, err
	}
	p := k.newProc(nil, kern.RootCred(), k.F.NewFiledesc(kern.NOFILE), namei.NewCwdinfo(k.K))
	k.init = p
	if err := p.mountroot(c.FileSystems); err != nil {
		return nil, err
	}
	if err := p.populate(); err != nil {
		return nil, fmt.Errorf("boot: %w", err)
	}
	k.mapModules()
	return k, nil
}

// params reads what the rump kernel reads from its environment.
func (c *Config) params() (nvnodes int, memlimit int64, err error) {
	if s, ok := c.Params["RUMP_NVNODES"]; ok {
		if nvnodes, err = strconv.Atoi(s); err != nil || nvnodes < 1 {
			return 0, 0, fmt.Errorf("RUMP_NVNODES=%q: not a positive number", s)
		}
	}
	if s, ok := c.Params["RUMP_MEMLIMIT"]; ok {
		if memlimit, err = uvm.ParseMemLimit(s); err != nil {
			return 0, 0, fmt.Errorf("RUMP_MEMLIMIT=%q: not an amount of memory", s)
		}
	}
	return nvnodes, memlimit, nil
}

// wire makes the layers and tells them of each other. Nothing runs yet.
func (c *Config) wire(nvnodes int, memlimit int64) (k *Kernel, err error) {
	host := c.Host
	if len(c.Faults) > 0 {
		host = hypercall.NewFaultHost(host, c.Faults...)
	}
	var checker hypercall.Checker
	if c.Mode == hypercall.Checked || c.CheckLocks {
		checker = hypercall.NewLockChecker()
	}
	var coroutines *hypercall.Coroutines
	var memory *uvm.Memory
	if c.Spares != nil {
		coroutines, memory = &c.Spares.coroutines, &c.Spares.memory
	}
	sys := hypercall.NewSystem(hypercall.Config{
		Mode: c.Mode, Checker: checker, Seed: c.Seed, Pick: c.Pick, Scheduler: c.Scheduler, Coroutines: coroutines,
		Host:     host,
		MemLimit: c.MemLimit, Params: c.Params, Epoch: c.Epoch, Console: c.Console,
	})
	k = &Kernel{Sys: sys, K: kern.NewKernel(sys, kern.Rev1125&^c.Without), checked: checker != nil && c.Mode != hypercall.Native}
	k.K.Hooks = c.Hooks
	if k.K.Hooks == nil && c.Mode != hypercall.Native && !c.Unchecked {
		k.K.Hooks = &kern.Hooks{Check: true, Points: true}
	}
	sys.OnPanic(func(r any) { k.died(r) })
	k.procLock.Init(sys, &procLockClass)
	k.K.HasProc = k.hasProc
	k.UVM = uvm.NewSystem(k.K, uvm.Config{MemLimit: memlimit, StepDaemon: c.Stepped, Memory: memory})
	k.V = vnode.NewSystem(k.K, k.UVM, vnode.Config{DesiredVnodes: nvnodes, Stepped: c.Stepped, Wrap: c.Wrap})
	if !c.NoNameCache {
		k.Names = namei.NewCache(k.V)
		k.V.NameCache = k.Names
	}
	k.F = vfs.NewSystem(k.K, k.V)
	k.F.Cwds = k.cwds
	if k.Blk, err = blkdev.NewRumpblk(k.V); err != nil {
		return nil, err
	}
	k.devsw = blkdev.NewDevsw(k.K)
	k.Cache = blkdev.NewCache(k.V, k.devsw, blkdev.CacheConfig{MemLimit: memlimit, MountedFS: specfs.MountedFS})
	k.V.Cache = k.Cache
	k.UVM.DrainBuffers = k.Cache.Drain
	k.spec = specfs.New(k.K, k.V, k.devsw, k.Cache)
	k.V.DeadOps = &vfs.DeadOps
	k.V.SpecOps = k.spec.Ops()
	k.V.Devices = k.spec
	k.fifo = rumpfs.FifoOps()
	if c.Fifofs {
		k.fifo = fifofs.Ops()
	}
	k.root = rumpfs.New(k.K, k.V, rumpfs.Config{Blk: k.Blk})
	return k, nil
}

// mountroot mounts the root file system and stands process 1 in it.
//
//netbsd:sys/kern/vfs_subr.c vfs_mountroot
func (p *Proc) mountroot(others []func(*kern.Kernel, *vnode.System) vnode.VFSOps) (err error) {
	l, err := p.enter("mountroot")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	k := p.k
	k.V.DeadMount = k.V.MountAlloc(l, vfs.DeadFS{}, nil)
	k.UVM.Kproc = p.proc
	if err := k.attachDevices(l); err != nil {
		return err
	}
	if err := k.V.Attach(l, tmpfs.New(k.K, k.V, k.fifo)); err != nil {
		return err
	}
	if err := k.V.Attach(l, k.root); err != nil {
		return err
	}
	for _, make := range others {
		if err := k.V.Attach(l, make(k.K, k.V)); err != nil {
			return err
		}
	}
	if err := k.root.Mountroot(l, k.V); err != nil {
		return err
	}
	return p.setRoot(l)
}

// attachDevices makes the drivers known.
func (k *Kernel) attachDevices(l *kern.Lwp) error {
	if err := k.devsw.AttachChar(l, "null", blkdev.NullMajor, blkdev.Null{}); err != nil {
		return err
	}
	if err := k.devsw.AttachBlock(l, "rumpblk", blkdev.RUMPBLK_DEVMAJOR, k.Blk); err != nil {
		return err
	}
	return k.devsw.AttachChar(l, "rumpblk", blkdev.RUMPBLK_DEVMAJOR, k.Blk)
}

// setRoot makes the root of the first mount the kernel's root and process
// 1's working directory.
func (p *Proc) setRoot(l *kern.Lwp) error {
	mp := p.k.V.Mounts(l)[0]
	mp.SetFlag(kern.MNT_ROOTFS)
	root, err := vnode.VFS_ROOT(l, mp)
	if err != nil {
		return err
	}
	_ = vnode.VOP_UNLOCK(l, root)
	p.k.V.Root.Store(root)
	root.Ref(l)
	p.cwd.Chdir(l, root)
	return nil
}

// populate makes the directories, devices and the console that a rump kernel
// boots with.
func (p *Proc) populate() error {
	if err := p.console(); err != nil {
		return err
	}
	null := kern.Makedev(blkdev.NullMajor, blkdev.DEV_NULL)
	zero := kern.Makedev(blkdev.NullMajor, blkdev.DEV_ZERO)
	for _, step := range []func() error{
		func() error { return p.Mkdir("/dev", 0o755) },
		func() error { return p.Mkdir("/tmp", 0o1777) },
		func() error { return p.Chmod("/tmp", 0o1777) },
		func() error { return p.Mknod("/dev/null", kern.S_IFCHR|0o666, null) },
		func() error { return p.Mknod("/dev/zero", kern.S_IFCHR|0o666, zero) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// console opens the console as descriptors 0 to 2.
//
//netbsd:sys/rump/librump/rumpkern/cons.c rump_consdev_init
func (p *Proc) console() (err error) {
	l, err := p.enter("console")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	fp, fd, err := p.fd.AllocFile(l)
	if err != nil {
		return err
	}
	fp.Attach(vfs.DTYPE_MISC, vfs.ConsoleOps{}, nil, kern.FWRITE)
	p.fd.Affix(l, fp, fd)
	for to := 1; to <= 2; to++ {
		if err := p.fd.Dup2(l, fp, to, 0); err != nil {
			return err
		}
	}
	return nil
}

// Init returns process 1.
func (k *Kernel) Init() *Proc { return k.init }

// Procs returns the processes there are, the oldest first.
func (k *Kernel) Procs() []*Proc {
	l := kern.NewLwp(k.K, nil, "procs")
	defer l.Exit()
	k.procLock.Enter(l)
	defer k.procLock.Exit(l)
	return append([]*Proc(nil), k.procs...)
}

// Run lets the lwps of a deterministic kernel run until none can. A native
// kernel needs no help.
func (k *Kernel) Run() { k.Sys.Run() }

// Err returns why the kernel has stopped, a [*kern.Panic] or
// [hypercall.Blocked], or nil while it runs.
func (k *Kernel) Err() error { return k.K.Dead() }

// Shutdown ends all processes, unmounts everything and audits the kernel: if
// a reference, lock, page, buffer, open file, lwp or host descriptor is left
// over the error names it. While other goroutines make calls nothing is
// unmounted or audited: the error says so, and they make no more. A kernel
// that has stopped only gives its threads up. Every later call on the kernel
// is ESRCH, or why it had stopped.
func (k *Kernel) Shutdown() error {
	if k.down.Load() {
		return nil
	}
	stopped := k.K.Dead() != nil
	var left []string
	if !stopped {
		left = k.exitAll()
		if len(left) == 0 && k.K.Dead() == nil {
			left = k.halt()
		}
	}
	k.down.Store(true)
	left = append(left, k.Sys.Shutdown()...)
	switch {
	case stopped:
		return nil
	case k.K.Dead() != nil:
		return k.K.Dead()
	case len(left) > 0:
		return fmt.Errorf("left over at shutdown: %s", strings.Join(left, "; "))
	}
	k.UVM.HandOn()
	return nil
}

// ErrPoweredOff is why a kernel has stopped that PowerOff has ended.
var ErrPoweredOff = errors.New("powered off")

// PowerOff ends a kernel as it is: no process exits, nothing is written,
// unmounted or audited, and files of the host that are open stay so. After
// [Kernel.Check] it is the quick way to be done with a kernel. Every later
// call answers ErrPoweredOff.
func (k *Kernel) PowerOff() {
	if k.down.Load() {
		return
	}
	if k.K.Dead() == nil {
		k.stopThreads()
		_ = k.K.Die(ErrPoweredOff)
	}
	k.down.Store(true)
	k.Sys.Shutdown()
	if k.Sys.Mode() == hypercall.Deterministic { // nobody is in a call
		k.UVM.HandOn()
	}
}

// stopThreads ends the kernel's own threads, if they are not stuck.
func (k *Kernel) stopThreads() {
	defer func() {
		if r := recover(); r != nil {
			_ = k.died(r)
		}
	}()
	l := kern.NewLwp(k.K, nil, "poweroff")
	k.V.StopThreads(l)
	k.UVM.StopDaemon(l)
	l.Exit()
}

// exitAll ends every process, process 1 last. One that calls are in progress
// of, other than the caller's own, is left over.
func (k *Kernel) exitAll() (left []string) {
	procs := k.Procs()
	for i := len(procs) - 1; i >= 0; i-- {
		if err := procs[i].Exit(); err != nil && !errors.Is(err, kern.ESRCH) {
			left = append(left, fmt.Sprintf("pid %d: %v", procs[i].Getpid(), err))
		}
	}
	if k.K.Dead() != nil {
		return left
	}
	for _, p := range k.Procs() {
		left = append(left, fmt.Sprintf("pid %d: calls in progress", p.Getpid()))
	}
	return left
}

// halt unmounts the root and audits what is left. It runs in an lwp without
// a process.
func (k *Kernel) halt() (left []string) {
	p := &Proc{process: &process{k: k, proc: kern.NewProc(k.K, kern.RootCred())}}
	p.l = kern.NewLwp(k.K, p.proc, "halt")
	l, err := p.enter("halt")
	if err != nil {
		return nil
	}
	defer p.leave(l, &err)
	defer l.Exit()
	if n := k.F.OpenFiles(); n != 0 {
		left = append(left, fmt.Sprintf("%d open files", n))
	}
	k.V.ReleFlush(l)
	k.V.Root.Load().Rele(l)
	if err := vfs.Shutdown(l, k.V, 0); err != nil {
		left = append(left, fmt.Sprintf("unmounting: %v", err))
	}
	k.V.StopThreads(l)
	k.UVM.StopDaemon(l)
	k.root.Done(l)
	left = append(left, k.V.Audit(l)...)
	left = append(left, k.Cache.Audit(l)...)
	if k.Names != nil {
		left = append(left, k.Names.Audit(l)...)
	}
	left = append(left, k.UVM.Audit(l)...)
	if n := k.Sys.Reserved(); n != 0 {
		left = append(left, fmt.Sprintf("%d bytes of file data", n))
	}
	if n := k.Sys.Host().OpenFDs(); n != 0 {
		left = append(left, fmt.Sprintf("%d host descriptors", n))
	}
	return left
}
