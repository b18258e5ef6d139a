// Package mutant is a collection of kernels with a bug. Each [Mutant] is one bug that is switched on when a kernel boots,
// and says what is wrong with it and which oracle should notice: they measure the oracles.
//
// A mutant needs no code in the kernel. Operation vectors are data, and sim.Config.Wrap hands out changed copies of them,
// so most bugs sit in an entry of the vector of a file system, between the vnode layer and the file system. The bugs of what
// is above (descriptors, credentials, paths) sit at the system call: in the way that it is passed on or that its
// result comes back. A bug may remember what happened; what it knows begins anew with each kernel.
//
// Reading order: mutant.go, vector.go (how operations are changed), kernel.go (the mutant kernel as a call.System), then
// the bugs by subject: attr.go, names.go, data.go, access.go, locks.go, calls.go, rare.go, tmpfs.go, concurrent.go, faulty.go.
package mutant
