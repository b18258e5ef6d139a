# What a change needs on the way. .ci/run does all of it and more.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: all fmt vet staticcheck generate test race bench cover ci

all: fmt vet test

fmt:
	gofmt -l -w .

vet:
	go vet ./...

staticcheck:
	go run $(STATICCHECK) ./...

generate:
	go generate ./...

test:
	go test ./...

race:
	go test -race ./...

bench:
	go test -run '^$$' -bench . -benchmem ./sim

cover:
	.ci/run coverage

ci:
	.ci/run
