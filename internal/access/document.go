package access

import (
	"assay/iam"
	"assay/internal/check"
	"assay/internal/estate"
)

// reader reads a policy document of the estate, with what is not known as holes
// and open parts.
type reader struct {
	w        *world
	view     check.View
	resource *estate.Resource
	path     string
	origin   []statement
}

// compile reads a document. One that is not known as a whole is a policy that
// was not read.
func (w *world) compile(r *estate.Resource, path string, v *estate.Value, view check.View) *iam.Policy {
	name := r.LogicalID + "." + path
	v, open := view.Resolve(v)
	if !open && v.Kind() == estate.KindString { // a document written as a text
		if parsed, err := estate.ParseJSON([]byte(v.AsString())); err == nil {
			v = parsed.At(v.Position())
		}
	}
	if open || v.Kind() != estate.KindMap {
		if v == nil {
			return nil
		}
		return iam.Unread(name + ": " + reasonOf(v))
	}
	rd := &reader{w: w, view: view, resource: r, path: path}
	doc := &iam.Document{Version: rd.scalar(v.Field("Version"))}
	list, open := view.Resolve(v.Field("Statement"))
	switch {
	case open || list.Kind() != estate.KindList && list.Kind() != estate.KindMap:
		if list == nil {
			break
		}
		return iam.Unread(name + ".Statement: " + reasonOf(list))
	case list.Kind() == estate.KindMap:
		rd.statement(doc, list, path+".Statement", false)
	default:
		for i, item := range list.Items() {
			at := path + ".Statement[" + itoa(i) + "]"
			item, open := view.Resolve(item)
			switch {
			case item == nil:
			case open || item.Kind() != estate.KindMap:
				rd.anything(doc, item, at)
			default:
				rd.statement(doc, item, at, false)
			}
		}
	}
	p := iam.Compile(name, doc, w.data)
	w.origin[p] = rd.origin
	return p
}

func reasonOf(v *estate.Value) string {
	var why string
	v.Each(func(x *estate.Value) bool {
		if why == "" && (x.Kind() == estate.KindUnknown || x.Kind() == estate.KindDenied) {
			why = x.Gap().String()
		}
		if why == "" && x.Kind() == estate.KindOneOf {
			why = "not decided: " + x.Input()
		}
		return why == ""
	})
	if why == "" {
		why = "not a policy document"
	}
	return why
}

func (rd *reader) scalar(v *estate.Value) string {
	v, open := rd.view.Resolve(v)
	if open || v == nil {
		return ""
	}
	s, _ := v.Scalar()
	return s
}

// anything stands for a statement that was not read: an Allow and a Deny of
// whatever it may be.
func (rd *reader) anything(doc *iam.Document, v *estate.Value, at string) {
	hole := rd.texts(v, true)
	for _, effect := range []iam.Effect{iam.Allow, iam.Deny} {
		doc.Statements = append(doc.Statements, iam.Statement{
			Effect: effect, Open: true, Action: hole, Resource: hole, Principal: []iam.Principals{{Kind: "AWS", Values: *hole}},
		})
		rd.origin = append(rd.origin, statement{rd.resource, at, v})
	}
}

func (rd *reader) statement(doc *iam.Document, v *estate.Value, at string, open bool) {
	s := iam.Statement{Sid: rd.scalar(v.Field("Sid")), Open: open, At: position(v.Position())}
	effect, undecided := rd.view.Resolve(v.Field("Effect"))
	text, known := effect.Scalar()
	for _, e := range []struct {
		name   string
		texts  **iam.Texts
		wanted bool
	}{
		{"Action", &s.Action, true}, {"NotAction", &s.NotAction, true}, {"Resource", &s.Resource, true}, {"NotResource", &s.NotResource, true},
	} {
		x, open := rd.view.Resolve(v.Field(e.name))
		if x == nil {
			continue
		}
		*e.texts = rd.texts(x, open)
		if open {
			s.Open = true // the element may not be there
		}
	}
	s.Principal = rd.principals(v.Field("Principal"), &s)
	s.NotPrincipal = rd.principals(v.Field("NotPrincipal"), &s)
	s.Condition = rd.conditions(v.Field("Condition"))
	where := statement{rd.resource, at, v}
	switch {
	case known && text == "Allow":
		s.Effect = iam.Allow
	case known && text == "Deny":
		s.Effect = iam.Deny
	case !known || undecided:
		// Allow or Deny.
		s.Open = true
		s.Effect = iam.Allow
		doc.Statements = append(doc.Statements, s)
		rd.origin = append(rd.origin, where)
		s.Effect = iam.Deny
	default:
		return // neither: AWS refuses the document
	}
	doc.Statements = append(doc.Statements, s)
	rd.origin = append(rd.origin, where)
}

func position(p estate.Position) iam.Position { return iam.Position{Line: p.Line, Column: p.Column} }

// texts reads one text or a list of them. A member that may not be there, or
// that is a list of its own, is a hole.
func (rd *reader) texts(v *estate.Value, open bool) *iam.Texts {
	out := &iam.Texts{At: position(v.Position())}
	add := func(s string, at estate.Position) {
		out.Values = append(out.Values, iam.Text{Value: s, At: position(at)})
	}
	s := rd.resource.Scope()
	if open || v.Kind() != estate.KindList {
		add(rd.w.text(s, v, rd.view), v.Position())
		return out
	}
	for _, item := range v.Items() {
		item, _ := rd.view.Resolve(item)
		if item == nil {
			continue
		}
		if item.Kind() == estate.KindList {
			for _, inner := range item.Items() {
				add(rd.w.text(s, inner, rd.view), inner.Position())
			}
			continue
		}
		add(rd.w.text(s, item, rd.view), item.Position())
	}
	return out
}

func (rd *reader) principals(v *estate.Value, s *iam.Statement) []iam.Principals {
	v, open := rd.view.Resolve(v)
	switch {
	case v == nil:
		return nil
	case open:
		s.Open = true
		return []iam.Principals{{Kind: "AWS", Values: *rd.texts(v, true)}}
	case v.Kind() != estate.KindMap:
		kind := "AWS" // not known
		if text, ok := v.Scalar(); ok && text == "*" {
			kind = ""
		}
		return []iam.Principals{{Kind: kind, Values: *rd.texts(v, false)}}
	}
	list := []iam.Principals{}
	for _, f := range v.Fields() {
		x, open := rd.view.Resolve(f.Value)
		if x == nil {
			continue
		}
		s.Open = s.Open || open
		list = append(list, iam.Principals{Kind: f.Name, Values: *rd.texts(x, open)})
	}
	return list
}

func (rd *reader) conditions(v *estate.Value) []iam.Condition {
	v, open := rd.view.Resolve(v)
	switch {
	case v == nil:
		return nil
	case open || v.Kind() != estate.KindMap:
		return []iam.Condition{{Open: true}}
	}
	var list []iam.Condition
	for _, operator := range v.Fields() {
		keys, open := rd.view.Resolve(operator.Value)
		if keys == nil {
			continue
		}
		if open || keys.Kind() != estate.KindMap {
			list = append(list, iam.Condition{Operator: operator.Name, Open: true})
			continue
		}
		for _, key := range keys.Fields() {
			x, open := rd.view.Resolve(key.Value)
			if x == nil {
				continue
			}
			list = append(list, iam.Condition{Operator: operator.Name, Key: key.Name, Values: *rd.texts(x, open), Open: open})
		}
	}
	return list
}
