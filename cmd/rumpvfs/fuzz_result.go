package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"rumpvfs/proptest/clause"
	"rumpvfs/proptest/driver"
)

// A fuzzResult is what a run of fuzz came to, as it is written for fuzz merge.
type fuzzResult struct {
	FS       string            `json:"fs"`
	Quirks   string            `json:"quirks"`
	Oracle   string            `json:"oracle"`
	Shards   int               `json:"shards"` // that this is the result of
	Seconds  float64           `json:"seconds"`
	Calls    uint64            `json:"calls"`
	Scripts  uint64            `json:"scripts"`
	Checks   uint64            `json:"checks"`  // of the whole kernel
	Failing  uint64            `json:"failing"` // scripts
	Clauses  map[string]uint64 `json:"clauses"` // how often each was exercised
	States   []byte            `json:"states"`  // a driver.Sketch
	Failures []failure         `json:"failures"`
}

// newFuzzResult is what drivers have come to.
func newFuzzResult(sum *driver.Stats, took time.Duration) *fuzzResult {
	r := &fuzzResult{
		Seconds: float64(took.Milliseconds()) / 1000, Calls: sum.Calls, Scripts: sum.Scripts, Checks: sum.Checks, States: sum.States[:],
		Clauses: map[string]uint64{},
	}
	for id := clause.ID(1); int(id) <= len(clause.All()); id++ {
		if sum.Coverage[id] > 0 {
			r.Clauses[id.String()] = sum.Coverage[id]
		}
	}
	return r
}

// add adds the result of another shard of the same run, or of another run of the same kind.
func (r *fuzzResult) add(o *fuzzResult) error {
	if r.FS != o.FS || r.Quirks != o.Quirks || r.Oracle != o.Oracle {
		return fmt.Errorf("%s with quirks %s against %s and %s with quirks %s against %s are no parts of one run",
			r.FS, r.Quirks, r.Oracle, o.FS, o.Quirks, o.Oracle)
	}
	if len(r.States) != len(driver.Sketch{}) || len(o.States) != len(driver.Sketch{}) {
		return fmt.Errorf("states are %d and %d bytes, not %d", len(r.States), len(o.States), len(driver.Sketch{}))
	}
	r.Shards += o.Shards
	r.Seconds = max(r.Seconds, o.Seconds)
	r.Calls += o.Calls
	r.Scripts += o.Scripts
	r.Checks += o.Checks
	r.Failing += o.Failing
	for name, n := range o.Clauses {
		r.Clauses[name] += n
	}
	a, b := driver.Sketch(r.States), driver.Sketch(o.States)
	a.Add(&b)
	r.States = a[:]
	for _, f := range o.Failures {
		i := slices.IndexFunc(r.Failures, func(g failure) bool { return g.Signature == f.Signature })
		switch {
		case i < 0:
			r.Failures = append(r.Failures, f)
		case len(f.Script) < len(r.Failures[i].Script):
			f.Scripts += r.Failures[i].Scripts
			r.Failures[i] = f
		default:
			r.Failures[i].Scripts += f.Scripts
		}
	}
	return nil
}

// covered is how many clauses were exercised, of how many that can be.
func (r *fuzzResult) covered() (hit, reachable int) {
	for _, c := range clause.All() {
		if c.Unreachable == "" {
			reachable++
		}
		if r.Clauses[c.Name()] > 0 {
			hit++
		}
	}
	return hit, reachable
}

// figures are what the command ends with.
func (r *fuzzResult) figures() []figure {
	hit, reachable := r.covered()
	states := driver.Sketch(r.States)
	return []figure{
		{"fs", r.FS}, {"oracle", r.Oracle}, {"shards", r.Shards}, {"calls", r.Calls}, {"scripts", r.Scripts}, {"seconds", r.Seconds},
		{"rate", perSecond(r.Calls, time.Duration(r.Seconds*float64(time.Second)))}, {"clauses", hit}, {"reachable", reachable},
		{"states", states.Count()}, {"checks", r.Checks},
	}
}

// write writes the result to a file.
func (r *fuzzResult) write(file string) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o666)
}

// newMerge makes the command that adds results up.
func newMerge() *cobra.Command {
	var asJSON bool
	var to string
	cmd := &cobra.Command{
		Use:   "merge RESULT...",
		Short: "Add up the results of shards",
		Long: `merge adds up what "fuzz --results" has written in several places: calls and
clauses are added, states that several have seen count once, and of failures
that are alike the smallest script is kept. The exit status is 0 only if none of
them has found anything wrong.`,
		Example: `  rumpvfs fuzz merge shard-*.json`,
		Args:    atLeastOne("a RESULT"),
		RunE: func(cmd *cobra.Command, files []string) error {
			sum, err := mergeResults(files)
			if err != nil {
				return err
			}
			if to != "" {
				if err := sum.write(to); err != nil {
					return err
				}
			}
			if !asJSON {
				for _, f := range sum.Failures {
					fmt.Fprintf(cmd.OutOrStdout(), "%s, in %d scripts:\n%s", f.Signature, f.Scripts, f.Script)
				}
			}
			return conclude(cmd, asJSON, sum.figures(), sum.Failing, sum.Failures)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the figures as JSON")
	cmd.Flags().StringVar(&to, "results", "", "file to write the sum to")
	return cmd
}

func mergeResults(files []string) (*fuzzResult, error) {
	var sum *fuzzResult
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		r := &fuzzResult{Clauses: map[string]uint64{}}
		if err := json.Unmarshal(src, r); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if len(r.States) != len(driver.Sketch{}) {
			return nil, fmt.Errorf("%s is no result of fuzz", file)
		}
		if sum == nil {
			sum = r
		} else if err := sum.add(r); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return sum, nil
}
