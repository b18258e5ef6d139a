package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"rumpvfs/sim/script"
)

// gzipMagic begins what gzip has compressed.
var gzipMagic = []byte{0x1f, 0x8b}

// readInput reads a file, or with "-" standard input, decompressed if it is
// compressed, and gives the name that messages shall have for it.
func readInput(cmd *cobra.Command, file string) (name string, src []byte, err error) {
	if name = file; file == "-" {
		name = "stdin"
		src, err = io.ReadAll(cmd.InOrStdin())
	} else {
		src, err = os.ReadFile(file)
	}
	if err != nil || !bytes.HasPrefix(src, gzipMagic) {
		return name, src, err
	}
	z, err := gzip.NewReader(bytes.NewReader(src))
	if err == nil {
		src, err = io.ReadAll(z)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return name, src, err
}

// readAll reads and parses files before anything is run.
func readAll(cmd *cobra.Command, files []string, parse func(string, []byte) (*script.Script, error)) ([]*script.Script, error) {
	var all []*script.Script
	for _, file := range files {
		name, src, err := readInput(cmd, file)
		if err != nil {
			return nil, err
		}
		s, err := parse(name, src)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// countSections is how many sections scripts have.
func countSections(scripts []*script.Script) (n int) {
	for _, s := range scripts {
		n += len(s.Sections)
	}
	return n
}
