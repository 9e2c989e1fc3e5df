// Package story plays the product's whole story in a browser, as its readers meet it: a payment is rejected, its holder is told by
// mail, signs in, sends three items and submits; staff review and decide; the retried payment passes; and an account that does not
// answer is suspended and resumed. Everything is real: the demo as it is started by hand, SMTP, the job worker, the platform behind its
// connector, Chromium.
//
// It holds tests only. With PROBITY_SCREENSHOTS set to a directory, pictures of every page stay there, at desktop and phone width.
package story
