package check

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"assay/internal/estate"
)

// QuestionKind is one of the hard questions that expressions can ask and that
// the language leaves to an engine.
type QuestionKind uint8

// The questions, by the function that asks each.
const (
	// May: may the role (subject) do each of Actions to Object, or to the resource
	// that Texts[0] names? role.may(["sqs:SendMessage"], queue); "*" for an action
	// that takes no resource
	May QuestionKind = iota + 1
	// Trusts: can the service Texts[0] assume the role? role.trusts("lambda.amazonaws.com")
	Trusts
	// TrustsOnly: can nobody but the services Texts assume the role?
	TrustsOnly
	// Administers: may the role change permissions of every kind, everywhere in
	// its account? role.administers()
	Administers
	// Lets: does the subject's own policy let the service Texts[0] do Texts[1] on
	// behalf of Object, or of the resource that Texts[2] names?
	// queue.lets("sns.amazonaws.com", "sqs:SendMessage", topic)
	// Of a function, a last text is the ARN or name that is called, which may be
	// that of an alias.
	Lets
	// LetsStrangers: does the permission (subject) let in another account, or a
	// service that acts for one? permission.letsStrangers()
	LetsStrangers
	// AnswersAnyone: does the function URL (subject) let in a caller without
	// credentials, where the rule that asks for two permissions does not bind?
	// url.answersAnyone()
	AnswersAnyone
	// OpenTo: can somebody of at least the reach Texts[0] (organization,
	// named-accounts, any-account or anyone) use the subject, by any of its
	// actions, aliases and URLs, with credentials of its own or with none?
	// queue.openTo("any-account")
	OpenTo
	// MayAnywhere: may the role (subject) do one of Actions on a resource that no
	// policy names? role.mayAnywhere(["kms:Decrypt"])
	MayAnywhere
	// MayEvery: may the role do every action of the service Texts[0], on resources
	// that no policy names? role.mayEvery("kms")
	MayEvery
	// ChangesAnywhere: may the role change something on a resource that no policy
	// names, by an action that could be held to resources, that is not among Texts and
	// that no policy of AWS there grants; attached ones under a path there, which ends
	// in a slash, are left aside? role.changesAnywhere(["arn:aws:iam::aws:policy/…"])
	ChangesAnywhere
	// PassesBeyond: may the role pass some role to a service that is not among
	// Texts? role.passesBeyond(["lambda.amazonaws.com"])
	PassesBeyond
	// Escalates: can whoever acts as the role (subject) come to more power, by
	// requests that it may make? role.escalates()
	Escalates
	// InvitesEscalation: can somebody who may do less than the function's role make
	// the function (subject) run what they want? function.invitesEscalation()
	InvitesEscalation
	// PassesToAny: may the role pass some role to whatever service?
	// role.passesToAny()
	PassesToAny
	// PermitsAnywhere: may the role change who may use a resource that no policy
	// names? role.permitsAnywhere()
	PermitsAnywhere
	// HoldsService: is there a resource to which the role may do all that the service
	// can do to its like? role.holdsService()
	HoldsService
	// CodeMayAnywhere: may the code of a function with the role do one of Actions on
	// a resource that no policy names? role.codeMayAnywhere(["ec2:CreateNetworkInterface"])
	CodeMayAnywhere
	// ServesStrangers: does the subject's own policy let a service act there for
	// another account: any service, or of a role those among Texts?
	// queue.servesStrangers(), role.servesStrangers(["states.amazonaws.com"])
	ServesStrangers
	// TrustsToken: can the role be assumed with a token of the identity provider
	// Texts[0] for the subject Texts[1], who is a stranger?
	// role.trustsToken("token.actions.githubusercontent.com", "repo:a/b:ref:refs/heads/main")
	TrustsToken
	// RefusesPlain: does the subject's own policy refuse Actions without TLS,
	// whoever of its account asks? queue.refusesPlain(["sqs:SendMessage"])
	RefusesPlain
	// UsableAnywhere: do credentials of the role work from any address?
	// role.usableAnywhere()
	UsableAnywhere
	// ReachedBy: can callers of the kind Texts[0], one of [Exposures], or of a
	// wider one call the function (subject)? function.reachedBy("internet")
	ReachedBy
)

// Question is a question about resources.
type Question struct {
	Kind    QuestionKind
	Subject *estate.Resource
	Actions []string
	// Texts are arguments that are texts; those that are not wholly known may
	// have holes. They stand in Scope.
	Texts  []*estate.Value
	Scope  *estate.Scope
	Object *estate.Resource
	View   View
}

// View is the estate under the choices that an evaluation has made.
type View interface {
	// Resolve applies the choices to a value. open is set when an input without a
	// choice decides what it is; a nil value is absent.
	Resolve(v *estate.Value) (resolved *estate.Value, open bool)
	// Related lists the resources at the edges of one name, and why others may be
	// there that were not read.
	Related(r *estate.Resource, edge string) ([]*estate.Resource, []estate.Gap)
	// Plain reports whether no open input has had a say so far: what was found is
	// the same under all choices.
	Plain() bool
}

