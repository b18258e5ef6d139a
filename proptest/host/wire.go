package host

import "rumpvfs/proptest/call"

// A request is what the child is asked for: calls, in a world that begins anew if Reset is set.
type request struct {
	Reset bool
	Calls []call.Call
}

// A reply is the results of the calls, or what kept the child from making them.
type reply struct {
	Results []call.Result
	Err     string
}
