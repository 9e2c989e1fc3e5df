package service

import (
	"context"
	"strings"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/list"
	"github.com/probity/probity/internal/domain/publication"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/pan"
	"github.com/probity/probity/internal/standard/problem"
)

// ListView is a list with what the live policy makes of it.
type ListView struct {
	List    list.List
	Entries int
	Field   string // of a payment that the live policy compares with the list; empty when it does not read it
}

// NewList is a list to be made.
type NewList struct {
	Name        string
	Kind        list.Kind
	Description string
}

// NewListEntry is a value to be put on a list.
type NewListEntry struct {
	ListID string
	list.NewEntry
}

// CreateList makes an empty list. Rules of the policy read it by its name, as soon as a policy that declares it is live.
func (s *Service) CreateList(ctx context.Context, actor access.Actor, in NewList) (ListView, error) {
	var view ListView
	if err := actor.Require(access.ManageLists); err != nil {
		return view, err
	}
	if err := account.CheckText("description", in.Description, list.MaxDescription); err != nil {
		return view, err
	}
	err := s.changeLists(ctx, actor, func(tx *store.Tx) error {
		lists, err := tx.Lists(actor.TenantID)
		if err != nil {
			return err
		}
		if len(lists) >= list.MaxLists {
			return problem.New(problem.Conflict, "too_many_lists", "a tenant has at most 50 lists; delete one first")
		}
		l, drafts, err := list.Start(id.New(id.List, tx.Now()), in.Name, in.Kind, in.Description, actor, tx.Now())
		if err != nil {
			return err
		}
		view.List = l
		return tx.InsertList(actor, l, drafts)
	})
	return view, err
}

// changeLists runs a change of what decides in one transaction, after which every node looks at the lists anew.
func (s *Service) changeLists(ctx context.Context, actor access.Actor, do func(tx *store.Tx) error) error {
	return s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		settings, err := tx.HoldRiskSettings(actor.TenantID)
		if err != nil {
			return err
		}
		if err := do(tx); err != nil {
			return err
		}
		return tx.SwitchLists(settings)
	})
}

// DeleteList ends a list: nothing stands on it any more. Conflict list_in_use while the live policy or one that is being prepared reads it;
// Forbidden person_required for a key.
func (s *Service) DeleteList(ctx context.Context, actor access.Actor, listID string) error {
	if err := actor.Require(access.ManageLists); err != nil {
		return err
	}
	if actor.Kind == access.Key {
		return problem.New(problem.Forbidden, "person_required", "a list is deleted by a person of the risk team in the console, not by a key")
	}
	return s.changeLists(ctx, actor, func(tx *store.Tx) error {
		l, err := tx.List(actor.TenantID, listID)
		if err != nil {
			return err
		}
		if err := s.checkUnread(tx, l); err != nil {
			return err
		}
		l, drafts := l.Delete(tx.Now())
		return tx.DeleteList(actor, l, drafts)
	})
}

// checkUnread refuses to delete a list that decides payments, or is about to.
func (s *Service) checkUnread(tx *store.Tx, l list.List) error {
	_, inUse, err := s.declaredList(tx, l)
	if err != nil {
		return err
	}
	preparing, err := tx.PoliciesIn(l.TenantID, publication.Preparing)
	if err != nil {
		return err
	}
	for _, v := range preparing {
		policy, err := s.compiledPolicy(v.Text)
		if err != nil {
			continue // it can never go live with this version of the program
		}
		_, declared := declaredLists(policy)[l.Name]
		inUse = inUse || declared
	}
	if inUse {
		return problem.New(problem.Conflict, "list_in_use", "the live policy, or one that is being prepared, reads this list; publish one that does not first")
	}
	return nil
}

// checkWriter refuses a key that would let payments pass: what stands on a list of kind allow, people answer for.
func checkWriter(actor access.Actor, l list.List) error {
	if actor.Kind == access.Key && l.Kind == list.Allow {
		return problem.New(problem.Forbidden, "person_required",
			"entries of a list of kind allow are changed by a person of the risk team in the console, not by a key")
	}
	return nil
}

// Lists returns the tenant's lists by name.
func (s *Service) Lists(ctx context.Context, actor access.Actor) ([]ListView, error) {
	var views []ListView
	if err := actor.Require(access.ReadTenant); err != nil {
		return nil, err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		lists, err := tx.Lists(actor.TenantID)
		if err != nil {
			return err
		}
		for _, l := range lists {
			view, err := s.listView(tx, l)
			if err != nil {
				return err
			}
			views = append(views, view)
		}
		return nil
	})
	return views, err
}

// List returns one list.
func (s *Service) List(ctx context.Context, actor access.Actor, listID string) (ListView, error) {
	var view ListView
	if err := actor.Require(access.ReadTenant); err != nil {
		return view, err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		l, err := tx.List(actor.TenantID, listID)
		if err != nil {
			return err
		}
		view, err = s.listView(tx, l)
		return err
	})
	return view, err
}

