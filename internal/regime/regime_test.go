package regime

import (
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/checks"
	"assay/frameworks"
	"assay/internal/catalog"
	"assay/internal/estate"
	"assay/tables"
)

var catalogue = sync.OnceValue(func() []*catalog.Framework {
	c, err := catalog.Decode(checks.Compiled)
	if err != nil {
		panic(err)
	}
	return c.Frameworks
})

func frameworkIDs() []string {
	var ids []string
	for _, f := range catalogue() {
		ids = append(ids, f.ID)
		for _, p := range f.Profiles() {
			ids = append(ids, f.ID+"/"+p)
		}
	}
	return ids
}

var shipped = sync.OnceValues(func() (*Rules, error) {
	files, err := fs.Sub(frameworks.Regimes, "regimes")
	if err != nil {
		return nil, err
	}
	return Load(files, frameworkIDs(), tables.IAMManagedPolicies())
})

func rules(t testing.TB) *Rules {
	t.Helper()
	r, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func declare(t testing.TB, text string) *Declaration {
	t.Helper()
	d, err := ParseDeclaration("assay.yaml", []byte(text), rules(t), frameworkIDs())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestShipped holds the rules to the catalogue and the tables that they name.
func TestShipped(t *testing.T) {
	r := rules(t)
	var named []string
	for _, one := range r.Regimes {
		named = append(named, one.Names()...)
		if one.Assessed() != (len(one.Names()) > 0) {
			t.Errorf("%s: a regime that is assessed has frameworks, and one that is flagged has none", one.ID)
		}
		for _, rule := range one.Rules {
			if len(one.Data) == 0 && slices.ContainsFunc(rule.When.All, func(c *Condition) bool { return c.Data != nil }) && one.Assessed() {
				t.Errorf("%s: rule %s asks for data, and the regime says of none whose functions are in its scope", one.ID, rule.ID)
			}
		}
	}
	for _, f := range catalogue() {
		if !slices.Contains(named, f.ID) {
			t.Errorf("no regime leads to the framework %s", f.ID)
		}
	}
	m, err := estate.NewModel(estate.Tables{Schemas: tables.Schemas(), Facts: tables.AssayTypes(), Defaults: tables.Defaults(), Edges: tables.Edges()})
	if err != nil {
		t.Fatal(err)
	}
	edges := map[edgeName]bool{}
	for _, rule := range m.Rules() {
		edges[edgeName{rule.From, rule.Name}] = true
	}
	for e := range r.edges {
		if !edges[e] {
			t.Errorf("no edge %s starts at %s", e.name, e.from)
		}
	}
	types := m.Types()
	for _, s := range r.stores { // of which the tables do not have all
		if strings.Count(s.Type, "::") != 2 || s.Service == "" || s.Called == "" {
			t.Errorf("%+v is no store", s)
		}
	}
	for _, set := range []map[string]bool{r.walked, r.incidental} {
		for name := range set {
			if !slices.Contains(types, name) {
				t.Errorf("no type %s", name)
			}
		}
	}
	means := map[string]string{}
	for _, c := range r.Classes {
		for _, tag := range c.Tags {
			if other := means[plain(tag)]; other != "" && other != c.ID {
				t.Errorf("the tag %s means both %s and %s", tag, other, c.ID)
			}
			means[plain(tag)] = c.ID
		}
	}
	if q := r.Question(dataQuestion); q == nil || q.Kind != ClassesQuestion {
		t.Errorf("the question %s is about classes", dataQuestion)
	}
}

// handling is a survey in which one function handles some classes, and one that
// nobody classes may handle any.
func handling(classes ...string) *Survey {
	s := NewSurvey()
	s.Functions = 2
	s.Unclassed = []Named{{"t#Other", "Other"}}
	for _, c := range classes {
		s.Handles[c] = []Reach{{Named{"t#F", "F"}, []string{"F holds " + c}}}
	}
	return s
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers string
		data    []string
		want    map[string]Verdict
		chosen  map[string]string // frameworks, by regime
		levels  map[string]string // a part of a level, by regime
		untold  map[string]string // what no level says, by regime
	}{
		{
			name: "nothing is known",
			want: map[string]Verdict{"pci-dss": Undetermined, "hipaa": Undetermined, "hitech": Undetermined, "soc2": Undetermined, "fedramp": Undetermined, "iso-27001": Undetermined, "fips-140": Undetermined, "gdpr": Undetermined, "aws-practice": Applies},
		},
		{
			name: "account data by tag", data: []string{"chd"},
			want:   map[string]Verdict{"pci-dss": Applies, "gdpr": Undetermined, "hipaa": Undetermined},
			chosen: map[string]string{"pci-dss": "pci-dss-4.0.1"},
		},
		{
			name: "nothing of it", answers: "{role: [], industry: other, customers: [consumers], jurisdictions: [other], commitments: [], data: [public]}",
			want: map[string]Verdict{"pci-dss": NotIndicated, "hipaa": NotIndicated, "hitech": NotIndicated, "soc2": NotIndicated, "fedramp": NotIndicated, "gdpr": NotIndicated, "fips-140": NotIndicated, "nis2": NotIndicated, "aws-practice": Applies},
		},
		{
			name: "a merchant", answers: "{role: merchant, card-transactions: 7000000, card-channel: own-systems}", data: []string{"chd"},
			want:   map[string]Verdict{"pci-dss": Applies},
			chosen: map[string]string{"pci-dss": "pci-dss-4.0.1/merchant"},
			levels: map[string]string{"pci-dss": "self-assessment: none"},
		},
		{
			name: "a merchant of the second level", answers: "{role: merchant, card-transactions: 1000000, card-channel: [own-page], card-stored: no}", data: []string{"chd"},
			levels: map[string]string{"pci-dss": "merchant level: level 2: a self-assessment every year, for Mastercard by a QSA or an ISA\nself-assessment: SAQ A-EP"},
		},
		{
			name: "a merchant online, and nobody says how many of the transactions are", answers: "{role: merchant, card-transactions: 400000, card-channel: [redirect]}", data: []string{"chd"},
			levels: map[string]string{"pci-dss": "merchant level: level 3 where 20000 or more of them are e-commerce"},
		},
		{
			name: "a shop without e-commerce", answers: "{role: merchant, card-transactions: 400000, card-channel: [terminal], card-stored: no}", data: []string{"chd"},
			levels: map[string]string{"pci-dss": "merchant level: level 4, since none are e-commerce: what the acquirer asks for\nself-assessment: SAQ B, B-IP, C, C-VT, P2PE or SPoC"},
		},
		{
			name: "a shop with terminals and a page", answers: "{role: merchant, card-transactions: 400000, card-channel: [terminal, redirect], card-stored: no}", data: []string{"chd"},
			levels: map[string]string{"pci-dss": "self-assessment: one for each channel"},
		},
		{
			name: "a designated entity", answers: "{role: merchant, card-designated: yes}", data: []string{"chd"},
			chosen: map[string]string{"pci-dss": "pci-dss-4.0.1/merchant pci-dss-4.0.1/designated-entity"},
		},
		{
			name: "nobody asked for the supplement", answers: "{role: merchant, card-designated: no}", data: []string{"chd"},
			chosen: map[string]string{"pci-dss": "pci-dss-4.0.1/merchant"},
		},
		{
			name: "a small merchant who redirects", answers: "{role: merchant, card-transactions: 12, card-channel: redirect, card-stored: no, data: []}",
			want:   map[string]Verdict{"pci-dss": Likely},
			levels: map[string]string{"pci-dss": "SAQ A,"},
		},
		{
			name: "a merchant whose stored cards are not spoken of", answers: "{role: merchant, card-channel: redirect}", data: []string{"chd"},
			levels: map[string]string{"pci-dss": "part: merchant"},
			untold: map[string]string{"pci-dss": "self-assessment"},
		},
		{
			name: "one impact of three is moderate", answers: "{role: [federal-cloud-provider], fedramp-path: rev5, confidentiality-impact: moderate}",
			chosen: map[string]string{"fedramp": "nist-800-53-r5/fedramp-c"},
			levels: map[string]string{"fedramp": "class C is taken"},
			untold: map[string]string{"fedramp": "high-water mark"},
		},
		{
			name: "one impact of three is high", answers: "{role: [federal-cloud-provider], fedramp-path: rev5, confidentiality-impact: high}",
			chosen: map[string]string{"fedramp": "nist-800-53-r5/fedramp-d"},
		},
		{
			name: "a provider for many", answers: "{role: [payment-provider], multi-tenant: yes, card-transactions: 300001}",
			want:   map[string]Verdict{"pci-dss": Likely},
			chosen: map[string]string{"pci-dss": "pci-dss-4.0.1/service-provider pci-dss-4.0.1/multi-tenant"},
			levels: map[string]string{"pci-dss": "service provider level: level 1"},
		},
		{
			name: "health data, and nobody says whose", data: []string{"ephi"},
			want: map[string]Verdict{"hipaa": Likely, "hitech": Likely, "hds": Undetermined},
		},
		{
			name: "a covered entity, and nobody says which data", answers: "{role: [covered-entity]}",
			want: map[string]Verdict{"hipaa": Likely, "hitech": Likely},
		},
		{
			name: "a covered entity with health data", answers: "{role: [covered-entity], health-records: 500}", data: []string{"ephi"},
			want:   map[string]Verdict{"hipaa": Applies, "hitech": Applies},
			levels: map[string]string{"hipaa": "contracts: with each business associate", "hitech": "notice: a breach of 500 people or more"},
		},
		{
			name: "a subcontractor of a business associate", answers: "{role: [business-associate], health-records: 499}", data: []string{"ephi"},
			want:   map[string]Verdict{"hipaa": Applies, "hitech": Applies},
			levels: map[string]string{"hipaa": "contracts: with each subcontractor", "hitech": "fewer than 500 people is told to them within 60 days of its discovery, and to HHS within 60 days of the end of the year\nwho tells: a business associate"},
		},
		{
			name: "recognised security practices are no duty", answers: "{role: [covered-entity]}", data: []string{"ephi"},
			levels: map[string]string{"hitech": "recognised security practices: those in place for the twelve months before"},
		},
		{
			name: "FedRAMP by the highest impact", answers: "{role: [federal-cloud-provider], fedramp-path: rev5, confidentiality-impact: moderate, integrity-impact: low, availability-impact: high}",
			want:   map[string]Verdict{"fedramp": Applies, "fips-140": Applies},
			chosen: map[string]string{"fedramp": "nist-800-53-r5/fedramp-d"},
			levels: map[string]string{"fedramp": "class: class D is taken, since the highest impact is high", "fips-140": "FedRAMP: class D must use validated modules or update streams of them, class C should"},
		},
		{
			name: "the class aimed at wins over the impacts", answers: "{role: [federal-cloud-provider], fedramp-class: b, confidentiality-impact: moderate, integrity-impact: low, availability-impact: high}",
			chosen: map[string]string{"fedramp": "nist-800-53-r5/fedramp-b"},
			levels: map[string]string{"fips-140": "FedRAMP: classes A and B may"},
		},
		{
			name: "20x has no class D", answers: "{role: [federal-cloud-provider], fedramp-path: 20x, availability-impact: high}",
			chosen: map[string]string{"fedramp": "fedramp-20x/class-c"},
			levels: map[string]string{"fedramp": "20x class: class C is taken, though the highest impact is high"},
		},
		{
			name: "class A has no list of its own", answers: "{role: [federal-cloud-provider], fedramp-path: 20x, fedramp-class: a}",
			chosen: map[string]string{"fedramp": "fedramp-20x/class-b"},
			levels: map[string]string{"fedramp": "class A, for which assay has no indicators"},
		},
		{
			name: "FedRAMP 20x", answers: "{role: [federal-cloud-provider], fedramp-path: 20x, confidentiality-impact: low, integrity-impact: low, availability-impact: low}",
			chosen: map[string]string{"fedramp": "fedramp-20x/class-b"},
		},
		{
			name: "FedRAMP without a categorisation", answers: "{commitments: [fedramp]}",
			want:   map[string]Verdict{"fedramp": Applies},
			chosen: map[string]string{"fedramp": "nist-800-53-r5/fedramp-c"},
		},
		{
			name: "a federal system with personal data", answers: "{role: [federal-agency], confidentiality-impact: low, integrity-impact: low, availability-impact: low}", data: []string{"pii"},
			chosen: map[string]string{"nist-800-53": "nist-800-53-r5/low nist-800-53-r5/privacy"},
		},
		{
			name: "SOC 2 by what is promised", answers: "{commitments: [soc2, confidentiality, privacy]}",
			chosen: map[string]string{"soc2": "soc2-2017/security soc2-2017/confidentiality soc2-2017/privacy"},
		},
		{
			name: "a type 2 report", answers: "{commitments: [soc2], soc2-type: type-2}",
			levels: map[string]string{"soc2": "report: type 2"},
		},
		{
			name: "a baseline that nobody has to take", answers: "{commitments: [nist-800-53]}",
			want: map[string]Verdict{"nist-800-53": Applies, "fips-140": Likely},
		},
		{
			name: "a federal agency", answers: "{role: [federal-agency]}",
			want: map[string]Verdict{"nist-800-53": Applies, "fips-140": Applies},
		},
		{
			name: "a certificate", answers: "{commitments: [iso-27001]}",
			want:   map[string]Verdict{"iso-27001": Applies},
			levels: map[string]string{"iso-27001": "statement of applicability"},
		},
		{
			name: "HITRUST", answers: "{commitments: [hitrust], hitrust-kind: i1}",
			want:   map[string]Verdict{"hitrust": Applies},
			levels: map[string]string{"hitrust": "i1: 182"},
		},
		{
			name: "controlled information", data: []string{"cui"}, answers: "{industry: defence}",
			want: map[string]Verdict{"fips-140": Applies, "cmmc": Likely},
		},
		{
			name: "a contract of the Department of Defense with controlled information", data: []string{"cui"}, answers: "{role: [defence-contractor]}",
			want: map[string]Verdict{"cmmc": Applies},
		},
		{
			name: "a contract of the Department of Defense without it", answers: "{role: [defence-contractor], data: [pii]}",
			want: map[string]Verdict{"cmmc": Likely},
		},
		{
			name: "laws that a place alone does not settle", data: []string{"pii", "pii-eu"}, answers: "{jurisdictions: [us, ca, br, uk], role: [financial-institution]}",
			want: map[string]Verdict{"gdpr": Likely, "uk-gdpr": Likely, "glba": Likely, "pipeda": Likely, "lgpd": Applies, "nydfs-500": NotIndicated},
		},
		{
			name: "personal data in the EU", data: []string{"pii"}, answers: "{jurisdictions: [eu], industry: finance, role: [financial-institution]}",
			want: map[string]Verdict{"gdpr": Likely, "uk-gdpr": NotIndicated, "dora": Likely, "nis2": Likely, "lgpd": NotIndicated},
		},
		{
			name: "people in the EU, and nobody says which data", answers: "{jurisdictions: [eu]}",
			want: map[string]Verdict{"gdpr": Likely, "lgpd": NotIndicated},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			answers := c.answers
			if answers == "" {
				answers = "{}"
			}
			result := rules(t).Judge(declare(t, "answers: "+answers), handling(c.data...), "2026-11-29")
			for id, want := range c.want {
				if got := result.Regime(id); got.Verdict != want {
					t.Errorf("%s: %s (%s), want %s", id, got.Verdict, got.Because, want)
				}
			}
			for id, want := range c.chosen {
				if got := strings.Join(result.Regime(id).Frameworks, " "); got != want {
					t.Errorf("%s: frameworks %s, want %s", id, got, want)
				}
			}
			for id, want := range c.levels {
				if got := strings.Join(result.Regime(id).Levels, "\n"); !strings.Contains(got, want) {
					t.Errorf("%s: levels\n%s\nwant %s", id, got, want)
				}
			}
			for id, not := range c.untold {
				if got := strings.Join(result.Regime(id).Levels, "\n"); strings.Contains(got, not) {
					t.Errorf("%s: levels\n%s\nwant no %s", id, got, not)
				}
			}
		})
	}
}

