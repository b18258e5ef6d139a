package gofs

import (
	"errors"
	"strings"

	"rumpvfs/kern"
)

// RemoveAll removes path and all that is below it. That there is nothing is no error. Trees may be deeper than a path is
// long. It stops at the first thing that cannot be removed; what went before stays removed.
func (o *OS) RemoveAll(path string) error {
	if path == "" {
		return nil
	}
	if last := base(path); last == "." || last == ".." {
		return pathError("removeall", path, kern.EINVAL)
	}
	err := o.Remove(path)
	if err == nil || errors.Is(err, kern.ENOENT) {
		return nil
	}
	if st, serr := o.p.Lstat(path); serr != nil || !isDir(&st) {
		return err
	}
	if err := o.emptyDir(path); err != nil {
		return pathError("removeall", path, err)
	}
	return pathError("removeall", path, o.p.Rmdir(strings.TrimRight(path, "/")))
}

// A descent is a way down from a directory, of which only the lowest is open: descriptors are few, and paths have an end.
type descent struct {
	o     *OS
	fd    int         // the lowest directory
	names []string    // by which it is reached
	above []kern.Stat // the directories that they stand in, so that it is noticed if ".." leads elsewhere
}

// emptyDir removes all that is in a directory.
func (o *OS) emptyDir(path string) error {
	fd, err := o.p.Open(path, kern.O_RDONLY|kern.O_DIRECTORY|kern.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	d := &descent{o: o, fd: fd}
	for {
		sub, err := d.removeFiles()
		if err == nil && sub != "" {
			err = d.down(sub)
		} else if err == nil && len(d.names) > 0 {
			err = d.up()
		} else {
			return first(err, o.p.Close(d.fd))
		}
		if err != nil {
			_ = o.p.Close(d.fd)
			return err
		}
	}
}

// removeFiles removes what is in the lowest directory up to the first directory that is not empty, whose name it gives.
func (d *descent) removeFiles() (sub string, err error) {
	f := &File{os: d.o, fd: d.fd}
	for {
		// From the begin each time: removing may move what comes after.
		if _, err := f.Seek(0, 0); err != nil {
			return "", err
		}
		list, err := f.ReadDir(-1)
		if err != nil {
			return "", err
		}
		if len(list) == 0 {
			return "", nil
		}
		for _, e := range list {
			if sub, err = d.remove(e.Name()); err != nil || sub != "" {
				return sub, err
			}
		}
	}
}

// remove removes a name of the lowest directory, or gives it back if it is that of a directory with something in it.
func (d *descent) remove(name string) (sub string, err error) {
	p := d.o.p
	if err = p.Unlinkat(d.fd, name, 0); err == nil || err == kern.ENOENT {
		return "", nil
	}
	switch notDir := p.Unlinkat(d.fd, name, kern.AT_REMOVEDIR); notDir {
	case nil, kern.ENOENT:
		return "", nil
	case kern.ENOTEMPTY:
		return name, nil
	case kern.ENOTDIR:
		return "", err
	default:
		return "", notDir
	}
}

func (d *descent) down(name string) error {
	st, err := d.o.p.Fstat(d.fd)
	if err != nil {
		return err
	}
	fd, err := d.o.p.Openat(d.fd, name, kern.O_RDONLY|kern.O_DIRECTORY|kern.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	d.names, d.above = append(d.names, name), append(d.above, st)
	return d.move(fd)
}

// up leaves the lowest directory and removes it.
func (d *descent) up() error {
	fd, err := d.o.p.Openat(d.fd, "..", kern.O_RDONLY|kern.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	last := len(d.names) - 1
	name, was := d.names[last], d.above[last]
	d.names, d.above = d.names[:last], d.above[:last]
	if err := d.move(fd); err != nil {
		return err
	}
	st, err := d.o.p.Fstat(fd)
	if err == nil && (st.Dev != was.Dev || st.Ino != was.Ino) {
		err = kern.EBUSY // somebody moves the tree about
	}
	return first(err, d.o.p.Unlinkat(fd, name, kern.AT_REMOVEDIR))
}

// move makes fd the lowest directory.
func (d *descent) move(fd int) error {
	err := d.o.p.Close(d.fd)
	d.fd = fd
	return err
}
