package kern

import (
	"fmt"
	"testing"
)

func TestQuirkTableIsComplete(t *testing.T) {
	names := map[string]bool{}
	for _, q := range AllQuirks() {
		i := q.Info()
		if i.Name == "" || i.Layer == "" || i.What == "" || i.Cause == "" || i.Intended == "" {
			t.Errorf("quirk %d is not fully described: %+v", q, i)
		}
		if names[i.Name] {
			t.Errorf("two quirks are named %s", i.Name)
		}
		names[i.Name] = true
		if !Rev1125.Has(q) || Fixed.Has(q) {
			t.Errorf("%s: Rev1125 %v, Fixed %v", q, Rev1125.Has(q), Fixed.Has(q))
		}
	}
}

func TestParseQuirks(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Quirks
	}{
		{"rev1125", Rev1125},
		{"fixed", Fixed},
		{"", Fixed},
		{"rev1125,-sticky, -undelete", Rev1125.Without(QuirkSticky).Without(QuirkUndelete)},
		{"sticky", Fixed.With(QuirkSticky)},
		{"fixed,sticky,pathconf,-sticky", Fixed.With(QuirkPathconf)},
		{"-sticky", Fixed},
	} {
		got, err := ParseQuirks(c.in)
		if err != nil || got != c.want {
			t.Errorf("ParseQuirks(%q) = %v, %v, want %v", c.in, got, err, c.want)
		}
		if again, err := ParseQuirks(got.String()); err != nil || again != got {
			t.Errorf("%q writes itself as %q, which reads as %v, %v", c.in, got, again, err)
		}
	}
	for _, in := range []string{"rev1126", "fixed,rev1125", "rev1125,-nosuch", "rev1125,,sticky"} {
		if s, err := ParseQuirks(in); err == nil {
			t.Errorf("ParseQuirks(%q) = %v, want an error", in, s)
		}
	}
}

func TestQuirkUndefined(t *testing.T) {
	defer func() {
		if p, ok := recover().(*Panic); !ok || p.Msg != "undefined: write-not-file" {
			t.Errorf("panicked with %v", p)
		}
	}()
	QuirkWriteNotFile.Undefined()
}

func ExampleParseQuirks() {
	q, err := ParseQuirks("rev1125,-sticky")
	fmt.Println(q, q.Has(QuirkSticky), q.Has(QuirkUndelete), err)
	// Output: rev1125,-sticky false true <nil>
}
