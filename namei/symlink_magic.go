package namei

import (
	"strconv"
	"strings"

	"rumpvfs/kern"
)

// MagicLinks is what the magic strings in symbolic links stand for: with it
// in a [Cwdinfo], "@machine" or "@{machine}" in the text of a link is replaced
// as symlink(7) says. "@uid", "@ruid", "@gid" and "@rgid" need no field: they are
// the credentials' numbers.
type MagicLinks struct {
	MachineArch, Machine      string
	Hostname, Domainname      string
	Ostype, Osrelease         string
	KernelIdent, EmulationTag string
}

// value returns the text for a magic string. The order is the order in which
// they are tried; it does not matter, since each must end where a string ends.
func (m *MagicLinks) value(name string, cred *kern.Cred) (string, bool) {
	switch name {
	case "machine_arch":
		return m.MachineArch, true
	case "machine":
		return m.Machine, true
	case "hostname":
		return m.Hostname, true
	case "osrelease":
		return m.Osrelease, true
	case "emul":
		return m.EmulationTag, true
	case "kernel_ident":
		return m.KernelIdent, true
	case "domainname":
		return m.Domainname, true
	case "ostype":
		return m.Ostype, true
	case "uid":
		return strconv.FormatUint(uint64(cred.EUID), 10), true
	case "ruid":
		return strconv.FormatUint(uint64(cred.UID), 10), true
	case "gid":
		return strconv.FormatUint(uint64(cred.EGID), 10), true
	case "rgid":
		return strconv.FormatUint(uint64(cred.GID), 10), true
	}
	return "", false
}

// substitute returns text with its magic strings replaced, in text's own
// memory of at least MAXPATHLEN bytes. A string is "@name" before a slash or the
// end, or "@{name}"; once an opening brace was not followed by a string, strings
// without one must end in a closing brace as well. ENAMETOOLONG if there is
// no room for a replacement.
//
//netbsd:sys/kern/vfs_lookup.c symlink_magic
func (m *MagicLinks) substitute(text []byte, cred *kern.Cred, quirks kern.Quirks) ([]byte, error) {
	src := string(text)
	out := text[:0]
	braces := false
	for i := 0; i < len(src); {
		if src[i] != '@' {
			out = append(out, src[i])
			i++
			continue
		}
		i++
		if i < len(src) && src[i] == '{' {
			braces = true
			i++
		}
		value, n, ok := m.match(src[i:], braces, cred)
		if !ok {
			out = append(out, '@')
			if braces {
				out = append(out, '{')
			}
			continue
		}
		if len(out)+len(value) >= kern.MAXPATHLEN {
			return nil, kern.ENAMETOOLONG
		}
		out = append(out, value...)
		i += n
		braces = false
	}
	if len(out) > kern.MAXPATHLEN {
		if quirks.Has(kern.QuirkMagicSymlinkOverflow) {
			kern.QuirkMagicSymlinkOverflow.Undefined()
		}
		return nil, kern.ENAMETOOLONG
	}
	return out, nil
}

// match returns the replacement of the magic string at the start of s and how
// many bytes of s it takes the place of.
func (m *MagicLinks) match(s string, braces bool, cred *kern.Cred) (value string, n int, ok bool) {
	end, taken := len(s), len(s)
	if braces {
		end = strings.IndexByte(s, '}')
		taken = end + 1
	} else if i := strings.IndexByte(s, '/'); i >= 0 {
		end, taken = i, i
	}
	if end < 0 {
		return "", 0, false
	}
	value, ok = m.value(s[:end], cred)
	return value, taken, ok
}
