package platform

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/probity/probity/client"
)

// The commands that the connector carries out.
const (
	commandSuspend = "enforcement.suspend"
	commandResume  = "enforcement.resume"
)

// maxCommandBytes bounds the body of a command; Probity's are a few hundred bytes.
const maxCommandBytes = 20_000

// command is the body of an enforcement command (docs/guides/enforcement-connector.md).
type command struct {
	Type string `json:"type"`
	Data struct {
		CommandID  string `json:"command_id"`
		AccountID  string `json:"account_id"`
		ExternalID string `json:"external_id"`
		Sequence   int64  `json:"sequence"`
	} `json:"data"`
}

// The refusals of a command.
var (
	errSuperseded      = errors.New("a newer command was carried out for this account")
	errUnknownCustomer = errors.New("no customer has this account")
)

// connector carries out Probity's commands. 2xx means that it is done and on stable storage, 409 that a newer command was done before.
func (s *site) connector(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCommandBytes))
	if err != nil {
		http.Error(w, "the command is too large", http.StatusRequestEntityTooLarge)
		return
	}
	if _, err := client.VerifyWebhook(s.ConnectorSecret, r.Header, body, s.Now()); err != nil {
		http.Error(w, "the signature does not fit", http.StatusUnauthorized)
		return
	}
	var c command
	if err := json.Unmarshal(body, &c); err != nil || c.Data.CommandID == "" || c.Data.Sequence < 1 ||
		(c.Type != commandSuspend && c.Type != commandResume) || r.Header.Get("Idempotency-Key") != c.Data.CommandID {
		http.Error(w, "this is no command that the platform knows", http.StatusBadRequest)
		return
	}
	switch err := s.Store.carryOut(c); {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.Is(err, errSuperseded):
		http.Error(w, err.Error(), http.StatusConflict)
	case errors.Is(err, errUnknownCustomer):
		http.Error(w, err.Error(), http.StatusNotFound)
	default:
		s.Log.Error("a command could not be stored; it will be sent again")
		http.Error(w, "the command could not be stored; send it again", http.StatusInternalServerError)
	}
}

// carryOut does the command once: a repetition of the newest one changes nothing, and whatever is older is refused.
func (s *Store) carryOut(c command) error {
	return s.change(func(next *state) error {
		customer := next.find(c.Data.ExternalID)
		if customer == nil || customer.AccountID != c.Data.AccountID {
			return errUnknownCustomer
		}
		if c.Data.CommandID == customer.LastCommand {
			return nil
		}
		if c.Data.Sequence <= customer.Sequence {
			return errSuperseded
		}
		customer.Sequence, customer.LastCommand = c.Data.Sequence, c.Data.CommandID
		to := Running
		if c.Type == commandSuspend {
			to = Suspended
		}
		for i := range customer.Instances {
			customer.Instances[i].State = to
		}
		return nil
	})
}
