// Package paymentfile reads past payments from CSV (plain or gzip) and NDJSON files, one at a time and fast. A small YAML document, the Map,
// says which column is what, so that a public data set needs no code.
//
// Nothing is dropped in silence: each row that cannot be used is counted under its reason, and the first ones are listed by line
// (Faults). A reason names the column and the rule and never a value, because values are personal data.
package paymentfile