// TestExclusion: what a person excludes keeps what the rules say of it.
func TestExclusion(t *testing.T) {
	d := declare(t, "exclude: [{regime: pci-dss, reason: test cards alone, confirmed-by: ana}]")
	got := rules(t).Judge(d, handling("chd"), "2026-11-29").Regime("pci-dss")
	if got.Verdict != Excluded || got.Without != Applies || len(got.Facts) == 0 || got.Frameworks != nil {
		t.Errorf("got %+v", got)
	}
}

// TestLoadFaults: rules are read as strictly as what they judge.
func TestLoadFaults(t *testing.T) {
	text := `
data: [{id: chd, text: cards, tags: [chd], names: []}]
questions:
  - {id: role, ask: who, kind: choices, choices: [{id: merchant, text: m}]}
  - {id: cards, ask: how many, kind: number}
regimes:
  - id: one
    title: One
    obligation: contrat
    frameworks: [pci-dss]
    data: [cdh]
    rules:
      - {id: a, when: {answer: {rolle: [merchant]}}, verdict: applies, because: b, source: s}
      - {id: b, when: {answer: {role: [merchand]}}, verdict: maybe, because: b, source: s}
      - {id: c, when: {at-least: {role: 4}}, verdict: applies, because: b, source: s}
      - {id: d, when: {regime: [one]}, verdict: applies, because: b, source: s}
      - {id: e, when: {all: [], any: []}, verdict: applies, because: b, source: s}
      - {id: f, verdict: applies, source: s}
`
	_, err := parse(map[string][]byte{"r.yaml": []byte(text)}, []string{"pci-dss-4"})
	got := ""
	if err != nil {
		got = err.Error()
	}
	for _, part := range []string{
		"obligation: there is no contrat; did you mean contract?",
		"frameworks: there is no pci-dss; did you mean pci-dss-4?",
		"r.yaml:11:12: data: there is no cdh; did you mean chd?",
		"r.yaml:13:33: there is no question rolle; did you mean role?",
		"role: there is no merchand; did you mean merchant?",
		"verdict: there is no maybe; expected applies, likely",
		"question role is not about a number",
		"regime: there is no one; expected",
		"a condition is one of all, any, not, answer, at-least, answered, data and regime",
		"rule: because is missing",
		"rule: when is missing",
	} {
		if !strings.Contains(got, part) {
			t.Errorf("no fault %q in\n%s", part, got)
		}
	}
}

