//go:build linux

package fusefs

import (
	"syscall"

	"rumpvfs/kern"
)

// errnos are the host's numbers for the kernel's. Those that the host does not
// know become the nearest that it does: each has its reason.
var errnos = [kern.ELAST + 1]syscall.Errno{
	kern.EPERM:           syscall.EPERM,
	kern.ENOENT:          syscall.ENOENT,
	kern.ESRCH:           syscall.ESRCH,
	kern.EINTR:           syscall.EINTR,
	kern.EIO:             syscall.EIO,
	kern.ENXIO:           syscall.ENXIO,
	kern.E2BIG:           syscall.E2BIG,
	kern.ENOEXEC:         syscall.ENOEXEC,
	kern.EBADF:           syscall.EBADF,
	kern.ECHILD:          syscall.ECHILD,
	kern.EDEADLK:         syscall.EDEADLK,
	kern.ENOMEM:          syscall.ENOMEM,
	kern.EACCES:          syscall.EACCES,
	kern.EFAULT:          syscall.EFAULT,
	kern.ENOTBLK:         syscall.ENOTBLK,
	kern.EBUSY:           syscall.EBUSY,
	kern.EEXIST:          syscall.EEXIST,
	kern.EXDEV:           syscall.EXDEV,
	kern.ENODEV:          syscall.ENODEV,
	kern.ENOTDIR:         syscall.ENOTDIR,
	kern.EISDIR:          syscall.EISDIR,
	kern.EINVAL:          syscall.EINVAL,
	kern.ENFILE:          syscall.ENFILE,
	kern.EMFILE:          syscall.EMFILE,
	kern.ENOTTY:          syscall.ENOTTY,
	kern.ETXTBSY:         syscall.ETXTBSY,
	kern.EFBIG:           syscall.EFBIG,
	kern.ENOSPC:          syscall.ENOSPC,
	kern.ESPIPE:          syscall.ESPIPE,
	kern.EROFS:           syscall.EROFS,
	kern.EMLINK:          syscall.EMLINK,
	kern.EPIPE:           syscall.EPIPE,
	kern.EDOM:            syscall.EDOM,
	kern.ERANGE:          syscall.ERANGE,
	kern.EAGAIN:          syscall.EAGAIN,
	kern.EINPROGRESS:     syscall.EINPROGRESS,
	kern.EALREADY:        syscall.EALREADY,
	kern.ENOTSOCK:        syscall.ENOTSOCK,
	kern.EDESTADDRREQ:    syscall.EDESTADDRREQ,
	kern.EMSGSIZE:        syscall.EMSGSIZE,
	kern.EPROTOTYPE:      syscall.EPROTOTYPE,
	kern.ENOPROTOOPT:     syscall.ENOPROTOOPT,
	kern.EPROTONOSUPPORT: syscall.EPROTONOSUPPORT,
	kern.ESOCKTNOSUPPORT: syscall.ESOCKTNOSUPPORT,
	kern.EOPNOTSUPP:      syscall.EOPNOTSUPP,
	kern.EPFNOSUPPORT:    syscall.EPFNOSUPPORT,
	kern.EAFNOSUPPORT:    syscall.EAFNOSUPPORT,
	kern.EADDRINUSE:      syscall.EADDRINUSE,
	kern.EADDRNOTAVAIL:   syscall.EADDRNOTAVAIL,
	kern.ENETDOWN:        syscall.ENETDOWN,
	kern.ENETUNREACH:     syscall.ENETUNREACH,
	kern.ENETRESET:       syscall.ENETRESET,
	kern.ECONNABORTED:    syscall.ECONNABORTED,
	kern.ECONNRESET:      syscall.ECONNRESET,
	kern.ENOBUFS:         syscall.ENOBUFS,
	kern.EISCONN:         syscall.EISCONN,
	kern.ENOTCONN:        syscall.ENOTCONN,
	kern.ESHUTDOWN:       syscall.ESHUTDOWN,
	kern.ETOOMANYREFS:    syscall.ETOOMANYREFS,
	kern.ETIMEDOUT:       syscall.ETIMEDOUT,
	kern.ECONNREFUSED:    syscall.ECONNREFUSED,
	kern.ELOOP:           syscall.ELOOP,
	kern.ENAMETOOLONG:    syscall.ENAMETOOLONG,
	kern.EHOSTDOWN:       syscall.EHOSTDOWN,
	kern.EHOSTUNREACH:    syscall.EHOSTUNREACH,
	kern.ENOTEMPTY:       syscall.ENOTEMPTY,
	kern.EPROCLIM:        syscall.EAGAIN, // what fork says of too many processes
	kern.EUSERS:          syscall.EUSERS,
	kern.EDQUOT:          syscall.EDQUOT,
	kern.ESTALE:          syscall.ESTALE,
	kern.EREMOTE:         syscall.EREMOTE,
	kern.EBADRPC:         syscall.EPROTO, // a call of another machine went wrong, as for the next four
	kern.ERPCMISMATCH:    syscall.EPROTO,
	kern.EPROGUNAVAIL:    syscall.EPROTO,
	kern.EPROGMISMATCH:   syscall.EPROTO,
	kern.EPROCUNAVAIL:    syscall.EPROTO,
	kern.ENOLCK:          syscall.ENOLCK,
	kern.ENOSYS:          syscall.EOPNOTSUPP, // ENOSYS would tell the host never to ask for this again
	kern.EFTYPE:          syscall.EINVAL,     // not for this type of file
	kern.EAUTH:           syscall.EACCES,     // who calls could not show who it is
	kern.ENEEDAUTH:       syscall.EACCES,
	kern.EIDRM:           syscall.EIDRM,
	kern.ENOMSG:          syscall.ENOMSG,
	kern.EOVERFLOW:       syscall.EOVERFLOW,
	kern.EILSEQ:          syscall.EILSEQ,
	kern.ENOTSUP:         syscall.ENOTSUP,
	kern.ECANCELED:       syscall.ECANCELED,
	kern.EBADMSG:         syscall.EBADMSG,
	kern.ENODATA:         syscall.ENODATA,
	kern.ENOSR:           syscall.ENOSR,
	kern.ENOSTR:          syscall.ENOSTR,
	kern.ETIME:           syscall.ETIME,
	kern.ENOATTR:         syscall.ENODATA, // the host's name for it
	kern.EMULTIHOP:       syscall.EMULTIHOP,
	kern.ENOLINK:         syscall.ENOLINK,
	kern.EPROTO:          syscall.EPROTO,
}

// hostErrno is the host's number for e. What never leaves a kernel is EIO.
func hostErrno(e kern.Errno) syscall.Errno {
	if e < 0 || int(e) >= len(errnos) {
		return syscall.EIO
	}
	return errnos[e]
}
