package script

import (
	"reflect"
	"strings"
	"testing"

	"rumpvfs/kern"
)

// resolve parses one call and resolves it; the name f is 3.
func resolve(t *testing.T, text string) Args {
	t.Helper()
	s, err := Parse("x", []byte("f = dup 0\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	c := s.Sections[0].Lines[1].Call
	args, err := c.Resolve(func(name string) (int64, bool) { return 3, name == "f" })
	if err != nil {
		t.Fatal(err)
	}
	return args
}

func TestArgsNumbersAreTruncated(t *testing.T) {
	for text, want := range map[string]int32{
		"close f":                    3,
		"close -1":                   -1,
		"close 0x100000003":          3,
		"close 4294967295":           -1,
		"close 0xffffffffffffffff":   -1,
		"close 18446744073709551615": -1,
		"close 0x80000000":           -0x80000000,
		"close AT_FDCWD":             -100,
		"close f|4|0x10|010":         3 | 4 | 16 | 8,
		"close dev:1,2":              0x102,
		"close -0777":                -0o777,
		"close -9223372036854775808": 0,
		"close MNT_SOFTDEP":          -0x80000000,
	} {
		if got := resolve(t, text).Int32(0); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
	a := resolve(t, "pread f 0xffffffffffffffff -9223372036854775808")
	if a.Int64(1) != -1 || a.Int64(2) != -1<<63 {
		t.Errorf("offsets %d, %d", a.Int64(1), a.Int64(2))
	}
	if got := resolve(t, `chown "/" -1 4294967295`); got.Uint32(1) != 1<<32-1 || got.Uint32(2) != 1<<32-1 {
		t.Errorf("owner %d, %d", got.Uint32(1), got.Uint32(2))
	}
}

func TestArgsDefaults(t *testing.T) {
	for _, c := range []struct {
		text  string
		param int
		want  int64
	}{
		{`open "/" 0`, 2, 0}, {`mknod "/" 0`, 2, 0}, {`readlink "/"`, 1, 4096}, {`getcwd`, 0, 1024},
		{`statvfs1 "/"`, 1, kern.ST_WAIT}, {`fstatvfs1 0`, 1, kern.ST_WAIT}, {`unmount "/"`, 1, 0},
		{`fcntl 0 F_GETFL`, 2, 0},
	} {
		a := resolve(t, c.text)
		if got := a.Int64(c.param); got != c.want || a.Given(c.param) {
			t.Errorf("%s: %d, %v; want %d", c.text, got, a.Given(c.param), c.want)
		}
	}
	a := resolve(t, `readlink "/" 0`)
	if a.Int64(1) != 0 || !a.Given(1) {
		t.Errorf("a given zero is %d, %v", a.Int64(1), a.Given(1))
	}
	if a := resolve(t, `posix_fadvise f 0 0 4`); a.Int32(3) != 4 {
		t.Errorf("advice %d", a.Int32(3))
	}
}

func TestArgsStrings(t *testing.T) {
	for text, want := range map[string]string{
		`stat "/a"+"b"*3+"c"`:         "/abbbc",
		`stat "$H/x"`:                 "/home/x",
		`stat "$H"`:                   "/home",
		`stat "x$H"`:                  "x$H",
		`stat "/a\x00b"`:              "/a",
		`stat ""`:                     "",
		`stat ""*67108864000`:         "",
		`stat "\x007\n\t\101"*0+"\""`: `"`,
	} {
		if got, ok := resolve(t, text).Path(0, "/home"); got != want || !ok {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if got, ok := resolve(t, `write f "$H\x00\n"*2`).Bytes(1); string(got) != "$H\x00\n$H\x00\n" || !ok {
		t.Errorf("data %q", got)
	}
	for _, text := range []string{`stat NULL`, `mount NULL "/" 0`} {
		if got, ok := resolve(t, text).Path(0, "/home"); got != "" || ok {
			t.Errorf("%s: %q, %v", text, got, ok)
		}
	}
	long, ok := resolve(t, `stat "x"*67108864`).Bytes(0)
	if !ok || string(long) != strings.Repeat("x", MaxString) {
		t.Errorf("the longest string has %d bytes", len(long))
	}
}

func TestArgsOfMount(t *testing.T) {
	a := resolve(t, `mount "tmpfs" "$H" MNT_UNION "src" mode=0700 size=f`)
	if typ, _ := a.Text(0); typ != "tmpfs" {
		t.Errorf("type %q", typ)
	}
	if src, ok := a.Text(3); src != "src" || !ok || a.Int32(2) != kern.MNT_UNION {
		t.Errorf("source %q, flags %#x", src, a.Int32(2))
	}
	mode, given := a.Option("mode")
	size, sized := a.Option("size")
	if _, other := a.Option("uid"); mode != 0o700 || size != 3 || !given || !sized || other {
		t.Errorf("mode %o %v, size %d %v, uid %v", mode, given, size, sized, other)
	}
	a = resolve(t, `mount "tmpfs" "/" 0 uid=-1`)
	if uid, _ := a.Option("uid"); uid != -1 || a.Given(3) {
		t.Errorf("uid %d, source %v", uid, a.Given(3))
	}
}

func TestArgsOfShapes(t *testing.T) {
	if at, mt, ok := resolve(t, `utimes "/" -1 0x1ffffffff 2 f`).Times(1); !ok || at != (Timeval{-1, -1}) || mt != (Timeval{2, 3}) {
		t.Errorf("times %v %v %v", at, mt, ok)
	}
	if _, _, ok := resolve(t, `futimes f NULL`).Times(1); ok {
		t.Error("NULL is a time")
	}
	want := kern.Flock{Type: kern.F_WRLCK, Whence: kern.SEEK_END, Start: -5, Len: 1 << 40}
	for _, text := range []string{"fcntl f F_SETLK F_WRLCK SEEK_END -5 0x10000000000", "fcntl 1 f|8 3 2 -5 0x10000000000"} {
		if fl, ok := resolve(t, text).Flock(2); !ok || fl != want {
			t.Errorf("%s: %+v, %v", text, fl, ok)
		}
	}
	for _, text := range []string{"fcntl f F_GETFL", "fcntl f F_DUPFD 10", "fcntl f f"} {
		if fl, ok := resolve(t, text).Flock(2); ok {
			t.Errorf("%s: %+v", text, fl)
		}
	}
	if got := resolve(t, "setgroups 1 f -1").Uint32s(0); !reflect.DeepEqual(got, []uint32{1, 3, 1<<32 - 1}) {
		t.Errorf("groups %v", got)
	}
	if got := resolve(t, "setgroups").Uint32s(0); got != nil {
		t.Errorf("groups %v", got)
	}
	if w := resolve(t, "p1 = rfork SHARE").Word(0); w != "SHARE" {
		t.Errorf("word %q", w)
	}
	if w := resolve(t, "setgroups").Word(0); w != "" {
		t.Errorf("word %q", w)
	}
	for text, size := range map[string]int64{"ENDOFF": ENDOFF, "512": 512, "f": 3} {
		a := resolve(t, `etfs_register_withsize "/k" "$H" REG 100 `+text)
		if a.Int64(4) != size || a.Int64(3) != 100 || a.Word(2) != "REG" {
			t.Errorf("size %d, begin %d, type %s", a.Int64(4), a.Int64(3), a.Word(2))
		}
	}
}

func TestResolveNeedsTheName(t *testing.T) {
	c, err := NewCall("close", Bound("f"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Resolve(func(string) (int64, bool) { return 0, false })
	if err == nil || err.Error() != "close: f is not bound" {
		t.Errorf("error %v", err)
	}
}
