package estate

import (
	"slices"
	"strings"
)

// byName finds resources of the rule's type by ARN, URL or name. When none
// can have that name, the result says so if outside is asked for, and is empty
// otherwise. Where names depend on open inputs, an edge holds under the
// decisions that make them equal.
func (x resolver) byName(rule *Rule, v *Value, outside bool) []Edge {
	if t := x.scope.group.byID[v.AsString()]; t != nil && t.Type == rule.To {
		return []Edge{{To: t}}
	}
	if found := x.throughName(rule, v); len(found) > 0 {
		return found
	}
	id := x.scope.model.edges.Identities[rule.To]
	var found []Edge
	for _, named := range alternatives(v, nil) {
		name, fits := nameIn(named.value, id)
		if !fits {
			continue
		}
		at := x.placeOf(named.value, id)
		here, input := x.scope.place.holds(named.value)
		if strings.HasPrefix(x.scope.Format, "aws") {
			if here = False; x.scope.group.read(at) != nil {
				here = True
			}
		}
		if here == False {
			if outside {
				found = append(found, Edge{Gap: Gap{"outside what was read", v.String()}, Outside: true, When: named.when})
			}
			continue
		}
		for _, one := range alternatives(x.substitute(name), named.when) {
			for _, e := range x.named(rule, one, v, at, outside) {
				if here == Maybe && e.To != nil {
					e = Edge{Gap: Gap{"may be of another account or region", input}, When: e.When}
				}
				found = append(found, e)
			}
		}
	}
	return found
}

// throughName finds what v names by way of a resource that stands for it and has
// a name of its own: the key of an alias.
func (x resolver) throughName(rule *Rule, v *Value) []Edge {
	for _, typeName := range rule.Through {
		id := x.scope.model.edges.Identities[typeName]
		name, fits := nameIn(v, id)
		if !fits || name.Kind() != KindString {
			continue
		}
		at := x.placeOf(v, id)
		if here, _ := x.scope.place.holds(v); here != True && !strings.HasPrefix(x.scope.Format, "aws") {
			continue
		}
		unread := false
		for _, t := range x.candidates(typeName, name) {
			if t.scope.place.apart(at) {
				continue
			}
			switch own := (resolver{t.scope}).nameOf(t); matchNames(name, own) {
			case True:
				return x.onward(t, rule)
			case Maybe:
				unread = unread || own.MaybeAbsent()
			case False:
			}
		}
		if unread && strings.HasPrefix(name.s, "alias/") {
			return []Edge{{Gap: Gap{"names of aliases were not read", v.String()}}}
		}
	}
	return nil
}

// holds reports whether an ARN is of the place, and which pseudo parameter
// would tell. What is no ARN is a name, which is of the place.
func (p place) holds(v *Value) (Truth, string) {
	segments := segmentsOf(v)
	if segments == nil {
		return True, ""
	}
	here, input := True, ""
	for _, one := range []struct{ pseudo, known string }{{"AWS::Region", p.region}, {"AWS::AccountId", p.account}} {
		segment := segments[3]
		if one.pseudo == "AWS::AccountId" {
			segment = segments[4]
		}
		switch {
		case !segment.literal || segment.text == "" || segment.text == one.known:
		case one.known == "":
			here, input = here.And(Maybe), one.pseudo
		default:
			return False, ""
		}
	}
	return here, input
}

// segmentsOf are the first segments of an ARN. They are nil for a name, and
// where it is not known which part is which: the name decides then.
func segmentsOf(v *Value) []segment {
	parts, ok := textParts(v)
	if !ok || !strings.HasPrefix(literal(parts, 0), "arn:") {
		return nil
	}
	if inner, ok := cutThrough(parts, "/functions/"); ok && strings.HasPrefix(literal(inner, 0), "arn:") {
		parts = inner // of an integration's URI
	}
	segments, _ := splitARN(parts)
	return segments
}