func (s *Service) listView(tx *store.Tx, l list.List) (ListView, error) {
	view := ListView{List: l}
	var err error
	if view.Entries, err = tx.CountListEntries(l.TenantID, l.ID); err != nil {
		return view, err
	}
	declared, found, err := s.declaredList(tx, l)
	if found {
		view.Field = string(declared.Field)
	}
	return view, err
}

// declaredList is what the live policy says of a list, and whether it reads it.
func (s *Service) declaredList(tx *store.Tx, l list.List) (risk.List, bool, error) {
	live, err := s.livePolicy(tx, l.TenantID)
	if err != nil {
		return risk.List{}, false, err
	}
	for _, declared := range live.Policy.Lists {
		if declared.Name == l.Name {
			return declared, true, nil
		}
	}
	return risk.List{}, false, nil
}

// AddListEntry puts a value on a list. Decisions see it with the next group, on every node.
func (s *Service) AddListEntry(ctx context.Context, actor access.Actor, in NewListEntry) (list.Entry, error) {
	var e list.Entry
	if err := actor.Require(access.ManageLists); err != nil {
		return e, err
	}
	if strings.TrimSpace(in.Reason) == "" {
		return e, problem.Field("reason", "required", "say why, for colleagues who ask later")
	}
	if err := account.CheckText("reason", in.Reason, list.MaxReason); err != nil {
		return e, err
	}
	if pan.Find(in.Value) {
		return e, problem.Field("value", "pan_not_accepted", "a full card number is not accepted anywhere; list the card's fingerprint instead")
	}
	err := s.changeLists(ctx, actor, func(tx *store.Tx) error {
		l, err := tx.List(actor.TenantID, in.ListID)
		if err != nil {
			return err
		}
		if err := checkWriter(actor, l); err != nil {
			return err
		}
		count, err := tx.CountListEntries(l.TenantID, l.ID)
		if err != nil {
			return err
		}
		if count >= list.MaxEntries {
			return problem.New(problem.Conflict, "too_many_entries", "a list has at most 100000 entries; remove some first")
		}
		if count, err = tx.CountEntriesOfTenant(l.TenantID); err != nil {
			return err
		}
		if count >= list.MaxEntriesOfTenant {
			return problem.New(problem.Conflict, "too_many_entries", "all lists together have at most 200000 entries; remove some first")
		}
		// The live policy knows how a value of its field is spelled, and which can never match.
		if declared, found, err := s.declaredList(tx, l); err != nil {
			return err
		} else if found {
			if in.Value, err = declared.Normal(in.Value); err != nil {
				return err
			}
		}
		made, drafts, err := l.Add(id.New(id.ListEntry, tx.Now()), in.NewEntry, actor, tx.Now())
		if err != nil {
			return err
		}
		if err := s.removeExpired(tx, actor, l, made.Value); err != nil {
			return err
		}
		e = made
		return tx.InsertListEntry(actor, made, drafts)
	})
	return e, err
}

// removeExpired makes way for a value that was on the list until it expired.
func (s *Service) removeExpired(tx *store.Tx, actor access.Actor, l list.List, value string) error {
	before, found, err := tx.FindListEntry(l.TenantID, l.ID, value)
	if err != nil || !found || before.Stands(tx.Now()) {
		return err
	}
	before, drafts, _ := l.Remove(before, actor, tx.Now())
	return tx.RemoveListEntry(actor, before, drafts)
}

// RemoveListEntry takes a value off a list. Removing it again changes nothing.
func (s *Service) RemoveListEntry(ctx context.Context, actor access.Actor, listID, entryID string) error {
	if err := actor.Require(access.ManageLists); err != nil {
		return err
	}
	return s.changeLists(ctx, actor, func(tx *store.Tx) error {
		l, err := tx.List(actor.TenantID, listID)
		if err != nil {
			return err
		}
		if err := checkWriter(actor, l); err != nil {
			return err
		}
		e, err := tx.ListEntry(actor.TenantID, listID, entryID)
		if err != nil {
			return err
		}
		e, drafts, changed := l.Remove(e, actor, tx.Now())
		if !changed {
			return nil
		}
		return tx.RemoveListEntry(actor, e, drafts)
	})
}

// ListEntries returns what stands on a list, newest first; with a value in the filter, that one only.
func (s *Service) ListEntries(ctx context.Context, actor access.Actor, listID string, filter store.ListEntryFilter, page store.Page) ([]list.Entry, string, error) {
	var entries []list.Entry
	var next string
	if err := actor.Require(access.ReadTenant); err != nil {
		return nil, "", err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		l, err := tx.List(actor.TenantID, listID)
		if err != nil {
			return err
		}
		if filter.Value != "" {
			filter.Value = list.Normal(filter.Value)
			if declared, found, err := s.declaredList(tx, l); err != nil {
				return err
			} else if found {
				if normal, err := declared.Normal(filter.Value); err == nil {
					filter.Value = normal
				}
			}
		}
		entries, next, err = tx.ListEntries(actor.TenantID, listID, filter, page)
		return err
	})
	return entries, next, err
}
