package regime

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"assay/internal/estate"
)

// classify finds the classes of data that a resource's own tags and name say.
func (g *graph) classify(r *estate.Resource) {
	store := g.called[r.Type] != ""
	found, said := map[string]string{}, false
	for _, tag := range g.tagsOf(r, store || r.Type == functionType) {
		for _, word := range wordsOf(tag.value) {
			classes, by, known := g.meaning(word)
			if !known {
				g.open("what tag %s: %s of %s means is not known; say it under data in assay.yaml", tag.key, tag.value, g.call(r))
				continue
			}
			said = true
			for _, c := range classes {
				found[c] = strings.TrimSuffix(fmt.Sprintf("tag %s: %s, %s", tag.key, tag.value, by), ", ")
			}
		}
	}
	if store || r.Type == functionType || len(found) > 0 {
		for i := range g.declared.Data {
			e := &g.declared.Data[i]
			if e.Name == "" || !e.name.MatchString(r.Address) && !e.name.MatchString(r.LogicalID) && !e.name.MatchString(lastName(r.ID)) {
				continue
			}
			said = true
			for _, c := range e.Classes {
				if found[c] == "" {
					found[c] = fmt.Sprintf("named %s in assay.yaml, %s", e.Name, e.Confirmed)
				}
			}
		}
	}
	if len(found) > 0 {
		g.classes[r] = found
	}
	if said || g.rules.incidental[r.Type] || !store && r.Type != functionType {
		return
	}
	g.survey.Unclassed = append(g.survey.Unclassed, named(r))
	words := wordsIn(r.Address + " " + lastName(r.ID))
	for _, c := range g.rules.Classes {
		if slices.ContainsFunc(c.Names, func(name string) bool { return slices.Contains(words, name) }) {
			g.survey.Suggested[c.ID] = append(g.survey.Suggested[c.ID], named(r))
		}
	}
}

// lastName is the last part of an ARN or of an id.
func lastName(id string) string { return id[strings.LastIndexAny(id, ":/#")+1:] }

type tag struct{ key, value string }

// tagsOf are the tags of a resource that name a class of data. matters says
// whether it is open where it is not known which tags there are; the value of one
// that names a class is open wherever it stands, because a known one counts there.
func (g *graph) tagsOf(r *estate.Resource, matters bool) (found []tag) {
	if r.Reads != nil && !slices.Contains(r.Reads, "Tags") {
		if matters {
			g.open("the tags of %s were not read", g.call(r))
		}
		return nil
	}
	is := func(key string) bool {
		return slices.ContainsFunc(g.keys, func(k string) bool { return strings.EqualFold(k, key) })
	}
	unknown := func(what string, v *estate.Value) {
		if matters {
			g.open("%s of %s not known: %s", what, g.call(r), whyNot(v))
		}
	}
	add := func(key string, v *estate.Value) {
		if !is(key) {
			return
		}
		each(v, func(v *estate.Value) {
			if text, ok := v.Scalar(); ok && v.Known() {
				found = append(found, tag{key, text})
			} else if v != nil {
				g.open("tag %s of %s not known: %s", key, g.call(r), whyNot(v))
			}
		})
	}
	each(r.Properties.Field("Tags"), func(tags *estate.Value) {
		switch tags.Kind() {
		case estate.KindAbsent, estate.KindNull:
		case estate.KindMap:
			for _, f := range tags.Fields() {
				add(f.Name, f.Value)
			}
		case estate.KindList:
			for _, item := range tags.Items() {
				each(item, func(item *estate.Value) {
					key := item.Field("Key")
					switch {
					case item == nil:
					case key.Kind() == estate.KindString:
						add(key.AsString(), item.Field("Value"))
					default:
						unknown("a tag", cmp.Or(key, item))
					}
				})
			}
		default:
			unknown("the tags", tags)
		}
	})
	return found
}

// each calls f with a value, or with every one that it may be.
func each(v *estate.Value, f func(*estate.Value)) {
	if v.Kind() != estate.KindOneOf {
		f(v)
		return
	}
	for _, c := range v.Cases() {
		each(c.Value, f)
	}
}

func whyNot(v *estate.Value) string {
	switch v.Kind() {
	case estate.KindUnknown, estate.KindDenied:
		return v.Gap().String()
	}
	return v.String()
}

// meaning is what one word of a tag means; by says who confirmed it.
func (g *graph) meaning(word string) (classes []string, by string, known bool) {
	for _, e := range g.declared.Data {
		if e.Tag != "" && plain(e.Tag) == word {
			return e.Classes, e.Confirmed.String(), true
		}
	}
	for _, c := range g.rules.Classes {
		if c.ID == word || slices.ContainsFunc(c.Tags, func(t string) bool { return plain(t) == word }) {
			classes, known = append(classes, c.ID), true
		}
	}
	return classes, "", known
}

// plain is a word in lower case, with - between its parts.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == ' ' {
			return '-'
		}
		return r
	}, strings.ToLower(strings.TrimSpace(s)))
}

// wordsOf are the values that one tag lists.
func wordsOf(value string) (words []string) {
	for _, w := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(",;/|+", r) }) {
		if w = plain(w); w != "" {
			words = append(words, w)
		}
	}
	return words
}

// wordsIn are the words of names such as ChargeFunction, card-events.
func wordsIn(name string) (words []string) {
	start := 0
	cut := func(end int) {
		if w := strings.ToLower(strings.Trim(name[start:end], "-_. :/#[]\"")); w != "" {
			words = append(words, w)
		}
		start = end
	}
	for i := 1; i < len(name); i++ {
		lower, upper := name[i-1] >= 'a' && name[i-1] <= 'z', name[i] >= 'A' && name[i] <= 'Z'
		if lower && upper || strings.IndexByte("-_. :/#[]\"", name[i]) >= 0 {
			cut(i)
		}
	}
	cut(len(name))
	return words
}
