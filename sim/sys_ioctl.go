package sim

import (
	"rumpvfs/hypercall"
	"rumpvfs/kern"
)

// Ioctl does what com asks for on an open file. data is what com says: an
// *int32 for FIONREAD, FIONWRITE, FIONSPACE, FIONBIO and FIOASYNC, which every
// file that can be waited for knows; EFAULT for other data, ENOTTY for a command
// that the file does not know.
//
//netbsd:sys/kern/sys_generic.c sys_ioctl
func (p *Proc) Ioctl(fd int, com uint64, data any) (err error) {
	l, err := p.enter("ioctl")
	if err != nil {
		return err
	}
	defer p.leave(l, &err)
	fp := p.fd.Get(l, fd)
	if fp == nil {
		return kern.EBADF
	}
	defer p.fd.Putfile(l, fd)
	if com == kern.FIONBIO || com == kern.FIOASYNC {
		on, ok := data.(*int32)
		if !ok {
			return kern.EFAULT
		}
		flag := int32(kern.FNONBLOCK)
		if com == kern.FIOASYNC {
			flag = kern.FASYNC
		}
		fp.Touch(l, hypercall.Write)
		if *on != 0 {
			fp.SetFlag(flag)
		} else {
			fp.ClearFlag(flag)
		}
	}
	if err = fp.Ops.Ioctl(l, fp, com, data); err == kern.EPASSTHROUGH {
		err = kern.ENOTTY
	}
	return err
}
