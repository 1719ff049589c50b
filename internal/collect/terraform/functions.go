package terraform

import (
	"fmt"
	"math/big"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/apparentlymart/go-cidr/cidr"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	ctyyaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// reasonFunction is why the value of a function is not known that every run
// computes anew.
const reasonFunction = "function is computed at deployment"

// carrying are the functions that treat texts as wholes, or join them: a hole
// comes out as it went in. All others look into texts, so that a hole in their
// arguments makes what they give unknown.
// source: https://developer.hashicorp.com/terraform/language/functions
var carrying = map[string]function.Function{
	"chunklist":    stdlib.ChunklistFunc,
	"coalescelist": stdlib.CoalesceListFunc,
	"concat":       stdlib.ConcatFunc,
	"distinct":     stdlib.DistinctFunc,
	"element":      stdlib.ElementFunc,
	"flatten":      stdlib.FlattenFunc,
	"formatlist":   written(stdlib.FormatListFunc),
	"format":       written(stdlib.FormatFunc),
	"indent":       stdlib.IndentFunc,
	"join":         stdlib.JoinFunc,
	"jsonencode":   stdlib.JSONEncodeFunc,
	"jsondecode":   stdlib.JSONDecodeFunc,
	"keys":         stdlib.KeysFunc,
	"length":       lengthFunc,
	"list":         listFunc,
	"map":          mapFunc,
	"merge":        stdlib.MergeFunc,
	"one":          oneFunc,
	"reverse":      stdlib.ReverseListFunc,
	"setproduct":   bounded(stdlib.SetProductFunc),
	"setunion":     stdlib.SetUnionFunc,
	"slice":        stdlib.SliceFunc,
	"tolist":       listed(stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType))),
	"tomap":        stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
	"toset":        listed(stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType))),
	"tostring":     stdlib.MakeToFunc(cty.String),
	"values":       stdlib.ValuesFunc,
	"yamldecode":   ctyyaml.YAMLDecodeFunc,
	"yamlencode":   ctyyaml.YAMLEncodeFunc,
	"zipmap":       knownKeys(stdlib.ZipmapFunc),
}

var looking = map[string]function.Function{
	"abs":              stdlib.AbsoluteFunc,
	"alltrue":          quantifier(true),
	"anytrue":          quantifier(false),
	"base64decode":     onText("text", fromBase64),
	"base64encode":     onText("text", toBase64),
	"base64gzip":       onText("text", gzipped),
	"base64sha256":     onText("text", hashed("sha256", base64Of)),
	"base64sha512":     onText("text", hashed("sha512", base64Of)),
	"basename":         onText("text", func(s string) (string, error) { return path.Base(s), nil }),
	"ceil":             stdlib.CeilFunc,
	"chomp":            stdlib.ChompFunc,
	"cidrhost":         cidrHostFunc,
	"cidrnetmask":      onText("text", netmask),
	"cidrsubnet":       cidrSubnetFunc,
	"cidrsubnets":      cidrSubnetsFunc,
	"coalesce":         coalesceFunc,
	"compact":          stdlib.CompactFunc,
	"contains":         stdlib.ContainsFunc,
	"csvdecode":        stdlib.CSVDecodeFunc,
	"dirname":          onText("text", func(s string) (string, error) { return path.Dir(s), nil }),
	"endswith":         onTexts(strings.HasSuffix),
	"floor":            stdlib.FloorFunc,
	"formatdate":       stdlib.FormatDateFunc,
	"index":            indexFunc,
	"log":              stdlib.LogFunc,
	"lookup":           lookupFunc,
	"lower":            stdlib.LowerFunc,
	"matchkeys":        matchKeysFunc,
	"max":              stdlib.MaxFunc,
	"md5":              onText("text", hashed("md5", toHex)),
	"min":              stdlib.MinFunc,
	"parseint":         stdlib.ParseIntFunc,
	"pow":              stdlib.PowFunc,
	"range":            stdlib.RangeFunc,
	"regex":            stdlib.RegexFunc,
	"regexall":         stdlib.RegexAllFunc,
	"replace":          replaceFunc,
	"setintersection":  stdlib.SetIntersectionFunc,
	"setsubtract":      stdlib.SetSubtractFunc,
	"sha1":             onText("text", hashed("sha1", toHex)),
	"sha256":           onText("text", hashed("sha256", toHex)),
	"sha512":           onText("text", hashed("sha512", toHex)),
	"signum":           stdlib.SignumFunc,
	"sort":             stdlib.SortFunc,
	"split":            stdlib.SplitFunc,
	"startswith":       onTexts(strings.HasPrefix),
	"strcontains":      onTexts(strings.Contains),
	"strrev":           stdlib.ReverseFunc,
	"substr":           stdlib.SubstrFunc,
	"sum":              sumFunc,
	"textdecodebase64": encoded(decodeText),
	"textencodebase64": encoded(encodeText),
	"timeadd":          stdlib.TimeAddFunc,
	"timecmp":          timeCompareFunc,
	"title":            stdlib.TitleFunc,
	"tobool":           stdlib.MakeToFunc(cty.Bool),
	"tonumber":         stdlib.MakeToFunc(cty.Number),
	"transpose":        transposeFunc,
	"trim":             stdlib.TrimFunc,
	"trimprefix":       stdlib.TrimPrefixFunc,
	"trimspace":        stdlib.TrimSpaceFunc,
	"trimsuffix":       stdlib.TrimSuffixFunc,
	"upper":            stdlib.UpperFunc,
	"urldecode":        onText("text", url.QueryUnescape),
	"urlencode":        onText("text", func(s string) (string, error) { return url.QueryEscape(s), nil }),
	"uuidv5":           uuidFunc,
}

