package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"rumpvfs/fusefs"
	"rumpvfs/hypercall"
	"rumpvfs/sim"
	"rumpvfs/tmpfs"
)

// mountFlags are the flags of the command.
type mountFlags struct {
	kernel  kernelFlags
	types   []string
	options []string
	json    bool
}

func newMount() *cobra.Command {
	var f mountFlags
	cmd := &cobra.Command{
		Use:   "mount [-t TYPE] [-o OPTIONS] DIR [[-t TYPE] [-o OPTIONS] DIR...]",
		Short: "Serve live kernels at directories of this machine, through FUSE",
		Long: `mount boots a kernel for each DIR and serves one of its file systems there: an
empty tmpfs, or its root, which is a rumpfs. TYPE and OPTIONS go with the DIR in
the same place; one alone is for all.

It ends when an interrupt (or SIGTERM) comes, or when all DIRs are unmounted
with rumpvfs umount or umount(8); what was in the file systems is gone then. The
exit status is 0 if the kernels ran to the end and nothing was left over.

OPTIONS are separated by commas:
  size=BYTES    most memory that a tmpfs takes; with k, m or g
  nodes=N       most files that it holds
  mode=, uid=, gid=   of its root directory, in place of what DIR has
  cache=TIME    let the host go by what it was told for so long, such as 1s
  ro            do not let the host write
  private       let nobody in but the user who runs this
  dev, suid     let the host open devices, and mind set-id bits`,
		Example: `  rumpvfs mount /mnt
  rumpvfs mount -t tmpfs -o size=64m /mnt/a -t rumpfs -o ro /mnt/b`,
		Args: atLeastOne("a DIR"),
		RunE: func(cmd *cobra.Command, dirs []string) error { return f.run(cmd, dirs) },
	}
	fl := cmd.Flags()
	fl.StringArrayVarP(&f.types, "type", "t", []string{tmpfs.MOUNT_TMPFS}, "type of file system: tmpfs or rumpfs")
	fl.StringArrayVarP(&f.options, "options", "o", []string{""}, "options, as above")
	fl.BoolVar(&f.json, "json", false, "print JSON, one line a mount and one for all")
	f.kernel.addQuirks(cmd)
	return cmd
}

// served is a file system that is served.
type served struct {
	Type, Dir string
	k         *sim.Kernel
	m         *fusefs.Mountpoint
}

func (f *mountFlags) run(cmd *cobra.Command, dirs []string) error {
	specs, err := f.specs(dirs)
	if err != nil {
		return err
	}
	config, err := f.kernel.config()
	if err != nil {
		return err
	}
	config.Mode = hypercall.Native
	var all []*served
	for _, spec := range specs {
		v, err := spec.serve(config)
		if err != nil {
			_, ended := end(all, cmd.ErrOrStderr())
			return errors.Join(err, ended)
		}
		all = append(all, v)
		if err := f.print(cmd.OutOrStdout(), v); err != nil {
			return err
		}
	}
	wait(cmd.Context(), all)
	t, err := end(all, cmd.ErrOrStderr())
	return errors.Join(err, f.printTotals(cmd.OutOrStdout(), t))
}

// wait waits for the end of ctx or of all mounts.
func wait(ctx context.Context, all []*served) {
	for _, v := range all {
		select {
		case <-v.m.Done():
		case <-ctx.Done():
			return
		}
	}
}

// mountTotals are the figures of the command.
type mountTotals struct {
	Mounts   int    `json:"mounts"`
	Requests uint64 `json:"requests"`
	Busy     int    `json:"busy"`    // taken out of the names while programs used them
	Stopped  int    `json:"stopped"` // kernels that have panicked
}

// end unmounts what is served and shuts the kernels down.
func end(all []*served, w io.Writer) (t mountTotals, err error) {
	t.Mounts = len(all)
	for _, v := range all {
		if e := v.m.Unmount(); e != nil {
			t.Busy++
			fmt.Fprintf(w, "rumpvfs: %v: programs that use it get an error from now on\n", e)
			err = errors.Join(err, errReported, v.m.Detach())
		}
		t.Requests += v.m.Stats().Requests
		if v.k.Err() != nil {
			t.Stopped++
			err = errors.Join(err, fmt.Errorf("%s: %w", v.Dir, v.k.Err()))
			continue
		}
		select {
		case <-v.m.Done():
			if e := v.k.Shutdown(); e != nil {
				err = errors.Join(err, fmt.Errorf("%s: %w", v.Dir, e))
			}
		default: // what programs hold is no leak
		}
	}
	return t, err
}

func (f *mountFlags) print(w io.Writer, v *served) (err error) {
	if f.json {
		return json.NewEncoder(w).Encode(map[string]string{"type": v.Type, "dir": v.Dir})
	}
	_, err = fmt.Fprintf(w, "%s on %s\n", v.Type, v.Dir)
	return err
}

func (f *mountFlags) printTotals(w io.Writer, t mountTotals) (err error) {
	if f.json {
		return json.NewEncoder(w).Encode(t)
	}
	_, err = fmt.Fprintf(w, "mounts=%d requests=%d busy=%d stopped=%d\n", t.Mounts, t.Requests, t.Busy, t.Stopped)
	return err
}

func newUmount() *cobra.Command {
	var lazy bool
	cmd := &cobra.Command{
		Use:   "umount DIR...",
		Short: "Unmount what rumpvfs mount serves",
		Long: `umount unmounts directories that rumpvfs mount serves, or has served before it
died. The exit status is 0 if all were.`,
		Example: `  rumpvfs umount /mnt`,
		Args:    atLeastOne("a DIR"),
		RunE: func(cmd *cobra.Command, dirs []string) (err error) {
			n := 0
			for _, dir := range dirs {
				if e := fusefs.Unmount(dir, lazy); e != nil {
					err = errors.Join(err, e)
				} else {
					n++
				}
			}
			_, e := fmt.Fprintf(cmd.OutOrStdout(), "unmounted=%d failed=%d\n", n, len(dirs)-n)
			return errors.Join(err, e)
		},
	}
	cmd.Flags().BoolVar(&lazy, "lazy", false, "take it out of the names even if programs use it")
	return cmd
}
