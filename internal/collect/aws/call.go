package aws

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
)

// errUndeclared is a call that a read does not declare. It is a fault of this
// package, and tests that reach the call find it.
var errUndeclared = errors.New("the call is not declared by the collector")

// actionKey is the context key of the IAM action that a call needs, by which
// calls are counted.
type actionKey struct{}

// do sends one request: within the rate, retried, counted. The error is nil or
// a *failure. action is the IAM action that the call needs, which is not always
// named like the operation.
func do[In, Out, Opt any](ctx context.Context, s *scope, action string,
	call func(context.Context, *In, ...func(*Opt)) (*Out, error), in *In) (*Out, error) {
	operation := strings.TrimSuffix(reflect.TypeFor[In]().Name(), "Input")
	if err := s.permits(action); err != nil {
		return nil, explain(err, s.where(), operation, action)
	}
	out, err := call(context.WithValue(ctx, actionKey{}, action), in)
	if err != nil {
		return nil, s.failed(ctx, err, operation, action)
	}
	return out, nil
}

// pager is one of the SDK's paginators.
type pager[Out, Opt any] interface {
	HasMorePages() bool
	NextPage(context.Context, ...func(*Opt)) (*Out, error)
}

// each sends a request for every page and hands the pages to f. The error is
// nil, a *failure, or that of f; pages before it have been handed on.
func each[Out, Opt any](ctx context.Context, s *scope, action string, pages pager[Out, Opt], f func(*Out) error) error {
	operation := strings.TrimSuffix(reflect.TypeFor[Out]().Name(), "Output")
	if err := s.permits(action); err != nil {
		return explain(err, s.where(), operation, action)
	}
	for pages.HasMorePages() {
		out, err := pages.NextPage(context.WithValue(ctx, actionKey{}, action))
		if err != nil {
			return s.failed(ctx, err, operation, action)
		}
		s.paged()
		if err := f(out); err != nil {
			return err
		}
	}
	return nil
}

// failed is the failure of a call of the scope's read.
func (s *scope) failed(ctx context.Context, err error, operation, action string) *failure {
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	service, _, _ := strings.Cut(action, ":")
	return explain(err, s.where(), service+":"+operation, action)
}

// odd is the failure of a call whose answer lacks what the service promises.
func (s *scope) odd(operation, action string) *failure {
	service, _, _ := strings.Cut(action, ":")
	return &failure{place: s.where(), operation: service + ":" + operation, action: action, reason: reasonUnreadable}
}

// permits refuses a call that the read does not declare.
func (s *scope) permits(action string) error {
	if s.read != nil && !slices.Contains(s.read.actions, action) {
		return fmt.Errorf("%w: %s", errUndeclared, action)
	}
	return nil
}

// about is the failure with what was asked about.
func about(err error, item string) *failure {
	var f *failure
	if !errors.As(err, &f) {
		f = &failure{reason: err.Error(), cause: err}
	}
	g := *f
	g.item = item
	return &g
}

// capped is the error of a call past the cap.
func capped(limit int64) error {
	return &smithy.GenericAPIError{Code: codeCap, Message: fmt.Sprintf("the cap of %d calls was reached", limit)}
}

// ended is the failure of a read that was interrupted; nil while it goes on.
func (s *scope) ended(ctx context.Context, action string) error {
	if ctx.Err() == nil {
		return nil
	}
	_, operation, _ := strings.Cut(action, ":")
	return s.failed(ctx, ctx.Err(), operation, action)
}

// tokens are the pages of an operation that the SDK has no paginator for.
type tokens[In, Out, Opt any] struct {
	call  func(context.Context, *In, ...func(*Opt)) (*Out, error)
	in    *In
	token **string           // the request's
	next  func(*Out) *string // the answer's
	ended bool
}

func paging[In, Out, Opt any](call func(context.Context, *In, ...func(*Opt)) (*Out, error), in *In, token **string, next func(*Out) *string) *tokens[In, Out, Opt] {
	return &tokens[In, Out, Opt]{call: call, in: in, token: token, next: next}
}

// HasMorePages reports whether the last answer had a token that was not the one
// before it.
func (t *tokens[In, Out, Opt]) HasMorePages() bool { return !t.ended }

// NextPage asks for the next page.
func (t *tokens[In, Out, Opt]) NextPage(ctx context.Context, options ...func(*Opt)) (*Out, error) {
	out, err := t.call(ctx, t.in, options...)
	if err != nil {
		return nil, err
	}
	next := t.next(out)
	before := *t.token
	t.ended = next == nil || *next == "" || before != nil && *before == *next
	*t.token = next
	return out, nil
}

// orPerhaps is [scope.orLost] for what others name by an ARN.
func (s *scope) orPerhaps(err error, typ, arn string, known fields, codes ...string) error {
	switch {
	case err == nil || none(err, codes...):
		return nil
	case over(err):
		return err
	}
	s.perhaps(typ, arn, known, err)
	return nil
}

// orLost records that a part of something may exist that a call would have
// shown ([scope.lost]). It gives the error back when that ends the read, and
// nothing when the code says that there is none.
func (s *scope) orLost(err error, typ, id string, known fields, codes ...string) error {
	switch {
	case err == nil || none(err, codes...):
		return nil
	case over(err):
		return err
	}
	s.lost(typ, id, known, err)
	return nil
}
