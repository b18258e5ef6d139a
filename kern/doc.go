// Package kern is what every layer of the kernel shares and none of them
// owns: errno, credentials and the decisions taken on them, lwps and
// processes, uio, stat and dirent, device numbers, limits, lock classes,
// assertions, and the hooks by which a kernel is watched.
//
// A kernel has no global variables. Everything that the C kernel keeps in
// one hangs off [Kernel], and [Lwp], the first parameter of every function
// that may block, check credentials or trace, leads to it: what NetBSD calls
// curlwp is passed, not looked up.
package kern
