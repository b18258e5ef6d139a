package policy

import (
	"fmt"
	"go/token"
)

// A Finding is one place where the tree breaks a rule.
type Finding struct {
	Pos  token.Position
	What string
}

func (f Finding) String() string { return fmt.Sprintf("%v: %s", f.Pos, f.What) }
