package replay

import (
	"errors"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/sim/script"
)

// A run is what came of a section on a host that fails.
type run struct {
	results []string
	stop    error // why the kernel stopped, or nil
	host    *hypercall.FaultHost
}

// failing makes the calls of a section on a host that has a fault. Nothing may
// be left over, and a kernel that has not stopped answers afterwards.
func failing(t *testing.T, sec *script.Section, f ...hypercall.Fault) (r run) {
	t.Helper()
	host := hypercall.NewFaultHost(nil)
	r.host = host
	s, err := NewSession(sim.Config{Mode: hypercall.Deterministic, Host: host})
	if err != nil {
		t.Fatal(err)
	}
	host.SetFaults(f...)
	for _, line := range sec.Lines {
		if line.Call == nil {
			continue
		}
		res, err := s.Do(line.Call)
		if err != nil {
			t.Fatal(err)
		}
		r.results = append(r.results, res.Text)
		if r.stop = res.Stop; r.stop != nil {
			break
		}
	}
	if r.stop == nil {
		if _, err := s.Kernel.Init().Fstat(0); err != nil && err != kern.EBADF {
			t.Errorf("%s: %+v: afterwards the kernel answers %v", sec.Name, f, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("%s: %+v: %v", sec.Name, f, err)
	}
	return r
}

// TestTourSweep makes the calls of the whole recorded tour again and again,
// and each time another call to the host fails, transfers of block devices and
// requests for memory among them: no kernel panics, waits or leaves something
// over for it.
func TestTourSweep(t *testing.T) {
	tr := recorded(t, "testdata/tour.trace.gz")
	const eIO = hypercall.HostErrno(kern.EIO)
	for _, c := range []struct {
		name  string
		ops   []hypercall.HostOp
		fault hypercall.Fault
		shown bool // as an errno, every time
		waits bool // for ever, if need be
	}{
		{"no information", []hypercall.HostOp{hypercall.OpFileInfo}, hypercall.Fault{Err: eIO}, true, false},
		{"one read fails", []hypercall.HostOp{hypercall.OpReadAt}, hypercall.Fault{Err: eIO}, true, false},
		// What cannot be opened for both is opened for reading alone; nobody hears of an asynchronous write that failed.
		{"one open or write fails", []hypercall.HostOp{hypercall.OpOpen, hypercall.OpWriteAt}, hypercall.Fault{Err: eIO}, false, false},
		{"one transfer ends early", []hypercall.HostOp{hypercall.OpReadAt, hypercall.OpWriteAt},
			hypercall.Fault{Short: true, Limit: 3}, false, false},
		{"one transfer fails in the middle", []hypercall.HostOp{hypercall.OpReadAt, hypercall.OpWriteAt},
			hypercall.Fault{Short: true, Limit: 3, Err: eIO}, false, false},
		{"one close fails", []hypercall.HostOp{hypercall.OpClose}, hypercall.Fault{Err: eIO}, false, false},
		{"memory is refused once", []hypercall.HostOp{hypercall.OpMalloc}, hypercall.Fault{Err: eIO}, false, false},
		{"all fails from then on", []hypercall.HostOp{hypercall.OpAny}, hypercall.Fault{From: true, Err: eIO}, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			runs, waits := 0, 0
			for i := range tr.Sections {
				sec := &tr.Sections[i]
				whole := failing(t, sec)
				for _, op := range c.ops {
					for n := int64(1); n <= whole.host.Calls(op); n++ {
						f := c.fault
						f.Op, f.Nth = op, n
						r := failing(t, sec, f)
						runs++
						if c.shown && !failedMore(r, whole) {
							t.Errorf("%s: %+v: all goes well", sec.Name, f)
						}
						switch {
						case r.stop == nil || whole.stop != nil && r.stop.Error() == whole.stop.Error():
						case r.stop.Error() == "panic: undefined: "+kern.QuirkEtfsDirData.String():
							// Without one of its mappings a section may reach a file below another.
						case c.waits && errors.As(r.stop, &hypercall.Blocked{}):
							waits++
						default:
							t.Errorf("%s: %+v: %v", sec.Name, f, r.stop)
						}
					}
				}
			}
			t.Logf("%d runs, %d of them wait for memory for ever", runs, waits)
			if runs == 0 || c.waits && waits == 0 {
				t.Errorf("%d runs, %d of them wait for memory for ever", runs, waits)
			}
		})
	}
}

// failedMore reports whether some call of r failed that did not in whole.
func failedMore(r, whole run) bool {
	for i, result := range r.results {
		if result != whole.results[i] && result != "" && (result[0] == 'E' || result == "-1" || result == script.BLOCKED) {
			return true
		}
	}
	return false
}
