package history

import "time"

// Field names a property of a payment that an aggregate may group by, sum or count.
type Field string

// The fields. Amount and AmountMinor can be summed; all can be counted as distinct values; all but the amounts can be an entity.
const (
	Account       Field = "account"
	PaymentMethod Field = "payment_method" // our identifier of it
	MethodKind    Field = "method_kind"
	Fingerprint   Field = "fingerprint" // the tenant's, of the payment method
	Merchant      Field = "merchant"
	Device        Field = "device"
	IP            Field = "ip"
	Country       Field = "country"
	Region        Field = "region" // within its country
	City          Field = "city"   // within its region
	Currency      Field = "currency"
	Amount        Field = "amount"       // in minor units of the reference currency; payments without a rate are left out
	AmountMinor   Field = "amount_minor" // in minor units of the payment's own currency
)

// Of says which entries of the log an aggregate is about. The zero value means ApprovedOnly.
type Of uint8

// The two kinds of aggregates.
const (
	ApprovedOnly Of = iota + 1 // payments that went through, also after a review
	Attempts                   // every payment asked about, whatever the outcome
)

// Function is what an aggregate computes over the payments in its window. The zero value is invalid.
type Function uint8

// The functions, with the value they have when no payment is in the window.
const (
	Count          Function = iota + 1 // payments; 0
	Sum                                // of the field, in its minor units; 0
	Min                                // of the field; 0
	Max                                // of the field; 0
	Mean                               // of the field; 0
	Stddev                             // of the field, of the population; 0
	Distinct                           // different values of the field, at most MaxDistinct; 0
	FirstSeen                          // the earliest payment, in seconds since 1970; 0
	LastSeen                           // the latest payment, in seconds since 1970; 0
	TimeSinceFirst                     // seconds from the earliest payment to this one; 0
	TimeSinceLast                      // seconds from the latest payment to this one; Never
	Ratio                              // the field of this payment divided by the mean; 0
	FraudShare                         // confirmed frauds among the payments, 0 to 1; 0
)

// Never is the value of TimeSinceLast when there was no payment: about 31 years, more than any window.
const Never = 1e9

// The windows that a definition may have.
const (
	MinWindow = time.Minute
	MaxWindow = 400 * 24 * time.Hour
	MaxDelay  = 90 * 24 * time.Hour
)

// Filter says which payments an aggregate is about. Match must be a pure function and safe for concurrent use.
type Filter interface {
	Match(payment *Payment) bool
}

// Definition declares one aggregate.
type Definition struct {
	// Entity is one field or two: whose payments are aggregated. With Account among them, the state is in the account's Profile,
	// otherwise in the Index. A payment in which one of the fields is not known has no such entity: it is not folded, and reads as no history.
	Entity []Field
	Of     Of
	// Where is the canonical text of Filter, and stands for it: two definitions with the same text share state. Both are empty for all payments.
	Where    string
	Filter   Filter
	Function Function
	Field    Field // what Sum, Min, Max, Mean, Stddev, Ratio (Amount when empty) and Distinct (required) are about; ignored by the others
	Window   time.Duration
	// Delay ends the window that long before the payment, so that there was time for labels to arrive.
	Delay time.Duration
	// IncludeCurrent counts the payment that is being decided as if it were approved already, when it passes the filter. False
	// leaves it out. Not for FraudShare, nor for the times.
	IncludeCurrent bool
}
