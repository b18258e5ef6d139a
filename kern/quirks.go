package kern

import (
	"fmt"
	"strings"
)

// A Quirk is a known deviation of the reference kernel from POSIX or from its own intent.
type Quirk uint8

// The quirks, in the order of the table. What each is about says [Quirk.Info].
const (
	QuirkReadBeyondEOF Quirk = iota
	QuirkStaleTail
	QuirkSizeForgotten
	QuirkZeroWriteGrows
	QuirkWriteNotFile
	QuirkStrategyBeyondEnd
	QuirkFifoIO
	QuirkFifoEOF
	QuirkFifoKqueueWrite
	QuirkSetIDKept
	QuirkReaddirRepeats
	QuirkReaddirIndex
	QuirkRemovedDirCreate
	QuirkNlinkKept
	QuirkDirNlink
	QuirkOwnerRoot
	QuirkTimesStill
	QuirkTimeMinusOne
	QuirkBlocksConstant
	QuirkFileFlags
	QuirkReadOnlyAttrs
	QuirkSticky
	QuirkUndelete
	QuirkWhiteoutUnchecked
	QuirkOpaqueFiles
	QuirkRevokeIgnored
	QuirkPathconf
	QuirkEtfsKey
	QuirkEtfsKeyLong
	QuirkEtfsDirData
	QuirkEtfsDirSubdir
	QuirkEtfsUnlink
	QuirkEtfsWindow
	QuirkEtfsSize
	QuirkEtfsOpen
	QuirkEtfsMinor
	QuirkEtfsChar
	QuirkGetcwdLimit
	QuirkTruncateMinusOne
	QuirkUtimesUnchecked
	QuirkRumpblkMinor
	QuirkRumpblkNegative
	QuirkBlkfailResid
	QuirkBlkTail
	QuirkCoveredByRoot
	QuirkCnConsume
	QuirkMagicSymlinkOverflow
	QuirkMountExtattr
	QuirkDeadFS

	numQuirks
)

// QuirkInfo describes a quirk.
type QuirkInfo struct {
	Name     string // as ParseQuirks takes it
	Layer    string // the package whose code honours it
	What     string // what happens with the quirk
	Cause    string // why the reference does so
	Intended string // what happens without it
	// POSIX says that the standard promises otherwise, and that system calls on rumpfs alone show it: no mapped host file, no
	// device but null and zero, no mount.
	POSIX bool
}

