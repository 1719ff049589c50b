package terraform

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"assay/internal/collect"
)

// reasonBuilt is why the digest of a file is not known that is not there yet.
const reasonBuilt = "file is not built yet"

// maxFileset bounds the files that fileset lists.
const maxFileset = 10_000

// fileFunctions are the functions that read files: below the folder that the
// tree is of, and nowhere else. Relative names start at the root module.
func (l *loader) fileFunctions(root string, all map[string]function.Function) map[string]function.Function {
	named := func(name string) string {
		if path.IsAbs(name) {
			return name
		}
		return path.Join(root, name)
	}
	read := func(name string) ([]byte, error) {
		data, err := l.tree.Read(named(name), maxSourceSize)
		if err != nil {
			return nil, fmt.Errorf("%s cannot be read: %w", name, err)
		}
		return data, nil
	}
	readText := func(name string) (string, error) {
		data, err := read(name)
		if err == nil && !utf8.Valid(data) {
			err = fmt.Errorf("%s is not a text in UTF-8", name)
		}
		return string(data), err
	}
	// digest gives a digest of a file. Code is packed between planning and
	// applying, or before either, so that its archive may not be there.
	digestOf := func(name string, write func([]byte) string) function.Function {
		return function.New(&function.Spec{
			Params: []function.Parameter{{Name: "path", Type: cty.String}},
			Type:   function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				data, err := l.tree.Read(named(args[0].AsString()), collect.MaxFileSize)
				switch {
				case errors.Is(err, collect.ErrOutside):
					return cty.NilVal, fmt.Errorf("%s cannot be read: %w", args[0].AsString(), err)
				case err != nil:
					return unknown(cty.String, reasonBuilt, args[0].AsString()), nil
				}
				if name == "" {
					return cty.StringVal(write(data)), nil
				}
				return cty.StringVal(write(digest(name, data))), nil
			},
		})
	}
	own := map[string]function.Function{
		"file":             onText("path", readText),
		"filebase64":       digestOf("", base64Of),
		"filebase64sha256": digestOf("sha256", base64Of),
		"filebase64sha512": digestOf("sha512", base64Of),
		"filemd5":          digestOf("md5", toHex),
		"filesha1":         digestOf("sha1", toHex),
		"filesha256":       digestOf("sha256", toHex),
		"filesha512":       digestOf("sha512", toHex),
		"fileexists": function.New(&function.Spec{
			Params: []function.Parameter{{Name: "path", Type: cty.String}},
			Type:   function.StaticReturnType(cty.Bool),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				_, err := l.tree.Read(named(args[0].AsString()), collect.MaxFileSize)
				if errors.Is(err, collect.ErrOutside) {
					return cty.NilVal, fmt.Errorf("%s cannot be looked at: %w", args[0].AsString(), err)
				}
				return cty.BoolVal(err == nil), nil
			},
		}),
		"fileset": function.New(&function.Spec{
			Params: []function.Parameter{{Name: "path", Type: cty.String}, {Name: "pattern", Type: cty.String}},
			Type:   function.StaticReturnType(cty.Set(cty.String)),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				return l.fileset(named(args[0].AsString()), args[1].AsString())
			},
		}),
	}
	for name, f := range own {
		own[name] = guarded(f, false)
	}
	for _, name := range []string{"distinct", "setunion", "toset"} {
		own[name] = l.collapsible(all[name])
	}
	own["jsonencode"] = l.encoding(carrying["jsonencode"])
	own["yamlencode"] = l.encoding(carrying["yamlencode"])
	own["templatefile"] = l.templateFunction(readText, all)
	own["templatestring"] = l.templateFunction(func(s string) (string, error) { return s, nil }, all)
	return own
}

// collapsible is a function that leaves out members that equal others.
func (h *holes) collapsible(f function.Function) function.Function {
	open := func(p function.Parameter) function.Parameter {
		p.AllowMarked, p.AllowUnknown, p.AllowDynamicType = true, true, true
		return p
	}
	spec := &function.Spec{
		Type: func(args []cty.Value) (cty.Type, error) { return f.ReturnTypeForValues(args) },
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
			if i, may := h.collapsing(args...); may {
				return cty.UnknownVal(t).Mark(i), nil
			}
			return f.Call(args)
		},
	}
	for _, p := range f.Params() {
		spec.Params = append(spec.Params, open(p))
	}
	if v := f.VarParam(); v != nil {
		p := open(*v)
		spec.VarParam = &p
	}
	return function.New(spec)
}

