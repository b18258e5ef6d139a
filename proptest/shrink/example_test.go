package shrink_test

import (
	"fmt"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/shrink"
)

// A script that fails because a directory is made and removed, among other things.
func Example() {
	script := []call.Call{
		{Op: call.Open, Path: "/x", Flags: kern.O_CREAT | kern.O_RDWR, Mode: 0o644},
		{Op: call.Mkdir, Path: "/some/where//deep", Mode: 0o755},
		{Op: call.Write, FD: 3, Data: "hello"},
		{Op: call.Rmdir, Path: "/some/where//deep"},
	}
	made := func(script []call.Call) bool {
		where := ""
		for _, c := range script {
			switch {
			case c.Op == call.Mkdir:
				where = c.Path
			case c.Op == call.Rmdir && c.Path == where:
				return true
			}
		}
		return false
	}
	for _, c := range shrink.Minimize(script, made) {
		fmt.Println(c)
	}
	// Output:
	// mkdir "/" 0
	// rmdir "/"
}
