package api

import (
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/standard/money"
)

// list is a part of a list. The cursor is null at its end.
type list[T any] struct {
	Items      []T     `json:"items" doc:"This part of the list."`
	NextCursor *string `json:"next_cursor" doc:"Send it as cursor for the next part; null at the end." example:"YWNjb3VudHN8MTc2MzU3OTg0MTAwMDAwMHxhY2N0XzAx"`
}

// listOf renders the items of one page.
func listOf[From, To any](items []From, next string, render func(From) To) list[To] {
	out := list[To]{Items: make([]To, 0, len(items)), NextCursor: orNull(next)}
	for _, item := range items {
		out.Items = append(out.Items, render(item))
	}
	return out
}

// Paging is the parameters of every list.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"400" doc:"next_cursor of the page before; leave it out to begin." example:"YWNjb3VudHN8MTc2MzU3OTg0MTAwMDAwMHxhY2N0XzAx"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many items at most." example:"50"`
}

func (p Paging) page() store.Page { return store.Page{Cursor: p.Cursor, Limit: p.Limit} }

// Money is an amount in the smallest unit of its currency.
type Money struct {
	AmountMinor int64  `json:"amount_minor" minimum:"1" maximum:"1000000000000000" doc:"In minor units of the currency: cents, yen, fils." example:"1250"`
	Currency    string `json:"currency" doc:"ISO 4217 code in capitals." example:"USD"`
}

func (m Money) amount() money.Amount {
	return money.Amount{AmountMinor: m.AmountMinor, Currency: m.Currency}
}

// orNull returns nil for what is absent, which JSON writes as null.
func orNull[T comparable](value T) *T {
	var none T
	if value == none {
		return nil
	}
	return &value
}

// instant returns nil for the zero time.
func instant(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}

// given returns what a pointer leads to, or nothing.
func given[T any](value *T) T {
	if value == nil {
		var none T
		return none
	}
	return *value
}

// formats speaks JSON only. Its errors tell the path of a wrong value and never the value.
func formats() map[string]huma.Format {
	format := huma.Format{Marshal: encode, Unmarshal: decode}
	return map[string]huma.Format{"application/json": format, "json": format}
}

func encode(w io.Writer, value any) error { return huma.DefaultJSONFormat.Marshal(w, value) }

func decode(raw []byte, into any) error {
	err := json.Unmarshal(raw, into)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return errors.New(wrongType + hidden(wrong.Field))
	}
	if err != nil {
		return errors.New(malformed.Code)
	}
	return nil
}
