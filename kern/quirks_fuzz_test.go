package kern

import "testing"

// FuzzParseQuirks reads sets of quirks; what is one is written and read again as the same.
func FuzzParseQuirks(f *testing.F) {
	for _, s := range []string{"", "rev1125", "fixed", "rev1125,-sticky", "fixed, sticky,fifo-io", "sticky,-sticky", ",", "-", "rev1125,fixed"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseQuirks(text)
		if err != nil {
			return
		}
		if again, err := ParseQuirks(s.String()); err != nil || again != s || s&^Rev1125 != 0 {
			t.Errorf("%q is %v, and that %v, %v", text, s, again, err)
		}
	})
}