// encoding is a function that writes a value as a text, with holes for what is
// not known of it.
func (h *holes) encoding(f function.Function) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{anything},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if !args[0].IsKnown() {
				return cty.UnknownVal(cty.String).WithMarks(marksOf(args[0])), nil
			}
			v, err := h.filled(args[0])
			if err != nil {
				return cty.NilVal, err
			}
			return f.Call([]cty.Value{v})
		},
	})
}

func marksOf(v cty.Value) cty.ValueMarks {
	_, marks := v.Unmark()
	return marks
}

func (l *loader) fileset(folder, pattern string) (cty.Value, error) {
	sub, err := l.tree.Sub(folder)
	if err != nil {
		return cty.NilVal, fmt.Errorf("%s cannot be listed: %w", folder, err)
	}
	var found []cty.Value
	tooMany := errors.New("the pattern fits too many files")
	err = doublestar.GlobWalk(sub, pattern, func(name string, d fs.DirEntry) error {
		if d.Type().IsRegular() {
			found = append(found, cty.StringVal(name))
		}
		if len(found) > maxFileset {
			return tooMany
		}
		return nil
	}, doublestar.WithFilesOnly())
	switch {
	case errors.Is(err, tooMany):
		return cty.NilVal, err
	case err != nil:
		return cty.NilVal, fmt.Errorf("%q is not a pattern of file names", pattern)
	case len(found) == 0:
		return cty.SetValEmpty(cty.String), nil
	}
	return cty.SetVal(found), nil
}

// maxTemplates bounds templates that fill in templates.
const maxTemplates = 16

// templateFunction fills in the template that an argument names or holds.
func (l *loader) templateFunction(read func(string) (string, error), all map[string]function.Function) function.Function {
	depth := 0
	fill := func(args []cty.Value) (cty.Value, error) {
		source, _ := args[0].Unmark()
		vars, marks := args[1].Unmark()
		if !source.IsKnown() || !vars.IsKnown() {
			_, why := args[0].Unmark()
			return cty.UnknownVal(cty.String).WithMarks(marks, why), nil
		}
		if h, open := firstHole(source); open {
			return cty.UnknownVal(cty.String).Mark(h), nil
		}
		text, err := read(source.AsString())
		if err != nil {
			return cty.NilVal, err
		}
		if nesting([]byte(text)) > maxNesting {
			return cty.NilVal, fmt.Errorf("brackets of the template are nested more than %d deep", maxNesting)
		}
		expr, diags := hclsyntax.ParseTemplate([]byte(text), source.AsString(), hcl.InitialPos)
		if diags.HasErrors() {
			return cty.NilVal, diags
		}
		if depth++; depth > maxTemplates {
			depth--
			return cty.NilVal, fmt.Errorf("templates fill each other in more than %d deep", maxTemplates)
		}
		defer func() { depth-- }()
		l.prepare(expr)
		ctx := &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: all}
		for it := vars.ElementIterator(); it.Next(); {
			name, v := it.Element()
			ctx.Variables[name.AsString()] = v
		}
		v, diags := expr.Value(ctx)
		if diags.HasErrors() {
			return cty.NilVal, diags
		}
		return v.WithMarks(marks), nil
	}
	vars := anything
	vars.Name, vars.AllowNull = "vars", false
	source := function.Parameter{Name: "template", Type: cty.String, AllowMarked: true, AllowUnknown: true, AllowDynamicType: true}
	return function.New(&function.Spec{
		Params: []function.Parameter{source, vars},
		Type: func(args []cty.Value) (cty.Type, error) {
			if t := args[1].Type(); !t.IsObjectType() && !t.IsMapType() && t != cty.DynamicPseudoType {
				return cty.NilType, function.NewArgErrorf(1, "expected a map of the template's variables")
			}
			return cty.DynamicPseudoType, nil
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return fill(args) },
	})
}
