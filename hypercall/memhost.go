package hypercall

import (
	"fmt"
	"math"
	"strings"
	"sync"
)

const (
	memDirSize   = 4096 // what a directory's size is on common hosts
	memChunk     = 4096 // file data comes in chunks of this size
	memLinkDepth = 32   // symbolic links followed in one path
	memNameMax   = 255
	memPathMax   = 4096
)

// MemHost is a host whose files are in memory. It has no permissions: everything is allowed, as to a host's root user. It costs
// nothing until its first file is made; the zero value is ready.
type MemHost struct {
	mu    sync.RWMutex
	root  *memFile
	fds   []memFD // by descriptor
	nopen int
	temps int // directories made by TempDir
}

// NewMemHost returns an empty in-memory host.
func NewMemHost() *MemHost { return new(MemHost) }

// memFile is a file of any type. Exactly one of entries, link, and chunks with size is used.
type memFile struct {
	kind    memKind
	entries map[string]*memFile       // directory
	parent  *memFile                  // directory: where `..` leads
	link    string                    // symbolic link
	chunks  map[int64]*[memChunk]byte // regular file: what is missing reads as zeroes
	size    int64
}

type memKind uint8

const (
	memReg memKind = iota
	memDir
	memLink
	memFifo
)

type memFD struct {
	f    *memFile // nil: not open
	mode OpenMode
}

// top returns the root directory. Called with mu held for writing.
func (h *MemHost) top() *memFile {
	if h.root == nil {
		h.root = &memFile{kind: memDir, entries: map[string]*memFile{}}
		h.root.parent = h.root
	}
	return h.root
}

// walk resolves name and returns the directory that holds its last component, that component, and the file, nil if there is no such
// entry. A last component that is a symbolic link is followed if follow is set. The root is its own entry "".
func (h *MemHost) walk(name string, follow bool) (dir *memFile, base string, f *memFile, err error) {
	if strings.IndexByte(name, 0) >= 0 {
		return nil, "", nil, eINVAL
	}
	if name == "" {
		return nil, "", nil, eNOENT
	}
	if len(name) >= memPathMax {
		return nil, "", nil, eNAMETOOLONG
	}
	root := h.top()
	dir, f = root, root
	for links, rest := 0, name; ; {
		rest = strings.TrimLeft(rest, "/")
		if rest == "" {
			return dir, base, f, nil
		}
		if f == nil {
			return nil, "", nil, eNOENT
		}
		if f.kind != memDir {
			return nil, "", nil, eNOTDIR
		}
		dir = f
		var tail string
		base, tail, _ = strings.Cut(rest, "/")
		mustDir := len(base) < len(rest)
		if len(base) > memNameMax {
			return nil, "", nil, eNAMETOOLONG
		}
		rest = tail
		f = dir.child(base)
		if f != nil && f.kind == memLink && (follow || mustDir) {
			if links++; links > memLinkDepth {
				return nil, "", nil, eLOOP
			}
			rest = f.link + "/" + rest
			if !mustDir {
				rest = f.link
			}
			if strings.HasPrefix(rest, "/") {
				dir = root
			}
			f, base = dir, ""
			continue
		}
		if mustDir && f != nil && f.kind != memDir {
			return nil, "", nil, eNOTDIR
		}
	}
}

func (d *memFile) child(name string) *memFile {
	switch name {
	case ".":
		return d
	case "..":
		return d.parent
	}
	return d.entries[name]
}

// lookup resolves the name of an existing file, following symbolic links.
func (h *MemHost) lookup(name string) (*memFile, error) {
	_, _, f, err := h.walk(name, true)
	if err == nil && f == nil {
		err = eNOENT
	}
	return f, err
}

// regular resolves the name of a regular file.
func (h *MemHost) regular(name string) (*memFile, error) {
	f, err := h.lookup(name)
	if err != nil {
		return nil, err
	}
	return f, f.dataErr()
}

// dataErr is nil for a file that has data, else the error of opening it for them.
func (f *memFile) dataErr() error {
	switch f.kind {
	case memDir:
		return eISDIR
	case memFifo:
		return eNXIO
	}
	return nil
}