// placeOf is where the resource is that a text in the scope names: where the
// scope is, if the text does not say otherwise. An empty region is any.
func (x resolver) placeOf(v *Value, id identity) place {
	at := x.scope.place
	segments := segmentsOf(v)
	if segments == nil {
		if service, _, _ := strings.Cut(id.ARN, ":"); placeless[service].region {
			at.region = ""
		}
		return at
	}
	if region := segments[3]; region.literal {
		at.region = region.text
	}
	if account := segments[4]; account.literal && account.text != "" {
		at.account = account.text
	}
	return at
}

// read is the scope that was read of a place, or nil.
func (g *group) read(at place) *Scope {
	for _, s := range g.scopes {
		if s.place.account == at.account && (at.region == "" || s.place.region == at.region) {
			return s
		}
	}
	return nil
}

// named finds the resources that have one name in a place.
func (x resolver) named(rule *Rule, name alternative, v *Value, at place, outside bool) []Edge {
	var found []Edge
	var maybe []string
	certain := false
	service, _, _ := strings.Cut(x.scope.model.edges.Identities[rule.To].ARN, ":")
	for _, t := range x.candidates(rule.To, name.value, v) {
		if t.scope.place.apart(at) && !placeless[service].region {
			continue // one of that name in another region, where others have it too
		}
		for _, own := range alternatives(t.scope.seenBy(x.scope, resolver{t.scope}.nameOf(t)), name.when) {
			match := matchNames(name.value, own.value)
			if Matches(v, own.value) == True {
				match = True // written as the name is, whatever its holes hold
			}
			switch match {
			case True:
				found = append(found, Edge{To: t, When: own.when})
				certain = certain || len(own.when) == len(name.when)
			case Maybe:
				maybe = append(maybe, t.LogicalID)
			case False:
			}
		}
	}
	switch {
	case certain:
	case len(maybe) > 0:
		slices.Sort(maybe)
		found = append(found, Edge{Gap: Gap{"may name " + strings.Join(slices.Compact(maybe), " or "), v.String()}, When: name.when})
	case len(found) > 0:
	case name.value.Kind() == KindUnknown || name.value.Kind() == KindDenied:
		found = append(found, Edge{Gap: name.value.Gap(), When: name.when})
	case outside && x.aliasUnread(v):
		found = append(found, Edge{Gap: Gap{"aliases of keys were not read", v.String()}, When: name.when})
	case outside && !x.wouldList(rule.To, v):
		found = append(found, Edge{Gap: Gap{"outside what was read", v.String()}, Outside: true, When: name.when})
	case outside:
		there := x.scope
		if s := x.scope.group.read(at); s != nil && at.region != "" {
			there = s
		}
		if !there.looked(rule.To) {
			found = append(found, Edge{Gap: Gap{"may not exist", v.String()}, Outside: true, Dangling: true, When: name.when})
		}
	}
	return found
}

// nameIndex finds the resources of one type that may have a name, so that each
// reference does not look at all of them.
type nameIndex struct {
	all   []*Resource
	byKey map[string][]int // positions in all
	open  []int            // of those whose names may be any
}

// nameKey tells names apart that are certainly different: texts that are written
// out, and texts that are made of the made-up names of resources. Others have
// none.
func nameKey(v *Value) (key string, ok bool) {
	if v.Kind() == KindString {
		return "text " + v.s, true
	}
	parts, ok := textParts(v)
	if !ok {
		return "", false
	}
	made := false
	var b strings.Builder
	for _, p := range parts {
		switch {
		case p.Kind() == KindString:
		case p.Kind() == KindReference && p.of == "Ref":
			made = true
			b.WriteString("\x00" + p.s)
		default:
			return "", false
		}
	}
	return "made" + b.String(), made
}

