package uvm

import "rumpvfs/kern"

// Sizes, repeated from [kern] because everything here counts in them.
const (
	PAGE_SHIFT = kern.PAGE_SHIFT
	PAGE_SIZE  = kern.PAGE_SIZE
	PAGE_MASK  = kern.PAGE_MASK

	// UBC_MAX_PAGES is how many pages a getpages of usual size handles.
	UBC_MAX_PAGES = 8

	// UVM_PAGE_TREE_PENALTY is the assumed cost of looking a page up,
	// in steps from one page of an object to the next.
	UVM_PAGE_TREE_PENALTY = 4
)

// Flags of a [Page], guarded by its object's Interlock.
const (
	PG_BUSY     = 0x0001 // somebody has it for itself
	PG_WANTED   = 0x0002 // and somebody else waits for that to end
	PG_CLEAN    = 0x0008 // equal to the backing store
	PG_PAGEOUT  = 0x0010 // to be freed when the page daemon's write is done
	PG_RELEASED = 0x0020 // to be freed by whoever has it busy
	PG_FAKE     = 0x0040 // contents not valid yet
	PG_RDONLY   = 0x0080 // has no backing store: must fault before a write
)

// Protections, and what an access wants to do.
const (
	VM_PROT_NONE    = 0x00
	VM_PROT_READ    = 0x01
	VM_PROT_WRITE   = 0x02
	VM_PROT_EXECUTE = 0x04
	VM_PROT_ALL     = VM_PROT_READ | VM_PROT_WRITE | VM_PROT_EXECUTE
)

// Advice on the pattern of access.
const (
	UVM_ADV_NORMAL     = 0x0
	UVM_ADV_RANDOM     = 0x1
	UVM_ADV_SEQUENTIAL = 0x2
	UVM_ADV_WILLNEED   = 0x3
	UVM_ADV_DONTNEED   = 0x4
	UVM_ADV_NOREUSE    = 0x5
	UVM_ADV_MASK       = 0x7
)

// Flags of [Object.PageAlloc].
const (
	UVM_PGA_USERESERVE = 0x0001 // may use the reserve; there is none
	UVM_PGA_ZERO       = 0x0002 // zeroed and therefore dirty
)

// Flags of [UbcUiomove].
const (
	UBC_READ      = 0x001
	UBC_WRITE     = 0x002
	UBC_FAULTBUSY = 0x004 // no need to read the pages: all of them is overwritten
	UBC_UNMAP     = 0x010 // unmap the window at once; there is none
	UBC_PARTIALOK = 0x100 // a part may be transferred before an error
)

// Flags of [Pager.Get] and [Pager.Put].
const (
	PGO_CLEANIT       = 0x001  // put: write dirty pages
	PGO_SYNCIO        = 0x002  // wait for the I/O
	PGO_DEACTIVATE    = 0x004  // put: not needed soon
	PGO_FREE          = 0x008  // put: free the pages
	PGO_ALLPAGES      = 0x010  // all of the object
	PGO_JOURNALLOCKED = 0x020  // put: the journal is already locked
	PGO_LOCKED        = 0x040  // get: only what is in memory, keep the Interlock
	PGO_BUSYFAIL      = 0x080  // put: fail at a busy page
	PGO_OVERWRITE     = 0x200  // get: all of the pages will be overwritten
	PGO_PASTEOF       = 0x400  // get: pages beyond the end of the file are wanted
	PGO_NOBLOCKALLOC  = 0x800  // get: backing store need not be allocated
	PGO_NOTIMESTAMP   = 0x1000 // get: time stamps are somebody else's
	PGO_RECLAIM       = 0x2000 // put: the object is about to go
	PGO_GLOCKHELD     = 0x4000 // the genfs node lock is held
	PGO_LAZY          = 0x8000 // put: when convenient
)

// PGO_DONTCARE stands in an array of pages where the caller of [Pager.Get]
// needs none. It belongs to no object and is never changed.
var PGO_DONTCARE = &Page{}
