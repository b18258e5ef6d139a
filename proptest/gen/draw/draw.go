// Package draw makes scripts of what rapid draws: the generator of package gen on [rapid]'s bits, so that rapid's runs,
// seeds and shrinking apply, with the generator's own distributions.
package draw

import (
	"math/bits"

	"pgregory.net/rapid"

	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/repro"
	"rumpvfs/proptest/shrink"
)

// numbers are what choices are made of.
//
//policy:static read only
var numbers = rapid.Uint64()

// A Source is a [gen.Source] that draws. Rapid prefers small numbers, which would have the first of all choices come most
// often; so a number is mixed with the place of the choice, except 0, which is the first choice, as shrinking wants it. Since
// drawing is slow, each number is good for a few choices.
type Source struct {
	t     *rapid.T
	drawn uint64
	left  int // choices that drawn is good for
	place uint64
}

// choices is how many a number is good for.
const choices = 4

// NewSource makes the source of one run of a property.
func NewSource(t *rapid.T) *Source { return &Source{t: t} }

// Choose draws a number from 0 to n-1.
func (s *Source) Choose(n int) int {
	if s.left--; s.left < 0 {
		s.drawn, s.left = numbers.Draw(s.t, ""), choices-1
	}
	s.place += 0x9e3779b97f4a7c15
	if s.drawn == 0 || n == 1 {
		return 0
	}
	hi, lo := bits.Mul64(s.drawn^s.place, 0xd6e8feb86659fd93)
	hi, lo = bits.Mul64(hi^lo, 0xa0761d6478bd642f)
	i, _ := bits.Mul64(hi^lo, uint64(n))
	return int(i)
}

// Check runs a driver's scripts as a property. When one fails, rapid makes its choices fewer; then the script itself is made
// as small as it gets, and is shown with both answers. That script is what is to be kept of a failure: rapid's own file is of
// no more use once the generator changes.
func Check(t rapid.TB, c driver.Config) {
	t.Helper()
	d, err := driver.New(c)
	if err != nil {
		t.Fatal(err)
	}
	var last *driver.Failure
	defer func() { // rapid leaves by FailNow
		if last != nil {
			t.Errorf("%s", Explain(c, last))
		}
		if err := d.Close(); err != nil && last == nil {
			t.Error(err)
		}
	}()
	rapid.Check(t, func(t *rapid.T) {
		f, err := d.NextFrom(NewSource(t))
		if err != nil {
			t.Fatal(err)
		}
		if f != nil {
			last = f
			t.Fatal(f)
		}
	})
}

// Explain makes the script of a failure as small as it gets and shows it with both answers.
func Explain(c driver.Config, f *driver.Failure) string {
	d, err := driver.New(c)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = d.Close() }() // what it has left over is what is being shown
	script := f.Script
	if like := d.Like(f); like(script) {
		script = shrink.Minimize(script, like)
	}
	r, err := shown(c, script)
	if err != nil {
		return err.Error()
	}
	return f.Kind.String() + "\n" + string(r.Text())
}

func shown(c driver.Config, script []call.Call) (*repro.Case, error) {
	oracle, err := c.NewOracle()
	if err != nil {
		return nil, err
	}
	system, err := c.NewSystem()
	if err != nil {
		return nil, err
	}
	r, err := repro.New("rapid", script, oracle, system)
	if err != nil {
		return nil, err
	}
	r.FS, r.Setup, r.Fifofs, r.Quirks = c.FS.Name, c.FS.Setup, c.FS.Caps.Fifos, c.Quirks
	_, _ = oracle.Close(), system.Close() // panics too are answers
	return r, nil
}
