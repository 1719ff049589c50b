package sam

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"

	"assay/internal/estate"

	yaml "go.yaml.in/yaml/v4"
)

type sc struct {
	params map[string]*estate.Value
	conds  map[string]*yaml.Node
	maps   *yaml.Node
	res    map[string]bool
}

func kv(n *yaml.Node) map[string]*yaml.Node {
	m := map[string]*yaml.Node{}
	if n == nil {
		return m
	}
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		m[n.Content[i].Value] = n.Content[i+1]
	}
	return m
}

func (s *sc) fn(name string, a *yaml.Node) (*estate.Value, bool) {
	switch name {
	case "Ref":
		switch a.Value {
		case "AWS::Region":
			return str("us-east-1"), true
		case "AWS::Partition":
			return str("aws"), true
		case "AWS::URLSuffix":
			return str("amazonaws.com"), true
		case "AWS::NoValue":
			return nil, true
		}
		if strings.HasPrefix(a.Value, "AWS::") {
			return estate.Unknown("pseudo", a.Value), true
		}
		if v, ok := s.params[a.Value]; ok {
			return v, true
		}
		return ref(a.Value), true
	case "Fn::GetAtt":
		if a.Kind == yaml.SequenceNode {
			var p []string
			for _, c := range a.Content {
				p = append(p, c.Value)
			}
			j := strings.Join(p, ".")
			x, y, _ := strings.Cut(j, ".")
			return estate.Ref(x, y), true
		}
		x, y, _ := strings.Cut(a.Value, ".")
		return estate.Ref(x, y), true
	case "Fn::Sub":
		t := a
		loc := map[string]*yaml.Node{}
		if a.Kind == yaml.SequenceNode {
			t = a.Content[0]
			loc = kv(a.Content[1])
		}
		re := regexp.MustCompile(`\$\{([^}]*)\}`)
		var parts []*estate.Value
		last := 0
		for _, m := range re.FindAllStringSubmatchIndex(t.Value, -1) {
			parts = append(parts, str(t.Value[last:m[0]]))
			n := t.Value[m[2]:m[3]]
			last = m[1]
			if strings.HasPrefix(n, "!") {
				parts = append(parts, str("${"+n[1:]+"}"))
				continue
			}
			n = strings.TrimSpace(n)
			if l, ok := loc[n]; ok {
				parts = append(parts, s.eval(l))
				continue
			}
			if strings.HasPrefix(n, "AWS::") {
				v, _ := s.fn("Ref", &yaml.Node{Kind: yaml.ScalarNode, Value: n})
				parts = append(parts, v)
				continue
			}
			if x, y, ok := strings.Cut(n, "."); ok && s.params[n] == nil {
				if y == "Alias" || y == "Version" || y == "Stage" {
					parts = append(parts, ref(n))
				} else {
					parts = append(parts, estate.Ref(x, y))
				}
				continue
			}
			v, _ := s.fn("Ref", &yaml.Node{Kind: yaml.ScalarNode, Value: n})
			parts = append(parts, v)
		}
		parts = append(parts, str(t.Value[last:]))
		return text(parts...), true
	case "Fn::Join":
		if len(a.Content) < 2 {
			return estate.Unknown("join", ""), true
		}
		sep := a.Content[0].Value
		l := s.eval(a.Content[1])
		if l.Kind() != estate.KindList {
			return estate.Unknown("join", l.String()), true
		}
		var parts []*estate.Value
		for i, it := range l.Items() {
			if i > 0 {
				parts = append(parts, str(sep))
			}
			parts = append(parts, it)
		}
		return text(parts...), true
	case "Fn::If":
		return s.choose(a.Content[0].Value, func() *estate.Value { return s.eval(a.Content[1]) }, func() *estate.Value { return s.eval(a.Content[2]) }), true
	case "Fn::Select", "Fn::Split", "Fn::Base64", "Fn::ImportValue", "Fn::FindInMap", "Fn::GetAZs", "Fn::Cidr", "Fn::Transform", "Fn::ToJsonString", "Fn::Length":
		if a.Kind != yaml.ScalarNode {
			c := *a
			c.Tag = ""
			a = &c
		}
		return estate.Unknown(name, s.eval(a).String()), true
	}
	return nil, false
}

