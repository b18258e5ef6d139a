package vnode

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

// lockf is a file's locks and the processes that take them.
type lockf struct {
	*toyKernel
	vp    *Vnode
	list  Lockf
	procs []*kern.Lwp // an lwp of each process
}

func newLockf(tb testing.TB, hc hypercall.Config, procs int) *lockf {
	t := &lockf{toyKernel: newToyKernel(tb, hc, Config{Stepped: true})}
	tb.Cleanup(t.end)
	t.vp = t.find(1)
	tb.Cleanup(func() {
		if t.k.Dead() == nil {
			t.vp.Rele(t.l)
		}
	})
	for range procs {
		t.procs = append(t.procs, t.process(kern.RootCred()))
	}
	tb.Cleanup(func() {
		for _, l := range t.procs {
			l.Exit()
		}
	})
	return t
}

// process makes a process that lasts as long as the test does.
func (t *lockf) process(cred *kern.Cred) *kern.Lwp {
	p := kern.NewProc(t.k, cred)
	return kern.NewLwp(t.k, p, fmt.Sprint("pid", p.Pid))
}

// posix does an operation for the process of l.
func (t *lockf) posix(l *kern.Lwp, op, flags int, fl kern.Flock) error {
	return t.list.Advlock(l, t.vp, l.Proc, op, &fl, kern.F_POSIX|flags, 100)
}

func (t *lockf) flock(l *kern.Lwp, id any, kind int16, flags int) error {
	op := kern.F_SETLK
	if kind == kern.F_UNLCK {
		op = kern.F_UNLCK
	}
	return t.list.Advlock(l, t.vp, id, op, &kern.Flock{Type: kind}, kern.F_FLOCK|flags, 100)
}

// at is a lock of n bytes from start on.
func at(kind int16, start, n int64) kern.Flock { return kern.Flock{Type: kind, Start: start, Len: n} }

func kindName(kind int16) string {
	return map[int16]string{kern.F_RDLCK: "r", kern.F_WRLCK: "w", kern.F_UNLCK: "u"}[kind]
}

// String tells the list: owner, kind and range of each lock.
func (t *lockf) String() string {
	var s []string
	for lk := t.list.head; lk != nil; lk = lk.next {
		s = append(s, t.tell(lk))
	}
	return strings.Join(s, " ")
}

func (t *lockf) tell(lk *lock) string {
	who := fmt.Sprint(lk.id)
	if p, ok := lk.id.(*kern.Proc); ok {
		who = fmt.Sprint(slices.IndexFunc(t.procs, func(l *kern.Lwp) bool { return l.Proc == p }))
	}
	end := fmt.Sprint(lk.end)
	if lk.end == lockEOF {
		end = ""
	}
	return fmt.Sprintf("%s:%s%d-%s", who, kindName(lk.kind), lk.start, end)
}

// account checks that every lock of the list is on the account of its user,
// and nothing else.
func (t *lockf) account(fail func(string, ...any)) {
	want := map[uint32]int{}
	for lk := t.list.head; lk != nil; lk = lk.next {
		want[lk.uid]++
	}
	ls := t.sys.lockfs(t.l)
	if len(want) != len(ls.count) {
		fail("accounts %v, want %v", ls.count, want)
	}
	for uid, n := range want {
		if ls.count[uid] != n {
			fail("accounts %v, want %v", ls.count, want)
		}
	}
	if len(ls.waiting) != 0 {
		fail("%d processes wait", len(ls.waiting))
	}
}

func TestLockRange(t *testing.T) {
	const size = 100
	for _, c := range []struct {
		fl         kern.Flock
		start, end int64
		err        error
	}{
		{kern.Flock{Start: 3, Len: 4}, 3, 6, nil},
		{kern.Flock{Start: 3, Whence: kern.SEEK_CUR, Len: 4}, 3, 6, nil},
		{kern.Flock{Start: 3}, 3, lockEOF, nil},
		{kern.Flock{Start: -1, Whence: kern.SEEK_END, Len: 1}, 99, 99, nil},
		{kern.Flock{Start: 10, Len: -10}, 0, 9, nil},
		{kern.Flock{Start: 10, Len: -1}, 9, 9, nil},
		{kern.Flock{Start: 10, Len: -11}, 0, 0, kern.EINVAL},
		{kern.Flock{Start: -1, Len: 4}, 0, 0, kern.EINVAL},
		{kern.Flock{Start: -101, Whence: kern.SEEK_END}, 0, 0, kern.EINVAL},
		{kern.Flock{Whence: 3}, 0, 0, kern.EINVAL},
		{kern.Flock{Start: 0, Len: math.MaxInt64}, 0, math.MaxInt64 - 1, nil},
		{kern.Flock{Start: 2, Len: math.MaxInt64}, 2, math.MinInt64, nil}, // wraps around
	} {
		start, end, err := lockRange(&c.fl, size)
		if start != c.start || end != c.end || err != c.err {
			t.Errorf("%+v: %d-%d %v, want %d-%d %v", c.fl, start, end, err, c.start, c.end, c.err)
		}
	}
}

