// Package policycase reads and runs worked cases: stories of an account and one payment, with the answer that a policy should give, written in
// YAML so that a risk analyst can read and extend them. A story has a history of lines such as "12 payments of USD 10.00 to 80.00, one every 3 days,
// from DE/BE with method A on device D1", a payment such as "USD 20.00 from FR/IDF with method B", and what to expect.
//
// The language of the lines is explained in internal/domain/risk/testdata/cases/README.md.
package policycase