func TestDeclarationFaults(t *testing.T) {
	text := `confirmed-on: soon
answer: {}
answers:
  rolle: merchant
  role: merchand
  card-transactions: many
  card-stored: perhaps
  fedramp-path: [rev5, 20x]
  data: [pii]
data:
  - {name: "*cards", classes: [chd]}
  - {name: a, tag: b, classes: []}
  - {tag: internal}
exclude:
  - {regime: pci, reason: x}
  - {regime: hipaa}
regimes:
  - {id: pci-dss, verdict: aplies, frameworks: [pci-dss-4.0.1/merchants]}
  - {verdict: applies}
`
	_, err := ParseDeclaration("assay.yaml", []byte(text), rules(t), frameworkIDs())
	if err == nil {
		t.Fatal("no fault was found")
	}
	got := strings.Split(err.Error(), "\n")
	for i, line := range got { // what is expected instead is long
		got[i], _, _ = strings.Cut(line, "; expected")
	}
	want := []string{
		`assay.yaml:1:15: confirmed-on: "soon" is not a date`,
		"assay.yaml:2:1: there is no field answer; did you mean answers?",
		"assay.yaml:4:3: there is no question rolle; did you mean role?",
		"assay.yaml:5:9: role: there is no merchand; did you mean merchant?",
		"assay.yaml:6:22: card-transactions: expected a whole number, such as 400000",
		"assay.yaml:7:16: card-stored: expected yes or no",
		"assay.yaml:8:17: fedramp-path: expected one of rev5, 20x",
		"assay.yaml:12:5: data: expected either name, a pattern of names, or tag, the value of one",
		"assay.yaml:13:5: data: classes is missing; [] says that there are none",
		"assay.yaml:15:14: regime: there is no pci",
		"assay.yaml:16:5: exclude: expected a regime and the reason for which it does not apply",
		"assay.yaml:18:28: verdict: there is no aplies; did you mean applies?",
		"assay.yaml:18:49: frameworks: there is no pci-dss-4.0.1/merchants; did you mean pci-dss-4.0.1/merchant?",
		"assay.yaml:19:5: regimes: id and verdict are missing",
		"assay.yaml:11:5: data: *cards has chd, which is not among all the classes that answers: data lists",
		"assay.yaml:15:5: exclude: confirmed-by is missing, here or at the head of the file",
		"assay.yaml:16:5: exclude: confirmed-by is missing, here or at the head of the file",
	}
	for i, line := range got {
		got[i], _, _ = strings.Cut(strings.Replace(line, "; assay scope writes them", "", 1), "; a person")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestOneDocument: what stands after the first document is not dropped in silence.
func TestOneDocument(t *testing.T) {
	for text, want := range map[string]string{
		"answers: {role: merchant}\n---\nanswers: {data: [chd]}\n": "assay.yaml:2:1: a second document begins here; expected one",
		"---\nanswers: {role: merchant}\n...\n":                    "",
		"answers: {role: merchant}\n---\n a: {\n":                  "assay.yaml:4:1: not valid YAML: did not find expected node content",
	} {
		got := ""
		if _, err := ParseDeclaration("assay.yaml", []byte(text), rules(t), nil); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// TestConfirm: who confirms the whole does not speak for those who confirmed a part.
func TestConfirm(t *testing.T) {
	d := declare(t, "{confirmed-by: ana, confirmed-on: 2026-01-01, data: [{name: a, classes: []}, {name: b, classes: [], confirmed-by: bo}]}")
	d.Take(declare(t, "{confirmed-by: cy, confirmed-on: 2026-02-02, answers: {role: merchant}, data: [{name: c, classes: []}]}"))
	d.Classify("d", nil, Confirmed{})
	d.Confirm(Confirmed{"cy", "2026-03-03", ""})
	var got []string
	for _, e := range d.Data {
		got = append(got, e.Name+" "+e.By+" "+e.On)
	}
	want := []string{"a ana 2026-01-01", "b bo ", "c cy 2026-03-03", "d cy 2026-03-03"}
	if diff := cmp.Diff(want, got); diff != "" || d.By != "cy" || len(d.Answers) != 1 {
		t.Error(diff, d)
	}
}

// TestOwnDates: an entry's own dates stay, whoever the head names, and however often
// the file is renewed.
func TestOwnDates(t *testing.T) {
	d := declare(t, "{confirmed-by: ana, confirmed-on: 2026-01-01, data: [{name: a, classes: [], review-by: 2026-03-01}, {name: b, classes: []}]}")
	d.Confirm(Confirmed{"ana", "2026-02-02", "2027-02-02"})
	got := []Confirmed{d.Data[0].Confirmed, d.Data[1].Confirmed}
	want := []Confirmed{{"ana", "2026-01-01", "2026-03-01"}, {"ana", "2026-02-02", "2027-02-02"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestDueSince: an entry whose review is past is told as the head's is.
func TestDueSince(t *testing.T) {
	d := declare(t, "{confirmed-by: ana, review-by: 2027-01-01, data: [{name: a, classes: [], review-by: 2026-03-01}], exclude: [{regime: nis2, reason: small, confirmed-by: bo, review-by: 2026-02-01}]}")
	for asOf, want := range map[string]string{"2026-02-01": "", "2026-02-02": "2026-02-01", "2027-02-02": "2026-02-01"} {
		if got := d.DueSince(asOf); got != want {
			t.Errorf("as of %s: %q, want %q", asOf, got, want)
		}
	}
}

// TestUnconfirmed: who confirmed the old answers has not confirmed new ones.
func TestUnconfirmed(t *testing.T) {
	d := declare(t, "{confirmed-by: ana, answers: {role: merchant}, data: [{name: a, classes: []}]}")
	d.Take(declare(t, "{answers: {role: merchant}, data: [{name: b, classes: [], confirmed-by: bo}]}"))
	if d.By != "ana" {
		t.Error("nothing that ana stands for was changed", d.Confirmed)
	}
	d.Take(declare(t, "answers: {role: []}"))
	if d.By != "" || d.Data[0].By != "ana" || d.Data[1].By != "bo" {
		t.Error(d.Confirmed, d.Data)
	}
}

// TestUpdate: what is written is read again as it was, comments stay, and a second
// run changes nothing.
func TestUpdate(t *testing.T) {
	r := rules(t)
	before := `# ours: ask legal before you change this
confirmed-by: ana # in charge
answers:
  # the shop
  role: merchant # we sell
  card-stored: no
data:
  - name: "Card*" # the old name
    classes: [chd]
  - {name: "Card*", classes: [pii]}
exclude:
  - {regime: nis2, reason: small}
`
	d := declare(t, before)
	result := r.Judge(d, handling("chd"), "2026-11-29")
	once, err := Update([]byte(before), d, r, result)
	if err != nil {
		t.Fatal(err)
	}
	for _, comment := range []string{"# ours: ask legal", "# in charge", "# the old name"} {
		if !strings.Contains(string(once), comment) {
			t.Errorf("%s is lost in\n%s", comment, once)
		}
	}
	again := declare(t, string(once))
	if len(again.Regimes) != len(r.Regimes) || again.Regimes[0].Verdict != Applies || again.Regimes[0].Frameworks[0] != "pci-dss-4.0.1/merchant" {
		t.Errorf("read again: %+v", again.Regimes)
	}
	if diff := cmp.Diff(d.Answers, again.Answers); diff != "" {
		t.Error(diff)
	}
	twice, err := Update(once, again, r, result)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(once), string(twice)); diff != "" {
		t.Error(diff)
	}
	d.Take(declare(t, "{answers: {industry: retail}, data: [{name: new, classes: []}]}"))
	more, err := Update([]byte(before), d, r, result)
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range []string{"# ours: ask legal", "  # the shop\n  role: merchant # we sell\n", "industry: [retail]", "name: \"Card*\" # the old name\n", "- name: new\n", "regime: nis2, reason: small"} {
		if !strings.Contains(string(more), kept) {
			t.Errorf("after another answer and entry %s is lost in\n%s", kept, more)
		}
	}
	declare(t, string(more))
	fresh, err := Update(nil, d, r, result)
	if err != nil || !strings.HasPrefix(string(fresh), "# What this organisation") {
		t.Errorf("a new file: %v\n%s", err, fresh)
	}
	declare(t, string(fresh))
}

func FuzzDeclaration(f *testing.F) {
	f.Add([]byte("answers: {role: [merchant], card-transactions: 4}\ndata: [{name: '*x', classes: [chd]}]\nexclude: [{regime: nis2, reason: r, confirmed-by: a}]\nregimes: [{id: pci-dss, verdict: applies}]\n"))
	f.Add([]byte("a: &a [*a]\nanswers: *a\n"))
	f.Add([]byte("answers: {data: [pii]}\nreview-by: 2027-01-01\n"))
	r := rules(f)
	ids := frameworkIDs()
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ParseDeclaration("assay.yaml", data, r, ids)
		if err != nil {
			return
		}
		// What was accepted can be written and read again.
		result := r.Judge(d, handling("chd"), "2026-11-29")
		out, err := Update(data, d, r, result)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseDeclaration("assay.yaml", out, r, ids)
		if err != nil {
			t.Fatalf("%v in\n%s\nmade of\n%s", err, out, data)
		}
		if diff := cmp.Diff(d.Answers, again.Answers); diff != "" {
			t.Fatal(diff)
		}
	})
}

func FuzzRules(f *testing.F) {
	files, err := fs.Sub(frameworks.Regimes, "regimes")
	if err != nil {
		f.Fatal(err)
	}
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	ids := frameworkIDs()
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parse(map[string][]byte{"r.yaml": data}, ids)
		if err != nil {
			return
		}
		r.Judge(&Declaration{Answers: map[string]Answer{}}, handling("chd"), "2026-11-29")
	})
}
