package fifofs

import "rumpvfs/kern"

// pipsiz is how many bytes a fifo holds (PIPSIZ), lowat how much room there
// must be at least before more than that is written in parts.
const (
	pipsiz = 4096
	lowat  = 2048
)

// sockbuf is a queue of bytes: what in the C kernel is the receive buffer of a
// local socket, by which the room in the sender's is limited as well.
type sockbuf struct {
	data  []byte // a ring of pipsiz bytes; made with the first
	first int
	cc    int // bytes in it
}

// space is how many bytes there is room for.
func (sb *sockbuf) space() int { return pipsiz - sb.cc }

// append takes as much as there is room for from uio. EFAULT if that has less
// memory than it says.
func (sb *sockbuf) append(uio *kern.Uio) error {
	if sb.data == nil {
		sb.data = make([]byte, pipsiz)
	}
	for sb.space() > 0 && uio.Resid > 0 {
		end := (sb.first + sb.cc) % pipsiz
		part := sb.data[end:min(pipsiz, end+sb.space())]
		if err := sb.move(uio, part, 1); err != nil {
			return err
		}
	}
	return nil
}

// take gives uio as much as there is and it wants.
func (sb *sockbuf) take(uio *kern.Uio) error {
	for sb.cc > 0 && uio.Resid > 0 {
		part := sb.data[sb.first:min(pipsiz, sb.first+sb.cc)]
		before := sb.cc
		err := sb.move(uio, part, -1)
		sb.first = (sb.first + before - sb.cc) % pipsiz
		if err != nil {
			return err
		}
	}
	return nil
}

// move moves bytes between uio and a part of the ring, and counts each as sign
// more.
func (sb *sockbuf) move(uio *kern.Uio, part []byte, sign int) error {
	before := uio.Resid
	err := uio.Move(part)
	sb.cc += sign * int(before-uio.Resid)
	return err
}
