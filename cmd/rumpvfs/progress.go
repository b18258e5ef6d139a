package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// A liveLine tells on standard error how far something is, once it has taken a
// second: on a terminal in one line that is kept up to date, elsewhere in a
// line each time the time since the start has doubled.
type liveLine struct {
	w        io.Writer
	terminal bool
	start    time.Time
	next     time.Time
	shown    bool
}

// redraw is how often the line on a terminal changes.
const redraw = 200 * time.Millisecond

func newLiveLine(w io.Writer, now time.Time) *liveLine {
	f, ok := w.(*os.File)
	return &liveLine{w: w, terminal: ok && term.IsTerminal(int(f.Fd())), start: now, next: now.Add(time.Second)}
}

// due reports whether it is time to print.
func (p *liveLine) due(now time.Time) bool { return !now.Before(p.next) }

func (p *liveLine) print(now time.Time, text string) {
	if p.terminal {
		p.next = now.Add(redraw)
		fmt.Fprintf(p.w, "\r%s\x1b[K", text)
	} else {
		p.next = now.Add(now.Sub(p.start))
		fmt.Fprintln(p.w, text)
	}
	p.shown = true
}

// clear takes the line off a terminal, before anything else is written there
// or at the end.
func (p *liveLine) clear() {
	if p.shown && p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	p.shown = false
}

// A progress tells how many of the sections are done.
type progress struct {
	*liveLine
	total int
	done  int
}

func newProgress(w io.Writer, total int, now time.Time) *progress {
	return &progress{liveLine: newLiveLine(w, now), total: total}
}

// step counts a section that is done.
func (p *progress) step(now time.Time) {
	if p.done++; p.due(now) && p.done < p.total {
		p.print(now, fmt.Sprintf("%d of %d sections", p.done, p.total))
	}
}
