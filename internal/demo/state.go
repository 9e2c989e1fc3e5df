package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/probity/probity/internal/demo/world"
)

// state is what the demo remembers between starts, in demo.json: its secrets, and how far the world was played.
type state struct {
	APIKey          string        `json:"api_key"`
	ConnectorSecret string        `json:"connector_secret"`
	Chapter         world.Chapter `json:"chapter"` // the one begun last; 0 before the first
	Behind          time.Duration `json:"behind"`  // how far that one is played in the past
	Complete        bool          `json:"complete"`

	path string
}

func loadState(path string) (*state, bool, error) {
	s := &state{path: path}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the demo's notes: %w", err)
	}
	if err := json.Unmarshal(raw, s); err != nil {
		return nil, false, fmt.Errorf("read the demo's notes: %s is not what the demo wrote; start with another --data: %w", path, err)
	}
	return s, true, nil
}

// save replaces the file whole: after a crash it is the old one or the new one. Only its owner may read it.
func (s *state) save() error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.OpenFile(s.path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keep the demo's notes: %w", err)
	}
	_, err = file.Write(append(raw, '\n'))
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("keep the demo's notes: %w", err)
	}
	return os.Rename(s.path+".new", s.path)
}
