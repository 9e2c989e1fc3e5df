// Package policydiff says how two policies differ: by meaning, for somebody who has to approve the difference, and line by line.
package policydiff

import (
	"fmt"
	"reflect"
	"sort"
	"strings"

	"github.com/probity/probity/internal/domain/risk"
)

// Sort says what happened to a part of a policy. The zero value is invalid.
type Sort string

// The sorts of change.
const (
	Added   Sort = "added"
	Changed Sort = "changed"
	Removed Sort = "removed"
)

// Change is one difference.
type Change struct {
	Sort Sort
	Part string // what sort of part: policy, combination, threshold, rule, aggregate, list …
	Name string // which one: a rule's reason code, else its name; empty when there is one only
	// Property, From and To are those of a change; of an added or removed part To or From sums it up.
	Property string
	From, To string
}

// String returns the change as one line, such as "rule new_location: mode active → shadow".
func (c Change) String() string {
	what := strings.TrimSpace(c.Part + " " + c.Name)
	switch c.Sort {
	case Added:
		return what + ": added" + brief(c.To)
	case Removed:
		return what + ": removed" + brief(c.From)
	default:
		return what + ": " + c.Property + " " + oneLine(c.From) + " → " + oneLine(c.To)
	}
}

func brief(text string) string {
	if text == "" {
		return ""
	}
	return " (" + oneLine(text) + ")"
}

func oneLine(text string) string {
	if text == "" {
		return "(empty)"
	}
	return strings.Join(strings.Fields(text), " ")
}

// Of returns what changed from one policy to the other: first the policy itself, then its parts in the order of the language. Whatever a
// policy says appears, also what a later version of the language adds: the exported members of risk.Policy are walked.
func Of(from, to *risk.Policy) []Change {
	var out []Change
	old, changed := reflect.ValueOf(from).Elem(), reflect.ValueOf(to).Elem()
	for i := range old.NumField() {
		field := old.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		name := snake(field.Name)
		if list := old.Field(i); list.Kind() == reflect.Slice && isNamed(list.Type().Elem()) {
			out = append(out, ofList(singular(name), list, changed.Field(i))...)
			continue
		}
		out = append(out, ofValue(Change{Sort: Changed, Part: "policy"}, name, old.Field(i), changed.Field(i))...)
	}
	return out
}

// isNamed reports whether a type is a part that is known by a code or a name.
func isNamed(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	_, named := t.FieldByName("Name")
	return named
}

// key returns what a part is known by: its reason code, which payments name, else its name.
func key(part reflect.Value) string {
	if code := part.FieldByName("Code"); code.IsValid() && code.Kind() == reflect.String {
		return code.String()
	}
	return part.FieldByName("Name").String()
}

func ofList(part string, from, to reflect.Value) []Change {
	var out []Change
	known := map[string]reflect.Value{}
	for i := range from.Len() {
		known[key(from.Index(i))] = from.Index(i)
	}
	seen := map[string]bool{}
	for i := range to.Len() {
		item := to.Index(i)
		name := key(item)
		seen[name] = true
		old, found := known[name]
		if !found {
			out = append(out, Change{Sort: Added, Part: part, Name: name, To: sum(item)})
			continue
		}
		for f := range item.NumField() {
			if field := item.Type().Field(f); field.IsExported() {
				out = append(out, ofValue(Change{Sort: Changed, Part: part, Name: name}, snake(field.Name), old.Field(f), item.Field(f))...)
			}
		}
	}
	for i := range from.Len() {
		if item := from.Index(i); !seen[key(item)] {
			out = append(out, Change{Sort: Removed, Part: part, Name: key(item), From: sum(item)})
		}
	}
	return out
}

// ofValue compares one property; of a struct, each of its own.
func ofValue(change Change, property string, from, to reflect.Value) []Change {
	if from.Kind() == reflect.Struct && from.Type().PkgPath() != "time" && hasExported(from.Type()) {
		var out []Change
		for i := range from.NumField() {
			if field := from.Type().Field(i); field.IsExported() {
				out = append(out, ofValue(change, property+"."+snake(field.Name), from.Field(i), to.Field(i))...)
			}
		}
		return out
	}
	before, ok := plain(from)
	after, _ := plain(to)
	if !ok || before == after {
		return nil
	}
	change.Property, change.From, change.To = property, before, after
	return []Change{change}
}

func hasExported(t reflect.Type) bool {
	for i := range t.NumField() {
		if t.Field(i).IsExported() {
			return true
		}
	}
	return false
}

// plain writes a value for comparing and reading; false for what cannot be read, such as a compiled program.
func plain(v reflect.Value) (string, bool) {
	switch v.Kind() {
	case reflect.Func, reflect.Interface, reflect.Chan, reflect.UnsafePointer:
		return "", false
	case reflect.Map:
		lines := make([]string, 0, v.Len())
		for _, k := range v.MapKeys() {
			lines = append(lines, fmt.Sprint(k)+": "+fmt.Sprint(v.MapIndex(k)))
		}
		sort.Strings(lines)
		return strings.Join(lines, "; "), true
	case reflect.Pointer:
		if v.IsNil() {
			return "", true
		}
		if text, ok := v.Interface().(fmt.Stringer); ok {
			return text.String(), true
		}
		return plainParts(v.Elem()), true
	case reflect.Slice, reflect.Struct:
		return plainParts(v), true
	default:
		return fmt.Sprint(v), true
	}
}

// plainParts writes the exported members of a struct, or the items of a list.
func plainParts(v reflect.Value) string {
	var parts []string
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if text, ok := plain(v.Index(i)); ok {
				parts = append(parts, text)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				continue
			}
			if text, ok := plain(v.Field(i)); ok && text != "" {
				parts = append(parts, text)
			}
		}
	default:
		text, _ := plain(v)
		return text
	}
	return strings.Join(parts, ", ")
}

// sum says in a line what an added or removed part is.
func sum(item reflect.Value) string {
	var parts []string
	for _, name := range []string{"Mode", "Outcome", "Value", "Unit", "Function", "Window", "Field", "When"} {
		if field := item.FieldByName(name); field.IsValid() {
			if text, ok := plain(field); ok && text != "" {
				parts = append(parts, text)
			}
		}
	}
	return strings.Join(parts, ", ")
}

func singular(name string) string { return strings.TrimSuffix(name, "s") }

// snake writes a Go name as the policy language does: AloneAboveMinor is alone_above_minor.
func snake(name string) string {
	var out strings.Builder
	for i, r := range name {
		if r >= 'A' && r <= 'Z' {
			if i > 0 && (name[i-1] < 'A' || name[i-1] > 'Z') {
				out.WriteByte('_')
			}
			r += 'a' - 'A'
		}
		out.WriteRune(r)
	}
	return out.String()
}
