package main

import (
	"fmt"
	"slices"
	"strings"

	"rumpvfs/kern"
	"rumpvfs/proptest/call"
	"rumpvfs/proptest/driver"
	"rumpvfs/proptest/host"
)

// An oracle is what a kernel is compared with.
type oracle struct {
	name, what string
	// set makes the driver compare with it. The model, and with it the oracle, has the quirks of a second set.
	set func(c *driver.Config, quirks kern.Quirks)
}

// oracles are those that --oracle knows.
var oracles = []oracle{
	{"model", "the reference model", func(c *driver.Config, quirks kern.Quirks) {
		fs := c.FS
		c.Oracle = func() (call.System, error) { return fs.Model(quirks), nil }
	}},
	{"host", "Linux, with fixed quirks and as the superuser; command host is faster", func(c *driver.Config, _ kern.Quirks) {
		fs := c.FS
		c.Gen.Leave, c.Gen.Procs = host.NoCalls(), 1
		c.Oracle = func() (call.System, error) {
			h, err := host.New()
			if err != nil {
				return nil, err
			}
			return host.NewExplained(fs, h), nil
		}
	}},
}

// oracleNames lists the oracles for --help.
func oracleNames() string {
	var list []string
	for _, o := range oracles {
		list = append(list, o.name+", "+o.what)
	}
	return strings.Join(list, "; ")
}

func oracleNamed(name string) (oracle, error) {
	i := slices.IndexFunc(oracles, func(o oracle) bool { return o.name == name })
	if i < 0 {
		return oracle{}, usageError{fmt.Errorf("no oracle is called %q, only %s", name, oracleNames())}
	}
	return oracles[i], nil
}
