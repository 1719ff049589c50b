package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/pipes"
	"github.com/aws/aws-sdk-go-v2/service/pipes/types"
)

func pipesService() service {
	return service{name: "pipes", reads: []read{{
		types:   []string{"AWS::Pipes::Pipe"},
		actions: []string{"pipes:ListPipes", "pipes:DescribePipe"},
		list:    readPipes,
	}}}
}

// readPipes reads all pipes by lists, which say what each ties, and the rest of
// those that call functions.
func readPipes(ctx context.Context, s *scope) error {
	client := pipes.NewFromConfig(s.cfg)
	const typ, call = "AWS::Pipes::Pipe", "pipes:ListPipes"
	var calling []types.Pipe
	if err := each(ctx, s, call, pipes.NewListPipesPaginator(client, &pipes.ListPipesInput{}), func(out *pipes.ListPipesOutput) error {
		for _, p := range out.Pipes {
			if isFunction(aws.ToString(p.Target)) || isFunction(aws.ToString(p.Enrichment)) {
				calling = append(calling, p)
				continue
			}
			s.add(found{typ: typ, id: aws.ToString(p.Arn), name: aws.ToString(p.Name), from: p, call: call})
		}
		return nil
	}); err != nil {
		return err
	}
	return forEach(ctx, s, calling, 1, func(ctx context.Context, p types.Pipe) error {
		arn := aws.ToString(p.Arn)
		out, err := do(ctx, s, "pipes:DescribePipe", client.DescribePipe, &pipes.DescribePipeInput{Name: p.Name})
		f := found{typ: typ, id: arn, name: aws.ToString(p.Name), from: out, call: "pipes:DescribePipe", leads: true}
		switch {
		case none(err, "NotFoundException"):
			return nil
		case err != nil && over(err):
			return err
		case err != nil:
			gap := s.missing(err, arn)
			f.from, f.call = p, call
			f.set = s.gaps(typ, p, gap)
		}
		s.add(f)
		return nil
	})
}