// atDeployment are the functions that give another value each time, or need a
// key that nobody hands in.
var atDeployment = map[string]cty.Type{
	"bcrypt": cty.String, "plantimestamp": cty.String, "rsadecrypt": cty.String, "timestamp": cty.String, "uuid": cty.String,
	"abspath": cty.String, "pathexpand": cty.String,
}

// pureFunctions are the functions that depend on nothing but their arguments.
var pureFunctions = func() map[string]function.Function {
	all := map[string]function.Function{
		// These take an expression, or only a mark, and look into nothing.
		"can": tryfunc.CanFunc, "try": tryfunc.TryFunc, "convert": typeexpr.ConvertFunc,
		"sensitive": sensitiveFunc, "nonsensitive": nonsensitiveFunc, "issensitive": isSensitiveFunc, "ephemeralasnull": sameFunc,
	}
	for name, f := range carrying {
		all[name] = guarded(f, true)
	}
	for name, f := range looking {
		all[name] = guarded(f, false)
	}
	for name, t := range atDeployment {
		all[name] = function.New(&function.Spec{
			VarParam: &anything,
			Type:     function.StaticReturnType(t),
			Impl: func([]cty.Value, cty.Type) (cty.Value, error) {
				return unknown(t, reasonFunction, name), nil
			},
		})
	}
	return all
}()

// anything is a parameter that takes every value.
var anything = function.Parameter{Name: "value", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true, AllowMarked: true}

// guarded makes a function safe for texts with holes: one that looks into
// texts gives an unknown value, and no function fails because of a hole.
func guarded(f function.Function, carries bool) function.Function {
	params := slices.Clone(f.Params())
	spec := &function.Spec{}
	open := func(p function.Parameter) function.Parameter {
		p.AllowMarked, p.AllowUnknown, p.AllowNull, p.AllowDynamicType = true, true, true, true
		return p
	}
	for _, p := range params {
		spec.Params = append(spec.Params, open(p))
	}
	if v := f.VarParam(); v != nil {
		p := open(*v)
		spec.VarParam = &p
	}
	spec.Type = func(args []cty.Value) (cty.Type, error) {
		for i, a := range args {
			if t := a.Type(); t.IsTupleType() && t.Length() > maxMembers {
				return cty.NilType, function.NewArgErrorf(i, "the list has more than %d members", maxMembers)
			}
		}
		_, found := firstHole(args...)
		if found && !carries {
			return returnType(f, args), nil
		}
		t, err := f.ReturnTypeForValues(args)
		if err != nil && found {
			return cty.DynamicPseudoType, nil
		}
		return t, err
	}
	spec.Impl = func(args []cty.Value, t cty.Type) (cty.Value, error) {
		h, found := firstHole(args...)
		if found && !carries {
			return cty.UnknownVal(t).Mark(h), nil
		}
		v, err := f.Call(args)
		if err != nil && found {
			return cty.UnknownVal(t).Mark(h), nil
		}
		return v, err
	}
	return function.New(spec)
}

