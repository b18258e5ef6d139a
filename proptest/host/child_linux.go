//go:build amd64 || arm64

package host

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"rumpvfs/kern"
)

// Child is the child process's whole life if this process is one. A program that calls New calls it first.
func Child() {
	dir := os.Getenv(childEnv)
	if dir == "" {
		return
	}
	if err := serve(dir); err != nil {
		fmt.Fprintln(os.Stderr, "host: child:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve answers requests until there are no more.
func serve(dir string) error {
	in, out, err := pipes()
	if err != nil {
		return err
	}
	dec, w := gob.NewDecoder(bufio.NewReaderSize(in, 1<<16)), bufio.NewWriterSize(out, 1<<16)
	enc := gob.NewEncoder(w)
	var worlds worlds
	broken := confine(dir)
	for {
		var q request
		if err := dec.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var r reply
		if broken == nil && q.Reset {
			broken = worlds.next()
		}
		if broken != nil {
			r.Err = broken.Error()
		} else if len(q.Calls) > 0 {
			r.Results = worlds.do(q.Calls)
		}
		if err := enc.Encode(r); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
}

// Descriptors behind what scripts see: the pipes, and the root that the child has for itself.
const (
	inFD   = kern.NOFILE + 60
	outFD  = kern.NOFILE + 61
	rootFD = kern.NOFILE + 62
)

// pipes moves standard input and output out of the way of scripts. Go's own descriptors are behind them already, as those
// below are taken by whoever started the child; the one that Go polls with it makes with its first pipe.
func pipes() (in, out *os.File, err error) {
	for from, to := range []int{inFD, outFD} {
		if err := unix.Dup3(from, to, unix.O_CLOEXEC); err != nil {
			return nil, nil, fmt.Errorf("dup: %w", err)
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	return os.NewFile(inFD, "in"), os.NewFile(outFD, "out"), errors.Join(r.Close(), w.Close())
}

// The world of a script, and what else there is in the child's name space.
const (
	worldDir = "/world"
	console  = "/console"
)

// openRoot opens the root.
func openRoot() error {
	fd, err := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	return errors.Join(unix.Dup3(fd, rootFD, unix.O_CLOEXEC), unix.Close(fd))
}

// confine makes a tmpfs the root of all that the child can see.
func confine(dir string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("no mount name space: %w", err)
	}
	if err := unix.Mount("root", dir, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("no tmpfs: %w", err)
	}
	old := dir + "/old"
	for _, step := range []func() error{
		func() error { return os.Mkdir(old, 0o755) },
		func() error { return unix.PivotRoot(dir, old) },
		func() error { return os.Chdir("/") },
		func() error { return unix.Unmount("/old", unix.MNT_DETACH) },
		func() error { return os.Remove("/old") },
		func() error { return os.Mkdir(worldDir, 0o755) },
		func() error { return unix.Mknod(console, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))) },
		openRoot,
		func() error {
			return unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: kern.NOFILE, Max: kern.NOFILE})
		},
	} {
		if err := step(); err != nil {
			return fmt.Errorf("no root of its own: %w", err)
		}
	}
	return nil
}