func (s *sc) choose(c string, a, b func() *estate.Value) *estate.Value {
	t := s.cond(s.conds[c])
	switch t {
	case estate.True:
		return a()
	case estate.False:
		return b()
	}
	return estate.OneOf("condition "+c, estate.Case{When: "true", Value: a()}, estate.Case{When: "false", Value: b()})
}

func (s *sc) cond(n *yaml.Node) estate.Truth {
	if n == nil {
		return estate.Maybe
	}
	name, arg := n.Tag, n
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 {
		name, arg = n.Content[0].Value, n.Content[1]
	} else {
		name = "Fn::" + strings.TrimPrefix(n.Tag, "!")
	}
	switch name {
	case "Fn::Equals":
		return estate.Matches(s.eval(arg.Content[0]), s.eval(arg.Content[1]))
	case "Fn::Not":
		return s.cond(arg.Content[0]).Not()
	case "Fn::And":
		t := estate.True
		for _, c := range arg.Content {
			t = t.And(s.cond(c))
		}
		return t
	case "Fn::Or":
		t := estate.True
		for _, c := range arg.Content {
			t = t.And(s.cond(c).Not())
		}
		return t.Not()
	case "Condition", "Fn::Condition":
		return s.cond(s.conds[arg.Value])
	}
	return estate.Maybe
}

func (s *sc) eval(n *yaml.Node) *estate.Value {
	pos := estate.Position{File: "t", Line: n.Line, Column: n.Column}
	switch n.Kind {
	case yaml.AliasNode:
		return s.eval(n.Alias)
	case yaml.SequenceNode:
		if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
			if v, ok := s.fn("Fn::"+n.Tag[1:], n); ok {
				return v.At(pos)
			}
		}
		var items []*estate.Value
		for _, c := range n.Content {
			if v := s.eval(c); v != nil {
				items = append(items, v)
			}
		}
		return list(items...).At(pos)
	case yaml.MappingNode:
		if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
			if v, ok := s.fn("Fn::"+n.Tag[1:], n); ok {
				return v.At(pos)
			}
		}
		if len(n.Content) == 2 {
			if v, ok := s.fn(n.Content[0].Value, n.Content[1]); ok {
				return v.At(pos)
			}
		}
		o := object{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			v := s.eval(n.Content[i+1])
			if v == nil {
				v = estate.Null().At(estate.Position{File: "t", Line: n.Content[i+1].Line, Column: n.Content[i+1].Column})
			}
			o[n.Content[i].Value] = v
		}
		return o.value().At(pos)
	case yaml.ScalarNode:
		if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
			name := n.Tag[1:]
			if name != "Ref" {
				name = "Fn::" + name
			}
			c := *n
			c.Tag = "!!str"
			if v, ok := s.fn(name, &c); ok {
				return v.At(pos)
			}
		}
		switch n.ShortTag() {
		case "!!int", "!!float":
			if v, err := estate.Number(n.Value); err == nil {
				return v.At(pos)
			}
		case "!!bool":
			return estate.Bool(strings.EqualFold(n.Value, "true")).At(pos)
		case "!!null":
			return estate.Null().At(pos)
		}
		return str(n.Value).At(pos)
	}
	return nil
}

