package clause

import "rumpvfs/kern"

// A Cause is why a call is answered as it is. Zero is none.
type Cause uint8

// A causeInfo describes a cause.
type causeInfo struct {
	name        string
	errno       kern.Errno
	sentence    string
	also        []kern.Errno // what POSIX allows besides
	stop        string       // of a cause that stops the kernel: how
	unreachable string
}

// The causes: of what holds for every call, of walking along a path, of descriptors, of success, and of single calls.
const (
	OK Cause = iota + 1

	NoCall
	NoProcess
	Stopped
	Undefined
	Unknown

	Null
	PathLong
	Empty
	StartNotDir
	NameLong
	Search
	Component
	ThroughFile
	SlashOnFile
	Loop
	EmptyLink
	LinkLong
	Absent
	Whiteout

	RootExists
	Exists
	DirWrite
	DirProtected
	DirRemoved
	Slash
	RootBusy
	Dot
	NotDir
	IsDir
	NotEmpty
	Protected
	Sticky
	ReadOnly
	NoRename
	NoLink
	LinkMax
	TargetNull
	TargetLong
	Within
	NotWhiteout
	NotLink
	NoDevice
	BadType

	BadFD
	NotVnode
	RevokedFD
	Revoked
	NotReadable
	NotWritable
	NoPosition
	Negative
	BadLength
	BadWhence
	BadRange
	BadFlags
	BadMode
	BadName
	BadAdvice
	BadCommand
	BadOperation
	BadLockType
	BadTime
	BadNewFD
	TableFull
	WrongMode
	Locked
	Waits

	NoAccessMode
	CreateDirectory
	WantedDir
	IsLink
	NoFifo
	NoDriver
	NoReader
	AwaitsReader
	AwaitsWriter
	NoData
	AwaitsData
	EndTold
	BrokenPipe
	NoRoom
	AwaitsRoom
	NoLocks
	Permission
	NotOwner
	NotSuper
	StickyFile
	OtherGroup
	SystemFlags
	DeviceFlags
	NotSearchable
	Outside
	Removed
	RootSearch
	RootRemoved
	RootDeep
	ShortBuffer
	TooManyGroups
	NoHandles
	NoSpace
	TooFar
	AppendOnly
	Fault
	BeyondPage
	FifoPanic
	DeadPanic
	NoCommand
	NoSetFlags
	NoIoctl
	NoDevIoctl
	NoOwner
	NoSuchOwner
	NoGroup
	PassThrough
	NoEntry

	OverWhiteout
	MadeWhiteout
	Device
	Directory
	Link
	Fifo
	Console
	Nameless
	There
	Created
	Existing
	Truncated
	StillOpen
	OtherNames
	Replaced
	SameName
	SameFile
	Same
	Nothing
	EOF
	Short
	Beyond
	Zeros
	Appended
	Hole
	Extended
	InPart
	Grown
	WentBack
	NoSize
	MinusOne
	LostSetID
	Now
	Ignored
	Moved
	Copied
	Cleared
	Shared
	DupFD
	CloseM
	MaxFD
	GetFD
	SetFD
	GetFL
	SetFL
	GetOwner
	SetOwner
	GetNoSigpipe
	SetNoSigpipe
	LockSet
	Unlocked
	NoLock
	FoundLock
	Unasked
	Nowhere
	Partial

	numCauses
)

// OrOK is the cause, or OK if it is none.
func (c Cause) OrOK() Cause {
	if c == 0 {
		return OK
	}
	return c
}

