package iam_test

import (
	"slices"
	"strings"
	"testing"

	"assay/iam"
)

// Requests that share a resource, or of which one stands below it.
func TestFind(t *testing.T) {
	d := tinyData(t)
	on := func(actions, resource, more string) string {
		return `{"Effect":"Allow","Action":` + actions + `,"Resource":"` + resource + `"` + more + `}`
	}
	for _, c := range []struct {
		name, doc, form string
		below           string
		unknown         []string
		want            iam.Verdict
		resource        string
	}{
		{name: "one resource for both", doc: statements(on(`"t:Get"`, "arn:aws:t:::a*", ""), on(`"t:Put"`, "arn:aws:t:::*b", "")), want: iam.Refuted, resource: "arn:aws:t:::ab"},
		{name: "none", doc: statements(on(`"t:Get"`, "arn:aws:t:::a*", ""), on(`"t:Put"`, "arn:aws:t:::b*", "")), want: iam.Proved},
		{name: "a form has no colon in its run", doc: statements(on(`"t:Get"`, "arn:aws:t:::*", ""), on(`"t:Put"`, "arn:aws:t:::*:x", "")), form: "arn:aws:t:::*", want: iam.Proved},
		{name: "which an Allow does not change", doc: statements(on(`"t:Get"`, "arn:aws:t:::a*", ""), on(`"t:Put"`, "arn:aws:t:::*:x", "")), form: "arn:aws:t:::*", want: iam.Proved},
		{name: "without a form there may be one", doc: statements(on(`"t:Get"`, "arn:aws:t:::a*", ""), on(`"t:Put"`, "arn:aws:t:::*:x", "")), want: iam.Refuted, resource: "arn:aws:t:::a:x"},
		{name: "below", doc: statements(on(`"t:Get"`, "arn:aws:t:::a*", ""), on(`"t:Put"`, "arn:aws:t:::*:x", "")), form: "arn:aws:t:::*", below: ":x", want: iam.Refuted, resource: "arn:aws:t:::a"},
		{name: "below, by the run", doc: statements(on(`"t:Get"`, "arn:aws:t:::a*", ""), on(`"t:Put"`, "arn:aws:t:::*b:*", "")), form: "arn:aws:t:::*", below: ":x", want: iam.Refuted, resource: "arn:aws:t:::ab"},
		{name: "below something else", doc: statements(on(`"t:Get"`, "arn:aws:t:::a*", ""), on(`"t:Put"`, "arn:aws:t:::b*:x", "")), form: "arn:aws:t:::*", below: ":x", want: iam.Proved},
		{name: "not what stands below", doc: statements(on(`"t:Get"`, "arn:aws:t:::a*", ""), on(`"t:Put"`, "arn:aws:t:::*:y", "")), form: "arn:aws:t:::*", below: ":x", want: iam.Proved},
		{name: "a Deny below", doc: statements(on(`"t:*"`, "arn:aws:t:::*", ""), `{"Effect":"Deny","Action":"t:Put","Resource":"arn:aws:t:::a*:x"}`), form: "arn:aws:t:::a*", below: ":x", want: iam.Proved},
		{name: "a Deny beside", doc: statements(on(`"t:*"`, "arn:aws:t:::*", ""), `{"Effect":"Deny","Action":"t:Put","Resource":"arn:aws:t:::a*:x"}`), form: "arn:aws:t:::*", below: ":x", want: iam.Refuted},
		{name: "a key that may be chosen", doc: statements(on(`"t:*"`, "*", `,"Condition":{"StringEquals":{"t:str":"a"}}`)), want: iam.Refuted},
		{name: "a key of which nothing is known", doc: statements(on(`"t:*"`, "*", `,"Condition":{"StringEquals":{"t:str":"a"}}`)), unknown: []string{"t:str"}, want: iam.Undecided},
		{name: "it does not matter", doc: statements(on(`"t:*"`, "*", `,"Condition":{"StringEquals":{"t:str":"a"}}`), on(`"t:*"`, "arn:aws:t:::c", "")), unknown: []string{"t:str"}, want: iam.Refuted, resource: "arn:aws:t:::c"},
		{name: "nor where a Deny stands on it elsewhere", doc: statements(on(`"t:*"`, "*", ""), `{"Effect":"Deny","Action":"t:*","Resource":"arn:aws:t:::a*","Condition":{"Null":{"t:str":"true"}}}`), unknown: []string{"t:str"}, form: "arn:aws:t:::b*", want: iam.Refuted},
		{name: "an absence of which nothing is known", doc: statements(on(`"t:*"`, "*", ""), `{"Effect":"Deny","Action":"t:*","Resource":"*","Condition":{"Null":{"t:str":"true"}}}`), unknown: []string{"t:str"}, want: iam.Undecided},
		{name: "a variable of which nothing is known", doc: statements(on(`"t:*"`, "arn:aws:t:::${t:str}", "")), unknown: []string{"t:str"}, want: iam.Undecided},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := func(action string) iam.RequestSpec {
				return iam.RequestSpec{Principal: "arn:aws:iam::111111111111:user/u", Action: action, Unknown: c.unknown, ResourceAccount: "111111111111"}
			}
			set := &iam.PolicySet{Identity: []*iam.Policy{policy(t, d, c.doc)}}
			got := iam.Find([]iam.Ask{{Spec: spec("t:Get"), Set: set}, {Spec: spec("t:Put"), Set: set, Below: c.below}}, c.form, d, iam.Limits{})
			if got.Verdict != c.want {
				t.Fatalf("got %s (%s), want %s", got.Verdict, got.Reason, c.want)
			}
			if got.Verdict != iam.Refuted {
				return
			}
			for i, w := range got.Witness {
				r, err := iam.NewRequest(w, d)
				if err != nil {
					t.Fatal(err)
				}
				if a := iam.Decide(r, set, iam.Documents); a.Decision != iam.Allowed {
					t.Errorf("witness %d is %s", i, a.Decision)
				}
			}
			shared := got.Witness[0].Resource
			if got.Witness[1].Resource != shared+c.below {
				t.Errorf("the witnesses are on %s and %s", shared, got.Witness[1].Resource)
			}
			if c.resource != "" && shared != c.resource && !strings.HasPrefix(shared, c.resource) {
				t.Errorf("found %s, want %s", shared, c.resource)
			}
			if slices.Contains(c.unknown, "t:str") && got.Witness[0].Context["t:str"] != nil {
				t.Errorf("the witness chooses a key that is not known: %v", got.Witness[0].Context)
			}
		})
	}
}
