package fifofs_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/tmpfs"
	"rumpvfs/vfs"
)

// boot boots a kernel with a fifo "/t/f" on a tmpfs.
func boot(t testing.TB, c sim.Config) *sim.Proc {
	t.Helper()
	c.Fifofs = true
	k, err := sim.Boot(c)
	ok(t, err)
	t.Cleanup(func() { ok(t, k.Shutdown()) })
	p := k.Init()
	ok(t, p.Mkdir("/t", 0o755))
	ok(t, p.Mount(tmpfs.MOUNT_TMPFS, "/t", 0, tmpfs.DefaultArgs()))
	ok(t, p.Mkfifo("/t/f", 0o666))
	return p
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, p *sim.Proc, flags int) int {
	t.Helper()
	fd, err := p.Open("/t/f", flags, 0)
	ok(t, err)
	return fd
}

// said is what a call answered, as text.
func said(n int, err error) string {
	if err != nil {
		return err.(kern.Errno).Name()
	}
	return fmt.Sprint(n)
}

func read(p *sim.Proc, fd, n int) string {
	b := make([]byte, n)
	n, err := p.Read(fd, b)
	if err == nil && n > 0 {
		return fmt.Sprintf("%q", b[:n])
	}
	return said(n, err)
}

// TestWithoutWaiting is what one process finds that waits for nobody.
func TestWithoutWaiting(t *testing.T) {
	const nonblock = kern.O_NONBLOCK
	p := boot(t, sim.Config{})
	want := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, not %s", what, got, want)
		}
	}
	_, err := p.Open("/t/f", kern.O_WRONLY|nonblock, 0)
	want("a writer without a reader", said(0, err), "ENXIO")
	r := open(t, p, kern.O_RDONLY|nonblock)
	want("reading without a writer", read(p, r, 9), "0")
	w := open(t, p, kern.O_WRONLY)
	w2 := open(t, p, kern.O_WRONLY|nonblock)
	want("reading an empty fifo", read(p, r, 9), "EAGAIN")
	want("reading nothing", read(p, r, 0), "0")
	write := func(fd, n int) string { return said(p.Write(fd, bytes.Repeat([]byte("x"), n))) }
	want("writing", write(w, 3), "3")
	want("writing nothing", write(w, 0), "0")
	want("reading", read(p, r, 2), `"xx"`)
	want("reading the rest", read(p, r, 9), `"x"`)
	want("filling", write(w, 3800), "3800")
	want("a write of PIPE_BUF bytes", write(w2, 512), "EAGAIN")
	want("a large write", write(w2, 4000), "EAGAIN")
	want("making room", said(p.Read(r, make([]byte, 2000))), "2000")
	want("a large write again", write(w2, 4000), "2296")
	want("what is then in it", said(p.Read(r, make([]byte, 9000))), "4096")
	if _, err := p.Lseek(r, 0, kern.SEEK_SET); err != kern.ESPIPE {
		t.Errorf("lseek: %v", err)
	}
	if _, err := p.Pread(r, make([]byte, 1), 0); err != kern.ESPIPE {
		t.Errorf("pread: %v", err)
	}
	if n, err := p.Fpathconf(r, kern.PC_PIPE_BUF); n != kern.PIPE_BUF || err != nil {
		t.Errorf("PIPE_BUF %d, %v", n, err)
	}
	write(w, 2)
	ok(t, p.Close(w))
	ok(t, p.Close(w2))
	want("reading what the last writer has left", read(p, r, 9), `"xx"`)
	want("the end of file", read(p, r, 9), "0")
	w = open(t, p, kern.O_WRONLY)
	ok(t, p.Close(r))
	want("writing without a reader", write(w, 1), "EPIPE")
	want("writing nothing without a reader", write(w, 0), "EPIPE")
	r = open(t, p, kern.O_RDONLY)
	want("to a new reader", write(w, 1)+read(p, r, 9), `1"x"`)
	write(w, 9)
	ok(t, p.Close(w))
	ok(t, p.Close(r))
	r = open(t, p, kern.O_RDONLY|nonblock)
	want("what nobody has read is lost", read(p, r, 9), "0")
	ok(t, p.Close(r))
	rw := open(t, p, kern.O_RDWR)
	want("a fifo open for both", write(rw, 5)+read(p, rw, 9), `5"xxxxx"`)
}

