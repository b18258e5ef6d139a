// Package namei turns names into vnodes and back: the path walk with its
// symbolic links, mount points and roots, the single lookups made again for
// rename, the walk up that getcwd and the test "is this directory below that
// one" need, and the working and root directories of processes.
//
// The walk is [Nameidata.Namei]. It goes from directory to directory, one
// component of the path at a time, and holds at each step one directory,
// referenced and locked exclusively. A child is locked while its directory
// is; for ".." the directory is unlocked first, so that all locks are taken
// from the root downwards.
//
// An lwp that is watched ([kern.Lwp.Watched]) sees every step of a walk as an
// event of kind [kern.EvNamei].
package namei
