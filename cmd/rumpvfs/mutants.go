package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rumpvfs/proptest/mutant"
)

// mutantsFlags are the flags of the command.
type mutantsFlags struct {
	searchFlags
	only     string
	strategy string
	list     bool
}

// strategies are what mutants are hunted with, by their kind.
var strategies = []string{mutant.Plain: "model", mutant.Concurrent: "schedules", mutant.Fault: "faults"}

func newMutants() *cobra.Command {
	f := mutantsFlags{searchFlags: searchFlags{duration: time.Minute, seed: 1, failures: 1}}
	cmd := &cobra.Command{
		Use:   "mutants",
		Short: "Hunt kernels that are known to have a bug",
		Long: `mutants boots kernels with one seeded bug each, and sees whether the tests
notice: by random calls against the model, by the schedules of concurrent
programs, or by random calls on a file system that fails now and then, as the
bug is one of plain calls, of concurrency or of errors. It prints a table: the
mutant, the strategy, what gave it away, how many calls (or schedules) that took,
and whether the script that shows it is as small as it gets. With --out, what
shows a bug is written to a directory in the forms of fuzz, or if it takes several
lwps of schedules. The exit status is 0 only if all were noticed.`,
		Example: `  rumpvfs mutants --time 60s
  rumpvfs mutants --only race- --strategy schedules
  rumpvfs mutants --list`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.addBasics(cmd)
	fl := cmd.Flags()
	fl.DurationVar(&f.duration, "time", f.duration, "how long to hunt each")
	fl.StringVar(&f.only, "only", "", "hunt those whose name contains this")
	fl.StringVar(&f.strategy, "strategy", "all", "hunt those of a strategy: model, schedules, faults or all")
	fl.BoolVar(&f.list, "list", false, "only say what the mutants are")
	return cmd
}

// chosen are the mutants that the flags ask for.
func (f *mutantsFlags) chosen() (list []*mutant.Mutant, err error) {
	if f.strategy != "all" && !slices.Contains(strategies, f.strategy) {
		return nil, usageError{fmt.Errorf("no strategy is called %q, only %s and all", f.strategy, strings.Join(strategies, ", "))}
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	for _, m := range mutant.All() {
		if strings.Contains(m.Name, f.only) && (f.strategy == "all" || f.strategy == strategies[m.Kind]) {
			list = append(list, m)
		}
	}
	if len(list) == 0 {
		return nil, usageError{fmt.Errorf("no mutant is called %q", f.only)}
	}
	return list, nil
}

func (f *mutantsFlags) run(cmd *cobra.Command) error {
	list, err := f.chosen()
	if err != nil {
		return err
	}
	w := cmd.OutOrStdout()
	if f.list {
		return f.describe(w, list)
	}
	start := time.Now()
	rows, err := f.hunt(cmd.Context(), w, list)
	if err != nil {
		return err
	}
	killed, minimal, slow := 0, 0, 0
	var longest time.Duration
	for _, r := range rows {
		if r.kill.Killed() {
			killed++
			longest = max(longest, r.took)
		}
		if r.kill.Minimal {
			minimal++
		}
		if r.kill.Tried > manyCalls && r.kill.Mutant.Kind != mutant.Concurrent {
			slow++
		}
	}
	if err := printFigures(w, f.json, []figure{{"mutants", len(rows)}, {"killed", killed}, {"percent", percent(killed, len(rows))},
		{"minimal", minimal}, {"minimal_percent", percent(minimal, killed)}, {"rare", slow}, {"longest", seconds(longest)},
		{"seconds", seconds(time.Since(start))}}); err != nil {
		return err
	}
	if cmd.Context().Err() != nil {
		return cmd.Context().Err()
	}
	if killed < len(rows) {
		return errReported
	}
	return nil
}

// manyCalls is from how many calls on a mutant counts as rare.
const manyCalls = 100_000

func percent(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n*1000/of) / 10
}

// describe says what the mutants are.
func (f *mutantsFlags) describe(w io.Writer, list []*mutant.Mutant) error {
	for _, m := range list {
		origin := m.Origin
		if origin == "" {
			origin = "made up"
		}
		if _, err := fmt.Fprintf(w, "%-28s %s, %v, %v. %s (%s)\n", m.Name, m.FS(), m.Kind, m.Oracle, m.What, origin); err != nil {
			return err
		}
	}
	return printFigures(w, f.json, []figure{{"mutants", len(list)}})
}

// A mutantRow is what came of a mutant.
type mutantRow struct {
	kill *mutant.Kill
	took time.Duration
	err  error // why it could not be hunted
}

// hunt hunts mutants, a few at a time, and prints each in its turn.
func (f *mutantsFlags) hunt(ctx context.Context, w io.Writer, list []*mutant.Mutant) (rows []mutantRow, err error) {
	err = ordered(ctx, len(list), f.jobs,
		func(ctx context.Context, i int) mutantRow { return f.one(ctx, list[i]) },
		func(_ int, r mutantRow) error {
			if err := cmp.Or(ctx.Err(), r.err); err != nil {
				return err
			}
			rows = append(rows, r)
			return f.row(w, &r)
		})
	if ctx.Err() != nil {
		err = nil // there are results so far
	}
	return rows, err
}

// one hunts a mutant.
func (f *mutantsFlags) one(ctx context.Context, m *mutant.Mutant) (r mutantRow) {
	ctx, cancel := context.WithTimeout(ctx, f.duration)
	defer cancel()
	start := time.Now()
	if r.kill, r.err = mutant.Hunt(ctx, m, f.seed, 0); r.err != nil {
		r.err = fmt.Errorf("%s: %w", m.Name, r.err)
		return r
	}
	if r.took = time.Since(start); f.out == "" || !r.kill.Killed() {
		return r
	}
	files, err := r.kill.Files()
	if err == nil {
		_, err = (&reproducer{name: m.Name, files: files}).write(f.out)
	}
	r.err = err
	return r
}

// row prints a line of the table.
func (f *mutantsFlags) row(w io.Writer, r *mutantRow) error {
	k := r.kill
	if f.json {
		return json.NewEncoder(w).Encode(struct {
			Name     string  `json:"name"`
			Strategy string  `json:"strategy"`
			How      string  `json:"how"`
			Killed   bool    `json:"killed"`
			Tried    uint64  `json:"tried"`
			Minimal  bool    `json:"minimal"`
			Seconds  float64 `json:"seconds"`
			Origin   string  `json:"origin,omitempty"`
		}{k.Mutant.Name, strategies[k.Mutant.Kind], k.How(), k.Killed(), k.Tried, k.Minimal, seconds(r.took), k.Mutant.Origin})
	}
	size := "minimal"
	switch {
	case !k.Killed():
		size = ""
	case !k.Minimal:
		size = "not minimal"
	}
	_, err := fmt.Fprintf(w, "%-28s %-9s %-10s %9d %s\n", k.Mutant.Name, strategies[k.Mutant.Kind], k.How(), k.Tried, size)
	return err
}
