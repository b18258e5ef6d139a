package sim_test

import (
	"testing"

	"rumpvfs/kern"
	"rumpvfs/sim"
)

// boot boots a kernel that must be clean when the test ends, unless it has
// stopped.
func boot(t testing.TB, c sim.Config) *sim.Kernel {
	t.Helper()
	k, err := sim.Boot(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	return k
}

// check wants a call to return err.
func check(t testing.TB, what string, got, want error) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// ok stops the test at an error.
func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// value stops the test at an error of a call that returns something.
func value[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		ok(t, err)
		return v
	}
}

// wants compares what a call returned.
func wants[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// create makes a file with some text and returns a descriptor to read and
// write it.
func create(t testing.TB, p *sim.Proc, path, text string) int {
	t.Helper()
	fd := value[int](t)(p.Open(path, kern.O_RDWR|kern.O_CREAT, 0o644))
	wants(t, "write "+path, value[int](t)(p.Write(fd, []byte(text))), len(text))
	return fd
}

// content reads a file.
func content(t testing.TB, p *sim.Proc, path string) string {
	t.Helper()
	fd := value[int](t)(p.Open(path, kern.O_RDONLY, 0))
	b := make([]byte, 1<<16)
	n := value[int](t)(p.Read(fd, b))
	ok(t, p.Close(fd))
	return string(b[:n])
}
