package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"rumpvfs/fusefs"
)

// Two kernels are served, used, and unmounted.
func TestMountServes(t *testing.T) {
	if f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err != nil || os.Geteuid() != 0 {
		t.Skip("not root, or no /dev/fuse:", err) //policy:skip needs /dev/fuse and the right to mount
	} else {
		f.Close()
	}
	a, b := t.TempDir(), t.TempDir()
	if err := syscall.Mount("none", a, "tmpfs", 0, ""); err != nil {
		t.Skip("root may not mount here:", err) //policy:skip needs /dev/fuse and the right to mount
	}
	if err := syscall.Unmount(a, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // whatever went wrong, no mount is left behind
		_ = fusefs.Unmount(a, true)
		_ = fusefs.Unmount(b, true)
	})
	r, w := io.Pipe()
	status := make(chan int, 1)
	var failed bytes.Buffer
	go func() {
		status <- Main([]string{"mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", a, "-t", "rumpfs", "-o", "ro", b}, Streams{Out: w, Err: &failed})
		w.Close()
	}()
	out := bufio.NewScanner(r)
	for _, want := range []string{"tmpfs on " + a, "rumpfs on " + b} {
		if !out.Scan() || out.Text() != want {
			t.Fatalf("it says %q, want %q: %s", out.Text(), want, failed.String())
		}
	}
	if fi, err := os.Stat(a); err != nil || fi.Mode() != os.ModeDir|0o700 {
		t.Errorf("%v %v", fi, err)
	}
	file := filepath.Join(a, "file")
	if err := os.WriteFile(file, []byte("hello"), 0o600); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(file); string(got) != "hello" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	if err := os.WriteFile(file, make([]byte, 2<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Error(err)
	}
	if err := os.Mkdir(filepath.Join(b, "tmp", "d"), 0o755); !errors.Is(err, syscall.EROFS) {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(b, "dev", "zero")); err != nil {
		t.Error(err)
	}
	var said strings.Builder
	if got := Main([]string{"umount", a, b}, Streams{Out: &said, Err: &said}); got != exitOK || said.String() != "unmounted=2 failed=0\n" {
		t.Errorf("umount: status %d: %s", got, said.String())
	}
	last := ""
	for out.Scan() {
		last = out.Text()
	}
	if !regexp.MustCompile(`^mounts=2 requests=\d+ busy=0 stopped=0$`).MatchString(last) {
		t.Errorf("the last line is %q", last)
	}
	if got := <-status; got != exitOK {
		t.Errorf("status %d: %s", got, failed.String())
	}
}
