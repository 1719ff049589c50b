// Package access turns an estate into questions for package iam: it builds the
// policies that bear on a request from resources, and requests from the names
// in them, and keeps what is not known as holes. It answers the questions that
// checks ask (it is a [check.Asker]) and those of the command line.
package access

import (
	"strings"
	"sync"

	"assay/iam"
	"assay/internal/check"
	"assay/internal/estate"
)

// Access makes askers. It is safe for many goroutines, which share the
// compiled policies of AWS.
type Access struct {
	data    *iam.Data
	managed sync.Map // ARN → *iam.Policy
	// techniques reads the table of escalation, once it is asked for.
	techniques func() ([]*technique, error)
	everything func() *iam.Policy
	prescribed sync.Map // ARN of a managed policy → map[string]bool, its actions
	granted    sync.Map // *iam.Policy of AWS → []granted
}

// New answers with the tables of actions and managed policies, and that of the
// ways to escalate.
func New(data *iam.Data, escalation []byte) *Access {
	a := &Access{data: data, techniques: sync.OnceValues(func() ([]*technique, error) { return readTechniques(escalation) })}
	a.everything = sync.OnceValue(a.compileEverything)
	return a
}

// Asker answers for the scopes of one group, and remembers what it has built.
// It is for one goroutine.
func (a *Access) Asker() check.Asker { return a.world() }

func (a *Access) world() *world {
	return &world{
		Access: a, holes: map[holeKey]int{}, sets: map[*estate.Resource]*principalSet{}, policies: map[*estate.Resource]*iam.Policy{},
		origin: map[*iam.Policy][]statement{}, reach: map[reachKey]check.Answer{}, openTo: map[reachedKey]check.Answer{},
		asked: map[questionKey][]remembered{}, grants: map[*iam.Policy][]granted{}, administrators: map[*estate.Resource]check.Answer{},
	}
}

// world is the estate as package iam sees it: texts with holes, and compiled
// policies.
type world struct {
	*Access
	holes map[holeKey]int
	gaps  []estate.Gap // what a hole stands for, by its identity
	// sets and policies are those that do not depend on open inputs.
	sets     map[*estate.Resource]*principalSet
	policies map[*estate.Resource]*iam.Policy
	origin   map[*iam.Policy][]statement
	// graphs decides on escalation, of what does not depend on open inputs.
	graphs *graph
	// reach are answers about what roles may do on resources that nothing names.
	reach map[reachKey]check.Answer
	// openTo are answers about who can use resources.
	openTo map[reachedKey]check.Answer
	// grants are the actions of policies, administrators answers about roles.
	grants         map[*iam.Policy][]granted
	administrators map[*estate.Resource]check.Answer
	// asked are the last questions.
	asked map[questionKey][]remembered
	// exposed is the function that was last asked about, and its ways in.
	exposed struct {
		function *estate.Resource
		ways     []way
	}
}

// statement says where a statement of a compiled policy comes from.
type statement struct {
	resource *estate.Resource
	path     string
	value    *estate.Value
}

// managedPolicy is the compiled policy of AWS of that ARN, or one that was not
// read.
func (a *Access) managedPolicy(arn string) *iam.Policy {
	if p, ok := a.managed.Load(arn); ok {
		return p.(*iam.Policy)
	}
	p := iam.Unread(arn + ", which is not in the table of AWS's managed policies")
	if text, _, ok := a.data.ManagedPolicy(arn); ok {
		if doc, err := iam.Parse(text); err == nil {
			p = iam.Compile(arn, doc, a.data)
		}
	}
	kept, _ := a.managed.LoadOrStore(arn, p)
	return kept.(*iam.Policy)
}

// isAWSManaged reports whether an ARN is that of a policy of AWS.
func isAWSManaged(arn string) bool { return strings.Contains(arn, ":iam::aws:policy/") }
