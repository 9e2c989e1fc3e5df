// Package strictyaml reads YAML that people write, such as policies and scorecards, and tells them all that is wrong with it at once, with
// line, column and a caret below the place.
//
// [Read] takes one document of bounded size without anchors and aliases: a document says what it says in place. A [Mapping] then hands out
// its values. Its keys are a closed set, each given once; its methods check what is there, add what is wrong to the [Faults] of the
// document and return a zero or the lowest accepted value in its place, so that reading goes on. [Faults.Err] says how it ended:
//
//	root, faults := strictyaml.Read(data, "policy", 1<<20)
//	top := strictyaml.NewMapping(faults, root, "", "policy", "description?") // "?": optional
//	p := Policy{Name: top.Matching("policy", word, "a lower-case word"), Description: top.Text("description", 4096)}
//	return p, faults.Err()
package strictyaml
