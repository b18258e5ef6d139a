// Package sched runs concurrent programs under many schedules and checks what comes of them. A program is a few lwps of a deterministic kernel
// with a short list of calls each; a schedule says which lwp makes the next step, from one scheduling point to the next, and can be written
// down and run again.
//
// [Explore] looks for a schedule under which a program goes wrong, with one of three strategies: at random, by random priorities (see pct.go
// for the probability that it promises), or exhaustively, up to the order of independent steps (see exhaust.go for what those are). A program
// goes wrong if its lwps block for ever, if the kernel panics, if something in the whole kernel does not fit together afterwards
// ([sim.Kernel.Check]), such as a reference or a lock that nobody accounts for, or if the answers are not those of the specification. Of runs
// with the same answers the first one's kernel is also shut down, and audited for what that leaves; the others' are powered off.
//
// # What calls may answer
//
// Most histories are explained by making the calls whole, one after the other, in an order in which no call comes after one that began when it
// was over. But not every call is atomic, in this kernel or in POSIX. So the specification is weaker: a call is a sequence of steps, each
// atomic, that are made between its begin and its end; those of other calls come in between. A history is right if the steps of its calls can be
// put in an order in which package model, step by step, answers as the kernel did ([model.Model.Step], checked with porcupine):
//
//   - A walk looks up its names one by one, each with the permissions of that moment, and goes on with the file that it has found even if that has lost its
//     name meanwhile; in a directory that was removed it finds nothing. So "a/b" may be found although there was no moment in which it was there.
//   - What a call does to the file at the end of its path (its attributes, its size, opening it) is another step.
//   - Making a name is one step with the last lookup, and so is removing one: names are never made twice, nor removed twice.
//   - link looks up what it links, and then makes the name. rename looks up both names, each by its own walk; then it looks at the second again, whether
//     what is there is in the way; and in its last step it looks up both names once more, as what they are then, and renames.
//   - getcwd goes up by one directory in a step, and finds the name in the directory above in another.
//   - One getdents is atomic, reading a directory by several is not: each goes on from where the last one was, in what is there then.
//   - What one read gives is of one moment, whatever its length, and so is what one write or append does, together with the file's offset: the vnode
//     lock is held throughout, exclusively by who writes. Readers of one open file share it, and each moves the offset in another step than it
//     reads: they may get the same bytes. Several reads or writes are no unit.
//   - What a call does with descriptors is one step: lwps have tables of their own.
//
// What must hold in any case: an answer is one that the model gives for some state that there was while the call was made.
//
// Left out are chroot's check whether a directory is below the root, which is taken for atomic, calls that make or end processes, and those
// that may wait for another lwp by themselves (flock, F_SETLKW), since waiting for ever is a failure.
package sched
