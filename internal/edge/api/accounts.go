package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/account"
	"github.com/probity/probity/internal/domain/payment"
	"github.com/probity/probity/internal/service"
)

// Address is a postal address as the tenant states it.
type Address struct {
	Lines      []string `json:"lines,omitempty" maxItems:"6" doc:"Street, building, floor; at most six lines." example:"[\"1 Harbour Road\",\"Unit 5\"]"`
	City       string   `json:"city,omitempty" maxLength:"200" doc:"City or town." example:"Singapore"`
	Region     string   `json:"region,omitempty" maxLength:"200" doc:"State, province or region." example:"Central"`
	PostalCode string   `json:"postal_code,omitempty" maxLength:"200" doc:"Postal code." example:"018956"`
	Country    string   `json:"country,omitempty" doc:"ISO 3166-1 alpha-2." example:"SG"`
}

// NewAccount is what the tenant says about an account holder: claims, which a verification compares with documents.
type NewAccount struct {
	ExternalID         string   `json:"external_id,omitempty" maxLength:"200" doc:"The tenant's own id of the account; unique when given." example:"customer-4711"`
	Kind               string   `json:"kind" enum:"individual,enterprise" doc:"Whether a person or an organisation holds the account." example:"individual"`
	Name               string   `json:"name" maxLength:"200" doc:"Full name, as on the documents." example:"Alma Petersen"`
	Email              string   `json:"email,omitempty" maxLength:"254" doc:"Where notices and sign-in codes go." example:"alma@example.com"`
	Phone              string   `json:"phone,omitempty" maxLength:"200" doc:"Telephone number." example:"+65 6555 0100"`
	Address            *Address `json:"address,omitempty" doc:"Postal address."`
	Country            string   `json:"country,omitempty" doc:"Of residence or registration; ISO 3166-1 alpha-2." example:"SG"`
	DateOfBirth        string   `json:"date_of_birth,omitempty" doc:"YYYY-MM-DD." example:"1990-04-12"`
	Locale             string   `json:"locale,omitempty" maxLength:"35" doc:"BCP 47 language of notices: zh for Simplified Chinese, anything else reads English." example:"en"`
	TimeZone           string   `json:"time_zone,omitempty" maxLength:"64" doc:"IANA zone in which the holder's due dates run; without it the tenant's." example:"Asia/Singapore"`
	Industry           string   `json:"industry,omitempty" maxLength:"200" doc:"What an enterprise is in." example:"logistics"`
	BusinessActivities string   `json:"business_activities,omitempty" maxLength:"200" doc:"What it does." example:"freight forwarding"`
}

// AccountPatch is a JSON merge patch (RFC 7396): a field that is absent stays, null clears it.
type AccountPatch struct {
	ExternalID         *string       `json:"external_id,omitempty" nullable:"true" maxLength:"200" doc:"The tenant's own id of the account; unique when given." example:"customer-4711"`
	Kind               *string       `json:"kind,omitempty" enum:"individual,enterprise" doc:"Whether a person or an organisation holds the account." example:"individual"`
	Name               *string       `json:"name,omitempty" maxLength:"200" doc:"Full name, as on the documents." example:"Alma Petersen"`
	Email              *string       `json:"email,omitempty" nullable:"true" maxLength:"254" doc:"Where notices and sign-in codes go." example:"alma@example.com"`
	Phone              *string       `json:"phone,omitempty" nullable:"true" maxLength:"200" doc:"Telephone number." example:"+65 6555 0100"`
	Address            *AddressPatch `json:"address,omitempty" doc:"Postal address; its fields are merged too, null clears all of it."`
	Country            *string       `json:"country,omitempty" nullable:"true" doc:"Of residence or registration; ISO 3166-1 alpha-2." example:"SG"`
	DateOfBirth        *string       `json:"date_of_birth,omitempty" nullable:"true" doc:"YYYY-MM-DD." example:"1990-04-12"`
	Locale             *string       `json:"locale,omitempty" nullable:"true" maxLength:"35" doc:"BCP 47 language of notices." example:"zh-CN"`
	TimeZone           *string       `json:"time_zone,omitempty" nullable:"true" maxLength:"64" doc:"IANA zone in which the holder's due dates run." example:"Asia/Shanghai"`
	Industry           *string       `json:"industry,omitempty" nullable:"true" maxLength:"200" doc:"What an enterprise is in." example:"logistics"`
	BusinessActivities *string       `json:"business_activities,omitempty" nullable:"true" maxLength:"200" doc:"What it does." example:"freight forwarding"`
}