var quirkTable = [numQuirks]QuirkInfo{
	QuirkReadBeyondEOF: {
		Name: "read-beyond-eof", Layer: "rumpfs", POSIX: true,
		What:     "a read that starts beyond the end of a file gives NUL or stale bytes as far as the last page goes, and EINVAL beyond it",
		Cause:    "what is left of the file is negative there, and is compared as an unsigned number, so that all of the request is read",
		Intended: "0 bytes",
	},
	QuirkStaleTail: {
		Name: "stale-tail", Layer: "rumpfs", POSIX: true,
		What:     "bytes cut off by a truncation come back when the file grows again, as far as the last page went",
		Cause:    "setting the size drops whole cached pages only; what the page of the new end holds beyond it stays",
		Intended: "NUL bytes",
	},
	QuirkSizeForgotten: {
		Name: "size-forgotten", Layer: "rumpfs", POSIX: true,
		What: "a regular file whose vnode was recycled, which takes more files than the kernel keeps vnodes, comes back with the size " +
			"that it was created with: reading it fails, writing to it trips an assertion",
		Cause:    "a vnode gets its size from va_size, which is never updated",
		Intended: "the length of the data",
	},
	QuirkZeroWriteGrows: {
		Name: "zero-write-grows", Layer: "rumpfs", POSIX: true,
		What:     "a write of 0 bytes beyond the end of a file makes the file that long",
		Cause:    "storage is provided up to offset plus length before anything looks at the length",
		Intended: "no effect",
	},
	QuirkWriteNotFile: {
		Name: "write-not-file", Layer: "rumpfs",
		What:     "VOP_WRITE on a directory or symbolic link corrupts memory",
		Cause:    "the vnode's type is not looked at, and a node's directory, link and data share a union",
		Intended: "EISDIR for a directory, EINVAL for a link",
	},
	QuirkStrategyBeyondEnd: {
		Name: "strategy-beyond-end", Layer: "rumpfs",
		What:     "VOP_STRATEGY beyond the end of the data corrupts memory",
		Cause:    "what is left of the data is computed as an unsigned number",
		Intended: "reads zeros, writes nothing",
	},
	QuirkFifoIO: {
		Name: "fifo-io", Layer: "rumpfs", POSIX: true,
		What:     "a fifo opens at once, reads as empty, and writing to it trips an assertion",
		Cause:    "fifos have the operations of regular files, but the page cache takes no fifos",
		Intended: "there is no fifofs: open, read and write give EOPNOTSUPP",
	},
	QuirkFifoEOF: {
		Name: "fifo-eof", Layer: "fifofs",
		What:     "who reads at the end of a fifo that has lost its last writer gets nothing once, and then waits for the next writer; who reads before the first writer waits at once",
		Cause:    "the mark of the end is only set when the last writer goes, and cleared by the first read that finds it",
		Intended: "nothing, as long as there is no writer",
	},
	QuirkFifoKqueueWrite: {
		Name: "fifo-kqueue-write", Layer: "fifofs",
		What:     "EVFILT_WRITE on a fifo always has an event, that of an empty fifo without readers",
		Cause:    "it is attached to the socket that is read from, whose other direction is never used",
		Intended: "an event if there is room, or no reader",
	},
	QuirkSetIDKept: {
		Name: "setid-kept", Layer: "rumpfs",
		What:     "writing to or truncating a file leaves its set-id bits",
		Cause:    "never implemented",
		Intended: "who is not the superuser clears them",
	},
	QuirkReaddirRepeats: {
		Name: "readdir-repeats", Layer: "rumpfs", POSIX: true,
		What: "getdents with a buffer that ends within an entry goes back one entry, so that the next call repeats it; " +
			"if not even the first entry fits the answer is 0 and the offset 4294967295",
		Cause:    "the index is stepped back when an entry does not fit, although it already is the index of that entry; it is an unsigned int",
		Intended: "the next call begins with the entry that did not fit; EINVAL if none fits",
	},
	QuirkReaddirIndex: {
		Name: "readdir-index", Layer: "rumpfs", POSIX: true,
		What: "a directory's offset counts entries, newest first: creating or removing names between two calls repeats or skips others, " +
			"and a read at or behind the end sets the offset to the number of entries",
		Cause:    "entries have no position of their own",
		Intended: "every name that is there all the time is returned once",
	},
	QuirkRemovedDirCreate: {
		Name: "removed-dir-create", Layer: "rumpfs", POSIX: true,
		What:     "names can be created in a directory that was removed, .. among them, several times",
		Cause:    "lookup does not know that the directory is gone",
		Intended: "ENOENT",
	},
	QuirkNlinkKept: {
		Name: "nlink-kept", Layer: "rumpfs", POSIX: true,
		What:     "a removed file or directory that is still in use keeps its link count",
		Cause:    "link counts are set once and never changed",
		Intended: "0",
	},
	QuirkDirNlink: {
		Name: "dir-nlink", Layer: "rumpfs",
		What:     "a directory's link count is 2 however many directories it holds",
		Cause:    "link counts are set once and never changed",
		Intended: "one more for each of them",
	},
	QuirkOwnerRoot: {
		Name: "owner-root", Layer: "rumpfs", POSIX: true,
		What:     "whatever is created belongs to user 0 and group 0",
		Cause:    "the creating operations ignore the credentials",
		Intended: "the effective user of the caller, the group of the directory",
	},
	QuirkTimesStill: {
		Name: "times-still", Layer: "rumpfs", POSIX: true,
		What:     "no operation but utimes moves a time stamp",
		Cause:    "never implemented",
		Intended: "as POSIX says",
	},
	QuirkTimeMinusOne: {
		Name: "time-minus-one", Layer: "rumpfs", POSIX: true,
		What:     "utimes with -1 seconds leaves the seconds as they were",
		Cause:    "seconds and nanoseconds are each compared with VNOVAL, which is -1",
		Intended: "the moment one second before 1970",
	},
	QuirkBlocksConstant: {
		Name: "blocks-constant", Layer: "rumpfs",
		What:     "every file holds one block, whatever its size",
		Cause:    "va_bytes is set once and never changed",
		Intended: "the storage that a file's data is charged with",
	},
	QuirkFileFlags: {
		Name: "file-flags", Layer: "rumpfs",
		What:     "immutable and append-only files can be changed and removed, and an owner may set system flags",
		Cause:    "flags are stored and never looked at",
		Intended: "EPERM",
	},
	QuirkReadOnlyAttrs: {
		Name: "readonly-attrs", Layer: "rumpfs",
		What:     "attributes change on a file system that is mounted read-only",
		Cause:    "setattr does not look at the mount's flags",
		Intended: "EROFS",
	},
	QuirkSticky: {
		Name: "sticky", Layer: "rumpfs", POSIX: true,
		What:     "who may write to a directory with the sticky bit may remove other people's names from it",
		Cause:    "lookup does not look at the bit",
		Intended: "EPERM for all but the owners of the file and of the directory",
	},
	QuirkUndelete: {
		Name: "undelete", Layer: "rumpfs",
		What:     "undelete of a whiteout gives ENOENT, so that a whiteout can only be replaced",
		Cause:    "lookup for deletion answers ENOENT for a whiteout, with DOWHITEOUT too",
		Intended: "the whiteout goes",
	},
	QuirkWhiteoutUnchecked: {
		Name: "whiteout-unchecked", Layer: "rumpfs",
		What:     "a name can be created in the place of a whiteout by who may not write to the directory",
		Cause:    "lookup for creation answers for a whiteout before it looks at permissions",
		Intended: "EACCES",
	},
	QuirkOpaqueFiles: {
		Name: "opaque-files", Layer: "rumpfs",
		What:     "everything created in the place of a whiteout gets UF_OPAQUE",
		Cause:    "the creating operations all set the flag",
		Intended: "directories only, since nothing shows through anything else",
	},
	QuirkRevokeIgnored: {
		Name: "revoke-ignored", Layer: "rumpfs",
		What:     "revoke of anything but a device answers 0 and has no effect",
		Cause:    "the operation is not in the table, and the system call drops its error",
		Intended: "every use of the file ends; a directory gives EINVAL",
	},
	QuirkPathconf: {
		Name: "pathconf", Layer: "rumpfs", POSIX: true,
		What:     "a file's size is said to take 43 bits, and a link's target to have up to 1024 bytes",
		Cause:    "the first is a joke, the second counts the NUL",
		Intended: "64 bits and 1023 bytes",
	},
	QuirkEtfsKey: {
		Name: "etfs-key", Layer: "rumpfs",
		What: "the key of a mapped host directory matches every longer name that begins with it, which trips an assertion or keeps " +
			"other keys from being registered; the empty key is accepted, and with a directory stands in the way of every name",
		Cause:    "keys are compared as far as the registered one goes, wherever a component ends",
		Intended: "keys match whole components; EINVAL for the empty key",
	},
	QuirkEtfsKeyLong: {
		Name: "etfs-key-long", Layer: "rumpfs",
		What:     "registering a key of MAXPATHLEN bytes or more corrupts memory",
		Cause:    "it is copied into an array of MAXPATHLEN bytes without a look at its length",
		Intended: "ENAMETOOLONG",
	},
	QuirkEtfsDirData: {
		Name: "etfs-dir-data", Layer: "rumpfs",
		What:     "a file below a DIR mapping opens and reads as empty; making it longer and letting go of it corrupt memory",
		Cause:    "it is not marked as one of the host's, but has the two descriptors of such a file, -1, where others have a pointer to their data",
		Intended: "it is the host's file",
	},
	QuirkEtfsDirSubdir: {
		Name: "etfs-dir-subdir", Layer: "rumpfs",
		What: "a directory below a DIR mapping is an empty one in memory, a new one at each lookup; going up from a directory made " +
			"in it corrupts memory once it is gone",
		Cause:    "lookup makes a node for any directory of the host and only then looks at whether subdirectories are mapped",
		Intended: "ENOENT: that is what DIR_SUBDIRS is for",
	},
	QuirkEtfsUnlink: {
		Name: "etfs-unlink", Layer: "rumpfs",
		What: "unlink below a DIR_SUBDIRS mapping, where the walk begins in it, leaves directory and file locked for ever, reported as " +
			"undefined; below a DIR mapping, and rmdir, panic for want of a directory entry",
		Cause:    "remove returns EOPNOTSUPP without giving up its arguments, and only for files marked as the host's",
		Intended: "EOPNOTSUPP",
	},
	QuirkEtfsWindow: {
		Name: "etfs-window", Layer: "rumpfs",
		What:     "reading and writing a mapped regular file goes on behind the window; a window whose end is beyond 2^64 passes the check",
		Cause:    "only the window's beginning is used after registration, and the sum of beginning and size is not checked for overflow",
		Intended: "reads end with the window, writes behind it give ENOSPC; EINVAL for such a window",
	},
	QuirkEtfsSize: {
		Name: "etfs-size", Layer: "rumpfs",
		What:     "a mapped regular file keeps the size that it was registered with, and truncating it answers 0 and has no effect",
		Cause:    "the size is set at registration, and setting attributes leaves mapped files alone",
		Intended: "the size of the host's file, which truncating sets",
	},
	QuirkEtfsOpen: {
		Name: "etfs-open", Layer: "rumpfs",
		What: "opening a mapped file for reading and writing that is open for reading already opens nothing, so that writing gives " +
			"EBADF; when the host refuses reading but not writing the open succeeds, and reading gives EBADF",
		Cause:    "open returns when the first descriptor is there, and the error of the second replaces that of the first",
		Intended: "both descriptors, or the host's error",
	},
	QuirkEtfsMinor: {
		Name: "etfs-minor", Layer: "rumpfs",
		What: "BLK and CHR mappings of one host file are one device with one window; removing one of them, or failing to register one " +
			"for its key, closes it, and removing another trips an assertion",
		Cause:    "the block driver knows host files by name and does not count who registered them",
		Intended: "the last one closes it; EBUSY for a second window",
	},
	QuirkEtfsChar: {
		Name: "etfs-char", Layer: "rumpfs",
		What:     "after a CHR mapping is removed whoever has the device open reads its attributes from freed memory",
		Cause:    "only vnodes of the block device are revoked",
		Intended: "EBADF, as for a block device",
	},
	QuirkGetcwdLimit: {
		Name: "getcwd-limit", Layer: "namei", POSIX: true,
		What: "getcwd with an odd number of bytes of room may give the end of a path that does not fit, and a directory 512 levels " +
			"down counts as below every root",
		Cause:    "going up ends after as many levels as half the bytes of the buffer, without a look at how far it came",
		Intended: "ERANGE, and what is true",
	},
	QuirkTruncateMinusOne: {
		Name: "truncate-minus-one", Layer: "sim", POSIX: true,
		What:     "truncate and ftruncate to length -1 succeed and change nothing; other negative lengths give ENOSPC",
		Cause:    "the length is not checked, and -1 is VNOVAL",
		Intended: "EINVAL",
	},
	QuirkUtimesUnchecked: {
		Name: "utimes-unchecked", Layer: "sim", POSIX: true,
		What:     "utimes takes microseconds below 0 and above 999999",
		Cause:    "never checked",
		Intended: "EINVAL",
	},
	QuirkRumpblkMinor: {
		Name: "rumpblk-minor", Layer: "blkdev",
		What:     "using a block device of major 197 with a minor number above 15 reads foreign memory",
		Cause:    "minor numbers index a table of 16 devices unchecked",
		Intended: "ENXIO",
	},
	QuirkRumpblkNegative: {
		Name: "rumpblk-negative", Layer: "blkdev",
		What: "a raw device can be read and written before its begin: a window gives what precedes it in the host's file, and what does not " +
			"end at offset 0 trips an assertion or corrupts memory",
		Cause:    "seeking on a device is not checked, and offset and size are compared as unsigned numbers",
		Intended: "EINVAL",
	},
	QuirkBlkfailResid: {
		Name: "blkfail-resid", Layer: "blkdev",
		What:     "a transfer of the raw device that RUMP_BLKFAIL makes fail trips an assertion",
		Cause:    "the residue is not set, so that all seems to be done, which does not go with an error",
		Intended: "EIO",
	},
	QuirkBlkTail: {
		Name: "blk-tail", Layer: "blkdev",
		What: "a block device that ends within a block of 2048 bytes seems to go on to the end of it: NUL bytes are read there, and writes " +
			"taken; a first write of the whole block behind the end is taken, too; and if the device ends within a sector, what is written " +
			"to the last block is lost unless the block was in memory before",
		Cause:    "the size of a transfer is cut to the device in the buffer itself, so that nothing seems to be left undone, and is no whole sector then",
		Intended: "the device ends where its file or window ends",
	},
	QuirkCoveredByRoot: {
		Name: "covered-by-root", Layer: "namei",
		What: "going on below the root file system, by .. after something was mounted over it or since it is a union mount, corrupts memory",
		Cause: "the root of a mounted file system is taken to cover a directory, which that of the root file system does not; " +
			"only the root of the moment is excepted, and not from unions",
		Intended: "its .. is itself, and a name it does not have does not exist",
	},
	QuirkCnConsume: {
		Name: "cn-consume", Layer: "namei",
		What:     "a file system that takes more of a path than there is makes the walk go on in memory behind it",
		Cause:    "cn_consume is not checked",
		Intended: "the walk ends with the path",
	},
	QuirkMagicSymlinkOverflow: {
		Name: "magic-symlink-overflow", Layer: "namei",
		What:     "a magic symbolic link that is MAXPATHLEN bytes long when its strings are replaced corrupts memory",
		Cause:    "room is checked for replaced text, not for what is copied",
		Intended: "ENAMETOOLONG",
	},
	QuirkMountExtattr: {
		Name: "mount-extattr", Layer: "vfs",
		What: "mount with MNT_EXTATTR of a file system without extended attributes gives EOPNOTSUPP but mounts, " +
			"and an update without the flag then makes it read-only",
		Cause:    "the error of starting them is returned without undoing anything; where stopping them fails the wrong flag is set",
		Intended: "mounted without the flag, as an update with it does",
	},
	QuirkDeadFS: {
		Name: "dead-fs", Layer: "vfs",
		What:     "statvfs or getfh of a file whose file system was unmounted by force panics",
		Cause:    "such a file belongs to the dead file system, whose operations do nothing else",
		Intended: "EBADF, as stat gives",
	},
}

