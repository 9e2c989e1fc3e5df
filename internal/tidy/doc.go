// Package tidy holds no code, only tests that read the source of the whole module and fail where it breaks a rule of the house
// that a machine can check. A rule that no machine checks drifts; a rule that should not hold any more is changed here, in the
// open, with its reason.
//
// Each rule has an allow-list of exceptions, each with a reason. A list may shrink freely and grow only with a reason that a reviewer
// accepts. An exception that is no longer needed fails too, so that the lists stay true.
package tidy
