package estate

import "strings"

// Find is the resource that a reference in the scope points at: one of its own,
// or of a scope that is tied to it. Nil when there is none.
func (s *Scope) Find(id string) *Resource { return s.find(id) }

// Place is the region and account that the scope's resources are in; "" is not
// known.
func (s *Scope) Place() (region, account string) { return s.place.region, s.place.account }

// Name is the resource's name as its source states it, or the reference to
// itself where AWS makes the name up.
func (r *Resource) Name() *Value { return resolver{r.scope}.nameOf(r) }

// placeless says which parts of an ARN the resources of a service leave empty.
// source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
var placeless = map[string]struct{ region, account bool }{
	"iam":        {region: true},
	"s3":         {region: true, account: true},
	"apigateway": {account: true},
}

// ARN is the resource's ARN with what is not known as holes: its partition,
// region and account as pseudo parameters, a name that AWS makes up as the
// reference to it. Nil for a type whose ARNs are not known.
func (r *Resource) ARN() *Value {
	if strings.HasPrefix(r.ID, "arn:") {
		return String(r.ID)
	}
	service, tail, found := strings.Cut(r.scope.model.edges.Identities[r.Type].ARN, ":")
	if !found || strings.Contains(tail, "*") {
		return nil
	}
	before, after, _ := strings.Cut(tail, "{name}")
	region, account := pseudo("AWS::Region", r.scope.place.region), pseudo("AWS::AccountId", r.scope.place.account)
	if placeless[service].region {
		region = String("")
	}
	if placeless[service].account {
		account = String("")
	}
	name := []*Value{r.Name()}
	switch {
	case service == "iam":
		if path := r.Properties.Field("Path"); path != nil {
			if text, known := path.Scalar(); known {
				path = String(strings.TrimPrefix(text, "/"))
			}
			name = []*Value{path, r.Name()}
		}
	case service == "ssm":
		if text, known := name[0].Scalar(); known {
			name[0] = String(strings.TrimPrefix(text, "/")) // parameter/a/b is /a/b
		}
	case r.Type == "AWS::SecretsManager::Secret" && r.Name().Kind() != KindReference:
		name = append(name, String("-"), Ref(r.LogicalID, "Ref")) // six characters that AWS adds
	}
	if name[0].Kind() == KindOneOf {
		// Which of the names it is, is not known, but it is the same wherever it stands.
		name[0] = UnknownText("name of "+r.LogicalID+" is not decided", name[0].Input())
	}
	parts := []*Value{String("arn:"), pseudo("AWS::Partition", ""), String(":" + service + ":"), region, String(":"), account, String(":" + before)}
	return Text(append(append(parts, name...), String(after))...)
}

func pseudo(name, known string) *Value {
	if known != "" {
		return String(known)
	}
	return UnknownText(ReasonPseudoParameter, name)
}
