package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"rumpvfs/kern"
	"rumpvfs/proptest/clause"
)

// clausesFlags are the flags of the command.
type clausesFlags struct {
	json, markdown bool
}

func newClauses() *cobra.Command {
	var f clausesFlags
	cmd := &cobra.Command{
		Use:   "clauses [NAME...]",
		Short: "List what the model promises of each call",
		Long: `clauses lists the clauses of the reference model: each way in which each call
may be answered, with a sentence. NAME selects those whose name contains it.`,
		Example: `  rumpvfs clauses rename. ELOOP
  rumpvfs clauses --json`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd.OutOrStdout(), args) },
	}
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON, one clause a line")
	cmd.Flags().BoolVar(&f.markdown, "markdown", false, "print docs/CLAUSES.md")
	return cmd
}

func (f *clausesFlags) run(w io.Writer, names []string) error {
	if f.markdown {
		_, err := w.Write(clause.Markdown())
		return err
	}
	listed, unreachable := 0, 0
	for _, c := range clause.All() {
		if !selected(c.Name(), names) {
			continue
		}
		listed++
		if c.Unreachable != "" {
			unreachable++
		}
		if err := f.print(w, &c); err != nil {
			return err
		}
	}
	if f.json {
		return nil
	}
	_, err := fmt.Fprintf(w, "clauses=%d listed=%d unreachable=%d\n", len(clause.All()), listed, unreachable)
	return err
}

func selected(name string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(name, p) {
			return true
		}
	}
	return len(parts) == 0
}

// clauseJSON is a clause as --json shows it.
type clauseJSON struct {
	Name        string   `json:"name"`
	Call        string   `json:"call"`
	Errno       string   `json:"errno,omitempty"`
	Also        []string `json:"also,omitempty"` // other errors that POSIX allows
	Sentence    string   `json:"sentence"`
	Unreachable string   `json:"unreachable,omitempty"`
}

func (f *clausesFlags) print(w io.Writer, c *clause.Clause) error {
	if !f.json {
		_, err := fmt.Fprintf(w, "%-40s %s\n", c.Name(), c.Sentence)
		return err
	}
	j := clauseJSON{Name: c.Name(), Call: c.Op.String(), Sentence: c.Sentence, Unreachable: c.Unreachable}
	if c.Errno != 0 {
		j.Errno = c.Errno.Name()
	}
	for _, e := range c.Also {
		j.Also = append(j.Also, alsoName(e))
	}
	return json.NewEncoder(w).Encode(j)
}

func alsoName(e kern.Errno) string {
	if e == 0 {
		return "success"
	}
	return e.Name()
}
