package scenarios

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/vnode"
)

// handled is a kernel with a file system on /mnt, and what is needed to use
// its file handles.
type handled struct {
	t  *testing.T
	p  *sim.Proc
	l  *kern.Lwp
	mp *vnode.Mount
}

// eachHandled runs a test for the file systems that have handles. Those that
// have none say so when they are asked for one, which the scripts show.
func eachHandled(t *testing.T, test func(h *handled)) {
	each(t, func(t *testing.T, fs fileSystem) {
		if !fs.handles {
			_, err := fs.mounted(t, sim.Config{}).Init().Getfh("/mnt")
			wants(t, "getfh", err, error(kern.EOPNOTSUPP))
			return
		}
		k := fs.mounted(t, sim.Config{Mode: hypercall.Deterministic})
		h := &handled{t: t, p: k.Init(), l: lwp(t, k)}
		mounts := k.V.Mounts(h.l)
		h.mp = mounts[len(mounts)-1]
		test(h)
	})
}

// find returns what the file of a handle holds.
func (h *handled) find(fh []byte) (string, error) {
	vp, err := vnode.VFS_FHTOVP(h.l, h.mp, fh)
	if err != nil {
		return "", err
	}
	defer vp.Put(h.l)
	var uio kern.Uio
	b := make([]byte, 100)
	uio.InitUio(new([1][]byte), b, 0, kern.UIO_READ)
	err = vnode.VOP_READ(h.l, vp, &uio, 0, h.l.Cred)
	return string(b[:len(b)-int(uio.Resid)]), err
}

// TestFilehandle finds a file by its handle.
func TestFilehandle(t *testing.T) {
	eachHandled(t, func(h *handled) {
		ok(t, h.p.Close(create(h.t, h.p, "/mnt/other", "not this one")))
		ok(t, h.p.Close(create(h.t, h.p, "/mnt/file", "found")))
		fh := value[[]byte](h.t)(h.p.Getfh("/mnt/file"))
		wants(h.t, "what the handle's file holds", value[string](h.t)(h.find(fh)), "found")
	})
}

// TestFhremove finds no file by the handle of one that was removed, though a
// new one may have taken its place.
func TestFhremove(t *testing.T) {
	eachHandled(t, func(h *handled) {
		ok(h.t, h.p.Close(create(h.t, h.p, "/mnt/file", "removed")))
		fh := value[[]byte](h.t)(h.p.Getfh("/mnt/file"))
		ok(h.t, h.p.Unlink("/mnt/file"))
		for range 2 {
			_, err := h.find(fh)
			wants(h.t, "the handle of a removed file", err, error(kern.ESTALE))
			ok(h.t, h.p.Close(create(h.t, h.p, "/mnt/file", "another")))
		}
	})
}

// TestFhinval offers handles that are garbage: bytes at random, others'
// handles with a bit changed, too few and too many of them. None finds a file
// that it was not made for, and the kernel goes on.
func TestFhinval(t *testing.T) {
	eachHandled(t, func(h *handled) {
		good := value[[]byte](h.t)(h.p.Getfh("/mnt"))
		rnd := rand.New(rand.NewPCG(1, 2))
		for range 1000 {
			fh := bytes.Clone(good)
			for i := range fh {
				fh[i] = byte(rnd.Uint32())
			}
			h.refused(fh)
		}
		for bit := range 8 * len(good) {
			fh := bytes.Clone(good)
			fh[bit/8] ^= 1 << (bit % 8)
			vp, err := vnode.VFS_FHTOVP(h.l, h.mp, fh)
			if err == nil { // of what does not matter, such as padding
				wants(h.t, "what a changed handle finds", vp.Vflag()&vnode.VV_ROOT, vnode.VV_ROOT)
				vp.Put(h.l)
			}
		}
		for n := range good {
			h.refused(good[:n])
		}
		h.refused(append(bytes.Clone(good), 0))
	})
}

func (h *handled) refused(fh []byte) {
	h.t.Helper()
	if _, err := vnode.VFS_FHTOVP(h.l, h.mp, fh); err != kern.ESTALE && err != kern.EINVAL {
		h.t.Errorf("handle %x: %v", fh, err)
	}
}
