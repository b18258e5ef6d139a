package sim_test

import (
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
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
