package terraform

import (
	"strconv"
	"strings"

	"assay/internal/estate"
)

// maxFollowed bounds a chain of module variables, outputs and attributes; a
// plan that Terraform wrote has no cycles, one that somebody edited may.
const maxFollowed = 32

// place is where an expression stands: in a module instance, in a resource or
// module call of which key is the instance.
type place struct {
	module *module
	path   string // address of the module instance; "" for the root
	key    string // [0], ["a"], or "" without count and for_each
	each   raw    // the for_each expression
}

// head is one reference of an expression, with what it comes to.
type head struct {
	text  string
	value *estate.Value // nil: the plan does not show it
	// all are the instances of a resource that is referred to as a whole: by a
	// splat, or an index that the plan does not show.
	all []*change
}

// open reports whether the value of the head is, as far as the plan shows, not
// known before apply.
func (h head) open() bool { return !settled(h.value) }

// settled reports whether a value is known in all its parts.
func settled(v *estate.Value) bool {
	known := v != nil
	v.Each(func(x *estate.Value) bool {
		known = known && x.Known()
		return known
	})
	return known
}

func openHeads(heads []head) []head {
	var open []head
	for _, h := range heads {
		if h.open() {
			open = append(open, h)
		}
	}
	return open
}

func sameHeads(heads []head) bool {
	for _, h := range heads {
		if h.text != heads[0].text {
			return false
		}
	}
	return len(heads) > 0
}

// headsOf lists the references of an expression. A plan follows each with its
// beginnings: aws_x.y.arn, then aws_x.y.
func (r *reader) headsOf(p place, expression raw) []head {
	var heads []head
	last := ""
	for _, text := range expression.member("references").texts() {
		if last != "" && (strings.HasPrefix(last, text+".") || strings.HasPrefix(last, text+"[")) {
			continue
		}
		last = text
		heads = append(heads, r.head(p, text))
	}
	return heads
}

// head follows one reference.
func (r *reader) head(p place, text string) head {
	h := head{text: text}
	if r.depth++; r.depth <= maxFollowed && p.module != nil {
		h.value, h.all = r.follow(p, steps(text))
	}
	r.depth--
	return h
}

// follow gives the value that a reference comes to, or the instances of a
// resource that it names as a whole, or nothing.
func (r *reader) follow(p place, ref []string) (*estate.Value, []*change) {
	if len(ref) == 0 {
		return nil, nil
	}
	name := ""
	if len(ref) > 1 {
		name, _ = cutKey(ref[1])
	}
	switch first, _ := cutKey(ref[0]); {
	case first == "path" || first == "terraform" || first == "count" || first == "each" && name == "key":
		return estate.Null(), nil // known, whatever it is
	case first == "local" || first == "self" || len(ref) < 2:
		return nil, nil
	case first == "each":
		return r.followEach(p, ref)
	case first == "var":
		v := r.variable(p, name)
		return walkInto(v, ref[2:]), nil
	case first == "module" && len(ref) > 2:
		return walkInto(r.output(p, ref[1], ref[2]), ref[3:]), nil
	case first == "module":
		return nil, nil
	case first == "data" && len(ref) > 2:
		return r.dataSource(p, first+"."+ref[1], ref[2], ref[3:])
	}
	return r.resource(p, ref[0], ref[1], ref[2:])
}

// walkInto follows the rest of a reference into a known value. The whole value
// stands for itself.
func walkInto(v *estate.Value, rest []string) *estate.Value {
	for _, step := range rest {
		name, key := cutKey(step)
		if v = v.Field(name); key != "" {
			return nil
		}
	}
	return v
}

// followEach follows each.value where the for_each is a resource with
// instances of the same keys.
func (r *reader) followEach(p place, ref []string) (*estate.Value, []*change) {
	texts := p.each.member("references").texts()
	if len(texts) != 1 || p.key == "" {
		return nil, nil
	}
	over := steps(texts[0])
	if len(over) != 2 {
		return nil, nil
	}
	return r.resource(p, over[0], over[1]+p.key, ref[2:])
}

// variable is the value of a module's variable.
func (r *reader) variable(p place, name string) *estate.Value {
	m := p.module
	if m.variables[name].member("sensitive").isTrue() {
		return estate.Secret("variable " + name + " is sensitive")
	}
	if m.parent == nil {
		return m.given[name].member("value").value(estate.Position{})
	}
	e := m.call.expressions.member(name)
	if e == nil {
		return m.variables[name].member("default").value(estate.Position{})
	}
	return r.expression(r.outside(p), e)
}