// TestLockListOrder tells step by step what the list looks like. F_GETLK
// names the first conflict in it, so users see its order.
func TestLockListOrder(t *testing.T) {
	const r, w, u = kern.F_RDLCK, kern.F_WRLCK, kern.F_UNLCK
	type step struct {
		proc     int
		fl       kern.Flock
		want     string
		conflict bool
	}
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"locks of one owner are sorted, of several in order of arrival", []step{
			{0, at(r, 20, 5), "0:r20-24", false},
			{1, at(r, 0, 5), "0:r20-24 1:r0-4", false},
			{0, at(r, 0, 5), "0:r0-4 0:r20-24 1:r0-4", false},
			{1, at(r, 30, 0), "0:r0-4 0:r20-24 1:r0-4 1:r30-", false},
			{0, at(r, 10, 2), "0:r0-4 0:r10-11 0:r20-24 1:r0-4 1:r30-", false},
			{0, at(r, 30, 2), "0:r0-4 0:r10-11 0:r20-24 1:r0-4 1:r30- 0:r30-31", false},
		}},
		{"neighbours are not joined", []step{
			{0, at(w, 0, 5), "0:w0-4", false},
			{0, at(w, 5, 5), "0:w0-4 0:w5-9", false},
		}},
		{"the same range", []step{
			{0, at(w, 0, 5), "0:w0-4", false},
			{0, at(r, 0, 5), "0:r0-4", false},
			{0, at(r, 0, 5), "0:r0-4", false},
			{1, at(r, 0, 5), "0:r0-4 1:r0-4", false},
			{0, at(w, 0, 5), "0:r0-4 1:r0-4", true},
		}},
		{"within a lock", []step{
			{0, at(w, 0, 10), "0:w0-9", false},
			{0, at(w, 3, 3), "0:w0-9", false},
			{0, at(r, 0, 2), "0:r0-1 0:w2-9", false},
			{0, at(r, 8, 2), "0:r0-1 0:w2-7 0:r8-9", false},
			{0, at(r, 4, 2), "0:r0-1 0:w2-3 0:r4-5 0:w6-7 0:r8-9", false},
		}},
		{"over several locks", []step{
			{0, at(r, 0, 4), "0:r0-3", false},
			{1, at(r, 1, 1), "0:r0-3 1:r1-1", false},
			{0, at(r, 6, 2), "0:r0-3 1:r1-1 0:r6-7", false},
			{0, at(r, 9, 4), "0:r0-3 1:r1-1 0:r6-7 0:r9-12", false},
			{0, at(w, 2, 9), "0:r0-1 0:w2-10 1:r1-1 0:r11-12", false},
			{0, at(w, 0, 0), "0:r0-1 0:w2-10 1:r1-1 0:r11-12", true},
			{1, at(u, 0, 0), "0:r0-1 0:w2-10 0:r11-12", false},
			{0, at(w, 0, 0), "0:w0-", false},
		}},
		{"a lock that begins after its start", []step{
			{0, at(r, 10, 10), "0:r10-19", false},
			{1, at(r, 0, 1), "0:r10-19 1:r0-0", false},
			{0, at(w, 5, 10), "0:w5-14 0:r15-19 1:r0-0", false},
		}},
		{"unlocking", []step{
			{0, at(w, 0, 0), "0:w0-", false},
			{0, at(u, 0, 2), "0:w2-", false},
			{0, at(u, 10, 5), "0:w2-9 0:w15-", false},
			{0, at(u, 5, 12), "0:w2-4 0:w17-", false},
			{0, at(u, 4, 1), "0:w2-3 0:w17-", false},
			{1, at(u, 0, 0), "0:w2-3 0:w17-", false},
			{0, at(u, 20, 0), "0:w2-3 0:w17-19", false},
			{0, at(u, 3, 0), "0:w2-2", false},
			{0, at(u, 2, 1), "", false},
			{0, at(u, 2, 1), "", false},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newLockf(t, hypercall.Config{}, 2)
			for i, s := range c.steps {
				op := kern.F_SETLK
				if s.fl.Type == u {
					op = kern.F_UNLCK
				}
				err := k.posix(k.procs[s.proc], op, 0, s.fl)
				if conflict := err == kern.EAGAIN; conflict != s.conflict || err != nil && !conflict {
					t.Fatalf("step %d: %v", i, err)
				}
				if got := k.String(); got != s.want {
					t.Fatalf("step %d: %s, want %s", i, got, s.want)
				}
				k.account(t.Fatalf)
			}
		})
	}
}

