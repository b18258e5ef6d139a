package sim_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"time"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/tmpfs"
	"rumpvfs/vfs"
)

func ExampleBoot() {
	k, err := sim.Boot(sim.Config{})
	if err != nil {
		log.Fatal(err)
	}
	p := k.Init()
	_, err = p.Stat("/nowhere")
	fmt.Println(err, errors.Is(err, fs.ErrNotExist))
	fmt.Println(k.Shutdown()) // what is left over, if anything is
	// Output:
	// ENOENT: nothing has that name true
	// <nil>
}

// p returns process 1 of a kernel that one does not look after.
func p() *sim.Proc {
	k, err := sim.Boot(sim.Config{Console: os.Stdout})
	if err != nil {
		log.Fatal(err)
	}
	return k.Init()
}

func ExampleProc_Open() {
	p := p()
	fd, err := p.Open("/tmp/greeting", kern.O_RDWR|kern.O_CREAT|kern.O_EXCL, 0o644)
	fmt.Println(fd, err)
	n, err := p.Write(fd, []byte("hello, world\n"))
	fmt.Println(n, err)
	off, err := p.Lseek(fd, 7, kern.SEEK_SET)
	fmt.Println(off, err)
	b := make([]byte, 64)
	n, err = p.Read(fd, b)
	fmt.Printf("%q %v\n", b[:n], err)
	fmt.Println(p.Close(fd))
	_, err = p.Read(fd, b)
	fmt.Println(err)
	// Output:
	// 3 <nil>
	// 13 <nil>
	// 7 <nil>
	// "world\n" <nil>
	// <nil>
	// EBADF: the descriptor is not open, or not open for this
}

func ExampleProc_Stat() {
	p := p()
	st, err := p.Stat("/dev/null")
	fmt.Printf("%o %d,%d %v\n", st.Mode, st.Rdev.Major(), st.Rdev.Minor(), err)
	// Output:
	// 20644 2,2 <nil>
}

func ExampleProc_Getdents() {
	p := p()
	fd, _ := p.Open("/", kern.O_RDONLY|kern.O_DIRECTORY, 0)
	b := make([]byte, 4096)
	n, err := p.Getdents(fd, b)
	if err != nil {
		log.Fatal(err)
	}
	for b = b[:n]; len(b) > 0; {
		var d kern.Dirent
		if d, b, err = kern.DecodeDirent(b); err != nil {
			log.Fatal(err)
		}
		fmt.Println(d.Name, d.Type == kern.DT_DIR)
	}
	// Output:
	// tmp true
	// dev true
}

func ExampleProc_Symlink() {
	p := p()
	fmt.Println(p.Symlink("dev/zero", "/zeros"))
	b := make([]byte, 64)
	n, _ := p.Readlink("/zeros", b)
	fmt.Println(string(b[:n]))
	through, _ := p.Stat("/zeros")
	itself, _ := p.Lstat("/zeros")
	fmt.Println(kern.S_ISCHR(through.Mode), kern.S_ISLNK(itself.Mode))
	fmt.Println(p.Symlink("anything", "/zeros"))
	// Output:
	// <nil>
	// dev/zero
	// true true
	// EEXIST: the name is taken
}

func ExampleProc_Rfork() {
	parent := p()
	child, err := parent.Rfork(sim.RUMP_RFFDG)
	fmt.Println(child.Getpid(), err)
	_ = child.Setuid(1000)
	fmt.Println(child.Mkdir("/mine", 0o755))
	fmt.Println(child.Mkdir("/tmp/mine", 0o755))
	_, _ = child.Write(1, []byte("the console is inherited\n"))
	fmt.Println(child.Exit())
	// Output:
	// 2 <nil>
	// EACCES: the permission bits refuse it
	// <nil>
	// the console is inherited
	// <nil>
}

func ExampleProc_FcntlLock() {
	p := p()
	q, _ := p.Rfork(sim.RUMP_RFCFDG)
	mine, _ := p.Open("/tmp/f", kern.O_RDWR|kern.O_CREAT, 0o644)
	its, _ := q.Open("/tmp/f", kern.O_RDWR, 0)
	fmt.Println(p.FcntlLock(mine, kern.F_SETLK, &kern.Flock{Type: kern.F_WRLCK, Start: 10, Len: 5}))

	want := kern.Flock{Type: kern.F_RDLCK}
	fmt.Println(q.FcntlLock(its, kern.F_SETLK, &want))
	_ = q.FcntlLock(its, kern.F_GETLK, &want) // who is in the way?
	fmt.Println(want.Start, want.Len, "of pid", want.Pid)
	// Output:
	// <nil>
	// EAGAIN: it would have to wait; try again later
	// 10 5 of pid 1
}

// In a deterministic kernel lwps take turns in an order that only the seed
// decides.
func ExampleProc_Go() {
	k, err := sim.Boot(sim.Config{Mode: hypercall.Deterministic, Seed: 7})
	if err != nil {
		log.Fatal(err)
	}
	p := k.Init()
	body := func(p *sim.Proc) {
		if err := p.Mkdir("/tmp/first", 0o755); err != nil {
			fmt.Println(err)
		} else {
			fmt.Println("I was the first")
		}
	}
	lwps := []*sim.Lwp{p.Go("one", body), p.Go("two", body)}
	k.Run() // both to their end
	for _, lwp := range lwps {
		fmt.Println(p.Join(lwp))
	}
	// Output:
	// I was the first
	// EEXIST: the name is taken
	// <nil>
	// <nil>
}

