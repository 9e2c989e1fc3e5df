// Package risk decides payments: a policy written as data (Policy) says which numbers about the past it needs (Definitions, kept by
// package history), what is remarkable about a payment is derived from them (FactsFor), and the policy's rules decide (Decide).
//
// Everything here is a pure function of its arguments. The decision log is the truth: profiles and the index are folds over it, facts are
// stored with every decision (Facts.AppendBinary), and the same facts under the same policy always give the same decision. Explain says why.
//
// Conditions are CEL. The common part of it is compiled to Go functions; the rest, and every explanation, runs in CEL's own interpreter.
//
// The guides are docs/guides/payment-policy.md and, generated from this package, docs/guides/policy-reference.md.
package risk
