package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/probity/probity/client"
)

// installation stands in for a Probity installation, so that the examples run.
func installation() *httptest.Server {
	mux := http.NewServeMux()
	answer := func(pattern string, status int, body string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if status >= 400 {
				w.Header().Set("Content-Type", "application/problem+json")
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	}
	answer("POST /v1/accounts", 201, `{"id":"acct_1"}`)
	answer("POST /v1/accounts/acct_1/payment_methods", 422, `{"code":"pan_not_accepted","field":"holder_name","detail":"a full card number is not accepted anywhere; send at most the first six and last four digits"}`)
	answer("POST /v1/payments", 201, `{"id":"pay_1","outcome":"rejected","error":{"code":"RISK.RISK_CONTROL_REJECTION","message":"This payment was rejected by risk control."},`+
		`"reasons":[{"code":"new_location","message":"This payment came from a place that your account has not paid from before."}],`+
		`"verification_id":"ver_1","next_step":{"kind":"verify","url":"https://kyc.example.com/kyc/verifications/ver_1","message":"Sign in to the KYC Center."}}`)
	answer("GET /v1/verifications", 200, `{"items":[{"id":"ver_1","status":"in_review"},{"id":"ver_2","status":"in_review"}],"next_cursor":null}`)
	return httptest.NewServer(mux)
}

func Example() {
	server := installation()
	defer server.Close()
	ctx := context.Background()
	c := client.New(server.URL, "pk_live_…")

	account, err := c.CreateAccount(ctx, client.NewAccount{ExternalID: "customer-4711", Kind: client.Individual, Name: "Alma Petersen", Email: "alma@example.com"})
	if err != nil {
		log.Fatal(err)
	}
	payment, err := c.CreatePayment(ctx, client.NewPayment{
		AccountID: account.ID, Amount: client.Money{AmountMinor: 900_000, Currency: "USD"}, IP: "203.0.113.7", Location: &client.Location{Country: "BR"},
	}, client.Once("order-1"))
	if err != nil {
		log.Fatal(err)
	}
	if payment.Outcome == client.Rejected {
		fmt.Println(payment.Error.Code)
		fmt.Println(payment.Reasons[0].Message)
		fmt.Println("lead the holder to", payment.NextStep.URL)
	}
	// Output:
	// RISK.RISK_CONTROL_REJECTION
	// This payment came from a place that your account has not paid from before.
	// lead the holder to https://kyc.example.com/kyc/verifications/ver_1
}

func ExampleError() {
	server := installation()
	defer server.Close()
	c := client.New(server.URL, "pk_live_…")
	_, err := c.AddPaymentMethod(context.Background(), "acct_1", client.NewPaymentMethod{Kind: "card", First6: "400012", Last4: "9876", HolderName: "…"})
	if refusal, ok := errors.AsType[*client.Error](err); ok {
		fmt.Println(refusal.Status, refusal.Code, refusal.Field)
	}
	// Output: 422 pan_not_accepted holder_name
}

func ExampleClient_AllVerifications() {
	server := installation()
	defer server.Close()
	c := client.New(server.URL, "pk_live_…")
	for verification, err := range c.AllVerifications(context.Background(), client.VerificationFilter{Status: "in_review"}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(verification.ID)
	}
	// Output:
	// ver_1
	// ver_2
}

func ExampleVerifyWebhook() {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // from CreateWebhookEndpoint
	handler := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		event, err := client.VerifyWebhook(secret, r.Header, body, time.Now())
		if err != nil {
			http.Error(w, "not from Probity", http.StatusUnauthorized)
			return
		}
		// Drop event.ID if it was seen before, note it down, and answer before doing anything slow.
		_ = event
		w.WriteHeader(http.StatusNoContent)
	}
	answer := httptest.NewRecorder()
	handler(answer, httptest.NewRequest(http.MethodPost, "/probity/events", nil))
	fmt.Println(answer.Code)
	// Output: 401
}