//policy:static read only
var causes = [numCauses]causeInfo{
	OK: {name: "done", sentence: "Nothing is in the way: it does what it is for."},

	NoCall:    {name: "call", errno: kern.ENOSYS, sentence: "There is no such call."},
	NoProcess: {name: "process", errno: kern.ESRCH, sentence: "The calling process has exited, was never made, or is the first one and wants to exit."},
	Stopped:   {name: "stopped", stop: "stop", sentence: "The kernel has stopped in an earlier call."},

	Unknown:   {name: "unknown", stop: "unknown", sentence: "The model does not say: a directory of a tmpfs is revoked (quirk revoke-ignored)."},
	Undefined: {name: "undefined", stop: "panic", sentence: "Dot-dot leads to a removed directory that nobody uses any more (quirk removed-dir-create)."},

	Null:        {name: "null", errno: kern.EFAULT, sentence: "The path is the null pointer."},
	PathLong:    {name: "path", errno: kern.ENAMETOOLONG, sentence: "The path has 1024 bytes or more."},
	Empty:       {name: "empty", errno: kern.ENOENT, sentence: "The path is empty."},
	StartNotDir: {name: "start", errno: kern.ENOTDIR, sentence: "The path begins at what is no directory."},
	NameLong:    {name: "name", errno: kern.ENAMETOOLONG, sentence: "A component of the path has more than 255 bytes."},
	Search:      {name: "search", errno: kern.EACCES, sentence: "A directory of the path may not be searched."},
	Component:   {name: "component", errno: kern.ENOENT, sentence: "A component of the path other than the last does not exist."},
	ThroughFile: {name: "component", errno: kern.ENOTDIR, sentence: "A component of the path other than the last is no directory."},
	SlashOnFile: {name: "slash", errno: kern.ENOTDIR, sentence: "Slashes follow the last component of the path, which is no directory."},
	Loop:        {name: "symlinks", errno: kern.ELOOP, sentence: "More than 32 symbolic links are in the path."},
	EmptyLink:   {name: "empty-link", errno: kern.ENOENT, sentence: "A symbolic link in the path is empty."},
	LinkLong:    {name: "link", errno: kern.ENAMETOOLONG, sentence: "The target of a symbolic link and the rest of the path together have 1024 bytes or more."},
	Absent:      {name: "absent", errno: kern.ENOENT, sentence: "The last component of the path does not exist."},
	Whiteout:    {name: "whiteout", errno: kern.ENOENT, sentence: "There is but a whiteout of the name."},

	RootExists:   {name: "root", errno: kern.EEXIST, sentence: "The path leads to the root directory, which has no name.", also: []kern.Errno{kern.EISDIR}},
	Exists:       {name: "exists", errno: kern.EEXIST, sentence: "The name exists."},
	DirWrite:     {name: "write", errno: kern.EACCES, sentence: "The directory that the name is in may not be written to."},
	DirProtected: {name: "directory-flags", errno: kern.EPERM, sentence: "File flags protect the directory that the name is in.", also: []kern.Errno{kern.EACCES}},
	DirRemoved:   {name: "removed-directory", errno: kern.ENOENT, sentence: "The directory that the name would be in has been removed."},
	Slash:        {name: "slash", errno: kern.ENOENT, sentence: "Slashes follow the new name, which is not to be a directory's.", also: []kern.Errno{kern.ENOTDIR, kern.EISDIR}},
	RootBusy:     {name: "root", errno: kern.EBUSY, sentence: "The path leads to the root directory.", also: []kern.Errno{kern.EPERM, kern.EISDIR, kern.EINVAL, kern.ENOTEMPTY}},
	Dot:          {name: "dot", errno: kern.EINVAL, sentence: "The last component of the path is . or, in a root directory or for rename, dot-dot.", also: []kern.Errno{kern.EBUSY, kern.EISDIR, kern.EPERM, kern.ENOTEMPTY, kern.EEXIST}},
	NotDir:       {name: "not-directory", errno: kern.ENOTDIR, sentence: "What the path leads to is no directory."},
	IsDir:        {name: "directory", errno: kern.EISDIR, sentence: "The file is a directory."},
	NotEmpty:     {name: "not-empty", errno: kern.ENOTEMPTY, sentence: "The directory has names in it, other than whiteouts.", also: []kern.Errno{kern.EEXIST}},
	Protected:    {name: "flags", errno: kern.EPERM, sentence: "File flags protect the file.", also: []kern.Errno{kern.EACCES}},
	Sticky:       {name: "sticky", errno: kern.EPERM, sentence: "The directory has the sticky bit, and neither it nor the file belongs to the caller.", also: []kern.Errno{kern.EACCES}},
	ReadOnly:     {name: "read-only", errno: kern.EROFS, sentence: "The file system is mounted read-only."},
	NoRename:     {name: "no-rename", errno: kern.EOPNOTSUPP, sentence: "The file system renames nothing."},
	NoLink:       {name: "no-link", errno: kern.EOPNOTSUPP, sentence: "The file system has one name for each file.", also: []kern.Errno{kern.EPERM, kern.EMLINK}},
	LinkMax:      {name: "links", errno: kern.EMLINK, sentence: "The file has 32767 names."},
	TargetNull:   {name: "target-null", errno: kern.EFAULT, sentence: "The other path is the null pointer."},
	TargetLong:   {name: "target-path", errno: kern.ENAMETOOLONG, sentence: "The other path has 1024 bytes or more."},
	Within:       {name: "within", errno: kern.EINVAL, sentence: "A directory would get into itself."},
	NotWhiteout:  {name: "no-whiteout", errno: kern.EEXIST, sentence: "What the path leads to is no whiteout."},
	NotLink:      {name: "no-link", errno: kern.EINVAL, sentence: "What the path leads to is no symbolic link."},
	NoDevice:     {name: "nodev", errno: kern.EINVAL, sentence: "The device number is NODEV."},
	BadType:      {name: "type", errno: kern.EINVAL, sentence: "The type is none that the call makes."},

	BadFD:        {name: "descriptor", errno: kern.EBADF, sentence: "The descriptor is not open."},
	NotVnode:     {name: "console", errno: kern.EINVAL, sentence: "The descriptor is the console's, which is in no file system."},
	RevokedFD:    {name: "revoked", errno: kern.EBADF, sentence: "The descriptor's file has been revoked."},
	Revoked:      {name: "revoked", errno: kern.EIO, sentence: "The descriptor's file has been revoked."},
	NotReadable:  {name: "write-only", errno: kern.EBADF, sentence: "The descriptor is not open for reading."},
	NotWritable:  {name: "read-only", errno: kern.EBADF, sentence: "The descriptor is not open for writing."},
	NoPosition:   {name: "position", errno: kern.ESPIPE, sentence: "The file has no position: it is the console or a fifo."},
	Negative:     {name: "negative", errno: kern.EINVAL, sentence: "The position or size would be negative."},
	BadLength:    {name: "length", errno: kern.EINVAL, sentence: "The length is negative."},
	BadWhence:    {name: "whence", errno: kern.EINVAL, sentence: "Where to count from is none of SEEK_SET, SEEK_CUR, SEEK_END."},
	BadRange:     {name: "range", errno: kern.EINVAL, sentence: "The range begins before the file or ends before it begins."},
	BadFlags:     {name: "flags", errno: kern.EINVAL, sentence: "Not exactly one of FDATASYNC and FFILESYNC is asked for."},
	BadMode:      {name: "mode", errno: kern.EINVAL, sentence: "The mode has bits other than R_OK, W_OK, X_OK."},
	BadName:      {name: "name", errno: kern.EINVAL, sentence: "The file has no such limit."},
	BadAdvice:    {name: "advice", errno: kern.EINVAL, sentence: "There is no such advice."},
	BadCommand:   {name: "command", errno: kern.EINVAL, sentence: "There is no such command."},
	BadOperation: {name: "operation", errno: kern.EINVAL, sentence: "The operation is not exactly one of LOCK_SH, LOCK_EX and LOCK_UN."},
	BadLockType:  {name: "type", errno: kern.EINVAL, sentence: "There is no such type of lock."},
	BadTime:      {name: "time", errno: kern.EINVAL, sentence: "The microseconds are not within a second."},
	BadNewFD:     {name: "limit", errno: kern.EINVAL, sentence: "The new descriptor would be negative or not below the limit of 128."},
	TableFull:    {name: "table", errno: kern.EMFILE, sentence: "All descriptors are in use."},
	WrongMode:    {name: "mode", errno: kern.EBADF, sentence: "The descriptor is not open for what the lock is about."},
	Locked:       {name: "locked", errno: kern.EAGAIN, sentence: "Somebody else's lock is in the way.", also: []kern.Errno{kern.EACCES}},
	Waits:        {name: "locked", stop: "blocked", sentence: "Somebody else's lock is in the way, and the call waits for it."},

	NoAccessMode:    {name: "access-mode", errno: kern.EINVAL, sentence: "Neither reading nor writing is asked for."},
	CreateDirectory: {name: "create-directory", errno: kern.EINVAL, sentence: "O_CREAT and O_DIRECTORY are both asked for.", also: []kern.Errno{kern.EISDIR, kern.EEXIST, kern.ENOTDIR, 0}},
	WantedDir:       {name: "wanted-directory", errno: kern.ENOTDIR, sentence: "The file is no directory, as O_DIRECTORY wants."},
	IsLink:          {name: "symlink", errno: kern.EFTYPE, sentence: "The file is a symbolic link, which is not to be followed.", also: []kern.Errno{kern.ELOOP, kern.EMLINK, kern.ENOTDIR}},
	NoFifo:          {name: "fifo", errno: kern.EOPNOTSUPP, sentence: "The file is a fifo, and there is no file system of fifos."},
	NoDriver:        {name: "driver", errno: kern.ENXIO, sentence: "There is no driver for the device."},
	NoReader:        {name: "no-reader", errno: kern.ENXIO, sentence: "Nobody has the fifo open for reading, and with O_NONBLOCK the call does not wait for somebody."},
	AwaitsReader:    {name: "no-reader", stop: "blocked", sentence: "Nobody has the fifo open for reading, and the call waits for somebody."},
	AwaitsWriter:    {name: "no-writer", stop: "blocked", sentence: "Nobody has the fifo open for writing, nothing is left in it, and the call waits for somebody."},
	NoData:          {name: "empty", errno: kern.EAGAIN, sentence: "The fifo is empty, has writers, and is open with O_NONBLOCK."},
	AwaitsData:      {name: "empty", stop: "blocked", sentence: "The fifo is empty, has writers, and the call waits for what they write."},
	EndTold:         {name: "told", stop: "blocked", sentence: "The fifo is empty and has no writer; that has been said once, or there never was one, and the call waits for the next (quirk fifo-eof)."},
	BrokenPipe:      {name: "no-reader", errno: kern.EPIPE, sentence: "Nobody has the fifo open for reading any more."},
	NoRoom:          {name: "full", errno: kern.EAGAIN, sentence: "There is no room for all of it in the fifo and for less than 2048 bytes; with O_NONBLOCK nothing is written."},
	AwaitsRoom:      {name: "full", stop: "blocked", sentence: "There is no room for all of it in the fifo, and the call waits for some."},
	NoLocks:         {name: "no-locks", errno: kern.EINVAL, sentence: "The file is a fifo, and those have no locks."},
	Permission:      {name: "permission", errno: kern.EACCES, sentence: "The permission bits of the file refuse it."},
	NotOwner:        {name: "owner", errno: kern.EPERM, sentence: "The file is not the caller's."},
	NotSuper:        {name: "superuser", errno: kern.EPERM, sentence: "Only the superuser may do this."},
	StickyFile:      {name: "sticky", errno: kern.EFTYPE, sentence: "The sticky bit is for directories."},
	OtherGroup:      {name: "group", errno: kern.EPERM, sentence: "The caller does not belong to the group."},
	SystemFlags:     {name: "system", errno: kern.EPERM, sentence: "Only the superuser may change system flags, and flags beside them."},
	DeviceFlags:     {name: "device", errno: kern.EPERM, sentence: "Only the superuser may change flags of devices."},
	NotSearchable:   {name: "directory", errno: kern.EACCES, sentence: "The directory may not be searched."},
	Outside:         {name: "outside", errno: kern.EPERM, sentence: "The directory is not below the root directory of the process."},
	Removed:         {name: "removed", errno: kern.ENOENT, sentence: "The working directory, or one that it is in, has been removed."},
	RootSearch:      {name: "root-search", errno: kern.EACCES, sentence: "A directory on the way to the process's root may not be searched."},
	RootRemoved:     {name: "root-removed", errno: kern.ENOENT, sentence: "The root directory of the process has been removed."},
	RootDeep:        {name: "root-deep", errno: kern.ERANGE, sentence: "The path of the process's root directory has 1024 bytes or more."},
	ShortBuffer:     {name: "buffer", errno: kern.EINVAL, sentence: "The buffer is too short."},
	TooManyGroups:   {name: "groups", errno: kern.EINVAL, sentence: "There are more than 16 groups."},
	NoHandles:       {name: "handles", errno: kern.EOPNOTSUPP, sentence: "The file system has no file handles."},
	NoSpace:         {name: "memory", errno: kern.ENOSPC, sentence: "Memory does not hold a file of that size.", also: []kern.Errno{kern.EFBIG, kern.EINVAL}},
	TooFar:          {name: "offset", errno: kern.EFBIG, sentence: "The file would reach beyond the largest offset."},
	AppendOnly:      {name: "append-only", errno: kern.EPERM, sentence: "The file may only be appended to."},
	Fault:           {name: "buffer", errno: kern.EFAULT, sentence: "More is read than the caller's memory holds."},
	BeyondPage:      {name: "beyond", errno: kern.EINVAL, sentence: "Reading begins behind the end and goes beyond the last page (quirk read-beyond-eof)."},
	FifoPanic:       {name: "fifo", stop: "panic", sentence: "The file is a fifo (quirk fifo-io)."},
	DeadPanic:       {name: "revoked", stop: "panic", sentence: "The descriptor's file has been revoked (quirk dead-fs)."},
	NoCommand:       {name: "command", errno: kern.EOPNOTSUPP, sentence: "The command is for the file system, which has none."},
	NoSetFlags:      {name: "set-flags", errno: kern.EOPNOTSUPP, sentence: "The file system lets no status flags change."},
	NoIoctl:         {name: "control", errno: kern.ENOTTY, sentence: "The console does not know the request."},
	NoDevIoctl:      {name: "control", errno: kern.ENODEV, sentence: "The device does not know the request."},
	PassThrough:     {name: "passed-on", errno: kern.EPASSTHROUGH, sentence: "The file system passes the request on, and nobody takes it; the error is one of the kernel's own."},
	NoEntry:         {name: "offset", errno: kern.EINVAL, sentence: "The offset is that of no name that is there."},
	NoOwner:         {name: "no-owner", errno: kern.EOPNOTSUPP, sentence: "Nobody is told of what happens to a file."},
	NoSuchOwner:     {name: "no-process", errno: kern.ESRCH, sentence: "F_SETOWN names a process that there is not."},
	NoGroup:         {name: "no-group", errno: kern.EINVAL, sentence: "F_SETOWN names a process group that there is not."},

	OverWhiteout: {name: "over-whiteout", sentence: "It makes the name in the place of a whiteout."},
	MadeWhiteout: {name: "whiteout", sentence: "It makes a whiteout."},
	Device:       {name: "device", sentence: "The file is a device."},
	Directory:    {name: "directory", sentence: "The file is a directory."},
	Link:         {name: "symlink", sentence: "The file is a symbolic link."},
	Fifo:         {name: "fifo", sentence: "The file is a fifo."},
	Console:      {name: "console", sentence: "The descriptor is the console's."},
	Nameless:     {name: "nameless", sentence: "The file has no name any more."},
	There:        {name: "there", sentence: "It is enough for the file to be there."},
	Created:      {name: "created", sentence: "The file does not exist and is made; its permissions do not matter yet."},
	Existing:     {name: "existing", sentence: "The file exists and may be used so."},
	Truncated:    {name: "truncated", sentence: "The file exists and is cut to no length."},
	StillOpen:    {name: "in-use", sentence: "It does so, and what is in use elsewhere goes on."},
	OtherNames:   {name: "other-names", sentence: "The name goes; the file has others."},
	Replaced:     {name: "replaced", sentence: "What had the name or the descriptor before makes room."},
	SameName:     {name: "same-name", sentence: "Both names are the same: nothing happens."},
	SameFile:     {name: "same-file", sentence: "Both are names of one file: the first goes."},
	Same:         {name: "same", sentence: "Both descriptors are the same: nothing happens."},
	Nothing:      {name: "nothing", sentence: "Nothing is asked for, and nothing happens."},
	EOF:          {name: "eof", sentence: "Nothing is left to be read."},
	Short:        {name: "short", sentence: "What there is, or what fits, is less than what was asked for."},
	Beyond:       {name: "beyond", sentence: "Behind the end, it gives what the last page holds (quirk read-beyond-eof)."},
	Zeros:        {name: "zeros", sentence: "The device is /dev/zero."},
	Appended:     {name: "appended", sentence: "The file is open with O_APPEND: the data goes to its end."},
	Hole:         {name: "hole", sentence: "The data begins behind the end of the file; what is between reads as zeros."},
	Extended:     {name: "extended", sentence: "The data goes beyond the end of the file, which grows."},
	InPart:       {name: "part", sentence: "There is room for 2048 bytes or more in the fifo, but not for all: with O_NONBLOCK it is filled."},
	Grown:        {name: "grown", sentence: "A write of nothing behind the end makes the file grow (quirk zero-write-grows)."},
	WentBack:     {name: "went-back", sentence: "The buffer is too short for an entry, and the position goes back by one (quirk readdir-repeats)."},
	NoSize:       {name: "no-size", sentence: "The file is no regular one: nothing happens."},
	MinusOne:     {name: "minus-one", sentence: "The size is -1: nothing happens (quirk truncate-minus-one)."},
	LostSetID:    {name: "set-id", sentence: "The owner or group changes, and the file loses the set-id bit that goes with it."},
	Now:          {name: "now", sentence: "The times become the current one; who may write to the file may do so."},
	Ignored:      {name: "ignored", sentence: "Nothing happens (quirk revoke-ignored)."},
	Moved:        {name: "moved", sentence: "The working directory is not below the new root, and becomes it."},
	Copied:       {name: "copied", sentence: "The new process has a copy of the descriptor table."},
	Cleared:      {name: "cleared", sentence: "The new process has an empty descriptor table."},
	Shared:       {name: "shared", sentence: "The new process has the same descriptor table."},
	DupFD:        {name: "duplicate", sentence: "F_DUPFD and F_DUPFD_CLOEXEC give the lowest free descriptor from the argument on."},
	CloseM:       {name: "closem", sentence: "F_CLOSEM closes the descriptor and all above it."},
	MaxFD:        {name: "maxfd", sentence: "F_MAXFD gives the highest open descriptor, -1 if there is none."},
	GetFD:        {name: "getfd", sentence: "F_GETFD gives the descriptor's close-on-exec flag."},
	SetFD:        {name: "setfd", sentence: "F_SETFD sets the descriptor's close-on-exec flag."},
	GetFL:        {name: "getfl", sentence: "F_GETFL gives the open file's status flags."},
	SetFL:        {name: "setfl", sentence: "F_SETFL sets the open file's status flags."},
	GetOwner:     {name: "getown", sentence: "F_GETOWN gives the process that is told of what happens to the fifo, 0 for none."},
	SetOwner:     {name: "setown", sentence: "F_SETOWN sets the process that is told of what happens to the fifo."},
	GetNoSigpipe: {name: "getnosigpipe", sentence: "F_GETNOSIGPIPE gives the open file's flag."},
	SetNoSigpipe: {name: "setnosigpipe", sentence: "F_SETNOSIGPIPE sets the open file's flag."},
	LockSet:      {name: "locked", sentence: "The lock is taken."},
	Unlocked:     {name: "unlocked", sentence: "What the caller has in the range is given up."},
	NoLock:       {name: "no-lock", sentence: "F_GETLK finds nothing in the way."},
	Partial:      {name: "partial", sentence: "The room is an odd number of bytes, and not enough: the end of the path comes (quirk getcwd-limit)."},
	Nowhere:      {name: "nowhere", sentence: "The file has been revoked, and nothing is known of where it was."},
	Unasked:      {name: "unasked", sentence: "ST_NOWAIT gives what is known, which is little as long as nobody has asked for more."},
	FoundLock:    {name: "found-lock", sentence: "F_GETLK finds the first lock in the way."},
}