// create makes the entry name. A last component that is a dangling symbolic link is an entry that exists.
func (h *MemHost) create(name string, f *memFile) error {
	name, slash := strings.CutSuffix(name, "/")
	if slash {
		name = strings.TrimRight(name, "/")
		if name == "" {
			return eEXIST
		}
	}
	dir, base, old, err := h.walk(name, false)
	switch {
	case err != nil:
		return err
	case old != nil:
		return eEXIST
	case slash && f.kind != memDir:
		return eNOENT
	}
	if f.kind == memDir {
		f.entries, f.parent = map[string]*memFile{}, dir
	}
	dir.entries[base] = f
	return nil
}

// FileInfo implements Host. A directory's size is 4096.
func (h *MemHost) FileInfo(name string) (size int64, ft FileType, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f, err := h.lookup(name)
	if err != nil {
		return 0, 0, err
	}
	switch f.kind {
	case memDir:
		return memDirSize, FileDir, nil
	case memReg:
		return f.size, FileReg, nil
	}
	return 0, FileOther, nil
}

// Open implements Host.
func (h *MemHost) Open(name string, mode OpenMode) (int, error) {
	if mode&OpenACCMODE == OpenACCMODE {
		return -1, eINVAL
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	f, err := h.openFile(name, mode)
	if err != nil {
		return -1, err
	}
	h.nopen++
	for fd := range h.fds {
		if h.fds[fd].f == nil {
			h.fds[fd] = memFD{f, mode}
			return fd, nil
		}
	}
	h.fds = append(h.fds, memFD{f, mode})
	return len(h.fds) - 1, nil
}

func (h *MemHost) openFile(name string, mode OpenMode) (*memFile, error) {
	excl := mode&(OpenCREATE|OpenEXCL) == OpenCREATE|OpenEXCL
	dir, base, f, err := h.walk(name, !excl)
	switch {
	case err != nil:
		return nil, err
	case f == nil && mode&OpenCREATE == 0:
		return nil, eNOENT
	case f == nil && strings.HasSuffix(name, "/"):
		return nil, eISDIR
	case f == nil:
		f = &memFile{}
		dir.entries[base] = f
	case excl:
		return nil, eEXIST
	case f.kind == memDir && mode&(OpenACCMODE|OpenCREATE) == OpenRDONLY:
		return f, nil
	}
	return f, f.dataErr()
}

// open returns what fd stands for; refused is the access mode that does not allow what the caller is about to do.
func (h *MemHost) open(fd int, refused OpenMode) (*memFile, error) {
	if fd < 0 || fd >= len(h.fds) || h.fds[fd].f == nil || h.fds[fd].mode&OpenACCMODE == refused {
		return nil, eBADF
	}
	f := h.fds[fd].f
	return f, f.dataErr()
}

// Close implements Host.
func (h *MemHost) Close(fd int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if fd < 0 || fd >= len(h.fds) || h.fds[fd].f == nil {
		return eBADF
	}
	h.fds[fd] = memFD{}
	h.nopen--
	return nil
}

// OpenFDs implements Host.
func (h *MemHost) OpenFDs() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.nopen
}

// ReadAt implements Host.
func (h *MemHost) ReadAt(fd int, b []byte, off int64) (int, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	f, err := h.open(fd, OpenWRONLY)
	if err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, eINVAL
	}
	return f.readAt(b, off), nil
}

func (f *memFile) readAt(b []byte, off int64) int {
	if off >= f.size {
		return 0
	}
	b = b[:min(int64(len(b)), f.size-off)]
	for n := 0; n < len(b); {
		at := off + int64(n)
		part := b[n:min(len(b), n+memChunk-int(at%memChunk))]
		if c := f.chunks[at/memChunk]; c != nil {
			copy(part, c[at%memChunk:])
		} else {
			clear(part)
		}
		n += len(part)
	}
	return len(b)
}

// WriteAt implements Host.
func (h *MemHost) WriteAt(fd int, b []byte, off int64) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f, err := h.open(fd, OpenRDONLY)
	if err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, eINVAL
	}
	if off > math.MaxInt64-int64(len(b)) {
		return 0, eFBIG
	}
	f.writeAt(b, off)
	return len(b), nil
}

