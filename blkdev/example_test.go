package blkdev_test

import (
	"fmt"

	"rumpvfs/blkdev"
	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/sim"
	"rumpvfs/vnode"
)

// ExampleCache changes one block of a file of the host, as a file system does
// with a block device.
func ExampleCache() {
	host := hypercall.NewMemHost()
	host.WriteFile("/image", make([]byte, 4096))
	k, err := sim.Boot(sim.Config{Host: host})
	if err != nil {
		fmt.Println(err)
		return
	}
	l := kern.NewLwp(k.K, nil, "fs")
	minor, err := k.Blk.Register(l, "/image", 0, blkdev.RUMPBLK_SIZENOTSET)
	fmt.Println("register:", minor, err)
	vp, err := k.V.Bdevvp(l, kern.Makedev(blkdev.RUMPBLK_DEVMAJOR, minor))
	fmt.Println("vnode:", err)
	vp.Lock(l, vnode.LK_EXCLUSIVE|vnode.LK_RETRY)
	fmt.Println("open:", vnode.VOP_OPEN(l, vp, kern.FREAD|kern.FWRITE, kern.RootCred()), vp.Size)

	bp, err := k.Cache.Bread(l, vp, 4, 2048)
	fmt.Println("bread:", err)
	copy(bp.Data, "superblock")
	k.Cache.Bdwrite(l, bp)
	image, _ := host.ReadFile("/image")
	fmt.Printf("delayed: %q\n", image[2048:2058])
	fmt.Println("fsync:", vnode.VOP_FSYNC(l, vp, kern.RootCred(), vnode.FSYNC_WAIT, 0, 0))
	image, _ = host.ReadFile("/image")
	fmt.Printf("written: %q\n", image[2048:2058])

	fmt.Println("close:", vnode.VOP_CLOSE(l, vp, kern.FREAD|kern.FWRITE, kern.RootCred()))
	vp.Put(l)
	fmt.Println("deregister:", k.Blk.Deregister(l, "/image"))
	l.Exit()
	fmt.Println("shutdown:", k.Shutdown())
	// Output:
	// register: 0 <nil>
	// vnode: <nil>
	// open: <nil> 4096
	// bread: <nil>
	// delayed: "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	// fsync: <nil>
	// written: "superblock"
	// close: <nil>
	// deregister: <nil>
	// shutdown: <nil>
}
