package aws

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"

	"assay/internal/estate"
)

// tagging is the action by which the tags of a whole kind of resource are read:
// one call for a hundred of them, where services ask for one call each.
const tagging = "tag:GetResources"

// tagged are the tags of one kind of resource in a place, read once.
type tagged struct {
	once sync.Once
	of   map[string]map[string]string // by ARN
	err  error
}

// tagsOf gives the tags of a resource. kind is as the tagging API names it:
// lambda:function, or by the service alone where it is not told what it calls a
// kind. The read must declare [tagging]. What is not there has no
// tags and never had.
// source: https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
func (s *scope) tagsOf(ctx context.Context, kind, arn string) *estate.Value {
	s.mu.Lock()
	t := s.tagged[kind]
	if t == nil {
		t = &tagged{of: map[string]map[string]string{}}
		s.tagged[kind] = t
	}
	s.mu.Unlock()
	t.once.Do(func() {
		client := resourcegroupstaggingapi.NewFromConfig(s.cfg)
		pages := resourcegroupstaggingapi.NewGetResourcesPaginator(client, &resourcegroupstaggingapi.GetResourcesInput{ResourceTypeFilters: []string{kind}})
		t.err = each(ctx, s, tagging, pages, func(out *resourcegroupstaggingapi.GetResourcesOutput) error {
			for _, r := range out.ResourceTagMappingList {
				all := map[string]string{}
				for _, tag := range r.Tags {
					all[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
				}
				t.of[aws.ToString(r.ResourceARN)] = all
			}
			return nil
		})
		if t.err != nil {
			s.report(asFailure(t.err))
		}
	})
	if t.err != nil {
		return about(t.err, arn).gap().At(s.at(asFailure(t.err).operation))
	}
	return tags(t.of[arn])
}

// keyedTags is a list of tags as the types want it whose tags are a map.
func keyedTags(list *estate.Value) *estate.Value {
	if list.Kind() != estate.KindList {
		return list
	}
	all := fields{}
	for _, tag := range list.Items() {
		all[tag.Field("Key").AsString()] = tag.Field("Value")
	}
	return some(all)
}
