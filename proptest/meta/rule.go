package meta

import (
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/gen"
	"rumpvfs/proptest/model"
)

// A Rule relates the answers to two scripts, or to one script on two kernels.
type Rule struct {
	Name     string
	Sentence string

	// change gives the calls to be made in the place of c, the last of which answers for it. Nil changes nothing.
	change func(s *state, c call.Call) []call.Call
	// base and other are the kernels that make the scripts; nil is the usual one. No other kernel means that the rule does
	// not apply to the script.
	base, other func(r *Runner) (call.System, error)
	// answer changes an answer to a changed call into what it must be without the change, and changed does the opposite; nil leaves it
	// as it is.
	answer, changed func(c *call.Call, r *call.Result)
	// leaves are calls that scripts do without.
	leaves []call.Op
	// same says whether the answers are as they must be; nil is call.Result.Equal.
	same func(c *call.Call, want, got *call.Result) bool
	// text says that the other kernel answers with text, in Data.
	text bool
}

// alike says whether an answer is as it must be.
func (r *Rule) alike(c *call.Call, want, got *call.Result) bool {
	if r.same == nil {
		return want.Equal(got)
	}
	return r.same(c, want, got)
}

// A state is that before a call, as a model of the kernel has it, and what there is to choose by.
type state struct {
	gen.Source
	model *model.Model
	r     call.Result
}

// look makes a call that changes nothing but what is asked for, and reports whether it succeeds.
func (s *state) look(c call.Call) (*call.Result, bool) {
	s.model.Do(&c, &s.r)
	return &s.r, s.r.Errno == 0 && s.r.Stop == call.Running
}

// Rules are all rules.
func Rules() []Rule { return append([]Rule(nil), rules...) }

// RuleNamed finds a rule.
func RuleNamed(name string) (Rule, bool) {
	for _, r := range rules {
		if r.Name == name {
			return r, true
		}
	}
	return Rule{}, false
}

//policy:static read only
var rules = []Rule{
	{
		Name:     "parent",
		Sentence: `Where a is a directory that may be searched, "a/../b" is "b".`,
		change:   throughParent,
	},
	{
		Name:     "dot",
		Sentence: `"./" may stand before any name of a path.`,
		change:   insertDots,
	},
	{
		Name:     "slashes",
		Sentence: "Two slashes, or three, between two names are as good as one.",
		change:   insertSlashes,
	},
	{
		Name:     "names",
		Sentence: "What files are called does not matter, as long as different names stay different and are as long.",
		other:    emptyAtFirst,
		change:   rotateCall,
		answer:   rotateAnswer(len(rotated) - 1),
		changed:  rotateAnswer(1),
	},
	{
		Name:     "sync",
		Sentence: "Writing back what is in memory, at any point, is not to be noticed.",
		change:   insertSync,
	},
	{
		Name:     "recycle",
		Sentence: "Vnodes that nobody uses may go at any point, with their pages, and come back.",
		base:     remembering,
		other:    recycling,
	},
	{
		Name:     "few-vnodes",
		Sentence: "How many vnodes the kernel wants to keep is not to be noticed.",
		base:     remembering,
		other:    fewVnodes,
	},
	{
		Name:     "boundary",
		Sentence: "A file system answers the same wherever it is mounted: over a directory of the root, or of another one that is mounted there.",
		base:     mounted,
		other:    mountedDeeper,
		leaves:   []call.Op{call.Revoke}, // of the root, out of which getcwd then leads
		same:     sameFiles,
	},
	{
		Name:     "unmounted",
		Sentence: "A file system that was mounted, used and unmounted leaves nothing behind that is to be noticed.",
		base:     mountPoint,
		other:    unmounted,
	},
	{
		Name:     "quirk",
		Sentence: "A quirk that, as the model has it, does not concern a script may as well not be there.",
		other:    withoutQuirk,
	},
	{
		Name:     "language",
		Sentence: "A call that is written down, read, and made by the language of scripts answers as one that is made.",
		other:    spoken,
		same:     sameText,
		text:     true,
	},
}

// sameFiles compares all but what says where file systems are mounted.
func sameFiles(c *call.Call, want, got *call.Result) bool {
	switch c.Op {
	case call.Statvfs1, call.Fstatvfs1, call.Getvfsstat:
		return want.Errno == got.Errno
	}
	return want.Equal(got)
}

// sameText compares with an answer that is text. Time stamps, which there are those of a real clock, are left out.
func sameText(c *call.Call, want, got *call.Result) bool {
	if c.Op == call.Times && want.Errno == 0 {
		return len(got.Data) > 0 && got.Data[0] == '0'
	}
	return string(got.Data) == want.Format(c)
}
