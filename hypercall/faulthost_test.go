package hypercall

import (
	"fmt"
	"testing"
	"time"
)

// faulty returns an in-memory host with the files /d/a, of ten bytes, and /b, and faults.
func faulty(t *testing.T, faults ...Fault) *FaultHost {
	t.Helper()
	h := NewFaultHost(nil, faults...)
	if err := h.Mkdir("/d"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"/d/a", "/b"} {
		if _, err := h.WriteFile(name, []byte("0123456789")); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// use makes each call that a kernel makes once, on the file name, and says what they answered.
func use(h Host, name string) (got [numHostOps]string) {
	size, _, err := h.FileInfo(name)
	got[OpFileInfo] = result(size, err)
	fd, err := h.Open(name, OpenRDWR)
	got[OpOpen] = result(fd, err)
	if err != nil {
		return got
	}
	b := make([]byte, 4)
	n, err := h.ReadAt(fd, b, 2)
	got[OpReadAt] = result(fmt.Sprintf("%q", b[:n]), err)
	n, err = h.WriteAt(fd, []byte("wxyz"), 0)
	got[OpWriteAt] = result(n, err)
	got[OpSync] = result("ok", h.Sync(fd, SyncWRITE, 0, 0))
	got[OpClose] = result("ok", h.Close(fd))
	if m, ok := h.(Mallocer); ok {
		got[OpMalloc] = result("ok", m.Malloc(1))
	}
	return got
}

var noFault = [numHostOps]string{OpFileInfo: "10", OpOpen: "0", OpReadAt: `"2345"`, OpWriteAt: "4", OpSync: "ok", OpClose: "ok", OpMalloc: "ok"}

func TestFaultHostPassesOn(t *testing.T) {
	hosts(t, func(t *testing.T, inner Host, dir string) {
		h := NewFaultHost(inner)
		if _, err := h.WriteFile(dir+"/f", []byte("0123456789")); err != nil {
			t.Fatal(err)
		}
		if got := use(h, dir+"/f"); got != noFault {
			t.Errorf("%q", got)
		}
		if h.Calls(OpAny) != 7 || h.Calls(OpOpen) != 1 || h.Injected() != 0 {
			t.Errorf("%d calls, %d of open, %d failed", h.Calls(OpAny), h.Calls(OpOpen), h.Injected())
		}
	})
}

func TestFaultHostFailsEachOperation(t *testing.T) {
	for op := OpFileInfo; op < numHostOps; op++ {
		h := faulty(t, Fault{Op: op, Err: eIO})
		want := noFault
		if op == OpOpen {
			want = [numHostOps]string{OpFileInfo: "10"}
		}
		want[op] = "EIO"
		if got := use(h, "/b"); got != want {
			t.Errorf("%v fails: %q, want %q", op, got, want)
		}
		if h.OpenFDs() != 0 || h.Injected() != 1 {
			t.Errorf("%v fails: %d descriptors open, %d calls failed", op, h.OpenFDs(), h.Injected())
		}
	}
}

func TestFaultHostConditions(t *testing.T) {
	const info = OpFileInfo
	for _, c := range []struct {
		name  string
		fault Fault
		want  string // of asking twice about /b and twice about /d/a
	}{
		{"every call", Fault{}, "EIO EIO EIO EIO"},
		{"another operation", Fault{Op: OpSync}, "10 10 10 10"},
		{"last element", Fault{Op: info, Path: "a"}, "10 10 EIO EIO"},
		{"pattern", Fault{Op: info, Path: "/d/*"}, "10 10 EIO EIO"},
		{"pattern of the whole path", Fault{Op: info, Path: "/*"}, "EIO EIO 10 10"},
		{"pattern that is none", Fault{Op: info, Path: "["}, "10 10 10 10"},
		{"third call", Fault{Op: info, Nth: 3}, "10 10 EIO 10"},
		{"third call and all after it", Fault{Op: info, Nth: 3, From: true}, "10 10 EIO EIO"},
		{"second call for a file", Fault{Path: "a", Nth: 2}, "10 10 10 EIO"},
		{"always at random", Fault{Rate: 10000}, "EIO EIO EIO EIO"},
	} {
		c.fault.Err = eIO
		h, got := faulty(t, c.fault), ""
		for _, name := range []string{"/b", "/b", "/d/a", "/d/a"} {
			size, _, err := h.FileInfo(name)
			got += " " + result(size, err)
		}
		if got[1:] != c.want {
			t.Errorf("%s: %s, want %s", c.name, got[1:], c.want)
		}
	}
}

func TestFaultHostRate(t *testing.T) {
	run := func(seed uint64) (failed string, n int64) {
		h := faulty(t, Fault{Rate: 500, Seed: seed, Err: eIO})
		for i := range 2000 {
			if _, _, err := h.FileInfo("/b"); err != nil {
				failed += fmt.Sprint(i, " ")
			}
		}
		return failed, h.Injected()
	}
	one, n := run(1)
	if n < 50 || n > 150 {
		t.Errorf("%d of 2000 calls failed, want about 100", n)
	}
	if again, _ := run(1); again != one {
		t.Error("the same seed fails other calls")
	}
	if other, _ := run(2); other == one {
		t.Error("another seed fails the same calls")
	}
}

func TestFaultHostShortTransfers(t *testing.T) {
	h := faulty(t, Fault{Op: OpReadAt, Short: true, Limit: 3}, Fault{Op: OpWriteAt, Short: true, Limit: 2, Err: eIO})
	fd, err := h.Open("/b", OpenRDWR)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	if n, err := h.ReadAt(fd, b, 1); n != 3 || err != nil || string(b[:n]) != "123" {
		t.Errorf("short read: %d, %v, %q", n, err, b[:n])
	}
	if n, err := h.ReadAt(fd, b[:2], 8); n != 2 || err != nil {
		t.Errorf("read that is shorter: %d, %v", n, err)
	}
	if n, err := h.WriteAt(fd, []byte("abcd"), 0); n != 2 || err != eIO {
		t.Errorf("write that fails in the middle: %d, %v", n, err)
	}
	if n, err := h.WriteAt(fd+1, []byte("abcd"), 0); n != 0 || err != eBADF {
		t.Errorf("write that fails anyway: %d, %v", n, err)
	}
	if data, err := h.ReadFile("/b"); err != nil || string(data) != "ab23456789" {
		t.Errorf("file is %q, %v", data, err)
	}
	if err := h.Close(fd); err != nil {
		t.Error(err)
	}
	if err := h.Close(fd); err != eBADF {
		t.Errorf("second close: %v", err)
	}
}

func TestFaultHostDelay(t *testing.T) {
	h := faulty(t, Fault{Op: OpFileInfo, Delay: time.Hour}, Fault{Op: OpOpen, Delay: time.Minute, Err: eIO})
	var slept []time.Duration
	h.sleep = func(d time.Duration) { slept = append(slept, d) }
	if got := use(h, "/b"); got[OpFileInfo] != "10" || got[OpOpen] != "EIO" {
		t.Errorf("%q", got)
	}
	if len(slept) != 2 || slept[0] != time.Hour || slept[1] != time.Minute {
		t.Errorf("slept %v", slept)
	}
}

// The first fault that meets a call decides; SetFaults begins anew.
func TestFaultHostOrder(t *testing.T) {
	h := faulty(t, Fault{Op: OpFileInfo, Nth: 1, Err: eACCES}, Fault{Op: OpFileInfo, Nth: 1, Err: eIO})
	got := ""
	for range 3 {
		_, _, err := h.FileInfo("/b")
		got += result("ok", err) + " "
	}
	if got != "EACCES EIO ok " {
		t.Error(got)
	}
	h.SetFaults(Fault{Nth: 1, Err: eNXIO})
	if h.Calls(OpAny) != 0 || h.Injected() != 0 {
		t.Error("counts go on")
	}
	if _, _, err := h.FileInfo("/b"); err != eNXIO {
		t.Error(err)
	}
}

func TestHostOpNames(t *testing.T) {
	seen := map[string]bool{}
	for op := OpAny; op < numHostOps; op++ {
		seen[op.String()] = true
	}
	if len(seen) != int(numHostOps) {
		t.Error(seen)
	}
}

func ExampleFaultHost() {
	h := NewFaultHost(nil, Fault{Op: OpReadAt, Path: "disk", Nth: 2, Err: 5})
	if _, err := h.WriteFile("/disk", []byte("block")); err != nil {
		fmt.Println(err)
	}
	fd, _ := h.Open("/disk", OpenRDONLY)
	for range 3 {
		n, err := h.ReadAt(fd, make([]byte, 5), 0)
		fmt.Println(n, err)
	}
	fmt.Println(h.Close(fd), h.Calls(OpReadAt), h.Injected())
	// Output:
	// 5 <nil>
	// 0 EIO
	// 5 <nil>
	// <nil> 3 1
}
