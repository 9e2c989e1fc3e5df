package problem

import (
	"errors"
	"fmt"
	"testing"
)

// stated is an error of a database, whose text quotes a row.
type stated struct{}

func (stated) Error() string    { return "duplicate key: alma@mail.example" }
func (stated) SQLState() string { return "23505" }

func TestTheSortOfAnErrorTellsNothingOfItsText(t *testing.T) {
	for want, err := range map[string]error{
		"":                                      nil,
		"*fmt.wrapError < problem.stated 23505": fmt.Errorf("store: %w", stated{}),
		"*fmt.wrapErrors < *errors.errorString, problem.stated 23505": fmt.Errorf("%w: %w", errors.New("commit"), stated{}),
	} {
		if got := Sort(err); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
