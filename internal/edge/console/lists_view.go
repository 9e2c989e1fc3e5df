package console

import "github.com/probity/probity/internal/edge/web"

// listsView is all lists of the tenant.
type listsView struct {
	lists     []listLine
	form      *form
	waiting   int
	canManage bool
	canTry    bool
}

// listLine is one list in the list of lists.
type listLine struct {
	id, name, kind, description string
	entries                     int
	read                        string // who reads it: "by the live policy", or "by nothing yet"
}

// listView is one list with a part of its entries.
type listView struct {
	id, name, kind, description string
	about                       []web.Definition
	entries                     []entryLine
	query                       string
	first, next                 string // addresses
	form                        *form
	canManage                   bool
}

// entryLine is one entry.
type entryLine struct {
	id, value, reason, added, by, until string
	expired                             bool
}

func (l listsView) table() web.TableProps {
	props := web.TableProps{Caption: "Lists", Empty: "There is no list yet. Make one, then let a rule of the policy read it.", Columns: []web.Column{
		{Label: "Name"}, {Label: "For"}, {Label: "Entries", Numeric: true}, {Label: "Read"},
	}}
	for _, one := range l.lists {
		props.Rows = append(props.Rows, []web.Cell{
			{Text: one.name, URL: "/console/lists/" + one.id, Note: one.description}, {Body: kindCell(one.kind)}, {Text: grouped(int64(one.entries))}, {Text: one.read},
		})
	}
	return props
}

func (l listView) table() web.TableProps {
	props := web.TableProps{Caption: "Entries", Empty: "Nothing stands on this list.", Columns: []web.Column{
		{Label: "Value"}, {Label: "Why"}, {Label: "Added"}, {Label: "Until"},
	}}
	if l.query != "" {
		props.Empty = "This value is not on the list. It is compared as a whole."
	}
	if l.canManage {
		props.Columns = append(props.Columns, web.Column{Label: "Remove"})
	}
	for _, e := range l.entries {
		row := []web.Cell{{Body: entryValue(e)}, {Text: e.reason}, {Text: e.added, Note: e.by}, {Text: e.until}}
		if l.canManage {
			row = append(row, web.Cell{Body: removeButton(l.id, e)})
		}
		props.Rows = append(props.Rows, row)
	}
	return props
}
