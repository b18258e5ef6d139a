package blkdev

import "rumpvfs/kern"

// Commands of ioctl(2) for disks. What they take says the comment.
const (
	DIOCGDINFO    = 0x41946465 // *Disklabel: the label
	DIOCGPART     = 0x80106468 // *Partinfo: the partition that the device is
	DIOCCACHESYNC = 0x80046476 // *int32: have the disk write what it caches
)

// MAXPARTITIONS is how many partitions a disk can have.
const MAXPARTITIONS = 16

// DISKMAGIC marks a valid label.
const DISKMAGIC = 0x82564557

// DTYPE_RUMPD is the drive type of a host file.
const DTYPE_RUMPD = 21

// FS_BSDFFS is the type of a partition that holds a fast file system.
const FS_BSDFFS = 7

// Disklabel describes a disk, as far as somebody asks.
type Disklabel struct {
	Magic, Magic2 uint32
	Type          uint16
	Typename      string
	Packname      string
	Secsize       uint32 // bytes
	Nsectors      uint32 // sectors
	Ntracks       uint32
	Ncylinders    uint32
	Secpercyl     uint32 // sectors
	Secperunit    uint32 // bytes: as the rump block device has it
	RPM           uint16
	Interleave    uint16
	Flags         uint32
	Npartitions   uint16
	Partitions    [MAXPARTITIONS]Partition
}

// Partition is a part of a disk.
type Partition struct {
	Size   uint32 // sectors
	Offset uint32 // sectors
	Fsize  uint32 // of FFS: bytes a fragment
	Fstype uint8  // such as FS_BSDFFS
	Frag   uint8  // of FFS: fragments a block
}

// Partinfo is a partition and the disk it is on. The label is the driver's and
// not to be changed.
type Partinfo struct {
	Disklab *Disklabel
	Part    *Partition
}

// Size returns the size of the partition in bytes.
func (pi Partinfo) Size() int64 { return int64(pi.Disklab.Secsize) * int64(pi.Part.Size) }

// DISKPART returns the partition that a minor number stands for.
//
//netbsd:sys/sys/disklabel.h DISKPART
func DISKPART(dev kern.Dev) int { return int(dev.Minor()) % MAXPARTITIONS }

// Disk is a driver, of block or character devices, that knows partitions.
type Disk interface {
	// Part is what DIOCGPART answers.
	Part(l *kern.Lwp, dev kern.Dev) (Partinfo, error)
}

// Part asks a driver for the partition that dev is: ENOTTY if it is no [Disk].
func Part(l *kern.Lwp, driver any, dev kern.Dev) (Partinfo, error) {
	d, ok := driver.(Disk)
	if !ok {
		return Partinfo{}, kern.ENOTTY
	}
	return d.Part(l, dev)
}
