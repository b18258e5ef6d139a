package replay

import "testing"

// TestFifoStories has fifos of a tmpfs in kernels with fifofs.
func TestFifoStories(t *testing.T) {
	c := deterministic
	c.Fifofs = true
	testStoryIn(t, c, `
	=== who does not wait
	mount "tmpfs" "/tmp" 0 => 0
	mkfifo "/tmp/f" 0644 => 0
	open "/tmp/f" O_WRONLY|O_NONBLOCK => ENXIO
	r = open "/tmp/f" O_RDONLY|O_NONBLOCK => 3
	read r 10 => 0 ""
	w = open "/tmp/f" O_WRONLY => 4
	read r 10 => EAGAIN
	write w "one" => 3
	write w "two" => 3
	fstat r => 0 type=fifo mode=0644 nlink=1 uid=0 gid=0 size=0 blksize=4096 blocks=0 flags=0x0 gen=0 rdev=none ino=i1 dev=d1
	read r 5 => 5 "onetw"
	lseek r 0 SEEK_SET => ESPIPE
	pread r 5 0 => ESPIPE
	truncate "/tmp/f" 0 => 0
	close w => 0
	read r 5 => 1 "o"
	read r 5 => 0 ""
	close r => 0

	=== one process that reads and writes
	mount "tmpfs" "/tmp" 0 => 0
	mkfifo "/tmp/f" 0644 => 0
	f = open "/tmp/f" O_RDWR => 3
	write f "x"*4096 => 4096
	fcntl f F_SETFL O_NONBLOCK => 0
	write f "y" => EAGAIN
	read f 2000 => 2000 head="xxxxxxxxxxxxxxxx" tail="xxxxxxxxxxxxxxxx" nonzero=2000 fnv1a64=4cb100005f153a65
	unlink "/tmp/f" => 0
	mkfifo "/tmp/f" 0600 => 0
	g = open "/tmp/f" O_RDONLY|O_NONBLOCK => 4
	read g 1 => 0 ""
	revoke "/tmp/f" => 0
	read g 1 => EIO
	fpathconf f _PC_PIPE_BUF => 512

	=== two processes
	mount "tmpfs" "/tmp" 0 => 0
	mkfifo "/tmp/f" 0600 => 0
	r = open "/tmp/f" O_RDONLY|O_NONBLOCK => 3
	p1 = rfork COPY => 0 pid=2
	close r => 0
	w = open "/tmp/f" O_WRONLY => 3
	write w "from p1" => 7
	switch p0 => pid=1
	read r 20 => 7 "from p1"
	close r => 0
	switch p1 => pid=2
	write w "to nobody" => EPIPE

	=== a reader waits for a writer
	mount "tmpfs" "/tmp" 0 => 0
	mkfifo "/tmp/f" 0600 => 0
	open "/tmp/f" O_RDONLY => BLOCKED

	=== a reader waits for data
	mount "tmpfs" "/tmp" 0 => 0
	mkfifo "/tmp/f" 0600 => 0
	f = open "/tmp/f" O_RDWR => 3
	read f 1 => BLOCKED

	=== a writer waits for room
	mount "tmpfs" "/tmp" 0 => 0
	mkfifo "/tmp/f" 0600 => 0
	f = open "/tmp/f" O_RDWR => 3
	write f "x"*4097 => BLOCKED

	=== the fifos of rumpfs are what they were
	mkfifo "/f" 0600 => 0
	f = open "/f" O_RDONLY => 3
	read f 1 => 0 ""
	`)
}
