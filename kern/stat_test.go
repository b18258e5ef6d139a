package kern

import (
	"bytes"
	"strings"
	"testing"
)

func TestMakedevPacksAsNetBSD(t *testing.T) {
	for _, c := range []struct {
		major, minor int32
		dev          Dev
	}{
		{0, 0, 0},
		{1, 2, 0x0102},
		{2, 12, 0x020c},
		{197, 0, 0xc500},
		{255, 4095, 0x00f0_ffff},
		{4095, 1048575, 0xffff_ffff},
		{0x1234, 0x12345678, 0x456_234_78},
	} {
		got := Makedev(c.major, c.minor)
		if got != c.dev {
			t.Errorf("Makedev(%d, %d) = %#x, want %#x", c.major, c.minor, uint64(got), uint64(c.dev))
		}
		if got.Major() != c.major&0xfff || got.Minor() != c.minor&0xfffff {
			t.Errorf("%#x is %d,%d", uint64(got), got.Major(), got.Minor())
		}
	}
	if NODEV == Makedev(4095, 1048575) || NODEV.Major() != 4095 || NODEV.Minor() != 1048575 {
		t.Errorf("NODEV = %#x: %d,%d", uint64(NODEV), NODEV.Major(), NODEV.Minor())
	}
}

func TestModeTests(t *testing.T) {
	tests := map[uint32]func(uint32) bool{
		S_IFDIR: S_ISDIR, S_IFCHR: S_ISCHR, S_IFBLK: S_ISBLK, S_IFREG: S_ISREG,
		S_IFIFO: S_ISFIFO, S_IFLNK: S_ISLNK, S_IFSOCK: S_ISSOCK, S_IFWHT: S_ISWHT,
	}
	for mode, is := range tests {
		for other := range tests {
			if is(other|ALLPERMS) != (mode == other) {
				t.Errorf("the test for %o says %v of %o", mode, mode != other, other)
			}
		}
		if got := DTTOIF(IFTODT(mode | 0o644)); got != mode {
			t.Errorf("%o through a directory entry is %o", mode, got)
		}
	}
	if IFTODT(S_IFDIR) != DT_DIR || IFTODT(S_IFREG) != DT_REG || IFTODT(S_IFLNK) != DT_LNK ||
		IFTODT(S_IFCHR) != DT_CHR || IFTODT(S_IFBLK) != DT_BLK || IFTODT(S_IFIFO) != DT_FIFO ||
		IFTODT(S_IFSOCK) != DT_SOCK || IFTODT(S_IFWHT) != DT_WHT || IFTODT(0) != DT_UNKNOWN {
		t.Error("file types of directory entries are not those of modes")
	}
}

func TestDirentRecord(t *testing.T) {
	for namlen, reclen := range map[int]int{0: 16, 1: 16, 2: 16, 3: 24, 5: 24, 10: 24, 11: 32, 255: 272, 511: 528} {
		if got := DirentReclen(namlen); got != reclen {
			t.Errorf("a name of %d bytes takes %d bytes, want %d", namlen, got, reclen)
		}
	}
	d := Dirent{Fileno: 0x0102030405060708, Type: DT_DIR, Name: "tmp"}
	rec := d.Append([]byte("before"))[len("before"):]
	want := []byte("\x08\x07\x06\x05\x04\x03\x02\x01\x18\x00\x03\x00\x04tmp\x00\x00\x00\x00\x00\x00\x00\x00")
	if !bytes.Equal(rec, want) {
		t.Errorf("record % x, want % x", rec, want)
	}
}

// TestDirentMove hands entries to a reader with room for less than two.
func TestDirentMove(t *testing.T) {
	d := Dirent{Fileno: 7, Type: DT_REG, Name: "one"}
	b := make([]byte, 2*d.Reclen()-1)
	var iov [1][]byte
	var u Uio
	u.InitUio(&iov, b, 0, UIO_READ)
	for _, want := range []int{d.Reclen(), 0} {
		if n, err := d.Move(&u); n != want || err != nil || u.Offset != int64(d.Reclen()) {
			t.Errorf("%d bytes, %v, offset %d; want %d", n, err, u.Offset, want)
		}
	}
	if got, _, err := DecodeDirent(b); got != d || err != nil {
		t.Errorf("decoded %+v, %v", got, err)
	}
	u = Uio{Resid: 100}
	if _, err := d.Move(&u); err != EFAULT {
		t.Errorf("nowhere to go: %v", err)
	}
}

func TestDirentRoundTrip(t *testing.T) {
	var buf []byte
	var all []Dirent
	for n := range MAXNAMLEN + 1 {
		d := Dirent{Fileno: uint64(n), Type: uint8(n % 15), Name: strings.Repeat("n", n)}
		all = append(all, d)
		buf = d.Append(buf)
	}
	for _, want := range all {
		got, rest, err := DecodeDirent(buf)
		if err != nil || got != want || len(buf)-len(rest) != want.Reclen() {
			t.Fatalf("decoded %+v, %v after %d bytes; want %+v", got, err, len(buf)-len(rest), want)
		}
		buf = rest
	}
	if len(buf) != 0 {
		t.Errorf("%d bytes are left", len(buf))
	}
}

func TestDecodeDirentRefusesDamage(t *testing.T) {
	d := Dirent{Fileno: 1, Type: DT_REG, Name: "one"}
	whole := d.Append(nil)
	damage := map[string][]byte{
		"empty":         nil,
		"short header":  whole[:12],
		"short record":  whole[:23],
		"zero length":   bytes.Replace(whole, []byte{24, 0, 3}, []byte{0, 0, 3}, 1),
		"name too long": bytes.Replace(whole, []byte{24, 0, 3}, []byte{24, 0, 11}, 1),
	}
	for name, b := range damage {
		if got, rest, err := DecodeDirent(b); err != EINVAL || len(rest) != len(b) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestDirentAppendDoesNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 4096)
	d := Dirent{Fileno: 1, Type: DT_REG, Name: "some-name"}
	if n := testing.AllocsPerRun(100, func() { buf = d.Append(buf[:0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