// outside is where the call of a module instance stands.
func (r *reader) outside(p place) place {
	all := steps(p.path)
	parent, key := "", ""
	if len(all) >= 2 {
		parent = strings.Join(all[:len(all)-2], ".")
		_, key = cutKey(all[len(all)-1])
	}
	return place{module: p.module.parent, path: parent, key: key, each: p.module.call.forEach}
}

// output is the value of an output of a module that p calls.
func (r *reader) output(p place, call, name string) *estate.Value {
	bare, key := cutKey(call)
	m := p.module.calls[bare]
	name, index := cutKey(name)
	if m == nil || index != "" {
		return nil
	}
	out := m.outputs[name]
	if out.member("sensitive").isTrue() {
		return estate.Secret("output " + name + " of module." + bare + " is sensitive")
	}
	return r.expression(place{module: m, path: join(p.path, "module."+bare+key)}, out.member("expression"))
}

// expression is the value of an expression that is a constant or one reference
// and nothing else that the plan shows. A reference to a resource as a whole
// gives the list of its instances, of which the reader's caller knows what it
// wants; see members.
func (r *reader) expression(p place, e raw) *estate.Value {
	if constant := e.member("constant_value"); constant != nil {
		return constant.value(estate.Position{})
	}
	heads := r.headsOf(p, e)
	if len(heads) == 0 {
		return nil
	}
	if len(heads) == 1 && heads[0].all == nil {
		return heads[0].value
	}
	return r.bundle(heads)
}

// bundle keeps the identities that an expression of several references holds,
// for attributes that are lists of them: a list of whole resources' references.
// nil when something else is among them.
func (r *reader) bundle(heads []head) *estate.Value {
	var items []*estate.Value
	for _, h := range heads {
		switch {
		case h.all != nil:
			for _, c := range h.all {
				items = append(items, estate.Ref(c.address, wholeResource))
			}
		case h.value.Kind() == estate.KindReference:
			items = append(items, h.value)
		case h.value.Kind() == estate.KindList:
			items = append(items, h.value.Items()...)
		default:
			return nil
		}
	}
	return estate.List(items...)
}

// wholeResource is the attribute of a reference that does not show which
// attribute it is; the attribute that holds it says.
const wholeResource = ""

// resource follows a reference to a managed resource.
func (r *reader) resource(p place, kind, name string, rest []string) (*estate.Value, []*change) {
	name, key := cutKey(name)
	all := r.plan.instances[join(p.path, kind+"."+name)]
	c := pick(all, key, p.key)
	if len(rest) == 0 {
		if c != nil && key != "" {
			all = []*change{c}
		}
		return nil, all
	}
	if c == nil {
		return nil, nil
	}
	return r.attributeOf(c, rest), nil
}

// pick is the instance that a reference means: the one with the key that it
// has; the only one; or, since a plan hides an index that is not constant, the
// one with the key of the resource that refers to it.
func pick(all []*change, key, own string) *change {
	switch {
	case key == "" && len(all) == 1:
		return all[0]
	case key == "":
		key = own
	}
	for _, c := range all {
		if c.key == key && key != "" {
			return c
		}
	}
	return nil
}

// attributeOf is the value of an attribute of another resource: what the plan
// knows of it; a reference, where it identifies the resource; or what it is
// itself configured to be.
func (r *reader) attributeOf(c *change, path []string) *estate.Value {
	name, key := cutKey(path[0])
	f := factsOf(c)
	f = facts{f.value.member(name), f.unknown.member(name), f.sensitive.member(name), f.config.member(name)}
	switch {
	case f.sensitive.isTrue():
		return estate.Secret(join(c.address, name) + " is sensitive in the plan")
	case len(path) == 1 && key == "" && !f.value.absent() && !f.unknown.anyTrue() && !f.sensitive.anyTrue():
		return f.value.value(estate.Position{})
	case c.data || len(path) > 1 || key != "":
		return nil
	}
	row, err := r.table.row(c.kind)
	if err != nil || row == nil {
		return nil
	}
	if _, ok := row.identity(name); ok {
		return estate.Ref(c.address, name)
	}
	if c.busy {
		return nil
	}
	return r.attributesOf(c, row.attributesFor(c)).Field(name)
}

