package model

import (
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/clause"
)

// A purpose is what a path is walked for.
type purpose uint8

const (
	forUse    purpose = iota // of the file that it leads to
	forCreate                // of a name, which may be there
	forDelete                // of a name, which must be there
	forRename                // to a name, which may be there
)

// How a path is walked.
type how uint8

const (
	follow    how = 1 << iota // a symbolic link at the end too
	makesDir                  // what is made is a directory, so that slashes may follow its name
	whiteouts                 // whiteouts can be deleted
	apart                     // what the walk has come to is used in another step
)

// A walk is what a path led to.
type walk struct {
	node  *node  // nil if there is none yet
	dir   *node  // that the last name is in; nil if the path has no last name
	name  []byte // the last one
	white bool   // there is a whiteout of that name
}

// given checks a path as it is copied in.
func given(path string) clause.Cause {
	switch {
	case path == call.NullPath:
		return clause.Null
	case len(path) >= kern.MAXPATHLEN:
		return clause.PathLong
	}
	return 0
}

// find walks to the file that path leads to.
func (m *Model) find(p *proc, path string, h how) clause.Cause {
	return m.walkAt(p, &p.cred, kern.AT_FDCWD, path, forUse, h)
}

// walkAt walks along path from the directory fd, or from the working directory. What it has come to is in m.w; its name is
// good until the next walk.
func (m *Model) walkAt(p *proc, c *cred, fd int32, path string, why purpose, h how) clause.Cause {
	if no := given(path); no != 0 {
		return no
	}
	at := p.cwd
	if fd != kern.AT_FDCWD {
		f, no := p.vnodeOf(fd)
		if no != 0 {
			return no
		}
		at = f.node
	}
	return m.walk(p, c, at, path, why, h)
}

// walk is walkAt from a file that is known, with a path that is not too long.
func (m *Model) walk(p *proc, c *cred, at *node, path string, why purpose, h how) clause.Cause {
	if path == "" {
		return clause.Empty
	}
	t := trip{m: m, p: p, c: c, why: why, how: h, root: p.rootDir(m)}
	t.rest = m.bufs[0][:copy(m.bufs[0][:], path)]
	if path[0] == '/' {
		at = t.root
	}
	if !at.isDir() {
		return clause.StartNotDir
	}
	t.dir = at
	no := t.walk()
	if no == 0 && (why == forUse || why == forCreate && t.found != nil || h&apart != 0) && m.pause() {
		no = unfinished
	}
	m.w = walk{node: t.found, dir: t.dir, name: t.name, white: t.white}
	if t.found != nil && t.nameless {
		m.w.dir = nil
	}
	return no
}

// rootDir is where the process's absolute paths begin.
func (p *proc) rootDir(m *Model) *node {
	if p.root != nil {
		return p.root
	}
	return m.root
}

// A trip is a walk under way.
type trip struct {
	m    *Model
	p    *proc
	c    *cred // who walks
	why  purpose
	how  how
	root *node // of the process

	dir      *node  // where the walk stands
	found    *node  // what the last name stands for
	name     []byte // the last name looked up
	rest     []byte // of the path behind it, slashes included
	last     bool   // nothing but slashes follow
	slashes  bool   // follow: a directory must be meant
	nameless bool   // the path was but slashes
	white    bool
	links    int // symbolic links followed
	buf      int // of m.bufs that rest is not in
}

// walk walks name by name.
func (t *trip) walk() clause.Cause {
	for t.skipSlashes(); ; {
		if len(t.rest) == 0 { // it was the root
			t.found, t.last, t.nameless = t.dir, true, true
			return t.arrived()
		}
		if !t.nextName() {
			return clause.NameLong
		}
		if no := t.lookup(); no != 0 {
			return no
		}
		if t.found == nil { // to be created
			return 0
		}
		if t.found.isLink() && (t.how&follow != 0 || t.slashes) {
			if no := t.followLink(); no != 0 {
				return no
			}
			continue
		}
		if t.slashes && !t.found.isDir() {
			if t.last {
				return clause.SlashOnFile
			}
			return clause.ThroughFile
		}
		if t.last {
			return t.arrived()
		}
		t.dir = t.found
		t.skipSlashes()
	}
}

func (t *trip) skipSlashes() {
	for len(t.rest) > 0 && t.rest[0] == '/' {
		t.rest = t.rest[1:]
	}
}

// nextName takes a name off the rest. It is false if the name is too long.
func (t *trip) nextName() bool {
	n := 0
	for n < len(t.rest) && t.rest[n] != '/' {
		n++
	}
	t.name, t.rest = t.rest[:n], t.rest[n:]
	t.slashes = len(t.rest) > 0
	t.last = true
	for _, b := range t.rest {
		if b != '/' {
			t.last = false
			break
		}
	}
	return n <= kern.KERNEL_NAME_MAX
}

// arrived ends a walk that has found something.
func (t *trip) arrived() clause.Cause {
	if !t.nameless {
		return 0
	}
	switch t.why {
	case forCreate:
		return clause.RootExists
	case forDelete, forRename:
		return clause.RootBusy
	}
	return 0
}

// lookup finds the file that name stands for in dir, in a step of its own.
func (t *trip) lookup() clause.Cause {
	if t.m.steps == nil {
		return t.lookupNow()
	}
	k := t.m.look(func() look {
		no := t.lookupNow()
		return look{no: no, dir: t.dir, found: t.found, white: t.white}
	})
	if k.no != unfinished {
		t.dir, t.found, t.white = k.dir, k.found, k.white
	}
	return k.no
}

