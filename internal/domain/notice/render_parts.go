package notice

import "slices"

// The parts that several notices share.

func greeting(w *writer) block {
	key := "greeting.unnamed"
	if w.has("name") {
		key = "greeting"
	}
	return block{Kind: paragraphBlock, Text: w.say(key), mailOnly: true}
}

func due(w *writer) []block {
	key := "due.unknown"
	if w.has("due") {
		key = "due.earliest"
	}
	return []block{heading(w.say("due.heading")), paragraph(w.say(key))}
}

func prepare(w *writer) []block {
	var items []string
	for _, name := range []string{"government_id", "payment_method", "billing_statement"} {
		items = append(items, w.item(w.say("requirement."+name), w.say("prepare."+name)))
	}
	return []block{heading(w.say("prepare.heading")), list(items)}
}

func unanswered(w *writer, input RenderInput) []block {
	blocks := []block{heading(w.say("unanswered.heading")), paragraph(w.say("unanswered.suspend"))}
	return append(blocks, release(w, input)...)
}

func release(w *writer, input RenderInput) []block {
	if !w.has("days") {
		return nil
	}
	return []block{paragraph(w.count("unanswered.release", input.KeepSuspendedDays))}
}

func query(w *writer) []block {
	if !w.has("query_code") {
		return nil
	}
	return []block{paragraph(w.say("query.explain"))}
}

// action is the way to the KYC Center. A notice with much to read has it early; ending adds it to the others.
func action(w *writer, input RenderInput) []block {
	if input.Link == "" {
		return nil
	}
	return []block{{Kind: actionBlock, Text: w.say("action.open"), Link: input.Link}, paragraph(w.say("action.hint"))}
}

// reasonItems lists the reasons, each under the name of its requirement when it has one.
func reasonItems(w *writer, reasons []Reason) []string {
	items := make([]string, len(reasons))
	for i, reason := range reasons {
		items[i] = clean(reason.Text)
		if reason.Requirement != "" {
			items[i] = w.item(w.say("requirement."+reason.Requirement), items[i])
		}
	}
	return items
}

// ending closes a notice: the way to the KYC Center, the code that proves who wrote, and support.
func ending(w *writer, input RenderInput, blocks []block) []block {
	if !slices.ContainsFunc(blocks, func(b block) bool { return b.Kind == actionBlock }) {
		blocks = append(blocks, action(w, input)...)
	}
	if w.has("code") || input.Kind.StartsClock() {
		blocks = append(blocks, heading(w.say("code.heading")), paragraph(w.say("code.explain")), paragraph(w.say("code.never")))
	}
	key := "support.ticket"
	if w.has("support") {
		key = "support.mail"
	}
	return append(blocks, heading(w.say("support.heading")), paragraph(w.say(key)))
}
