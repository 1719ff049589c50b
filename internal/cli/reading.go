package cli

import (
	"context"
	"strings"

	"github.com/spf13/pflag"

	"assay/internal/assess"
	"assay/internal/collect"
	"assay/internal/estate"
)

// reading are the flags that say what is read and how: files, folders and
// accounts.
type reading struct {
	inputs
	live
}

func (r *reading) flags(f *pflag.FlagSet) {
	r.inputs.flags(f)
	r.live.flags(f)
}

// material is what there is to read.
type material struct {
	args            []string
	accounts, paths []string
	sources         [][]collect.Found
	collectors      []collect.Collector
	missing         error // what was named and is not there, beside what is
}

// material finds what args name; nothing is the current folder.
func (r *reading) material(ctx context.Context, m *estate.Model, args []string, s Streams) (*material, error) {
	if len(args) == 0 {
		args = []string{"."}
	}
	all := &material{args: args}
	all.accounts, all.paths = split(args)
	all.sources, all.collectors, all.missing = r.inputs.sources(m, all.paths)
	if len(all.sources) == 0 && all.missing != nil {
		return nil, all.missing
	}
	for _, name := range all.accounts {
		account, err := r.live.account(ctx, m, name, s)
		if err != nil {
			return nil, err
		}
		all.sources = append(all.sources, []collect.Found{r.live.source(ctx, account, s)})
	}
	return all, nil
}

// run judges the material. What was read of accounts until an interruption is
// judged.
func (all *material) run(ctx context.Context, cfg *assess.Config, s Streams, h assess.Handler) (*assess.Summary, error) {
	if len(all.accounts) > 0 {
		if len(all.paths) == 0 {
			cfg.Basis = assess.Deployed
		}
		ctx = context.WithoutCancel(ctx)
	}
	cfg.Collectors, cfg.Progress = all.collectors, progress(s)
	return assess.Run(ctx, *cfg, all.sources, s.In, h)
}

// nothing is the error of a run that found nothing to read.
func (all *material) nothing() error {
	return usage("nothing to read in %s: no template, Terraform configuration, plan, state or estate file was found", strings.Join(all.args, ", "))
}
