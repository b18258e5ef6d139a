package sim_test

import (
	"testing"

	"rumpvfs/kern"
	"rumpvfs/sim"
)

func TestFiles(t *testing.T) {
	k := boot(t, sim.Config{})
	p := k.Init()
	ok(t, p.Mkdir("/m", 0o755))
	ok(t, p.Mount("rumpfs", "/m", 0, nil))
	ok(t, p.Chdir("/m"))
	fd := value[int](t)(p.Open("f", kern.O_RDWR|kern.O_CREAT, 0o644))
	_, err := p.Write(fd, []byte("abc"))
	ok(t, err)
	files := value[[]sim.OpenFile](t)(p.Files())
	wants(t, "files", len(files), 5) // the working directory, the console three times, f
	cwd, f := files[0], files[4]
	wants(t, "working directory", cwd.Path, "/m")
	wants(t, "its descriptor", cwd.FD, -1)
	wants(t, "console", files[1].Type, "console")
	wants(t, "descriptor", f.FD, fd)
	wants(t, "type", f.Type, "reg")
	wants(t, "offset", f.Offset, 3)
	wants(t, "size", f.Stat.Size, 3)
	wants(t, "file system", f.On, "/m")
	wants(t, "flags", f.Flags&(kern.FREAD|kern.FWRITE), kern.FREAD|kern.FWRITE)

	ok(t, p.Unmount("/m", kern.MNT_FORCE))
	for i, f := range value[[]sim.OpenFile](t)(p.Files()) {
		if dead := i == 0 || i == 4; dead != (f.Err == kern.EBADF) {
			t.Errorf("file %d: %v", i, f.Err)
		}
	}
	q := value[*sim.Proc](t)(p.Rfork(sim.RUMP_RFCFDG))
	ok(t, q.Chdir("/"))
	ok(t, q.Chroot("/m"))
	wants(t, "files of a process with nothing", len(value[[]sim.OpenFile](t)(q.Files())), 1)
	ok(t, q.Exit())
	_, err = q.Files()
	check(t, "files of nobody", err, kern.ESRCH)
}
