// Package genfs is what most file systems share: operations that do nothing
// or fail as they should, vnode locks, the pages of a file between its cache
// and its blocks, and the rules of who may do what to a file.
//
// The routines stand in a file system's vnode.Ops as they are. Those that
// serve any operation ([Nullop], [Eopnotsupp], ...) are for the default entry
// and for the adapters of package vnode; where an operation's name follows,
// as in [NullopClose], there is no need of one.
package genfs