// candidates are the resources of a type that one of two values may name, in
// their order.
func (x resolver) candidates(typeName string, values ...*Value) []*Resource {
	index := x.scope.names[typeName]
	if index == nil {
		index = &nameIndex{all: x.scope.ofType(typeName), byKey: map[string][]int{}}
		for i, t := range index.all {
			key, ok := nameKey(t.scope.seenBy(x.scope, resolver{t.scope}.nameOf(t)))
			if !ok {
				index.open = append(index.open, i)
				continue
			}
			index.byKey[key] = append(index.byKey[key], i)
		}
		x.scope.names[typeName] = index
	}
	at := slices.Clone(index.open)
	for i, v := range values {
		key, ok := nameKey(v)
		if !ok && i == 0 {
			return index.all
		}
		at = append(at, index.byKey[key]...)
	}
	slices.Sort(at)
	found := make([]*Resource, 0, len(at))
	for _, i := range slices.Compact(at) {
		found = append(found, index.all[i])
	}
	return found
}

// wouldList reports whether the scope would hold the resource of the type that
// v names, if it exists: it is a live one, and v says that it is there. An ARN
// without an account, a URL and the alias of a key say too little.
func (x resolver) wouldList(typeName string, v *Value) bool {
	service, _, _ := strings.Cut(x.scope.model.edges.Identities[typeName].ARN, ":")
	return v.Kind() == KindString && strings.HasPrefix(x.scope.Format, "aws") && !placeless[service].account &&
		!strings.Contains(v.s, "://") && !strings.Contains(v.s, "alias/")
}

// aliasUnread reports whether a live scope would have to know an alias of a key,
// and does not.
func (x resolver) aliasUnread(v *Value) bool {
	return strings.HasPrefix(x.scope.Format, "aws") && v.Kind() == KindString && strings.Contains(v.s, "alias/") &&
		!strings.Contains(v.s, "alias/aws/") && !x.scope.looked("AWS::KMS::Alias")
}

// alternative is one value that something may have, with the decisions that
// give it that value.
type alternative struct {
	value *Value
	when  []Decision
}

// alternatives lists what v may be once its open inputs are decided, given the
// decisions made already. A value that does not depend on an input is its only
// alternative; absent ones are left out.
func alternatives(v *Value, when []Decision) []alternative {
	if v.Kind() != KindOneOf {
		if v == nil {
			return nil
		}
		return []alternative{{v, when}}
	}
	var all []alternative
	for _, c := range v.Cases() {
		made := slices.IndexFunc(when, func(d Decision) bool { return d.Input == v.Input() })
		switch {
		case made < 0:
			all = append(all, alternatives(c.Value, append(slices.Clone(when), Decision{v.Input(), c.When}))...)
		case when[made].When == c.When:
			all = append(all, alternatives(c.Value, when)...)
		}
	}
	return all
}

// matchNames compares two names. A name that CloudFormation makes ends in
// random characters, so that it is neither a name that somebody wrote nor
// another resource's.
func matchNames(a, b *Value) Truth {
	t := Matches(a, b)
	if t != Maybe {
		return t
	}
	madeA, openA := made(a)
	madeB, openB := made(b)
	if !openA && !openB && !slices.Equal(madeA, madeB) {
		return False
	}
	return Maybe
}

// made lists the resources whose made-up names a name contains; open is set
// when it has other holes, which may hold any name.
func made(v *Value) (names []string, open bool) {
	parts, ok := textParts(v)
	if !ok {
		return nil, true
	}
	for _, p := range parts {
		switch {
		case p.Kind() == KindReference && p.of == "Ref":
			names = append(names, p.s)
		case p.Kind() != KindString && !(p.Kind() == KindUnknown && p.s == ReasonPseudoParameter):
			open = true
		}
	}
	return names, open
}

// nameOf is the name of a resource as a value: what its source states, what its
// ARN says, or the reference to itself where CloudFormation makes the name.
func (x resolver) nameOf(r *Resource) *Value {
	id := x.scope.model.edges.Identities[r.Type]
	if id.Name != "" {
		if v := r.Properties.Field(id.Name); v != nil {
			return x.substitute(v)
		}
	}
	if strings.HasPrefix(r.ID, "arn:") {
		if name, ok := nameIn(String(r.ID), id); ok {
			return name
		}
	}
	return Ref(r.LogicalID, "Ref")
}