// Answer is what an engine says to a question.
type Answer struct {
	Truth estate.Truth
	// Missing is what would settle an answer that is Maybe.
	Missing []estate.Gap
	// Reads are what decided: the statements that matched, or the request that
	// was refused.
	Reads []Read
}

// Asker answers questions. One is for one goroutine and one group of scopes.
type Asker interface {
	Ask(q *Question) Answer
}

// Setting is what an evaluation stands on, beside the resource.
type Setting struct {
	AsOf string // the date judged by, ISO 8601
	// Parameters are the values that param() reads. Nil: the defaults.
	Parameters Values
	// Asker answers the hard questions. Without one they are unknown.
	Asker Asker
}

// Resolve implements [View].
func (ev *evaluation) Resolve(v *estate.Value) (*estate.Value, bool) { return ev.resolve(v) }

// Plain implements [View].
func (ev *evaluation) Plain() bool { return len(ev.assigned) == 0 && len(ev.open) == 0 }

// Related implements [View].
func (ev *evaluation) Related(r *estate.Resource, edge string) (found []*estate.Resource, gaps []estate.Gap) {
	before := len(ev.reads)
	list, ok := ev.related(r, edge).(*listVal)
	ev.reads = ev.reads[:before]
	if !ok {
		return nil, nil
	}
	for _, v := range list.all() {
		if m, ok := v.(*mapVal); ok {
			found = append(found, m.res)
			continue
		}
		if h, _, ok := ev.hole(v); ok {
			gaps = append(gaps, h.value.Gap())
		}
	}
	return found, gaps
}

// wideFunctions ask questions that look at every principal of the group of scopes,
// whatever the subject is. An engine that answers many of them works out once what
// they have in common.
var wideFunctions = []string{"escalates", "invitesEscalation"}

// roleType and its like are what questions are asked of.
var (
	roleType       = cel.ObjectType(typeName("AWS::IAM::Role"))
	urlType        = cel.ObjectType(typeName("AWS::Lambda::Url"))
	functionType   = cel.ObjectType(typeName("AWS::Lambda::Function"))
	permissionType = cel.ObjectType(typeName("AWS::Lambda::Permission"))
)

// policyHolders are the types whose own policy [Lets] can ask.
var policyHolders = []string{"AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Lambda::Function", "AWS::SecretsManager::Secret"}

// exposed are the types that [OpenTo] can ask about.
var exposed = []string{
	"AWS::Lambda::Function", "AWS::Lambda::LayerVersion", "AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SecretsManager::Secret",
	"AWS::ECR::Repository", "AWS::Events::EventBus", "AWS::Kinesis::Stream", "AWS::DynamoDB::Table", "AWS::Logs::Destination", "AWS::Logs::ResourcePolicy", "AWS::IAM::Role",
}

// plainRefusers are the types whose own policy [RefusesPlain] can ask.
var plainRefusers = []string{"AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::S3::Bucket", "AWS::EFS::FileSystem"}

