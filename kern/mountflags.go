package kern

// Mount flags, as mount(2) takes them and statvfs(2) shows them.
const (
	MNT_RDONLY      = 0x00000001
	MNT_SYNCHRONOUS = 0x00000002
	MNT_NOEXEC      = 0x00000004
	MNT_NOSUID      = 0x00000008
	MNT_NODEV       = 0x00000010
	MNT_UNION       = 0x00000020 // names not found go on in the covered directory
	MNT_ASYNC       = 0x00000040
	MNT_NOCOREDUMP  = 0x00008000
	MNT_RELATIME    = 0x00020000
	MNT_IGNORE      = 0x00100000
	MNT_DISCARD     = 0x00800000
	MNT_EXTATTR     = 0x01000000
	MNT_LOG         = 0x02000000
	MNT_NOATIME     = 0x04000000
	MNT_SYMPERM     = 0x20000000
	MNT_NODEVMTIME  = 0x40000000
	MNT_SOFTDEP     = 0x80000000

	// Exported file systems.
	MNT_EXRDONLY    = 0x00000080
	MNT_EXPORTED    = 0x00000100
	MNT_DEFEXPORTED = 0x00000200
	MNT_EXPORTANON  = 0x00000400
	MNT_EXKERB      = 0x00000800
	MNT_EXNORESPORT = 0x08000000
	MNT_EXPUBLIC    = 0x10000000

	// Set by the kernel itself.
	MNT_LOCAL  = 0x00001000
	MNT_QUOTA  = 0x00002000
	MNT_ROOTFS = 0x00004000

	// What mount(2) or unmount(2) is to do.
	MNT_UPDATE  = 0x00010000
	MNT_RELOAD  = 0x00040000
	MNT_FORCE   = 0x00080000
	MNT_GETARGS = 0x00400000

	// MNT_BASIC_FLAGS is what mount(2) can set.
	MNT_BASIC_FLAGS = MNT_ASYNC | MNT_DISCARD | MNT_EXTATTR | MNT_LOG | MNT_NOATIME | MNT_NOCOREDUMP |
		MNT_NODEV | MNT_NODEVMTIME | MNT_NOEXEC | MNT_NOSUID | MNT_RDONLY | MNT_RELATIME |
		MNT_SOFTDEP | MNT_SYMPERM | MNT_SYNCHRONOUS | MNT_UNION

	// MNT_VISFLAGMASK is what statvfs(2) shows.
	MNT_VISFLAGMASK = MNT_RDONLY | MNT_SYNCHRONOUS | MNT_NOEXEC | MNT_NOSUID | MNT_NODEV | MNT_UNION |
		MNT_ASYNC | MNT_NOCOREDUMP | MNT_IGNORE | MNT_DISCARD | MNT_NOATIME | MNT_SYMPERM |
		MNT_NODEVMTIME | MNT_SOFTDEP | MNT_EXRDONLY | MNT_EXPORTED | MNT_DEFEXPORTED |
		MNT_EXPORTANON | MNT_EXKERB | MNT_EXNORESPORT | MNT_EXPUBLIC | MNT_LOCAL | MNT_QUOTA |
		MNT_ROOTFS | MNT_LOG | MNT_EXTATTR

	MNT_OP_FLAGS = MNT_UPDATE | MNT_RELOAD | MNT_FORCE | MNT_GETARGS
)

// State of a mount that no caller sees (mnt_iflag).
const (
	IMNT_GONE       = 0x00000001
	IMNT_UNMOUNT    = 0x00000002 // being unmounted: lookups may not enter
	IMNT_WANTRDWR   = 0x00000004
	IMNT_DTYPE      = 0x00000040 // directory entries carry file types
	IMNT_HAS_TRANS  = 0x00000080 // fstrans is available
	IMNT_MPSAFE     = 0x00000100
	IMNT_CAN_RWTORO = 0x00000200
)

// How long VFS_SYNC, statvfs1(2) and getvfsstat(2) may take. These are
// numbers, not bits.
const (
	MNT_WAIT   = 1
	MNT_NOWAIT = 2
	MNT_LAZY   = 3
)

// The mount flags by the names of statvfs(2).
const (
	ST_RDONLY      = MNT_RDONLY
	ST_SYNCHRONOUS = MNT_SYNCHRONOUS
	ST_NOEXEC      = MNT_NOEXEC
	ST_NOSUID      = MNT_NOSUID
	ST_NODEV       = MNT_NODEV
	ST_UNION       = MNT_UNION
	ST_ASYNC       = MNT_ASYNC
	ST_NOCOREDUMP  = MNT_NOCOREDUMP
	ST_RELATIME    = MNT_RELATIME
	ST_IGNORE      = MNT_IGNORE
	ST_NOATIME     = MNT_NOATIME
	ST_SYMPERM     = MNT_SYMPERM
	ST_NODEVMTIME  = MNT_NODEVMTIME
	ST_SOFTDEP     = MNT_SOFTDEP
	ST_LOG         = MNT_LOG
	ST_EXTATTR     = MNT_EXTATTR

	ST_EXRDONLY    = MNT_EXRDONLY
	ST_EXPORTED    = MNT_EXPORTED
	ST_DEFEXPORTED = MNT_DEFEXPORTED
	ST_EXPORTANON  = MNT_EXPORTANON
	ST_EXKERB      = MNT_EXKERB
	ST_EXNORESPORT = MNT_EXNORESPORT
	ST_EXPUBLIC    = MNT_EXPUBLIC

	ST_LOCAL  = MNT_LOCAL
	ST_QUOTA  = MNT_QUOTA
	ST_ROOTFS = MNT_ROOTFS

	ST_WAIT   = MNT_WAIT
	ST_NOWAIT = MNT_NOWAIT
)

// What VFS_EXTATTRCTL is to do.
const (
	EXTATTR_CMD_START = 1
	EXTATTR_CMD_STOP  = 2
)

// An Fsid identifies a mounted file system.
type Fsid struct{ Val [2]int32 }

// Lengths in bytes: of a file-system type's name and of the names in a
// [Statvfs], the NUL included; of a file handle; of the data that mount(2)
// copies in.
const (
	VFS_NAMELEN  = 32
	VFS_MNAMELEN = 1024

	FHANDLE_SIZE_COMPAT = 28
	FHANDLE_SIZE_MAX    = 1024
	FHANDLE_SIZE_MIN    = FHANDLE_SIZE_COMPAT

	VFS_MAX_MOUNT_DATA = 8192
)

// Statvfs is what statvfs(2) tells about a mounted file system.
type Statvfs struct {
	Flag   uint64 // MNT_VISFLAGMASK
	Bsize  uint64 // bytes
	Frsize uint64 // bytes; the unit of the four that follow Iosize
	Iosize uint64 // bytes

	Blocks uint64
	Bfree  uint64
	Bavail uint64 // of Bfree, for others than the superuser
	Bresvd uint64 // of Bfree, for the superuser

	Files  uint64
	Ffree  uint64
	Favail uint64
	Fresvd uint64

	Syncreads   uint64
	Syncwrites  uint64
	Asyncreads  uint64
	Asyncwrites uint64

	Fsidx   Fsid
	Fsid    uint64
	Namemax uint64 // bytes
	Owner   uint32 // uid of who mounted it

	Fstypename  string
	Mntonname   string
	Mntfromname string
}
