package console

import (
	"net/http"

	"github.com/probity/probity/internal/adapter/store"
	"github.com/probity/probity/internal/domain/access"
	"github.com/probity/probity/internal/domain/list"
	"github.com/probity/probity/internal/domain/risk"
	"github.com/probity/probity/internal/domain/risk/history"
	"github.com/probity/probity/internal/edge/web"
	"github.com/probity/probity/internal/service"
	"github.com/probity/probity/internal/standard/problem"
)

// listsAsked says of each list that a policy reads what stands on it.
func (v *visit) listsAsked(policy *risk.Policy) ([]policyList, error) {
	lists, err := v.s.Service.Lists(v.r.Context(), v.actor)
	if err != nil {
		return nil, err
	}
	made := map[string]service.ListView{}
	for _, l := range lists {
		made[l.List.Name] = l
	}
	var out []policyList
	for _, declared := range policy.Lists {
		line := policyList{Name: declared.Name, Field: fieldName(declared.Field), Meaning: declared.Meaning, Missing: true}
		if l, found := made[declared.Name]; found {
			line.Missing, line.Entries, line.URL = false, l.Entries, "/console/lists/"+l.List.ID
		} else if v.may(access.ManageLists) {
			line.URL = "/console/lists?name=" + declared.Name
		}
		out = append(out, line)
	}
	return out, nil
}

// showLists lists the lists. The address may name one that the policy reads and that is to be made.
func showLists(v *visit) error {
	f := &form{values: map[string][]string{}}
	if name := v.r.URL.Query().Get("name"); name != "" {
		live, err := v.s.Service.LivePolicy(v.r.Context(), v.actor)
		if err != nil {
			return err
		}
		for _, declared := range live.Compiled.Lists {
			if declared.Name == name {
				f.values["name"], f.values["kind"], f.values["description"] = []string{name}, []string{string(declared.Kind)}, []string{declared.Meaning}
			}
		}
	}
	return v.listsBody(http.StatusOK, f)
}

func (v *visit) listsBody(status int, f *form) error {
	lists, err := v.s.Service.Lists(v.r.Context(), v.actor)
	if err != nil {
		return err
	}
	waiting, err := v.proposed()
	if err != nil {
		return err
	}
	view := listsView{form: f, waiting: len(waiting), canManage: v.may(access.ManageLists), canTry: v.may(access.DraftPolicies)}
	for _, l := range lists {
		view.lists = append(view.lists, listLine{
			id: l.List.ID, name: l.List.Name, kind: string(l.List.Kind), description: l.List.Description, entries: l.Entries, read: readBy(l),
		})
	}
	return v.show(status, "Lists", "/console/policy", listsPage(view))
}

// readBy says what the live policy makes of a list.
func readBy(l service.ListView) string {
	if l.Field == "" {
		return "not by the live policy"
	}
	return "by the live policy, as " + fieldName(history.Field(l.Field))
}

func makeList(v *visit) error {
	f, err := readForm(v.w, v.r)
	if err != nil {
		return err
	}
	f.refuseCardNumbers("name", "description")
	if len(f.errors) > 0 {
		return v.listsBody(http.StatusUnprocessableEntity, f)
	}
	made, err := v.s.Service.CreateList(v.r.Context(), v.actor, service.NewList{
		Name: f.text("name"), Kind: list.Kind(f.text("kind")), Description: f.text("description"),
	})
	if err == nil {
		return v.leave("/console/lists/"+made.List.ID, "list_made")
	}
	if !f.take(err, map[string]string{"name": "name", "kind": "kind", "description": "description"}) {
		return err
	}
	return v.listsBody(statusOf(err), f)
}

func showList(v *visit) error { return v.listBody(http.StatusOK, &form{}, "") }

// searchList looks for one value. It is a POST, because a value may say something about a person and addresses are logged.
func searchList(v *visit) error {
	f, err := readForm(v.w, v.r)
	if err != nil {
		return err
	}
	return v.listBody(http.StatusOK, &form{}, f.text("q"))
}

func (v *visit) listBody(status int, f *form, query string) error {
	l, err := v.s.Service.List(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	entries, next, err := v.s.Service.ListEntries(v.r.Context(), v.actor, l.List.ID, store.ListEntryFilter{Value: query}, v.page(store.DefaultLimit))
	if err != nil {
		return err
	}
	p, err := v.people()
	if err != nil {
		return err
	}
	view := listView{
		id: l.List.ID, name: l.List.Name, kind: string(l.List.Kind), description: l.List.Description, query: query, form: f, canManage: v.may(access.ManageLists),
		about: []web.Definition{
			{Term: "Rules read it as", Body: monoText("list." + l.List.Name)}, {Term: "Read", Value: readBy(l)}, {Term: "Entries", Value: grouped(int64(l.Entries))},
			{Term: "Made", Value: p.who(l.List.CreatedBy) + v.after(", ", l.List.CreatedAt)},
		},
	}
	if query == "" {
		view.first, view.next = v.first(), v.later(next)
	}
	for _, e := range entries {
		line := entryLine{
			id: e.ID, value: e.Value, reason: e.Reason, added: v.short(e.CreatedAt), by: p.who(e.AddedBy), until: "it is removed", expired: !e.Stands(v.now),
		}
		if !e.ExpiresAt.IsZero() {
			line.until = v.short(e.ExpiresAt)
		}
		view.entries = append(view.entries, line)
	}
	return v.show(status, l.List.Name, "/console/policy", listPage(view))
}

func addEntry(v *visit) error {
	f, err := readForm(v.w, v.r)
	if err != nil {
		return err
	}
	f.refuseCardNumbers("value", "reason")
	if f.text("reason") == "" {
		f.fail("reason", "Say why, for colleagues who ask later.")
	}
	entry := list.NewEntry{Value: f.text("value"), Reason: f.text("reason")}
	if entry.ExpiresAt, err = v.localTime(f, "expires_at"); err != nil {
		f.fail("expires_at", "Write a date and a time, or leave it empty.")
	}
	if len(f.errors) > 0 {
		return v.listBody(http.StatusUnprocessableEntity, f, "")
	}
	listID := v.r.PathValue("id")
	_, err = v.s.Service.AddListEntry(v.r.Context(), v.actor, service.NewListEntry{ListID: listID, NewEntry: entry})
	if err == nil {
		return v.leave("/console/lists/"+listID, "entry_added")
	}
	if problem.Is(err, problem.NotFound) || !f.take(err, map[string]string{"value": "value", "reason": "reason", "expires_at": "expires_at"}) {
		return err
	}
	return v.listBody(statusOf(err), f, "")
}

func removeEntry(v *visit) error {
	listID := v.r.PathValue("id")
	if err := v.s.Service.RemoveListEntry(v.r.Context(), v.actor, listID, v.r.PathValue("entry")); err != nil {
		return err
	}
	return v.leave("/console/lists/"+listID, "entry_removed")
}

func deleteList(v *visit) error {
	if err := v.s.Service.DeleteList(v.r.Context(), v.actor, v.r.PathValue("id")); err != nil {
		return err
	}
	return v.leave("/console/lists", "list_deleted")
}
