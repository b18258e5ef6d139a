//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package hypercall

import "syscall"

const textBusy = syscall.ETXTBSY

func mkfifo(name string) error { return syscall.Mkfifo(name, 0o644) }
