// Package policy knows the rules that the tree keeps and that no compiler
// checks; its tests enforce them.
//
//   - Which package may import which: the layers of docs/ARCHITECTURE.md.
//   - What kernel code may not use, because a kernel must answer the same
//     way every time and share nothing with its neighbours: goroutines,
//     channels, locks of package sync, the clock, random numbers, map order,
//     package-level state.
//   - That each ported function names its origin in a directive, and that
//     docs/NAMES.md lists them all.
//   - That docs/locking.md ranks every lock class as the code does.
//   - What no file may hold.
//
// Two directives excuse a line, each with its reason:
//
//	//policy:unordered REASON   a range over a map whose order cannot show
//	//policy:static REASON      a package-level variable that is never changed
//
// A third belongs to the code itself, as the last lines of a function's doc
// comment: //netbsd:FILE NAME, NAME... says which C functions it answers for.
package policy