func (f *memFile) writeAt(b []byte, off int64) {
	if f.chunks == nil {
		f.chunks = map[int64]*[memChunk]byte{}
	}
	for n := 0; n < len(b); {
		at := off + int64(n)
		c := f.chunks[at/memChunk]
		if c == nil {
			c = new([memChunk]byte)
			f.chunks[at/memChunk] = c
		}
		n += copy(c[at%memChunk:], b[n:])
	}
	if len(b) > 0 {
		f.size = max(f.size, off+int64(len(b)))
	}
}

func (f *memFile) truncate(size int64) {
	if size < f.size {
		for i, c := range f.chunks {
			if start := i * memChunk; start >= size {
				delete(f.chunks, i)
			} else if size-start < memChunk {
				clear(c[size-start:])
			}
		}
	}
	f.size = size
}

// Sync implements Host: memory is always in line with itself.
func (h *MemHost) Sync(fd int, flags SyncFlags, off, n int64) error {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if flags&(SyncREAD|SyncWRITE) == 0 {
		return eINVAL
	}
	_, err := h.open(fd, OpenACCMODE)
	return err
}

// TempDir implements Host: the names are /h1, /h2 and so on.
func (h *MemHost) TempDir() (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		h.temps++
		name := fmt.Sprint("/h", h.temps)
		if err := h.create(name, &memFile{kind: memDir}); err != eEXIST {
			return name, err
		}
	}
}

// RemoveAll implements Host.
func (h *MemHost) RemoveAll(name string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	dir, base, f, err := h.walk(name, false)
	switch {
	case err == eNOENT:
		return nil
	case err != nil:
		return err
	case base == "" || base == "." || base == "..":
		return eINVAL
	case f != nil:
		delete(dir.entries, base)
	}
	return nil
}

// Mkdir implements Host.
func (h *MemHost) Mkdir(name string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.create(name, &memFile{kind: memDir})
}

// WriteFile implements Host.
func (h *MemHost) WriteFile(name string, data []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f, err := h.openFile(name, OpenWRONLY|OpenCREATE)
	if err != nil {
		return 0, err
	}
	f.truncate(0)
	f.writeAt(data, 0)
	return len(data), nil
}

// ReadFile implements Host.
func (h *MemHost) ReadFile(name string) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f, err := h.regular(name)
	if err != nil {
		return nil, err
	}
	if f.size > math.MaxInt32 {
		return nil, eFBIG
	}
	b := make([]byte, f.size)
	f.readAt(b, 0)
	return b, nil
}

// Copy implements Host.
func (h *MemHost) Copy(from, to string) (int64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	src, err := h.regular(from)
	if err != nil {
		return 0, err
	}
	dst, err := h.openFile(to, OpenWRONLY|OpenCREATE)
	if err != nil {
		return 0, err
	}
	if dst == src {
		return src.size, nil
	}
	dst.chunks = make(map[int64]*[memChunk]byte, len(src.chunks))
	for i, c := range src.chunks {
		d := *c
		dst.chunks[i] = &d
	}
	dst.size = src.size
	return dst.size, nil
}

// Truncate implements Host.
func (h *MemHost) Truncate(name string, size int64) error {
	if size < 0 {
		return eINVAL
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	f, err := h.regular(name)
	if err == nil {
		f.truncate(size)
	}
	return err
}

// Symlink implements Host.
func (h *MemHost) Symlink(target, name string) error {
	if target == "" {
		return eNOENT
	}
	if len(target) >= memPathMax {
		return eNAMETOOLONG
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.create(name, &memFile{kind: memLink, link: target})
}

// Mkfifo implements Host.
func (h *MemHost) Mkfifo(name string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.create(name, &memFile{kind: memFifo})
}

// Remove implements Host.
func (h *MemHost) Remove(name string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	dir, base, f, err := h.walk(name, false)
	switch {
	case err != nil:
		return err
	case f == nil:
		return eNOENT
	case f.kind == memDir:
		return ePERM
	}
	delete(dir.entries, base)
	return nil
}

var _ Host = (*MemHost)(nil)
