package repro

// What is around the calls of a C program: what all begin with; how calls are checked; how processes are made; and how it all runs.
const (
	cIncludes = `#define _GNU_SOURCE
#define _NETBSD_SOURCE
#include <sys/types.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/wait.h>
#ifdef __linux__
#include <sys/sysmacros.h>
#endif
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef EFTYPE
#define EFTYPE ELOOP
#endif
#ifndef O_SHLOCK
#define O_SHLOCK 0
#define O_EXLOCK 0
#endif
#ifndef S_IFWHT
#define S_IFWHT 0160000
#endif
#ifndef _PC_ACL_EXTENDED
#define _PC_ACL_EXTENDED -1
#define _PC_MIN_HOLE_SIZE -1
#endif
#ifndef _PC_NO_TRUNC
#define _PC_NO_TRUNC -1
#endif
#ifdef __linux__
#define DEV_NULL makedev(1, 3)
#define DEV_ZERO makedev(1, 5)
#else
#define DEV_NULL makedev(2, 2)
#define DEV_ZERO makedev(2, 12)
#endif

static char top[512];	/* directory that becomes the root */
static int me;
static char mem[1 << 20];
static struct stat st;
static struct statvfs vfs;

static inline long
cwd(long n)
{
	return getcwd(mem, (size_t)n) == NULL ? -1 : (long)strlen(mem) + 1;
}

static inline int
advise(int fd, long long off, long long len, int advice)
{
	errno = posix_fadvise(fd, off, len, advice);
	return errno == 0 ? 0 : -1;
}

static inline int
locking(int fd, int cmd, int type, int whence, long long start, long long len)
{
	struct flock fl;

	memset(&fl, 0, sizeof(fl));
	fl.l_type = type;
	fl.l_whence = whence;
	fl.l_start = start;
	fl.l_len = len;
	return fcntl(fd, cmd, &fl);
}

/* Makes a new directory the root of this process. */
static int
newroot(void)
{
	int fd;

	umask(0);
	if (chroot(top) != 0 || chdir("/") != 0 || mkdir("/dev", 0755) != 0 || mkdir("/tmp", 01777) != 0 ||
	    mknod("/dev/null", S_IFCHR | 0644, DEV_NULL) != 0 || mknod("/dev/zero", S_IFCHR | 0644, DEV_ZERO) != 0)
		return -1;
	umask(022);
	/* a console of its own: calls change what descriptors are of */
	if (mknod("/console", S_IFCHR | 0600, DEV_NULL) != 0 || (fd = open("/console", O_WRONLY)) < 0 || dup2(fd, 0) < 0 ||
	    dup2(fd, 1) < 0 || dup2(fd, 2) < 0 || unlink("/console") != 0)
		return -1;
	for (fd = 3; fd < 256; fd++)
		close(fd);
	signal(SIGPIPE, SIG_IGN);
	return 0;
}
`

	cHead = `
#define ANYTHING -77

/* What the processes share: whose turn it is, and what is to be printed. */
static struct shared {
	volatile int step, differ, skipped;
	volatile size_t used;
	char log[1 << 20];
} *sh;

static void
say(const char *form, ...)
{
	va_list ap;
	size_t room = sizeof(sh->log) - sh->used;
	int n;

	va_start(ap, form);
	n = vsnprintf(sh->log + sh->used, room, form, ap);
	va_end(ap);
	if (n > 0)
		sh->used += (size_t)n < room ? (size_t)n : room - 1;
}

static void
check(const char *what, long got, int error, long want, int wanted)
{
	int same = error == wanted && (error != 0 || want == ANYTHING || got == want);

	say("%s p%d %s => ", same ? "same   " : "DIFFERS", me, what);
	if (error != 0)
		say("%s", strerror(error));
	else
		say("%ld", got);
	if (!same && wanted != 0)
		say(", wanted %s", strerror(wanted));
	else if (!same)
		say(", wanted %ld", want);
	say("\n");
	sh->differ += !same;
}

#define IS(what, expr, want, wanted) do {				\
	long r_;							\
	errno = 0;							\
	r_ = (long)(expr);						\
	check(what, r_, r_ == -1 ? errno : 0, want, wanted);		\
} while (0)

static inline void
skip(const char *what)
{
	say("skipped p%d %s\n", me, what);
	sh->skipped++;
}

static inline void
bytes(const char *want, size_t n)
{
	if (memcmp(mem, want, n) != 0) {
		say("DIFFERS in its bytes\n");
		sh->differ++;
	}
}

static inline void
file(unsigned mode, unsigned nlink, int uid, int gid, long long size)
{
	int regular = (mode & S_IFMT) == S_IFREG, dir = (mode & S_IFMT) == S_IFDIR;

	if (st.st_mode != mode || (!dir && st.st_nlink != nlink) || st.st_uid != (uid_t)uid || st.st_gid != (gid_t)gid ||
	    (regular && st.st_size != size)) {
		say("DIFFERS: mode=%o nlink=%u uid=%d gid=%d size=%lld, wanted mode=%o nlink=%u uid=%d gid=%d size=%lld\n",
		    (unsigned)st.st_mode, (unsigned)st.st_nlink, (int)st.st_uid, (int)st.st_gid, (long long)st.st_size,
		    mode, nlink, uid, gid, size);
		sh->differ++;
	}
}

static inline void
leave(void)
{
	say("left    p%d\n", me);
	sh->step++;
	_exit(0);
}
`

	cStart = `
static int run(void *);

enum { COPY, CLEAR, SHARE };

static inline int
start(long child, int how)
{
	int fd, pid;

	if (how == SHARE) {
		const size_t size = 1 << 20;
		char *stack = malloc(size);

		return stack == NULL ? -1 : clone(run, stack + size, CLONE_FILES | SIGCHLD, (void *)child);
	}
	if ((pid = fork()) != 0)
		return pid;
	for (fd = 0; how == CLEAR && fd < 256; fd++)
		close(fd);
	_exit(run((void *)child));
}
`

	cMain = `
static int
run(void *arg)
{
	me = (int)(long)arg;
	while (sh->step < STEPS) {
		if (owners[sh->step] != me) {
			usleep(100);
			continue;
		}
		step(sh->step);
		sh->step++;
	}
	return 0;
}

static int
child(void)
{
	if (newroot() != 0)
		return 2;
	alarm(20);	/* a call that waits for ever */
	run(NULL);
	while (wait(NULL) > 0)
		;
	return 0;
}

int
main(void)
{
	const char *tmp = getenv("TMPDIR");
	char remove[sizeof(top) + 32];
	int status = 2;

	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);
	snprintf(top, sizeof(top), "%s/repro.XXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (geteuid() != 0) {
		fprintf(stderr, "repro: only the superuser can have a root directory of his own\n");
		return 2;
	}
	if (sh == MAP_FAILED || mkdtemp(top) == NULL || chmod(top, 0755) != 0) {
		perror("repro");
		return 2;
	}
	if (fork() == 0)
		_exit(child());
	wait(&status);
	printf("%.*s", (int)sh->used, sh->log);
	printf("steps=%d done=%d differ=%d skipped=%d\n", STEPS, sh->step, sh->differ, sh->skipped);
	snprintf(remove, sizeof(remove), "rm -rf '%s'", top);
	if (system(remove) != 0 || status != 0)
		return 2;
	return sh->differ != 0;
}
`
)
