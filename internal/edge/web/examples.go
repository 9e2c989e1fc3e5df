package web

// ExamplesFor returns the pictures of good and bad photos of a requirement, good first, with their words in the locale. An
// unknown requirement has none.
func ExamplesFor(requirement, locale string) []Example {
	var names []string
	switch requirement {
	case "government_id":
		names = []string{"id-good", "id-cropped", "id-blurred", "id-glare"}
	case "payment_method":
		names = []string{"payment-good", "payment-number-visible", "payment-name-covered"}
	case "billing_statement":
		names = []string{"statement-good", "statement-cut-off", "statement-old"}
	}
	locale = Match(locale)
	examples := make([]Example, 0, len(names))
	for i, name := range names {
		examples = append(examples, Example{
			Asset:   "examples/" + name + ".svg",
			Good:    i == 0,
			Alt:     kit().T(locale, "example."+name+".alt"),
			Caption: kit().T(locale, "example."+name+".caption"),
		})
	}
	return examples
}
