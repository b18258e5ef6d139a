package hypercall

import (
	"errors"
	"io/fs"
	"strconv"
)

// HostErrno is the error of a hypercall: NetBSD's number, whatever the host is. Zero is no error and never returned as one.
type HostErrno int

// The numbers that hosts of this package make themselves.
const (
	ePERM        HostErrno = 1
	eNOENT       HostErrno = 2
	eIO          HostErrno = 5
	eNXIO        HostErrno = 6
	eBADF        HostErrno = 9
	eACCES       HostErrno = 13
	eEXIST       HostErrno = 17
	eNOTDIR      HostErrno = 20
	eISDIR       HostErrno = 21
	eINVAL       HostErrno = 22
	eFBIG        HostErrno = 27
	eOPNOTSUPP   HostErrno = 45
	eLOOP        HostErrno = 62
	eNAMETOOLONG HostErrno = 63
	eNOTEMPTY    HostErrno = 66
	eNOSYS       HostErrno = 78
)

// errnoNames holds the names of NetBSD's errors; the index is the number.
var errnoNames = [...]string{
	1: "EPERM", "ENOENT", "ESRCH", "EINTR", "EIO", "ENXIO", "E2BIG", "ENOEXEC", "EBADF", "ECHILD",
	"EDEADLK", "ENOMEM", "EACCES", "EFAULT", "ENOTBLK", "EBUSY", "EEXIST", "EXDEV", "ENODEV", "ENOTDIR",
	"EISDIR", "EINVAL", "ENFILE", "EMFILE", "ENOTTY", "ETXTBSY", "EFBIG", "ENOSPC", "ESPIPE", "EROFS",
	"EMLINK", "EPIPE", "EDOM", "ERANGE", "EAGAIN", "EINPROGRESS", "EALREADY", "ENOTSOCK", "EDESTADDRREQ", "EMSGSIZE",
	"EPROTOTYPE", "ENOPROTOOPT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT", "EOPNOTSUPP", "EPFNOSUPPORT", "EAFNOSUPPORT",
	"EADDRINUSE", "EADDRNOTAVAIL", "ENETDOWN", "ENETUNREACH", "ENETRESET", "ECONNABORTED", "ECONNRESET", "ENOBUFS",
	"EISCONN", "ENOTCONN", "ESHUTDOWN", "ETOOMANYREFS", "ETIMEDOUT", "ECONNREFUSED", "ELOOP", "ENAMETOOLONG",
	"EHOSTDOWN", "EHOSTUNREACH", "ENOTEMPTY", "EPROCLIM", "EUSERS", "EDQUOT", "ESTALE", "EREMOTE", "EBADRPC",
	"ERPCMISMATCH", "EPROGUNAVAIL", "EPROGMISMATCH", "EPROCUNAVAIL", "ENOLCK", "ENOSYS", "EFTYPE", "EAUTH",
	"ENEEDAUTH", "EIDRM", "ENOMSG", "EOVERFLOW", "EILSEQ", "ENOTSUP", "ECANCELED", "EBADMSG", "ENODATA", "ENOSR",
	"ENOSTR", "ETIME", "ENOATTR", "EMULTIHOP", "ENOLINK", "EPROTO",
}

// Error returns the error's name.
func (e HostErrno) Error() string {
	if e > 0 && int(e) < len(errnoNames) {
		return errnoNames[e]
	}
	return "errno " + strconv.Itoa(int(e))
}

// Is makes errors.Is work with the errors of io/fs.
func (e HostErrno) Is(target error) bool {
	switch target {
	case fs.ErrNotExist:
		return e == eNOENT
	case fs.ErrExist:
		return e == eEXIST || e == eNOTEMPTY
	case fs.ErrPermission:
		return e == eACCES || e == ePERM
	case fs.ErrInvalid:
		return e == eINVAL
	case fs.ErrClosed:
		return e == eBADF
	case errors.ErrUnsupported:
		return e == eNOSYS || e == eOPNOTSUPP
	}
	return false
}
