// Package genfs is what most file systems share: operations that do nothing
// or fail as they should, vnode locks, the pages of a file between its cache
// and its blocks, and the rules of who may do what to a file.
//
// The routines stand in a file system's vnode.Ops as they are. Those whose
// names end in Args serve any operation: they are for the default entry and
// for the adapters of package vnode.
package genfs
