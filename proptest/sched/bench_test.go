package sched_test

import (
	"context"
	"testing"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/sched"
)

// BenchmarkSchedules runs a pair of calls under one schedule after the other: boot, calls, checks and shutdown included.
func BenchmarkSchedules(b *testing.B) {
	before := []call.Call{{Op: call.Mkdir, Path: "/d", Mode: 0o755}, {Op: call.Mkdir, Path: "/d/e", Mode: 0o755}}
	p := sched.Forked(before, nil, []call.Call{{Op: call.Mkdir, Path: "/d/e/f", Mode: 0o755}}, []call.Call{{Op: call.Rmdir, Path: "/d/e"}})
	for _, on := range []*sched.System{sched.Rumpfs(kern.Fixed, nil), sched.Tmpfs(nil)} {
		for s := sched.Random; s <= sched.Exhaustive; s++ {
			b.Run(on.Name+"/"+s.String(), func(b *testing.B) {
				b.ReportAllocs()
				done := 0
				for done < b.N {
					f, stats := sched.Explore(context.Background(), p, on, s, sched.Options{Schedules: b.N - done})
					if f != nil {
						b.Fatal(f)
					}
					done += stats.Schedules
				}
			})
		}
	}
}
