package kern

// Modes of access(2), to be ORed. Bits outside the three are EINVAL.
const (
	F_OK = 0
	X_OK = 0x01
	W_OK = 0x02
	R_OK = 0x04
)

// Flags of fsync_range(2).
const (
	FDATASYNC = 0x0010 // data, and what is needed to read it back
	FFILESYNC = 0x0020 // data and all attributes
	FDISKSYNC = 0x0040 // flush the disk's cache too
)

// Names that pathconf(2) knows: _PC_LINK_MAX and so on, without the
// underscore, which Go would take for "not exported".
const (
	PC_LINK_MAX         = 1
	PC_MAX_CANON        = 2
	PC_MAX_INPUT        = 3
	PC_NAME_MAX         = 4
	PC_PATH_MAX         = 5
	PC_PIPE_BUF         = 6
	PC_CHOWN_RESTRICTED = 7
	PC_NO_TRUNC         = 8
	PC_VDISABLE         = 9
	PC_SYNC_IO          = 10
	PC_FILESIZEBITS     = 11
	PC_SYMLINK_MAX      = 12
	PC_2_SYMLINKS       = 13
	PC_ACL_EXTENDED     = 14
	PC_MIN_HOLE_SIZE    = 15
)

// POSIX_VDISABLE disables a terminal's control character.
const POSIX_VDISABLE = 0o377

// Events of poll(2).
const (
	POLLIN     = 0x0001
	POLLPRI    = 0x0002
	POLLOUT    = 0x0004
	POLLERR    = 0x0008
	POLLHUP    = 0x0010
	POLLRDNORM = 0x0040
	POLLRDBAND = 0x0080
	POLLWRNORM = POLLOUT
	POLLWRBAND = 0x0100
	POLLNVAL   = 0x0020 // no such descriptor; only reported
)
