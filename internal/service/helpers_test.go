package service_test

import (
	"strings"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/journal"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/domain/policy"
)

// join writes things one after another, with spaces.
func join[T ~string](items []T) string {
	words := make([]string, len(items))
	for i, item := range items {
		words[i] = string(item)
	}
	return strings.Join(words, " ")
}

func reasonCodes(p payment.Payment) string {
	var codes []string
	for _, reason := range p.Reasons {
		codes = append(codes, reason.Code)
	}
	return strings.Join(codes, " ")
}

func storeFilter() store.VerificationFilter { return store.VerificationFilter{} }
func storePage() store.Page                 { return store.Page{} }

func policyWithoutConnector() policy.Tenant {
	return policy.Tenant{Name: "Pier Nine", TimeZone: "Asia/Shanghai", SupportEmail: "help@pier.example"}
}

type entry = journal.Entry

func caseFilter() store.CaseFilter     { return store.CaseFilter{} }
func ticketFilter() store.TicketFilter { return store.TicketFilter{} }