// AddressPatch is the address in a merge patch.
type AddressPatch struct {
	Lines      []string `json:"lines,omitempty" nullable:"true" maxItems:"6" doc:"Replaces all lines." example:"[\"1 Harbour Road\"]"`
	City       *string  `json:"city,omitempty" nullable:"true" maxLength:"200" doc:"City or town." example:"Singapore"`
	Region     *string  `json:"region,omitempty" nullable:"true" maxLength:"200" doc:"State, province or region." example:"Central"`
	PostalCode *string  `json:"postal_code,omitempty" nullable:"true" maxLength:"200" doc:"Postal code." example:"018956"`
	Country    *string  `json:"country,omitempty" nullable:"true" doc:"ISO 3166-1 alpha-2." example:"SG"`
}

// Account is an account holder of the tenant, with what stands against it.
type Account struct {
	ID                 string         `json:"id" doc:"Our id of the account." example:"acct_01jc0000000000000000000000"`
	ExternalID         *string        `json:"external_id" doc:"The tenant's own id." example:"customer-4711"`
	Kind               string         `json:"kind" enum:"individual,enterprise" doc:"Whether a person or an organisation holds the account." example:"individual"`
	Name               string         `json:"name" doc:"Full name." example:"Alma Petersen"`
	Email              *string        `json:"email" doc:"Where notices go." example:"alma@example.com"`
	Phone              *string        `json:"phone" doc:"Telephone number." example:"+65 6555 0100"`
	Address            *PostalAddress `json:"address" doc:"Postal address; null when nothing is known of it."`
	Country            *string        `json:"country" doc:"ISO 3166-1 alpha-2." example:"SG"`
	DateOfBirth        *string        `json:"date_of_birth" doc:"YYYY-MM-DD." example:"1990-04-12"`
	Locale             *string        `json:"locale" doc:"BCP 47." example:"en"`
	TimeZone           *string        `json:"time_zone" doc:"IANA zone." example:"Asia/Singapore"`
	Industry           *string        `json:"industry" doc:"What an enterprise is in." example:"logistics"`
	BusinessActivities *string        `json:"business_activities" doc:"What it does." example:"freight forwarding"`
	Restrictions       []Restriction  `json:"restrictions" doc:"What the account may not do at present; empty when it may do everything."`
	Enforcement        Enforcement    `json:"enforcement" doc:"What happens to the account's resources."`
	CreatedAt          time.Time      `json:"created_at" doc:"When it was created." example:"2026-11-09T10:00:00Z"`
	UpdatedAt          time.Time      `json:"updated_at" doc:"When it was last changed." example:"2026-11-09T10:00:00Z"`
}

// PostalAddress is the address of an account, as it answers.
type PostalAddress struct {
	Lines      []string `json:"lines" doc:"Street, building, floor." example:"[\"1 Harbour Road\",\"Unit 5\"]"`
	City       *string  `json:"city" doc:"City or town." example:"Singapore"`
	Region     *string  `json:"region" doc:"State, province or region." example:"Central"`
	PostalCode *string  `json:"postal_code" doc:"Postal code." example:"018956"`
	Country    *string  `json:"country" doc:"ISO 3166-1 alpha-2." example:"SG"`
}

