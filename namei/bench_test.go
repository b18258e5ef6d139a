package namei

import (
	"fmt"
	"strings"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/vnode"
)

// deepWorld has a path of n directories, all in use.
func deepWorld(t testing.TB, n int) (*world, string) {
	w := newWorld(t, hypercall.Native, "")
	var path strings.Builder
	for d := w.fs.root; n > 0; n-- {
		d = d.add("dir", w.fs.new(vnode.VDIR))
		w.fs.vget(w.l, d)
		path.WriteString("/dir")
	}
	return w, path.String()
}

func (w *world) stat(path string) {
	nd := Acquire(w.l)
	nd.Init(w.l, lookup, follow|leaf, path)
	if err := nd.Namei(w.l); err != nil {
		w.t.Fatal(err)
	}
	nd.Vp.Put(w.l)
	nd.Release(w.l)
}

// TestWalkAllocatesNothing is the promise that hot paths rest on.
func TestWalkAllocatesNothing(t *testing.T) {
	w, path := deepWorld(t, 8)
	w.at("/dir").add("m", w.fs.new(vnode.VDIR))
	w.mount("m", w.vp("/dir/m"))
	w.vp("/dir/m")
	for _, path := range []string{path, path + "/../..", "/dir/./m/../m/"} {
		if n := testing.AllocsPerRun(100, func() { w.stat(path) }); n != 0 {
			t.Errorf("%s: %v allocations", path, n)
		}
	}
	w.cwdi.ChangeRoot(w.l, w.vp("/dir"))
	if n := testing.AllocsPerRun(100, func() { w.stat("dir/dir/../..") }); n != 0 {
		t.Errorf("up in a chroot: %v allocations", n)
	}
	w.fs.root.add("l", w.fs.new(vnode.VLNK)).target = "dir"
	w.vp("/l")
	w.cwdi.Chdir(w.l, w.vp("/"))
	if n := testing.AllocsPerRun(100, func() { w.stat("l") }); n > 2 {
		t.Errorf("a symbolic link: %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		nd := Acquire(w.l)
		nd.Init(w.l, create, parent, "/nosuch/new")
		if nd.Namei(w.l) != kern.ENOENT {
			t.Error("found")
		}
		nd.Release(w.l)
	}); n != 0 {
		t.Errorf("a name that is not there: %v allocations", n)
	}
}

func BenchmarkNamei(b *testing.B) {
	for _, depth := range []int{1, 2, 4, 8, 16} {
		b.Run(fmt.Sprintf("depth=%d", depth), func(b *testing.B) {
			w, path := deepWorld(b, depth)
			b.ReportAllocs()
			for b.Loop() {
				w.stat(path)
			}
		})
	}
}

func BenchmarkSymlink(b *testing.B) {
	w, _ := deepWorld(b, 1)
	w.fs.root.add("l", w.fs.new(vnode.VLNK)).target = "dir"
	w.vp("/l")
	b.ReportAllocs()
	for b.Loop() {
		w.stat("/l")
	}
}

func BenchmarkGetcwd(b *testing.B) {
	w, path := deepWorld(b, 8)
	w.chdir(path)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Getcwd(w.l, 1024); err != nil {
			b.Fatal(err)
		}
	}
}