// held is a lock of the model; end is math.MaxInt64 for a lock without.
type held struct {
	owner      int
	kind       int16
	start, end int64
}

// lockModel is the list as a slice that every operation goes through once,
// and beside it who has which byte: the last one stands for all beyond.
type lockModel struct {
	list  []held
	bytes [modelOwners][modelBytes]int16
}

const (
	modelOwners = 4
	modelBytes  = 24
)

func (m *lockModel) conflict(req held) *held {
	for i, h := range m.list {
		if h.owner != req.owner && h.start <= req.end && req.start <= h.end && (h.kind == kern.F_WRLCK || req.kind == kern.F_WRLCK) {
			return &m.list[i]
		}
	}
	return nil
}

// change gives the bytes of req to its owner, or with F_UNLCK takes them.
func (m *lockModel) change(req held) {
	set := req.kind != kern.F_UNLCK
	if set && slices.ContainsFunc(m.list, func(h held) bool {
		// Within a lock without an end one without an end is new.
		return h.owner == req.owner && h.kind == req.kind && h.start <= req.start && req.end <= h.end &&
			(req.end != math.MaxInt64 || h == req)
	}) {
		return
	}
	var out []held
	place := func() {
		if set {
			out, set = append(out, req), false
		}
	}
	for _, h := range m.list {
		if h.owner != req.owner || h.end < req.start {
			out = append(out, h)
			continue
		}
		left, right := h, h
		left.end, right.start = min(h.end, req.start-1), max(h.start, req.end+1)
		if left.start <= left.end {
			out = append(out, left)
		}
		place()
		if req.end != math.MaxInt64 && right.start <= right.end {
			out = append(out, right)
		}
	}
	place()
	m.list = out
	for b := req.start; b < modelBytes && b <= req.end; b++ {
		m.bytes[req.owner][b] = req.kind
	}
}

// mayHave reports whether nobody else's bytes stand in the way.
func (m *lockModel) mayHave(req held) bool {
	for o := range m.bytes {
		for b := req.start; b < modelBytes && b <= req.end && o != req.owner; b++ {
			have := m.bytes[o][b]
			if have == kern.F_WRLCK || have == kern.F_RDLCK && req.kind == kern.F_WRLCK {
				return false
			}
		}
	}
	return true
}

func TestLockModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := &lockf{toyKernel: newToyKernel(panicTB{}, hypercall.Config{}, Config{Stepped: true})}
		defer k.end()
		k.vp = k.find(1)
		defer func() { k.vp.Rele(k.l) }()
		for i := range modelOwners - 1 {
			l := k.process(&kern.Cred{EUID: uint32(i)})
			k.procs = append(k.procs, l)
			defer l.Exit()
		}
		m := &lockModel{}
		r := &lockRun{lockf: k, m: m}
		t.Repeat(map[string]func(*rapid.T){
			"set":   func(t *rapid.T) { r.set(t) },
			"clear": func(t *rapid.T) { r.clear(t) },
			"get":   func(t *rapid.T) { r.get(t) },
			"":      func(t *rapid.T) { r.compare(t) },
		})
		for o := range modelOwners {
			id, flags, l := r.owner(o)
			if err := k.list.Advlock(l, k.vp, id, kern.F_UNLCK, &kern.Flock{Type: kern.F_UNLCK}, flags, 0); err != nil {
				t.Fatal(err)
			}
		}
		if k.list.head != nil {
			t.Fatalf("left: %v", k)
		}
		k.account(t.Fatalf)
	})
}

// panicTB is what a kernel within a rapid check reports to.
type panicTB struct{ testing.TB }

func (panicTB) Helper()                        {}
func (panicTB) Failed() bool                   { return false }
func (panicTB) Errorf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }
func (panicTB) Fatalf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }

type lockRun struct {
	*lockf
	m *lockModel
}

// owner returns an owner: the last one is an open file, the others are
// processes.
func (r *lockRun) owner(o int) (id any, flags int, l *kern.Lwp) {
	if o == modelOwners-1 {
		return "file", kern.F_FLOCK, r.procs[0]
	}
	return r.procs[o].Proc, kern.F_POSIX, r.procs[o]
}

// request draws a request, and how it is said.
func (r *lockRun) request(t *rapid.T, kinds ...int16) (req held, fl kern.Flock, size int64) {
	req.owner = rapid.IntRange(0, modelOwners-1).Draw(t, "owner")
	req.kind = rapid.SampledFrom(kinds).Draw(t, "kind")
	req.end = math.MaxInt64
	if req.owner < modelOwners-1 {
		req.start = rapid.Int64Range(0, modelBytes-2).Draw(t, "start")
		if rapid.Bool().Draw(t, "bounded") {
			req.end = rapid.Int64Range(req.start, modelBytes-2).Draw(t, "end")
		}
	}
	fl = kern.Flock{Type: req.kind, Start: req.start}
	if req.end != math.MaxInt64 {
		fl.Len = req.end - req.start + 1
		if rapid.Bool().Draw(t, "backwards") {
			fl.Start, fl.Len = req.end+1, -fl.Len
		}
	}
	if rapid.Bool().Draw(t, "from the end") {
		size = rapid.Int64Range(0, 30).Draw(t, "size")
		fl.Whence, fl.Start = kern.SEEK_END, fl.Start-size
	}
	return req, fl, size
}