// Restriction is something an account may not do. The approval of its verification lifts it.
type Restriction struct {
	ID             string    `json:"id" doc:"Our id of the restriction." example:"res_01jc0000000000000000000000"`
	Kind           string    `json:"kind" enum:"payments" doc:"payments: every payment of the account is rejected." example:"payments"`
	VerificationID string    `json:"verification_id" doc:"The verification whose approval lifts it." example:"ver_01jc0000000000000000000000"`
	PlacedAt       time.Time `json:"placed_at" doc:"Since when it stands." example:"2026-11-09T10:00:00Z"`
}

// Enforcement is what happens to an account's resources when nobody answers.
type Enforcement struct {
	State string     `json:"state" enum:"none,grace,suspended,release_scheduled,released" doc:"grace: a due date runs; suspended: it was missed." example:"grace"`
	DueAt *time.Time `json:"due_at" doc:"When the present state ends, while a clock runs." example:"2026-11-10T15:59:59Z"`
}

func accountOf(view service.AccountView) Account {
	p := view.Account.Profile
	out := Account{
		ID: view.Account.ID, ExternalID: orNull(p.ExternalID), Kind: string(p.Kind), Name: p.Name, Email: orNull(p.Email), Phone: orNull(p.Phone),
		Country: orNull(p.Country), DateOfBirth: orNull(p.DateOfBirth), Locale: orNull(p.Locale), TimeZone: orNull(p.TimeZone),
		Industry: orNull(p.Industry), BusinessActivities: orNull(p.BusinessActivities), Restrictions: []Restriction{},
		Enforcement: Enforcement{State: string(view.Enforcement.State), DueAt: instant(view.Enforcement.DueAt)},
		CreatedAt:   view.Account.CreatedAt, UpdatedAt: view.Account.UpdatedAt,
	}
	if a := p.Address; addressOf(a) != nil {
		out.Address = &PostalAddress{
			Lines: append([]string{}, a.Lines...), City: orNull(a.City), Region: orNull(a.Region), PostalCode: orNull(a.PostalCode), Country: orNull(a.Country),
		}
	}
	for _, r := range view.Restrictions {
		if r.Standing() {
			out.Restrictions = append(out.Restrictions, Restriction{ID: r.ID, Kind: string(r.Kind), VerificationID: r.VerificationID, PlacedAt: r.PlacedAt})
		}
	}
	return out
}

func addressOf(a account.Address) *Address {
	if len(a.Lines) == 0 && a.City == "" && a.Region == "" && a.PostalCode == "" && a.Country == "" {
		return nil
	}
	return &Address{Lines: a.Lines, City: a.City, Region: a.Region, PostalCode: a.PostalCode, Country: a.Country}
}

func (a NewAccount) profile() account.Profile {
	address := given(a.Address)
	return account.Profile{
		ExternalID: a.ExternalID, Kind: account.Kind(a.Kind), Name: a.Name, Email: a.Email, Phone: a.Phone, Address: account.Address{
			Lines: address.Lines, City: address.City, Region: address.Region, PostalCode: address.PostalCode, Country: address.Country,
		},
		Country: a.Country, DateOfBirth: a.DateOfBirth, Locale: a.Locale, TimeZone: a.TimeZone, Industry: a.Industry, BusinessActivities: a.BusinessActivities,
	}
}

// writable is the part of a profile that a merge patch applies to.
func writable(p account.Profile) NewAccount {
	return NewAccount{
		ExternalID: p.ExternalID, Kind: string(p.Kind), Name: p.Name, Email: p.Email, Phone: p.Phone, Address: addressOf(p.Address), Country: p.Country,
		DateOfBirth: p.DateOfBirth, Locale: p.Locale, TimeZone: p.TimeZone, Industry: p.Industry, BusinessActivities: p.BusinessActivities,
	}
}

