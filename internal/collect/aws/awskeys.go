package aws

import (
	"context"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"assay/internal/estate"
)

// listingAliases is the action by which keys that AWS manages are told.
const listingAliases = "kms:ListAliases"

// awsKeys are the aliases of the keys that AWS manages in a place, by key id.
type awsKeys struct {
	once sync.Once
	of   map[string]string
	err  error
}

// keyOf is the key that something is encrypted with. Services answer the ARN of
// a key that AWS manages where a template says its alias, or nothing: it becomes
// the alias, so that it is not taken for a key of the customer's. The read must
// declare [listingAliases].
// source: https://docs.aws.amazon.com/kms/latest/APIReference/API_ListAliases.html
func (s *scope) keyOf(ctx context.Context, key *string, item string) *estate.Value {
	id := aws.ToString(key)
	if id == "" || strings.Contains(id, "alias/") {
		return word(id)
	}
	k := &s.awsKeys
	k.once.Do(func() {
		k.of = map[string]string{}
		pages := kms.NewListAliasesPaginator(kms.NewFromConfig(s.cfg), &kms.ListAliasesInput{})
		k.err = each(ctx, s, listingAliases, pages, func(out *kms.ListAliasesOutput) error {
			for _, a := range out.Aliases {
				if name := aws.ToString(a.AliasName); strings.HasPrefix(name, "alias/aws/") && a.TargetKeyId != nil {
					k.of[*a.TargetKeyId] = name
				}
			}
			return nil
		})
	})
	if k.err != nil {
		return s.missing(k.err, item)
	}
	if alias := k.of[id[strings.LastIndex(id, "/")+1:]]; alias != "" {
		return estate.String(alias)
	}
	return estate.String(id)
}
