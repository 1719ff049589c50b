package iam

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// RequestSpec is a request as a caller states it.
type RequestSpec struct {
	// Principal is an ARN, a service name, an identity provider or "anonymous".
	Principal string
	Action    string // service:Name
	Resource  string // an ARN, or "*" for an action without a resource
	// ResourceAccount owns the resource; "" takes the account of the ARN.
	ResourceAccount string
	// Context holds condition keys, in any case, with their values. A key with no
	// values is absent.
	Context map[string][]string
	// ContextComplete says that every key that is not stated is absent.
	ContextComplete bool
	// Unknown are keys of which nothing is known, whether they are there or not,
	// even though the context is complete. What is stated wins.
	Unknown []string
}

// presence says what is known of a context key.
type presence uint8

const (
	unstated presence = iota
	absent
	present
)

// contextValue is what is known of one key.
type contextValue struct {
	values  []string
	absent  bool
	unknown bool
}

// requestContext is what is known of the keys of a request. They are a dozen or
// two, among which looking is quicker than hashing, and above all than making a
// map for every request.
type requestContext []contextKey

type contextKey struct {
	key string // in lower case
	contextValue
}

func (c requestContext) of(key string) (contextValue, bool) {
	for i := range c {
		if c[i].key == key {
			return c[i].contextValue, true
		}
	}
	return contextValue{}, false
}

// put sets a key, in place of what was known of it.
func (c *requestContext) put(key string, v contextValue) {
	for i := range *c {
		if (*c)[i].key == key {
			(*c)[i].contextValue = v
			return
		}
	}
	*c = append(*c, contextKey{key, v})
}

// Request is a request prepared for decisions. It does not change and is safe
// for many goroutines.
type Request struct {
	Spec    RequestSpec
	caller  Caller
	action  string // in lower case
	service string
	// serviceHash is that of service, by which policies find their statements.
	serviceHash uint32
	name        string
	resource    arn
	// account owns the resource; known is set when that is certain.
	account      string
	accountKnown bool
	context      requestContext
	complete     bool
	holes        bool // some text of the request has holes
	kind         requestKind
	rcp          bool // resource control policies support the service
	buckets      bool // the resource is all buckets
	awsOwned     bool // a change to what AWS alone may change
}

// requestKind are the actions with rules of their own.
type requestKind uint8

const (
	ordinary       requestKind = iota
	keyUse                     // on a KMS key: the key policy is needed always
	roleAssumption             // on a role's trust policy
	callerIdentity             // sts:GetCallerIdentity: cannot be denied
	sessionToken               // sts:GetSessionToken: no policy controls it for users
	bucketPolicy               // on a bucket's policy: which cannot shut out its owner's root user
)

// NewRequest prepares a request. data may be nil; then every action takes a
// resource and the services of resource control policies are not known.
func NewRequest(spec RequestSpec, data *Data) (*Request, error) {
	r := &Request{Spec: spec, complete: spec.ContextComplete}
	var ok bool
	if r.caller, ok = ParseCaller(spec.Principal); !ok {
		return nil, fmt.Errorf("principal %q; expected the ARN of a user, role, session, account root or identity provider, a service name such as lambda.amazonaws.com, or anonymous", spec.Principal)
	}
	r.action = lower(spec.Action)
	if r.service, r.name, ok = strings.Cut(r.action, ":"); !ok || r.service == "" || r.name == "" {
		return nil, fmt.Errorf("action %q; expected service:Name, such as lambda:InvokeFunction", spec.Action)
	}
	r.serviceHash = hashOf(r.service)
	if spec.Resource == "" {
		return nil, fmt.Errorf("no resource; expected an ARN, or \"*\" for an action without a resource")
	}
	r.resource = splitARN(spec.Resource)
	action := data.action(r.service, r.name)
	general := action != nil && len(action.Resources) == 0
	switch {
	case general && r.action == "s3:listallmybuckets":
		// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
		r.buckets = true
		r.resource = splitARN("arn:" + cmp.Or(r.caller.part, "aws") + ":s3:::*")
	case general:
		r.resource = anyResource // AWS authorises it against no resource
	}
	if r.service == "sts" && strings.HasPrefix(r.name, "assumerolewith") && r.caller.Kind == Service {
		r.caller = Caller{Kind: Federated, Name: r.caller.Name}
	}
	r.owner(general)
	r.kind = r.special()
	r.rcp = data.supportsRCP(r.service) && r.action != "kms:retiregrant"
	r.awsOwned = r.changesAWSOwned(action)
	r.context = r.contextOf()
	r.holes = hasHole(spec.Action) || hasHole(spec.Resource) || hasHole(spec.Principal) || hasHole(r.account)
	for _, v := range r.context {
		r.holes = r.holes || slices.ContainsFunc(v.values, hasHole)
	}
	return r, nil
}

