#!/bin/bash -eu
# Builds every Go fuzz target of the project for libFuzzer: those that "go test -list Fuzz ./..." lists.
module=$(go list -m)

grep -rlE '^func Fuzz[A-Za-z0-9]+\(' --include='*_test.go' . | sort | while read -r file; do
	package=$module/$(dirname "${file#./}")
	sed -nE 's/^func (Fuzz[A-Za-z0-9]+)\(.*/\1/p' "$file" | while read -r target; do
		name=$(echo "${package#"$module"/}" | tr / _)_$target
		compile_native_go_fuzzer "$package" "$target" "$name"
	done
done
