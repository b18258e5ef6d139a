// Package meta checks a kernel against itself: of a script it makes another of which is known how its answers must relate to
// those of the first, without knowing what either should be. A [Rule] says how the script, or the kernel that makes it, is
// changed, and in a sentence what must hold; [Rules] are all there are. A [Runner] makes random scripts and tries the rules
// on them.
package meta
