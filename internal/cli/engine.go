package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"assay/checks"
	"assay/iam"
	"assay/internal/access"
	"assay/internal/assess"
	"assay/internal/catalog"
	"assay/internal/check"
	"assay/internal/collect"
	"assay/internal/collect/cloudformation"
	"assay/internal/collect/terraform"
	"assay/internal/estate"
	"assay/tables"
)

// engine is what commands share: the tables made ready, and the catalogue.
type engine struct {
	model   *estate.Model
	library *check.Library
	catalog *catalog.Catalog
	access  *access.Access
}

func newModel() (*estate.Model, error) {
	return estate.NewModel(estate.Tables{Schemas: tables.Schemas(), Facts: tables.AssayTypes(), Defaults: tables.Defaults(), Edges: tables.Edges()})
}

// newEngine loads the built-in catalogue and the user's folders over it.
func newEngine(folders []string) (*engine, error) {
	e := &engine{}
	var err error
	if e.model, err = newModel(); err != nil {
		return nil, err
	}
	if e.library, err = check.NewLibrary(e.model, check.Tables{Runtimes: tables.Runtimes(), TLSPolicies: tables.TLSPolicies(), FIPSEndpoints: tables.FIPSEndpoints(), ServicePrincipals: tables.ServicePrincipals(), Programmes: tables.Programmes()}); err != nil {
		return nil, err
	}
	data, err := iamData()
	if err != nil {
		return nil, err
	}
	e.access = newAccess(data)
	if e.catalog, err = catalog.Decode(checks.Compiled); err != nil {
		return nil, err
	}
	if err := e.library.Declare(e.catalog.Parameters); err != nil {
		return nil, err
	}
	for _, folder := range folders {
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			return nil, usage("--catalog %s: expected a folder with checks or frameworks in YAML", folder)
		}
		if e.catalog, err = e.catalog.With(e.library, os.DirFS(folder)); err != nil {
			return nil, usage("--catalog %s:\n%w", folder, err)
		}
	}
	return e, nil
}

// newAccess answers questions about access from the tables.
func newAccess(data *iam.Data) *access.Access { return access.New(data, tables.Escalation()) }

// frameworks finds the frameworks that the user asked for; all, if none.
func (e *engine) frameworks(ids []string) ([]*catalog.Framework, error) {
	if len(ids) == 0 {
		return e.catalog.Frameworks, nil
	}
	var found []*catalog.Framework
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			continue
		}
		f, err := e.catalog.Framework(id)
		if err != nil {
			return nil, usage("--framework %s: %w", id, err)
		}
		found = append(found, f)
	}
	return found, nil
}

// collectors is the one list of them. The first that claims a file reads it.
func collectors(m *estate.Model, g given) []collect.Collector {
	return []collect.Collector{
		collect.EstateFiles{},
		terraform.New(terraform.Options{Mapping: tables.Terraform(), ManagedPolicies: tables.IAMManagedPolicies(), Model: m, Variables: g.variables}),
		cloudformation.New(cloudformation.Options{Parameters: g.parameters, PolicyTemplates: tables.SAMPolicyTemplates()}),
	}
}

// inputs are the flags that say how templates are to be read.
type inputs struct {
	parameters     []string
	parameterFiles []string
	variables      []string
	variableFiles  []string
}

// given are the values that the user gives for what sources leave open.
type given struct {
	parameters map[string]string
	variables  terraform.Variables
}

func (in *inputs) flags(f *pflag.FlagSet) {
	f.StringArrayVarP(&in.parameters, "parameter", "p", nil, "value of a template parameter or pseudo parameter, as `K=V` (repeatable)")
	f.StringArrayVar(&in.parameterFiles, "parameters", nil, "`file` with parameter values, JSON or YAML (repeatable; --parameter wins)")
	f.StringArrayVar(&in.variables, "var", nil, "value of a Terraform variable, as `NAME=VALUE` (repeatable)")
	f.StringArrayVar(&in.variableFiles, "var-file", nil, "`file` with values of Terraform variables (repeatable; --var wins)")
}

// sources finds what there is to read under paths, in groups that are read
// together.
func (in *inputs) sources(m *estate.Model, paths []string) ([][]collect.Found, []collect.Collector, error) {
	g, err := in.read()
	if err != nil {
		return nil, nil, err
	}
	all := collectors(m, g)
	found, missing := collect.Find(paths)
	if missing != nil && len(found) == 0 {
		return nil, nil, usage("%w", missing)
	}
	return collect.Plan(found, all), all, missing
}

func (in *inputs) read() (given, error) {
	parameters, err := in.readParameters()
	if err != nil {
		return given{}, err
	}
	variables := terraform.Variables{}
	for _, name := range in.variableFiles {
		data, err := os.ReadFile(name)
		if err != nil {
			return given{}, usage("--var-file %s: cannot be read: %w", name, errors.Unwrap(err))
		}
		if err := variables.SetFile(name, data); err != nil {
			return given{}, usage("--var-file: %w", err)
		}
	}
	for _, v := range in.variables {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return given{}, usage("--var %s: expected NAME=VALUE", v)
		}
		variables.Set(name, value)
	}
	return given{parameters, variables}, nil
}

func (in *inputs) readParameters() (map[string]string, error) {
	values := map[string]string{}
	for _, name := range in.parameterFiles {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, usage("--parameters %s: cannot be read: %w", name, errors.Unwrap(err))
		}
		found, err := cloudformation.ReadParameters(name, data)
		if err != nil {
			return nil, usage("--parameters: %w", err)
		}
		for k, v := range found {
			values[k] = v
		}
	}
	for _, p := range in.parameters {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return nil, usage("--parameter %s: expected NAME=VALUE", p)
		}
		values[name] = value
	}
	return values, nil
}

// tablesDigest is the SHA-256 of the AWS facts, in hexadecimal.
func tablesDigest() string {
	h := sha256.New()
	for _, data := range tables.All() {
		h.Write(data)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// facts are the sources of the tables, for the header of a run.
func facts() []assess.Fact {
	var all []assess.Fact
	for _, s := range tables.Sources() {
		all = append(all, assess.Fact{Table: s.Table, Package: s.Package, Version: s.Version, Date: s.Date})
	}
	return all
}

// date reads an ISO date; empty is today, in UTC.
func date(s string) (string, error) {
	if s == "" {
		return time.Now().UTC().Format(time.DateOnly), nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return "", fmt.Errorf("%q is not a date; expected YEAR-MONTH-DAY, such as 2026-11-24", s)
	}
	return t.Format(time.DateOnly), nil
}
