package kern

import (
	"errors"
	"io/fs"
	"strconv"
)

// An Errno is a NetBSD error number, and the only kind of error that kernel code returns. Zero is no error and is
// never stored in an error value; see [Errno.Err].
//
// It is one byte wide because every number the kernel has fits, the negative ones included, and because Go turns a
// one-byte value into an interface without allocating.
type Errno int8

// The error numbers of <sys/errno.h>.
const (
	EPERM           Errno = 1      // the caller may not do this
	ENOENT          Errno = 2      // nothing has that name
	ESRCH           Errno = 3      // no process has that number
	EINTR           Errno = 4      // a signal ended the call early
	EIO             Errno = 5      // the device failed, or the file is gone
	ENXIO           Errno = 6      // no driver answers for this device
	E2BIG           Errno = 7      // the arguments take too much room
	ENOEXEC         Errno = 8      // the file is not a program
	EBADF           Errno = 9      // the descriptor is not open, or not open for this
	ECHILD          Errno = 10     // there is no child to wait for
	EDEADLK         Errno = 11     // waiting for this lock would never end
	ENOMEM          Errno = 12     // memory is short
	EACCES          Errno = 13     // the permission bits refuse it
	EFAULT          Errno = 14     // the address is not the caller's
	ENOTBLK         Errno = 15     // a block device is needed
	EBUSY           Errno = 16     // something is using it
	EEXIST          Errno = 17     // the name is taken
	EXDEV           Errno = 18     // the two names are on different file systems
	ENODEV          Errno = 19     // the device or file system cannot do this
	ENOTDIR         Errno = 20     // a directory is needed here
	EISDIR          Errno = 21     // a directory cannot be used so
	EINVAL          Errno = 22     // an argument makes no sense
	ENFILE          Errno = 23     // the system has too many files open
	EMFILE          Errno = 24     // the process has too many files open
	ENOTTY          Errno = 25     // the file does not know this control request
	ETXTBSY         Errno = 26     // the file is a running program
	EFBIG           Errno = 27     // the file would grow too large
	ENOSPC          Errno = 28     // no room is left
	ESPIPE          Errno = 29     // the file has no position to move
	EROFS           Errno = 30     // the file system is mounted read-only
	EMLINK          Errno = 31     // the file has as many names as it may have
	EPIPE           Errno = 32     // nobody reads the other end
	EDOM            Errno = 33     // the argument is outside the function's domain
	ERANGE          Errno = 34     // the result does not fit
	EAGAIN          Errno = 35     // it would have to wait; try again later
	EWOULDBLOCK           = EAGAIN // it would have to wait; try again later
	EINPROGRESS     Errno = 36     // the operation has begun and goes on
	EALREADY        Errno = 37     // the operation is under way already
	ENOTSOCK        Errno = 38     // a socket is needed
	EDESTADDRREQ    Errno = 39     // a destination is needed
	EMSGSIZE        Errno = 40     // the message is too long
	EPROTOTYPE      Errno = 41     // the protocol does not fit this kind of socket
	ENOPROTOOPT     Errno = 42     // the protocol has no such option
	EPROTONOSUPPORT Errno = 43     // the protocol is not available
	ESOCKTNOSUPPORT Errno = 44     // this kind of socket is not available
	EOPNOTSUPP      Errno = 45     // the object does not offer this operation
	EPFNOSUPPORT    Errno = 46     // the protocol family is not available
	EAFNOSUPPORT    Errno = 47     // the protocol family cannot use such addresses
	EADDRINUSE      Errno = 48     // the address is taken
	EADDRNOTAVAIL   Errno = 49     // the address is not one of ours
	ENETDOWN        Errno = 50     // the network is not running
	ENETUNREACH     Errno = 51     // no way leads to that network
	ENETRESET       Errno = 52     // the network restarted and cut the connection
	ECONNABORTED    Errno = 53     // this side gave the connection up
	ECONNRESET      Errno = 54     // the other side cut the connection
	ENOBUFS         Errno = 55     // no buffer is free
	EISCONN         Errno = 56     // the socket has a connection already
	ENOTCONN        Errno = 57     // the socket has no connection
	ESHUTDOWN       Errno = 58     // the sending side was shut down
	ETOOMANYREFS    Errno = 59     // too many references to splice
	ETIMEDOUT       Errno = 60     // the time ran out
	ECONNREFUSED    Errno = 61     // the other side does not take connections
	ELOOP           Errno = 62     // too many symbolic links on the way
	ENAMETOOLONG    Errno = 63     // the name or the path is too long
	EHOSTDOWN       Errno = 64     // the host does not run
	EHOSTUNREACH    Errno = 65     // no way leads to that host
	ENOTEMPTY       Errno = 66     // the directory still has entries
	EPROCLIM        Errno = 67     // too many processes
	EUSERS          Errno = 68     // too many users
	EDQUOT          Errno = 69     // the quota is used up
	ESTALE          Errno = 70     // the file handle's file is gone
	EREMOTE         Errno = 71     // the path goes through too many remote mounts
	EBADRPC         Errno = 72     // the remote call is malformed
	ERPCMISMATCH    Errno = 73     // the remote call's version is not spoken here
	EPROGUNAVAIL    Errno = 74     // the remote program is not there
	EPROGMISMATCH   Errno = 75     // the remote program has another version
	EPROCUNAVAIL    Errno = 76     // the remote program has no such procedure
	ENOLCK          Errno = 77     // no more locks can be had
	ENOSYS          Errno = 78     // the kernel has no such call
	EFTYPE          Errno = 79     // the file is of the wrong type for this
	EAUTH           Errno = 80     // the credentials were not accepted
	ENEEDAUTH       Errno = 81     // credentials are needed first
	EIDRM           Errno = 82     // the identifier was taken away
	ENOMSG          Errno = 83     // no message of that kind is waiting
	EOVERFLOW       Errno = 84     // the value does not fit its type
	EILSEQ          Errno = 85     // the bytes are no character
	ENOTSUP         Errno = 86     // this is not implemented for it
	ECANCELED       Errno = 87     // the operation was called off
	EBADMSG         Errno = 88     // the message is damaged
	ENODATA         Errno = 89     // no data is waiting
	ENOSR           Errno = 90     // the stream has run out of resources
	ENOSTR          Errno = 91     // a stream is needed
	ETIME           Errno = 92     // the stream's time ran out
	ENOATTR         Errno = 93     // the file has no such attribute
	EMULTIHOP       Errno = 94     // the way has more than one hop
	ENOLINK         Errno = 95     // the link was cut
	EPROTO          Errno = 96     // the protocol was violated

	ELAST = EPROTO // the largest number
)

