package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// A progress tells on standard error how far the sections are, once they have
// taken a second: on a terminal in one line that is kept up to date, elsewhere
// in a line each time the time since the start has doubled.
type progress struct {
	w        io.Writer
	terminal bool
	total    int
	done     int
	start    time.Time
	next     time.Time
	shown    bool
}

// redraw is how often the line on a terminal changes.
const redraw = 200 * time.Millisecond

func newProgress(w io.Writer, total int, now time.Time) *progress {
	f, ok := w.(*os.File)
	return &progress{
		w: w, terminal: ok && term.IsTerminal(int(f.Fd())),
		total: total, start: now, next: now.Add(time.Second),
	}
}

// step counts a section that is done.
func (p *progress) step(now time.Time) {
	p.done++
	if now.Before(p.next) || p.done == p.total {
		return
	}
	if p.terminal {
		p.next = now.Add(redraw)
		fmt.Fprintf(p.w, "\r%d of %d sections", p.done, p.total)
	} else {
		p.next = now.Add(now.Sub(p.start))
		fmt.Fprintf(p.w, "%d of %d sections\n", p.done, p.total)
	}
	p.shown = true
}

// clear takes the line off a terminal, before anything else is written there
// or at the end.
func (p *progress) clear() {
	if p.shown && p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	p.shown = false
}
