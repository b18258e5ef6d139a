// Package blkdev has the device switch tables: which driver serves which
// major number, and the drivers that every rump kernel boots with.
package blkdev