// Numbers that never leave the kernel: they tell the layer above how to go on.
const (
	EJUSTRETURN  Errno = -2 // inside the kernel: leave the caller's registers alone
	ERESTART     Errno = -3 // inside the kernel: start the call over
	EPASSTHROUGH Errno = -4 // inside the kernel: this layer does not know the request
	EDUPFD       Errno = -5 // inside the kernel: duplicate the descriptor handed back
	EMOVEFD      Errno = -6 // inside the kernel: move the descriptor handed back
)

// errnoText pairs a number's name with a sentence for people.
type errnoText struct{ name, says string }

var errnoTexts = [...]errnoText{
	EPERM:           {"EPERM", "the caller may not do this"},
	ENOENT:          {"ENOENT", "nothing has that name"},
	ESRCH:           {"ESRCH", "no process has that number"},
	EINTR:           {"EINTR", "a signal ended the call early"},
	EIO:             {"EIO", "the device failed, or the file is gone"},
	ENXIO:           {"ENXIO", "no driver answers for this device"},
	E2BIG:           {"E2BIG", "the arguments take too much room"},
	ENOEXEC:         {"ENOEXEC", "the file is not a program"},
	EBADF:           {"EBADF", "the descriptor is not open, or not open for this"},
	ECHILD:          {"ECHILD", "there is no child to wait for"},
	EDEADLK:         {"EDEADLK", "waiting for this lock would never end"},
	ENOMEM:          {"ENOMEM", "memory is short"},
	EACCES:          {"EACCES", "the permission bits refuse it"},
	EFAULT:          {"EFAULT", "the address is not the caller's"},
	ENOTBLK:         {"ENOTBLK", "a block device is needed"},
	EBUSY:           {"EBUSY", "something is using it"},
	EEXIST:          {"EEXIST", "the name is taken"},
	EXDEV:           {"EXDEV", "the two names are on different file systems"},
	ENODEV:          {"ENODEV", "the device or file system cannot do this"},
	ENOTDIR:         {"ENOTDIR", "a directory is needed here"},
	EISDIR:          {"EISDIR", "a directory cannot be used so"},
	EINVAL:          {"EINVAL", "an argument makes no sense"},
	ENFILE:          {"ENFILE", "the system has too many files open"},
	EMFILE:          {"EMFILE", "the process has too many files open"},
	ENOTTY:          {"ENOTTY", "the file does not know this control request"},
	ETXTBSY:         {"ETXTBSY", "the file is a running program"},
	EFBIG:           {"EFBIG", "the file would grow too large"},
	ENOSPC:          {"ENOSPC", "no room is left"},
	ESPIPE:          {"ESPIPE", "the file has no position to move"},
	EROFS:           {"EROFS", "the file system is mounted read-only"},
	EMLINK:          {"EMLINK", "the file has as many names as it may have"},
	EPIPE:           {"EPIPE", "nobody reads the other end"},
	EDOM:            {"EDOM", "the argument is outside the function's domain"},
	ERANGE:          {"ERANGE", "the result does not fit"},
	EAGAIN:          {"EAGAIN", "it would have to wait; try again later"},
	EINPROGRESS:     {"EINPROGRESS", "the operation has begun and goes on"},
	EALREADY:        {"EALREADY", "the operation is under way already"},
	ENOTSOCK:        {"ENOTSOCK", "a socket is needed"},
	EDESTADDRREQ:    {"EDESTADDRREQ", "a destination is needed"},
	EMSGSIZE:        {"EMSGSIZE", "the message is too long"},
	EPROTOTYPE:      {"EPROTOTYPE", "the protocol does not fit this kind of socket"},
	ENOPROTOOPT:     {"ENOPROTOOPT", "the protocol has no such option"},
	EPROTONOSUPPORT: {"EPROTONOSUPPORT", "the protocol is not available"},
	ESOCKTNOSUPPORT: {"ESOCKTNOSUPPORT", "this kind of socket is not available"},
	EOPNOTSUPP:      {"EOPNOTSUPP", "the object does not offer this operation"},
	EPFNOSUPPORT:    {"EPFNOSUPPORT", "the protocol family is not available"},
	EAFNOSUPPORT:    {"EAFNOSUPPORT", "the protocol family cannot use such addresses"},
	EADDRINUSE:      {"EADDRINUSE", "the address is taken"},
	EADDRNOTAVAIL:   {"EADDRNOTAVAIL", "the address is not one of ours"},
	ENETDOWN:        {"ENETDOWN", "the network is not running"},
	ENETUNREACH:     {"ENETUNREACH", "no way leads to that network"},
	ENETRESET:       {"ENETRESET", "the network restarted and cut the connection"},
	ECONNABORTED:    {"ECONNABORTED", "this side gave the connection up"},
	ECONNRESET:      {"ECONNRESET", "the other side cut the connection"},
	ENOBUFS:         {"ENOBUFS", "no buffer is free"},
	EISCONN:         {"EISCONN", "the socket has a connection already"},
	ENOTCONN:        {"ENOTCONN", "the socket has no connection"},
	ESHUTDOWN:       {"ESHUTDOWN", "the sending side was shut down"},
	ETOOMANYREFS:    {"ETOOMANYREFS", "too many references to splice"},
	ETIMEDOUT:       {"ETIMEDOUT", "the time ran out"},
	ECONNREFUSED:    {"ECONNREFUSED", "the other side does not take connections"},
	ELOOP:           {"ELOOP", "too many symbolic links on the way"},
	ENAMETOOLONG:    {"ENAMETOOLONG", "the name or the path is too long"},
	EHOSTDOWN:       {"EHOSTDOWN", "the host does not run"},
	EHOSTUNREACH:    {"EHOSTUNREACH", "no way leads to that host"},
	ENOTEMPTY:       {"ENOTEMPTY", "the directory still has entries"},
	EPROCLIM:        {"EPROCLIM", "too many processes"},
	EUSERS:          {"EUSERS", "too many users"},
	EDQUOT:          {"EDQUOT", "the quota is used up"},
	ESTALE:          {"ESTALE", "the file handle's file is gone"},
	EREMOTE:         {"EREMOTE", "the path goes through too many remote mounts"},
	EBADRPC:         {"EBADRPC", "the remote call is malformed"},
	ERPCMISMATCH:    {"ERPCMISMATCH", "the remote call's version is not spoken here"},
	EPROGUNAVAIL:    {"EPROGUNAVAIL", "the remote program is not there"},
	EPROGMISMATCH:   {"EPROGMISMATCH", "the remote program has another version"},
	EPROCUNAVAIL:    {"EPROCUNAVAIL", "the remote program has no such procedure"},
	ENOLCK:          {"ENOLCK", "no more locks can be had"},
	ENOSYS:          {"ENOSYS", "the kernel has no such call"},
	EFTYPE:          {"EFTYPE", "the file is of the wrong type for this"},
	EAUTH:           {"EAUTH", "the credentials were not accepted"},
	ENEEDAUTH:       {"ENEEDAUTH", "credentials are needed first"},
	EIDRM:           {"EIDRM", "the identifier was taken away"},
	ENOMSG:          {"ENOMSG", "no message of that kind is waiting"},
	EOVERFLOW:       {"EOVERFLOW", "the value does not fit its type"},
	EILSEQ:          {"EILSEQ", "the bytes are no character"},
	ENOTSUP:         {"ENOTSUP", "this is not implemented for it"},
	ECANCELED:       {"ECANCELED", "the operation was called off"},
	EBADMSG:         {"EBADMSG", "the message is damaged"},
	ENODATA:         {"ENODATA", "no data is waiting"},
	ENOSR:           {"ENOSR", "the stream has run out of resources"},
	ENOSTR:          {"ENOSTR", "a stream is needed"},
	ETIME:           {"ETIME", "the stream's time ran out"},
	ENOATTR:         {"ENOATTR", "the file has no such attribute"},
	EMULTIHOP:       {"EMULTIHOP", "the way has more than one hop"},
	ENOLINK:         {"ENOLINK", "the link was cut"},
	EPROTO:          {"EPROTO", "the protocol was violated"},
}