// TestRumpfsFifosStay: those of rumpfs do what they did, and a kernel without
// fifofs opens none of tmpfs.
func TestRumpfsFifosStay(t *testing.T) {
	p := boot(t, sim.Config{})
	ok(t, p.Mkfifo("/f", 0o666))
	fd, err := p.Open("/f", kern.O_RDONLY, 0)
	ok(t, err)
	if got := read(p, fd, 9); got != "0" {
		t.Error(got)
	}
	k, err := sim.Boot(sim.Config{})
	ok(t, err)
	defer k.Shutdown()
	p = k.Init()
	ok(t, p.Mount(tmpfs.MOUNT_TMPFS, "/tmp", 0, tmpfs.DefaultArgs()))
	ok(t, p.Mkfifo("/tmp/f", 0o666))
	if _, err := p.Open("/tmp/f", kern.O_RDWR, 0); err != kern.EOPNOTSUPP {
		t.Error(err)
	}
}

// TestIoctl counts what is in a fifo, and what there is room for, and asks
// whose it is.
func TestIoctl(t *testing.T) {
	p := boot(t, sim.Config{})
	r, w, rw := open(t, p, kern.O_RDONLY|kern.O_NONBLOCK), open(t, p, kern.O_WRONLY), open(t, p, kern.O_RDWR)
	_, err := p.Write(w, make([]byte, 1000))
	ok(t, err)
	for _, c := range []struct {
		fd   int
		com  uint64
		want int32
	}{
		{r, kern.FIONREAD, 1000}, {w, kern.FIONREAD, 0}, {rw, kern.FIONREAD, 0},
		{r, kern.FIONSPACE, 4096}, {w, kern.FIONSPACE, 3096}, {rw, kern.FIONSPACE, 3096},
		{r, kern.FIONWRITE, 0}, {w, kern.FIONWRITE, 0},
	} {
		n := int32(-1)
		if err := p.Ioctl(c.fd, c.com, &n); err != nil || n != c.want {
			t.Errorf("%d %#x: %d, %v", c.fd, c.com, n, err)
		}
	}
	if err := p.Ioctl(r, kern.FIONREAD, nil); err != kern.EFAULT {
		t.Error(err)
	}
	if err := p.Ioctl(r, 0x5401, new(int32)); err != kern.EOPNOTSUPP {
		t.Error(err)
	}
	owner := func(fd int) int {
		n, err := p.Fcntl(fd, kern.F_GETOWN, 0)
		ok(t, err)
		return n
	}
	for _, c := range []struct {
		fd, set, r, w int
		err           error
	}{{w, 1, 0, 1, nil}, {r, 99, 0, 1, kern.ESRCH}, {r, -1, 0, 1, kern.EINVAL}, {rw, 1, 1, 1, nil}, {w, 0, 1, 0, nil}} {
		if _, err := p.Fcntl(c.fd, kern.F_SETOWN, int64(c.set)); err != c.err || owner(r) != c.r || owner(w) != c.w || owner(rw) != c.w {
			t.Errorf("F_SETOWN %d of %d: %v; owners %d, %d, %d", c.set, c.fd, err, owner(r), owner(w), owner(rw))
		}
	}
	on := int32(1)
	ok(t, p.Ioctl(rw, kern.FIONBIO, &on))
	_, _ = p.Read(rw, make([]byte, 4096))
	if got := read(p, rw, 1); got != "EAGAIN" {
		t.Error(got)
	}
	_ = p.Close(99)
	if err := p.Ioctl(99, kern.FIONREAD, &on); err != kern.EBADF {
		t.Error(err)
	}
}

