package kern

// What a mapping of mmap(2) is for, whose its changes are, and how msync(2)
// writes them.
const (
	PROT_NONE  = 0x00
	PROT_READ  = 0x01
	PROT_WRITE = 0x02

	MAP_SHARED  = 0x0001 // the file's
	MAP_PRIVATE = 0x0002 // the mapping's own

	MS_ASYNC      = 0x01 // begin to write
	MS_INVALIDATE = 0x02 // forget the pages
	MS_SYNC       = 0x04 // write
)