// pseudoErrnoTexts is indexed by the negated number.
var pseudoErrnoTexts = [...]errnoText{
	-EJUSTRETURN:  {"EJUSTRETURN", "inside the kernel: leave the caller's registers alone"},
	-ERESTART:     {"ERESTART", "inside the kernel: start the call over"},
	-EPASSTHROUGH: {"EPASSTHROUGH", "inside the kernel: this layer does not know the request"},
	-EDUPFD:       {"EDUPFD", "inside the kernel: duplicate the descriptor handed back"},
	-EMOVEFD:      {"EMOVEFD", "inside the kernel: move the descriptor handed back"},
}

// text finds e's entry; the zero entry means that the kernel has no such number.
func (e Errno) text() errnoText {
	switch n := int(e); {
	case n > 0 && n < len(errnoTexts):
		return errnoTexts[n]
	case n < 0 && -n < len(pseudoErrnoTexts):
		return pseudoErrnoTexts[-n]
	}
	return errnoText{}
}

// Name gives the symbolic name, "ENOENT" for instance, or "errno N" for a number the kernel does not have.
func (e Errno) Name() string {
	if t := e.text(); t.name != "" {
		return t.name
	}
	return "errno " + strconv.Itoa(int(e))
}

// Error gives the name and what it means.
func (e Errno) Error() string {
	t := e.text()
	if t.name == "" {
		return e.Name() + ": not an error of the kernel"
	}
	return t.name + ": " + t.says
}