// merged applies a merge patch to a profile. A patch that cannot be read gives the zero profile, which no rule accepts.
func merged(p account.Profile, patch []byte) account.Profile {
	var target, changes map[string]any
	before, err := json.Marshal(writable(p))
	if err != nil || json.Unmarshal(before, &target) != nil || json.Unmarshal(patch, &changes) != nil {
		return account.Profile{}
	}
	after, err := json.Marshal(mergePatch(target, changes))
	var out NewAccount
	if err != nil || json.Unmarshal(after, &out) != nil {
		return account.Profile{}
	}
	return out.profile()
}

// mergePatch is the algorithm of RFC 7396 §2 for objects.
func mergePatch(target, patch map[string]any) map[string]any {
	if target == nil {
		target = map[string]any{}
	}
	for name, value := range patch {
		if value == nil {
			delete(target, name)
			continue
		}
		if inner, isObject := value.(map[string]any); isObject {
			existing, _ := target[name].(map[string]any)
			target[name] = mergePatch(existing, inner)
			continue
		}
		target[name] = value
	}
	return target
}

// AccountPath is the path of one account.
type AccountPath struct {
	ID string `path:"id" doc:"The account." example:"acct_01jc0000000000000000000000"`
}

func (e *edge) registerAccounts() {
	register(e, operation{
		id: "create-account", method: http.MethodPost, path: "/v1/accounts", tag: tagAccounts, status: http.StatusCreated,
		summary: "Create an account", description: "Registers an account holder of the tenant, before or when they first pay.",
	}, func(ctx context.Context, actor access.Actor, in *struct{ Body NewAccount }) (Account, error) {
		view, err := e.Service.CreateAccount(ctx, actor, in.Body.profile())
		return accountOf(view), err
	})
	register(e, operation{
		id: "list-accounts", method: http.MethodGet, path: "/v1/accounts", tag: tagAccounts, status: http.StatusOK,
		summary: "List accounts", description: "Newest first; with external_id, the one account with it, or none.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		Paging
		ExternalID string `query:"external_id" maxLength:"200" doc:"The tenant's own id of an account." example:"customer-4711"`
	}) (list[Account], error) {
		views, next, err := e.Service.Accounts(ctx, actor, in.ExternalID, in.page())
		return listOf(views, next, accountOf), err
	})
	register(e, operation{
		id: "get-account", method: http.MethodGet, path: "/v1/accounts/{id}", tag: tagAccounts, status: http.StatusOK,
		summary: "Get an account", description: "With the restrictions that stand and the state of enforcement.",
	}, func(ctx context.Context, actor access.Actor, in *AccountPath) (Account, error) {
		view, err := e.Service.Account(ctx, actor, in.ID)
		return accountOf(view), err
	})
	patch := e.huma.OpenAPI().Components.Schemas.Schema(typeOf[AccountPatch](), true, "")
	register(e, operation{
		id: "update-account", method: http.MethodPatch, path: "/v1/accounts/{id}", tag: tagAccounts, status: http.StatusOK,
		summary: "Change an account", description: "A JSON merge patch (RFC 7396): a field that is absent stays as it is, null clears it.",
		route: route{mergePatch: true},
		request: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/merge-patch+json": {Schema: patch}, "application/json": {Schema: patch},
		}},
	}, func(ctx context.Context, actor access.Actor, in *struct {
		AccountPath
		Body AccountPatch
	}) (Account, error) {
		body := requestOf(ctx).body
		view, err := e.Service.UpdateAccount(ctx, actor, in.ID, func(p account.Profile) account.Profile { return merged(p, body) })
		return accountOf(view), err
	})
	e.registerPaymentMethods()
}

