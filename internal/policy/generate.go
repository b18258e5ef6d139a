package policy

//go:generate go run ./cmd/names