func load(data []byte) (Input, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return Input{}, err
	}
	if len(doc.Content) == 0 {
		return Input{}, fmt.Errorf("empty")
	}
	top := kv(doc.Content[0])
	s := &sc{params: map[string]*estate.Value{}, conds: kv(top["Conditions"]), res: map[string]bool{}}
	for name, p := range kv(top["Parameters"]) {
		f := kv(p)
		if d := f["Default"]; d != nil && !strings.HasPrefix(f["Type"].Value, "AWS::SSM") {
			if strings.Contains(f["Type"].Value, "List") {
				var items []*estate.Value
				for _, x := range strings.Split(d.Value, ",") {
					items = append(items, str(x))
				}
				s.params[name] = list(items...)
			} else {
				s.params[name] = str(d.Value)
			}
		} else {
			s.params[name] = estate.Unknown("parameter", name)
		}
	}
	in := Input{Connectors: map[string]*estate.Value{}, IgnoreGlobals: map[string]*estate.Value{}, Region: str("us-east-1"), Partition: str("aws"), AccountID: estate.Unknown("pseudo", "AWS::AccountId"), StackName: estate.Unknown("pseudo", "AWS::StackName"), StackID: estate.Unknown("pseudo", "AWS::StackId"), URLSuffix: str("amazonaws.com")}
	intrinsic := map[estate.Position]string{}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		at := estate.Position{File: "t", Line: n.Line, Column: n.Column}
		if n.Kind == yaml.MappingNode && len(n.Content) == 2 && (n.Content[0].Value == "Ref" || strings.HasPrefix(n.Content[0].Value, "Fn::")) {
			intrinsic[at] = n.Content[0].Value
		} else if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
			intrinsic[at] = "Fn::" + n.Tag[1:]
		}
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(doc.Content[0])
	in.Written = func(v *estate.Value) string { return intrinsic[v.Position()] }
	if g := top["Globals"]; g != nil {
		in.Globals = s.eval(g)
	}
	r := top["Resources"]
	if r == nil {
		return in, fmt.Errorf("no resources")
	}
	for i := 0; i+1 < len(r.Content); i += 2 {
		f := kv(r.Content[i+1])
		if f["Type"] == nil {
			continue
		}
		res := estate.Resource{Type: f["Type"].Value, LogicalID: r.Content[i].Value, Properties: estate.Map(), Source: estate.Position{File: "t", Line: r.Content[i].Line}}
		if p := f["Properties"]; p != nil {
			res.Properties = s.eval(p)
		}
		if c := f["Condition"]; c != nil {
			res.ExistsInput = "condition " + c.Value
			res.Exists = s.choose(c.Value, func() *estate.Value { return estate.Bool(true) }, func() *estate.Value { return estate.Bool(false) })
			if res.Exists.Kind() == estate.KindBool && res.Exists.AsBool() {
				res.Exists = nil
			}
		}
		in.Resources = append(in.Resources, res)
		if c := f["Connectors"]; c != nil {
			in.Connectors[res.LogicalID] = s.eval(c)
		}
		if c := f["IgnoreGlobals"]; c != nil {
			in.IgnoreGlobals[res.LogicalID] = s.eval(c)
		}
	}
	return in, nil
}

var suffixRE = regexp.MustCompile(`[0-9a-f]{10}$`)

func TestScratch(t *testing.T) {
	tpl, err := os.ReadFile("/work/main/tables/sam-policy-templates.json")
	if err != nil {
		t.Fatal(err)
	}
	src, dir := "/work/shared/corpus/serverless-patterns/", "/work/shared/corpus/sam-expanded"
	if d := os.Getenv("DT"); d != "" {
		src, dir = d+"/src/", d+"/exp"
	}
	files, _ := filepath.Glob(dir + "/*.json")
	equal, total, missing := 0, 0, 0
	var report bytes.Buffer
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".json")
		data, err := os.ReadFile(src + strings.ReplaceAll(name, "__", "/"))
		if err != nil {
			t.Logf("no source %s", src)
			continue
		}
		in, err := load(data)
		if err != nil {
			t.Logf("%s: %v", name, err)
			continue
		}
		in.PolicyTemplates = tpl
		exp, _ := os.ReadFile(f)
		want, err := load(exp)
		if err != nil {
			t.Logf("%s: %v", name, err)
			continue
		}
		out := Transform(in)
		got := map[string]estate.Resource{}
		for _, r := range out.Resources {
			got[r.LogicalID] = r
		}
		// map hashed
		ids := map[string]string{}
		for _, w := range want.Resources {
			if _, ok := got[w.LogicalID]; !ok && suffixRE.MatchString(w.LogicalID) {
				ids[w.LogicalID] = w.LogicalID[:len(w.LogicalID)-10]
			}
		}
		for _, w := range want.Resources {
			if w.Exists.Kind() == estate.KindBool && !w.Exists.AsBool() {
				continue
			}
			total++
			id := w.LogicalID
			if n, ok := ids[id]; ok {
				id = n
			}
			g, ok := got[id]
			delete(got, id)
			if !ok {
				missing++
				fmt.Fprintf(&report, "MISSING %s %s %s\n", name, w.LogicalID, w.Type)
				continue
			}
			wp := w.Properties.Rewrite(func(v *estate.Value) *estate.Value {
				if v.Kind() == estate.KindReference {
					if n, ok := ids[v.Reference().Resource]; ok {
						return estate.Ref(n, v.Reference().Attribute)
					}
				}
				return v
			})
			d := diff("", norm(w.Type, wp), norm(w.Type, g.Properties))
			if g.Type != w.Type {
				d = append(d, "type "+g.Type)
			}
			if !estate.Equal(g.Exists, w.Exists) {
				d = append(d, fmt.Sprintf("exists %v %v", g.Exists, w.Exists))
			}
			if len(d) == 0 {
				equal++
				continue
			}
			fmt.Fprintf(&report, "DIFF %s %s %s\n", name, w.LogicalID, w.Type)
			for _, x := range d {
				fmt.Fprintf(&report, "     %s\n", x)
			}
		}
		var extra []string
		for id, g := range got {
			if g.Exists.Kind() == estate.KindBool && !g.Exists.AsBool() {
				continue
			}
			extra = append(extra, id+" "+g.Type)
		}
		sort.Strings(extra)
		for _, e := range extra {
			fmt.Fprintf(&report, "EXTRA %s %s\n", name, e)
		}
		for _, p := range out.Problems {
			fmt.Fprintf(&report, "PROBLEM %s %s\n", name, p.Error())
		}
	}
	fmt.Fprintf(&report, "equal %d of %d (%.1f%%), missing %d\n", equal, total, 100*float64(equal)/float64(total), missing)
	os.WriteFile("/tmp/sam-report.txt", report.Bytes(), 0o644)
}

