package cloudformation_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"assay/internal/collect"
	"assay/internal/collect/cloudformation"
	"assay/internal/estate"
	"assay/tables"
)

// expandedCorpus is what AWS's translator makes of the corpus: region
// us-east-1, parameter defaults applied, local code paths replaced.
const expandedCorpus = "../../../../shared/corpus/sam-expanded"

// The share of AWS's resources that ours must equal, over published templates
// and over templates that use every feature. What is missing to 1 is listed by
// reason in docs/sam.md.
const (
	oracleFloor        = 0.99
	oracleFeatureFloor = 0.92
)

// TestSAMOracle compares the SAM transform with AWS's own, resource by
// resource and property by property. Both results go through the same
// evaluator, so that the spelling of intrinsic functions does not count.
func TestSAMOracle(t *testing.T) {
	expanded, _ := filepath.Glob(filepath.Join(expandedCorpus, "*.json"))
	if len(expanded) == 0 {
		t.Skipf("no output of AWS's translator at %s", expandedCorpus)
	}
	sources := map[string]string{}
	for _, name := range expanded {
		source := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(name), ".json"), "__", "/")
		sources[name] = path.Join(corpus, source)
	}
	compareAll(t, sources, oracleFloor)
}

// TestSAMOracleFeatures does the same for templates of our own, which use what
// published ones seldom do. sam/testdata/oracle/expand.py asks AWS's
// translator again.
func TestSAMOracleFeatures(t *testing.T) {
	expanded, err := filepath.Glob("sam/testdata/oracle/*.json")
	if err != nil || len(expanded) == 0 {
		t.Fatal("no templates", err)
	}
	sources := map[string]string{}
	for _, name := range expanded {
		sources[name] = strings.TrimSuffix(name, ".json") + ".yaml"
	}
	compareAll(t, sources, oracleFeatureFloor)
}

// compareAll reads expanded templates and their sources and holds the share of
// equal resources to a floor.
func compareAll(t *testing.T, sources map[string]string, floor float64) {
	t.Helper()
	equal, total := 0, 0
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		got, ok := oracleRead(t, sources[name])
		if !ok {
			t.Logf("%s: no source", sources[name])
			continue
		}
		want, _ := oracleRead(t, name)
		for _, line := range compareExpansion(got, want, &equal, &total) {
			t.Logf("%s: %s", sources[name], line)
		}
	}
	share := float64(equal) / float64(total)
	t.Logf("%d of %d resources equal (%.2f %%)", equal, total, 100*share)
	if share < floor {
		t.Errorf("%.2f %% of resources equal AWS's, want at least %.0f %%", 100*share, 100*floor)
	}
}

func oracleRead(t *testing.T, name string) (map[string]estate.Resource, bool) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, false
	}
	c := cloudformation.New(cloudformation.Options{
		PolicyTemplates: tables.SAMPolicyTemplates(),
		Parameters:      map[string]string{"AWS::Region": "us-east-1", "AWS::Partition": "aws"},
	})
	found := map[string]estate.Resource{}
	for _, b := range c.Collect(context.Background(), collect.File{Name: "template", Data: data}) {
		for _, r := range b.Resources() {
			if r.Exists.Kind() != estate.KindBool || r.Exists.AsBool() {
				found[r.LogicalID] = r
			}
		}
	}
	return found, true
}

// hashSuffix ends a logical id that AWS makes out of a hash.
var hashSuffix = regexp.MustCompile(`[0-9a-f]{10}$`)

// compareExpansion counts the resources of want that got has with the same
// properties, and describes the others.
func compareExpansion(got, want map[string]estate.Resource, equal, total *int) []string {
	// Where a hash cannot be known the id is its stem.
	stems := map[string]string{}
	for id := range want {
		if _, same := got[id]; !same && hashSuffix.MatchString(id) {
			stems[id] = id[:len(id)-10]
		}
	}
	var lines []string
	seen := map[string]bool{}
	for id, w := range want {
		*total++
		here := id
		if stem, ok := stems[id]; ok {
			here = stem
		}
		seen[here] = true
		g, ok := got[here]
		if !ok {
			lines = append(lines, "missing "+id+" "+w.Type)
			continue
		}
		expected := w.Properties.Rewrite(func(v *estate.Value) *estate.Value {
			if stem, ok := stems[v.Reference().Resource]; ok {
				return estate.Ref(stem, v.Reference().Attribute)
			}
			return v
		})
		found := differences("", comparable(w.Type, expected), comparable(g.Type, g.Properties))
		if g.Type != w.Type {
			found = append(found, "type "+g.Type)
		}
		if (g.Exists == nil) != (w.Exists == nil) {
			found = append(found, "condition")
		}
		if len(found) == 0 {
			*equal++
			continue
		}
		lines = append(lines, id+" "+w.Type+": "+strings.Join(found, "; "))
	}
	for id, g := range got {
		if !seen[id] {
			lines = append(lines, "extra "+id+" "+g.Type)
		}
	}
	slices.Sort(lines)
	return lines
}

// comparable leaves out what AWS's run was given placeholders for, and the
// order of what has none.
func comparable(typeName string, v *estate.Value) *estate.Value {
	for _, property := range map[string][]string{
		"AWS::Lambda::LayerVersion":        {"Content"},
		"AWS::StepFunctions::StateMachine": {"DefinitionS3Location"},
		"AWS::CloudFormation::Stack":       {"TemplateURL"},
		"AWS::ApiGateway::Deployment":      {"Description"}, // holds the hash
		"AWS::ApiGateway::RestApi":         {"BodyS3Location"},
		"AWS::ApiGatewayV2::Api":           {"BodyS3Location"},
	}[typeName] {
		v = v.With(property, nil)
	}
	if typeName == "AWS::Lambda::Function" && v.Path("Code.ZipFile") == nil {
		v = v.With("Code", nil)
	}
	if tags := v.Field("Tags"); tags.Kind() == estate.KindList {
		sorted := slices.Clone(tags.Items())
		slices.SortStableFunc(sorted, func(a, b *estate.Value) int { return strings.Compare(a.String(), b.String()) })
		v = v.With("Tags", estate.List(sorted...))
	}
	return v.Rewrite(func(v *estate.Value) *estate.Value {
		if v.Kind() == estate.KindNull {
			return nil
		}
		if text, ok := v.Scalar(); ok {
			return estate.String(text) // the schema gives both the same type
		}
		return v
	})
}

func differences(at string, want, got *estate.Value) []string {
	switch {
	case estate.Equal(want, got):
		return nil
	case want.Kind() == estate.KindMap && got.Kind() == estate.KindMap:
		var found []string
		for _, f := range want.Fields() {
			found = append(found, differences(at+"/"+f.Name, f.Value, got.Field(f.Name))...)
		}
		for _, f := range got.Fields() {
			if want.Field(f.Name) == nil {
				found = append(found, differences(at+"/"+f.Name, nil, f.Value)...)
			}
		}
		return found
	case want.Kind() == estate.KindList && got.Kind() == estate.KindList && len(want.Items()) == len(got.Items()):
		var found []string
		for i, w := range want.Items() {
			found = append(found, differences(fmt.Sprintf("%s/%d", at, i), w, got.Items()[i])...)
		}
		return found
	}
	return []string{fmt.Sprintf("%s: want %.120s, got %.120s", at, want, got)}
}
