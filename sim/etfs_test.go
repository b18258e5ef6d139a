package sim_test

import (
	"fmt"
	"testing"

	"rumpvfs/hypercall"
	"rumpvfs/kern"
	"rumpvfs/rumpfs"
	"rumpvfs/sim"
)

// TestEtfsRefused has what no script can say.
func TestEtfsRefused(t *testing.T) {
	k := boot(t, sim.Config{})
	check(t, "NUL in the key", k.EtfsRegister("/\x00", "/", rumpfs.RUMP_ETFS_DIR), kern.EINVAL)
	check(t, "NUL in the host path", k.EtfsRegister("/k", "/\x00", rumpfs.RUMP_ETFS_DIR), kern.EINVAL)
	ok(t, k.EtfsRegister("/k", "/", rumpfs.RUMP_ETFS_DIR))
	check(t, "window on a directory", k.EtfsRegisterWithsize("/l", "/", rumpfs.RUMP_ETFS_DIR, 1, 1), kern.EISDIR)
}

// TestEtfsUnknownType is a panic of that kernel alone.
func TestEtfsUnknownType(t *testing.T) {
	k := boot(t, sim.Config{})
	err := k.EtfsRegister("/k", "/", rumpfs.EtfsType(5))
	if err == nil || err.Error() != "panic: invalid et type: 5" {
		t.Errorf("unknown type: %v", err)
	}
	check(t, "afterwards", k.EtfsRemove("/k"), k.Err())
}

// TestEtfsRemoveRaces lets lwps look mappings up, open and read them while
// others register and remove them, in many orders.
func TestEtfsRemoveRaces(t *testing.T) {
	for seed := range uint64(60) {
		c := sim.Config{Mode: hypercall.Deterministic, Seed: seed, Host: hypercall.NewMemHost()}
		if seed%2 == 1 {
			c.Without = kern.Rev1125
		}
		if seed%10 >= 8 {
			c.Mode = hypercall.Native
		}
		ok(t, c.Host.Mkdir("/d"))
		for _, name := range []string{"/f", "/d/a", "/disk"} {
			value[int](t)(c.Host.WriteFile(name, make([]byte, 1024)))
		}
		k := boot(t, c)
		p := k.Init()
		reader := func(path string) func(p *sim.Proc) {
			return func(p *sim.Proc) {
				for range 6 {
					fd, err := p.Open(path, kern.O_RDONLY, 0)
					if err != nil {
						continue
					}
					_, _ = p.Read(fd, make([]byte, 10))
					_, _ = p.Fstat(fd)
					ok(t, p.Close(fd))
				}
			}
		}
		mapper := func(key, host string, et rumpfs.EtfsType) func(p *sim.Proc) {
			return func(p *sim.Proc) {
				for range 4 {
					ok(t, p.EtfsRegister(key, host, et))
					ok(t, p.EtfsRemove(key))
				}
			}
		}
		var lwps []*sim.Lwp
		for _, body := range []func(p *sim.Proc){
			mapper("/f", "/f", rumpfs.RUMP_ETFS_REG), reader("/f"), reader("/f"),
			mapper("/hd", "/d", rumpfs.RUMP_ETFS_DIR_SUBDIRS), reader("/hd/a"),
			mapper("/b", "/disk", rumpfs.RUMP_ETFS_BLK), reader("/b"),
		} {
			lwps = append(lwps, p.Go("racer", body))
		}
		for _, q := range lwps {
			if err := p.Join(q); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
	}
}

// TestModuleBase maps the directory of RUMP_MODULEBASE at boot.
func TestModuleBase(t *testing.T) {
	host := hypercall.NewMemHost()
	ok(t, host.Mkdir("/mods"))
	value[int](t)(host.WriteFile("/mods/m", []byte("module")))
	for _, c := range []struct {
		dir  string
		want error
	}{{"/mods", nil}, {"", kern.ENOENT}, {"0", kern.ENOENT}, {"/nosuch", kern.ENOENT}} {
		k := boot(t, sim.Config{Host: host, Params: map[string]string{"RUMP_MODULEBASE": c.dir}})
		_, err := k.Init().Stat("/stand/amd64/6.99.43/modules/m")
		check(t, fmt.Sprintf("module below %q", c.dir), err, c.want)
	}
}

func ExampleKernel_EtfsRegister() {
	host := hypercall.NewMemHost()
	if _, err := host.WriteFile("/notes", []byte("from the host")); err != nil {
		fmt.Println(err)
	}
	k, err := sim.Boot(sim.Config{Host: host})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := k.Init()
	fmt.Println(k.EtfsRegister("/mnt/notes", "/notes", rumpfs.RUMP_ETFS_REG))
	fd, err := p.Open("/mnt/notes", kern.O_RDONLY, 0)
	b := make([]byte, 100)
	n, _ := p.Read(fd, b)
	fmt.Printf("%v %q\n", err, b[:n])
	fmt.Println(k.EtfsRemove("/mnt/notes"))
	_, err = p.Read(fd, b)
	fmt.Println(err, k.Shutdown())
	// Output:
	// <nil>
	// <nil> "from the host"
	// <nil>
	// EIO: the device failed, or the file is gone <nil>
}