// NewPaymentMethod is a payment method as the tenant knows it: never its number.
type NewPaymentMethod struct {
	Kind        string `json:"kind" enum:"card,bank_account,wallet" doc:"The sort of payment method." example:"card"`
	Brand       string `json:"brand,omitempty" maxLength:"40" doc:"Card scheme, bank or wallet." example:"visa"`
	First6      string `json:"first6,omitempty" doc:"The first six digits of a card; cards only." example:"400012"`
	Last4       string `json:"last4,omitempty" doc:"The last four digits." example:"9876"`
	HolderName  string `json:"holder_name,omitempty" maxLength:"200" doc:"The name on it." example:"ALMA PETERSEN"`
	Fingerprint string `json:"fingerprint,omitempty" maxLength:"128" doc:"The tenant's own opaque mark, equal for the same card under another id. Not the number, nor a plain hash of it." example:"fp_9f2c6e01"`
	Default     bool   `json:"default,omitempty" doc:"Whether payments without payment_method_id use it. One method of an account is the default." example:"true"`
}

// PaymentMethod is a payment method of an account.
type PaymentMethod struct {
	ID          string    `json:"id" doc:"Our id of the payment method." example:"pm_01jc0000000000000000000000"`
	AccountID   string    `json:"account_id" doc:"Whose it is." example:"acct_01jc0000000000000000000000"`
	Kind        string    `json:"kind" enum:"card,bank_account,wallet" doc:"The sort of payment method." example:"card"`
	Brand       *string   `json:"brand" doc:"Card scheme, bank or wallet." example:"visa"`
	First6      *string   `json:"first6" doc:"The first six digits of a card." example:"400012"`
	Last4       *string   `json:"last4" doc:"The last four digits." example:"9876"`
	HolderName  *string   `json:"holder_name" doc:"The name on it." example:"ALMA PETERSEN"`
	Fingerprint *string   `json:"fingerprint" doc:"The tenant's own opaque mark." example:"fp_9f2c6e01"`
	Default     bool      `json:"default" doc:"Whether payments without payment_method_id use it." example:"true"`
	CreatedAt   time.Time `json:"created_at" doc:"When it was added." example:"2026-11-09T10:00:00Z"`
}

func paymentMethodOf(m payment.Method) PaymentMethod {
	return PaymentMethod{
		ID: m.ID, AccountID: m.AccountID, Kind: string(m.Kind), Brand: orNull(m.Brand), First6: orNull(m.First6), Last4: orNull(m.Last4),
		HolderName: orNull(m.HolderName), Fingerprint: orNull(m.Fingerprint), Default: m.Default, CreatedAt: m.CreatedAt,
	}
}

func (e *edge) registerPaymentMethods() {
	register(e, operation{
		id: "add-payment-method", method: http.MethodPost, path: "/v1/accounts/{id}/payment_methods", tag: tagAccounts, status: http.StatusCreated,
		summary: "Add a payment method", description: "At most the first six and last four digits. A full card number in any field is refused with pan_not_accepted, and neither stored nor logged.",
	}, func(ctx context.Context, actor access.Actor, in *struct {
		AccountPath
		Body NewPaymentMethod
	}) (PaymentMethod, error) {
		m, err := e.Service.AddPaymentMethod(ctx, actor, payment.Method{
			AccountID: in.ID, Kind: payment.MethodKind(in.Body.Kind), Brand: in.Body.Brand, First6: in.Body.First6, Last4: in.Body.Last4,
			HolderName: in.Body.HolderName, Fingerprint: in.Body.Fingerprint, Default: in.Body.Default,
		})
		return paymentMethodOf(m), err
	})
	register(e, operation{
		id: "list-payment-methods", method: http.MethodGet, path: "/v1/accounts/{id}/payment_methods", tag: tagAccounts, status: http.StatusOK,
		summary: "List the payment methods of an account", description: "All of them, in one page.",
	}, func(ctx context.Context, actor access.Actor, in *AccountPath) (list[PaymentMethod], error) {
		methods, err := e.Service.PaymentMethods(ctx, actor, in.ID)
		return listOf(methods, "", paymentMethodOf), err
	})
}
