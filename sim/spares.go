package sim

import (
	"rumpvfs/hypercall"
	"rumpvfs/uvm"
)

// Spares are what kernels that run one after the other hand on: coroutines,
// and memory for pages. The zero value has none; nobody copies it.
type Spares struct {
	coroutines hypercall.Coroutines
	memory     uvm.Memory
}

// Close lets go of them.
func (s *Spares) Close() {
	s.coroutines.Close()
	s.memory = uvm.Memory{}
}
