// Package proptest is the conformance kit: [Conform] holds a file system, one of the project or another, against the reference
// model, and reports which clause it breaks with a script that shows it. Who brings a file system over writes
//
//	func TestConform(t *testing.T) {
//		proptest.Conform(t, proptest.Target{
//			FS: driver.FS{
//				Name: "myfs",
//				Caps: model.Caps{Bare: true}, // what it can do, for the model
//				Prepare: func(p *sim.Proc) error { return p.Mount("myfs", "/", 0, nil) },
//			},
//			Config: sim.Config{FileSystems: []func(*kern.Kernel, *vnode.System) vnode.VFSOps{myfs.New}},
//		})
//	}
//
// and lists in Target.Small other mounts of it, with little room, and in Target.Deviations where it answers otherwise than the model on
// purpose. conform.go says what is tested, stages.go how, faults.go how kernels fail. The packages below are what the kit is made of:
// calls, model, clauses, stories, generators, drivers, shrinking, reproducers, rules, schedules, mutants.
package proptest
