package hypercall

// FileType is what kind of file a host name stands for.
type FileType int

const (
	FileOther FileType = iota
	FileDir
	FileReg
	FileBlk
	FileChr
)

func (ft FileType) String() string {
	switch ft {
	case FileDir:
		return "dir"
	case FileReg:
		return "reg"
	case FileBlk:
		return "blk"
	case FileChr:
		return "chr"
	}
	return "other"
}

// OpenMode says how a host file is opened: one of RDONLY, WRONLY and RDWR, and any of the others.
type OpenMode int

const (
	OpenRDONLY  OpenMode = 0x0000
	OpenWRONLY  OpenMode = 0x0001
	OpenRDWR    OpenMode = 0x0002
	OpenACCMODE OpenMode = 0x0003
	OpenCREATE  OpenMode = 0x0004 // make the file if it is missing
	OpenEXCL    OpenMode = 0x0008 // with CREATE: an existing file is an error
	OpenBIO     OpenMode = 0x0010 // for block I/O; advisory
)

// SyncFlags say what Sync is to do: READ, WRITE or both, and any of the others.
type SyncFlags int

const (
	SyncREAD    SyncFlags = 0x01 // the next read sees what others wrote
	SyncWRITE   SyncFlags = 0x02 // flush what was written
	SyncBARRIER SyncFlags = 0x04 // what was begun before completes before what comes after
	SyncSYNC    SyncFlags = 0x08 // wait until it is done
)

// Host is a tree of files below the machine. All its errors are HostErrno. A method may block the calling goroutine, but
// waits for nothing that a thread of the machine does. Methods may be called from several goroutines.
//
// Paths are slash-separated; the host has no current directory. The descriptors it hands out are its own.
type Host interface {
	// FileInfo returns size (in bytes) and type of the file that path names, following symbolic links.
	FileInfo(path string) (size int64, ft FileType, err error)
	// Open opens a file; a new one belongs to whoever the host is.
	Open(path string, mode OpenMode) (fd int, err error)
	// Close flushes and closes fd.
	Close(fd int) error
	// ReadAt fills b from the file at off; at the end of the file n is less than len(b) and err nil.
	ReadAt(fd int, b []byte, off int64) (n int, err error)
	// WriteAt writes b to the file at off.
	WriteAt(fd int, b []byte, off int64) (n int, err error)
	// Sync brings n bytes from off on, up to the end if n is 0, in line with the backing storage.
	Sync(fd int, flags SyncFlags, off, n int64) error
	// OpenFDs counts the descriptors that are open.
	OpenFDs() int

	// TempDir makes an empty directory that nobody else uses.
	TempDir() (path string, err error)
	// RemoveAll removes path and everything below it; a missing path is no error.
	RemoveAll(path string) error
	// Mkdir makes a directory.
	Mkdir(path string) error
	// WriteFile makes or replaces a file and returns how many bytes it wrote.
	WriteFile(path string, data []byte) (n int, err error)
	// ReadFile returns what is in a file.
	ReadFile(path string) ([]byte, error)
	// Copy copies a file onto another, made or replaced, and returns how many bytes it has.
	Copy(from, to string) (n int64, err error)
	// Truncate sets the size of a file.
	Truncate(path string, size int64) error
	// Symlink makes path a symbolic link to target. A target that begins with a slash is a path of this host.
	Symlink(target, path string) error
	// Mkfifo makes a fifo. Opening one answers ENXIO: a kernel does not wait for a host's process.
	Mkfifo(path string) error
	// Remove removes a file that is not a directory.
	Remove(path string) error
}