// returnType is what f gives for arguments of which the values are not looked
// at.
func returnType(f function.Function, args []cty.Value) cty.Type {
	blind := make([]cty.Value, len(args))
	for i, a := range args {
		blind[i] = cty.UnknownVal(a.Type())
	}
	t, err := f.ReturnTypeForValues(blind)
	if err != nil {
		return cty.DynamicPseudoType
	}
	return t
}

// onText is a function of one text; param is what messages call it.
func onText(param string, f func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: param, Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := f(args[0].AsString())
			if err != nil {
				return cty.UnknownVal(cty.String), function.NewArgError(0, err)
			}
			return cty.StringVal(s), nil
		},
	})
}

// onTexts is a question about two texts.
func onTexts(f func(string, string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}, {Name: "part", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(f(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

// maxWidth bounds the padding that a format may ask for.
const maxWidth = 1000

var (
	verb      = regexp.MustCompile(`%[^a-zA-Z%]*[a-zA-Z%]`)
	verbWidth = regexp.MustCompile(`\d{4,}`)
)

// written is format or formatlist. Verbs that pad or quote look into texts.
func written(f function.Function) function.Function {
	check := func(args []cty.Value) error {
		form := textOf(args[0])
		_, open := firstHole(args[1:]...)
		for _, v := range verb.FindAllString(form, -1) {
			if verbWidth.MatchString(v) {
				return function.NewArgErrorf(0, "the width in %s is more than %d", v, maxWidth)
			}
			if open && v != "%s" && v != "%v" && v != "%d" && v != "%%" {
				return fmt.Errorf("%s of a text that is not known", v)
			}
		}
		return nil
	}
	return function.New(&function.Spec{
		Params:   f.Params(),
		VarParam: f.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			if err := check(args); err != nil {
				return cty.NilType, err
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) },
	})
}

func bounded(f function.Function) function.Function {
	return function.New(&function.Spec{
		Params:   f.Params(),
		VarParam: f.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			n := 1
			for _, a := range args {
				a, _ = a.Unmark()
				if a.IsKnown() && !a.IsNull() && a.CanIterateElements() {
					if n *= max(a.LengthInt(), 1); n > maxMembers {
						return cty.NilType, fmt.Errorf("the product has more than %d members", maxMembers)
					}
				}
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) },
	})
}

// knownKeys is a function that makes keys of its first argument, and fails where
// these have holes.
func knownKeys(f function.Function) function.Function {
	return function.New(&function.Spec{
		Params: f.Params(),
		Type: func(args []cty.Value) (cty.Type, error) {
			if _, open := holeIn(args[0]); open {
				return cty.NilType, function.NewArgErrorf(0, "keys that are not known")
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) },
	})
}

// listed is a conversion that gets a list where all members of a tuple have
// one type: the library compares the types of a tuple's members in pairs.
func listed(f function.Function) function.Function {
	return function.New(&function.Spec{
		Params: f.Params(),
		Type: func(args []cty.Value) (cty.Type, error) {
			return f.ReturnTypeForValues([]cty.Value{uniform(args[0])})
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call([]cty.Value{uniform(args[0])}) },
	})
}

// uniform is v as a list where it is a tuple of members of one type.
func uniform(v cty.Value) cty.Value {
	plain, marks := v.Unmark()
	if t := plain.Type(); !t.IsTupleType() || t.Length() < 2 || plain.IsNull() || !plain.IsKnown() {
		return v
	}
	items := plain.AsValueSlice()
	for _, item := range items {
		if !item.Type().Equals(items[0].Type()) {
			return v
		}
	}
	return cty.ListVal(items).WithMarks(marks)
}

var lengthFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true}},
	Type: func(args []cty.Value) (cty.Type, error) {
		if t := args[0].Type(); t != cty.String && t != cty.DynamicPseudoType && !t.IsTupleType() && !t.IsObjectType() && !t.IsCollectionType() {
			return cty.NilType, function.NewArgErrorf(0, "expected a text, list, map or set")
		}
		return cty.Number, nil
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		switch t := args[0].Type(); {
		case t == cty.String:
			if _, open := holeIn(args[0]); open {
				return cty.NilVal, fmt.Errorf("length of a text that is not known")
			}
			return stdlib.Strlen(args[0])
		case t.IsTupleType() || t.IsObjectType():
			return cty.NumberIntVal(int64(args[0].LengthInt())), nil
		}
		return args[0].Length(), nil
	},
})

var oneFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType, AllowMarked: true}},
	Type: func(args []cty.Value) (cty.Type, error) {
		switch t := args[0].Type(); {
		case t.IsListType() || t.IsSetType():
			return t.ElementType(), nil
		case t.IsTupleType() && t.Length() == 0:
			return cty.DynamicPseudoType, nil
		case t.IsTupleType() && t.Length() == 1:
			return t.TupleElementType(0), nil
		}
		return cty.NilType, function.NewArgErrorf(0, "expected a list, set or tuple of one member or none")
	},
	Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
		v, marks := args[0].Unmark()
		switch n := v.LengthInt(); n {
		case 0:
			return cty.NullVal(t).WithMarks(marks), nil
		case 1:
			it := v.ElementIterator()
			it.Next()
			_, item := it.Element()
			return item.WithMarks(marks), nil
		}
		return cty.NilVal, function.NewArgErrorf(0, "expected one member or none")
	},
})

// quantifier is alltrue or anytrue.
func quantifier(all bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			result := cty.BoolVal(all)
			for it := args[0].ElementIterator(); it.Next(); {
				_, item := it.Element()
				switch {
				case item.IsNull():
					item = cty.False
				case !item.IsKnown():
					return cty.UnknownVal(cty.Bool), nil
				}
				if all {
					result = result.And(item)
				} else {
					result = result.Or(item)
				}
			}
			return result, nil
		},
	})
}

// coalesceFunc is the first argument that is neither null nor an empty text.
var coalesceFunc = function.New(&function.Spec{
	VarParam: &function.Parameter{Name: "values", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true},
	Type: func(args []cty.Value) (cty.Type, error) {
		var types []cty.Type
		for _, a := range args {
			if !a.IsNull() || a.Type() != cty.DynamicPseudoType {
				types = append(types, a.Type())
			}
		}
		t, _ := convert.UnifyUnsafe(types)
		if t == cty.NilType {
			return cty.NilType, fmt.Errorf("all arguments must have the same type")
		}
		return t, nil
	},
	Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
		for _, a := range args {
			if !a.IsKnown() {
				return cty.UnknownVal(t), nil
			}
			if a.IsNull() || a.RawEquals(cty.StringVal("")) {
				continue
			}
			return convert.Convert(a, t)
		}
		return cty.NilVal, fmt.Errorf("no argument is anything but null or empty")
	},
})

// lookupFunc finds a key in a map; the third argument stands in where it is
// missing.
var lookupFunc = function.New(&function.Spec{
	Params:   []function.Parameter{{Name: "map", Type: cty.DynamicPseudoType}, {Name: "key", Type: cty.String}},
	VarParam: &function.Parameter{Name: "default", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true},
	Type: func(args []cty.Value) (cty.Type, error) {
		switch t := args[0].Type(); {
		case t.IsMapType():
			return t.ElementType(), nil
		case t.IsObjectType() && args[1].IsKnown() && t.HasAttribute(args[1].AsString()):
			return t.AttributeType(args[1].AsString()), nil
		case t.IsObjectType() && args[1].IsKnown() && len(args) == 3:
			return args[2].Type(), nil
		case t.IsObjectType():
			return cty.DynamicPseudoType, nil
		}
		return cty.NilType, function.NewArgErrorf(0, "expected a map or object")
	},
	Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
		key := args[1].AsString()
		switch from := args[0].Type(); {
		case from.IsObjectType() && from.HasAttribute(key):
			return args[0].GetAttr(key), nil
		case from.IsMapType() && args[0].HasIndex(args[1]).True():
			return args[0].Index(args[1]), nil
		case len(args) == 3:
			return convert.Convert(args[2], t)
		}
		return cty.NilVal, fmt.Errorf("the map has no key %q", key)
	},
})

var sumFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if !args[0].CanIterateElements() || args[0].LengthInt() == 0 {
			return cty.NilVal, function.NewArgErrorf(0, "expected a list of numbers")
		}
		total := cty.Zero
		for it := args[0].ElementIterator(); it.Next(); {
			_, item := it.Element()
			n, err := convert.Convert(item, cty.Number)
			if err != nil || n.IsNull() {
				return cty.NilVal, function.NewArgErrorf(0, "expected a list of numbers")
			}
			if !n.IsKnown() {
				return cty.UnknownVal(cty.Number), nil
			}
			total = total.Add(n)
		}
		return total, nil
	},
})

// indexFunc is the place of a value in a list.
var indexFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}, {Name: "value", Type: cty.DynamicPseudoType}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if t := args[0].Type(); !t.IsListType() && !t.IsTupleType() {
			return cty.NilVal, function.NewArgErrorf(0, "expected a list")
		}
		for it := args[0].ElementIterator(); it.Next(); {
			i, item := it.Element()
			same, err := stdlib.Equal(item, args[1])
			if err != nil || !same.IsKnown() {
				return cty.UnknownVal(cty.Number), err
			}
			if same.True() {
				return i, nil
			}
		}
		return cty.NilVal, fmt.Errorf("the list does not hold the value")
	},
})

// replaceFunc replaces a text, or a regular expression between slashes.
var replaceFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "text", Type: cty.String}, {Name: "old", Type: cty.String}, {Name: "new", Type: cty.String}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		text, old, with := args[0].AsString(), args[1].AsString(), args[2].AsString()
		if len(old) > 1 && strings.HasPrefix(old, "/") && strings.HasSuffix(old, "/") {
			return stdlib.RegexReplace(args[0], cty.StringVal(old[1:len(old)-1]), args[2])
		}
		if old == "" && len(text)*len(with) > maxSourceSize {
			return cty.NilVal, fmt.Errorf("the text becomes too long")
		}
		return cty.StringVal(strings.ReplaceAll(text, old, with)), nil
	},
})

// matchKeysFunc keeps the values whose key is in a set.
var matchKeysFunc = function.New(&function.Spec{
	Params: []function.Parameter{
		{Name: "values", Type: cty.List(cty.DynamicPseudoType)}, {Name: "keys", Type: cty.List(cty.DynamicPseudoType)},
		{Name: "wanted", Type: cty.List(cty.DynamicPseudoType)},
	},
	Type: func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
	Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
		if !args[0].IsWhollyKnown() || !args[1].IsWhollyKnown() || !args[2].IsWhollyKnown() {
			return cty.UnknownVal(t), nil
		}
		values, keys, wanted := args[0].AsValueSlice(), args[1].AsValueSlice(), args[2].AsValueSlice()
		if len(values) != len(keys) {
			return cty.NilVal, fmt.Errorf("there must be as many keys as values")
		}
		var found []cty.Value
		for i, key := range keys {
			if slices.ContainsFunc(wanted, key.RawEquals) {
				found = append(found, values[i])
			}
		}
		if len(found) == 0 {
			return cty.ListValEmpty(t.ElementType()), nil
		}
		return cty.ListVal(found), nil
	},
})

// transposeFunc swaps the keys and values of a map of lists of texts.
var transposeFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "map", Type: cty.Map(cty.List(cty.String))}},
	Type:   function.StaticReturnType(cty.Map(cty.List(cty.String))),
	Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
		if !args[0].IsWhollyKnown() {
			return cty.UnknownVal(t), nil
		}
		swapped := map[string][]cty.Value{}
		for it := args[0].ElementIterator(); it.Next(); {
			key, list := it.Element()
			for _, item := range list.AsValueSlice() {
				swapped[item.AsString()] = append(swapped[item.AsString()], key)
			}
		}
		if len(swapped) == 0 {
			return cty.MapValEmpty(cty.List(cty.String)), nil
		}
		lists := map[string]cty.Value{}
		for key, items := range swapped {
			lists[key] = cty.ListVal(items)
		}
		return cty.MapVal(lists), nil
	},
})

