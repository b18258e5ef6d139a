package kern

// Limits, in bytes unless said otherwise.
const (
	// KERNEL_NAME_MAX is the longest file name that a path walk lets
	// through. NAME_MAX bounds what any kernel may ever allow and sizes
	// directory entries; no name of that length can be looked up.
	KERNEL_NAME_MAX = 255
	NAME_MAX        = MAXNAMLEN

	PATH_MAX    = 1024 // of a path, the NUL included
	MAXPATHLEN  = PATH_MAX
	MAXSYMLINKS = 32 // symbolic links followed in one walk

	LINK_MAX  = 32767 // names of one file
	PIPE_BUF  = 512   // written to a pipe in one piece
	MAX_CANON = 255
	MAX_INPUT = 255
	IOV_MAX   = 1024 // iovecs in one transfer

	NGROUPS_MAX = 16 // supplementary groups
	NGROUPS     = NGROUPS_MAX
	NOGROUP     = 65535
	UID_MAX     = 2147483647
	GID_MAX     = 2147483647

	OPEN_MAX = 128 // descriptors of one process, at first
	NOFILE   = OPEN_MAX

	CMASK = 0o22 // the first process's umask
)

// Pages, device blocks and transfers.
const (
	PAGE_SHIFT = 12
	PAGE_SIZE  = 1 << PAGE_SHIFT // bytes
	PAGE_MASK  = PAGE_SIZE - 1

	DEV_BSHIFT = 9
	DEV_BSIZE  = 1 << DEV_BSHIFT // bytes; the unit of block numbers

	BLKDEV_IOSIZE = 2048      // block of a block device, bytes
	MAXPHYS       = 64 * 1024 // largest physical transfer, bytes
	MAXBSIZE      = MAXPHYS   // largest buffer, bytes
)

// Btodb converts bytes to device blocks, rounding down.
//
//netbsd:sys/sys/param.h btodb
func Btodb(bytes int64) int64 { return bytes >> DEV_BSHIFT }

// Dbtob converts device blocks to bytes.
//
//netbsd:sys/sys/param.h dbtob
func Dbtob(blocks int64) int64 { return blocks << DEV_BSHIFT }

// RoundPage rounds bytes up to whole pages.
//
//netbsd:sys/uvm/uvm_param.h round_page
func RoundPage(bytes int64) int64 { return (bytes + PAGE_MASK) &^ PAGE_MASK }

// TruncPage rounds bytes down to whole pages.
//
//netbsd:sys/uvm/uvm_param.h trunc_page
func TruncPage(bytes int64) int64 { return bytes &^ PAGE_MASK }