// owner finds the account of the resource; general is set where there is none.
func (r *Request) owner(general bool) {
	r.account, r.accountKnown = r.Spec.ResourceAccount, true
	if r.account == "" && r.resource.ok && r.resource.parts[4] != "aws" {
		r.account = r.resource.parts[4] // what AWS owns, callers reach as if it were theirs
	}
	if r.account == "" {
		r.account = r.stated("aws:resourceaccount")
	}
	if r.account == "" {
		// "*" is in the caller's account; an ARN without an account may be
		// anywhere.
		r.account, r.accountKnown = r.caller.Account, general || !r.resource.ok || r.complete
	}
}

// stated is the one value that the context states for a key, or "".
func (r *Request) stated(key string) string {
	for k, values := range r.Spec.Context {
		if len(values) == 1 && strings.EqualFold(k, key) {
			return values[0]
		}
	}
	return ""
}

func (r *Request) special() requestKind {
	switch {
	case r.action == "sts:getcalleridentity":
		return callerIdentity
	case r.action == "sts:getsessiontoken":
		return sessionToken
	case r.service == "sts" && r.resource.ok && r.resource.parts[2] == "iam" && strings.HasPrefix(r.resource.parts[5], "role/"):
		return roleAssumption
	case (r.service == "s3" || r.service == "s3express") && (r.name == "getbucketpolicy" || r.name == "putbucketpolicy" || r.name == "deletebucketpolicy"):
		return bucketPolicy
	case r.service == "kms" && r.resource.ok && strings.HasPrefix(r.resource.parts[5], "key/"):
		return keyUse
	}
	return ordinary
}

// changesAWSOwned reports whether the request changes what belongs to AWS: its
// managed policies, its roles and its key aliases.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html
func (r *Request) changesAWSOwned(a *Action) bool {
	if !r.resource.ok {
		return false
	}
	tail := r.resource.parts[5]
	switch r.service {
	case "kms":
		return strings.HasPrefix(tail, "alias/aws/") && (r.name == "createalias" || r.name == "updatealias" || r.name == "deletealias")
	case "iam":
		if !changes(a, r.name) {
			return false
		}
		switch {
		case strings.HasPrefix(tail, "policy/") && r.resource.parts[4] == "aws":
			return true
		case strings.HasPrefix(tail, "role/aws-reserved/"):
			return r.name != "passrole"
		case strings.HasPrefix(tail, "role/aws-service-role/"):
			return r.name != "passrole" && r.name != "createservicelinkedrole" && r.name != "deleteservicelinkedrole" && r.name != "updateroledescription"
		}
	}
	return false
}

// changes reports whether an action writes.
func changes(a *Action, name string) bool {
	if a != nil {
		return a.Writes()
	}
	for _, verb := range []string{"get", "list", "simulate", "generate"} {
		if strings.HasPrefix(name, verb) {
			return false
		}
	}
	return true
}

