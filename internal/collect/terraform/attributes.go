package terraform

import (
	"strconv"

	"assay/internal/estate"
)

// reasonApply is why an attribute is not known: the plan does not show it, and
// Terraform itself may not know it before it applies the plan.
const reasonApply = "known after apply"

// facts are what a plan says of one attribute: what it will be, which parts
// are known only after apply, which are sensitive, and how it is configured.
type facts struct {
	value, unknown, sensitive raw
	config                    raw // nil: not configured
}

// below keeps the parts of a whole that is sensitive sensitive.
func (f facts) below(part raw) raw {
	if f.sensitive.isTrue() {
		return f.sensitive
	}
	return part
}

// site is where an attribute stands.
type site struct {
	place
	c       *change
	path    string // dotted path within the resource
	dynamic bool   // in something that the configuration does not show
}

func (s site) at(name string) site {
	if s.path != "" {
		name = s.path + "." + name
	}
	s.path = name
	return s
}

// input is the name of the attribute in a gap.
func (s site) input() string { return join(s.c.address, s.path) }

func (s site) unknown() *estate.Value { return estate.UnknownText(reasonApply, s.input()).At(s.c.at) }

// attributesOf are the attributes of an instance that its row asks for, as a
// Map. References in it point at addresses and the provider's attributes.
func (r *reader) attributesOf(c *change, specs map[string]attribute) *estate.Value {
	if c.attributes != nil || c.busy {
		return c.attributes
	}
	c.busy = true
	c.attributes = r.block(r.siteOf(c), specs, factsOf(c))
	c.busy = false
	return c.attributes
}

func factsOf(c *change) facts {
	f := facts{value: c.after, unknown: c.unknown, sensitive: c.sensitive}
	if c.declared != nil {
		f.config = c.declared.expressions
	}
	return f
}

func (r *reader) siteOf(c *change) site {
	p := place{module: r.plan.moduleAt(c.module), path: c.module, key: c.key}
	if c.declared != nil {
		p.each = c.declared.forEach
	}
	// What the configuration does not have at all says nothing of what is not
	// configured.
	return site{place: p, c: c, dynamic: c.declared == nil}
}

// block reads the attributes of a resource or block that specs name.
func (r *reader) block(s site, specs map[string]attribute, f facts) *estate.Value {
	values, unknowns, sensitives, configs := f.value.wanted(specs), f.unknown.wanted(specs), f.sensitive.wanted(specs), f.config.wanted(specs)
	fields := make([]estate.Field, 0, len(specs))
	for name, spec := range specs {
		part := facts{values[name], unknowns[name], f.below(sensitives[name]), configs[name]}
		inner := s.at(name)
		if name == "tags" && s.path == "" {
			var known bool
			if part, known = r.allTags(s, part, f.value.member("tags_all"), f.unknown.member("tags_all")); !known {
				fields = append(fields, estate.Field{Name: name, Value: inner.unknown()})
				continue
			}
		}
		if v := r.attribute(inner, spec, part); v != nil {
			fields = append(fields, estate.Field{Name: name, Value: v})
		}
	}
	return estate.Map(fields...).At(s.c.at)
}

// allTags adds the provider's default tags to a resource's own: tags_all is
// what the resource will have. The provider leaves it unknown where there are
// no tags at all, which differs from default tags that are not known.
func (r *reader) allTags(s site, own facts, all, unknown raw) (facts, bool) {
	switch {
	case all.is('{'):
		own.value, own.unknown = all, unknown
		if own.config == nil && r.hasDefaultTags(s.c) {
			own.config = raw("{}") // the provider's configuration states them
		}
	case unknown.isTrue() && r.hasDefaultTags(s.c):
		return own, false
	}
	return own, true
}