var timeCompareFunc = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "a", Type: cty.String}, {Name: "b", Type: cty.String}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		var times [2]time.Time
		for i := range times {
			t, err := time.Parse(time.RFC3339, args[i].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgErrorf(i, "expected a time such as 2026-11-24T00:00:00Z")
			}
			times[i] = t
		}
		return cty.NumberIntVal(int64(times[0].Compare(times[1]))), nil
	},
})

// listFunc and mapFunc are functions of old configurations.
var listFunc = function.New(&function.Spec{
	VarParam: &function.Parameter{Name: "items", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true, AllowMarked: true},
	Type: func(args []cty.Value) (cty.Type, error) {
		types := make([]cty.Type, len(args))
		for i, a := range args {
			types[i] = a.Type()
		}
		return cty.Tuple(types), nil
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return cty.TupleVal(args), nil },
})

var mapFunc = function.New(&function.Spec{
	VarParam: &function.Parameter{Name: "items", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true, AllowMarked: true},
	Type:     function.StaticReturnType(cty.DynamicPseudoType),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if len(args)%2 != 0 {
			return cty.NilVal, fmt.Errorf("expected keys and values in turn")
		}
		fields := map[string]cty.Value{}
		for i := 0; i < len(args); i += 2 {
			key := textOf(args[i])
			if key == "" {
				return cty.DynamicVal, nil
			}
			fields[key] = args[i+1]
		}
		return cty.ObjectVal(fields), nil
	},
})

const markedSensitive sensitive = "marked sensitive in the configuration"

var (
	sensitiveFunc    = marking(func(v cty.Value) cty.Value { return v.Mark(markedSensitive) })
	nonsensitiveFunc = marking(func(v cty.Value) cty.Value {
		v, marks := v.Unmark()
		for m := range marks {
			if _, secret := m.(sensitive); !secret {
				v = v.Mark(m)
			}
		}
		return v
	})
	sameFunc        = marking(func(v cty.Value) cty.Value { return v })
	isSensitiveFunc = marking(func(v cty.Value) cty.Value {
		_, marks := v.Unmark()
		for m := range marks {
			if _, secret := m.(sensitive); secret {
				return cty.True
			}
		}
		if !v.IsKnown() {
			return cty.UnknownVal(cty.Bool)
		}
		return cty.False
	})
)

// marking is a function that changes marks and not values.
func marking(f func(cty.Value) cty.Value) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{anything},
		Type:   func(args []cty.Value) (cty.Type, error) { return f(args[0]).Type(), nil },
		Impl:   func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f(args[0]), nil },
	})
}

var cidrHostFunc = onNetwork(cty.String, func(args []cty.Value) (cty.Value, error) {
	network, err := parseNetwork(args[0])
	if err != nil {
		return cty.NilVal, err
	}
	n, accuracy := args[1].AsBigFloat().Int(nil)
	if accuracy != big.Exact {
		return cty.NilVal, function.NewArgErrorf(1, "expected a whole number")
	}
	ip, err := cidr.HostBig(network, n)
	if err != nil {
		return cty.NilVal, err
	}
	return cty.StringVal(ip.String()), nil
}, function.Parameter{Name: "network", Type: cty.String}, function.Parameter{Name: "host", Type: cty.Number})

var cidrSubnetFunc = onNetwork(cty.String, func(args []cty.Value) (cty.Value, error) {
	network, err := parseNetwork(args[0])
	if err != nil {
		return cty.NilVal, err
	}
	bits, _ := args[1].AsBigFloat().Int64()
	n, _ := args[2].AsBigFloat().Int(nil)
	if bits < 0 || bits > 128 {
		return cty.NilVal, function.NewArgErrorf(1, "expected 0 to 128 bits")
	}
	subnet, err := cidr.SubnetBig(network, int(bits), n)
	if err != nil {
		return cty.NilVal, err
	}
	return cty.StringVal(subnet.String()), nil
}, function.Parameter{Name: "network", Type: cty.String}, function.Parameter{Name: "bits", Type: cty.Number}, function.Parameter{Name: "number", Type: cty.Number})