// contextOf joins what the request states with what follows from its
// principal and resource. What is stated wins.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
func (r *Request) contextOf() requestContext {
	m := make(requestContext, 0, len(r.Spec.Context)+len(r.Spec.Unknown)+18)
	texts := make([]string, 0, 8) // one after the other, so that they are made at once
	set := func(key, value string) {
		texts = append(texts, value)
		m.put(key, contextValue{values: texts[len(texts)-1 : len(texts) : len(texts)]})
	}
	gone := func(keys ...string) {
		for _, k := range keys {
			m.put(k, contextValue{absent: true})
		}
	}
	c := &r.caller
	if c.Kind != Service {
		gone("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths") // of calls by services alone
	}
	switch c.Kind {
	case Service:
		set("aws:principalservicename", c.Name)
		set("aws:principalisawsservice", "true")
		gone("aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:username", "aws:principaltype", "aws:multifactorauthpresent", "aws:multifactorauthage")
	case Anonymous:
		set("aws:principaltype", "Anonymous")
		set("aws:userid", "anonymous")
		set("aws:principalisawsservice", "false")
		gone("aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:username", "aws:multifactorauthpresent", "aws:multifactorauthage")
	case OriginAccess:
		set("aws:principalarn", c.ARN)
		set("aws:principalisawsservice", "false")
		gone("aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths", "aws:username", "aws:multifactorauthpresent", "aws:multifactorauthage")
	case Federated:
		set("aws:principalisawsservice", "false")
		gone("aws:username", "aws:principalorgid", "aws:principalorgpaths")
		if c.ARN != "" {
			set("aws:federatedprovider", c.ARN)
		} else {
			set("aws:federatedprovider", c.Name)
		}
	default:
		set("aws:principalaccount", c.Account)
		set("aws:principalisawsservice", "false")
		r.contextOfMember(set, gone)
	}
	if c.Kind != Service {
		gone("aws:principalservicename", "aws:principalservicenameslist")
	}
	if r.accountKnown && r.account != "" {
		set("aws:resourceaccount", r.account)
		if r.service == "s3" {
			set("s3:resourceaccount", r.account)
		}
	}
	if r.service == "kms" && c.member() {
		set("kms:calleraccount", c.Account)
	}
	for _, key := range r.Spec.Unknown {
		m.put(lower(key), contextValue{unknown: true})
	}
	for key, values := range r.Spec.Context {
		m.put(lower(key), contextValue{values: values, absent: len(values) == 0})
	}
	return m
}

func (r *Request) contextOfMember(set func(key, value string), gone func(keys ...string)) {
	c := &r.caller
	switch c.Kind {
	case RootUser:
		set("aws:principaltype", "Account")
		set("aws:principalarn", c.ARN)
		set("aws:userid", c.Account)
		gone("aws:username", "aws:federatedprovider")
	case User:
		set("aws:principaltype", "User")
		set("aws:principalarn", c.ARN)
		set("aws:username", c.Name)
		gone("aws:federatedprovider")
	case FederatedUser:
		set("aws:principaltype", "FederatedUser")
		set("aws:principalarn", c.ARN)
		set("aws:userid", c.Account+":"+c.Name)
		gone("aws:username")
	case Role:
		set("aws:principaltype", "AssumedRole")
		set("aws:principalarn", c.ARN)
		gone("aws:username")
	case RoleSession:
		set("aws:principaltype", "AssumedRole")
		gone("aws:username")
		// The role's ARN, but the session does not show the role's path.
		path := strings.TrimPrefix(c.path, "/")
		if path == "" && !r.complete {
			path = pathHole
		}
		set("aws:principalarn", "arn:"+c.part+":iam::"+c.Account+":role/"+path+c.Name)
	default:
	}
}

// pathHole stands for the path of a role, from behind its first slash. Compared
// with any text, it may be empty.
var pathHole = Hole(OpenHole, MaxHole-1)
