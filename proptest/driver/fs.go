package driver

import (
	"fmt"
	"strings"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/model"
	"rumpvfs/proptest/target"
	"rumpvfs/sim"
)

// A FS is a file system to be tested, as the root of a kernel or mounted over it.
type FS struct {
	Name string
	Caps model.Caps // what the model has to know of it
	// Prepare mounts it over the root of a kernel that has just been booted, and makes what rumpfs begins with: /dev with
	// null and zero, and /tmp. Nil is rumpfs itself.
	Prepare func(*sim.Proc) error
	// Setup is what Prepare does, as lines of the script language that answer 0.
	Setup []string
	// Tree are the calls that make what Prepare has made, for the model.
	Tree []call.Call
}

// Rumpfs is the root file system.
func Rumpfs() FS { return FS{Name: "rumpfs"} }

// FileSystems are those that the project has.
func FileSystems() []FS { return []FS{Rumpfs()} }

// FSNamed finds a file system of the project. The error lists their names.
func FSNamed(name string) (FS, error) {
	var names []string
	for _, fs := range FileSystems() {
		if fs.Name == name {
			return fs, nil
		}
		names = append(names, fs.Name)
	}
	return FS{}, fmt.Errorf("no file system is called %q, only %s", name, strings.Join(names, ", "))
}

// Kernel is the usual system under test: a kernel with the file system and the quirks. In mode hypercall.Native it is
// fastest; in hypercall.Deterministic a call that would wait for ever, which in the other modes does, says so.
func (fs FS) Kernel(quirks kern.Quirks, mode hypercall.Mode) (call.System, error) {
	return target.New(sim.Config{Mode: mode, Fixed: kern.Rev1125 &^ quirks}, fs.Prepare)
}

// Model is the usual oracle: a model of the file system with the quirks.
func (fs FS) Model(quirks kern.Quirks) *model.Model {
	return model.New(model.Config{Quirks: quirks, Caps: fs.Caps, Tree: fs.Tree})
}
