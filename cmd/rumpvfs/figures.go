package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// A figure is one of the results that a command ends with: a number or a word.
type figure struct {
	name  string
	value any
}

// printFigures writes figures as one line of name=value, or as one JSON object.
func printFigures(w io.Writer, asJSON bool, list []figure) error {
	if asJSON {
		return printJSONFigures(w, list)
	}
	words := make([]string, len(list))
	for i, f := range list {
		words[i] = fmt.Sprintf("%s=%v", f.name, f.value)
	}
	_, err := fmt.Fprintln(w, strings.Join(words, " "))
	return err
}

func printJSONFigures(w io.Writer, list []figure) error {
	var b bytes.Buffer
	for i, f := range list {
		name, err := json.Marshal(f.name)
		if err != nil {
			return err
		}
		value, err := json.Marshal(f.value)
		if err != nil {
			return err
		}
		b.WriteByte("{,"[min(i, 1)])
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteString("}\n")
	_, err := w.Write(b.Bytes())
	return err
}

// seconds is a duration as a figure, to the tenth.
func seconds(d time.Duration) float64 {
	return float64(d.Round(100*time.Millisecond)) / float64(time.Second)
}

// perSecond is a rate as a figure.
func perSecond(n uint64, d time.Duration) uint64 {
	if d <= 0 {
		return 0
	}
	return uint64(float64(n) / d.Seconds())
}
