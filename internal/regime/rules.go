package regime

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"
)

// Load reads the rules: every YAML file of a file system. frameworks are the ids
// that there are, those with a profile as id/profile. The error lists all faults
// with their places. policies are the managed policies of AWS, as the table of them
// has them.
func Load(files fs.FS, frameworks []string, policies []byte) (*Rules, error) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil, err
	}
	docs := map[string][]byte{}
	for _, name := range names {
		if docs[name], err = fs.ReadFile(files, name); err != nil {
			return nil, err
		}
	}
	rules, err := parse(docs, frameworks)
	if err != nil {
		return nil, err
	}
	rules.policies = policies
	return rules, nil
}

// rulesReader reads rules; what conditions name is looked up once all files are
// read.
type rulesReader struct {
	*reader
	rules      *Rules
	frameworks []string
	conditions []placed // in the order of the files
}

// placed is a condition's node, and the regime that it stands in.
type placed struct {
	*reader
	node   *yaml.Node
	into   *Condition
	regime string
	depth  int
}

func parse(docs map[string][]byte, frameworks []string) (*Rules, error) {
	rules := &Rules{ties: ties{incidental: map[string]bool{}, edges: map[edgeName]tieKind{}, walked: map[string]bool{}, read: &sync.Map{}}}
	p := &rulesReader{rules: rules, frameworks: frameworks}
	var errs []error
	var readers []*reader
	for _, name := range sorted(docs) {
		p.reader = &reader{name: path.Clean(name)}
		readers = append(readers, p.reader)
		if doc := p.document(docs[name]); doc != nil {
			p.file(doc)
		}
	}
	for i := 0; i < len(p.conditions); i++ { // grows as conditions within are met
		p.condition(p.conditions[i])
	}
	for _, r := range readers {
		errs = append(errs, r.errs...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return rules, nil
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (p *rulesReader) file(doc *yaml.Node) {
	known := []string{"tag-keys", "data", "questions", "stores", "incidental", "ties", "near", "walked", "no-data", "regimes"}
	t := &p.rules.ties
	p.fields(doc, "rules", known, func(key, n *yaml.Node) {
		switch key.Value {
		case "tag-keys":
			p.rules.TagKeys = append(p.rules.TagKeys, p.texts(n, "tag-keys")...)
		case "data":
			for _, item := range p.items(n, "data") {
				p.class(item)
			}
		case "questions":
			for _, item := range p.items(n, "questions") {
				p.question(item)
			}
		case "stores":
			for _, item := range p.items(n, "stores") {
				var s store
				p.fields(item, "store", []string{"type", "service", "called"}, func(key, n *yaml.Node) {
					*map[string]*string{"type": &s.Type, "service": &s.Service, "called": &s.Called}[key.Value] = p.text(n, key.Value)
				})
				t.stores = append(t.stores, s)
			}
		case "incidental":
			for _, name := range p.texts(n, "incidental") {
				t.incidental[name] = true
			}
		case "ties", "near":
			kind := map[string]tieKind{"ties": dataTie, "near": nearTie}[key.Value]
			for _, item := range p.items(n, key.Value) {
				var from string
				var edges []string
				p.fields(item, "tie", []string{"from", "edges"}, func(key, n *yaml.Node) {
					if key.Value == "from" {
						from = p.text(n, "from")
					} else {
						edges = p.texts(n, "edges")
					}
				})
				for _, name := range edges {
					t.edges[edgeName{from, name}] = kind
				}
			}
		case "walked":
			for _, name := range p.texts(n, "walked") {
				t.walked[name] = true
			}
		case "no-data":
			for _, action := range p.texts(n, "no-data") {
				t.noData = append(t.noData, strings.ToLower(action))
			}
		case "regimes":
			for _, item := range p.items(n, "regimes") {
				p.regime(item)
			}
		}
	})
}

func (p *rulesReader) class(n *yaml.Node) {
	var c Class
	p.fields(n, "class", []string{"id", "text", "tags", "names"}, func(key, n *yaml.Node) {
		switch key.Value {
		case "id":
			c.ID = p.text(n, "id")
		case "text":
			c.Text = p.text(n, "text")
		case "tags":
			c.Tags = p.texts(n, "tags")
		case "names":
			c.Names = p.texts(n, "names")
		}
	})
	p.need(n, "class", c.ID, "id", c.Text, "text")
	if p.rules.class(c.ID) != nil {
		p.fault(n, "class %s is there twice", c.ID)
	}
	p.rules.Classes = append(p.rules.Classes, c)
}

// need tells which of the fields, given as value and name, are empty.
func (p *rulesReader) need(n *yaml.Node, what string, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == "" {
			p.fault(n, "%s: %s is missing", what, pairs[i+1])
		}
	}
}

func (p *rulesReader) question(n *yaml.Node) {
	q := &Question{}
	p.fields(n, "question", []string{"id", "ask", "help", "kind", "one", "choices", "when"}, func(key, n *yaml.Node) {
		switch key.Value {
		case "id":
			q.ID = p.text(n, "id")
		case "ask":
			q.Ask = p.text(n, "ask")
		case "help":
			q.Help = p.text(n, "help")
		case "kind":
			q.Kind = p.word(n, "kind", []string{ChoicesQuestion, ClassesQuestion, NumberQuestion, YesNoQuestion})
		case "one":
			q.One = p.yesNo(n, "one") == "yes"
		case "choices":
			for _, item := range p.items(n, "choices") {
				var c Choice
				p.fields(item, "choice", []string{"id", "text"}, func(key, n *yaml.Node) {
					if key.Value == "id" {
						c.ID = p.text(n, "id")
					} else {
						c.Text = p.text(n, "text")
					}
				})
				q.Choices = append(q.Choices, c)
			}
		case "when":
			q.When = p.later(n, "")
		}
	})
	p.need(n, "question", q.ID, "id", q.Ask, "ask", q.Kind, "kind")
	switch q.Kind {
	case YesNoQuestion:
		q.One, q.Choices = true, []Choice{{"yes", "yes"}, {"no", "no"}}
	case ChoicesQuestion:
		if len(q.Choices) == 0 {
			p.fault(n, "question %s: choices are missing", q.ID)
		}
	}
	if p.rules.Question(q.ID) != nil {
		p.fault(n, "question %s is there twice", q.ID)
	}
	p.rules.Questions = append(p.rules.Questions, q)
}

func (p *rulesReader) regime(n *yaml.Node) {
	one := &Regime{}
	p.fields(n, "regime", []string{"id", "title", "obligation", "frameworks", "data", "rules", "levels"}, func(key, n *yaml.Node) {
		switch key.Value {
		case "id":
			one.ID = p.text(n, "id")
		case "title":
			one.Title = p.text(n, "title")
		case "obligation":
			one.Obligation = p.word(n, "obligation", obligations)
		case "frameworks":
			one.Frameworks, one.assessed = p.words(n, "frameworks", p.frameworks), true
		case "data":
			one.Data = p.texts(n, "data")
			p.conditions = append(p.conditions, placed{p.reader, n, nil, one.ID, 0})
		case "rules":
			for _, item := range p.items(n, "rules") {
				one.Rules = append(one.Rules, p.rule(item, one.ID))
			}
		case "levels":
			for _, item := range p.items(n, "levels") {
				one.Levels = append(one.Levels, p.levels(item, one.ID))
			}
		}
	})
	p.need(n, "regime", one.ID, "id", one.Title, "title", one.Obligation, "obligation")
	if len(one.Rules) == 0 {
		p.fault(n, "regime %s: rules are missing", one.ID)
	}
	if p.rules.Regime(one.ID) != nil {
		p.fault(n, "regime %s is there twice", one.ID)
	}
	p.rules.Regimes = append(p.rules.Regimes, one)
}

func (p *rulesReader) rule(n *yaml.Node, regime string) Rule {
	var r Rule
	p.fields(n, "rule", []string{"id", "when", "verdict", "because", "source"}, func(key, n *yaml.Node) {
		switch key.Value {
		case "id":
			r.ID = p.text(n, "id")
		case "when":
			r.When = p.later(n, regime)
		case "verdict":
			r.Verdict = Verdict(p.word(n, "verdict", []string{string(Applies), string(Likely)}))
		case "because":
			r.Because = p.text(n, "because")
		case "source":
			r.Source = p.text(n, "source")
		}
	})
	p.need(n, "rule", r.ID, "id", string(r.Verdict), "verdict", r.Because, "because", r.Source, "source")
	if r.When == nil {
		p.fault(n, "rule: when is missing")
		r.When = &Condition{}
	}
	return r
}

func (p *rulesReader) levels(n *yaml.Node, regime string) LevelGroup {
	var g LevelGroup
	p.fields(n, "levels", []string{"name", "when", "each", "of", "otherwise"}, func(key, n *yaml.Node) {
		switch key.Value {
		case "name":
			g.Name = p.text(n, "name")
		case "when":
			g.When = p.later(n, regime)
		case "each":
			g.Each = p.yesNo(n, "each") == "yes"
		case "of":
			for _, item := range p.items(n, "of") {
				l := p.level(item, regime)
				if l.When == nil {
					p.fault(item, "level: when is missing")
					l.When = &Condition{}
				}
				g.Of = append(g.Of, l)
			}
		case "otherwise":
			l := p.level(n, regime)
			g.Otherwise = &l
		}
	})
	p.need(n, "levels", g.Name, "name")
	return g
}

func (p *rulesReader) level(n *yaml.Node, regime string) Level {
	var l Level
	p.fields(n, "level", []string{"when", "says", "frameworks", "source"}, func(key, n *yaml.Node) {
		switch key.Value {
		case "when":
			l.When = p.later(n, regime)
		case "says":
			l.Says = p.text(n, "says")
		case "frameworks":
			l.Frameworks = p.words(n, "frameworks", p.frameworks)
		case "source":
			l.Source = p.text(n, "source")
		}
	})
	p.need(n, "level", l.Says, "says", l.Source, "source")
	return l
}

// later is a condition that is read once all questions, classes and regimes are
// known.
func (p *rulesReader) later(n *yaml.Node, regime string) *Condition {
	c := &Condition{}
	p.conditions = append(p.conditions, placed{p.reader, n, c, regime, 0})
	return c
}

// condition reads one condition, and puts those within it at the end of the list.
func (p *rulesReader) condition(at placed) {
	p.reader = at.reader
	within := func(n *yaml.Node) *Condition {
		c := &Condition{}
		p.conditions = append(p.conditions, placed{at.reader, n, c, at.regime, at.depth + 1})
		return c
	}
	if at.into == nil { // the classes of a regime's scope
		p.words(at.node, "data", p.rules.classIDs())
		return
	}
	c, set := at.into, 0
	if at.depth > maxDepth {
		p.fault(at.node, "conditions are nested too deeply")
		return
	}
	p.fields(at.node, "condition", []string{"all", "any", "not", "answer", "at-least", "answered", "data", "regime"}, func(key, n *yaml.Node) {
		set++
		switch key.Value {
		case "all":
			c.all = true
			for _, item := range p.items(n, "all") {
				c.All = append(c.All, within(item))
			}
		case "any":
			for _, item := range p.items(n, "any") {
				c.Any = append(c.Any, within(item))
			}
		case "not":
			c.Not = within(n)
		case "answer":
			p.of(n, "answer", func(q *Question, n *yaml.Node) {
				if len(q.Choices) == 0 {
					p.fault(n, "question %s has no choices", q.ID)
				}
				c.Question, c.Choices = q.ID, p.words(n, q.ID, q.choiceIDs())
			})
		case "at-least":
			p.of(n, "at-least", func(q *Question, n *yaml.Node) {
				if q.Kind != NumberQuestion {
					p.fault(n, "question %s is not about a number", q.ID)
				}
				c.Question, c.Least = q.ID, p.number(n, q.ID)
			})
		case "answered":
			if words := p.words(n, "question", p.rules.questionIDs()); len(words) == 1 {
				c.Answered = words[0]
			} else {
				p.fault(n, "answered: expected one question")
			}
		case "data":
			c.Data = p.words(n, "data", p.rules.classIDs())
		case "regime":
			c.Regimes = p.words(n, "regime", p.before(at.regime))
		}
	})
	if set != 1 {
		p.fault(at.node, "a condition is one of all, any, not, answer, at-least, answered, data and regime")
	}
}

// before are the regimes that are judged before another.
func (p *rulesReader) before(regime string) []string {
	ids := p.rules.regimeIDs()
	if i := slices.Index(ids, regime); i >= 0 {
		return ids[:i]
	}
	return ids
}

// of reads a mapping from one question to what is asked of its answer.
func (p *rulesReader) of(n *yaml.Node, what string, f func(*Question, *yaml.Node)) {
	p.fields(n, what, p.rules.questionIDs(), func(key, n *yaml.Node) { f(p.rules.Question(key.Value), n) })
	if n.Kind == yaml.MappingNode && len(n.Content) != 2 {
		p.fault(n, "%s: expected one question", what)
	}
}

// base is a framework's id without a profile.
func base(id string) string {
	id, _, _ = strings.Cut(id, "/")
	return id
}
