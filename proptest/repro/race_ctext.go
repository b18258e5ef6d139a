package repro

// What is around the calls of the C program of a race.
const (
	raceHead = `#include <dirent.h>
#include <ftw.h>

/* What the processes share: whose turn it is to prepare, who has come to the race and has run it, and what was answered. */
static struct shared {
	volatile int step, ready, done, over;
	volatile unsigned round;
	struct {
		volatile size_t used;
		char text[1 << 14];
	} log[27];
} *sh;
static int slot;	/* of the log, which the lwp has for itself */

static void
say(const char *form, ...)
{
	va_list ap;
	size_t used = sh->log[slot].used, room = sizeof(sh->log[slot].text) - used;
	int n;

	va_start(ap, form);
	n = vsnprintf(sh->log[slot].text + used, room, form, ap);
	va_end(ap);
	if (n > 0)
		sh->log[slot].used = used + ((size_t)n < room ? (size_t)n : room - 1);
}

static const char *
name(int error)
{
#define E(e) if (error == e) return #e
	E(EPERM); E(ENOENT); E(EIO); E(ENXIO); E(EBADF); E(EACCES); E(EFAULT); E(EBUSY); E(EEXIST); E(EXDEV); E(ENODEV);
	E(ENOTDIR); E(EISDIR); E(EINVAL); E(ENFILE); E(EMFILE); E(EFBIG); E(ENOSPC); E(ESPIPE); E(EROFS); E(EMLINK); E(EPIPE);
	E(EAGAIN); E(EDEADLK); E(EOPNOTSUPP); E(ENAMETOOLONG); E(ELOOP); E(ENOTEMPTY); E(ESTALE); E(ENOLCK); E(ENOSYS); E(ERANGE);
	E(EFTYPE);
	return strerror(error);
}

static inline void
quote(const char *s, size_t n)
{
	say("\"");
	for (; n > 0; n--, s++)
		if (*s == '"' || *s == '\\')
			say("\\%c", *s);
		else if (*s < ' ' || *s > '~')
			say("\\x%02x", (unsigned char)*s);
		else
			say("%c", *s);
	say("\"");
}

static inline void
data(long n)
{
	say("%ld ", n);
	quote(mem, n);
}

static inline void
path(long n)
{
	say("%ld ", n);
	quote(mem, n - 1);
}

static inline void
file(long n)
{
	/* the permissions of a symbolic link are not the same everywhere */
	unsigned mode = S_ISLNK(st.st_mode) ? S_IFLNK : st.st_mode;

	say("mode=%06o uid=%d gid=%d", mode, (int)st.st_uid, (int)st.st_gid);
	if (!S_ISDIR(st.st_mode))
		say(" nlink=%u", (unsigned)st.st_nlink);
	if (S_ISREG(st.st_mode))
		say(" size=%lld", (long long)st.st_size);
}

static inline void
second(const char *what, long long sec)
{
	if (sec > 1 << 30)
		say("%s=now", what);
	else
		say("%s=%lld", what, sec);
}

static inline void
times(long n)
{
	second("atime", st.st_atime);
	second(" mtime", st.st_mtime);
}

static char names[256][256];
static int count;

static int
order(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Reads a directory to its end. */
static inline long
entries(int fd)
{
	struct dirent *d;
	int copy = dup(fd), error;
	DIR *dir = copy == -1 ? NULL : fdopendir(copy);

	count = 0;
	if (dir == NULL) {
		error = errno;
		if (copy != -1)
			close(copy);
		errno = error;
		return -1;
	}
	for (errno = 0; count < 256 && (d = readdir(dir)) != NULL; errno = 0)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			snprintf(names[count++], sizeof(names[0]), "%s", d->d_name);
	error = errno;
	closedir(dir);
	errno = error;
	return error == 0 ? 0 : -1;
}

static inline void
entry(long n)
{
	int i;

	qsort(names, count, sizeof(names[0]), order);
	say("entries");
	for (i = 0; i < count; i++) {
		say(" ");
		quote(names[i], strlen(names[i]));
	}
}

static inline void
answer(const char *what, long r, int error, void (*tell)(long))
{
	say("%s => ", what);
	if (r == -1)
		say("%s", name(error));
	else if (tell != NULL)
		tell(r);
	else
		say("%ld", r);
	say("\n");
}

#define DO(what, expr, tell) do {			\
	long r_;					\
	errno = 0;					\
	r_ = (long)(expr);				\
	answer(what, r_, errno, tell);			\
} while (0)
`

	raceMain = `
/* A while that is another one for every lwp and round. */
static void
dawdle(int i)
{
	unsigned x = (sh->round * 27 + i + 1) * 2654435761u;
	volatile unsigned n;

	for (n = (x ^ x >> 16) % 4096; n > 0; n--)
		;
}

static int
run(void *arg)
{
	int i;

	alarm(20);	/* a call that waits for ever */
	me = (int)(long)arg;
	while (sh->step < STEPS)
		if (owners[sh->step] == me) {
			prepare(sh->step);
			sh->step++;
		} else
			sched_yield();
	for (i = 0; i < LWPS; i++)
		if (procs[i] == me || (procs[i] == -1 && me == 0)) {
			slot = i;
			__sync_fetch_and_add(&sh->ready, 1);
			while (sh->ready < LWPS)
				sched_yield();
			dawdle(i);
			lwp(i);
			__sync_fetch_and_add(&sh->done, 1);
		}
	while (me == 0 ? sh->done < LWPS : !sh->over)
		sched_yield();
	return 0;
}

static int
child(void)
{
	if (newroot() != 0)
		return 2;
	run(NULL);
	slot = LWPS;
	after();
	sh->over = 1;
	while (wait(NULL) > 0)
		;
	return 0;
}

static int
rm(const char *path, const struct stat *s, int flag, struct FTW *f)
{
	return remove(path);
}

static struct outcome {
	char *text;
	int times;
} outcomes[256];
static int noutcomes;

/* Counts what a round came to. */
static void
add(void)
{
	static char text[27 * sizeof(sh->log[0].text)];
	size_t n = 0;
	int i;

	for (i = 0; i <= LWPS; i++) {
		memcpy(text + n, sh->log[i].text, sh->log[i].used);
		n += sh->log[i].used;
	}
	text[n] = 0;
	for (i = 0; i < noutcomes && strcmp(outcomes[i].text, text) != 0; i++)
		;
	if (i == 255)
		return;
	if (i == noutcomes)
		outcomes[noutcomes++].text = strdup(text);
	outcomes[i].times++;
}

static int
often(const void *a, const void *b)
{
	return ((const struct outcome *)b)->times - ((const struct outcome *)a)->times;
}

int
main(int argc, char **argv)
{
	const char *tmp = getenv("TMPDIR");
	int rounds = argc > 1 ? atoi(argv[1]) : 1000, status, i, alike = 0;

	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);
	if (geteuid() != 0) {
		fprintf(stderr, "repro: only the superuser can have a root directory of his own\n");
		return 2;
	}
	if (sh == MAP_FAILED) {
		perror("repro");
		return 2;
	}
	for (i = 0; i < rounds; i++) {
		memset(sh, 0, sizeof(*sh));
		sh->round = i;
		snprintf(top, sizeof(top), "%s/repro.XXXXXX", tmp == NULL ? "/tmp" : tmp);
		if (mkdtemp(top) == NULL || chmod(top, 0755) != 0) {
			perror("repro");
			return 2;
		}
		if (fork() == 0)
			_exit(child());
		wait(&status);
		nftw(top, rm, 16, FTW_DEPTH | FTW_PHYS);
		if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
			return 2;
		if (WIFSIGNALED(status)) {
			slot = LWPS;
			say("a call never ended\n");
		}
		add();
	}
	qsort(outcomes, noutcomes, sizeof(outcomes[0]), often);
	for (i = 0; i < noutcomes; i++) {
		int is = failing[0] != 0 && strcmp(outcomes[i].text, failing) == 0;

		printf("%d times%s:\n%s\n", outcomes[i].times, is ? ", as above" : "", outcomes[i].text);
		if (is)
			alike = outcomes[i].times;
	}
	printf("rounds=%d outcomes=%d alike=%d\n", rounds, noutcomes, alike);
	return 0;
}
`
)