// attribute reads one attribute; nil is absent.
func (r *reader) attribute(s site, spec attribute, f facts) *estate.Value {
	switch {
	case f.sensitive.isTrue():
		if f.value.absent() && (!f.unknown.isTrue() || f.config == nil) {
			return nil
		}
		return estate.Secret(s.input() + " is sensitive in the plan").At(s.c.at)
	case f.unknown.isTrue():
		return r.whole(s, spec, f)
	case f.value.absent():
		return nil
	case isBlocks(f):
		return r.blocks(s, spec, f)
	case f.config.is('{') && !isExpression(f.config) && f.value.is('{'):
		return r.block(s, spec.With, f)
	}
	leaf := (func(site, attribute) *estate.Value)(nil)
	if n := f.unknown.countTrue(); n > 0 {
		leaf = r.leaves(s, f, n)
	}
	v := r.tree(s, spec, f, leaf)
	switch {
	case f.config == nil && isEmpty(v):
		return nil
	case f.config == nil && !s.dynamic:
		return v.AsDefault()
	}
	return v
}

func isEmpty(v *estate.Value) bool {
	switch v.Kind() {
	case estate.KindList:
		return len(v.Items()) == 0
	case estate.KindMap:
		return len(v.Fields()) == 0
	}
	return false
}

// isBlocks tells nested blocks from an attribute that is a list of objects:
// the configuration of blocks is a list, that of an attribute one expression.
func isBlocks(f facts) bool {
	if f.config != nil {
		return f.config.is('[')
	}
	return f.value.element(0).is('{')
}

// isExpression reports whether an object of the configuration is an expression
// and not a single nested block.
func isExpression(config raw) bool {
	n := 0
	for name, v := range config.members() {
		if name == "constant_value" || name == "references" && v.is('[') {
			return true
		}
		n++
	}
	return n == 0
}

// whole reads an attribute that is unknown as a whole. What is not configured
// is absent, so that its default holds.
func (r *reader) whole(s site, spec attribute, f facts) *estate.Value {
	// What is sensitive is listed by member even for what is unknown, which
	// tells a map or list from a text.
	collection := spec.is(wordMap) || spec.is(wordTags) || f.sensitive.is('{') || f.sensitive.is('[')
	switch {
	case f.config == nil && !s.dynamic:
		return nil
	case f.config == nil, !isExpression(f.config), collection && !spec.many():
		return s.unknown()
	}
	return r.unknownLeaf(s, spec, r.headsOf(s.place, f.config))
}

// blocks reads nested blocks.
func (r *reader) blocks(s site, spec attribute, f facts) *estate.Value {
	values, unknowns, sensitives := f.value.list(), f.unknown.list(), f.sensitive.list()
	configs := f.config.list()
	items := make([]*estate.Value, len(values))
	for i, v := range values {
		one := facts{value: v, sensitive: f.below(nil)}
		if i < len(unknowns) {
			one.unknown = unknowns[i]
		}
		if i < len(sensitives) {
			one.sensitive = f.below(sensitives[i])
		}
		inner := s
		one.config = configOfBlock(configs, values, i)
		inner.dynamic = one.config == nil
		if one.sensitive.isTrue() {
			items[i] = estate.Secret(s.input() + " is sensitive in the plan").At(s.c.at)
			continue
		}
		items[i] = r.block(inner.at(strconv.Itoa(i)), spec.With, one)
	}
	return estate.List(items...).At(s.c.at)
}

// configOfBlock finds which block of the configuration the i-th value is. The
// plan does not say, and dynamic blocks and sets leave no order to go by: it
// is the one whose constants agree with the value, or among several the one
// in the same position where there are as many blocks as values.
func configOfBlock(configs, values []raw, i int) raw {
	var fitting []int
	for j, config := range configs {
		if agrees(config, values[i]) {
			fitting = append(fitting, j)
		}
	}
	switch {
	case len(fitting) == 1 && len(configs) <= len(values):
		return configs[fitting[0]]
	case len(configs) != len(values):
		return nil
	}
	for _, j := range fitting {
		if j == i {
			return configs[j]
		}
	}
	return nil
}