// lwps runs bodies, each in an lwp of a child process of its own, until all
// are done.
func lwps(t testing.TB, p *sim.Proc, bodies ...func(q *sim.Proc)) {
	t.Helper()
	var started []*sim.Lwp
	for i, body := range bodies {
		q, err := p.Rfork(sim.RUMP_RFFDG)
		ok(t, err)
		started = append(started, q.Go(fmt.Sprint("lwp", i), func(q *sim.Proc) {
			body(q)
			if err := q.Exit(); err != nil && p.Kernel().Err() == nil {
				t.Error(err)
			}
		}))
	}
	for _, l := range started {
		if err := p.Join(l); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMeeting: reader and writer wait for each other at open, data and room at
// read and write, in every mode and order.
func TestMeeting(t *testing.T) {
	data := make([]byte, 30000)
	for i := range data {
		data[i] = byte(i * 7 >> 3)
	}
	meet := func(t *testing.T, p *sim.Proc) {
		var got []byte
		lwps(t, p, func(q *sim.Proc) {
			fd, err := q.Open("/t/f", kern.O_RDONLY, 0)
			b := make([]byte, 1000)
			for n := 1; err == nil && n > 0; got = append(got, b[:n]...) {
				n, err = q.Read(fd, b)
			}
			if err != nil {
				t.Error(err)
			}
		}, func(q *sim.Proc) {
			fd, err := q.Open("/t/f", kern.O_WRONLY, 0)
			n := 0
			if err == nil {
				n, err = q.Write(fd, data)
			}
			if n != len(data) || err != nil {
				t.Error(n, err)
			}
		})
		if !bytes.Equal(got, data) {
			t.Errorf("%d bytes came, or others", len(got))
		}
	}
	for seed := range uint64(40) {
		meet(t, boot(t, sim.Config{Mode: hypercall.Deterministic, Seed: seed}))
	}
	for range 5 {
		meet(t, boot(t, sim.Config{}))
	}
}

// TestWritesOfPipeBufAreWhole: records of several writers, of up to PIPE_BUF
// bytes, come unbroken, each writer's in order.
func TestWritesOfPipeBufAreWhole(t *testing.T) {
	const writers, records = 3, 60
	whole := func(t *testing.T, p *sim.Proc, seed uint64) {
		var all []byte
		var left atomic.Int32 // writers
		left.Store(writers)
		bodies := []func(*sim.Proc){func(q *sim.Proc) {
			fd, err := q.Open("/t/f", kern.O_RDONLY, 0)
			rnd := rand.New(rand.NewPCG(seed, 0))
			for end := []byte("end"); err == nil && !bytes.HasSuffix(all, end); {
				n := 0
				b := make([]byte, 1+rnd.IntN(700))
				n, err = q.Read(fd, b)
				all = append(all, b[:n]...)
			}
			if err != nil {
				t.Error(err)
			}
			all = all[:max(0, len(all)-len("end"))]
		}}
		for w := range writers {
			bodies = append(bodies, func(q *sim.Proc) {
				fd, err := q.Open("/t/f", kern.O_WRONLY, 0)
				rnd := rand.New(rand.NewPCG(seed, uint64(w+1)))
				for i := 0; i < records && err == nil; i++ {
					n := 4 + rnd.IntN(kern.PIPE_BUF-4+1)
					rec := bytes.Repeat([]byte{byte('a' + w)}, n)
					rec[0], rec[1], rec[2] = byte(n), byte(n>>8), byte(i)
					_, err = q.Write(fd, rec)
				}
				if err == nil && left.Add(-1) == 0 {
					_, err = q.Write(fd, []byte("end"))
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		lwps(t, p, bodies...)
		var next [writers]int
		for len(all) > 0 {
			n := int(all[0]) | int(all[1])<<8
			w := int(all[3]) - 'a'
			if n < 4 || n > len(all) || w < 0 || w >= writers || int(all[2]) != next[w] ||
				bytes.Count(all[3:n], all[3:4]) != n-3 {
				t.Fatalf("seed %d: a broken record: %q", seed, all[:min(len(all), 40)])
			}
			next[w]++
			all = all[n:]
		}
		if next != [writers]int{records, records, records} {
			t.Errorf("seed %d: %v records", seed, next)
		}
	}
	for seed := range uint64(15) {
		whole(t, boot(t, sim.Config{Mode: hypercall.Deterministic, Seed: seed}), seed)
	}
	whole(t, boot(t, sim.Config{}), 99)
}

// TestBlocked: a wait that nobody can end stops a deterministic kernel, which
// says so.
func TestBlocked(t *testing.T) {
	for what, call := range map[string]func(p *sim.Proc) error{
		"a reader alone": func(p *sim.Proc) error { _, err := p.Open("/t/f", kern.O_RDONLY, 0); return err },
		"a writer alone": func(p *sim.Proc) error { _, err := p.Open("/t/f", kern.O_WRONLY, 0); return err },
		"nothing to read": func(p *sim.Proc) error {
			fd, _ := p.Open("/t/f", kern.O_RDWR, 0)
			_, err := p.Read(fd, make([]byte, 1))
			return err
		},
		"no room": func(p *sim.Proc) error {
			fd, _ := p.Open("/t/f", kern.O_RDWR, 0)
			_, err := p.Write(fd, make([]byte, 5000))
			return err
		},
		"poll": func(p *sim.Proc) error {
			fd, _ := p.Open("/t/f", kern.O_RDWR, 0)
			_, err := p.Poll([]vfs.Pollfd{{FD: fd, Events: kern.POLLIN}}, -1)
			return err
		},
		"the end of file, told once": func(p *sim.Proc) error {
			r, _ := p.Open("/t/f", kern.O_RDONLY|kern.O_NONBLOCK, 0)
			w, _ := p.Open("/t/f", kern.O_WRONLY, 0)
			_ = p.Close(w)
			_, _ = p.Fcntl(r, kern.F_SETFL, 0)
			if n, err := p.Read(r, make([]byte, 1)); n != 0 || err != nil {
				t.Error(n, err)
			}
			_, err := p.Read(r, make([]byte, 1))
			return err
		},
		"before the first writer": func(p *sim.Proc) error {
			r, _ := p.Open("/t/f", kern.O_RDONLY|kern.O_NONBLOCK, 0)
			_, _ = p.Fcntl(r, kern.F_SETFL, 0)
			_, err := p.Read(r, make([]byte, 1))
			return err
		},
	} {
		p := boot(t, sim.Config{Mode: hypercall.Deterministic})
		err := call(p)
		if b := (hypercall.Blocked{}); !errors.As(err, &b) {
			t.Errorf("%s: %v", what, err)
		}
	}
	p := boot(t, sim.Config{Mode: hypercall.Deterministic, Without: kern.Rev1125})
	r := open(t, p, kern.O_RDONLY|kern.O_NONBLOCK)
	_, err := p.Fcntl(r, kern.F_SETFL, 0)
	ok(t, err)
	for range 2 { // without the quirk, as often as one asks
		for range 2 {
			if got := read(p, r, 1); got != "0" {
				t.Error(got)
			}
		}
		ok(t, p.Close(open(t, p, kern.O_WRONLY)))
	}
}

// TestRevoke ends the waits of who has the fifo open, or is about to.
func TestRevoke(t *testing.T) {
	for seed := range uint64(60) {
		p := boot(t, sim.Config{Mode: hypercall.Deterministic, Seed: seed})
		var answers []string
		note := func(what string, n int, err error) { answers = append(answers, what+" "+said(n, err)) }
		full := open(t, p, kern.O_RDWR)
		if seed%2 == 0 {
			_, err := p.Write(full, make([]byte, 4096))
			ok(t, err)
		}
		lwps(t, p, func(q *sim.Proc) {
			n, err := q.Write(full, make([]byte, 100))
			note("write", n, err)
		}, func(q *sim.Proc) {
			n, err := q.Read(full, make([]byte, 100))
			note("read", n, err)
			n, err = q.Read(full, make([]byte, 9000))
			note("read", n, err)
			n, err = q.Read(full, make([]byte, 9000))
			note("read", n, err)
		}, func(q *sim.Proc) {
			n, err := q.Poll([]vfs.Pollfd{{FD: full, Events: kern.POLLIN}}, -1)
			note("poll", n, err)
		}, func(q *sim.Proc) {
			if err := q.Revoke("/t/f"); err != nil {
				t.Error(err)
			}
		}, func(q *sim.Proc) {
			fd, err := q.Open("/t/f", kern.O_RDONLY|kern.O_NONBLOCK, 0)
			note("open", 0, err)
			if err == nil {
				_ = q.Close(fd)
			}
		})
		if len(answers) != 6 {
			t.Errorf("seed %d: %v", seed, answers)
		}
	}
	// Who waits to open a fifo that is revoked.
	p := boot(t, sim.Config{Mode: hypercall.Deterministic})
	var got error
	lwps(t, p, func(q *sim.Proc) {
		_, got = q.Open("/t/f", kern.O_RDONLY, 0)
	}, func(q *sim.Proc) {
		for fi, _ := q.Stat("/t/f"); fi.Nlink == 1 && p.Kernel().Err() == nil; fi, _ = q.Stat("/t/f") {
			if n, _ := q.Poll(nil, 1); n == 0 {
				break
			}
		}
		_ = q.Revoke("/t/f")
	})
	if got != kern.ENXIO {
		t.Errorf("open: %v", got)
	}
}

// TestInterrupt ends a wait from outside.
func TestInterrupt(t *testing.T) {
	waits := map[string]func(q *sim.Proc, fd int) error{
		"open": func(q *sim.Proc, _ int) error { _, err := q.Open("/t/alone", kern.O_RDONLY, 0); return err },
		"read": func(q *sim.Proc, fd int) error { _, err := q.Read(fd, make([]byte, 1)); return err },
		"write": func(q *sim.Proc, fd int) error {
			n, err := q.Write(fd, make([]byte, 5000))
			if n != 4096 || err != nil {
				return err
			}
			return kern.EINTR // after a part
		},
		"poll": func(q *sim.Proc, fd int) error {
			_, err := q.Poll([]vfs.Pollfd{{FD: fd, Events: kern.POLLIN}}, -1)
			return err
		},
		"kevent": func(q *sim.Proc, fd int) error {
			kq, _ := q.Kqueue()
			add := []kern.Kevent{{Ident: fd, Filter: kern.EVFILT_READ, Flags: kern.EV_ADD}}
			_, err := q.Kevent(kq, add, make([]kern.Kevent, 1), -1)
			return err
		},
	}
	for what, wait := range waits {
		for seed := range uint64(10) {
			p := boot(t, sim.Config{Mode: hypercall.Deterministic, Seed: seed})
			ok(t, p.Mkfifo("/t/alone", 0o600))
			fd := open(t, p, kern.O_RDWR)
			var self *kern.Lwp
			var got error
			lwps(t, p, func(q *sim.Proc) {
				_ = q.Call("self", nil, func(l *kern.Lwp) error { self = l; return nil })
				got = wait(q, fd)
			}, func(q *sim.Proc) {
				for self == nil {
					_, _ = q.Poll(nil, 1)
				}
				_ = q.Call("interrupt", nil, func(by *kern.Lwp) error { self.Interrupt(by); return nil })
			})
			if got != kern.EINTR {
				t.Errorf("%s, seed %d: %v", what, seed, got)
			}
		}
	}
}

// TestPoll asks what can be done, before and after.
func TestPoll(t *testing.T) {
	p := boot(t, sim.Config{})
	r, w := open(t, p, kern.O_RDONLY|kern.O_NONBLOCK), open(t, p, kern.O_WRONLY)
	const in, out = kern.POLLIN | kern.POLLRDNORM, kern.POLLOUT
	is := func(what string, wantR, wantW int) {
		t.Helper()
		fds := []vfs.Pollfd{{FD: r, Events: in | kern.POLLPRI}, {FD: w, Events: out}, {FD: -1, Events: in}, {FD: 77}}
		n, err := p.Poll(fds, 0)
		want := 1
		for _, e := range []int{wantR, wantW} {
			if e != 0 {
				want++
			}
		}
		if err != nil || n != want || fds[0].Revents != wantR || fds[1].Revents != wantW || fds[2].Revents != 0 ||
			fds[3].Revents != kern.POLLNVAL {
			t.Errorf("%s: %d, %v, %v", what, n, err, fds)
		}
	}
	is("empty", 0, out)
	_, _ = p.Write(w, make([]byte, 2048))
	is("half full", in, out)
	_, _ = p.Write(w, make([]byte, 1))
	is("more than half full", in, 0)
	_, _ = p.Read(r, make([]byte, 4096))
	is("empty again", 0, out)
	ok(t, p.Close(w))
	w = open(t, p, kern.O_WRONLY)
	is("with a new writer", 0, out)
	ok(t, p.Close(w))
	if n, err := p.Poll([]vfs.Pollfd{{FD: r, Events: in}}, -1); n != 1 || err != nil {
		t.Errorf("at the end of file: %d, %v", n, err)
	}
	if _, err := p.Poll(make([]vfs.Pollfd, 5000), 0); err != kern.EINVAL {
		t.Error(err)
	}
}

// TestPollWakes has lwps that poll woken by what others do, under many
// schedules; a timeout ends the wait of one for whom nothing happens.
func TestPollWakes(t *testing.T) {
	poll := func(t *testing.T, p *sim.Proc) {
		r := open(t, p, kern.O_RDONLY|kern.O_NONBLOCK)
		w := open(t, p, kern.O_WRONLY)
		_, err := p.Write(w, make([]byte, 4096))
		ok(t, err)
		wait := func(fd, events int) func(*sim.Proc) {
			return func(q *sim.Proc) {
				if n, err := q.Poll([]vfs.Pollfd{{FD: fd, Events: events}}, -1); n != 1 || err != nil {
					t.Error(n, err)
				}
			}
		}
		lwps(t, p, wait(w, kern.POLLOUT), wait(w, kern.POLLOUT), wait(r, kern.POLLIN), func(q *sim.Proc) {
			_, _ = q.Read(r, make([]byte, 1500))
			_, _ = q.Read(r, make([]byte, 1500))
		})
		if n, err := p.Poll([]vfs.Pollfd{{FD: r, Events: kern.POLLPRI}}, 1000); n != 0 || err != nil {
			t.Error(n, err)
		}
	}
	for seed := range uint64(60) {
		poll(t, boot(t, sim.Config{Mode: hypercall.Deterministic, Seed: seed}))
	}
	for range 5 {
		poll(t, boot(t, sim.Config{}))
	}
}

// TestKqueue watches both ends.
func TestKqueue(t *testing.T) {
	for name, c := range map[string]struct {
		quirks kern.Quirks // that there are not
		write  []string
	}{
		"rev1125": {0, []string{"4096 eof", "4096 eof", "4096 eof", "4096 eof"}},
		"fixed":   {kern.Rev1125, []string{"4096", "3596", "none", "0 eof"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := boot(t, sim.Config{Without: c.quirks})
			r, w := open(t, p, kern.O_RDONLY|kern.O_NONBLOCK), open(t, p, kern.O_WRONLY)
			kq, err := p.Kqueue()
			ok(t, err)
			add := []kern.Kevent{
				{Ident: r, Filter: kern.EVFILT_READ, Flags: kern.EV_ADD, Udata: "r"},
				{Ident: w, Filter: kern.EVFILT_WRITE, Flags: kern.EV_ADD, Udata: "w"},
			}
			_, err = p.Kevent(kq, add, nil, 0)
			ok(t, err)
			is := func(what, wantR, wantW string) {
				t.Helper()
				got := map[any]string{"r": "none", "w": "none"}
				events := make([]kern.Kevent, 5)
				n, err := p.Kevent(kq, nil, events, 0)
				ok(t, err)
				for _, e := range events[:n] {
					got[e.Udata] = fmt.Sprint(e.Data)
					if e.Flags&kern.EV_EOF != 0 {
						got[e.Udata] += " eof"
					}
				}
				if got["r"] != wantR || got["w"] != wantW {
					t.Errorf("%s: %v, not %s and %s", what, got, wantR, wantW)
				}
			}
			is("empty", "none", c.write[0])
			_, _ = p.Write(w, make([]byte, 500))
			is("500 bytes", "500", c.write[1])
			_, _ = p.Write(w, make([]byte, 3596))
			is("full", "4096", c.write[2])
			r2 := open(t, p, kern.O_RDONLY)
			ok(t, p.Close(r)) // and its filter
			is("without who watched to read", "none", c.write[2])
			ok(t, p.Close(r2))
			is("without a reader", "none", c.write[3])
			_, err = p.Kevent(kq, []kern.Kevent{{Ident: w, Filter: kern.EVFILT_VNODE, Flags: kern.EV_ADD}}, nil, 0)
			if err != kern.EINVAL {
				t.Error(err)
			}
		})
	}
}

// TestQueueIsAQueue compares what goes through a fifo with a slice, for random
// lengths.
func TestQueueIsAQueue(t *testing.T) {
	p := boot(t, sim.Config{})
	fd := open(t, p, kern.O_RDWR|kern.O_NONBLOCK)
	rnd := rand.New(rand.NewPCG(7, 7))
	var want []byte
	for i := range 3000 {
		n := rnd.IntN(1 << rnd.IntN(13))
		if rnd.IntN(2) == 0 {
			b := make([]byte, n)
			for j := range b {
				b[j] = byte(i + j)
			}
			space := 4096 - len(want)
			fits := min(n, space)
			if space < n && space < 2048 {
				fits = 0
			}
			m, err := p.Write(fd, b)
			if m != fits || (fits == 0 && n > 0) != (err == kern.EWOULDBLOCK) {
				t.Fatalf("%d: wrote %d of %d to %d: %v", i, m, n, len(want), err)
			}
			want = append(want, b[:fits]...)
		} else if n > 0 {
			b := make([]byte, n)
			m, err := p.Read(fd, b)
			if len(want) == 0 && err == kern.EWOULDBLOCK {
				continue
			}
			if m != min(n, len(want)) || err != nil || !bytes.Equal(b[:m], want[:m]) {
				t.Fatalf("%d: read %d of %d, there are %d: %v", i, m, n, len(want), err)
			}
			want = slices.Delete(want, 0, m)
		}
	}
	// Less memory than was said.
	want = nil
	_, _ = p.Read(fd, make([]byte, 9000))
	if _, err := p.Write(fd, []byte("abc")); err != nil {
		t.Fatal(err)
	}
	if _, err := p.ReadN(fd, make([]byte, 2), 3); err != kern.EFAULT {
		t.Error(err)
	}
	if got := read(p, fd, 9); !strings.HasSuffix(got, `c"`) {
		t.Error(got)
	}
}

func Example() {
	k, _ := sim.Boot(sim.Config{Fifofs: true})
	defer k.Shutdown()
	p := k.Init()
	p.Mount(tmpfs.MOUNT_TMPFS, "/tmp", 0, tmpfs.DefaultArgs())
	p.Mkfifo("/tmp/pipe", 0o600)
	q, _ := p.Rfork(sim.RUMP_RFFDG)
	writer := q.Go("writer", func(q *sim.Proc) {
		fd, _ := q.Open("/tmp/pipe", kern.O_WRONLY, 0) // waits for the reader
		q.Write(fd, []byte("hello"))
		q.Exit()
	})
	fd, _ := p.Open("/tmp/pipe", kern.O_RDONLY, 0)
	b := make([]byte, 10)
	n, _ := p.Read(fd, b)
	fmt.Printf("%s\n", b[:n])
	p.Join(writer)
	// Output: hello
}

// BenchmarkFifo is a write and a read of some bytes.
func BenchmarkFifo(b *testing.B) {
	for _, n := range []int{1, 512, 4096} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := boot(b, sim.Config{})
			fd := open(b, p, kern.O_RDWR)
			buf := make([]byte, n)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Write(fd, buf); err != nil {
					b.Fatal(err)
				}
				if _, err := p.Read(fd, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
