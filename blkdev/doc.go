// Package blkdev has what lies between file systems and devices: the device
// switch ([Devsw]), which says what driver serves which major number; the
// drivers that every rump kernel has, [Null] and [Rumpblk]; [Physio], which
// moves data between a device and its user's memory; and the buffer cache
// ([Cache]), through which block devices, and the file systems on them, are read
// and written.
//
// A buffer of the cache is owned by whoever has set BC_BUSY. [Cache.Bread],
// [Cache.Getblk] and their like make the caller its owner; [Cache.Brelse] and
// the ways to write, [Cache.Bwrite], [Cache.Bawrite] and [Cache.Bdwrite], end
// that.
package blkdev
