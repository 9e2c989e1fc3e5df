package service_test

import (
	"testing"
	"time"

	"github.com/probity/probity/internal/standard/problem"
)

func TestAnAPIKeyIsGoodThoughItsUseCannotBeNoted(t *testing.T) {
	on(t, func(w *world) {
		_, secret, err := w.s.CreateKey(w.Context(), w.tenant.ID, "platform")
		w.must(err)
		refuse := "CREATE TRIGGER refuse BEFORE UPDATE ON api_keys BEGIN SELECT RAISE(ABORT, 'refused'); END"
		if w.store.Dialect() == "postgres" {
			refuse = `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
				CREATE TRIGGER refuse BEFORE UPDATE ON api_keys FOR EACH ROW EXECUTE FUNCTION refuse()`
		}
		_, err = w.db.Exec(refuse)
		w.must(err)
		for range 2 {
			w.pass(2 * time.Hour)
			actor, err := w.s.AuthenticateKey(w.Context(), secret.Reveal())
			w.must(err)
			if actor.TenantID != w.tenant.ID {
				w.Errorf("got %+v", actor)
			}
		}
	})
}

func TestWithoutTheDatabaseKeysAreUnavailableAndNotUnknown(t *testing.T) {
	on(t, func(w *world) {
		_, secret, err := w.s.CreateKey(w.Context(), w.tenant.ID, "platform")
		w.must(err)
		w.must(w.store.Close())
		_, err = w.s.AuthenticateKey(w.Context(), secret.Reveal())
		refused(w, err, problem.Unavailable, "database_unavailable")
		w.open()
		_, err = w.s.AuthenticateKey(w.Context(), secret.Reveal())
		w.must(err)
	})
}