// A kernel panic is an error of the call, and of every later one.
func ExampleKernel_Err() {
	p := p()
	_ = p.Mkfifo("/fifo", 0o666)
	fd, _ := p.Open("/fifo", kern.O_RDWR, 0)
	_, err := p.Write(fd, []byte("x")) // rumpfs 1.125 does not survive it
	var panicked *kern.Panic
	fmt.Println(errors.As(err, &panicked))
	fmt.Println(p.Kernel().Err() == err)
	_, err = p.Stat("/")
	fmt.Println(err == p.Kernel().Err())
	// Output:
	// true
	// true
	// true
}

func ExampleProc_Mmap() {
	k, _ := sim.Boot(sim.Config{})
	defer k.Shutdown()
	p := k.Init()
	p.Mount(tmpfs.MOUNT_TMPFS, "/tmp", 0, tmpfs.DefaultArgs())
	fd, _ := p.Open("/tmp/f", kern.O_CREAT|kern.O_RDWR, 0o644)
	p.Write(fd, []byte("a file in memory"))

	m, _ := p.Mmap(fd, 0, 16, kern.PROT_READ|kern.PROT_WRITE, kern.MAP_SHARED)
	b, _ := m.Bytes()
	copy(b, bytes.ToUpper(b))
	m.Msync(0, m.Len(), kern.MS_SYNC)
	p.Pread(fd, b, 0)
	fmt.Printf("%s\n", b)

	p.Ftruncate(fd, 0)
	_, err := m.ReadAt(b, 0)
	fmt.Println(err)
	m.Munmap()
	// Output:
	// A FILE IN MEMORY
	// SIGBUS at offset 0 of a mapping: EINVAL: an argument makes no sense
}

func ExampleProc_Kevent() {
	k, _ := sim.Boot(sim.Config{})
	defer k.Shutdown()
	p := k.Init()
	p.Mount(tmpfs.MOUNT_TMPFS, "/tmp", 0, tmpfs.DefaultArgs())
	dir, _ := p.Open("/tmp", kern.O_RDONLY, 0)

	kq, _ := p.Kqueue()
	watch := []kern.Kevent{{Ident: dir, Filter: kern.EVFILT_VNODE, Flags: kern.EV_ADD | kern.EV_CLEAR, Fflags: kern.NOTE_WRITE}}
	p.Kevent(kq, watch, nil, 0)
	p.Mkdir("/tmp/new", 0o755)
	events := make([]kern.Kevent, 1)
	n, _ := p.Kevent(kq, nil, events, -1)
	fmt.Println(n, events[0].Fflags == kern.NOTE_WRITE)
	// Output: 1 true
}

func ExampleProc_Poll() {
	k, _ := sim.Boot(sim.Config{Mode: hypercall.Deterministic, Fifofs: true}) // whose time passes at once
	defer k.Shutdown()
	p := k.Init()
	p.Mount(tmpfs.MOUNT_TMPFS, "/tmp", 0, tmpfs.DefaultArgs())
	p.Mkfifo("/tmp/f", 0o600)
	fd, _ := p.Open("/tmp/f", kern.O_RDWR, 0)
	fds := []vfs.Pollfd{{FD: fd, Events: kern.POLLIN}}
	n, _ := p.Poll(fds, time.Second)
	fmt.Println(n)
	p.Write(fd, []byte("x"))
	n, _ = p.Poll(fds, time.Second)
	fmt.Println(n, fds[0].Revents == kern.POLLIN)
	// Output:
	// 0
	// 1 true
}

// After a call the kernel can be asked whether all that it knows of itself
// fits together.
func ExampleKernel_Check() {
	k, err := sim.Boot(sim.Config{Mode: hypercall.Deterministic, CheckLocks: true})
	if err != nil {
		log.Fatal(err)
	}
	defer k.Shutdown()
	fmt.Println(k.Init().Mkdir("/d", 0o755), k.Check())

	// A reference that nobody remembers.
	l := kern.NewLwp(k.K, nil, "leaky")
	defer l.Exit()
	k.V.Root.Load().Ref(l)
	fmt.Println(k.Check())
	k.V.Root.Load().Rele(l)
	// Output:
	// <nil> <nil>
	// broken: vnode VDIR tag 3 usecount 4 holdcnt 0 writecount 0 vflag 0x21 iflag 0x0 size 512: usecount 4, but 3 references (working directory, the kernel, as root directory, the file system, as its root)
}

// A kernel that was checked need not be taken apart.
func ExampleKernel_PowerOff() {
	k, err := sim.Boot(sim.Config{Mode: hypercall.Deterministic})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(k.Init().Mkdir("/d", 0o755), k.Check())
	k.PowerOff()
	fmt.Println(k.Init().Rmdir("/d"))
	// Output:
	// <nil> <nil>
	// powered off
}
