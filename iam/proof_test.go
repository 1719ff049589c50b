package iam_test

import (
	"fmt"
	"testing"

	"assay/iam"
)

// allow is a document of one Allow of every action of the tiny service, with
// more members.
func allow(more string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"t:*",` + more + `}}`
}

// onKey is a document that allows under one condition.
func onKey(operator, key, values string) string {
	return allow(fmt.Sprintf(`"Resource":"*","Condition":{%q:{%q:%s}}`, operator, key, values))
}

func statements(list ...string) string {
	out := `{"Version":"2012-10-17","Statement":[`
	for i, s := range list {
		if i > 0 {
			out += ","
		}
		out += s
	}
	return out + "]}"
}

// Whether everything that a allows is allowed by b, where a simpler method errs.
// Each was answered wrongly once, or could have been.
func TestWithin(t *testing.T) {
	d := tinyData(t)
	const everything = `"Resource":"*"`
	byPrincipal := func(principal, more string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"t:*","Resource":"*",` + principal + more + `}}`
	}
	for _, c := range []struct{ name, a, b, want string }{
		{"a character that the solver may use itself", allow(`"Resource":"arn:aws:t:::a*"`), allow(`"Resource":"arn:aws:t:::a•"`), "unknown"},
		{"the solver's character in a condition", onKey("StringLike", "t:str", `"*"`), onKey("StringLike", "t:str", `["•"]`), "unknown"},
		{"a letter of three cases", onKey("StringEqualsIgnoreCase", "t:str", `"s"`), onKey("StringEquals", "t:str", `["s","S"]`), "refuted"},
		{"all three cases", onKey("StringEqualsIgnoreCase", "t:str", `"s"`), onKey("StringEquals", "t:str", `["s","S","ſ"]`), "proved"},
		{"the Kelvin sign", onKey("StringEqualsIgnoreCase", "t:str", `"k"`), onKey("StringEquals", "t:str", `["k","K"]`), "refuted"},
		{"a variable whose case does not matter", onKey("StringEqualsIgnoreCase", "t:str", `"${aws:username}"`), onKey("StringEquals", "t:str", `"${aws:username}"`), "unknown"},
		{"a variable whose case does matter", onKey("StringEquals", "t:str", `"${aws:username}"`), onKey("StringEqualsIgnoreCase", "t:str", `"${aws:username}"`), "proved"},
		{"a variable with colons in a part of an ARN", onKey("StringLike", "t:arn", `"arn:aws:t:${aws:username}:b:a"`), onKey("ArnLike", "t:arn", `"arn:aws:t:*:b:a"`), "unknown"},
		{"a variable with a default", onKey("StringEquals", "t:str", `"${aws:username, 'd'}"`), onKey("StringEquals", "t:str", `"${aws:username}"`), "refuted"},
		{"a variable of a resource", allow(`"Resource":"arn:aws:t:::${aws:username}/a"`), allow(`"Resource":"arn:aws:t:::${aws:username}/*"`), "proved"},
		{"ArnLike * beside a variable with a default", onKey("ArnLike", "t:arn", `["arn:aws:t:::${aws:username, 'd'}","*"]`), onKey("ArnLike", "t:arn", `["arn:aws:t:::${aws:username, 'd'}","*"]`), "proved"},
		{"ArnLike * and what is no ARN", onKey("ArnLike", "t:arn", `"*"`), onKey("ArnLike", "t:arn", `"arn:*:*:*:*:*"`), "refuted"},
		{"two numbers that differ little", onKey("NumericGreaterThan", "t:num", `"1"`), onKey("NumericGreaterThanEquals", "t:num", `"1.0000000000000000000000001"`), "refuted"},
		{"a small number", onKey("NumericEquals", "t:num", `"1e-30"`), onKey("NumericEquals", "t:num", `"0"`), "refuted"},
		{"between two seconds", onKey("DateGreaterThan", "t:date", `"2026-01-01T00:00:00Z"`), onKey("DateGreaterThanEquals", "t:date", `"2026-01-01T00:00:01Z"`), "refuted"},
		{"a time in milliseconds", onKey("DateLessThan", "t:date", `"1767225600000"`), onKey("DateLessThan", "t:date", `"9999-01-01T00:00:00Z"`), "refuted"},
		{"a date is no number", onKey("Null", "t:date", `"false"`), statements(
			`{"Effect":"Allow","Action":"t:*","Resource":"*","Condition":{"NumericLessThan":{"t:date":"5"}}}`,
			`{"Effect":"Allow","Action":"t:*","Resource":"*","Condition":{"NumericGreaterThanEquals":{"t:date":"5"}}}`), "refuted"},
		{"a number that is a date", statements(`{"Effect":"Allow","Action":"t:*","Resource":"*","Condition":{"NumericGreaterThan":{"t:date":"100"},"DateGreaterThan":{"t:date":"2026-01-01T00:00:00Z"}}}`), onKey("Null", "t:str", `"false"`), "refuted"},
		{"a name of one letter more", allow(everything), `{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"t:Get?","Resource":"*"}}`, "refuted"},
		{"a name that three patterns match", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"t:Ge*","Resource":"*"}}`, statements(
			`{"Effect":"Allow","NotAction":"t:*tag*","Resource":"*"}`, `{"Effect":"Allow","NotAction":"t:*bucket*","Resource":"*"}`), "refuted"},
		{"a name that does not end as all known ones do", allow(everything), `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"t:*t","Resource":"*"}}`, "refuted"},
		{"a star that ends a part of an ARN", allow(`"Resource":"arn:aws:t:*:a"`), allow(`"Resource":"arn:aws:t:*:*:a"`), "refuted"},
		{"a short ARN that ends in a star", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"t:*","Resource":"arn:aws:t*"}}`, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"t:*","Resource":"arn:aws:u*"}}`, "refuted"},
		{"an empty value is none", onKey("ForAllValues:StringEquals", "t:list", `"a"`), statements(
			`{"Effect":"Allow","Action":"t:*","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"t:list":"a"}}}`,
			`{"Effect":"Allow","Action":"t:*","Resource":"*","Condition":{"Null":{"t:list":"true"}}}`), "proved"},
		{"an empty value among others", onKey("ForAnyValue:StringEquals", "t:list", `""`), onKey("ForAnyValue:StringLike", "t:list", `"?*"`), "proved"},
		{"a variable with colons in both", onKey("StringLike", "t:arn", `"arn:aws:t:${aws:username}:b:a"`), onKey("ArnLike", "t:arn", `"arn:aws:t:${aws:username}:b:a"`), "unknown"},
		{"a variable in a part of two ARNs", onKey("ArnEquals", "t:arn", `"arn:aws:t:${aws:username}:b:a"`), onKey("ArnLike", "t:arn", `"arn:aws:t:*:b:a"`), "proved"},
		{"new names of the second of two statements", statements(`{"Effect":"Allow","NotAction":"t:G*","Resource":"*"}`, `{"Effect":"Allow","Action":"t:G*","Resource":"*"}`), statements(`{"Effect":"Allow","NotAction":"t:G*","Resource":"*"}`, `{"Effect":"Allow","Action":"t:Get","Resource":"*"}`), "refuted"},
		{"names that the table may come to have", allow(everything), `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["t:Get","t:Put","t:List"],"Resource":"*"}}`, "refuted"},
		{"new actions without a resource", allow(everything), statements(`{"Effect":"Allow","Action":"t:*","Resource":"arn:*:*:*:*:*"}`, `{"Effect":"Allow","Action":"t:List","Resource":"*"}`), "refuted"},
		{"every action of a service by name, and the rest", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, statements(
			`{"Effect":"Allow","Action":"t:*","Resource":"*"}`, `{"Effect":"Allow","NotAction":"t:*","Resource":"*"}`), "proved"},
		{"a short ARN excludes nothing in the policy of a resource",
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"t:*","NotResource":"arn:aws:t"}}`,
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"t:*","NotResource":"arn:aws:t:*:*:*"}}`, "refuted"},
		{"users named as the model names somebody", byPrincipal(`"NotPrincipal":{"AWS":"arn:aws:iam::111111111111:user/somebody"}`, `,"Condition":{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::111111111111:user/*"}}`), byPrincipal(`"Principal":"*"`, `,"Condition":{"Null":{"aws:PrincipalArn":"true"}}`), "refuted"},
		{"the account that the model gives resources to", byPrincipal(`"Principal":{"AWS":["444455556666","999988887777","999988888888"]}`, ""), byPrincipal(`"Principal":{"AWS":["999988887777","999988888888"]}`, ""), "refuted"},
		{"a service that a condition names", byPrincipal(`"Principal":"*"`, `,"Condition":{"StringEquals":{"aws:PrincipalServiceName":"x.amazonaws.com"}}`), byPrincipal(`"Principal":{"AWS":"111111111111"}`, ""), "refuted"},
		{"services by pattern", byPrincipal(`"Principal":"*"`, `,"Condition":{"StringLike":{"aws:PrincipalServiceName":"x.*"}}`), byPrincipal(`"Principal":{"AWS":"111111111111"}`, ""), "unknown"},
		{"accounts by pattern", byPrincipal(`"Principal":"*"`, `,"Condition":{"StringLike":{"aws:PrincipalAccount":"2*"}}`), byPrincipal(`"Principal":{"AWS":"111111111111"}`, ""), "unknown"},
		{"federated users", byPrincipal(`"Principal":"*"`, `,"Condition":{"StringLike":{"aws:PrincipalArn":"arn:aws:sts::111111111111:federated-user/*"}}`), byPrincipal(`"Principal":"*"`, `,"Condition":{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::*"}}`), "refuted"},
		{"callers of another partition", byPrincipal(`"Principal":"*"`, `,"Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws-cn:iam::111111111111:role/*"}}`), byPrincipal(`"Principal":{"AWS":"222222222222"}`, ""), "refuted"},
		{"a federated user of a user's name", byPrincipal(`"Principal":{"AWS":"arn:aws:iam::111111111111:user/ann"}`, ""), byPrincipal(`"Principal":{"AWS":"arn:aws:iam::111111111111:user/ann"}`, `,"Condition":{"StringEquals":{"aws:PrincipalType":"User"}}`), "refuted"},
		{"the session of a listed role", byPrincipal(`"Principal":"*"`, `,"Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/R"}}`), statements(
			`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`,
			`{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111111111111:role/R"},"Action":"*","Resource":"*","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/R"}}}`), "refuted"},
		{"a condition between the caller and a tag", byPrincipal(`"Principal":{"AWS":"111111111111"}`, `,"Condition":{"StringEquals":{"aws:PrincipalTag/a":["111111111111","x"]}}`), byPrincipal(`"Principal":{"AWS":"111111111111"}`, `,"Condition":{"StringEquals":{"aws:PrincipalAccount":"${aws:PrincipalTag/a}"}}`), "unknown"},
		{"a name and an ARN that contradict each other", byPrincipal(`"Principal":{"AWS":"111111111111"}`, `,"Condition":{"StringEquals":{"aws:username":"ann","aws:PrincipalArn":"arn:aws:iam::111111111111:user/bob"}}`), byPrincipal(`"Principal":{"AWS":"222222222222"}`, ""), "unknown"},
		{"everybody is not the account", byPrincipal(`"Principal":"*"`, ""), byPrincipal(`"Principal":{"AWS":"111111111111"}`, ""), "refuted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := iam.Within(policy(t, d, c.a), policy(t, d, c.b), d, iam.Limits{})
			if got.Verdict.String() != c.want {
				t.Errorf("got %s, want %s: %+v", got.Verdict, c.want, got)
			}
		})
	}
}
