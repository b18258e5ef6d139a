// Package uvm is the virtual memory of a kernel as far as files need it:
// memory objects, the pages that cache them, the queue that says which page
// was used longest ago, the page daemon, and UBC, the way in which read and
// write move data through the cache. It is the rump kernel's UVM: nothing is
// mapped, a page's only user is who looked it up, and one queue holds all
// pages.
//
// An [Object] is what has pages; a vnode embeds one. Its [Pager] fills pages
// and writes them back. A [System] is the memory of one kernel.
//
// # Life of a page
//
// [Object.PageAlloc] makes a page busy, clean and fake: it belongs to who
// made it, and its contents mean nothing yet. The pager fills it and clears
// PG_FAKE; [PageUnbusy] lets go of it. Who finds it busy calls [Page.Wait]
// and looks it up again. [Object.PageFree] ends it, or, while somebody has it
// busy, PG_RELEASED asks that somebody to.
//
// # Locks
//
// An object's Interlock guards its index of pages and their flags. The
// contents of a page belong to who has it busy, or, if it is not busy, to
// who holds the Interlock. Order: Interlock, then the page queue lock, the
// page daemon's lock last. The page daemon comes from the queue to the
// object, so it only tries the Interlock.
//
// Reading order: uvm_extern.go, uvm_object.go, uvm_page.go, ubc.go,
// uvm_pager.go, memory.go, uvm_pdaemon.go.
package uvm
