// Package specfs makes vnodes of character and block devices. Several vnodes,
// in one file system or many, may name the same device: they share its state,
// which says how often it is open and through which vnode.
package specfs
