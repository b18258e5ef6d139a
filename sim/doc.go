// Package sim boots kernels and makes system calls on them.
//
//	k, err := sim.Boot(sim.Config{})
//	...
//	defer k.Shutdown()
//	p := k.Init()
//	fd, err := p.Open("/tmp/f", kern.O_RDWR|kern.O_CREAT, 0o644)
//
// A [Kernel] is a NetBSD rump kernel of 2014 with rumpfs as its root; a
// program boots as many as it likes. A [Proc] is a process of it, and each
// system call is a method of it that returns what the C call returns, with a
// [kern.Errno] as the error. A Proc may be used by several goroutines when
// the kernel is native; a deterministic kernel is used by one goroutine,
// which lets other lwps run whenever it waits.
//
// A kernel panic ends the kernel, not the program: the call in progress and
// every later one return it as an error.
package sim