// lookupNow finds the file that name stands for in dir; none is success if it is to be created.
func (t *trip) lookupNow() clause.Cause {
	t.found, t.white = nil, false
	dotdot := len(t.name) == 2 && t.name[0] == '.' && t.name[1] == '.'
	if dotdot && t.atTop() {
		t.found = t.dir
		return 0
	}
	m, dir := t.m, t.dir
	if m.may(t.c, dir, execute) != allowed {
		return clause.Search
	}
	final := t.last
	if final && (t.why == forDelete || t.why == forRename) && m.readOnly {
		return clause.ReadOnly
	}
	if m.isTmpfs() && dir.gone {
		return t.inRemoved()
	}
	if len(t.name) == 1 && t.name[0] == '.' {
		if m.isTmpfs() && final && t.why == forRename {
			return clause.IsDir
		}
		t.found = dir
		return 0
	}
	if m.isTmpfs() && dotdot && final && t.why == forRename {
		return clause.Dot
	}
	if final && t.why == forRename && !m.config.Caps.Rename {
		return clause.NoRename
	}
	at := -1
	if dotdot {
		if dir.parent != nil {
			t.found = m.above(dir)
			return 0
		}
	} else {
		at = dir.find(t.name)
	}
	if at < 0 {
		return t.absent()
	}
	n := dir.names[at].node
	if n == nil && m.isTmpfs() {
		return t.whiteout()
	}
	if final && (t.why == forDelete || t.why == forRename) {
		if no := m.may(t.c, dir, write).because(clause.DirWrite, clause.DirProtected); no != 0 {
			return no
		}
		if m.isTmpfs() && m.sticks(t.c, dir, n) {
			return clause.Sticky
		}
	}
	if t.found = n; n == nil {
		return t.whiteout()
	}
	return 0
}

// inRemoved answers a lookup in a removed directory of a tmpfs, which has no names at all.
func (t *trip) inRemoved() clause.Cause {
	switch {
	case !t.last:
		return clause.Component
	case t.why == forCreate || t.why == forRename:
		return clause.DirRemoved
	}
	return clause.Absent
}

// absent answers a lookup that found no entry.
func (t *trip) absent() clause.Cause {
	switch {
	case !t.last:
		return clause.Component
	case t.why != forCreate && t.why != forRename:
		return clause.Absent
	}
	return t.creatable()
}

// creatable says whether a name may be created.
func (t *trip) creatable() clause.Cause {
	if no := t.m.may(t.c, t.dir, write).because(clause.DirWrite, clause.DirProtected); no != 0 {
		return no
	}
	if t.dir.gone && !t.m.has(kern.QuirkRemovedDirCreate) {
		return clause.DirRemoved
	}
	if t.slashes && t.how&makesDir == 0 {
		return clause.Slash
	}
	return 0
}

// whiteout answers a lookup that found a whiteout: there is nothing, but a name may be created in its place.
func (t *trip) whiteout() clause.Cause {
	t.white = true
	switch {
	case !t.last:
		return clause.Component
	case t.why == forDelete && t.how&whiteouts != 0 && !t.m.has(kern.QuirkUndelete):
		if t.slashes {
			return clause.Slash
		}
		return 0
	case t.why == forDelete && t.how&whiteouts != 0:
		return clause.Whiteout
	case t.why != forCreate && t.why != forRename:
		return clause.Whiteout
	}
	return t.overWhiteout()
}

// overWhiteout says whether a name may be created in the place of a whiteout.
func (t *trip) overWhiteout() clause.Cause {
	if t.m.has(kern.QuirkWhiteoutUnchecked) {
		if t.slashes && t.how&makesDir == 0 {
			return clause.Slash
		}
		return 0
	}
	return t.creatable()
}

// atTop handles ".." in a root directory, which leads to itself, and in a directory outside the process's own root, which
// leads to that root.
func (t *trip) atTop() bool {
	switch {
	case t.dir == t.root || t.dir == t.m.root:
		return true
	case t.root != t.m.root && !t.m.isUnder(&t.p.cred, t.dir, t.root):
		t.dir = t.root
		return true
	}
	return false
}

// isUnder reports whether a directory is, as far as c may look, below another.
func (m *Model) isUnder(c *cred, dir, top *node) bool {
	for left := kern.MAXPATHLEN / 2; left > 0 || !m.has(kern.QuirkGetcwdLimit); left-- {
		switch {
		case dir == top:
			return true
		case dir == m.root, dir.parent == nil, m.may(c, dir, execute) != allowed:
			return false
		}
		dir = m.above(dir)
	}
	return true
}

// above is the directory that ".." leads to. With quirk removed-dir-create that may be a removed one that nobody uses, and
// which so is no more; what comes then is undefined.
func (m *Model) above(dir *node) *node {
	up := dir.parent
	if !up.gone || up.opens > 0 {
		return up
	}
	for i := range m.procs {
		if p := &m.procs[i]; p.here && (p.cwd == up || p.root == up) {
			return up
		}
	}
	m.undefined = true
	return m.root
}

// followLink replaces the link's name by its target.
func (t *trip) followLink() clause.Cause {
	if t.links++; t.links > kern.MAXSYMLINKS {
		return clause.Loop
	}
	target := t.found.target
	t.m.accessed(t.found)
	switch {
	case target == "":
		return clause.EmptyLink
	case len(target)+len(t.rest)+1 >= kern.MAXPATHLEN:
		return clause.LinkLong
	}
	t.buf ^= 1
	b := append(t.m.bufs[t.buf][:0], target...)
	t.rest = append(b, t.rest...)
	if target[0] == '/' {
		t.dir = t.root
		t.skipSlashes()
	}
	return 0
}
