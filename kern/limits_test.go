package kern

import "testing"

func TestUnits(t *testing.T) {
	for _, c := range []struct{ bytes, round, trunc, blocks int64 }{
		{0, 0, 0, 0}, {1, 4096, 0, 0}, {511, 4096, 0, 0}, {512, 4096, 0, 1}, {4095, 4096, 0, 7},
		{4096, 4096, 4096, 8}, {4097, 8192, 4096, 8}, {1 << 62, 1 << 62, 1 << 62, 1 << 53},
	} {
		if RoundPage(c.bytes) != c.round || TruncPage(c.bytes) != c.trunc || Btodb(c.bytes) != c.blocks {
			t.Errorf("%d bytes: round %d, trunc %d, blocks %d; want %d, %d, %d", c.bytes,
				RoundPage(c.bytes), TruncPage(c.bytes), Btodb(c.bytes), c.round, c.trunc, c.blocks)
		}
		if Dbtob(c.blocks) != c.bytes&^(DEV_BSIZE-1) {
			t.Errorf("%d blocks are %d bytes", c.blocks, Dbtob(c.blocks))
		}
	}
}

func TestOpenFlagsConvert(t *testing.T) {
	for oflags, fflags := range map[int32]int32{
		O_RDONLY:                    FREAD,
		O_WRONLY | O_APPEND:         FWRITE | FAPPEND,
		O_RDWR | O_CREAT:            FREAD | FWRITE | O_CREAT,
		O_RDWR | O_APPEND | O_SYNC:  FREAD | FWRITE | FAPPEND | FFSYNC,
		O_RDONLY | O_NONBLOCK | 256: FREAD | FNONBLOCK | O_NOFOLLOW,
	} {
		if FFLAGS(oflags) != fflags || OFLAGS(fflags) != oflags {
			t.Errorf("%#x converts to %#x and %#x to %#x", oflags, FFLAGS(oflags), fflags, OFLAGS(fflags))
		}
	}
	if F_PARAM_LEN(F_FSCTL|F_FSIN|12<<16|1) != 12 {
		t.Error("a file system command loses the length of its parameter")
	}
}
