package meta

import (
	"errors"
	"strconv"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/gen"
	"rumpvfs/proptest/model"
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

func boot(q kern.Quirks, c sim.Config, prepare func(*sim.Proc) error) func() (call.System, error) {
	c.Without = kern.Rev1125 &^ q
	return func() (call.System, error) { return target.New(c, prepare) }
}

// plain is the usual kernel.
func plain(r *Runner) (call.System, error) {
	return r.kernel("plain", boot(r.config.Quirks, sim.Config{}, nil))
}

// remembering is a kernel without the quirk that vnodes which come back have forgotten a size.
func remembering(r *Runner) (call.System, error) {
	return r.kernel("remembering", boot(r.remembering(), sim.Config{}, nil))
}

func (r *Runner) remembering() kern.Quirks { return r.config.Quirks.Without(kern.QuirkSizeForgotten) }

// fewVnodes is a kernel that wants to keep hardly any.
func fewVnodes(r *Runner) (call.System, error) {
	return r.kernel("few-vnodes", boot(r.remembering(), sim.Config{Params: map[string]string{"RUMP_NVNODES": "1"}}, nil))
}

// A recycler is a kernel that at times lets all unused vnodes go.
type recycler struct {
	*target.Kernel
	r *Runner
}

func recycling(r *Runner) (call.System, error) {
	return r.kernel("recycle", func() (call.System, error) {
		k, err := target.New(sim.Config{Without: kern.Rev1125 &^ r.remembering()}, nil)
		return &recycler{k, r}, err
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

// below mounts a tmpfs at each path, and makes the last the root of the process.
func below(paths ...string) func(*sim.Proc) error {
	return func(p *sim.Proc) error {
		return errors.Join(mounts(p, paths...), p.Chroot(paths[len(paths)-1]), p.Chdir("/"))
	}
}

func mounted(r *Runner) (call.System, error) {
	return r.kernel("mounted", boot(r.config.Quirks, sim.Config{Mode: hypercall.Deterministic}, below("/m")))
}

func mountedDeeper(r *Runner) (call.System, error) {
	return r.kernel("deeper", boot(r.config.Quirks, sim.Config{Mode: hypercall.Deterministic}, below("/m", "/m/n")))
}

// mountPoint is a kernel in which there was a directory for a while.
func mountPoint(r *Runner) (call.System, error) {
	return r.kernel("mount point", boot(r.config.Quirks, sim.Config{}, func(p *sim.Proc) error {
		return errors.Join(p.Mkdir("/m", 0o755), p.Rmdir("/m"))
	}))
}

// unmounted is a kernel that had a tmpfs with a file in it for a while.
func unmounted(r *Runner) (call.System, error) {
	return r.kernel("unmounted", boot(r.config.Quirks, sim.Config{}, func(p *sim.Proc) error {
		err := mounts(p, "/m")
		fd, e := p.Open("/m/f", kern.O_CREAT|kern.O_RDWR, 0o644)
		_, w := p.Write(fd, []byte("some data"))
		return errors.Join(err, e, w, p.Close(fd), p.Unmount("/m", 0), p.Rmdir("/m"))
	}))
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
	return r.kernel("quirk "+strconv.Itoa(i), boot(q, sim.Config{}, nil))
}

// concerns reports whether models with the usual quirks and with others answer the script differently.
func (r *Runner) concerns(q kern.Quirks) bool {
	a, b := model.New(model.Config{Quirks: r.config.Quirks}), model.New(model.Config{Quirks: q})
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
	session *replay.Session
	parser  *script.Parser
	now     uint8
	made    uint8
}

func spoken(r *Runner) (call.System, error) {
	return r.kernel("language", func() (call.System, error) {
		s := &speaker{config: sim.Config{Without: kern.Rev1125 &^ r.config.Quirks}}
		return s, s.begin()
	})
}

func (s *speaker) begin() (err error) {
	s.session, err = replay.NewSession(s.config)
	s.parser, s.now, s.made = script.NewParser("meta"), 0, 0
	return err
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
