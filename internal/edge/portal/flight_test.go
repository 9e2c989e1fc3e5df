package portal

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestAnAccountHasAFewOnTheirWayAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		views := inFlight{limit: 2}
		first, err := views.wait(t.Context(), "acct_1")
		if err != nil {
			t.Fatal(err)
		}
		second, free := views.begin("acct_1")
		if !free {
			t.Fatal("the second was refused")
		}
		if _, free := views.begin("acct_1"); free {
			t.Error("a third was let in")
		}
		other, free := views.begin("acct_2")
		if !free {
			t.Fatal("another account was refused for it")
		}
		waiting := make(chan func())
		go func() {
			end, err := views.wait(t.Context(), "acct_1")
			if err != nil {
				t.Error(err)
			}
			waiting <- end
		}()
		gone, goAway := context.WithCancel(t.Context())
		left := make(chan error)
		go func() {
			_, err := views.wait(gone, "acct_1")
			left <- err
		}()
		synctest.Wait()
		select {
		case <-waiting:
			t.Fatal("one did not wait for its turn")
		default:
		}
		goAway()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want that one who went away waits no longer", err)
		}
		first()
		(<-waiting)()
		second()
		other()
		if len(views.places) != 0 {
			t.Errorf("got %d accounts, want that nobody is remembered", len(views.places))
		}
	})
}
