package aws

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"assay/internal/estate"
)

// failure is a call that gave no answer, and why.
type failure struct {
	place     string // account/region
	operation string // lambda:GetPolicy, as the API calls it
	action    string // the IAM action that the call needs
	item      string // what was asked about; empty: all
	code      string // AWS's error code; empty when no answer came
	reason    string // in our words, without place and item
	denied    bool   // for want of a permission
	cause     error
}

func (f *failure) Error() string {
	return fmt.Sprintf("%s in %s: %s", f.operation, f.place, f.reason)
}

func (f *failure) Unwrap() error { return f.cause }

// gap is what a value that the call would have given says of itself.
func (f *failure) gap() *estate.Value {
	if f.denied {
		return estate.Denied(f.reason, f.permission())
	}
	return estate.Unread(f.reason, f.permission())
}

// permission is the action and what it would have to be allowed on.
func (f *failure) permission() string {
	if f.item == "" {
		return f.action
	}
	return f.action + " on " + f.item
}

// hint says what a person can do about it.
func (f *failure) hint() string {
	switch {
	case f.denied && strings.Contains(f.reason, " by "):
		_, by, _ := strings.Cut(f.reason, " by ")
		return "have " + f.permission() + " allowed by " + by // a grant alone would not help
	case f.denied:
		return "grant " + f.permission()
	case f.code == codeCap:
		return "raise --max-calls"
	case f.reason == reasonInterrupted:
		return "run it again"
	case f.reason == reasonExpired:
		return "get new credentials that last as long as the run, or name a --role, whose are renewed"
	case throttled(f.code):
		return "lower --rate, or run it when less else asks this account"
	}
	return ""
}

const (
	reasonInterrupted = "interrupted before it was read"
	reasonExpired     = "the credentials expired"
	reasonUnreadable  = "the answer could not be read"
	codeCap           = "TooManyCalls" // ours, not AWS's
)

// throttled reports whether a code says that a service is asked too much.
func throttled(code string) bool {
	_, is := retry.DefaultThrottleErrorCodes[code]
	return is
}

// denials are the codes for want of a permission.
var denials = []string{
	"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException", "Client.UnauthorizedOperation",
	"KMSAccessDeniedException", "NotAuthorized", "UnauthorizedAccess", "UnauthorizedOperation", "Forbidden", "ForbiddenException",
}

// closed are the codes of a region or service that the account has not switched
// on, whose credentials are otherwise good.
var closed = []string{"InvalidClientTokenId", "OptInRequired", "SubscriptionRequiredException", "UnrecognizedClientException", "AuthFailure"}

// explain turns the error of a call into a failure. Context errors count as
// interruptions: what was read so far is kept.
func explain(err error, place, operation, action string) *failure {
	f := &failure{place: place, operation: operation, action: action, cause: err}
	var api smithy.APIError
	var timeout net.Error
	var response *smithyhttp.ResponseError
	switch {
	case errors.Is(err, context.Canceled):
		f.reason = reasonInterrupted
	case errors.As(err, &api):
		f.code = api.ErrorCode()
		f.reason, f.denied = meaning(api)
	case errors.Is(err, errUndeclared):
		f.reason = err.Error()
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		f.reason = "no answer in time"
	case errors.As(err, &response) && response.HTTPStatusCode() == http.StatusForbidden:
		f.reason, f.denied = "not allowed", true
	case errors.As(err, &response) && response.HTTPStatusCode() >= 400:
		f.reason = fmt.Sprintf("AWS failed to answer (HTTP %d)", response.HTTPStatusCode())
	case isUnreadable(err):
		f.reason = reasonUnreadable
	default:
		f.reason = "no answer: " + innermost(err).Error()
	}
	return f
}

// meaning says in our words why AWS refused.
func meaning(api smithy.APIError) (reason string, denied bool) {
	code, message := api.ErrorCode(), api.ErrorMessage()
	switch {
	case slices.Contains(denials, code):
		return "not allowed" + refuser(message), true
	case code == codeCap:
		return message, false
	case throttled(code):
		return "throttled for as long as it was tried", false
	case slices.Contains(closed, code):
		return "the region or service is not switched on for the account (" + code + ")", false
	case code == "ExpiredToken" || code == "ExpiredTokenException" || code == "RequestExpired":
		return reasonExpired, false
	case api.ErrorFault() == smithy.FaultServer || strings.HasPrefix(code, "Internal") || code == "ServiceUnavailable":
		return "AWS failed to answer (" + code + ")", false
	}
	return "refused (" + code + ")", false
}

// refusers are the kinds of policy that AWS's access-denied messages name.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
var refusers = []struct{ cue, by string }{
	{"service control policy", " by a service control policy of the organisation"},
	{"resource control policy", " by a resource control policy of the organisation"},
	{"permissions boundary", " by the permissions boundary"},
	{"session policy", " by the session policy"},
	{"VPC endpoint policy", " by the VPC endpoint's policy"},
	{"resource-based policy", " by the resource's policy"},
}

func refuser(message string) string {
	for _, r := range refusers {
		if strings.Contains(message, r.cue) {
			return r.by
		}
	}
	return ""
}

// isUnreadable reports whether an answer came that is not what the service
// promises: cut short, or not in its form.
func isUnreadable(err error) bool {
	var e *smithy.DeserializationError
	return errors.As(err, &e)
}

func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// none reports whether err says that there is no such thing, by one of the
// codes that the operation has for it.
func none(err error, codes ...string) bool {
	var f *failure
	return errors.As(err, &f) && slices.Contains(codes, f.code)
}