// POSIXQuirks are those that POSIX promises otherwise; see QuirkInfo.POSIX.
func POSIXQuirks() (s Quirks) {
	for q := range numQuirks {
		if quirkTable[q].POSIX {
			s = s.With(q)
		}
	}
	return s
}

// Info describes q.
func (q Quirk) Info() QuirkInfo { return quirkTable[q] }

func (q Quirk) String() string { return quirkTable[q].Name }

// Undefined panics as where the reference would corrupt memory because of q.
func (q Quirk) Undefined() { Undefined(q.String()) }

// AllQuirks returns every quirk, in the order of the table.
func AllQuirks() []Quirk {
	all := make([]Quirk, numQuirks)
	for i := range all {
		all[i] = Quirk(i)
	}
	return all
}

// Quirks is a set of quirks: how faithful a kernel is to the reference's defects.
type Quirks uint64

const (
	Rev1125 Quirks = 1<<numQuirks - 1 // every quirk, as the reference has them
	Fixed   Quirks = 0                // none
)

// Has reports whether q is in the set.
func (s Quirks) Has(q Quirk) bool { return s>>q&1 != 0 }

// With returns the set with q added.
func (s Quirks) With(q Quirk) Quirks { return s | 1<<q }

// Without returns the set with q taken out.
func (s Quirks) Without(q Quirk) Quirks { return s &^ (1 << q) }