// substitute replaces references to named resources by their names, so that
// "/aws/lambda/${Function}" and "/aws/lambda/payments" compare equal.
func (x resolver) substitute(v *Value) *Value {
	sub := func(p *Value) *Value {
		if p.Kind() != KindReference || p.of != "Ref" {
			return p
		}
		t := x.scope.find(p.s)
		if t == nil {
			return p
		}
		named := t.scope.seenBy(x.scope, t.Properties.Field(x.scope.model.edges.Identities[t.Type].Name))
		switch named.Kind() {
		case KindString, KindText, KindUnknown:
			return named
		case KindOneOf:
			if v.Kind() != KindText {
				return named
			}
			return Unknown("name is not decided", named.Input())
		default:
			return p
		}
	}
	if v.Kind() != KindText {
		return sub(v)
	}
	parts := make([]*Value, len(v.items))
	for i, p := range v.items {
		parts[i] = sub(p)
	}
	return Text(parts...)
}

// nameIn cuts the resource's name out of an ARN, URL or name. It reports false
// when v is the ARN of another kind of resource.
func nameIn(v *Value, id identity) (name *Value, ok bool) {
	parts, ok := textParts(v)
	if !ok {
		return nil, false
	}
	lead := literal(parts, 0)
	switch {
	case id == (identity{}):
		return nil, false // named by reference alone
	case strings.HasPrefix(lead, "arn:"):
		return arnName(parts, id)
	case lead == "" && len(parts) > 1 && !solid(parts[0]):
		return Unknown("part of a text that is not known", v.String()), true // may be an ARN
	case id.URL && strings.Contains(lead, "://"):
		return lastSegment(parts, "/"), true
	case strings.HasPrefix(id.ARN, "ecr:repository/"):
		// ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG or @DIGEST, of an image.
		if rest, cut := cutThrough(parts, ".amazonaws.com/"); cut {
			parts = upTo(upTo(rest, "@"), ":")
		}
		return Text(parts...), true
	case strings.Contains(lead, "://"):
		return nil, false // an address on the web
	case strings.HasPrefix(id.ARN, "lambda:function:"):
		// NAME, NAME:ALIAS or ACCOUNT:function:NAME (CreateEventSourceMapping, FunctionName).
		if rest, cut := cutThrough(parts, ":function:"); cut {
			parts = rest
		}
		return Text(upTo(parts, ":")...), true
	}
	return v, true
}

// arnName reads arn:partition:service:region:account:resource. The parts of an
// API Gateway integration hold the function's ARN inside the resource. When
// holes leave open which part is the name, the result is unknown.
func arnName(parts []*Value, id identity) (*Value, bool) {
	service, resource, found := strings.Cut(id.ARN, ":")
	if !found {
		return Text(parts...), true
	}
	if anyLiteral(parts, "::aws:policy/") || anyLiteral(parts, ":role/aws-service-role/") {
		return nil, false // AWS's own: a managed policy, or a role that a service makes, which no template holds
	}
	if at, ok := cutThrough(parts, "/functions/"); ok {
		switch head := literal(at, 0); {
		case strings.HasPrefix(head, "arn:"):
			parts = upTo(at, "/invocations")
		case head == "" && !solid(at[0]) && service == "lambda":
			return Unknown("part of a text that is not known", Text(parts...).String()), true
		}
	}
	prefix, _, _ := strings.Cut(resource, "{name}")
	segments, rest := splitARN(parts)
	if segments == nil {
		return nameFromEnd(parts, service, prefix)
	}
	if s := segments[2]; s.literal && s.text != service {
		return nil, false
	}
	lead := literal(rest, 0)
	if head, inner, within := strings.Cut(prefix, "*"); within {
		path, is := strings.CutPrefix(lead, head)
		_, name, found := strings.Cut(path, inner)
		return Text(append([]*Value{String(name)}, rest[1:]...)...), is && found
	}
	if lead != "" && !strings.HasPrefix(lead, prefix) {
		return nil, false
	}
	if strings.HasPrefix(lead, prefix) {
		rest = append([]*Value{String(lead[len(prefix):])}, rest[1:]...)
	}
	if prefix == "function:" || service == "logs" {
		rest = upTo(rest, ":")
	}
	if service == "dynamodb" || service == "s3" || service == "kinesis" {
		rest = upTo(rest, "/") // an index, a stream, an object, a consumer
	}
	name := Text(rest...)
	if service == "iam" && name.Kind() == KindString {
		// The path is not part of the name: role/service-role/NAME.
		return String(name.s[strings.LastIndex(name.s, "/")+1:]), true
	}
	return name, true
}

