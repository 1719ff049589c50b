package access

import (
	"strings"

	"assay/internal/estate"
)

// need decides what a technique needs of a function.
func (g *graph) need(f *estate.Resource, name string) walk {
	key := functionKey{f, name}
	if w, ok := g.function[key]; ok {
		return w
	}
	var w walk
	switch name {
	case "unsigned":
		w = g.unsigned(f)
	case "signed":
		w = g.unsigned(f)
		w.truth = w.truth.Not()
	case "triggered":
		w = g.triggered(f, false)
	case "triggered-by-alias":
		w = g.triggered(f, true)
	case "runtime":
		w = g.runtime(f)
	case "layers":
		kind, open := g.view.Resolve(f.Properties.Field("PackageType"))
		text, known := kind.Scalar()
		switch {
		case kind == nil || known && text == "Zip":
			w.truth = estate.True
		case open || !known:
			w = maybeFor("not decided", "PackageType of "+f.Address)
		default:
			w = cannot
		}
	}
	g.function[key] = w
	return w
}

// unsigned decides whether code that nobody signed gets into the function. A
// configuration that only warns lets it in.
// source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html
func (g *graph) unsigned(f *estate.Resource) walk {
	v, open := g.view.Resolve(f.Properties.Field("CodeSigningConfigArn"))
	switch {
	case open:
		return maybeFor("not decided", "code signing of "+f.Address)
	case v == nil:
		return walk{truth: estate.True}
	}
	configs, gaps := g.view.Related(f, "codeSigningConfigs")
	if len(configs) != 1 || len(gaps) > 0 {
		return maybeFor("not read", "code signing configuration of "+f.Address)
	}
	policies, undecided := g.view.Resolve(configs[0].Properties.Field("CodeSigningPolicies"))
	policy, open := g.view.Resolve(policies.Field("UntrustedArtifactOnDeployment"))
	text, known := policy.Scalar()
	switch {
	case undecided || policies != nil && policies.Kind() != estate.KindMap:
		return maybeFor("not decided", "code signing policy of "+configs[0].Address)
	case policy == nil || known && text != "Enforce":
		return walk{truth: estate.True}
	case open || !known:
		return maybeFor("not decided", "code signing policy of "+configs[0].Address)
	}
	return cannot
}

// runtime decides whether a variable alone makes the function's runtime run
// other code: NODE_OPTIONS may hold a module. Others need a file that is there.
func (g *graph) runtime(f *estate.Resource) walk {
	v, open := g.view.Resolve(f.Properties.Field("Runtime"))
	text, known := v.Scalar()
	if known && !open && strings.HasPrefix(text, "nodejs") {
		return walk{truth: estate.True}
	}
	if !known {
		text = "the runtime of " + f.Address
	}
	return maybeFor("not known", "whether a variable alone makes "+text+" run other code")
}

// triggered decides whether something starts the function as it is, or by an
// alias or version: its permissions, event source mappings, schedules and URLs
// tell.
func (g *graph) triggered(f *estate.Resource, qualified bool) walk {
	arn := g.arn(f, g.view)
	direct, behind := false, false
	for _, edge := range []struct{ name, property, qualifier string }{
		{"permissions", "FunctionName", ""}, {"eventSourceMappings", "FunctionName", ""}, {"schedules", "Target.Arn", ""}, {"urls", "TargetFunctionArn", "Qualifier"},
	} {
		list, _ := g.view.Related(f, edge.name)
		for _, r := range list {
			if edge.name == "permissions" {
				if action, _, _ := g.property(r, "Action", g.view); !strings.HasPrefix(strings.ToLower(action), "lambda:invoke") && action != "lambda:*" {
					continue
				}
			}
			at := g.functionARN(r.Scope(), r.Properties.Path(edge.property), g.view)
			if edge.qualifier != "" && r.Properties.Field(edge.qualifier) != nil {
				at += ":" + g.text(r.Scope(), r.Properties.Field(edge.qualifier), g.view)
			}
			if at == arn || at == arn+":$LATEST" {
				direct = true
			} else {
				behind = true
			}
		}
	}
	aliases, open := g.view.Related(f, "aliases")
	switch {
	case qualified && behind, !qualified && direct:
		return walk{truth: estate.True}
	case qualified && len(aliases) == 0 && len(open) == 0:
		return cannot
	}
	return maybeFor("not known", "whether something starts "+f.Address)
}