// questions declares the functions.
func questions() []cel.EnvOption {
	var lets, reachable, serves []cel.FunctionOpt
	for _, t := range exposed {
		reachable = append(reachable, cel.MemberOverload("opento_"+typeName(t), []*cel.Type{cel.ObjectType(typeName(t)), cel.StringType}, cel.BoolType))
		args := []*cel.Type{cel.ObjectType(typeName(t))}
		if t == "AWS::IAM::Role" {
			args = append(args, cel.ListType(cel.StringType))
		}
		serves = append(serves, cel.MemberOverload("servesstrangers_"+typeName(t), args, cel.BoolType))
	}
	for _, t := range policyHolders {
		lets = append(lets, cel.MemberOverload("lets_"+typeName(t), []*cel.Type{cel.ObjectType(typeName(t)), cel.StringType, cel.StringType, cel.DynType}, cel.BoolType))
	}
	const function = "AWS::Lambda::Function"
	lets = append(lets, cel.MemberOverload("letsat_"+typeName(function), []*cel.Type{cel.ObjectType(typeName(function)), cel.StringType, cel.StringType, cel.DynType, cel.DynType}, cel.BoolType))
	var refuses []cel.FunctionOpt
	for _, t := range plainRefusers {
		refuses = append(refuses, cel.MemberOverload("refusesplain_"+typeName(t), []*cel.Type{cel.ObjectType(typeName(t)), cel.ListType(cel.StringType)}, cel.BoolType))
	}
	return []cel.EnvOption{
		cel.Function("refusesPlain", refuses...),
		cel.Function("usableAnywhere", cel.MemberOverload("usableanywhere_role", []*cel.Type{roleType}, cel.BoolType)),
		cel.Function("may", cel.MemberOverload("may_role", []*cel.Type{roleType, cel.ListType(cel.StringType), cel.DynType}, cel.BoolType)),
		cel.Function("trusts", cel.MemberOverload("trusts_role", []*cel.Type{roleType, cel.StringType}, cel.BoolType)),
		cel.Function("trustsOnly", cel.MemberOverload("trustsonly_role", []*cel.Type{roleType, cel.ListType(cel.StringType)}, cel.BoolType)),
		cel.Function("administers", cel.MemberOverload("administers_role", []*cel.Type{roleType}, cel.BoolType)),
		cel.Function("lets", lets...),
		cel.Function("openTo", reachable...),
		cel.Function("mayAnywhere", cel.MemberOverload("mayanywhere_role", []*cel.Type{roleType, cel.ListType(cel.StringType)}, cel.BoolType)),
		cel.Function("mayEvery", cel.MemberOverload("mayevery_role", []*cel.Type{roleType, cel.StringType}, cel.BoolType)),
		cel.Function("changesAnywhere", cel.MemberOverload("changesanywhere_role", []*cel.Type{roleType, cel.ListType(cel.StringType)}, cel.BoolType)),
		cel.Function("servesStrangers", serves...),
		cel.Function("trustsToken", cel.MemberOverload("truststoken_role", []*cel.Type{roleType, cel.StringType, cel.StringType}, cel.BoolType)),
		cel.Function("passesToAny", cel.MemberOverload("passestoany_role", []*cel.Type{roleType}, cel.BoolType)),
		cel.Function("permitsAnywhere", cel.MemberOverload("permitsanywhere_role", []*cel.Type{roleType}, cel.BoolType)),
		cel.Function("holdsService", cel.MemberOverload("holdsservice_role", []*cel.Type{roleType}, cel.BoolType)),
		cel.Function("codeMayAnywhere", cel.MemberOverload("codemayanywhere_role", []*cel.Type{roleType, cel.ListType(cel.StringType)}, cel.BoolType)),
		cel.Function("passesBeyond", cel.MemberOverload("passesbeyond_role", []*cel.Type{roleType, cel.ListType(cel.StringType)}, cel.BoolType)),
		cel.Function("escalates", cel.MemberOverload("escalates_role", []*cel.Type{roleType}, cel.BoolType)),
		cel.Function("invitesEscalation", cel.MemberOverload("invitesescalation_function", []*cel.Type{functionType}, cel.BoolType)),
		cel.Function("answersAnyone", cel.MemberOverload("answersanyone_url", []*cel.Type{urlType}, cel.BoolType)),
		cel.Function("reachedBy", cel.MemberOverload("reachedby_function", []*cel.Type{functionType, cel.StringType}, cel.BoolType)),
		cel.Function("letsStrangers", cel.MemberOverload("letsstrangers_permission", []*cel.Type{permissionType}, cel.BoolType)),
	}
}

// ask is the implementation of a question: the subject, then texts, of which
// the last may be a resource.
func ask(kind QuestionKind) func(*evaluation, []ref.Val) ref.Val {
	return func(ev *evaluation, args []ref.Val) ref.Val {
		subject, ok := args[0].(*mapVal)
		if !ok || !subject.whole {
			if types.IsUnknown(args[0]) {
				return args[0]
			}
			return types.MaybeNoSuchOverloadErr(args[0])
		}
		q := &Question{Kind: kind, Subject: subject.res, Scope: ev.scope, View: ev}
		rest := args[1:]
		if kind == May || kind == MayAnywhere || kind == CodeMayAnywhere || kind == RefusesPlain {
			for _, action := range flat(args[1:2]) {
				text, ok := action.(types.String)
				if !ok {
					return types.NewErr("actions are written out")
				}
				q.Actions = append(q.Actions, string(text))
			}
			rest = args[2:]
		}
		for _, arg := range flat(rest) {
			if m, ok := arg.(*mapVal); ok && m.whole {
				q.Object = m.res
				continue
			}
			text, ok := ev.textOf(arg)
			if !ok {
				if types.IsUnknown(arg) {
					return arg
				}
				return types.MaybeNoSuchOverloadErr(arg)
			}
			q.Texts = append(q.Texts, text)
		}
		if ev.asker == nil {
			return ev.unknown(estate.Unknown("nobody was asked", "access engine"), "", false)
		}
		answer := ev.asker.Ask(q)
		if ev.record {
			ev.reads = append(ev.reads, answer.Reads...)
		}
		if answer.Truth != estate.Maybe {
			return types.Bool(answer.Truth == estate.True)
		}
		gaps := answer.Missing
		if len(gaps) == 0 {
			gaps = []estate.Gap{{Reason: "not decided", Input: "access of " + subject.res.LogicalID}}
		}
		var missing *types.Unknown
		for _, g := range gaps {
			missing, _ = types.MaybeMergeUnknowns(ev.unknown(estate.Unknown(g.Reason, g.Input).At(subject.res.Source), "", false), missing)
		}
		return missing
	}
}

// flat spreads lists among arguments.
func flat(args []ref.Val) []ref.Val {
	var all []ref.Val
	for _, a := range args {
		switch list := a.(type) {
		case *mapVal:
			all = append(all, a)
		case interface {
			Size() ref.Val
			Get(ref.Val) ref.Val
		}:
			n, ok := list.Size().(types.Int)
			if !ok {
				all = append(all, list.Size())
				continue
			}
			for i := range int(n) {
				all = append(all, list.Get(types.Int(i)))
			}
		default:
			all = append(all, a)
		}
	}
	return all
}