// nameFromEnd reads the name of an ARN whose region or account is a hole that
// may hold anything: the service must stand before the hole, and the name is
// what follows the last literal separator.
func nameFromEnd(parts []*Value, service, prefix string) (*Value, bool) {
	fields := strings.Split(literal(parts, 0), ":")
	open := Unknown("part of a text that is not known", Text(parts...).String())
	switch {
	case len(fields) < 4:
		return open, true
	case fields[2] != service:
		return nil, false
	case service == "lambda" || service == "logs":
		if at, ok := cutThrough(parts, ":"+prefix); ok {
			return Text(upTo(at, ":")...), true
		}
		return open, true
	}
	separator := ":"
	if strings.HasSuffix(prefix, "/") {
		separator = "/"
	}
	last := parts[len(parts)-1]
	if at := strings.LastIndex(last.AsString(), separator); at >= 0 {
		return String(last.s[at+1:]), true
	}
	return open, true
}

func anyLiteral(parts []*Value, cue string) bool {
	return slices.ContainsFunc(parts, func(p *Value) bool { return strings.Contains(p.AsString(), cue) })
}

// segment is a part of an ARN between colons; its text is "" where it has holes.
type segment struct {
	text    string
	literal bool
}

// splitARN cuts the first five segments off an ARN. It returns nil when a hole
// before them may hold a colon: references and pseudo parameters do not.
func splitARN(parts []*Value) (segments []segment, rest []*Value) {
	segments = make([]segment, 0, 5)
	before, holes := "", false // of the segment that the parts so far end in
	for i, p := range parts {
		if p.Kind() != KindString {
			if !solid(p) {
				return nil, nil
			}
			holes = true
			continue
		}
		text := p.s
		for {
			head, tail, more := strings.Cut(text, ":")
			if !more {
				break
			}
			if holes {
				segments = append(segments, segment{})
			} else {
				segments = append(segments, segment{before + head, true})
			}
			before, holes, text = "", false, tail
			if len(segments) == 5 {
				return segments, append([]*Value{String(text)}, parts[i+1:]...)
			}
		}
		before += text
	}
	return nil, nil
}

// cutThrough drops parts up to and including the first literal cue.
func cutThrough(parts []*Value, cue string) ([]*Value, bool) {
	for i, p := range parts {
		if p.Kind() != KindString {
			continue
		}
		if _, after, ok := strings.Cut(p.s, cue); ok {
			if after == "" {
				return parts[i+1:], len(parts) > i+1
			}
			return append([]*Value{String(after)}, parts[i+1:]...), true
		}
	}
	return parts, false
}

// upTo keeps parts before the first literal cue.
func upTo(parts []*Value, cue string) []*Value {
	for i, p := range parts {
		if p.Kind() != KindString {
			continue
		}
		if before, _, ok := strings.Cut(p.s, cue); ok {
			return append(slices.Clone(parts[:i]), String(before))
		}
	}
	return parts
}

// lastSegment is what follows the last literal separator.
func lastSegment(parts []*Value, separator string) *Value {
	for i, p := range slices.Backward(parts) {
		if p.Kind() != KindString {
			continue
		}
		if at := strings.LastIndex(p.s, separator); at >= 0 {
			return Text(append([]*Value{String(p.s[at+len(separator):])}, parts[i+1:]...)...)
		}
	}
	return Text(parts...)
}
