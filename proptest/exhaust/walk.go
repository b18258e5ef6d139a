package exhaust

import (
	"bytes"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/model"
)

// A walker leads a kernel and a model through scripts.
type walker struct {
	s    *Search
	sym  symmetry
	part Part

	system  call.System
	model   *model.Model
	history []call.Call // since both began anew
	want    call.Result
	got     call.Result

	from    script
	at      []byte // the state that from leads to
	now     []byte
	key     Key       // of that state
	renames []*rename // and how it comes to that
	here    bool      // kernel and model are in that state
}

func newWalker(s *Search) (*walker, error) {
	w := &walker{s: s, sym: symmetry{renames: s.sym.renames}, model: s.config.FS.Model(s.config.Quirks)}
	var err error
	w.system, err = s.config.System()
	return w, err
}

// close ends the kernel. What it has left over is a failure of what was done last.
func (w *walker) close() error {
	if err := w.system.Close(); err != nil {
		w.fail(driver.Leftover, err)
	}
	return nil
}

// expand tries all calls in the state that a script leads to.
func (w *walker) expand(from script) error {
	w.from, w.here = from, false
	for i := range w.s.config.Calls {
		if !w.here && !w.goThere() {
			return nil
		}
		if !w.step(w.s.config.Calls[i]) {
			return nil
		}
		w.part.level.Transitions++
		w.arrived(i)
	}
	return nil
}

// goThere brings a new kernel, and the model, to the state.
func (w *walker) goThere() bool {
	w.history = w.history[:0]
	_ = w.model.Reset()
	if err := w.system.Reset(); err != nil {
		w.fail(driver.Leftover, err)
		return false
	}
	w.part.level.Booted++
	for _, c := range w.from.calls[:w.from.n] {
		if !w.step(w.s.config.Calls[c]) {
			return false
		}
	}
	w.at = w.model.AppendState(w.at[:0], nil)
	if w.s.config.Record {
		var best []*rename
		w.key, best = w.sym.key(w.model)
		w.renames = append(w.renames[:0], best...)
	}
	w.here = true
	return true
}

// step makes a call on both and reports whether they go on alike.
func (w *walker) step(c call.Call) bool {
	w.history = append(w.history, c)
	w.model.Do(&c, &w.want)
	w.system.Do(&c, &w.got)
	if w.want.Equal(&w.got) {
		return w.want.Stop == call.Running
	}
	kind := driver.Differs
	if w.got.Stop == call.Panic {
		kind = driver.Panics
	}
	w.fail(kind, nil)
	return false
}

// fail notes what is wrong after the last call of the history.
func (w *walker) fail(kind driver.Kind, err error) {
	f := &driver.Failure{Kind: kind, Index: len(w.history) - 1, Script: append([]call.Call(nil), w.history...), Err: err}
	if kind != driver.Leftover {
		f.Want, f.Got, f.Clause = w.want, w.got, w.model.Last
		f.Want.Data, f.Got.Data = bytes.Clone(w.want.Data), bytes.Clone(w.got.Data)
	} else {
		f.Index++
	}
	w.part.failures = append(w.part.failures, f)
}

// arrived looks at the state that call i has led to and goes back.
func (w *walker) arrived(i int) {
	c := w.s.config.Calls[i]
	w.now = w.model.AppendState(w.now[:0], nil)
	same := bytes.Equal(w.now, w.at)
	raw := w.s.config.Raw
	if same && !raw && !w.s.config.Record {
		return
	}
	key := w.key
	if !same || raw {
		key, _ = w.sym.key(w.model)
	}
	if w.s.config.Record {
		w.part.record = append(w.part.record, w.transition(i, key))
	}
	if _, known := w.s.seen[key]; raw || !known && !same {
		w.part.found = append(w.part.found, found{key, w.from.then(i)})
	}
	w.here = !raw && (same || w.undo(&c, w.want.Ret))
}

// undo tries to get back to the state by calls, and reports whether it worked. An answer that differs ends it, too: the
// failure is noted.
func (w *walker) undo(c *call.Call, ret int64) bool {
	for _, u := range back(c, ret) {
		if !w.step(u) {
			return false
		}
		w.now = w.model.AppendState(w.now[:0], nil)
		if bytes.Equal(w.now, w.at) {
			w.part.level.Undone++
			return true
		}
	}
	return false
}

// back are calls that may undo what a call did, to be made until the state is as it was.
func back(c *call.Call, ret int64) []call.Call {
	path := c.Path
	for len(path) > 1 && path[len(path)-1] == '/' {
		path = path[:len(path)-1]
	}
	switch c.Op {
	case call.Mkdir:
		return []call.Call{{Op: call.Rmdir, Path: path}}
	case call.Mknod:
		if c.Mode&kern.S_IFMT == kern.S_IFWHT {
			return []call.Call{{Op: call.Undelete, Path: path}}
		}
		return []call.Call{{Op: call.Unlink, Path: path}}
	case call.Symlink:
		return []call.Call{{Op: call.Unlink, Path: path}}
	case call.Link:
		return []call.Call{{Op: call.Unlink, Path: c.Path2}}
	case call.Rename:
		return []call.Call{{Op: call.Rename, Path: c.Path2, Path2: c.Path}}
	case call.Open:
		return []call.Call{{Op: call.Close, FD: int32(ret)}, {Op: call.Unlink, Path: path}}
	}
	return nil
}
