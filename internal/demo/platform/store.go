// Package platform is a pretend cloud platform, the tenant of the demo: customers with instances who pay for them. It knows Probity as
// any tenant's platform does, through the public API with its key, and through the connector endpoint that it offers.
package platform

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// InstanceState says whether an instance works for its customer.
type InstanceState string

// The states of an instance.
const (
	Running   InstanceState = "running"
	Suspended InstanceState = "suspended"
)

// Instance is a virtual machine of a customer.
type Instance struct {
	Name   string        `json:"name"`
	Shape  string        `json:"shape"` // processors and memory, e.g. "2 vCPU · 8 GB"
	Region string        `json:"region"`
	State  InstanceState `json:"state"`
}

// Place is where somebody pays from, with what the platform sees of the connection.
type Place struct {
	Country string `json:"country"` // ISO 3166-1 alpha-2
	Region  string `json:"region"`
	City    string `json:"city"`
	IP      string `json:"ip"` // of a range reserved for documentation (RFC 5737)
	Device  string `json:"device"`
}

// Habit is how a customer usually pays: the ready-made payments of the pages are made from it.
type Habit struct {
	AmountMinor   int64  `json:"amount_minor"`   // of an ordinary payment
	SurpriseMinor int64  `json:"surprise_minor"` // of a suspicious one
	Currency      string `json:"currency"`
	Home          Place  `json:"home"`
}

// Customer is an account holder as the platform knows them.
type Customer struct {
	ExternalID string     `json:"external_id"` // the platform's own id
	AccountID  string     `json:"account_id"`  // Probity's
	Name       string     `json:"name"`
	Habit      Habit      `json:"habit"`
	Instances  []Instance `json:"instances"`
	// Sequence is that of the newest command carried out; an older one is refused.
	Sequence int64 `json:"sequence"`
	// LastCommand is the newest command, so that its repetition is recognised.
	LastCommand string `json:"last_command"`
	// Surprises counts the suspicious payments made with the ready-made button, so that each comes from a place of its own.
	Surprises int `json:"surprises"`
}

// state is what the platform keeps in its file.
type state struct {
	Customers   []Customer    `json:"customers"`
	ClockOffset time.Duration `json:"clock_offset"` // how far the demo clock was last seen ahead of the machine's
}

// Store keeps the platform's customers in a file. It is safe for concurrent use; make one with OpenStore.
type Store struct {
	path string

	mutex sync.Mutex
	state state
}

// OpenStore reads the file, or starts empty when there is none.
func OpenStore(path string) (*Store, error) {
	s := &Store{path: path}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the platform's customers: %w", err)
	}
	if err := json.Unmarshal(raw, &s.state); err != nil {
		return nil, fmt.Errorf("read the platform's customers: %s is not what the demo wrote: %w", path, err)
	}
	return s, nil
}

// Customers returns all customers, in the order of the platform's own ids.
func (s *Store) Customers() []Customer {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	customers := s.state.clone().Customers
	slices.SortFunc(customers, func(x, y Customer) int { return strings.Compare(x.ExternalID, y.ExternalID) })
	return customers
}

// Customer returns the customer with the platform's id, and whether there is one.
func (s *Store) Customer(externalID string) (Customer, bool) {
	for _, customer := range s.Customers() {
		if customer.ExternalID == externalID {
			return customer, true
		}
	}
	return Customer{}, false
}

// Add notes a customer. One that is there already stays as it is.
func (s *Store) Add(customer Customer) error {
	return s.change(func(next *state) error {
		if next.find(customer.ExternalID) == nil {
			next.Customers = append(next.Customers, customer)
		}
		return nil
	})
}

// change writes a new state to the file, and only then makes it the present one.
func (s *Store) change(fn func(next *state) error) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	next := s.state.clone()
	if err := fn(&next); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(next, "", "  ")
	if err != nil {
		return err
	}
	if err := writeDurably(s.path, raw); err != nil {
		return fmt.Errorf("keep the platform's customers: %w", err)
	}
	s.state = next
	return nil
}

func (s state) clone() state {
	s.Customers = slices.Clone(s.Customers)
	for i := range s.Customers {
		s.Customers[i].Instances = slices.Clone(s.Customers[i].Instances)
	}
	return s
}

// find returns the customer with the platform's id, or nil.
func (s *state) find(externalID string) *Customer {
	for i := range s.Customers {
		if s.Customers[i].ExternalID == externalID {
			return &s.Customers[i]
		}
	}
	return nil
}

// writeDurably replaces a file whole: after a crash it is the old one or the new one.
func writeDurably(path string, content []byte) error {
	file, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
