// Package model is what the kernel's system calls mean: a specification that runs. It is written from the manual pages
// and POSIX, knows nothing of vnodes, locks or pages of a cache, and shares no code with the kernel; where a rump kernel
// with rumpfs 1.125 is known to differ, a quirk of package kern says so.
//
// A [Model] answers every call, and says with each answer which clause of package clause made it so. Read it in this
// order:
//
//	state.go    files, directories, open files, processes
//	perm.go     who may do what
//	walk.go     from a path to a file
//	name.go     making and removing names
//	rename.go   renaming and linking
//	open.go     open
//	io.go       read, write, seek, truncate
//	data.go     what is in a file
//	dirents.go  reading directories
//	attr.go     attributes
//	desc.go     descriptors
//	fifo.go     fifos that are open
//	lock.go     locks on files
//	proc.go     processes, identities, working and root directory
//	about.go    limits and file systems
//	canon.go    when two states are the same
//	copy.go     copies of a model
//
// What it leaves out:
//   - waiting: a call that would have to wait is answered with call.Blocked and changes nothing but what it did before
//     it came to wait
//   - memory: only the bytes in files count, against Config.MemLimit; not nodes and names
//   - quirk size-forgotten, which takes more files than the kernel keeps vnodes
//   - limits on the number of locks of a user and of open files of the system
//   - locks whose range wraps around the largest offset
//   - the user's address space: a buffer is as large as said, up to call.MaxBuffer
//   - nodes without a type (mknod S_IFMT), and drivers of devices but those of /dev/null and /dev/zero
package model
