// Package fusefs shows a kernel's files to the programs of a Linux host:
// [Mount] serves a directory of a kernel at a directory of the host, through
// FUSE.
//
// The server stands where NetBSD's NFS server does: below the system calls,
// above the vnode operations. A node number that the host knows is a vnode
// that is held by reference until the host forgets it, a file handle is a
// vnode that was opened. Each request runs as a system call of a process of
// the server's own, with the user, the group and the groups of the program
// that makes it. Both kernels have to allow it: the host opens fifos, sockets
// and devices without asking, so it checks permissions by its rules too.
//
// What the host does itself never reaches the kernel: it walks paths a name at
// a time, follows symbolic links, keeps pages of files, opens devices, fifos
// and sockets by the numbers and names that it sees here, and refuses what its
// own rules refuse before it asks.
//
// A program must not touch memory that maps a file of a mount that it serves
// itself: the Go runtime cannot interrupt a page fault, and may keep the server
// from running until it has ended. System calls on such files are fine.
//
// The package is empty on other systems than Linux.
package fusefs