// dataSource follows a reference to a data source: what was read while
// planning, or what a data source that will be read is certain to give.
func (r *reader) dataSource(p place, kind, name string, rest []string) (*estate.Value, []*change) {
	if len(rest) == 0 {
		return nil, nil
	}
	bare, key := cutKey(name)
	local := kind + "." + bare
	all := r.plan.instances[join(p.path, local)]
	if c := pick(all, key, p.key); c != nil {
		if v := r.attributeOf(c, rest); v != nil || c.kind != policyDocument || len(rest) > 1 {
			return v, nil
		}
		if rest[0] == "json" || rest[0] == "minified_json" {
			return r.document(c), nil
		}
		return nil, nil
	}
	for _, key := range []string{key, p.key} {
		if entry, ok := r.plan.data[join(p.path, local)+key]; ok {
			attribute, index := cutKey(rest[0])
			if entry.member("sensitive_values", attribute).anyTrue() {
				return estate.Secret(join(local, attribute) + " is sensitive in the plan"), nil
			}
			v := entry.member("values", attribute)
			if len(rest) > 1 || index != "" {
				return estate.Null(), nil // part of what is known
			}
			return v.value(estate.Position{}), nil
		}
	}
	return pseudo(strings.TrimPrefix(kind, "data."), rest[0]), nil
}

// pseudoAttributes are attributes of data sources that only say where the plan
// is applied, as CloudFormation's pseudo parameters.
var pseudoAttributes = map[string]string{
	"aws_caller_identity.account_id": "AWS::AccountId",
	"aws_caller_identity.id":         "AWS::AccountId",
	"aws_region.name":                "AWS::Region",
	"aws_region.region":              "AWS::Region",
	"aws_region.id":                  "AWS::Region",
	"aws_partition.partition":        "AWS::Partition",
	"aws_partition.id":               "AWS::Partition",
	"aws_partition.dns_suffix":       "AWS::URLSuffix",
}

func pseudo(kind, attribute string) *estate.Value {
	if name, ok := pseudoAttributes[kind+"."+attribute]; ok {
		return estate.UnknownText(estate.ReasonPseudoParameter, name)
	}
	return nil
}

// unknownLeaf is the value of an attribute, or of the only unknown member of
// one, that comes of these references.
func (r *reader) unknownLeaf(s site, spec attribute, heads []head) *estate.Value {
	if spec.many() && !s.member() {
		return r.members(s, spec, heads)
	}
	if heads = withoutIndexes(heads); len(heads) == 1 {
		return r.unknownMember(s, spec, heads[0])
	}
	open := openHeads(heads)
	var found *estate.Value
	for _, h := range open {
		v := r.single(s, spec, h)
		if v.Kind() != estate.KindReference && v.Kind() != estate.KindText {
			continue
		}
		if found != nil {
			return s.unknown()
		}
		found = v
	}
	if found == nil || spec.is(wordJSON) || spec.alone() && len(open) > 1 {
		return s.unknown()
	}
	return around(s, found)
}

// withoutIndexes drops the keys by which a resource that is referred to as a
// whole is indexed: aws_x.y[count.index].arn shows as aws_x.y and count.index.
func withoutIndexes(heads []head) []head {
	var kept []head
	whole := false
	for _, h := range heads {
		whole = whole || h.all != nil
		if h.text != "count.index" && h.text != "each.key" {
			kept = append(kept, h)
		}
	}
	if whole {
		return kept
	}
	return heads
}

// member reports whether the site is a member of a list, by its path.
func (s site) member() bool {
	_, err := strconv.Atoi(s.path[strings.LastIndexByte(s.path, '.')+1:])
	return err == nil
}

// unknownMember is the value that comes of one reference and, as far as the
// plan shows, of nothing else.
func (r *reader) unknownMember(s site, spec attribute, h head) *estate.Value {
	v := r.single(s, spec, h)
	switch v.Kind() {
	case estate.KindSecret:
		return v.At(s.c.at)
	case estate.KindMap:
		if spec.is(wordJSON) {
			return v
		}
	case estate.KindReference, estate.KindText:
		switch {
		case spec.Shape != nil:
			return shaped(s, spec.Shape, v)
		case spec.is(wordJSON):
			return s.unknown()
		case spec.alone():
			return v.At(s.c.at)
		case spec.is(wordPattern) && strings.HasSuffix(v.Reference().Attribute, "arn"):
			return estate.Text(v, estate.UnknownText(reasonApply, "rest of "+s.input())).At(s.c.at)
		}
		return around(s, v)
	default:
	}
	return s.unknown()
}

// single is the value of one reference for an attribute that holds spec's kind
// of identity.
func (r *reader) single(s site, spec attribute, h head) *estate.Value {
	if h.all == nil {
		return h.value
	}
	c := pick(h.all, "", s.key)
	if c == nil {
		return nil
	}
	return r.identityOf(c, spec, s)
}

