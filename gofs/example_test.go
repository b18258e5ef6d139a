package gofs_test

import (
	"fmt"
	"io/fs"
	"log"

	"rumpvfs/gofs"
	"rumpvfs/sim"
)

func Example() {
	k, err := sim.Boot(sim.Config{})
	if err != nil {
		log.Fatal(err)
	}
	files := gofs.New(k.Init())
	fmt.Println(files.MkdirAll("/tmp/a/b", 0o755))
	fmt.Println(files.WriteFile("/tmp/a/b/note", []byte("hello\n"), 0o640))
	fmt.Println(files.WriteFile("/tmp/a/b/note/x", nil, 0o640))

	_ = fs.WalkDir(files.DirFS("/tmp"), ".", func(name string, d fs.DirEntry, err error) error {
		fmt.Println(d, err)
		return err
	})
	fmt.Println(k.Shutdown())
	// Output:
	// <nil>
	// <nil>
	// open /tmp/a/b/note/x: ENOTDIR: a directory is needed here
	// d ./ <nil>
	// d a/ <nil>
	// d b/ <nil>
	// - note <nil>
	// <nil>
}