// Err gives e as an error: nil if it is zero.
func (e Errno) Err() error {
	if e == 0 {
		return nil
	}
	return e
}

// Is answers [errors.Is] for the errors of io/fs and for [errors.ErrUnsupported], grouped as package syscall groups
// the host's numbers.
func (e Errno) Is(target error) bool {
	switch target {
	case fs.ErrNotExist:
		return e == ENOENT
	case fs.ErrExist:
		return e == EEXIST || e == ENOTEMPTY
	case fs.ErrPermission:
		return e == EPERM || e == EACCES
	case fs.ErrInvalid:
		return e == EINVAL
	case fs.ErrClosed:
		return e == EBADF
	case errors.ErrUnsupported:
		return e == EOPNOTSUPP || e == ENOTSUP || e == ENOSYS
	}
	return false
}

// ErrnoOf finds the Errno in err or in what it wraps. For nil it gives zero and true; false means that err has none.
func ErrnoOf(err error) (Errno, bool) {
	if err == nil {
		return 0, true
	}
	if e, ok := err.(Errno); ok {
		return e, true
	}
	return errors.AsType[Errno](err)
}

// ErrnoByName finds the number that has a symbolic name, and whether there is one.
func ErrnoByName(name string) (Errno, bool) {
	if name == "EWOULDBLOCK" {
		return EWOULDBLOCK, true
	}
	for n, t := range errnoTexts {
		if t.name == name && name != "" {
			return Errno(n), true
		}
	}
	for n, t := range pseudoErrnoTexts {
		if t.name == name && name != "" {
			return Errno(-n), true
		}
	}
	return 0, false
}
