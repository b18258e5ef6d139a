// Package gen makes scripts of system calls: random ones, guided a little by what came of the calls before.
//
// All that is random comes from a [Source], so that the same generator runs on a fast generator of random numbers
// ([Rand]), on what rapid draws (package proptest/gen/draw) and on what a fuzzer of bytes makes ([Bytes]), with the same
// distributions.
//
// Each script keeps to a few paths and to a part of the calls, chosen anew for each (swarm testing): what never comes
// otherwise comes often in some script. Names are few, among them ".", "..", names and paths as long as may be and
// longer by one; slashes come single, double and behind. Several processes share files, with identities, working and
// root directories and descriptor tables of their own. Results guide the choice (descriptors that are open, names that
// were made), but not always, so that no corner is hidden.
package gen
