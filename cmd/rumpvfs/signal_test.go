package main

import (
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// signalled is the command "signalled SIGNAL STATUS PROGRAM ARG...": PROGRAM, which would run for long, must end with that status when
// it gets the signal, INT or TERM; with "killed" in place of a status, a second signal must kill it. What does not listen yet when the
// signal comes dies of it, and is tried again with more time.
func signalled(ts *testscript.TestScript, neg bool, args []string) {
	sig, known := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM}[args[0]]
	if neg || len(args) < 3 || !known {
		ts.Fatalf("usage: signalled INT|TERM STATUS|killed PROGRAM ARG...")
	}
	for wait := 30 * time.Millisecond; wait < 10*time.Second; wait *= 2 {
		signals := 1
		if args[1] == "killed" {
			signals = 1000 // the second may come while the first is being heard
		}
		status, sent := sends(ts, sig, signals, wait, args[2:])
		switch {
		case status < 0 && sent == 1:
			continue
		case status < 0 && args[1] == "killed", args[1] == strconv.Itoa(status):
			return
		}
		ts.Fatalf("exit status %d, want %s", status, args[1])
	}
	ts.Fatalf("the first signal kills it")
}

// sends runs a program and sends it up to n signals, waiting before each. The status is -1 if it dies of the last that was sent.
func sends(ts *testscript.TestScript, sig syscall.Signal, n int, wait time.Duration, args []string) (status, sent int) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = ts.MkAbs("."), ts.Stdout(), ts.Stderr()
	_, err := cmd.StdinPipe() // which never comes to its end
	ts.Check(err)
	ts.Check(cmd.Start())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	for ; sent < n; sent++ {
		select {
		case <-ended:
			return cmd.ProcessState.ExitCode(), sent
		case <-time.After(wait):
			_ = cmd.Process.Signal(sig)
		}
	}
	<-ended
	return cmd.ProcessState.ExitCode(), sent
}
