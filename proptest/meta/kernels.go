package meta

import (
	"errors"
	"strconv"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/gen"
	"rumpvfs/proptest/target"
	"rumpvfs/sim"
	"rumpvfs/sim/replay"
	"rumpvfs/sim/script"
	"rumpvfs/tmpfs"
)

// kernel gives a kernel that the runner has by that name, or boots it.
func (r *Runner) kernel(name string, boot func() (call.System, error)) (call.System, error) {
	if k := r.kernels[name]; k != nil {
		return k, nil
	}
	k, err := boot()
	if err != nil {
		return nil, err
	}
	if r.wrap != nil {
		k = r.wrap(name, k)
	}
	r.kernels[name] = k
	return k, nil
}

// boot boots kernels as change has it, and before the file system is mounted in one does what first says.
func (r *Runner) boot(q kern.Quirks, change func(*sim.Config), first func(*sim.Proc) error) func() (call.System, error) {
	c := r.config.Kernel
	c.Without, c.Fifofs = kern.Rev1125&^q, r.config.FS.Caps.Fifos
	if change != nil {
		change(&c)
	}
	return func() (call.System, error) { return target.New(c, r.prepare(first)) }
}

// prepare does what first says, and then mounts the file system.
func (r *Runner) prepare(first func(*sim.Proc) error) func(*sim.Proc) error {
	return func(p *sim.Proc) error {
		if first != nil {
			if err := first(p); err != nil {
				return err
			}
		}
		if r.config.FS.Prepare == nil {
			return nil
		}
		return r.config.FS.Prepare(p)
	}
}

// plain is the usual kernel.
func plain(r *Runner) (call.System, error) {
	return r.kernel("plain", r.boot(r.config.Quirks, nil, nil))
}

// remembering is a kernel without the quirk that vnodes which come back have forgotten a size.
func remembering(r *Runner) (call.System, error) {
	return r.kernel("remembering", r.boot(r.remembering(), nil, nil))
}

func (r *Runner) remembering() kern.Quirks { return r.config.Quirks.Without(kern.QuirkSizeForgotten) }

// fewVnodes is a kernel that wants to keep hardly any.
func fewVnodes(r *Runner) (call.System, error) {
	return r.kernel("few-vnodes", r.boot(r.remembering(), func(c *sim.Config) { c.Params = map[string]string{"RUMP_NVNODES": "1"} }, nil))
}

// A recycler is a kernel that at times lets all unused vnodes go.
type recycler struct {
	*target.Kernel
	r *Runner
}

func recycling(r *Runner) (call.System, error) {
	return r.kernel("recycle", func() (call.System, error) {
		k, err := r.boot(r.remembering(), nil, nil)()
		if err != nil {
			return nil, err
		}
		return &recycler{k.(*target.Kernel), r}, nil
	})
}

func (k *recycler) Do(c *call.Call, res *call.Result) {
	if k.r.choices(c).Choose(3) == 0 && k.Sim.K.Dead() == nil {
		l := kern.NewLwp(k.Sim.K, nil, "recycle")
		k.Sim.V.HoldThreads(l)
		_ = k.Sim.V.DrainVnodes(l, 0) // those that are in use stay
		k.Sim.V.LetThreads(l)
		l.Exit()
	}
	k.Kernel.Do(c, res)
}

// mounts mounts a tmpfs at each path in turn.
func mounts(p *sim.Proc, paths ...string) error {
	for _, path := range paths {
		if err := p.Mkdir(path, 0o755); err != nil {
			return err
		}
		if err := p.Mount(tmpfs.MOUNT_TMPFS, path, 0, tmpfs.DefaultArgs()); err != nil {
			return err
		}
	}
	return nil
}

// below is a kernel in which a tmpfs is mounted at each path. The last is the root of the process, and the file system is mounted
// over it if it is not the root that is tested: then it is tested as it is, and not at all if there is something in it.
func (r *Runner) below(name string, paths ...string) (call.System, error) {
	if r.config.FS.Prepare != nil && !r.config.mounts() {
		return nil, nil
	}
	return r.kernel(name, r.boot(r.config.Quirks, func(c *sim.Config) { c.Mode = hypercall.Deterministic }, func(p *sim.Proc) error {
		return errors.Join(mounts(p, paths...), p.Chroot(paths[len(paths)-1]), p.Chdir("/"))
	}))
}

func mounted(r *Runner) (call.System, error) { return r.below("mounted", "/m") }

func mountedDeeper(r *Runner) (call.System, error) { return r.below("deeper", "/m", "/m/n") }

// emptyAtFirst is the usual kernel, if the file system has no files of its own whose names are known.
func emptyAtFirst(r *Runner) (call.System, error) {
	if len(r.config.FS.Tree) > 0 {
		return nil, nil
	}
	return plain(r)
}