func (r *lockRun) set(t *rapid.T) {
	req, fl, size := r.request(t, kern.F_RDLCK, kern.F_WRLCK)
	id, flags, l := r.owner(req.owner)
	may := r.m.mayHave(req)
	if may != (r.m.conflict(req) == nil) {
		t.Fatalf("the model is at odds with itself about %+v", req)
	}
	err := r.list.Advlock(l, r.vp, id, kern.F_SETLK, &fl, flags, size)
	if may {
		r.m.change(req)
		if err != nil {
			t.Fatalf("%+v: %v", req, err)
		}
	} else if err != kern.EAGAIN {
		t.Fatalf("%+v: %v, want EAGAIN", req, err)
	}
}

func (r *lockRun) clear(t *rapid.T) {
	req, fl, size := r.request(t, kern.F_UNLCK)
	id, flags, l := r.owner(req.owner)
	if err := r.list.Advlock(l, r.vp, id, kern.F_UNLCK, &fl, flags, size); err != nil {
		t.Fatal(err)
	}
	r.m.change(req)
}

func (r *lockRun) get(t *rapid.T) {
	req, fl, size := r.request(t, kern.F_RDLCK, kern.F_WRLCK)
	id, flags, l := r.owner(req.owner)
	asked := fl
	if err := r.list.Advlock(l, r.vp, id, kern.F_GETLK, &fl, flags, size); err != nil {
		t.Fatal(err)
	}
	c := r.m.conflict(req)
	if c == nil {
		asked.Type = kern.F_UNLCK
		if fl != asked {
			t.Fatalf("%+v: %+v, want %+v", req, fl, asked)
		}
		return
	}
	want := kern.Flock{Type: c.kind, Start: c.start, Pid: -1}
	if c.end != math.MaxInt64 {
		want.Len = c.end - c.start + 1
	}
	if p, ok := func() (*kern.Proc, bool) { id, _, _ := r.owner(c.owner); p, ok := id.(*kern.Proc); return p, ok }(); ok {
		want.Pid = p.Pid
	}
	if fl != want {
		t.Fatalf("%+v: %+v, want %+v", req, fl, want)
	}
}

func (r *lockRun) compare(t *rapid.T) {
	i := 0
	for lk := r.list.head; lk != nil; lk = lk.next {
		if i == len(r.m.list) {
			t.Fatalf("list %v, want %v", r, r.m.list)
		}
		want, end := r.m.list[i], lk.end
		if end == lockEOF {
			end = math.MaxInt64
		}
		id, _, _ := r.owner(want.owner)
		if lk.id != id || lk.kind != want.kind || lk.start != want.start || end != want.end {
			t.Fatalf("lock %d of %v, want %v", i, r, r.m.list)
		}
		i++
	}
	if i != len(r.m.list) {
		t.Fatalf("list %v, want %v", r, r.m.list)
	}
	r.account(t.Fatalf)
}

// TestLockErrors has what is refused before a lock is looked at.
func TestLockErrors(t *testing.T) {
	k := newLockf(t, hypercall.Config{}, 2)
	l := k.procs[0]
	if err := k.posix(l, kern.F_SETLKW, 0, at(kern.F_RDLCK, 0, 1)); err != kern.EINVAL {
		t.Errorf("operation F_SETLKW: %v", err)
	}
	if err := k.posix(l, kern.F_SETLK, 0, at(kern.F_RDLCK, -1, 1)); err != kern.EINVAL {
		t.Errorf("negative start: %v", err)
	}
	fl := at(kern.F_WRLCK, 5, 6)
	if err := k.list.Advlock(l, k.vp, l.Proc, kern.F_GETLK, &fl, kern.F_POSIX, 0); err != nil || fl != at(kern.F_UNLCK, 5, 6) {
		t.Errorf("F_GETLK of no locks: %+v, %v", fl, err)
	}
	if p := panicOf(func() {
		_ = k.list.Advlock(l, k.vp, k.procs[1].Proc, kern.F_SETLK, &fl, kern.F_POSIX, 0)
	}); p == nil || !strings.Contains(p.Msg, "curproc") {
		t.Errorf("a lock for somebody else: %v", p)
	}
	k.account(t.Errorf)
}

