package replay

import (
	"testing"

	"rumpvfs/sim"
)

// Stories that could end otherwise with a name cache, told in kernels with
// one, with one that is too small, and without.

const cacheStories = `
	=== a removed directory has not even a dot
	mount "tmpfs" "/tmp" 0 => 0
	mkdir "/tmp/d" 0755 => 0
	chdir "/tmp/d" => 0
	access "." F_OK => 0
	access "." F_OK => 0
	rmdir "/tmp/d" => 0
	access "." F_OK => ENOENT
	access ".." F_OK => ENOENT
	getcwd => ENOENT

	=== names that come, go and come again
	mount "tmpfs" "/tmp" 0 => 0
	chdir "/tmp" => 0
	access "a" F_OK => ENOENT
	mkdir "a" 0755 => 0
	access "a" F_OK => 0
	rename "a" "b" => 0
	access "a" F_OK => ENOENT
	access "b" F_OK => 0
	link "a" "c" => ENOENT
	symlink "b" "a" => 0
	readlink "a" => 1 "b"
	unlink "a" => 0
	access "a" F_OK => ENOENT
	open "a" O_CREAT|O_EXCL|O_RDWR 0644 => 3
	open "a" O_CREAT|O_EXCL|O_RDWR 0644 => EEXIST
	link "a" "c" => 0
	rename "a" "c" => 0
	access "a" F_OK => ENOENT
	access "c" F_OK => 0

	=== dot dot after a directory has moved
	mount "tmpfs" "/tmp" 0 => 0
	mkdir "/tmp/x" 0755 => 0
	mkdir "/tmp/y" 0755 => 0
	mkdir "/tmp/x/d" 0755 => 0
	chdir "/tmp/x/d" => 0
	getcwd => 9 "/tmp/x/d"
	access "../d" F_OK => 0
	rename "/tmp/x/d" "/tmp/y/e" => 0
	getcwd => 9 "/tmp/y/e"
	access "../d" F_OK => ENOENT
	access "../e" F_OK => 0
	rename "/tmp/y" "/tmp/x/y" => 0
	getcwd => 11 "/tmp/x/y/e"
	getcwd 11 => 11 "/tmp/x/y/e"
	getcwd 10 => ERANGE

	=== asking for the path of a directory reads none
	mount "tmpfs" "/tmp" 0 => 0
	mkdir "/tmp/d" 0755 => 0
	chdir "/tmp/d" => 0
	utimes "/tmp" 1 0 2 0 => 0
	getcwd => 7 "/tmp/d"
	times "/tmp" => 0 atime=1.000000000 mtime=2.000000000

	=== who may not search a directory does not learn where it is
	mount "tmpfs" "/tmp" 0 => 0
	mkdir "/tmp/root" 0755 => 0
	mkdir "/tmp/root/d" 0755 => 0
	chroot "/tmp/root" => 0
	chdir "/d" => 0
	chmod "/d" 0 => 0
	setuid 1 => 0
	access ".." F_OK => 0
	getcwd => EACCES

	=== a whiteout, and what was below it
	mkdir "/m" 0755 => 0
	open "/m/f" O_CREAT|O_RDWR 0644 => 3
	mount "tmpfs" "/m" MNT_UNION => 0
	access "/m/f" F_OK => 0
	open "/m/f" O_CREAT|O_RDWR 0644 => 4
	unlink "/m/f" => 0
	access "/m/f" F_OK => 0
	undelete "/m/f" => EEXIST
	access "/m/f" F_OK => 0
	mkdir "/m/f" 0755 => 0
	access "/m/f" F_OK => 0

	=== a mount point
	mount "tmpfs" "/tmp" 0 => 0
	mkdir "/tmp/m" 0755 => 0
	mkdir "/tmp/m/under" 0755 => 0
	access "/tmp/m/under" F_OK => 0
	mount "tmpfs" "/tmp/m" 0 => 0
	access "/tmp/m/under" F_OK => ENOENT
	access "/tmp/m/.." F_OK => 0
	mkdir "/tmp/m/sub" 0755 => 0
	chdir "/tmp/m/sub" => 0
	getcwd => 11 "/tmp/m/sub"
	access "../../m/sub" F_OK => 0
	unmount "/tmp/m" MNT_FORCE => 0
	access "." F_OK => ENOENT
	access "/tmp/m/under" F_OK => 0
`

func TestNameCacheStories(t *testing.T) {
	small, without := deterministic, deterministic
	small.Params = map[string]string{"RUMP_NVNODES": "3"}
	without.NoNameCache = true
	for name, c := range map[string]sim.Config{"with": deterministic, "small": small, "without": without} {
		t.Run(name, func(t *testing.T) { testStoryIn(t, c, cacheStories) })
	}
}