// mountPoint is a kernel in which there was a directory for a while, and if a process has to mount on it that process.
func mountPoint(r *Runner) (call.System, error) {
	return r.kernel("mount point", r.boot(r.config.Quirks, nil, func(p *sim.Proc) error {
		err := errors.Join(p.Mkdir("/m", 0o755), p.Rmdir("/m"))
		if !r.config.mounts() {
			return err
		}
		child, e := p.Rfork(call.RforkCopy)
		return errors.Join(err, e, child.Exit())
	}))
}

// unmounted is a kernel that had the file system, or a tmpfs with a file in it, for a while.
func unmounted(r *Runner) (call.System, error) {
	use := useTmpfs
	if r.config.mounts() {
		use = r.use
	}
	return r.kernel("unmounted", r.boot(r.config.Quirks, nil, func(p *sim.Proc) error {
		return errors.Join(use(p), p.Unmount("/m", 0), p.Rmdir("/m"))
	}))
}

func useTmpfs(p *sim.Proc) error {
	err := mounts(p, "/m")
	fd, e := p.Open("/m/f", kern.O_CREAT|kern.O_RDWR, 0o644)
	_, w := p.Write(fd, []byte("some data"))
	return errors.Join(err, e, w, p.Close(fd))
}

// use mounts the file system on /m, which a process sees as its root, and has that process look at it.
func (r *Runner) use(p *sim.Proc) error {
	if err := p.Mkdir("/m", 0o755); err != nil {
		return err
	}
	child, err := p.Rfork(call.RforkCopy)
	if err != nil {
		return err
	}
	err = errors.Join(child.Chroot("/m"), child.Chdir("/"), r.config.FS.Prepare(child))
	_, e := child.Stat("/")
	return errors.Join(err, e, child.Exit())
}

// withoutQuirk is a kernel without one of the quirks, if the model says that it does not matter to the script.
func withoutQuirk(r *Runner) (call.System, error) {
	all := kern.AllQuirks()
	i := gen.NewRand(r.config.Seed, r.seed).Choose(len(all))
	q := r.config.Quirks.Without(all[i])
	if q == r.config.Quirks {
		q = q.With(all[i])
	}
	if all[i] == kern.QuirkSizeForgotten || r.concerns(q) {
		return nil, nil
	}
	return r.kernel("quirk "+strconv.Itoa(i), r.boot(q, nil, nil))
}

// concerns reports whether models with the usual quirks and with others answer the script differently.
func (r *Runner) concerns(q kern.Quirks) bool {
	a, b := r.config.FS.Model(r.config.Quirks), r.config.FS.Model(q)
	var ra, rb call.Result
	for i := range r.script {
		a.Do(&r.script[i], &ra)
		b.Do(&r.script[i], &rb)
		if !ra.Equal(&rb) {
			return true
		}
	}
	return false
}

// A speaker is a kernel that calls are written down for. Its answers are text, in Data.
type speaker struct {
	config  sim.Config
	prepare func(*sim.Proc) error
	session *replay.Session
	parser  *script.Parser
	now     uint8
	made    uint8
}

func spoken(r *Runner) (call.System, error) {
	return r.kernel("language", func() (call.System, error) {
		s := &speaker{config: r.config.Kernel, prepare: r.prepare(nil)}
		s.config.Without, s.config.Fifofs = kern.Rev1125&^r.config.Quirks, r.config.FS.Caps.Fifos
		return s, s.begin()
	})
}

func (s *speaker) begin() (err error) {
	s.parser, s.now, s.made = script.NewParser("meta"), 0, 0
	if s.session, err = replay.NewSession(s.config); err != nil {
		return err
	}
	return s.prepare(s.session.Kernel.Init())
}

func (s *speaker) Reset() error { return errors.Join(s.session.Close(), s.begin()) }
func (s *speaker) Close() error { return s.session.Close() }

func (s *speaker) Check() error {
	if s.session.Kernel.Err() != nil {
		return nil
	}
	return s.session.Kernel.Check()
}

func (s *speaker) Do(c *call.Call, r *call.Result) {
	r.Reset()
	text, err := s.say(c)
	if err != nil {
		text = "not understood: " + err.Error()
	}
	r.Data = append(r.Data, text...)
}

// say writes a call, has it read, and made.
func (s *speaker) say(c *call.Call) (string, error) {
	if c.Proc != s.now {
		if _, err := s.line("switch p" + strconv.Itoa(int(c.Proc))); err != nil {
			return "", err
		}
		s.now = c.Proc
	}
	line := c.Script()
	if c.Op == call.Rfork {
		line.Bind = "p" + strconv.Itoa(int(s.made)+1)
	}
	text, err := s.line(line.String())
	switch {
	case err != nil || text == "" || text[0] != '0' && text[0] != 'n':
	case c.Op == call.Rfork:
		s.made++
		s.now = s.made
	case c.Op == call.Exit:
		s.now = 0
	}
	return text, err
}

func (s *speaker) line(text string) (string, error) {
	l, err := s.parser.Line(text)
	if err != nil {
		return "", err
	}
	r, err := s.session.Do(l.Call)
	return r.Text, err
}