// panicOf returns the kernel panic that f ends in, if it does.
func panicOf(f func()) (p *kern.Panic) {
	defer func() {
		if r := recover(); r != nil {
			p, _ = r.(*kern.Panic)
		}
	}()
	f()
	return nil
}

// TestLockWrapsAround: a range beyond the largest offset excludes nobody and
// stays for ever.
func TestLockWrapsAround(t *testing.T) {
	k := newLockf(t, hypercall.Config{}, 2)
	a, b := k.procs[0], k.procs[1]
	beyond := at(kern.F_WRLCK, 2, math.MaxInt64)
	if err := errors.Join(k.posix(a, kern.F_SETLK, 0, beyond), k.posix(b, kern.F_SETLK, 0, at(kern.F_WRLCK, 0, 0))); err != nil {
		t.Fatal(err)
	}
	_ = k.posix(a, kern.F_UNLCK, 0, at(kern.F_UNLCK, 0, 0))
	if got, want := k.String(), fmt.Sprintf("0:w2-%d 1:w0-", math.MinInt64); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestLocksPerUser: only so many for a user who is not root.
func TestLocksPerUser(t *testing.T) {
	k := newLockf(t, hypercall.Config{}, 1)
	user := k.process(&kern.Cred{EUID: 7})
	other := k.process(&kern.Cred{EUID: 8})
	k.procs = append(k.procs, user, other)
	n := 0
	for ; ; n++ {
		err := k.posix(user, kern.F_SETLK, 0, at(kern.F_RDLCK, int64(n)*10, 9))
		if err == kern.ENOMEM {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if n != maxLocksPerUID-1 { // each operation sets one aside
		t.Errorf("%d byte-range locks", n)
	}
	if err := k.flock(user, "file", kern.F_RDLCK, 0); err != nil {
		t.Errorf("the last lock, an flock: %v", err)
	}
	if err := k.flock(user, "file 2", kern.F_RDLCK, 0); err != kern.ENOMEM {
		t.Errorf("one flock more: %v", err)
	}
	fl := at(kern.F_WRLCK, 3, 1)
	if err := k.list.Advlock(user, k.vp, user.Proc, kern.F_GETLK, &fl, kern.F_POSIX, 0); err != nil || fl.Pid != -1 {
		t.Errorf("asking is free: %+v, %v", fl, err)
	}
	// Unlocking the middle of locks makes more of them, up to twice as many.
	splits := 0
	for ; k.posix(user, kern.F_UNLCK, 0, at(kern.F_UNLCK, int64(splits)*10+4, 1)) == nil; splits++ {
	}
	if splits != maxLocksPerUID-1 {
		t.Errorf("%d splits", splits)
	}
	if err := k.posix(user, kern.F_UNLCK, 0, at(kern.F_UNLCK, 6, 0)); err != nil {
		t.Errorf("unlocking up to the end: %v", err)
	}
	for i := range int64(2 * maxLocksPerUID) {
		if err := k.posix(k.procs[0], kern.F_SETLK, 0, at(kern.F_RDLCK, i*10, 5)); err != nil {
			t.Fatalf("root's lock %d: %v", i, err)
		}
	}
	if err := k.posix(other, kern.F_SETLK, 0, at(kern.F_RDLCK, 1, 1)); err != nil {
		t.Errorf("another user: %v", err)
	}
	k.account(t.Errorf)
}

// waiting are lwps that do blocking things to the locks in a deterministic
// kernel.
type waiting struct {
	*lockf
	log []string
}

func newWaiting(t *testing.T, hc hypercall.Config, procs int) *waiting {
	hc.Mode = hypercall.Deterministic
	return &waiting{lockf: newLockf(t, hc, procs)}
}

// start lets a new process (number i) do f in an lwp of its own, and notes what came of
// it.
func (w *waiting) start(name string, f func(l *kern.Lwp) error) *kern.Proc {
	p := kern.NewProc(w.k, kern.RootCred())
	w.startLwp(p, name, f)
	return p
}

func (w *waiting) startLwp(p *kern.Proc, name string, f func(l *kern.Lwp) error) {
	kern.StartLwp(w.k, p, name, func(l *kern.Lwp) {
		s := name
		if err := f(l); err != nil {
			s += ":" + err.(kern.Errno).Name()
		}
		w.log = append(w.log, s)
	})
}

// told runs everybody until nobody can and returns what is noted since.
func (w *waiting) told() string {
	w.k.Sys.Run()
	s := strings.Join(w.log, " ")
	w.log = nil
	return s
}

// set and wait for a range, exclusively.
func (w *waiting) wants(start, n int64) func(*kern.Lwp) error {
	return func(l *kern.Lwp) error { return w.posix(l, kern.F_SETLK, kern.F_WAIT, at(kern.F_WRLCK, start, n)) }
}

func (w *waiting) unlock(l *kern.Lwp, start, n int64) {
	w.tb.Helper()
	if err := w.posix(l, kern.F_UNLCK, 0, at(kern.F_UNLCK, start, n)); err != nil {
		w.tb.Fatal(err)
	}
}

// TestLockWait: what a waiter waits for may shrink, grow into another lock or
// change its kind.
func TestLockWait(t *testing.T) {
	w := newWaiting(t, hypercall.Config{}, 1)
	me := w.procs[0]
	must := func(kind int16, start, n int64) {
		t.Helper()
		if err := w.posix(me, kern.F_SETLK, 0, at(kind, start, n)); err != nil {
			t.Fatal(err)
		}
	}
	must(kern.F_WRLCK, 0, 10)
	w.start("low", w.wants(0, 5))
	w.start("high", w.wants(5, 5))
	w.want("both wait", w.told(), "")
	w.unlock(me, 5, 5)
	w.want("half is unlocked", w.told(), "high")
	w.unlock(me, 0, 1)
	w.want("not enough", w.told(), "")
	must(kern.F_RDLCK, 1, 9-5) // downgraded
	w.want("shared is not enough", w.told(), "")
	must(kern.F_RDLCK, 0, 5) // takes over the one that low waits for
	w.want("taken over", w.told(), "")
	w.unlock(me, 0, 0)
	w.want("unlocked", w.told(), "low")

	must(kern.F_WRLCK, 100, 10)
	w.start("reader", func(l *kern.Lwp) error {
		return w.posix(l, kern.F_SETLK, kern.F_WAIT, at(kern.F_RDLCK, 105, 1))
	})
	w.want("the reader waits", w.told(), "")
	must(kern.F_WRLCK, 104, 3) // the same kind within: nothing happens
	w.want("the same kind", w.told(), "")
	must(kern.F_WRLCK, 90, 30) // a larger lock inherits the waiter
	w.want("inherited", w.told(), "")
	must(kern.F_RDLCK, 95, 20) // split: the middle is shared now
	w.want("downgraded", w.told(), "reader")

	w.start("writer", w.wants(96, 1))
	w.want("the writer waits", w.told(), "")
	must(kern.F_WRLCK, 96, 4)
	w.want("upgraded", w.told(), "")
	must(kern.F_RDLCK, 90, 8) // of the exclusive lock a part is shared
	w.want("still shared", w.told(), "")
	w.unlock(me, 0, 0)
	w.want("all unlocked", w.told(), "writer")
}

// TestLockWakeOrder: whoever waits for a lock gets it, one after the other;
// with a scheduler that knows no better, in the order of arrival.
func TestLockWakeOrder(t *testing.T) {
	const waiters = 5
	orders := map[string]int{}
	for seed := range uint64(200) {
		hc := hypercall.Config{Seed: seed}
		if seed == 0 {
			hc.Pick = func(int) int { return 0 }
		}
		w := newWaiting(t, hc, 1)
		me := w.procs[0]
		inside := 0
		if err := w.posix(me, kern.F_SETLK, 0, at(kern.F_WRLCK, 0, 1)); err != nil {
			t.Fatal(err)
		}
		for i := range waiters {
			w.start(fmt.Sprint(i), func(l *kern.Lwp) error {
				if err := w.wants(0, 0)(l); err != nil {
					return err
				}
				inside++
				l.Point()
				if inside != 1 {
					t.Errorf("seed %d: %d hold the lock", seed, inside)
				}
				inside--
				return w.posix(l, kern.F_UNLCK, 0, at(kern.F_UNLCK, 0, 0))
			})
			if got := w.told(); got != "" {
				t.Fatalf("seed %d: %s does not wait", seed, got)
			}
		}
		w.unlock(me, 0, 0)
		got := w.told()
		orders[got]++
		if seed == 0 && got != "0 1 2 3 4" {
			t.Errorf("order %s", got)
		}
		if len(strings.Fields(got)) != waiters || strings.Contains(got, ":") {
			t.Errorf("seed %d: %s", seed, got)
		}
		w.account(t.Errorf)
	}
	if len(orders) < 20 {
		t.Errorf("200 seeds gave only %d orders", len(orders))
	}
}

func TestLockDeadlock(t *testing.T) {
	deadlocks := 0
	for seed := range uint64(100) {
		w := newWaiting(t, hypercall.Config{Seed: seed}, 0)
		// Each takes a byte, then the next one's; the last closes the circle.
		const circle = 3
		for i := range int64(circle) {
			w.start(fmt.Sprint(i), func(l *kern.Lwp) error {
				if err := w.wants(i, 1)(l); err != nil {
					return err
				}
				err := w.wants((i+1)%circle, 1)(l)
				_ = w.posix(l, kern.F_UNLCK, 0, at(kern.F_UNLCK, 0, 0))
				return err
			})
		}
		got := w.told()
		n := strings.Count(got, "EDEADLK")
		if n > 1 || len(strings.Fields(got)) != circle || w.list.head != nil {
			t.Fatalf("seed %d: %s, left: %v", seed, got, w)
		}
		deadlocks += n
		w.account(t.Errorf)
	}
	if deadlocks == 0 {
		t.Error("no seed led to a deadlock")
	}
}

// TestLockDeadlockTwoLwps: in a process of two lwps the other one may still
// unlock, so nothing is said against waiting.
func TestLockDeadlockTwoLwps(t *testing.T) {
	w := newWaiting(t, hypercall.Config{}, 1)
	me := w.procs[0]
	if err := w.wants(0, 1)(me); err != nil {
		t.Fatal(err)
	}
	var idle kern.CV
	var m kern.Mutex
	idle.Init(w.k.Sys, "idle")
	p := w.start("waits", func(l *kern.Lwp) error {
		if err := w.wants(1, 1)(l); err != nil {
			return err
		}
		return w.wants(0, 1)(l)
	})
	w.startLwp(p, "idles", func(l *kern.Lwp) error {
		m.Enter(l)
		idle.Wait(l, &m)
		m.Exit(l)
		return nil
	})
	w.startLwp(p, "waits too", w.wants(0, 1))
	w.want("all wait", w.told(), "")
	if err := w.posix(me, kern.F_SETLK, kern.F_WAIT|kern.F_POSIX, at(kern.F_WRLCK, 5, 1)); err != nil {
		t.Fatal(err)
	}
	// The process has three lwps, of which two wait.
	if ls := w.sys.lockfs(me); ls.deadlock(me, w.list.head.blocked[0].next) || len(ls.waiting[p]) != 2 {
		t.Errorf("a deadlock, or %d waiters", len(ls.waiting[p]))
	}
	other := &lock{id: p}
	if w.sys.lockfs(me).deadlock(me, other) {
		t.Error("with three lwps waiting is a deadlock")
	}
	w.unlock(me, 0, 1)
	if got := w.told(); got != "waits waits too" && got != "waits too waits" {
		t.Errorf("unlocked: %q", got)
	}
	idle.Broadcast(me)
	w.want("the idle one", w.told(), "idles")
	w.account(t.Errorf)
}

// TestLockDeadlockLastLwp: when the others have ended, the lwp that is left
// is followed again.
func TestLockDeadlockLastLwp(t *testing.T) {
	w := newWaiting(t, hypercall.Config{Pick: func(int) int { return 0 }}, 1)
	me := w.procs[0]
	if err := errors.Join(w.wants(0, 1)(me), w.wants(1, 1)(me)); err != nil {
		t.Fatal(err)
	}
	p := w.start("first", w.wants(0, 1))
	w.startLwp(p, "second", w.wants(1, 1))
	w.want("both wait", w.told(), "")
	w.unlock(me, 1, 1)
	w.want("one gets it", w.told(), "second")
	if err := w.wants(1, 1)(me); err != kern.EDEADLK {
		t.Errorf("%v, want EDEADLK", err)
	}
	w.unlock(me, 0, 0)
	w.want("the other", w.told(), "first")
	w.account(t.Errorf)
}

// TestLockDeadlockDepth: a chain of 50 waiting processes is taken for a
// circle, one of 49 is not.
func TestLockDeadlockDepth(t *testing.T) {
	for _, c := range []struct {
		chain int
		want  string
	}{{48, ""}, {49, "last:EDEADLK"}} {
		w := newWaiting(t, hypercall.Config{Pick: func(int) int { return 0 }}, 1)
		me := w.procs[0]
		if err := w.wants(0, 1)(me); err != nil {
			t.Fatal(err)
		}
		for i := range int64(c.chain) {
			w.start(fmt.Sprint(i), func(l *kern.Lwp) error {
				return errors.Join(w.wants(i+1, 1)(l), w.wants(i, 1)(l), w.posix(l, kern.F_UNLCK, 0, at(kern.F_UNLCK, 0, 0)))
			})
			w.want("the chain grows", w.told(), "")
		}
		w.start("last", w.wants(int64(c.chain), 1))
		w.want(fmt.Sprintf("a chain of %d", c.chain), w.told(), c.want)
		w.unlock(me, 0, 1)
		if got := len(strings.Fields(w.told())); got != c.chain+1-len(strings.Fields(c.want)) {
			t.Errorf("%d of a chain of %d came through", got, c.chain)
		}
		w.account(t.Errorf)
	}
}

// TestFlockUpgrade: two who share a file and both want it for themselves: an
// upgrade gives up what it has before it waits.
func TestFlockUpgrade(t *testing.T) {
	for seed := range uint64(50) {
		w := newWaiting(t, hypercall.Config{Seed: seed}, 1)
		me := w.procs[0]
		for _, file := range []string{"a", "b"} {
			if err := w.flock(me, file, kern.F_RDLCK, 0); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.flock(me, "a", kern.F_WRLCK, 0); err != kern.EAGAIN {
			t.Fatalf("without waiting: %v", err)
		}
		w.want("nothing is lost by asking", w.String(), "a:r0- b:r0-")
		w.start("a", func(l *kern.Lwp) error { return w.flock(l, "a", kern.F_WRLCK, kern.F_WAIT) })
		w.want("a waits", w.told(), "")
		w.want("and has given up", w.String(), "b:r0-")
		w.start("b", func(l *kern.Lwp) error { return w.flock(l, "b", kern.F_WRLCK, kern.F_WAIT) })
		switch got := w.told(); got {
		case "b": // b was quicker than a: a waits for it now
			w.want("who has it", w.String(), "b:w0-")
			_ = w.flock(me, "b", kern.F_UNLCK, 0)
			w.want("then a", w.told(), "a")
		default:
			t.Fatalf("seed %d: %q %v", seed, got, w)
		}
		if err := w.flock(me, "c", kern.F_RDLCK, 0); err != kern.EAGAIN {
			t.Errorf("c: %v", err)
		}
		_ = w.flock(me, "a", kern.F_UNLCK, 0)
		w.account(t.Errorf)
	}
}

// TestFlockAndPosix: the two kinds exclude each other, and a chain that leads
// to an flock is no deadlock.
func TestFlockAndPosix(t *testing.T) {
	w := newWaiting(t, hypercall.Config{}, 1)
	me := w.procs[0]
	if err := w.flock(me, "f", kern.F_WRLCK, 0); err != nil {
		t.Fatal(err)
	}
	if err := w.posix(me, kern.F_SETLK, 0, at(kern.F_RDLCK, 0, 1)); err != kern.EAGAIN {
		t.Errorf("an own flock and a byte range: %v", err)
	}
	var list2 Lockf
	set2 := func(l *kern.Lwp, flags int) error {
		return list2.Advlock(l, w.vp, l.Proc, kern.F_SETLK, &kern.Flock{Type: kern.F_WRLCK}, kern.F_POSIX|flags, 0)
	}
	w.start("p", func(l *kern.Lwp) error {
		if err := set2(l, 0); err != nil {
			return err
		}
		return w.wants(0, 1)(l) // for the flock of somebody who waits for p
	})
	w.want("p waits", w.told(), "")
	q := w.start("q", func(l *kern.Lwp) error { return set2(l, kern.F_WAIT) })
	w.want("both wait", w.told(), "")
	if n := w.sys.lockfs(me).count[0]; n != 2+2*2 {
		t.Errorf("%d locks on the account, each waiting byte range is two", n)
	}
	_ = w.flock(me, "f", kern.F_UNLCK, 0)
	w.want("p", w.told(), "p")
	if list2.head.blocked[0].id != q {
		t.Error("q does not wait for p")
	}
	w.k.Sys.Shutdown()
	w.k.Die(hypercall.Killed{})
}

// TestLockWaiterDies: a kernel that stops takes those who wait along.
func TestLockWaiterDies(t *testing.T) {
	w := newWaiting(t, hypercall.Config{}, 1)
	if err := w.wants(0, 1)(w.procs[0]); err != nil {
		t.Fatal(err)
	}
	w.start("waits", w.wants(0, 1))
	w.want("it waits", w.told(), "")
	if left := w.k.Sys.Shutdown(); len(left) != 1 || left[0] != "waits" || w.k.Sys.Stopped() != nil {
		t.Errorf("left %v, stopped %v", left, w.k.Sys.Stopped())
	}
	w.k.Die(hypercall.Killed{})
}

// BenchmarkAdvlock takes and gives back a lock while others are held.
func BenchmarkAdvlock(b *testing.B) {
	for _, held := range []int64{0, 1, 10, 100, 1000} {
		b.Run(fmt.Sprint(held), func(b *testing.B) {
			k := newLockf(b, hypercall.Config{}, 1)
			l := k.procs[0]
			for i := range held {
				if err := k.posix(l, kern.F_SETLK, 0, at(kern.F_WRLCK, i*10, 5)); err != nil {
					b.Fatal(err)
				}
			}
			id := any(l.Proc)
			b.ReportAllocs()
			for b.Loop() {
				fl := at(kern.F_WRLCK, held*10, 5)
				if err := k.list.Advlock(l, k.vp, id, kern.F_SETLK, &fl, kern.F_POSIX, 0); err != nil {
					b.Fatal(err)
				}
				fl.Type = kern.F_UNLCK
				if err := k.list.Advlock(l, k.vp, id, kern.F_UNLCK, &fl, kern.F_POSIX, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
