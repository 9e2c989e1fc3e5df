// Package access says who acts and what each may do. Permissions are checked in the service floor, nowhere else.
package access

import (
	"slices"

	"github.com/probity/probity/internal/standard/problem"
)

// ActorKind is the sort of party that asks for a change.
type ActorKind string

// The kinds of actor. The zero value may do nothing.
const (
	Key    ActorKind = "key"    // an API key of the tenant's platform
	Staff  ActorKind = "staff"  // a person of the tenant, signed in to the console
	Holder ActorKind = "holder" // the account holder, signed in to the KYC Center
	System ActorKind = "system" // Probity itself: a deadline, a delivery result
)

// Role is what a member of staff is trusted with.
type Role string

// The roles of staff.
const (
	Reviewer      Role = "reviewer"
	Analyst       Role = "analyst" // of the risk team: a reviewer who also writes and publishes policies
	Administrator Role = "administrator"
)

// Valid reports whether r is a role that can be given.
func (r Role) Valid() bool { return r == Reviewer || r == Analyst || r == Administrator }

// Actor is one authenticated party. Its ID is a key, staff or account identifier; System has the name of the part that acts.
type Actor struct {
	Kind     ActorKind
	TenantID string
	ID       string
	Role     Role // staff only
}

// SystemActor returns Probity itself acting for a tenant, in the name of one of its parts.
func SystemActor(tenantID, part string) Actor {
	return Actor{Kind: System, TenantID: tenantID, ID: part}
}

// Permission is one thing that an actor may be allowed to do.
type Permission string

// The permissions that use cases ask for.
const (
	ManageAccounts   Permission = "accounts.manage" // accounts, payment methods, payments, portal sessions
	OpenVerification Permission = "verifications.open"
	SendEvidence     Permission = "evidence.send"
	DecideCases      Permission = "cases.decide"
	ReadTenant       Permission = "tenant.read"
	ManageTickets    Permission = "tickets.manage"
	ManageWebhooks   Permission = "webhooks.manage"
	ManageStaff      Permission = "staff.manage"
	ReportOutcomes   Permission = "payments.report"  // what became of a payment
	DraftPolicies    Permission = "policies.draft"   // write and discard drafts: they decide nothing
	PublishPolicies  Permission = "policies.publish" // propose, approve, withdraw, roll back
	ManageLists      Permission = "lists.manage"
)

// A key may draft a policy and never publish one: what decides payments is answered for by two people.
var granted = map[ActorKind][]Permission{
	Key: {ManageAccounts, OpenVerification, SendEvidence, DecideCases, ReadTenant, ManageTickets, ManageWebhooks, ReportOutcomes,
		DraftPolicies, ManageLists},
	Staff:  {OpenVerification, SendEvidence, DecideCases, ReadTenant, ManageTickets, ReportOutcomes},
	System: {OpenVerification, ReadTenant},
}

// grantedToRole is what a role adds to what every member of staff may do.
var grantedToRole = map[Role][]Permission{
	Analyst:       {DraftPolicies, PublishPolicies, ManageLists},
	Administrator: {DraftPolicies, PublishPolicies, ManageLists, ManageStaff, ManageWebhooks},
}

// Require returns a Forbidden problem unless the actor has the permission.
func (a Actor) Require(p Permission) error {
	if a.TenantID == "" {
		return problem.New(problem.Unauthenticated, "unauthenticated", "sign in, or send an API key")
	}
	if slices.Contains(granted[a.Kind], p) || a.Kind == Staff && slices.Contains(grantedToRole[a.Role], p) {
		return nil
	}
	return problem.New(problem.Forbidden, "forbidden", "this key or person may not do that; an administrator can")
}

// RequireAccount lets a holder act on their own account only, and anyone else who has the permission on any account of the tenant.
// A holder who asks for somebody else's account is told that it does not exist.
func (a Actor) RequireAccount(p Permission, accountID string) error {
	if a.Kind == Holder {
		if a.TenantID != "" && a.ID == accountID {
			return nil
		}
		return problem.Missing("account")
	}
	return a.Require(p)
}
