// Package risk decides payments: it knows what an account usually does (Profile), derives from it what is remarkable about a payment
// (Facts), and lets a policy written as data (Policy) decide (Decide).
//
// Everything here is a pure function of its arguments. The decision log is the truth: a profile is a fold over its approved payments
// and over the lessons of approved verifications, and the same facts under the same policy always give the same decision.
//
// The guide for people who change the policy is docs/guides/payment-policy.md.
package risk
