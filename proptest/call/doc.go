// Package call is the seam between what makes system calls and what answers them: a [Call] with concrete arguments, a
// [Result] in a form that two systems can be compared by, and [System], which is a kernel, a model of one, or another
// operating system. Calls convert to lines of the script language and back.
//
// Numbers that say nothing, such as those of inodes, are replaced in the results by the order in which the system showed
// them first (see [Result]), so that systems agree as long as they mean the same files.
package call
