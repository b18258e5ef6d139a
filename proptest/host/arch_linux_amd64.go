package host

import "golang.org/x/sys/unix"

// sysFstatat is fstatat, which goes by two names.
const sysFstatat = unix.SYS_NEWFSTATAT