func norm(typ string, v *estate.Value) *estate.Value {
	switch typ {
	case "AWS::Lambda::Function":
		if c := v.Field("Code"); c.Field("ZipFile") == nil {
			v = v.With("Code", nil)
		}
	case "AWS::Lambda::LayerVersion":
		v = v.With("Content", nil)
	case "AWS::StepFunctions::StateMachine":
		v = v.With("DefinitionS3Location", nil)
	case "AWS::CloudFormation::Stack":
		v = v.With("TemplateURL", nil)
	case "AWS::ApiGateway::Deployment":
		v = v.With("Description", nil)
	case "AWS::AppSync::GraphQLSchema":
		v = v.With("DefinitionS3Location", nil)
	}
	if v.Field("BodyS3Location") != nil {
		v = v.With("BodyS3Location", nil)
	}
	if tags := v.Field("Tags"); tags.Kind() == estate.KindList {
		items := append([]*estate.Value(nil), tags.Items()...)
		sort.SliceStable(items, func(i, j int) bool { return items[i].Field("Key").String() < items[j].Field("Key").String() })
		v = v.With("Tags", list(items...))
	}
	return v.Rewrite(func(v *estate.Value) *estate.Value {
		if v.Kind() == estate.KindNull {
			return nil
		}
		if s, ok := v.Scalar(); ok {
			return str(s)
		}
		return v
	})
}

func diff(path string, w, g *estate.Value) []string {
	if estate.Equal(w, g) {
		return nil
	}
	if w.Kind() == estate.KindMap && g.Kind() == estate.KindMap {
		var out []string
		seen := map[string]bool{}
		for _, f := range w.Fields() {
			seen[f.Name] = true
			out = append(out, diff(path+"/"+f.Name, f.Value, g.Field(f.Name))...)
		}
		for _, f := range g.Fields() {
			if !seen[f.Name] {
				out = append(out, diff(path+"/"+f.Name, nil, f.Value)...)
			}
		}
		return out
	}
	if w.Kind() == estate.KindList && g.Kind() == estate.KindList && len(w.Items()) == len(g.Items()) {
		var out []string
		for i := range w.Items() {
			out = append(out, diff(fmt.Sprintf("%s/%d", path, i), w.Items()[i], g.Items()[i])...)
		}
		return out
	}
	return []string{fmt.Sprintf("%s\n        want %.300s\n        got  %.300s", path, w.String(), g.String())}
}
