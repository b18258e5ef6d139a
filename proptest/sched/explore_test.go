package sched_test

import (
	"context"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/sched"
)

func TestKernelPairs(t *testing.T) {
	on := sched.Rumpfs(kern.Fixed, nil)
	before := []call.Call{{Op: call.Mkdir, Path: "/d", Mode: 0o755}, {Op: call.Mkdir, Path: "/d/e", Mode: 0o755}}
	for _, pair := range [][2]call.Call{
		{{Op: call.Mkdir, Path: "/d/x", Mode: 0o755}, {Op: call.Mkdir, Path: "/d/x", Mode: 0o755}},
		{{Op: call.Lstat, Path: "/d/e"}, {Op: call.Rmdir, Path: "/d/e"}},
		{{Op: call.Mkdir, Path: "/d/e/f", Mode: 0o755}, {Op: call.Rmdir, Path: "/d/e"}},
		{{Op: call.Lstat, Path: "/d/e"}, {Op: call.Lstat, Path: "/d/e"}},
	} {
		p := sched.Forked(before, nil, pair[:1], pair[1:])
		for s := sched.Random; s <= sched.Exhaustive; s++ {
			f, stats := sched.Explore(context.Background(), p, on, s, sched.Options{Schedules: 300})
			t.Logf("%v %v %v: %+v", pair[0], pair[1], s, stats)
			if f != nil {
				t.Errorf("%v", f)
			}
		}
	}
}