// ParseQuirks reads a set from words separated by commas: rev1125 or fixed to begin with (fixed if neither is there), then
// the names of quirks to add, or with a minus to take out. The error names the first word that is none of these.
func ParseQuirks(text string) (Quirks, error) {
	s := Fixed
	for i, word := range strings.Split(text, ",") {
		word = strings.TrimSpace(word)
		name, out := strings.CutPrefix(word, "-")
		switch {
		case i == 0 && word == "rev1125":
			s = Rev1125
		case i == 0 && (word == "fixed" || word == ""):
			s = Fixed
		default:
			q, ok := quirkNamed(name)
			if !ok {
				return Fixed, fmt.Errorf("no quirk is named %q", word)
			}
			if s = s.With(q); out {
				s = s.Without(q)
			}
		}
	}
	return s, nil
}

func quirkNamed(name string) (Quirk, bool) {
	for q := range numQuirks {
		if quirkTable[q].Name == name {
			return q, true
		}
	}
	return 0, false
}

// String writes the set as ParseQuirks reads it, in whichever way is shorter.
func (s Quirks) String() string {
	words, minus := []string{"fixed"}, []string{"rev1125"}
	for q := range numQuirks {
		if s.Has(q) {
			words = append(words, q.String())
		} else {
			minus = append(minus, "-"+q.String())
		}
	}
	if len(minus) <= len(words) {
		words = minus
	}
	return strings.Join(words, ",")
}
