package service

import (
	"context"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/enforcement"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/problem"
)

// AccountView is an account with what stands against it.
type AccountView struct {
	Account      account.Account
	Restrictions []account.Restriction
	Enforcement  enforcement.Enforcement
}

// CreateAccount adds an account holder to the tenant.
func (s *Service) CreateAccount(ctx context.Context, actor access.Actor, profile account.Profile) (AccountView, error) {
	var view AccountView
	if err := actor.Require(access.ManageAccounts); err != nil {
		return view, err
	}
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		if err := profile.Check(tx.Now()); err != nil {
			return err
		}
		view.Account = account.Account{
			ID: id.New(id.Account, tx.Now()), TenantID: actor.TenantID, Profile: profile, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
		}
		view.Enforcement = enforcement.Enforcement{TenantID: actor.TenantID, AccountID: view.Account.ID, State: enforcement.None}
		return tx.InsertAccount(actor, view.Account, []journal.Draft{
			journal.Of(journal.AccountCreated, view.Account.ID, view.Account.ID, "kind", string(profile.Kind)),
		})
	})
	return view, err
}

// UpdateAccount changes what the tenant says about an account holder: change receives the present profile and returns the new one.
func (s *Service) UpdateAccount(ctx context.Context, actor access.Actor, accountID string, change func(account.Profile) account.Profile) (AccountView, error) {
	var view AccountView
	if err := actor.Require(access.ManageAccounts); err != nil {
		return view, err
	}
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		if err := tx.LockAccount(actor.TenantID, accountID); err != nil {
			return err
		}
		current, err := tx.Account(actor.TenantID, accountID)
		if err != nil {
			return err
		}
		current.Profile = change(current.Profile)
		if err := current.Profile.Check(tx.Now()); err != nil {
			return err
		}
		current.Version++
		current.UpdatedAt = tx.Now()
		if err := tx.UpdateAccount(actor, current, []journal.Draft{journal.Of(journal.AccountUpdated, current.ID, current.ID)}); err != nil {
			return err
		}
		view, err = accountView(tx, current)
		return err
	})
	return view, err
}

// Account returns one account of the tenant.
func (s *Service) Account(ctx context.Context, actor access.Actor, accountID string) (AccountView, error) {
	var view AccountView
	if err := actor.RequireAccount(access.ReadTenant, accountID); err != nil {
		return view, err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		found, err := tx.Account(actor.TenantID, accountID)
		if err != nil {
			return err
		}
		view, err = accountView(tx, found)
		return err
	})
	return view, err
}

// Accounts lists the tenant's accounts, or the one with the external id when that is given.
func (s *Service) Accounts(ctx context.Context, actor access.Actor, externalID string, page store.Page) ([]AccountView, string, error) {
	var views []AccountView
	var next string
	if err := actor.Require(access.ReadTenant); err != nil {
		return nil, "", err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var found []account.Account
		var err error
		if externalID == "" {
			found, next, err = tx.ListAccounts(actor.TenantID, page)
		} else {
			var one account.Account
			one, err = tx.AccountByExternalID(actor.TenantID, externalID)
			if problem.Is(err, problem.NotFound) {
				return nil
			}
			found = []account.Account{one}
		}
		if err != nil {
			return err
		}
		for _, one := range found {
			view, err := accountView(tx, one)
			if err != nil {
				return err
			}
			views = append(views, view)
		}
		return nil
	})
	return views, next, err
}

func accountView(tx *store.Tx, a account.Account) (AccountView, error) {
	restrictions, err := tx.Restrictions(a.TenantID, a.ID)
	if err != nil {
		return AccountView{}, err
	}
	enforced, err := tx.Enforcement(a.TenantID, a.ID)
	return AccountView{Account: a, Restrictions: restrictions, Enforcement: enforced}, err
}

// AddPaymentMethod notes a payment method of an account: at most its first six and last four digits.
func (s *Service) AddPaymentMethod(ctx context.Context, actor access.Actor, method payment.Method) (payment.Method, error) {
	if err := actor.Require(access.ManageAccounts); err != nil {
		return method, err
	}
	if err := method.Check(); err != nil {
		return method, err
	}
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		if err := tx.LockAccount(actor.TenantID, method.AccountID); err != nil {
			return err
		}
		method.ID, method.TenantID, method.CreatedAt = id.New(id.PaymentMethod, tx.Now()), actor.TenantID, tx.Now()
		return tx.InsertPaymentMethod(actor, method, []journal.Draft{
			journal.Of(journal.PaymentMethodAdded, method.ID, method.AccountID, "kind", string(method.Kind)),
		})
	})
	return method, err
}

// PaymentMethods lists the payment methods of an account.
func (s *Service) PaymentMethods(ctx context.Context, actor access.Actor, accountID string) ([]payment.Method, error) {
	var methods []payment.Method
	if err := actor.RequireAccount(access.ReadTenant, accountID); err != nil {
		return nil, err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := tx.Account(actor.TenantID, accountID); err != nil {
			return err
		}
		var err error
		methods, err = tx.PaymentMethods(actor.TenantID, accountID)
		return err
	})
	return methods, err
}