// agrees reports whether a block may have become a value: every constant of
// the block is in it.
func agrees(config, value raw) bool {
	for name, e := range config.members() {
		constant := e.member("constant_value")
		is := value.member(name)
		if constant.absent() || is.absent() || constant.is('{') {
			continue
		}
		if constant.is('[') {
			if is.is('[') && !sameMembers(constant, is) {
				return false
			}
			continue
		}
		if a, b := scalarText(constant), scalarText(is); a != b {
			return false
		}
	}
	return true
}

// scalarText is a scalar as text: a provider may turn 443 into "443".
func scalarText(r raw) string {
	s, _ := r.scalar().Scalar()
	return s
}

// sameMembers compares lists of scalars without order.
func sameMembers(a, b raw) bool {
	count := map[string]int{}
	for _, e := range a.elements() {
		count[string(e)]++
	}
	for _, e := range b.elements() {
		if count[string(e)]--; count[string(e)] < 0 {
			return false
		}
	}
	return len(a.list()) == len(b.list())
}

// tree turns an attribute's value into a value of the same shape. leaf gives
// the value of a member that is unknown.
func (r *reader) tree(s site, spec attribute, f facts, leaf func(site, attribute) *estate.Value) *estate.Value {
	switch {
	case f.sensitive.isTrue():
		return estate.Secret(s.input() + " is sensitive in the plan").At(s.c.at)
	case f.unknown.isTrue():
		return leaf(s, spec)
	case !f.sensitive.anyTrue() && leaf == nil:
		if f.value.absent() {
			return nil
		}
		return f.value.value(s.c.at)
	case f.value.is('{') || f.unknown.is('{'):
		var fields []estate.Field
		for _, name := range names(f.value, f.unknown) {
			inner, ok := spec.With[name]
			if !ok {
				inner = attribute{words: spec.words}
			}
			part := facts{value: f.value.member(name), unknown: f.unknown.member(name), sensitive: f.sensitive.member(name)}
			if v := r.tree(s.at(name), inner, part, leaf); v != nil {
				fields = append(fields, estate.Field{Name: name, Value: v})
			}
		}
		return estate.Map(fields...).At(s.c.at)
	case f.value.is('[') || f.unknown.is('['):
		values, unknowns, sensitives := f.value.list(), f.unknown.list(), f.sensitive.list()
		items := []*estate.Value{}
		for i := range max(len(values), len(unknowns)) {
			part := facts{value: at(values, i), unknown: at(unknowns, i), sensitive: at(sensitives, i)}
			if v := r.tree(s.at(strconv.Itoa(i)), spec, part, leaf); v != nil {
				items = append(items, v)
			}
		}
		return estate.List(items...).At(s.c.at)
	case f.value.absent():
		return nil
	}
	return f.value.value(s.c.at)
}

func at(list []raw, i int) raw {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// leaves says what the n unknown members of an attribute are, going by the
// references of the attribute's expression, which is all that the plan shows.
func (r *reader) leaves(s site, f facts, n int) func(site, attribute) *estate.Value {
	if f.config == nil || !isExpression(f.config) {
		return func(s site, _ attribute) *estate.Value { return s.unknown() }
	}
	heads := r.headsOf(s.place, f.config)
	open := openHeads(heads)
	flat := f.value.is('[') && !f.value.element(0).is('{') && !f.value.element(0).is('[')
	switch {
	case n == 1:
		return func(s site, spec attribute) *estate.Value { return r.unknownLeaf(s, spec, heads) }
	case flat && len(open) == n:
		// Each unknown member has one reference: they are in the same order, or
		// it is a set, which has none.
		i := 0
		return func(s site, spec attribute) *estate.Value {
			i++
			return r.unknownMember(s, spec, open[i-1])
		}
	case flat && len(open) == 1 && len(open[0].all) == n:
		i := 0
		return func(s site, spec attribute) *estate.Value {
			i++
			return r.identityOf(open[0].all[i-1], spec, s)
		}
	case sameHeads(open):
		return func(s site, spec attribute) *estate.Value { return around(s, open[0].value) }
	}
	return func(s site, _ attribute) *estate.Value { return s.unknown() }
}
