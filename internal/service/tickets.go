package service

import (
	"context"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/casework"
	"github.com/probity/probity/internal/standard/id"
	"github.com/probity/probity/internal/standard/problem"
	"github.com/probity/probity/internal/standard/querycode"
)

// maxOpenTickets is how many tickets of one account can wait for an answer, so that nobody buries those of others.
const maxOpenTickets = 20

// OpenTicket is what an account holder, or the tenant for them, tells support.
func (s *Service) OpenTicket(ctx context.Context, actor access.Actor, t casework.Ticket) (casework.Ticket, error) {
	if err := actor.RequireAccount(access.ManageTickets, t.AccountID); err != nil {
		return t, err
	}
	if t.QueryCode != "" {
		canonical, err := querycode.Parse(t.QueryCode)
		if err != nil {
			return t, err
		}
		t.QueryCode = canonical
	}
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		if err := tx.LockAccount(actor.TenantID, t.AccountID); err != nil {
			return withField(err, "account_id")
		}
		open, _, err := tx.ListTickets(actor.TenantID, store.TicketFilter{AccountID: t.AccountID, Status: casework.TicketOpen}, store.Page{Limit: maxOpenTickets})
		if err != nil {
			return err
		}
		if len(open) >= maxOpenTickets {
			return problem.New(problem.TooMany, "too_many_tickets", "20 tickets of this account wait for an answer; wait until support has answered some")
		}
		if t.QueryCode != "" {
			v, err := tx.VerificationByQueryCode(actor.TenantID, t.QueryCode)
			if problem.Is(err, problem.NotFound) || (err == nil && v.AccountID != t.AccountID) {
				return problem.Field("query_code", "query_code_unknown", "no verification of this account has this query code; leave it out if you have none")
			}
			if err != nil {
				return err
			}
			t.VerificationID = v.ID
		}
		t.ID, t.TenantID = id.New(id.Ticket, tx.Now()), actor.TenantID
		opened, drafts, err := casework.StartTicket(t, tx.Now())
		if err != nil {
			return err
		}
		t = opened
		return tx.InsertTicket(actor, t, drafts)
	})
	return t, err
}

// Ticket returns one ticket.
func (s *Service) Ticket(ctx context.Context, actor access.Actor, ticketID string) (casework.Ticket, error) {
	var t casework.Ticket
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		if t, err = tx.Ticket(actor.TenantID, ticketID); err != nil {
			return err
		}
		if actor.Kind == access.Holder && t.AccountID != actor.ID {
			t = casework.Ticket{}
			return problem.Missing("ticket")
		}
		return actor.RequireAccount(access.ReadTenant, t.AccountID)
	})
	return t, err
}

// Tickets lists tickets, newest first. A holder sees their own only.
func (s *Service) Tickets(ctx context.Context, actor access.Actor, filter store.TicketFilter, page store.Page) ([]casework.Ticket, string, error) {
	var tickets []casework.Ticket
	var next string
	if actor.Kind == access.Holder {
		filter.AccountID = actor.ID
	} else if err := actor.Require(access.ReadTenant); err != nil {
		return nil, "", err
	}
	err := s.read(ctx, func(_ context.Context, tx *store.Tx) error {
		var err error
		tickets, next, err = tx.ListTickets(actor.TenantID, filter, page)
		return err
	})
	return tickets, next, err
}

// CloseTicket answers a ticket.
func (s *Service) CloseTicket(ctx context.Context, actor access.Actor, ticketID, answer string) (casework.Ticket, error) {
	var t casework.Ticket
	if err := actor.Require(access.ManageTickets); err != nil {
		return t, err
	}
	err := s.write(ctx, func(_ context.Context, tx *store.Tx) error {
		current, err := tx.Ticket(actor.TenantID, ticketID)
		if err != nil {
			return err
		}
		closed, drafts, err := current.Close(answer, tx.Now())
		if err != nil {
			return err
		}
		t = closed
		return tx.SaveTicket(actor, t, drafts)
	})
	return t, err
}
