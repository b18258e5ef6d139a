// Package exhaust makes all scripts of up to k calls, chosen from an [Alphabet] over a few names, and checks every answer of
// the kernel against the model.
//
// Scripts that lead to the same state have the same future, so that only one of them is gone on with; a state is what
// [model.Model.AppendState] writes. States that differ only by which name is which are merged, too. A [Search] goes level by
// level: after k levels every script of k calls has been made or one that led to the same state.
//
// A kernel is not copied. It is brought to a state by making the calls of a script that leads there, on a kernel that has
// just been booted, and tries the calls of the alphabet from there, one after the other. That works as long as the model
// says that a call left the state as it was, or that the calls which undo it have led back; otherwise the kernel is booted
// anew. What a kernel keeps of such a call against what the model says shows in later answers.
//
// That states stand for their scripts is an assumption about the kernel. [Audit] tests it: it makes all scripts one by one,
// each on a kernel of its own, and compares what was reached and answered with the merged search.
package exhaust
