package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// openFile opens a file to read. What it is, as "the payments", goes into the error.
func openFile(what, path string) (*os.File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", what, err)
	}
	return file, nil
}

// readFile returns all of a file.
func readFile(what, path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return text, nil
}

// createFile makes a file, or replaces it, with what the function writes.
func createFile(what, path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write %s: %w", what, err)
	}
	if err := errors.Join(write(file), file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", what, err)
	}
	return nil
}

// sizeOf returns the bytes of a file, 0 when they are not known.
func sizeOf(file *os.File) int64 {
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		return info.Size()
	}
	return 0
}

// writeJSON writes one JSON object, indented.
func writeJSON(to io.Writer, value any) error {
	encoder := json.NewEncoder(to)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
