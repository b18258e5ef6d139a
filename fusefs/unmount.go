//go:build linux

package fusefs

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// Unmount unmounts the directory dir of the host, which a server of whatever
// process, even of one that has died, has mounted. With lazy set it is taken
// out of the names at once, and programs that use it go on.
func Unmount(dir string, lazy bool) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	mounted, err := mountedOn(dir)
	if err != nil {
		return err
	}
	if !mounted {
		return fmt.Errorf("%s: no rumpvfs is mounted here", dir)
	}
	if os.Geteuid() != 0 {
		return fusermount(dir, lazy)
	}
	flags := 0
	if lazy {
		flags = syscall.MNT_DETACH
	}
	if err := syscall.Unmount(dir, flags); err != nil {
		return &os.PathError{Op: "unmount", Path: dir, Err: err}
	}
	return nil
}

// mountedOn reports whether the topmost mount on dir is of this package.
func mountedOn(dir string) (bool, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return false, err
	}
	return topmost(b, dir) == "fuse."+fsName, nil
}

// topmost returns the type of the file system that was mounted on dir last, by
// the text of /proc/PID/mountinfo; "" if there is none.
func topmost(mountinfo []byte, dir string) (fstype string) {
	for line := range bytes.Lines(mountinfo) {
		before, after, ok := strings.Cut(string(line), " - ")
		f := strings.Fields(before)
		t := strings.Fields(after)
		if ok && len(f) > 4 && len(t) > 0 && unescape(f[4]) == dir {
			fstype = t[0]
		}
	}
	return fstype
}

// unescape gives back what the host writes in octal in its tables.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// fusermount unmounts for a user who may not.
func fusermount(dir string, lazy bool) error {
	args := []string{"-u", dir}
	if lazy {
		args = []string{"-u", "-z", dir}
	}
	out, err := exec.Command("fusermount3", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("fusermount3: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}