// identityOf refers to an instance by the attribute that spec holds.
func (r *reader) identityOf(c *change, spec attribute, s site) *estate.Value {
	name := spec.identity()
	if name == "" {
		return s.unknown()
	}
	if v := r.attributeOf(c, []string{name}); v != nil {
		return v.At(s.c.at)
	}
	return s.unknown()
}

// around is a text that v is a part of.
func around(s site, v *estate.Value) *estate.Value {
	if v == nil || v.Kind() != estate.KindReference && v.Kind() != estate.KindText {
		return s.unknown()
	}
	return estate.Text(
		estate.UnknownText(reasonApply, "start of "+s.input()), v, estate.UnknownText(reasonApply, "rest of "+s.input()),
	).At(s.c.at)
}

// shaped is a document of a fixed form that holds one reference.
func shaped(s site, form map[string]string, v *estate.Value) *estate.Value {
	var fields []estate.Field
	for name, what := range form {
		if what == "reference" {
			fields = append(fields, estate.Field{Name: name, Value: v.At(s.c.at)})
			continue
		}
		fields = append(fields, estate.Field{Name: name, Value: s.at(name).unknown()})
	}
	return estate.Map(fields...).At(s.c.at)
}

// Choices of the input that says whether a list has more members than the
// references of its expression.
const (
	noMore = "what is referred to"
	more   = "and more"
)

// members is a list of identities that is unknown as a whole. The resources
// that its expression refers to are in it; a literal member would not show, so
// that there may be one thing more. Anything else among the references makes
// the list unknown, because it may choose among the resources.
func (r *reader) members(s site, spec attribute, heads []head) *estate.Value {
	var items []*estate.Value
	add := func(v *estate.Value) bool {
		switch {
		case v.Kind() == estate.KindReference && v.Reference().Attribute == wholeResource:
			c := r.instanceAt(v.Reference().Resource)
			if c == nil {
				return false
			}
			items = append(items, r.identityOf(c, spec, s))
		case v.Kind() == estate.KindReference:
			items = append(items, v.At(s.c.at))
		default:
			return false
		}
		return true
	}
	for _, h := range heads {
		ok := h.all != nil
		switch {
		case h.all != nil:
			for _, c := range pickAll(h.all, s.key, heads) {
				items = append(items, r.identityOf(c, spec, s))
			}
		case h.value.Kind() == estate.KindList:
			ok = len(h.value.Items()) > 0
			for _, v := range h.value.Items() {
				ok = ok && add(v)
			}
		case h.text == "count.index" || h.text == "each.key":
			ok = true
		case h.value.Kind() == estate.KindString && !strings.HasPrefix(h.text, "var."):
			// The attribute of something that exists already. A variable's text
			// is as likely to be what a condition compares.
			items, ok = append(items, h.value.At(s.c.at)), true
		default:
			ok = add(h.value)
		}
		if !ok {
			return s.unknown()
		}
	}
	if len(items) == 0 {
		return s.unknown()
	}
	unseen := s.unknown()
	if spec.is(wordIDs) && !r.known(items) {
		unseen = estate.UnknownText(estate.ReasonWrittenOut, s.input()).At(s.c.at)
	}
	rest := estate.OneOf("members of "+s.input()+" that the plan does not show",
		estate.Case{When: noMore}, estate.Case{When: more, Value: unseen})
	return estate.List(append(items, rest)...).At(s.c.at)
}

// known reports whether the plan has a resource of the kinds that are listed
// whose id is known already, so that it could be listed by a literal too.
func (r *reader) known(listed []*estate.Value) bool {
	kinds := map[string]bool{}
	for _, v := range listed {
		if c := r.instanceAt(v.Reference().Resource); c != nil {
			kinds[c.kind] = true
		}
	}
	for _, all := range r.plan.instances {
		for _, c := range all {
			if kinds[c.kind] && !c.after.member("id").absent() {
				return true
			}
		}
	}
	return false
}

// pickAll is the instance with the referring resource's key where an index is
// among the references, and all instances where none is.
func pickAll(all []*change, own string, heads []head) []*change {
	for _, h := range heads {
		if h.text == "count.index" || h.text == "each.key" {
			if c := pick(all, "", own); c != nil {
				return []*change{c}
			}
		}
	}
	return all
}

// instanceAt finds an instance by its whole address.
func (r *reader) instanceAt(address string) *change { return r.byAddress[address] }
