package mutant

import (
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// renames are bugs about renaming and linking, which of the file systems only tmpfs can.
func renames() []Mutant {
	return []Mutant{}
}

var _ = kern.EPERM
var _ vnode.Vtype
