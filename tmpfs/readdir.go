package tmpfs

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// getdents reads entries from uio.Offset on, as many as fit, and leaves the
// offset at the next. EINVAL if no entry has the number that the offset is.
//
// Preconditions: the directory is locked, and has not been removed.
//
//netbsd:sys/fs/tmpfs/tmpfs_subr.c tmpfs_dir_getdents
func (n *node) getdents(l *kern.Lwp, uio *kern.Uio, cookies *vnode.Cookies) error {
	if !uio.System { // getcwd's reading shows no more than the name cache's sparing it
		defer n.update(l, updateAtime)
	}
	r := dirReader{uio: uio, cookies: cookies}
	if uio.Offset == dirseqDot && !r.put(".", n.id, kern.DT_DIR, dirseqDotdot) {
		return nil
	}
	if uio.Offset == dirseqDotdot && !r.put("..", n.dir.parent.id, kern.DT_DIR, n.dir.first()) {
		return nil
	}
	if uio.Offset == dirseqEOF {
		return nil
	}
	de, i := n.dir.lookupBySeq(uio.Offset)
	if de == nil {
		return kern.EINVAL
	}
	for de != nil && uio.Resid > 0 {
		next, j := n.dir.from(i + 1)
		if !r.putEntry(de, seqOf(next)) {
			break
		}
		de, i = next, j
	}
	return nil
}

// dirReader moves directory entries to a uio.
type dirReader struct {
	uio     *kern.Uio
	cookies *vnode.Cookies
}

// whiteoutFileno is the number that whiteouts are shown with.
const whiteoutFileno = 1

func (r *dirReader) putEntry(de *dirent, next int64) bool {
	if de.whiteout() {
		return r.put(de.name, whiteoutFileno, kern.DT_WHT, next)
	}
	return r.put(de.name, de.node.id, vnode.DirentType(de.node.typ), next)
}

// put moves one entry and then the offset to next, or reports that there is
// no room.
func (r *dirReader) put(name string, fileno uint64, typ uint8, next int64) bool {
	d := kern.Dirent{Fileno: fileno, Type: typ, Name: name}
	if n, err := d.Move(r.uio); n == 0 || err != nil {
		return false
	}
	r.uio.Offset = next
	if r.cookies != nil {
		*r.cookies = append(*r.cookies, next)
	}
	return true
}
